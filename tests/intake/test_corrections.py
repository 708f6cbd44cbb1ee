"""A file imported again after its rows were corrected: what the fold then counts.

The table of deploy/mappings/README.md, row by row. Both imports go through the worker's own decoder
and fold; in either order of arrival the result is the same.
"""

from collections import Counter
from datetime import UTC, datetime

import pytest

from stream_app.config.model import Business, Config
from stream_app.domain.events import Event
from stream_app.domain.ledger import ThreadLedger, Verdict
from stream_app.domain.rules import FoldRules
from tests.intake.imports import BERLIN, DEALS, DEALS_HEADER, GENERATION_MS, Folder, accepted

WON = "501,r-1,Basic,2017-03-01,won,2017-04-15,100"
OPEN = "501,r-1,Basic,2017-03-01,open,,"

RULES = FoldRules.from_config(
    Config(
        business=Business(timezone=BERLIN, currency="EUR"),
        dimensions=(("rep",), ("product_line",)),
        credit={"rep": "at_time", "product_line": "latest"},
    )
)
SHOWN = ("deals_created", "deals_won", "deals_lost", "revenue/EUR")

Counts = dict[tuple[str, str, str | None, str | None], int]
"""(Business day, measure, rep, product line) → how often, or how many cents."""


def counted(events: list[Event]) -> Counts:
    """What a thread counts, from the changes that its fold tells event by event."""
    ledger, total = ThreadLedger(RULES), Counter[tuple[str, str, str | None, str | None]]()
    rep, product = (RULES.dimensions.index(name) for name in ("rep", "product_line"))
    for event in events:
        assert ledger.accept(event) in (Verdict.APPLIED, Verdict.DUPLICATE)
        for fact, latest, sign, _ in ledger.changes():
            seconds = fact.instant_us // 1_000_000
            day = datetime.fromtimestamp(seconds, UTC).astimezone(BERLIN).date().isoformat()
            for measure, value in fact.measures:
                if measure in SHOWN:
                    total[day, measure, fact.at_time[rep], latest[product]] += sign * value
    return {what: count for what, count in total.items() if count}


class Imports:
    """One row of a file, imported once and again."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def events(self, row: str, later_ms: int = 0, **options: str) -> list[Event]:
        rows = f"{DEALS_HEADER}{row}\n"
        generation_ms = GENERATION_MS + later_ms
        records = self._folder.records(DEALS, rows, generation_ms=generation_ms, **options)
        return [accepted(record) for record in records]

    def alone(self, row: str) -> Counts:
        return counted(self.events(row))

    def both(self, first: str, second: str) -> Counts:
        one, other = self.events(first), self.events(second, later_ms=1)
        result = counted(one + other)
        assert counted(other + one) == result
        assert counted([*reversed(one), *reversed(other)]) == result
        return result


@pytest.fixture
def imports(folder: Folder) -> Imports:
    return Imports(folder)


def test_the_same_row_again_is_nothing_but_duplicates(imports: Imports) -> None:
    first, again = imports.events(WON), imports.events(WON, later_ms=86_400_000)
    ledger = ThreadLedger(RULES)

    verdicts = [ledger.accept(event) for event in [*first, *again]]

    assert verdicts == [Verdict.APPLIED] * 2 + [Verdict.DUPLICATE] * 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(WON, WON.replace("100", "250"), id="amount"),
        pytest.param(WON, WON.replace("Basic", "Pro"), id="product of a won deal"),
        pytest.param(OPEN, OPEN.replace("Basic", "Pro"), id="product of an open deal"),
        pytest.param(WON, WON.replace("r-1", "r-2"), id="rep, for its creation and its win"),
        pytest.param(OPEN, WON, id="an open deal was won"),
        pytest.param(WON, WON.replace("won", "lost"), id="lost and not won, the same day"),
        pytest.param(WON.replace("won", "lost"), WON, id="won and not lost, the same day"),
        pytest.param(
            WON, WON.replace("won,2017-04-15", "lost,2017-05-01"), id="lost on a later day"
        ),
        pytest.param(WON, WON.replace("2017-03-01", "2017-02-01"), id="created earlier"),
        pytest.param(
            WON.replace("2017-03-01", "2017-04-15"),
            WON.replace("2017-03-01", "2017-04-15").replace("r-1", "r-2").replace("Basic", "Pro"),
            id="rep and product of a deal won on the day it was created",
        ),
        pytest.param(
            WON,
            "501,r-2,Pro,2017-02-01,won,2017-04-15,250",
            id="everything but the day of winning",
        ),
    ],
)
def test_the_corrected_row_counts_as_if_it_had_been_said_at_once(
    imports: Imports, first: str, second: str
) -> None:
    assert imports.both(first, second) == imports.alone(second) != imports.alone(first)


def test_won_on_an_earlier_day_moves_the_win_but_an_amount_said_later_stays(
    imports: Imports,
) -> None:
    earlier = WON.replace("2017-04-15", "2017-04-01")

    assert imports.both(WON, earlier) == imports.alone(earlier)
    assert imports.both(WON, earlier.replace("100", "250")) == imports.alone(earlier)


def test_won_on_a_later_day_leaves_the_win_and_corrects_its_amount(imports: Imports) -> None:
    later = WON.replace("2017-04-15,100", "2017-05-01,250")

    assert imports.both(WON, later) == imports.alone(WON.replace("100", "250"))


def test_created_on_a_later_day_leaves_what_was_said_first(imports: Imports) -> None:
    later = "501,r-2,Pro,2017-03-10,won,2017-04-15,100"

    assert imports.both(WON, later) == imports.alone(WON)


def test_a_result_withdrawn_or_a_cell_emptied_says_nothing(imports: Imports) -> None:
    assert imports.both(WON, OPEN) == imports.alone(WON)
    assert imports.both(WON, WON.replace("100", "")) == imports.alone(WON)
    assert imports.both(WON, WON.replace("Basic", "")) == imports.alone(WON)


def test_a_correction_taken_back_needs_a_revision(imports: Imports) -> None:
    corrected = WON.replace("100", "250")
    events = imports.events(WON) + imports.events(corrected, later_ms=1)

    same_again = imports.events(WON, later_ms=2)
    revised = imports.events(WON, later_ms=2, revision="taken back")

    assert counted(events + same_again) == imports.alone(corrected)
    assert counted(events + revised) == imports.alone(WON)
