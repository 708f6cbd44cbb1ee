"""The sections `events`, `skip` and `expect` of a mapping file."""

from typing import Final

from stream_app.config.nearest import hint
from stream_app.config.scalars import choice
from stream_app.config.yaml_nodes import Value
from stream_app.intake.fields import ENTITIES, KIND_OF_FIELD, LINE_FIELDS, entity_of
from stream_app.intake.mapping import Column, Condition, Constant, EventRule, Lines, Skip, Term
from stream_app.wire.cloudevent import Rules

_KEYS: Final = ("type", "time", "when", "key", "data")
_EMPTY: Final = "empty"
_PRESENT: Final = "present"
_HOSTS_OF_ENTITY: Final = {"deal": ("lead", "deal"), "survey": ("lead", "deal", "survey")}
"""Whose threads an entity may join (contract.md, section 2, Keys)."""


def read_event(value: Value, rules: Rules) -> EventRule | None:
    """One kind of event; None after complaining."""
    section = value.section(_KEYS, required=("type", "time"))
    event_type = section.read("type", choice(tuple(rules.shapes)))
    time = section.read("time", read_column)
    when = section.read("when", read_condition_map) or ()
    if event_type is None or time is None:
        return None
    shape, entity = rules.shapes[event_type], entity_of(event_type)
    data: dict[str, Term] = {}
    lines: Lines = ()
    entries = section.get("data")
    if entries is not None:
        data, lines = _data(entries, tuple(shape.checks))
    for required in shape.required:
        if required not in data and required != f"{entity}_id":
            value.error(f"{event_type} needs {required!r} in its data")
    key = section.get("key")
    return EventRule(
        type=event_type,
        time=time,
        when=when,
        key=None if key is None else _key(key, entity),
        data=data,
        lines=lines,
    )


def read_skip(value: Value) -> Skip | None:
    """Rows left out on purpose; None after complaining."""
    section = value.section(("when", "reason"), required=("when", "reason"))
    when = section.read("when", read_condition_map)
    reason = section.get("reason")
    text = None if reason is None else reason.text()
    if not when or text is None:
        return None
    return Skip(when, text)


def read_condition_map(value: Value) -> tuple[Condition, ...]:
    """Conditions by column: `empty`, `present`, a text, or a list of texts and `empty`."""
    conditions = []
    for name, entry in value.entries("a mapping of columns to conditions").items():
        column = Column(name, entry.line, entry.path)
        elements = entry.items("texts") if entry.is_list else [entry]
        texts = [text for e in elements if (text := e.text(1_024)) is not None]
        if texts == [_PRESENT]:
            conditions.append(Condition(column, frozenset()))
        elif texts:
            allowed = frozenset(None if text == _EMPTY else text for text in texts)
            conditions.append(Condition(column, allowed))
        elif entry.is_list and not elements:
            entry.expected(f"texts, or {_EMPTY}, or {_PRESENT}")
    return tuple(conditions)


def read_column(value: Value) -> Column | None:
    """A column's name; headers may be long questions."""
    text = value.text(1_024)
    return None if text is None else Column(text, value.line, value.path)


def _term(value: Value) -> Term | None:
    if not value.is_mapping:
        return read_column(value)
    constant = value.section(("value",), required=("value",)).get("value")
    text = None if constant is None else constant.text()
    return None if text is None else Constant(text)


def _data(value: Value, known: tuple[str, ...]) -> tuple[dict[str, Term], Lines]:
    data: dict[str, Term] = {}
    lines: Lines = ()
    for name, entry in value.entries("a mapping of fields to columns").items():
        if name not in known:
            entry.error(f"unknown field{hint(name, known)}")
        elif KIND_OF_FIELD.get(name) == "lines":
            lines = tuple(_line(line) for line in entry.items("a list of lines"))
        elif (term := _term(entry)) is not None:
            data[name] = term
    return data, lines


def _line(value: Value) -> dict[str, Term]:
    section = value.section(LINE_FIELDS)
    terms: dict[str, Term] = {}
    for name in LINE_FIELDS:
        entry = section.get(name)
        term = None if entry is None else _term(entry)
        if term is not None:
            terms[name] = term
    return terms


def _key(value: Value, entity: str) -> tuple[str, Column] | None:
    """`{lead: column}`: the thread to join."""
    hosts = _HOSTS_OF_ENTITY.get(entity, ())
    entries = value.entries("a mapping like {lead: lead_id}")
    if len(entries) > 1 or (value.is_mapping and not entries):
        value.error("names one kind of entity, like {lead: lead_id}")
        return None
    for kind, entry in entries.items():
        if kind not in hosts:
            kinds = ", ".join(hosts) or "no other entity's"
            entry.error(
                f"a {entity} may join the thread of: {kinds}; leave key out for its own"
                if kind in ENTITIES
                else f"unknown kind of entity{hint(kind, hosts or ENTITIES)}",
            )
            return None
        column = read_column(entry)
        return None if column is None else (kind, column)
    return None
