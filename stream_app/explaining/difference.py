"""What moved a value between two moments: one explanation less another, unit by unit (pure)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from stream_app.explaining.explanation import Amount, Explanation, Part, Share
from stream_app.explaining.trace import Cause, Unit


@dataclass(frozen=True, slots=True)
class Move:
    """What a unit added before, and adds after; `cause` made it what it is, or last was.

    Attributes:
        unit: None: what rounding once per day and currency makes of all together.
    """

    unit: Unit | None
    before: Amount
    after: Amount
    cause: Cause | None

    @property
    def change(self) -> Amount:
        """What moved."""
        return self.after - self.before  # type: ignore[operator] # both are of one kind


@dataclass(frozen=True, slots=True)
class MovedPart:
    """One measure of a side at both moments; None where it is no sum, or was not read.

    Attributes:
        moves: the greatest first; a unit that adds the same at both moments is none.
    """

    side: str
    measure: str
    how: str
    is_money: bool
    before: Amount | None
    after: Amount | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two explanations of one KPI, window and scope, and every part in which they differ."""

    before: Explanation
    after: Explanation
    parts: tuple[MovedPart, ...]

    @property
    def is_still(self) -> bool:
        """Whether no unit moved: then only time did."""
        return not self.parts


_Place = tuple[str, str, str, int]  # side, measure, how, and which of those that are alike


def difference(before: Explanation, after: Explanation) -> Difference:
    """Compare what makes up a value at two moments.

    Where a part is a sum, its moves add up to its change exactly.
    """
    then, now = dict(_parts(before)), dict(_parts(after))
    parts = [
        moved
        for place in dict.fromkeys((*then, *now))
        if (moved := _moved(place, then.get(place), now.get(place))).moves
    ]
    return Difference(before, after, tuple(parts))


def _parts(explanation: Explanation) -> Iterator[tuple[_Place, Part]]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for side in explanation.sides:
        for part in side.parts:
            name = (side.name, part.measure, part.how)
            yield (*name, seen[name]), part
            seen[name] += 1


def _moved(place: _Place, then: Part | None, now: Part | None) -> MovedPart:
    was, is_now = _shares(then), _shares(now)
    moves = [
        _move(unit, was.get(unit), is_now.get(unit)) for unit in dict.fromkeys((*was, *is_now))
    ]
    roundings = [0 if part is None else part.rounding for part in (then, now)]
    moves.append(Move(None, roundings[0], roundings[1], None))
    found = sorted((m for m in moves if m.change), key=lambda m: -abs(float(m.change)))
    side, measure, how, _ = place
    return MovedPart(
        side,
        measure,
        how,
        any(part is not None and part.is_money for part in (then, now)),
        None if then is None else then.total,
        None if now is None else now.total,
        tuple(found),
    )


def _shares(part: Part | None) -> dict[Unit, Share]:
    return {} if part is None else {share.unit: share for share in part.shares}


def _move(unit: Unit, was: Share | None, now: Share | None) -> Move:
    newest = now or was
    return Move(
        unit,
        0 if was is None else was.adds,
        0 if now is None else now.adds,
        None if newest is None else newest.cause,
    )
