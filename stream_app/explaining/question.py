"""Which value is asked about: from the words of a user to one record of `kpi.values` (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from stream_app.company import Company
from stream_app.config.nearest import hint
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.kpi import Kpi
from stream_app.domain.period import UnknownPeriod, first_day
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import COMPANY, scope_key
from stream_app.domain.windows import CALENDAR_KINDS, Window, WindowRules
from stream_app.wire.published import Published, decode_published

RUNNING = "running"


class WrongQuestion(ValueError):
    """There is no such thing to ask about; the message names the nearest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, checked as far as the configuration knows.

    Attributes:
        start: as a user wrote it; None: the running window.
        member: likewise; None: the whole company.
    """

    kpi: Kpi
    window: str
    start: str | None
    dimension: str
    member: str | None


def question(
    company: Company,
    *,
    kpi: str,
    window: str,
    start: str | None,
    dimension: str,
    member: str | None,
) -> Question:
    """Check the names.

    Raises:
        WrongQuestion: one is unknown, or the KPI does not exist there.
    """
    catalogue = company.catalogue
    by_name = {each.name: each for each in catalogue.kpis}
    if kpi not in by_name:
        raise WrongQuestion(f"there is no KPI {kpi!r}{hint(kpi, by_name)}")
    windows = company.config.windows
    if window not in windows:
        raise WrongQuestion(f"there is no window {window!r}{hint(window, windows)}")
    dimensions = known_dimensions(catalogue)
    if dimension not in dimensions:
        raise WrongQuestion(f"there is no dimension {dimension!r}{hint(dimension, dimensions)}")
    if dimension != "company" and member is None:
        raise WrongQuestion(f"which {dimension}? write --member as well")
    if dimension == "company" and member not in (None, "all"):
        raise WrongQuestion("--member needs --dimension, such as --dimension rep")
    found = by_name[kpi]
    if not any(
        found.exists(dimension, window, closed=closed, configured=catalogue.configured)
        for closed in (False, True)
    ):
        raise WrongQuestion(f"{kpi} does not exist for {dimension} in the window {window}")
    if start not in (None, RUNNING) and window not in CALENDAR_KINDS:
        raise WrongQuestion(f"the window {window!r} always runs: leave --start out")
    return Question(
        kpi=found,
        window=window,
        start=None if start == RUNNING else start,
        dimension=dimension,
        member=None if dimension == "company" else member,
    )


def known_dimensions(catalogue: Catalogue) -> list[str]:
    """Every dimension that some KPI has."""
    definitions = [kpi.definition for kpi in catalogue.kpis]
    extra = {name for each in definitions for name in (*each.extra, *(each.dimensions or ()))}
    return sorted({"company", *catalogue.configured, *extra})


@dataclass(slots=True)
class Standing:
    """What `kpi.values` says that a question needs; kept small.

    Attributes:
        members: of the dimension asked about.
        size: how many records were seen, of any kind.
        records: key → record of the KPI, window and dimension asked about.
        watched: a key of which every record is kept, in `seen`, and not only the latest.
    """

    question: Question
    members: set[str] = field(default_factory=set)
    size: int = 0
    records: dict[bytes, bytes] = field(default_factory=dict)
    watched: bytes | None = None
    seen: list[Published] = field(default_factory=list)

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record of the topic."""
        if key is None:
            return
        if value is None:
            self.records.pop(key, None)
            return
        self.size += 1
        if f"|{scope_key(self.question.dimension.split('+'), ())}".encode() not in key:
            return  # of another dimension: not worth decoding
        try:
            record = decode_published(value)
        except msgspec.DecodeError:
            return
        if record.dimension != self.question.dimension:
            return
        self.members.add(record.member)
        if (record.kpi, record.window) != (self.question.kpi.name, self.question.window):
            return
        standing = self.record(key)
        if standing is None or record.revision >= standing.revision:
            self.records[key] = value
            if key == self.watched:
                self.seen.append(record)

    def record(self, key: bytes) -> Published | None:
        """What stands under a key."""
        raw = self.records.get(key)
        return None if raw is None else decode_published(raw)

    def member(self, names: dict[str, str]) -> str:
        """The member that is meant, by id or by display name.

        Raises:
            WrongQuestion: nobody is called so.
        """
        asked = self.question.member or "all"
        if asked in self.members:
            return asked
        named = [
            each for each in self.members if names.get(each, "").casefold() == asked.casefold()
        ]
        if len(named) == 1:
            return named[0]
        dimension = self.question.dimension
        if not self.members:
            raise WrongQuestion(f"no value of any {dimension} is published")
        options = sorted(names.get(each, each) for each in self.members)
        alike = [each for each in options if asked.casefold() in each.casefold()]
        raise WrongQuestion(f"there is no {dimension} {asked!r}{hint(asked, alike or options)}")


def scope_of(dimension: str, member: str) -> str:
    """The key of the scope."""
    if dimension == "company":
        return COMPANY
    names = dimension.split("+")
    members = [member] if len(names) == 1 else member.split("+")
    if len(members) != len(names):
        raise WrongQuestion(f"{member!r} is no member of {dimension}: write one for each, with +")
    return scope_key(names, members)


def window_asked(asked: Question, windows: Iterable[Window], rules: WindowRules) -> Window:
    """The window among those of a moment.

    Raises:
        WrongQuestion: it is not among them; the message says which are.
    """
    ours = [window for window in windows if window.kind == asked.window]
    running = next((window for window in ours if not window.complete), None)
    if running is None:
        raise WrongQuestion(f"there is no window {asked.window!r} while business.as_of is set")
    if asked.start is None:
        return running
    try:
        first = first_day(asked.window, asked.start, rules)
    except UnknownPeriod as error:
        raise WrongQuestion(str(error)) from None
    first_us = rules.calendar.day_start(first)
    for window in ours:
        if window.start_us == first_us:
            return window
    oldest = min(ours, key=lambda window: window.start_us)
    raise WrongQuestion(
        f"there is no {asked.window} {asked.start!r} among those that are kept: they begin on "
        f"{oldest.start[:10]} and end with the running one of {running.start[:10]}"
        " (see history in the configuration)"
    )


def windows_of(company: Company) -> WindowRules:
    """The window rules of a company."""
    return WindowRules.from_config(company.config, FoldRules.from_config(company.config).calendar)
