"""YAML as it is written: scalars as text, each with its line and its key path.

PyYAML only composes the tree. What it would *construct* surprises people (`no` is a boolean,
`1_000` and `12:30` are integers, `0.1` is a float), so meaning is given by whoever reads a `Value`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import yaml

from stream_app.config.errors import ConfigError, Report
from stream_app.config.nearest import hint, shown

T = TypeVar("T")
Reader = Callable[["Value"], T | None]
"""Reads a value; None when it is wrong, and then it has complained."""

TEXT_CHARACTERS_MAX: Final = 256  # like every string of an event

_LISTED_MAX: Final = 5
_NULL_TAG: Final = "tag:yaml.org,2002:null"
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Document:
    """One file.

    Attributes:
        lines: key path → line, of every value that was looked at.
    """

    filename: str
    report: Report
    lines: dict[str, int]


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the document and where it stands.

    Attributes:
        key_node: the key it stands under, if it does.
    """

    node: yaml.Node
    path: str
    document: Document
    key_node: yaml.Node | None = None

    @property
    def key(self) -> "Value":
        """Its key as a value of its own, to read and to complain about; the root has none."""
        return Value(self.key_node or self.node, self.path, self.document)

    @property
    def line(self) -> int:
        """The line it starts on, from 1."""
        return self.node.start_mark.line + 1

    @property
    def is_null(self) -> bool:
        """Nothing was written (or `null`, `~`)."""
        return bool(self.node.tag == _NULL_TAG)

    @property
    def is_list(self) -> bool:
        """It is a sequence."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """It is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def error(self, message: str) -> None:
        """Complain about this value."""
        self.document.report.add(
            ConfigError(self.document.filename, self.line, self.path, message),
        )

    def warn(self, message: str) -> None:
        """Doubt this value."""
        self.document.report.warn(
            ConfigError(self.document.filename, self.line, self.path, message),
        )

    def expected(self, what: str) -> None:
        """Complain that this value is of another kind."""
        if self.is_null:
            got = "nothing"
        elif isinstance(self.node, yaml.ScalarNode):
            got = shown(self.node.value)
        else:
            got = "a list" if self.is_list else "a mapping"
        self.error(f"expected {what}, got {got}")

    def text(
        self,
        limit: int = TEXT_CHARACTERS_MAX,
        *,
        what: str = "text",
        on_one_line: bool = False,
    ) -> str | None:
        """The scalar as written, whatever YAML would make of it; None after complaining.

        Args:
            limit: how many characters it may have.
            what: what is expected here, for the message about a list or a mapping.
            on_one_line: line breaks and runs of blanks become one blank first.
        """
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null:
            self.expected(what)
            return None
        text = str(self.node.value)
        if on_one_line:
            text = " ".join(text.split())
        if not text:
            self.error("is empty; write something or leave the key out")
        elif len(text) > limit:
            self.error(f"has {len(text)} characters; at most {limit} are allowed")
        elif any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
            self.error(f"{shown(text)} has control characters or lone surrogates; remove them")
        else:
            return text
        return None

    def items(self, what: str) -> list["Value"]:
        """The elements of a list; empty after complaining that it is none."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.expected(what)
            return []
        return [
            self._child(node, f"{self.path}[{index}]") for index, node in enumerate(self.node.value)
        ]

    def entries(self, what: str) -> dict[str, "Value"]:
        """A mapping whose keys are the user's; keys that are no text are complained about."""
        if not isinstance(self.node, yaml.MappingNode):
            self.expected(what)
            return {}
        entries: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for key_node, node in self._pairs(self.node):
            key = Value(key_node, self.path, self.document).text(what="text as a key")
            if key is None:
                continue
            path = _join(self.path, key)
            if key not in entries:
                entries[key] = self._child(node, path, key_node)
                lines[key] = key_node.start_mark.line + 1
                continue
            Value(key_node, path, self.document).error(
                f"is already set on line {lines[key]}; keep one of the two",
            )
        inherited = [pair for source in self._merged(self.node) for pair in source]
        for key_node, node in inherited:
            if isinstance(key_node, yaml.ScalarNode) and key_node.value not in entries:
                path = _join(self.path, key_node.value)
                entries[key_node.value] = self._child(node, path, key_node)
        return entries

    def section(self, known: Sequence[str], *, required: Sequence[str] = ()) -> "Section":
        """A mapping whose keys are ours: complains about others and about missing ones."""
        entries = self.entries(f"a mapping with {_some(known)}")
        for key, value in entries.items():
            if key not in known:
                value.key.error(f"unknown key{hint(key, known)}")
        present = {k: v for k, v in entries.items() if k in known and not v.is_null}
        if self.is_mapping:
            for key in required:
                if key not in present:
                    self.error(f"needs {key!r}")
        return Section(present)

    def _child(self, node: yaml.Node, path: str, key_node: yaml.Node | None = None) -> "Value":
        self.document.lines.setdefault(path, (key_node or node).start_mark.line + 1)
        return Value(node, path, self.document, key_node)

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        return ((key, value) for key, value in node.value if key.tag != _MERGE_TAG)

    def _merged(self, node: yaml.MappingNode) -> Iterator[Iterator[tuple[yaml.Node, yaml.Node]]]:
        """What `<<` brings in, nearest first; its depth is bounded as the tree's is."""
        for key, value in node.value:
            if key.tag != _MERGE_TAG:
                continue
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                if isinstance(source, yaml.MappingNode):
                    yield self._pairs(source)
                    yield from self._merged(source)
                else:
                    Value(value, self.path, self.document).error("<< merges mappings only")


class Section:
    """A mapping with known keys, read key by key; an absent key and a null one are the same."""

    def __init__(self, values: dict[str, Value]) -> None:
        self._values = values

    def get(self, key: str) -> Value | None:
        """The value of a key, or None."""
        return self._values.get(key)

    def read(self, key: str, reader: Reader[T]) -> T | None:
        """What the reader makes of the key's value; None if absent or wrong."""
        value = self._values.get(key)
        return None if value is None else reader(value)

    def read_or(self, key: str, reader: Reader[T], default: T) -> T:
        """What the reader makes of the key's value, or the default if absent or wrong."""
        found = self.read(key, reader)
        return default if found is None else found


def _some(names: Sequence[str]) -> str:
    listed = names[:_LISTED_MAX]
    return ", ".join(listed) + (" …" if len(names) > len(listed) else "")


def _join(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{shown(key)}]"
    return f"{path}.{key}" if path else key


def plain(value: Value) -> object:
    """The value as dictionaries, lists, texts and None; what is wrong with it is left out."""
    if value.is_mapping:
        return {key: plain(child) for key, child in value.entries("").items()}
    if value.is_list:
        return [plain(child) for child in value.items("")]
    return None if value.is_null else str(value.node.value)


def list_of(reader: Reader[T], example: str) -> Reader[tuple[T, ...]]:
    """A reader of lists whose elements `reader` reads; wrong ones are left out.

    Args:
        reader: reads one element.
        example: a list as one would write it, for the message.
    """

    def read(value: Value) -> tuple[T, ...] | None:
        found = (reader(item) for item in value.items(f"a list, like {example}"))
        return tuple(item for item in found if item is not None) if value.is_list else None

    return read


def mapping_of(reader: Reader[T], example: str) -> Reader[dict[str, T]]:
    """A reader of mappings with the user's keys whose values `reader` reads."""

    def read(value: Value) -> dict[str, T] | None:
        entries = value.entries(f"a mapping, like {example}")
        found = ((key, reader(entry)) for key, entry in entries.items())
        return {key: item for key, item in found if item is not None}

    return read
