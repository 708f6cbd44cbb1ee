"""What is a difference while log and worker move on, and what is only on its way (pure).

We read the log, then the values, so the two are never from one instant. Round by round, more of the
log and of the values is read. When the log stands still, one clean round is the proof, and what
differs in the last round is a difference. When it never stands still, what differs in *every*
round since the worker had caught up is one; a record that was right at some round is not. A value
that moves and is published again in every round can be caught at no moment: it is left undecided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stream_app.verification.compare import Comparison, Difference, record_differences
from stream_app.wire.value import Said

VALUES: Final = "kpi.values"
CONSERVATION: Final = "conservation"
EXPERIMENTS: Final = "kpi.experiments"
LETTERS: Final = "dead letters"
METRICS: Final = "metrics"
SECTIONS: Final = (VALUES, EXPERIMENTS, CONSERVATION, LETTERS, METRICS)

Differences = dict[str, list[Difference]]
"""Section → its differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of reading and comparing found.

    Attributes:
        grown: how many records the log had gained since the round before.
        caught_up: the worker has read all that the log held in the round before.
        published: key → what was published under it since the round before.
        values: the comparison of `kpi.values`.
        others: section → differences, for all other sections.
    """

    grown: int
    caught_up: bool
    published: Mapping[bytes, Sequence[bytes]]
    values: Comparison
    others: Mapping[str, Sequence[Difference]]

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs at all."""
        return not self.values.by_key and not any(self.others.values())


@dataclass(slots=True)
class Settling:
    """Round after round, what is left.

    Attributes:
        last: the latest round.
        in_motion: the log grew in the last round.
        is_young: the worker has only just caught up, so nothing could last yet.
        undecided: keys that were right in no round, and moved too fast to be called wrong.
    """

    last: Round | None = None
    in_motion: bool = False
    undecided: set[bytes] = field(default_factory=set)
    is_young: bool = False
    _lasting: set[bytes] | None = None
    _others: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def add(self, now: Round) -> None:
        """Take in the next round."""
        before = self.last
        self.in_motion = before is not None and bool(now.grown)
        self.last = now
        differing = set(now.values.by_key)
        if before is None or self._lasting is None or not now.caught_up:
            self._lasting = differing if now.caught_up else None
            self._others = {name: _places(found) for name, found in now.others.items()}
            self.undecided = set()
            self.is_young = now.caught_up
            return
        self.is_young = False
        wanted_before = before.values.wanted
        open_before = (self._lasting | self.undecided) & differing
        still_open = open_before - set(_right_meanwhile(open_before, wanted_before, now))
        moving = set(_moving(still_open, wanted_before, now))
        self.undecided = (self.undecided | moving) & still_open
        self._lasting = still_open - self.undecided
        for name, found in now.others.items():
            self._others[name] = self._others.get(name, set()) & _places(found)

    @property
    def is_settled(self) -> bool:
        """Whether another round would add nothing."""
        if self.last is None:
            return False
        return self.last.is_clean or (
            self.in_motion
            and self._lasting == set()
            and not self.undecided
            and not any(self._others.values())
        )

    def differences(self) -> Differences:
        """What differs, by section."""
        last = self.last
        if last is None:
            return {}
        found: Differences = {VALUES: [d for many in last.values.by_key.values() for d in many]}
        found |= {name: list(some) for name, some in last.others.items()}
        if self.in_motion and self._lasting is not None:
            names = {key.decode(errors="replace") for key in self._lasting}
            found[VALUES] = [d for d in found[VALUES] if d.key in names]
            for name, places in self._others.items():
                found[name] = [d for d in found[name] if (d.key, d.field) in places]
        return found


def _places(differences: Iterable[Difference]) -> set[tuple[str, str]]:
    return {(difference.key, difference.field) for difference in differences}


def _moving(
    keys: Iterable[bytes], wanted_before: Mapping[bytes, Said], now: Round
) -> Iterable[bytes]:
    """Keys of which the log says something else than before, and the worker too."""
    for key in keys:
        if now.published.get(key) and wanted_before.get(key) != now.values.wanted.get(key):
            yield key


def _right_meanwhile(
    keys: Iterable[bytes], wanted_before: Mapping[bytes, Said], now: Round
) -> Iterable[bytes]:
    """Keys under which was published since then what the log said then, or says now."""
    for key in keys:
        wanted = [w for w in (wanted_before.get(key), now.values.wanted.get(key)) if w is not None]
        for raw in now.published.get(key, ()):
            if any(not any(record_differences(key, want, raw)) for want in wanted):
                yield key
                break
