"""The command on a real broker."""

import csv
from pathlib import Path

from click.testing import CliRunner, Result

from stream_app.cli import main
from tests.verification.staged import Staged


def report(staged: Staged, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["report", *arguments], env=staged.environment, catch_exceptions=False
    )


def test_every_form_is_written_of_what_was_published(staged: Staged, tmp_path: Path) -> None:
    staged.written()

    terminal = report(staged)
    assert terminal.exit_code == 0, terminal.output
    assert terminal.stdout.startswith("Company: February 2026\n")
    assert "trial: free-trial against cold-call" in terminal.stdout

    page, rows = tmp_path / "page.html", tmp_path / "rows.csv"
    assert report(staged, "--out", str(page), "--coaching").exit_code == 0
    assert "<h2>Coaching</h2>" in page.read_text(encoding="utf-8")

    assert (
        report(staged, "--window", "week", "--period", "running", "--out", str(rows)).exit_code == 0
    )
    with rows.open(encoding="utf-8", newline="") as file:
        found = {(row["kpi"], row["dimension"], row["member"]) for row in csv.DictReader(file)}
    published = [key.decode().split("|") for key in staged.values]
    running = {
        (k, d, m) for k, w, s, d, m in published if w == "week" and s.startswith("2026-03-16")
    }
    assert {each for each in running if "+" not in each[1]} <= found
    assert len(found) == len(running)

    wrong = report(staged, "--period", "soon")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "Error: 'soon' names no month; write 2026-10, or any date in it (2026-10-05)\n",
    )
    assert report(staged, "--period", "1999-01").exit_code == 1
