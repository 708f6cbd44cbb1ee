"""What moved an alert's value, for people and for programs (pure)."""

import shlex
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_app.board.formats import ABSENT, shown
from stream_app.domain.calendar import rfc3339_utc
from stream_app.explaining.adding_up import exponent_of
from stream_app.explaining.difference import Move, MovedPart
from stream_app.explaining.episode import Told
from stream_app.explaining.explanation import Amount, Explanation
from stream_app.explaining.links import Templates
from stream_app.explaining.listing import TYPE_NAMES, entity_id, link_of, thread_name
from stream_app.explaining.moved import Moved

_NOTHING = "No event moved it: only time did (its window, its pace, or a rate of exchange)."


def moved_document(moved: Moved, templates: Templates, currency: str) -> dict[str, Any]:
    """Everything, for programs."""
    told, found = moved.episode.told, moved.difference
    return {
        "alert": told.id,
        "target": told.target,
        "kpi": told.kpi,
        "unit": found.after.kpi.definition.unit,
        "currency": currency,
        "window": told.window,
        "start": told.start,
        "dimension": told.dimension,
        "member": told.member,
        "state": told.state,
        "reason": told.reason,
        "threshold": told.threshold,
        "since": rfc3339_utc(moved.episode.since_us),
        "over": moved.episode.until_us is not None,
        "from": _moment(moved.from_us, found.before),
        "to": _moment(moved.to_us, found.after),
        "moved": [
            {
                "side": part.side,
                "measure": part.measure,
                "how": part.how,
                "before": part.before,
                "after": part.after,
                "moves": [_move_document(move, templates) for move in part.moves],
            }
            for part in found.parts
        ],
    }


def _moment(at_us: int, explanation: Explanation) -> dict[str, Any]:
    said = explanation.said
    return {
        "time": rfc3339_utc(at_us),
        "value": said.value,
        "numerator": said.numerator,
        "denominator": said.denominator,
    }


def _move_document(move: Move, templates: Templates) -> dict[str, Any]:
    amounts = {"before": move.before, "after": move.after, "change": move.change}
    if move.unit is None or move.cause is None:
        return {"kind": "rounding", **amounts}
    cause = move.cause
    return {
        "kind": move.unit.kind,
        "id": entity_id(move.unit, cause),
        "thread": thread_name(move.unit),
        **amounts,
        "event_type": TYPE_NAMES[cause.type],  # type: ignore[index] # an EventType or its number
        "event_time": rfc3339_utc(cause.time_us),
        "event_source": cause.source,
        "event_id": cause.id,
        "partition": cause.partition,
        "offset": cause.offset,
        "link": link_of(move.unit, cause, templates),
    }


def moved_drawn(moved: Moved, *, currency: str, name: str, limit: int) -> RenderableType:
    """All of it, for the terminal.

    Args:
        moved: what was found.
        currency: of the business.
        name: of the member, as people know it.
        limit: rows of each table at most.
    """
    return Group(*_drawn(moved, currency, name, limit))


def _drawn(moved: Moved, currency: str, name: str, limit: int) -> Iterator[RenderableType]:
    told, found = moved.episode.told, moved.difference
    definition = found.after.kpi.definition
    who = "the company" if told.dimension == "company" else f"{told.dimension} {name}"
    yield Text.assemble((f"{told.target}: {definition.title}", "bold"), f" of {who}")
    state = f"{told.state} ({told.reason}), wrong since {rfc3339_utc(moved.episode.since_us)}"
    yield Text(state, style="cyan")
    yield Text("")
    grid = Table(box=None, header_style="bright_black")
    for column in ("", "value", "numerator", "denominator"):
        grid.add_column(column, justify="right" if column else "left")
    for at_us, side in ((moved.from_us, found.before), (moved.to_us, found.after)):
        said = side.said
        value = None if said.value is None else float(said.value)
        grid.add_row(
            rfc3339_utc(at_us),
            shown(value, definition.unit, currency),
            _plain(said.numerator),
            _plain(said.denominator),
        )
    if told.threshold is not None:
        grid.add_row("threshold", shown(told.threshold, definition.unit, currency), "", "")
    yield grid
    for part in found.parts:
        yield from _part(part, currency, limit)
    if found.is_still:
        yield Text(f"\n{_NOTHING}")
    yield Text(f"\nAll that makes it up: {_listing(told)}", style="bright_black")


def _part(part: MovedPart, currency: str, limit: int) -> Iterator[RenderableType]:
    def amount(number: Amount | None) -> str:
        if number is not None and part.is_money:
            return f"{number:,.{exponent_of(currency)}f} {currency}"
        return _plain(number)

    total = ""
    if part.before is not None or part.after is not None:
        total = f": {amount(part.before)} → {amount(part.after)}"
    yield Text(f"\n{part.side}: {part.measure} {part.how} the window{total}", style="bold cyan")
    table = Table(box=None, header_style="bright_black")
    for column in ("change", "what", "id", "thread", "from", "to", "by", "record"):
        table.add_column(column, justify="right" if column == "change" else "left")
    for move in part.moves[:limit]:
        sign = "+" if move.change > 0 else ""
        row = [sign + amount(move.change), "rounding", "", "", *map(amount, _ends(move)), "", ""]
        if move.unit is not None and move.cause is not None:
            cause = move.cause
            own_id, thread = entity_id(move.unit, cause), thread_name(move.unit)
            row[1:4] = [move.unit.kind.replace("_", " "), own_id, "same"]
            if thread != own_id:
                row[3] = thread
            kind = TYPE_NAMES[cause.type]  # type: ignore[index] # an EventType or its number
            row[6] = kind.removeprefix("crm.").removesuffix(".v1")
            row[7] = f"{cause.partition}/{cause.offset}"
        table.add_row(*map(Text, row))
    yield table
    if len(part.moves) > limit:
        yield Text(f"  … and {len(part.moves) - limit:,} more (--limit)")


def _ends(move: Move) -> tuple[Amount, Amount]:
    return move.before, move.after


def _plain(number: Amount | None) -> str:
    return ABSENT if number is None else f"{number:,}"


def _listing(told: Told) -> str:
    words = ["stream-app", "explain", told.kpi or "", "--window", told.window or ""]
    if told.dimension != "company":
        words += ["--dimension", told.dimension, "--member", told.member]
    return shlex.join(words)
