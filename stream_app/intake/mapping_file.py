"""A mapping file to a `FileMapping`: all mistakes at once, with line and the nearest valid name."""

import hashlib
import re
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from stream_app.config.compose import compose, read_file
from stream_app.config.errors import ConfigError, ConfigErrors, Report
from stream_app.config.nearest import hint, nearest, shown
from stream_app.config.scalars import choice, name, whole
from stream_app.config.yaml_nodes import Value
from stream_app.intake.cells import is_pattern
from stream_app.intake.event_rules import (
    read_column,
    read_condition_map,
    read_event,
    read_skip,
)
from stream_app.intake.identity import STEPS_MAX
from stream_app.intake.mapping import (
    Column,
    EventRule,
    FileMapping,
    Format,
    Header,
    Join,
    PseudonymRule,
    Skip,
)
from stream_app.intake.open_names import refuse_open_names
from stream_app.wire.cloudevent import Rules

KEYS: Final = (
    "source",
    "files",
    "format",
    "columns",
    "joins",
    "replace",
    "expect",
    "pseudonyms",
    "opaque",
    "identity",
    "skip",
    "events",
)
_FORMAT_KEYS: Final = (
    "delimiter",
    "quote",
    "encoding",
    "decimal",
    "thousands",
    "timezone",
    "dates",
)
_PRECISIONS_US: Final = {"microsecond": 1, "millisecond": 1_000, "second": 1_000_000}
_DIRECTORY_SECTIONS: Final = ("reps", "teams")
_DELIMITERS: Final = {"tab": "\t", "\\t": "\t"}
_SOURCE: Final = name(
    re.compile(r"[A-Za-z0-9:/][A-Za-z0-9._:/~-]{0,127}"),
    "a URI reference without blanks, like //crm/sales",
)
_PREFIX: Final = name(re.compile(r"[a-z]{1,8}-"), "lower-case letters and a dash, like r-")


def load_mapping(path: Path, rules: Rules) -> tuple[FileMapping, Report]:
    """Read a mapping file.

    Args:
        path: the YAML file.
        rules: the types, fields and dimensions that the configuration knows.

    Returns:
        The mapping, and the report to add to when its columns are looked for in the files
        (`lookup`), so that all mistakes are told together.

    Raises:
        ConfigErrors: it cannot be understood.
    """
    report = Report(str(path))
    text = read_file(path, report)
    mapping = None
    if text is not None:
        root = compose(text, str(path), report)
        if root is not None:
            digest = hashlib.sha256(text.encode()).hexdigest()
            mapping = _read(root, str(path), digest, rules)
            refuse_open_names(mapping, report)
    if mapping is None:
        message = "no mapping in it; write at least source, identity and events"
        report.raise_if_any()
        raise ConfigErrors((ConfigError(str(path), None, "", message),))
    return mapping, report


def _read(root: Value, filename: str, digest: str, rules: Rules) -> FileMapping:
    section = root.section(KEYS, required=("source", "identity", "events"))
    source = section.read("source", _SOURCE)
    events = section.get("events")
    event_rules: list[EventRule] = []
    if events is not None:
        elements = events.items("a list of events")
        if len(elements) > STEPS_MAX:
            events.error(f"has {len(elements)} events; at most {STEPS_MAX} are allowed")
        if events.is_list and not elements:
            events.error("is empty; name at least one event")
        event_rules = [rule for e in elements if (rule := read_event(e, rules)) is not None]
    return FileMapping(
        filename=filename,
        digest=digest,
        source=source or "",
        files=section.read("files", _texts) or (),
        format=section.read_or("format", _format, Format()),
        columns=section.read_or("columns", _headers, {}),
        joins=section.read("joins", _joins) or (),
        replace=section.read("replace", _replacements) or (),
        expect=section.read("expect", read_condition_map) or (),
        pseudonyms=section.read("pseudonyms", _pseudonyms) or (),
        opaque=section.read("opaque", read_columns) or (),
        identity=section.read("identity", read_columns) or (),
        skip=section.read("skip", _skips) or (),
        events=tuple(event_rules),
    )


def read_columns(value: Value) -> tuple[Column, ...]:
    """One column's name or a list of them."""
    values = value.items("columns") if value.is_list else [value]
    return tuple(column for v in values if (column := read_column(v)) is not None)


def _texts(value: Value) -> tuple[str, ...]:
    values = value.items("texts") if value.is_list else [value]
    return tuple(text for v in values if (text := v.text(1_024)) is not None)


def _format(value: Value) -> Format:
    section = value.section(_FORMAT_KEYS)
    decimal = section.read_or("decimal", choice((".", ",")), ".")
    thousands = section.read("thousands", _separator)
    if thousands == decimal:
        value.error(f"thousands and decimal are both {decimal!r}; they must differ")
    return Format(
        delimiter=section.read_or("delimiter", _separator, ","),
        quote=section.read_or("quote", _separator, '"'),
        encoding=section.read_or("encoding", _encoding, "utf-8-sig"),
        decimal=decimal,
        # Who writes a decimal comma groups with points; a decimal point says nothing about groups.
        thousands=("." if decimal == "," else "") if thousands is None else thousands,
        timezone=section.read("timezone", _timezone),
        dates=section.read_or("dates", _patterns, ("iso",)) or ("iso",),
    )


def _separator(value: Value) -> str | None:
    if value.is_null:
        return None
    written = str(value.node.value)
    text = _DELIMITERS.get(written, written)
    if value.is_list or value.is_mapping or len(text) != 1:
        value.error(f"{shown(written)} is not one character; quote it, like ';' (or write tab)")
        return None
    return text


def _encoding(value: Value) -> str | None:
    text = value.text()
    if text is None:
        return None
    try:
        "".encode(text)
    except LookupError:
        value.error(f"unknown encoding{hint(text, ('utf-8-sig', 'utf-16', 'cp1252', 'latin-1'))}")
        return None
    return text


def _timezone(value: Value) -> str | None:
    text = value.text()
    if text is None or text == "business":
        return None
    if text not in available_timezones():
        match = nearest(text, available_timezones())
        meant = f"did you mean {match!r}?" if match else "write business or a name like UTC"
        value.error(f"{shown(text)} is no time zone; {meant}")
        return None
    return text


def _patterns(value: Value) -> tuple[str, ...]:
    patterns = []
    for element in value.items("patterns") if value.is_list else [value]:
        text = element.text()
        if text is not None and not is_pattern(text):
            element.error(
                f"{shown(text)} is no date pattern; write iso, epoch, epoch_ms "
                "or something like '%d.%m.%Y %H:%M'",
            )
        elif text is not None:
            patterns.append(text)
    return tuple(patterns)


def _headers(value: Value) -> dict[str, Header]:
    headers = {}
    for ours, entry in value.entries("a mapping of our names to the file's headers").items():
        if not entry.is_mapping:
            column = read_column(entry)
            if column is not None:
                headers[ours] = Header(header=column)
            continue
        section = entry.section(("header", "nth", "dates", "precision"))
        header = section.read("header", read_column) or Column(ours, entry.line, entry.path)
        nth = section.read("nth", whole(1, 99))
        precision = section.read_or("precision", choice(tuple(_PRECISIONS_US)), "microsecond")
        headers[ours] = Header(
            header=header,
            nth=nth,
            dates=section.read("dates", _patterns) or None,
            precision_us=_PRECISIONS_US[precision],
        )
    return headers


def _joins(value: Value) -> tuple[Join, ...]:
    joins = []
    for element in value.items("a list of joins") if value.is_list else [value]:
        section = element.section(("file", "on", "key", "take"), required=("file", "on", "take"))
        file, on = section.read("file", read_column), section.read("on", read_column)
        key, take = section.read("key", read_column), section.get("take")
        if file is None or on is None or take is None:
            continue
        taken: dict[str, Column] = {}
        if take.is_mapping:
            for ours, entry in take.entries("columns to take").items():
                column = read_column(entry)
                if column is not None:
                    taken[ours] = column
        else:
            taken = {column.name: column for column in read_columns(take)}
        joins.append(Join(file=file, on=on, key=key or on, take=taken))
    return tuple(joins)


def _replacements(value: Value) -> tuple[tuple[Column, dict[str, str]], ...]:
    replacements = []
    for ours, entry in value.entries("a mapping of columns to repairs").items():
        texts = entry.entries("a mapping of what is written to what is meant").items()
        # An empty meaning makes the cell empty.
        repairs = {w: "" if m.is_null else m.text(1_024) or "" for w, m in texts}
        replacements.append((Column(ours, entry.line, entry.path), repairs))
    return tuple(replacements)


def _pseudonyms(value: Value) -> tuple[PseudonymRule, ...]:
    rules = []
    for ours, entry in value.entries("a mapping of columns to pseudonyms").items():
        section = entry.section(("prefix", "directory", "team"), required=("prefix",))
        prefix = section.read("prefix", _PREFIX)
        directory = section.read("directory", choice(_DIRECTORY_SECTIONS))
        team = section.read("team", read_column)
        if team is not None and directory != "reps":
            entry.error("team is for directory: reps, whose entries have one")
        if prefix is not None:
            column = Column(ours, entry.line, entry.path)
            rules.append(
                PseudonymRule(column=column, prefix=prefix, directory=directory, team=team)
            )
    return tuple(rules)


def _skips(value: Value) -> tuple[Skip, ...]:
    elements = value.items("a list of rows to skip") if value.is_list else [value]
    return tuple(skip for e in elements if (skip := read_skip(e)) is not None)
