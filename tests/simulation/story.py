"""A compact CRM: few threads, so that every event meets others; everything that can go wrong."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

BEGINNINGS = (
    datetime(2026, 3, 4, 11, 0, tzinfo=UTC),
    datetime(2026, 3, 4, 22, 59, 57, tzinfo=UTC),  # three seconds before midnight in Berlin
    datetime(2026, 3, 31, 21, 59, 57, tzinfo=UTC),  # before the end of a month
    datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC),  # before clocks change
    datetime(2026, 3, 4, 11, 4, 57, tzinfo=UTC),  # before another five minutes
)
_REPS, _TEAMS = ("r-1", "r-2"), ("north", "south")
_LATENESS = (
    *((timedelta(),) * 4),
    timedelta(seconds=1),
    timedelta(minutes=7),
    timedelta(hours=13),
    timedelta(days=2),
    timedelta(days=6),
    timedelta(days=35),
)


class Told(NamedTuple):
    """A record as a producer sends it, `after_s` seconds after the beginning."""

    after_s: float
    key: bytes | None
    value: bytes | None


def tell(chance: random.Random, begin: datetime, count: int, span_s: float) -> list[Told]:
    """So many records, in the order in which they are sent."""
    story = _Story(chance, begin)
    told = []
    for moment in sorted(chance.random() * span_s for _ in range(count)):
        told.extend(Told(moment, key, value) for key, value in story.next(moment))
    return told


class _Story:
    def __init__(self, chance: random.Random, begin: datetime) -> None:
        self._chance = chance
        self._begin = begin
        self._ids = 0
        self._sent: list[tuple[bytes, bytes]] = []

    def next(self, moment_s: float) -> Iterator[tuple[bytes | None, bytes | None]]:
        """The next records."""
        drawn = self._chance.random()
        if drawn < 0.12:
            yield self._bad()
        elif drawn < 0.24 and self._sent:
            yield self._again()
        else:
            record = self._good(moment_s)
            self._sent.append(record)
            yield record

    def _again(self) -> tuple[bytes, bytes]:
        key, value = self._chance.choice(self._sent)
        if self._chance.random() < 0.75:
            return key, value
        body = msgspec.json.decode(value)
        body["data"]["note"] = "other content under the same id"
        return key, msgspec.json.encode(body)

    def _bad(self) -> tuple[bytes | None, bytes | None]:
        future = self._event("lead.created", self._begin + timedelta(days=3), lead_id="l")
        return self._chance.choice(
            [
                (b"k", b"not json"),
                (None, b"{}"),
                (b"k", None),
                (b"k", self._event("deal.flown", self._begin, deal_id="d")),
                (b"k", self._event("deal.won", self._begin)),
                (b"k", future),
                (b"k", self._event("deal.won", self._begin, deal_id="d", amount="much")),
                (b"k", self._event("deal.won", self._begin, deal_id="d", currency="XAU")),
                (b"k", msgspec.json.encode({"specversion": "1.0", "type": "other.thing"})),
                (b"k", self._event("else", self._begin).replace(b"crm.", b"erp.")),
            ]
        )

    def _good(self, moment_s: float) -> tuple[bytes, bytes]:
        chance = self._chance
        at = self._begin + timedelta(seconds=moment_s) - chance.choice(_LATENESS)
        thread = f"t{chance.randrange(7)}"
        people = {"rep": chance.choice(_REPS), "team": chance.choice(_TEAMS)}
        if chance.random() < 0.4:
            people = {}
        amount: dict[str, Any] = {}
        if chance.random() < 0.5:
            amount = {"amount": str(chance.randrange(1, 90_000) / 100)}
            amount["currency"] = chance.choice(["EUR", "USD"])
        deal = {"deal_id": f"{thread}-d{chance.randrange(2)}"}
        lead = {"lead_id": f"{thread}-l"}
        kind, data = chance.choice(
            [
                ("lead.created", lead | people),
                ("lead.created", lead | people),
                ("lead.updated", lead | people),
                ("lead.deleted", lead),
                ("deal.created", deal | people | amount),
                ("deal.created", deal | people | amount),
                ("deal.updated", deal | people | amount),
                ("deal.won", deal | amount),
                ("deal.won", deal | amount),
                ("deal.lost", deal),
                ("deal.reopened", deal),
                ("deal.deleted", deal),
                ("survey.submitted", _answer(chance, people)),
                ("measure.recorded", {"measure": "calls", "value": 1} | people),
                ("measure.recorded", {"measure": "calls", "value": 1} | people),
                ("measure.recorded", {"measure": "calls", "value": 1} | people),
            ]
        )
        return thread.encode(), self._event(kind, at, **data)

    def _event(self, kind: str, at: datetime, /, **data: Any) -> bytes:
        self._ids += 1
        return msgspec.json.encode(
            {
                "specversion": "1.0",
                "id": f"e{self._ids}",
                "source": "//simulated",
                "type": f"crm.{kind}.v1",
                "time": at.isoformat(),
                "data": data,
            }
        )


def _answer(chance: random.Random, people: dict[str, str]) -> dict[str, Any]:
    survey = {"survey_id": f"s{chance.randrange(4)}", "kind": "nps"}
    return survey | {"score": chance.randrange(11)} | people
