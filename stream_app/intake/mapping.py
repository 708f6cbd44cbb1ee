"""What a mapping file says, as data; `mapping_file` reads it, `lookup` and `events` obey it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the mapping names it: one of ours, one taken by a join, or a header of the file.

    Attributes:
        line: where the mapping names it, for messages.
        path: the key path there.
    """

    name: str
    line: int = field(default=0, compare=False)
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text in every row."""

    text: str


Term = Column | Constant
"""Where a field's text comes from."""

Lines = tuple[Mapping[str, Term], ...]
"""The lines of a deal, each with its product_line, amount and cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How the files are written.

    Attributes:
        timezone: of times without an offset; None: the business time zone.
        dates: the patterns of dates and times, tried in turn.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8-sig"
    decimal: str = "."
    thousands: str = ""
    timezone: str | None = None
    dates: tuple[str, ...] = ("iso",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Our name for a column of the file.

    Attributes:
        header: what the file calls it.
        nth: which of several columns with that header, from 1; None: there is only one.
        dates: its own patterns; None: those of the format.
        precision_us: its times are cut to multiples of this.
    """

    header: Column
    nth: int | None = None
    dates: tuple[str, ...] | None = None
    precision_us: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Columns of a second file, found by a key.

    Attributes:
        on: the column of ours that holds the key.
        key: the second file's header of it.
        take: our name → the second file's header.
    """

    file: Column
    on: Column
    key: Column
    take: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymRule:
    """A column whose values are replaced before anything leaves this machine.

    Attributes:
        prefix: begins the pseudonyms, like `r-`; equal values under equal prefixes are one person.
        directory: the directory's section that keeps the display names (`reps`, `teams`), or None.
        team: the column with a rep's team, for the directory.
    """

    column: Column
    prefix: str
    directory: str | None = None
    team: Column | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a column must hold: one of some texts, or nothing (None), or anything at all.

    Attributes:
        texts: those allowed; None among them: an empty cell. No texts: anything but empty.
    """

    column: Column
    texts: frozenset[str | None]

    def holds(self, text: str | None) -> bool:
        """Whether the column's text satisfies it."""
        return text in self.texts if self.texts else text is not None


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows left out on purpose, and why; they are counted."""

    when: tuple[Condition, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """One kind of event that a row may give.

    Attributes:
        type: the canonical type.
        time: the column of its time.
        when: all must hold for the event to be made.
        key: the kind of entity and the column of its id whose thread the event joins where that
            cell is not empty; None: always its own entity's.
        data: field → where its text comes from.
        lines: the lines of a deal; empty: none.
    """

    type: str
    time: Column
    when: tuple[Condition, ...] = ()
    key: tuple[str, Column] | None = None
    data: Mapping[str, Term]
    lines: Lines = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping:
    """A whole mapping file; deploy/mappings/README.md describes the language.

    Attributes:
        filename: as the user named it, for messages.
        digest: of its text, so that a changed mapping is another import.
        source: CloudEvents `source` of everything imported.
        files: the files looked for when a directory is imported.
        identity: the columns that together identify a row.
        opaque: columns that hold no names although they fill fields that tend to.
        replace: column → text → the text it should have been.
        expect: what every row must hold; others are refused.
    """

    filename: str
    digest: str
    source: str
    files: tuple[str, ...] = ()
    format: Format = Format()
    columns: Mapping[str, Header] = field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    replace: tuple[tuple[Column, Mapping[str, str]], ...] = ()
    expect: tuple[Condition, ...] = ()
    pseudonyms: tuple[PseudonymRule, ...] = ()
    opaque: tuple[Column, ...] = ()
    identity: tuple[Column, ...]
    skip: tuple[Skip, ...] = ()
    events: tuple[EventRule, ...]

    def columns_named(self) -> list[Column]:
        """Every column of the row that the mapping names, joined ones included, with repeats."""
        named = [*self.identity, *self.opaque]
        named += [join.on for join in self.joins]
        named += [column for column, _ in self.replace]
        named += [condition.column for condition in self.expect]
        for rule in self.pseudonyms:
            named += [rule.column, *([rule.team] if rule.team else [])]
        for skip in self.skip:
            named += [condition.column for condition in skip.when]
        for event in self.events:
            named += [event.time, *(condition.column for condition in event.when)]
            named += [event.key[1]] if event.key else []
            terms = [*event.data.values(), *(t for line in event.lines for t in line.values())]
            named += [term for term in terms if isinstance(term, Column)]
        return named
