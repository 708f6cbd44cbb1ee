"""A row to its canonical events, or the reason why it gives none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from stream_app.intake.cells import Refused, flag, integer, number_reader, rfc3339
from stream_app.intake.directory import Directory
from stream_app.intake.fields import ENTITY_OF_ID, KIND_OF_FIELD, Kind, entity_of
from stream_app.intake.identity import event_id, qualified, row_identity, sequence
from stream_app.intake.lookup import Lookup, Texts, TimeColumn
from stream_app.intake.mapping import Column, Constant, EventRule, FileMapping, Term
from stream_app.intake.pseudonyms import Pseudonyms
from stream_app.intake.rows import Row
from stream_app.wire.cloudevent import Ignored, Rejection, Rules, decode

NO_EVENT: Final = "no event applies"
"""The reason of a row that no rule of the mapping makes anything of."""


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record of `crm.events`.

    Attributes:
        type: the event's, for counting.
        timestamp_ms: the event's own time, as history is written (contract.md, rule 8).
    """

    type: str
    key: bytes
    value: bytes
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a row: exactly one of records, skipped and refused says something.

    Attributes:
        records: in the order of their times.
        skipped: why the mapping leaves it out.
        refused: why nothing could be made of it; holds nothing of the row's content.
        unmatched: how many joined files do not have its key.
    """

    row: Row
    records: tuple[Record, ...] = ()
    skipped: str | None = None
    refused: str | None = None
    unmatched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What an import is besides its files.

    Attributes:
        now_us: events after it are no history; brokers refuse them as well.
        generation_ms: when the import was first started (`identity.sequence`).
        revision: see `identity.event_id`.
    """

    now_us: int
    generation_ms: int
    revision: str = ""


class EventMaker:
    """Makes the events of one file's rows."""

    def __init__(
        self,
        *,
        mapping: FileMapping,
        lookup: Lookup,
        rules: Rules,
        occasion: Occasion,
        pseudonyms: Pseudonyms,
        directory: Directory,
    ) -> None:
        self._mapping = mapping
        self._lookup = lookup
        self._rules = rules
        self._occasion = occasion
        self._pseudonyms = pseudonyms
        self._directory = directory
        self._noted: set[tuple[str, str | None]] = set()
        self._readers: dict[Kind, Callable[[str], Any]] = {
            "decimal": number_reader(mapping.format.decimal, mapping.format.thousands),
            "integer": integer,
            "flag": flag,
        }
        self._times: dict[str, TimeColumn] = {}
        # A time that identifies a row does so however it is written.
        self._event_times = {rule.time.name for rule in mapping.events}

    def outcome(self, row: Row) -> Outcome:
        """What becomes of a row; the same for the same row, mapping, occasion and files."""
        if row.problem is not None:
            return Outcome(row, refused=row.problem)
        texts, unmatched = self._lookup.texts(row.cells)
        for skip in self._mapping.skip:
            if all(condition.holds(texts[condition.column.name]) for condition in skip.when):
                return Outcome(row, skipped=skip.reason, unmatched=unmatched)
        try:
            records = self._records(texts)
        except Refused as error:
            return Outcome(row, refused=str(error), unmatched=unmatched)
        if not records:
            return Outcome(row, skipped=NO_EVENT, unmatched=unmatched)
        return Outcome(row, records, unmatched=unmatched)

    def _records(self, texts: Texts) -> tuple[Record, ...]:
        self._refuse_unexpected(texts)
        self._give_pseudonyms(texts, original := dict(texts))
        identity = self._identity(texts)
        made = []
        for step, rule in enumerate(self._mapping.events):
            if all(condition.holds(original[condition.column.name]) for condition in rule.when):
                made.append(self._record(rule, step, texts, identity))
        made.sort(key=lambda record: record[0])  # stable: of one instant, as in the mapping
        return tuple(record for _, record in made)

    def _refuse_unexpected(self, texts: Texts) -> None:
        for condition in self._mapping.expect:
            if not condition.holds(texts[condition.column.name]):
                wanted = ", ".join(sorted(text or "empty" for text in condition.texts))
                raise Refused(
                    f"column {condition.column.name!r} holds something else than {wanted or 'text'}"
                )

    def _give_pseudonyms(self, texts: Texts, original: Texts) -> None:
        """Replace the names in `texts`, and note them in the directory."""
        for rule in self._mapping.pseudonyms:
            name = original[rule.column.name]
            if name is not None:
                texts[rule.column.name] = self._pseudonyms.of(rule.prefix, name, rule.directory)
        for rule in self._mapping.pseudonyms:
            name, entry_id = original[rule.column.name], texts[rule.column.name]
            if rule.directory is None or name is None or entry_id is None:
                continue
            team = texts[rule.team.name] if rule.team is not None else None
            if (entry_id, team) not in self._noted:
                self._noted.add((entry_id, team))
                self._directory.note(rule.directory, entry_id, name, team)

    def _identity(self, texts: Texts) -> str:
        parts = []
        for column in self._mapping.identity:
            text = texts[column.name]
            if text is not None and column.name in self._event_times:
                text = rfc3339(self._time(column.name).instant_us(text))
            parts.append(text)
        if all(part is None for part in parts):
            names = ", ".join(repr(column.name) for column in self._mapping.identity)
            raise Refused(f"column {names} is empty, but identifies the row")
        return row_identity(parts)

    def _record(
        self, rule: EventRule, step: int, texts: Texts, identity: str
    ) -> tuple[int, Record]:
        time_us = self._event_time_us(rule, texts)
        time, source = rfc3339(time_us), self._mapping.source
        entity = entity_of(rule.type)
        data = self._data(rule, texts)
        own_id = data.setdefault(f"{entity}_id", qualified(source, entity, identity))
        key = own_id
        if rule.key is not None:
            host, column = rule.key
            host_id = texts[column.name]
            key = own_id if host_id is None else qualified(source, host, host_id)
        envelope = {
            "specversion": "1.0",
            "id": event_id(identity, rule.type, time, data, self._occasion.revision),
            "source": source,
            "type": rule.type,
            "time": time,
            "sequence": sequence(rule.type, self._occasion.generation_ms, step),
            "partitionkey": key,
            "data": data,
        }
        record = Record(rule.type, key.encode(), msgspec.json.encode(envelope), time_us // 1000)
        decoded = decode(record.key, record.value, record.timestamp_ms, self._rules)
        if isinstance(decoded, Rejection):
            raise Refused(f"{rule.type} would be refused: {decoded.reason}, {decoded.detail}")
        if isinstance(decoded, Ignored):
            raise Refused(f"{rule.type} would be ignored")
        return time_us, record

    def _event_time_us(self, rule: EventRule, texts: Texts) -> int:
        name = rule.time.name
        text = texts[name]
        if text is None:
            raise Refused(f"column {name!r} is empty, but is the time of {rule.type}")
        time_us = self._time(name).instant_us(text)
        if time_us > self._occasion.now_us:
            raise Refused(f"column {name!r} lies in the future, so it is no history")
        if time_us < 0:
            raise Refused(f"column {name!r} lies before 1970, which Kafka cannot date")
        return time_us

    def _time(self, name: str) -> TimeColumn:
        column = self._times.get(name)
        if column is None:
            column = self._times[name] = self._lookup.time_column(name)
        return column

    def _data(self, rule: EventRule, texts: Texts) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for field, term in rule.data.items():
            value = self._value(field, term, texts)
            if value is not None:  # an empty cell says nothing
                data[field] = value
        lines = [
            {f: v for f, t in line.items() if (v := self._value(f, t, texts)) is not None}
            for line in rule.lines
        ]
        if any(lines):
            data["lines"] = [line for line in lines if line]
        return data

    def _value(self, field: str, term: Term, texts: Texts) -> Any:
        if isinstance(term, Constant):
            text: str | None = term.text
        else:
            text = texts[term.name]
        if text is None:
            return None
        kind = KIND_OF_FIELD.get(field, "text")
        if kind == "text":
            entity = ENTITY_OF_ID.get(field)
            return text if entity is None else qualified(self._mapping.source, entity, text)
        if isinstance(term, Column) and kind in ("date", "instant"):
            column = self._time(term.name)
            if kind == "date":
                return column.written.day(column.moment(text)).isoformat()
            return rfc3339(column.instant_us(text))
        if kind not in self._readers or (kind == "decimal" and isinstance(term, Constant)):
            return text  # constant days, instants and numbers are written as events have them
        try:
            return self._readers[kind](text)
        except Refused as error:
            where = f"column {term.name!r}" if isinstance(term, Column) else f"constant {field}"
            raise Refused(f"{where} {error}") from None
