"""The command on a real broker."""

import json
from typing import Any

from click.testing import CliRunner, Result

from stream_app.cli import main
from stream_app.transport.publisher import Outgoing
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


def test_an_alert_is_explained_by_what_moved_its_value(staged: Staged) -> None:
    told = {
        "target": "rate",
        "kpi": "win_rate",
        "window": "month",
        "start": "2026-03-01T00:00:00+01:00",
        "dimension": "company",
        "member": "all",
        "value": 0.2,
        "threshold": 0.25,
        "reason": "below_target",
    }
    alerts = staged.topics.alerts
    for state, before, day in (("pending", "ok", 9), ("firing", "pending", 10)):
        record = told | {
            "id": f"{state}-{day}",
            "state": state,
            "previous": before,
            "since": f"2026-03-{day:02}T12:00:00Z",
        }
        staged.also.append(Outgoing(alerts, b"rate|level|company|all", json.dumps(record).encode()))
    staged.written()

    asked = explain(staged, "--alert", "rate", "--json")
    assert asked.exit_code == 0, asked.output
    found = json.loads(asked.stdout)

    assert (found["since"], found["over"]) == ("2026-03-09T12:00:00Z", False)
    assert found["from"]["time"] == "2026-03-09T11:59:00Z"
    assert found["from"]["denominator"] < found["to"]["denominator"]
    for side in ("numerator", "denominator"):
        parts = [part for part in found["moved"] if part["side"] == side]
        moved = sum(move["change"] for part in parts for move in part["moves"])
        assert found["to"][side] - found["from"][side] == moved
    published = json.loads(explain(staged, "win_rate", "--json").stdout)
    assert [found["to"][name] for name in ("value", "numerator", "denominator")] == [
        published[name] for name in ("value", "numerator", "denominator")
    ]

    drawn = explain(staged, "--alert", "firing-10", "--limit", "1")
    assert drawn.exit_code == 0, drawn.output
    assert "rate: Win rate of the company" in drawn.stdout
    assert "All that makes it up: stream-app explain win_rate --window month" in drawn.stdout

    unknown = explain(staged, "--alert", "rat")
    assert unknown.exit_code == 2
    assert "no alert has the id or the target 'rat'; did you mean 'rate'?" in unknown.stderr

    nothing = explain(staged)
    assert nothing.exit_code == 2
    assert "which KPI? write its name, or --alert and a target" in nothing.stderr
