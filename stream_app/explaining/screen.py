"""An explanation in the terminal, drawn with rich (pure)."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_app.board.formats import ABSENT, shown
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.scopes import split_scope
from stream_app.explaining.adding_up import exponent_of
from stream_app.explaining.explanation import (
    Amount,
    Explanation,
    Part,
    Restated,
    Share,
    Shift,
    Side,
)
from stream_app.explaining.links import Templates
from stream_app.explaining.listing import TYPE_NAMES, entity_id, link_of, thread_name

_MICROSECONDS: Final = 1_000_000


class Screen:
    """Draws explanations of one company."""

    def __init__(
        self,
        *,
        currency: str,
        calendar: BusinessCalendar,
        templates: Templates,
        limit: int,
        name: str,
    ) -> None:
        """Say how.

        Args:
            currency: of the business.
            calendar: times are shown in its zone.
            templates: of links into the CRM.
            limit: rows of each table at most, the largest first.
            name: of the member, as people know it.
        """
        self._currency = currency
        self._calendar = calendar
        self._templates = templates
        self._limit = limit
        self._name = name

    def drawn(self, explanation: Explanation) -> RenderableType:
        """All of it."""
        parts: list[RenderableType] = [*self._head(explanation)]
        listed: set[str] = set()
        for side in explanation.sides:
            parts.extend(self._side(side, listed))
        parts.extend(self._restatements(explanation))
        parts.append(Text(""))
        parts.append(_verdict(explanation))
        return Group(*parts)

    def _head(self, explanation: Explanation) -> Iterator[RenderableType]:
        said, window = explanation.said, explanation.window
        definition = explanation.kpi.definition
        dimension, member = split_scope(explanation.scope)
        who = "the company" if dimension == "company" else f"{dimension} {self._name or member}"
        last = date.fromordinal(self._calendar.day_of(window.end_us - 1)).isoformat()
        until = "" if window.complete else ", still running"
        yield Text.assemble((definition.title, "bold"), f" of {who}")
        yield Text(f"{window.kind} {window.start[:10]} to {last}{until}", style="cyan")
        only = "" if definition.requires is None else f", only where {definition.requires}"
        yield Text(f"{definition.definition}  ({definition.formula}{only})", style="bright_black")
        value = shown(_float(said.value), definition.unit, self._currency)
        exact = "" if said.value is None else f"  (exactly {said.value})"
        yield Text.assemble("\n", (value, "bold"), exact)
        if said.value is None:
            lacks = "" if definition.requires is None else f", or not {definition.requires}"
            yield Text(f"undefined: a divisor is 0, or there is nothing to compare with{lacks}")
        if said.denominator is not None or said.numerator is not None:
            yield Text(f"= {_plain(said.numerator)} / {_plain(said.denominator)}")

    def _side(self, side: Side, listed: set[str]) -> Iterator[RenderableType]:
        heading = {"condition": "Only defined if these allow it"}.get(
            side.name, side.name.capitalize()
        )
        amount = "" if side.amount is None else f" {_plain(side.amount)}"
        whole = side.name == "value"
        if not whole:
            yield Text(f"\n{heading}{amount}", style="bold")
        for part in side.parts:
            title = self._part_title(part)
            yield Text(f"\n{title}", style="bold cyan" if whole else "cyan")
            if not part.shares:
                yield Text("  nothing counts here")
            elif title in listed:
                yield Text("  the same as above")
            else:
                yield self._table(part)
            listed.add(title)

    def _part_title(self, part: Part) -> str:
        total = "" if part.total is None else f": {self._amount(part, part.total)}"
        span = part.first if part.first == part.last else f"{part.first} to {part.last}"
        return f"{part.measure} {part.how} {span}{total}  ({len(part.shares):,})"

    def _table(self, part: Part) -> Table:
        table = Table(box=None, header_style="bright_black", pad_edge=True)
        linked = any(self._link(share) for share in part.shares)
        for column in ("when", "what", "id", "thread", "adds", "of", "by", "record"):
            table.add_column(
                column,
                justify="right" if column == "adds" else "left",
                no_wrap=column in {"when", "what", "adds"},
                overflow="fold",
            )
        if linked:
            table.add_column("link", overflow="fold")
        largest = sorted(part.shares, key=lambda share: (-abs(float(share.adds)), share.at_us))
        for share in largest[: self._limit]:
            thread = thread_name(share.unit)
            own_id = entity_id(share.unit, share.cause)
            row = [
                self._when(share.at_us),
                share.unit.kind.replace("_", " "),
                own_id,
                "same" if thread == own_id else thread,
                self._amount(part, share.adds),
                _own(share),
                _type(share.cause.type),
                f"{share.cause.partition}/{share.cause.offset}",
            ]
            table.add_row(*map(Text, row), *([Text(self._link(share) or "")] if linked else []))
        more = largest[self._limit :]
        if more:
            rest = sum((share.adds for share in more), start=0)
            table.add_row("", "", f"… {len(more):,} more (--limit)", "", self._amount(part, rest))
        if part.rounding:
            why = "rounding: once per day and currency"
            table.add_row("", "", why, "", self._amount(part, part.rounding))
        return table

    def _restatements(self, explanation: Explanation) -> Iterator[RenderableType]:
        if not explanation.restated:
            yield Text("\nNothing restated it.", style="bright_black")
            return
        events = "1 event" if explanation.restated == 1 else f"{explanation.restated:,} events"
        yield Text(f"\nRestated by {events}", style="bold")
        table = Table(box=None, header_style="bright_black", pad_edge=True)
        for column in ("event time", "why", "type", "event", "record", "what", "from", "to"):
            table.add_column(column, overflow="fold", no_wrap=column in {"event time", "why"})
        newest = list(explanation.restatements)[-self._limit :]
        for restatement in newest:
            for moved in restatement.shifts[: self._limit]:
                table.add_row(*map(Text, self._restated(restatement, moved)))
        yield table
        if explanation.restated > len(newest):
            yield Text(f"  … and {explanation.restated - len(newest):,} before (--limit)")

    def _restated(self, restatement: Restated, moved: Shift) -> Sequence[str]:
        cause = restatement.cause
        return (
            self._when(cause.time_us),
            "came late" if restatement.late else "changed",
            _type(cause.type),
            f"{cause.source} {cause.id}",
            f"{cause.partition}/{cause.offset}",
            f"{moved.unit.kind} {entity_id(moved.unit, cause)}: {moved.measure}",
            f"{_plain(moved.before)} {moved.currency}".rstrip(),
            f"{_plain(moved.after)} {moved.currency}".rstrip(),
        )

    def _link(self, share: Share) -> str | None:
        return link_of(share.unit, share.cause, self._templates)

    def _when(self, instant_us: int) -> str:
        whole = instant_us - instant_us % _MICROSECONDS
        return self._calendar.local(whole).strftime("%Y-%m-%d %H:%M")

    def _amount(self, part: Part, amount: Amount) -> str:
        if part.is_money:
            return f"{amount:,.{exponent_of(self._currency)}f} {self._currency}"
        if part.measure.endswith("_seconds"):
            return shown(float(amount), "seconds", self._currency)
        return f"{amount:,}"


def _verdict(explanation: Explanation) -> Text:
    if explanation.differences:
        lines = "\n".join(f"DIFFERENT: {each}" for each in explanation.differences)
        return Text(lines, style="bold red")
    if not explanation.found:
        return Text("Nothing is published and nothing in the log counts: there is nothing here.")
    return Text("The sums above equal the published value exactly.", style="green")


def _own(share: Share) -> str:
    """What it was before rate and probability, where that differs."""
    rates = dict(share.rates)
    texts = [
        f"{_plain(amount)} {code}" + (f" at {rates[code]}" if code in rates else "")
        for code, amount in share.own
        if code and (code in rates or share.chance is not None)
    ]
    if share.chance is not None:
        texts.append(f"x {share.chance}")
    return " ".join(texts)


def _type(number: int) -> str:
    name = TYPE_NAMES[number]  # type: ignore[index] # an EventType or its number
    return name.removeprefix("crm.").removesuffix(".v1")


def _plain(number: Amount | None) -> str:
    return ABSENT if number is None else f"{number:,}"


def _float(number: Amount | None) -> float | None:
    return None if number is None else float(number)
