"""Which period and whose: from the words of a user to a `Choice` (pure)."""

from stream_app.company import Company
from stream_app.config.nearest import hint
from stream_app.display_names import display_names
from stream_app.domain.period import UnknownPeriod, first_day
from stream_app.domain.windows import CALENDAR_KINDS, WindowRules
from stream_app.reports.archive import Archive
from stream_app.reports.choice import Choice

RUNNING = "running"


class WrongChoice(ValueError):
    """There is no such window, period, dimension or member; the message names what there is."""


class NothingThere(LookupError):
    """The period is a right one, and nothing was published about it."""


def check_window(company: Company, window: str, period: str | None) -> None:
    """See that the window exists.

    Raises:
        WrongChoice: it does not, or has no closed periods.
    """
    windows = company.config.windows
    if window not in windows:
        raise WrongChoice(f"there is no window {window!r}{hint(window, windows)}")
    if window not in CALENDAR_KINDS and period not in (None, RUNNING):
        raise WrongChoice(f"the window {window!r} always runs: leave --period out")


def check_dimension(company: Company, dimension: str | None, member: str | None) -> None:
    """See that the dimension exists.

    Raises:
        WrongChoice: it does not.
    """
    if dimension is None:
        if member not in (None, "all"):
            raise WrongChoice("--member needs --dimension, such as --dimension rep")
        return
    definitions = [kpi.definition for kpi in company.catalogue.kpis]
    more = {name for each in definitions for name in (*each.extra, *(each.dimensions or ()))}
    known = sorted({"company", *company.catalogue.configured, *more})
    if dimension not in known:
        raise WrongChoice(f"there is no dimension {dimension!r}{hint(dimension, known)}")


def start_of(archive: Archive, rules: WindowRules, period: str | None) -> str:
    """The start of the period asked for; by default the last complete one.

    Raises:
        WrongChoice: the text names no period.
        NothingThere: there are no values of it.
    """
    kind = archive.kind
    if not archive.size:
        raise NothingThere("kpi.values is empty: is a worker running, and has it read the log?")
    starts = archive.starts()
    if not starts:
        raise NothingThere(f"no value of any {kind} is published")
    running, closed = archive.starts(complete=False), archive.starts(complete=True)
    if period == RUNNING or kind not in CALENDAR_KINDS:
        if not running:
            raise NothingThere(f"no value of the running {kind} is published")
        return running[-1]
    if period is None:
        return (closed or running)[-1]
    try:
        first = first_day(kind, period, rules)
    except UnknownPeriod as error:
        raise WrongChoice(str(error)) from None
    start = rules.closed_window(kind, first).start
    if start not in starts:
        raise NothingThere(
            f"no value of the {kind} {period} is published; the first begins on {starts[0][:10]}, "
            f"the last on {starts[-1][:10]}"
        )
    return start


def member_of(company: Company, archive: Archive, start: str, dimension: str, member: str) -> str:
    """A member by id or display name.

    Raises:
        WrongChoice: nobody is called so in that period.
    """
    there = archive.members(dimension, start)
    if member in there:
        return member
    name = display_names(company.config)
    named = [each for each in there if name(dimension, each).casefold() == member.casefold()]
    if len(named) == 1:
        return named[0]
    options = sorted(name(dimension, each) for each in there)
    alike = [each for each in options if member.casefold() in each.casefold()]
    raise WrongChoice(
        f"there is no {dimension} {member!r} in that period{hint(member, alike or options)}"
    )


def choice_of(
    company: Company,
    archive: Archive,
    rules: WindowRules,
    *,
    period: str | None,
    dimension: str | None,
    member: str | None,
    top: int,
) -> Choice:
    """Everything together.

    Raises:
        WrongChoice, NothingThere: see above.
    """
    start = start_of(archive, rules, period)
    whole = dimension in (None, "company")
    return Choice(
        window=archive.kind,
        start=start,
        dimension="company" if dimension is None else dimension,
        member=(
            None
            if whole or member is None or dimension is None
            else member_of(company, archive, start, dimension, member)
        ),
        top=top,
    )
