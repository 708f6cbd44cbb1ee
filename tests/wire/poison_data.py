"""Poison in the data of an event: wrong types, missing fields, scales."""

from collections.abc import Iterator
from typing import Any

from stream_app.wire.cloudevent import Reason
from tests.wire.records import ABSENT, AMOUNTS, DATA, LONG, SHORT, Case, raw, record, shown

TEXT_FIELDS = ("stage", "pipeline", "loss_reason", "rep", "team", "source", "technique", "campaign")
ID_FIELDS = (
    ("lead.created", "lead_id"),
    ("deal.won", "deal_id"),
    ("deal.won", "lead_id"),
    ("deal.won", "customer_id"),
    ("survey.submitted", "survey_id"),
    ("survey.submitted", "deal_id"),
    ("spend.recorded", "spend_id"),
    ("expense.recorded", "expense_id"),
    ("customer.churned", "customer_id"),
    ("measure.recorded", "measure_id"),
)
REQUIRED: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (kind, tuple(DATA[name])) for kind, name in SHORT.items()
)


def schema_of_the_data() -> Iterator[Case]:
    for value in (raw("[]"), "text", True, raw("1.5")):
        yield f"data {shown(value)}", Reason.SCHEMA, record(data=value)
    for kind, fields in REQUIRED:
        for field in fields:
            for what, value in (("absent", ABSENT), ("null", None), ("empty", "")):
                yield f"{kind} {field} {what}", Reason.SCHEMA, record(kind, {field: value})
    for field in TEXT_FIELDS:
        for value in (1, 1.5, True, [], {}, LONG, "a\x00b", "a\x7fb", "\x85"):
            yield f"{field} {value!r:.9}", Reason.SCHEMA, record(data={field: value})
    for kind, value in (("lead.created", 1), ("measure.recorded", []), ("customer.churned", True)):
        yield f"declared dimension on {kind}", Reason.SCHEMA, record(kind, {"segment": value})
    yield "theme", Reason.SCHEMA, record("survey.submitted", {"theme": 5})
    yield "category", Reason.SCHEMA, record("expense.recorded", {"category": LONG})


def schema_of_ids_and_names() -> Iterator[Case]:
    for kind, field in ID_FIELDS:
        for value in (True, False, 1.5, [], {}, raw("1e400"), LONG, "a\nb", 10**256):
            yield f"{kind} {field} {value!r:.9}", Reason.SCHEMA, record(kind, {field: value})


def schema_of_money() -> Iterator[Case]:
    for value in (0, 1, "true", "yes", [], {}, raw("1.0")):
        yield f"new_business {shown(value)}", Reason.SCHEMA, record(data={"new_business": value})
    for value in (1, True, {}, "text", [1], [None], [[]], ["x"], [{}, True]):
        yield f"lines {value!r}", Reason.SCHEMA, record(data={"lines": value})
    for line in ({"product_line": 1}, {"product_line": LONG}, {"amount": True}, {"cost": []}):
        yield f"line {line!r:.30}", Reason.SCHEMA, record(data={"lines": [{}, line]})
    for kind, field in AMOUNTS:
        for value in (True, False, [], {}, "1" * 257, "1\n", "\x00", "1" + "\x85"):
            yield f"{kind} {field} {value!r:.9}", Reason.SCHEMA, record(kind, {field: value})
    for value in (1, True, [], {}, LONG, "EU\x00"):
        yield f"currency {value!r:.9}", Reason.SCHEMA, record(data={"currency": value})
        yield f"measure {value!r:.9}", Reason.SCHEMA, record("measure.recorded", {"measure": value})


def schema_of_surveys() -> Iterator[Case]:
    def survey(**fields: Any) -> bytes:
        return record("survey.submitted", fields)

    for score in (-1, 11, 100, 10**20, 9.5, "9", True, [], {}, raw("1e400"), raw("1e-1")):
        yield f"nps score {shown(score)}", Reason.SCHEMA, survey(score=score)
    yield "nps score of 5000 digits", Reason.SCHEMA, survey(score=raw("9" * 5000))
    yield "nps score 1e999999999", Reason.SCHEMA, survey(score=raw("1e999999999"))
    for score, scale in ((0, None), (6, None), (0, 5), (6, 5), (0, 10), (11, 10), (-1, 10)):
        case = survey(kind="csat", score=score, scale_max=scale)
        yield f"csat {score} of {scale}", Reason.SCHEMA, case
    for scale in (0, 5, 9, 11, 10.5, "10", True, []):
        yield f"nps scale {scale!r}", Reason.SCHEMA, survey(score=5, scale_max=scale)
    for scale in (0, 1, 4, 7, 100, 5.5, "5", True, {}):
        yield f"csat scale {scale!r}", Reason.SCHEMA, survey(kind="csat", score=1, scale_max=scale)
    for kind in ("NPS", "ces", "nps ", 1, True, LONG):
        yield f"kind {kind!r:.9}", Reason.SCHEMA, survey(kind=kind)
