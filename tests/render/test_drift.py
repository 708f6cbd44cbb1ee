"""`stream-app render`: what is committed is what would be rendered."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.render.drift import drift
from tests.render.conftest import EXAMPLE, ROOT


def render(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["render", "--config", str(EXAMPLE), *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_the_committed_files_are_up_to_date(files: Mapping[str, str]) -> None:
    assert "".join(drift(ROOT, files)) == "", (
        "run `stream-app render --config deploy/stream-app.yaml` and commit the change"
    )


def test_rendering_twice_changes_nothing(tmp_path: Path) -> None:
    first = render("--out", tmp_path)
    second = render("--out", tmp_path)

    assert first[0] == second[0] == 0
    assert second[1].splitlines()[-1].startswith("0 of ")
    assert render("--out", tmp_path, "--check")[0] == 0


def test_check_shows_what_differs_and_writes_nothing(tmp_path: Path) -> None:
    render("--out", tmp_path)
    changed = tmp_path / "deploy/prometheus/rules/pipeline.yml"
    changed.write_text(changed.read_text().replace("severity: info", "severity: page"))
    leftover = tmp_path / "grafana/dashboards/old.json"
    leftover.write_text('{"uid": "stream-app-old"}')
    mine = leftover.with_name("mine.json")
    mine.write_text('{"uid": "my-own"}')

    code, shown, advice = render("--out", tmp_path, "--check")

    assert code == 1
    assert "-      severity: page\n+      severity: info\n" in shown
    assert "grafana/dashboards/old.json: is not rendered any more, remove it" in shown
    assert advice.startswith("2 of ")
    assert "What to do: run" in advice
    assert leftover.exists()

    assert "mine.json" not in shown

    code, _, advice = render("--out", tmp_path)
    assert (code, advice) == (
        0,
        "grafana/dashboards/old.json: is not rendered any more, remove it\n",
    )
    assert leftover.exists()  # never removed by us
    leftover.unlink()
    assert render("--out", tmp_path, "--check")[0] == 0


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "deploy"
    blocked.write_text("a file")

    code, _, advice = render("--out", tmp_path)

    assert code == 2
    assert advice.startswith(f"{blocked}")
    assert "name a directory of yours with --out" in advice


@pytest.mark.parametrize("names", [False, True])
def test_names_of_persons_are_rendered_only_if_asked_for(tmp_path: Path, *, names: bool) -> None:
    render("--out", tmp_path, *(["--names"] if names else []))

    told = [path for path in tmp_path.rglob("*.*") if "Rep Seventeen" in path.read_text()]

    assert [path.name for path in told] == (["reps.json"] if names else [])
