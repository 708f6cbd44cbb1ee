"""A changed configuration: what is computed changes at once, what is counted is rebuilt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stream_app.company import load_company
from stream_app.settings import load
from stream_app.simulate import simulate
from tests.acceptance.commands import assert_proven, run, sent, standing
from tests.acceptance.conftest import OPTIONS
from tests.acceptance.worker_process import WorkerProcess, wait_until


def another(environment: Mapping[str, str], directory: Path, **sections: Any) -> dict[str, str]:
    """The same environment with another configuration file."""
    content = yaml.safe_load(Path(environment["STREAM_APP_CONFIG"]).read_text(encoding="utf-8"))
    path = directory / "another.yaml"
    path.write_text(yaml.safe_dump(content | sections), encoding="utf-8")
    return dict(environment) | {"STREAM_APP_CONFIG": str(path)}


def version(environment: Mapping[str, str]) -> str:
    return load_company(load(environment).config_path).state_version


def revisions(values: Mapping[bytes, bytes]) -> dict[bytes, int]:
    return {key: msgspec.json.decode(value)["revision"] for key, value in values.items()}


def test_rates_formulas_windows_and_probabilities_change_without_reading_the_log_again(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = load(environment)
    config = load_company(settings.config_path).config
    before = WorkerProcess(environment, tmp_path / "before.log")
    before.await_ready()
    records = sent(settings, list(simulate(OPTIONS))[:2_000])
    wait_until(lambda: before.records(settings.topics.events) == records, 60, before.log_path)
    assert_proven(environment, before.address)
    assert before.stop() == 0
    pipelines = {
        name: {"stages": [{"name": stage.name, "probability": 0.9} for stage in pipeline.stages]}
        for name, pipeline in config.pipelines.items()
    }
    changed = another(
        environment,
        tmp_path,
        currencies=dict.fromkeys(config.currencies, "0.5"),
        pipelines=pipelines,
        windows=["day", "month", "90d"],
        history={"day": 3, "month": 1},
        kpis={"win_rate": {"formula": "deals_won / deals_created", "unit": "ratio"}},
    )
    assert version(changed) == version(environment)
    was = standing(settings)

    after = WorkerProcess(changed, tmp_path / "after.log")
    after.await_ready()
    wait_until(lambda: after.records(settings.topics.events) == records, 60, after.log_path)
    assert_proven(changed, after.address)

    now = standing(settings)
    assert any(b"|30d|" in key for key in was)
    assert not any(b"|30d|" in key for key in now)
    assert any(b"|90d|" in key for key in now)
    assert not any(name == "stream_app_events_total" for name, _, _ in after.samples())
    said_again = {key: revision for key, revision in revisions(now).items() if key in was}
    assert all(revision > revisions(was)[key] for key, revision in said_again.items())
    assert after.stop() == 0


def test_another_state_version_is_rebuilt_while_the_old_numbers_stand_and_then_replaces_them(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = load(environment)
    changed = another(environment, tmp_path, dimensions=["team", "source"])
    assert version(changed) != version(environment)
    old = WorkerProcess(environment, tmp_path / "old.log")
    old.await_ready()
    records = sent(settings, list(simulate(OPTIONS))[:2_000])
    wait_until(lambda: old.records(settings.topics.events) == records, 60, old.log_path)
    assert_proven(environment, old.address)
    was = standing(settings)
    assert any(b"|rep|" in key for key in was)

    new = WorkerProcess(changed, tmp_path / "new.log")
    wait_until(lambda: old.readiness() == (503, "superseded"), 60, new.log_path)
    wait_until(lambda: old.gauges() == 0, 30, old.log_path)
    new.await_ready()
    assert_proven(changed, new.address)

    assert f"state version {version(changed)} has counted nothing yet" in new.log
    assert version(changed) in old.reasons()
    now = standing(settings)
    assert not any(b"|rep|" in key for key in now)
    said_again = {key: revision for key, revision in revisions(now).items() if key in was}
    assert said_again
    assert all(revision > revisions(was)[key] for key, revision in said_again.items())

    # Back again: the new one is stopped, the old one has counted on and says its numbers anew.
    assert new.stop() == 0
    old.await_ready()
    wait_until(lambda: old.gauges() > 0, 60, old.log_path)
    assert_proven(environment, old.address)
    discarded = run(changed, "rebuild", "--state-version", version(changed), "--yes")
    assert discarded.returncode == 0, discarded.stdout + discarded.stderr
    assert old.stop() == 0
    assert version(changed) not in run(environment, "check").stdout
