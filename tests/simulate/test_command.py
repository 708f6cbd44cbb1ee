import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from stream_app.cli.simulate import command

_PROGRAM = "from stream_app.cli.simulate import command; command()"
_BULK = ["--start", "2026-01-05T00:00:00Z", "--days", "30", "--events", "500"]


def test_the_same_command_writes_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        arguments = [*_BULK, "--bad", "0.1", "--out", str(tmp_path / name)]
        assert CliRunner().invoke(command, arguments).exit_code == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert len((tmp_path / "one").read_text().splitlines()) > 500


def test_the_order_of_hashes_does_not_matter() -> None:
    outputs = set()
    for hash_seed in ("1", "2"):
        arguments = [*_BULK, "--disorder", "0.3", "--bad", "0.1", "--out", "-"]
        run = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1


def test_the_manifest_says_what_is_in_the_file(tmp_path: Path) -> None:
    out, manifest = tmp_path / "out", tmp_path / "manifest.json"
    arguments = [*_BULK, "--duplicates", "0.1", "--currencies", "EUR, USD", "--out", str(out)]
    result = CliRunner().invoke(command, [*arguments, "--manifest", str(manifest)])
    assert result.exit_code == 0
    said = msgspec.json.decode(manifest.read_bytes())
    assert said["records"] == len(out.read_text().splitlines())
    assert said["records"] == said["applied"] + said["duplicates"]
    assert f"{said['duplicates']}" in result.stderr


def test_a_dash_writes_to_standard_output() -> None:
    result = CliRunner().invoke(command, [*_BULK, "--out", "-"])
    assert len(result.stdout.splitlines()) == 500


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--events", "5", "--start", "2026-01-05"], "has no UTC offset"),
        (["--events", "5", "--start", "soon"], "write it like 2026-01-05T08:00:00Z"),
        (["--events", "5", "--history", "3"], "write it like 90s, 10m, 2h or 30d"),
        (["--events", "5", "--history", "3d"], "--history is for a live run"),
        (["--events", "5", "--currencies", "EURO"], "expected ISO 4217 codes"),
        ([*_BULK, "--out", "nowhere/x"], "nowhere/x: cannot be written: No such file or directory"),
        ([*_BULK, "--manifest", "nowhere/x"], "nowhere/x: cannot be written: there is no such"),
        (["--events", "5", "--start", "2098-01-05T00:00:00Z"], "in the future"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_how_to_mend_it(
    arguments: list[str], complaint: str
) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())


def test_a_broker_that_is_not_there_is_exit_code_2() -> None:
    result = CliRunner().invoke(command, _BULK, env={"STREAM_APP_KAFKA": "127.0.0.1:1"})
    assert result.exit_code == 2
    assert "no Kafka broker answers at 127.0.0.1:1" in " ".join(result.stderr.split())


def test_ctrl_c_ends_a_live_run_cleanly_with_a_whole_last_line() -> None:
    arguments = ["--history", "1d", "--history-events", "50", "--rate", "100", "--out", "-"]
    live = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
    )
    assert live.stdout is not None
    head = [live.stdout.readline() for _ in range(80)]
    live.send_signal(signal.SIGINT)
    rest, messages = live.communicate(timeout=20)
    assert live.returncode == 0
    lines = [*head, *rest.splitlines()]
    assert all(msgspec.json.decode(line)["expected"] == "applied" for line in lines)
    assert b"Traceback" not in messages
