"""The command on a real broker."""

import json
from typing import Any

from click.testing import CliRunner, Result

from stream_app.cli import main
from tests.verification.small_log import changed
from tests.verification.staged import Staged

REVENUE = b"revenue|365d|now|company|all"


def explain(staged: Staged, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["explain", *arguments, "--wait", "0"], env=staged.environment, catch_exceptions=False
    )


def amounts(result: Result) -> list[Any]:
    return [side["amount"] for side in json.loads(result.stdout)["sides"]]


def test_a_published_value_is_explained_and_a_wrong_one_is_found(staged: Staged) -> None:
    staged.values[REVENUE] = changed(staged.values[REVENUE], value=1)
    staged.written()

    month = explain(staged, "win_rate", "--start", "2026-02", "--json")
    assert month.exit_code == 0, month.output
    found = json.loads(month.stdout)
    assert found["numerator"] / found["denominator"] == found["value"]
    assert found["differences"] == []
    assert amounts(month) == [found["numerator"], found["denominator"]]

    wrong = explain(staged, "revenue", "--window", "365d")
    assert wrong.exit_code == 1
    assert "DIFFERENT: value is 1 in kpi.values, the log says" in wrong.stdout

    unknown = explain(staged, "revenue", "--dimension", "team", "--member", "nobody")
    assert unknown.exit_code == 2
    assert "there is no team 'nobody'" in unknown.stderr

    rows = explain(staged, "nps", "--window", "90d", "--csv")
    assert rows.exit_code == 0
    assert rows.stdout.splitlines()[0].startswith("row,side,measure,first,last,kind,id,thread,time")


def test_nothing_published_says_so(staged: Staged) -> None:
    staged.values.clear()
    result = explain(staged.written(), "revenue")
    assert result.exit_code == 1
    assert "is empty: is a worker running" in result.stderr
