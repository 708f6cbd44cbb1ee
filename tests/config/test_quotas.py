"""The file of quotas: what it may say, and what is said about its mistakes."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from stream_app.config.load import parse_config
from stream_app.config.quotas import QuotaFile, first_errors, read_quotas
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.windows import WindowRules

FISCAL = parse_config(
    "business: {timezone: Europe/Berlin, fiscal_year_starts: april, week_starts: sunday}",
    "config.yaml",
    Path(),
)
RULES = WindowRules.from_config(FISCAL, BusinessCalendar(FISCAL.business.timezone))


def read(tmp_path: Path, text: str, window: str = "month") -> QuotaFile:
    path = tmp_path / "quotas.csv"
    path.write_text(text, encoding="utf-8")
    return read_quotas(path, window, RULES.period_start)


@pytest.mark.parametrize(
    ("window", "period", "first"),
    [
        ("day", "2026-11-03", "2026-11-03"),
        ("week", "2026-W45", "2026-11-01"),  # weeks begin on Sunday
        ("month", "2026-11", "2026-11-01"),
        ("quarter", "2026-Q1", "2026-04-01"),  # of the fiscal year that begins in 2026
        ("quarter", "2026-Q4", "2027-01-01"),
        ("year", "2026", "2026-04-01"),
    ],
)
def test_a_period_is_named_as_its_window_is(
    tmp_path: Path, window: str, period: str, first: str
) -> None:
    by_period = read(tmp_path, f"member,period,value\nr-1,{period},5\n", window)
    by_start = read(tmp_path, f"member;start;value\nr-1;{first};5\n", window)

    assert by_period.errors == by_start.errors == []
    assert by_period.quotas == by_start.quotas
    assert by_period.quotas == {("r-1", date.fromisoformat(first).toordinal()): Decimal(5)}


def test_without_a_period_a_quota_holds_for_every_window(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufeffMember,Value\n\nr-1, 50000.50\n*,0\n")

    assert found.errors == []
    assert found.quotas == {("r-1", None): Decimal("50000.50"), ("*", None): Decimal(0)}


MISTAKES = {
    "a misspelt column": (
        "membr,period,value\nr-1,2026-11,5\n",
        "1: 'membr' is not a column; did you mean 'member'?",
    ),
    "no value": (
        "member,period\nr-1,2026-11\n",
        "1: has no column 'value'; the first line names the columns",
    ),
    "a column twice": ("member,value,value\nr-1,5,5\n", "1: names a column twice; keep one"),
    "an empty file": ("", "1: has no column 'member'; the first line names the columns"),
    "no rows": ("member,value\n", "1: has no quota; write at least one row"),
    "a cell too many": (
        "member,value\nr-1,5,6\n",
        "2: has 3 cells; the first line names 2 columns",
    ),
    "a thousand with a comma": (
        'member;value\nr-1;"50,5"\n',
        "2: '50,5' is not a number like 50000 or 0.25; write 50.5, with a point",
    ),
    "a thousand with blanks": (
        "member,value\nr-1,50 000\n",
        "2: '50 000' is not a number like 50000 or 0.25; write 50000",
    ),
    "no member": ("member,value\n,5\n", "2: names no member; write one, or * for all others"),
    "another window": (
        "member,period,value\nr-1,2026-Q4,5\n",
        "2: '2026-Q4' is not a month; write it like 2026-11",
    ),
    "a month that does not exist": (
        "member,period,value\nr-1,2026-13,5\n",
        "2: '2026-13' is not a month; write it like 2026-11",
    ),
    "a start within the window": (
        "member,start,value\nr-1,2026-11-05,5\n",
        "2: no month begins on 2026-11-05; did you mean 2026-11-01?",
    ),
    "a start that is no date": (
        "member,start,value\nr-1,1.11.2026,5\n",
        "2: '1.11.2026' is not a date; write year-month-day, like 2025-12-31",
    ),
    "start and period": (
        "member,start,period,value\nr-1,2026-11-01,2026-11,5\n",
        "2: has both a start and a period; keep one of the two",
    ),
    "a quota twice": (
        "member,period,value\nr-1,2026-11,5\nr-2,2026-11,5\nr-1,2026-11,6\n",
        "4: the quota of 'r-1' for that window is already on line 2; keep one of the two",
    ),
    "an open quote": ('member,value\n"r-1,5\n', "2: not CSV: unexpected end of data"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    found = read(tmp_path, text)

    assert str(found.errors[0]) == f"{tmp_path / 'quotas.csv'}:{message}"


def test_a_moving_window_has_no_start(tmp_path: Path) -> None:
    found = read(tmp_path, "member,start,value\nr-1,2026-11-01,5\n", "30d")

    assert str(found.errors[0]).endswith("the window 30d always ends now; leave the cell empty")


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    missing = read_quotas(tmp_path / "none.csv", "month", RULES.period_start)
    (tmp_path / "latin.csv").write_bytes("member,value\nKöln,5\n".encode("latin-1"))
    latin = read_quotas(tmp_path / "latin.csv", "month", RULES.period_start)

    assert str(missing.errors[0]).endswith("none.csv: cannot be read: No such file or directory")
    assert str(latin.errors[0]).endswith("latin.csv:2: not UTF-8; save the file in UTF-8")


def test_many_mistakes_are_told_with_their_number(tmp_path: Path) -> None:
    found = read(tmp_path, "member,value\n" + "r-1,x\n" * 50)

    told = first_errors(found.errors)

    assert len(told) == 21
    assert str(told[-1]).endswith("… and 30 more")
