"""The KPI gauges on the metrics pages against what the log says (pure)."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from stream_app.domain.goal import Goal
from stream_app.domain.placement import partition_of_scope
from stream_app.domain.scopes import split_scope
from stream_app.metrics.board import TargetState
from stream_app.metrics.kpi_names import (
    TARGET_ATTAINMENT,
    TARGET_STATE,
    TARGET_VALUE,
    label_value,
)
from stream_app.metrics.scrape import KpiPlace, target_place
from stream_app.verification.compare import STATES_BETWEEN, Difference, equal
from stream_app.wire.value import Said, TargetSaid

_PARTS_BEFORE_SCOPE: Final = 3  # KPI, window, start


@dataclass(frozen=True, slots=True)
class Page:
    """What one worker exposes.

    Attributes:
        address: `host:port`.
        gauges: its KPI series.
        dropped: series that it does not expose because there are too many.
    """

    address: str
    gauges: Mapping[KpiPlace, float]
    dropped: int


class _Series(NamedTuple):
    values: tuple[float, ...]  # any of them
    partition: int
    key: bytes


class ExpectedGauges:
    """The series that must be exposed: values and targets in running windows."""

    def __init__(self, partitions: int | None) -> None:
        """Begin empty.

        Args:
            partitions: of `kpi.partials`: what belongs to one of them is exposed by one worker;
                None: unknown, so every page is taken to expose what it owns.
        """
        self._partitions = partitions
        self._by_place: dict[KpiPlace, _Series] = {}
        self._allowed: dict[KpiPlace, _Series] = {}

    def note(self, key: bytes, said: Said) -> None:
        """Take in the next record that must stand in `kpi.values`."""
        if said.complete:
            return
        where = (said.window, label_value(said.dimension), label_value(said.member))
        scope = key.decode().split("|", _PARTS_BEFORE_SCOPE)[-1]
        partition = partition_of_scope(scope, self._partitions) if self._partitions else 0
        if said.value is not None:
            self._by_place[said.kpi, *where] = _Series((float(said.value),), partition, key)
        for target in said.targets:
            for name, values in _gauges(target, said.kpi):
                self._by_place[name, *where] = _Series(values, partition, key)

    def allow(self, scope: str, goal: Goal, target: TargetSaid) -> None:
        """What may be exposed of a target beside which there is no value."""
        dimension, member = split_scope(scope)
        where = (goal.target.window, label_value(dimension), label_value(member))
        for name, values in _gauges(target, goal.kpi.name):
            self._allowed[name, *where] = _Series(values, 0, b"")

    def differences(
        self,
        pages: Sequence[Page],
        *,
        all_workers: bool,
        published: Callable[[bytes], Iterable[float]] = lambda _: (),
        moved: Container[bytes] = (),
    ) -> Iterator[Difference]:
        """Where the pages are not what they must be.

        Args:
            pages: of the workers asked.
            all_workers: they are all there are; otherwise only of partitions that some page shows
                anything of may series be missed.
            published: key in `kpi.values` → other values that may still be shown.
            moved: keys that may have been published after the pages were read: they may lack them.
        """
        shown: dict[KpiPlace, str] = {}
        for page in pages:
            for place, value in page.gauges.items():
                expected = self._by_place.get(place) or self._allowed.get(place)
                name = _name(place, page.address)
                if place in shown:
                    yield Difference(name, "owner", shown[place], page.address)
                elif expected is None:
                    yield Difference(name, "series", None, value)
                elif not any(equal(each, value) for each in expected.values) and (
                    value not in published(expected.key)
                ):
                    yield Difference(name, "value", expected.values[0], value)
                shown[place] = page.address
        dropped = sum(page.dropped for page in pages)
        missing = self._missing(shown, all_workers=all_workers)
        if len(missing) > dropped:
            addresses = ", ".join(page.address for page in pages)
            for place in missing:
                series = self._by_place[place]
                if series.key not in moved:
                    yield Difference(_name(place, addresses), "series", series.values[0], None)

    def _missing(self, shown: Mapping[KpiPlace, str], *, all_workers: bool) -> list[KpiPlace]:
        covered = {self._by_place[place].partition for place in shown if place in self._by_place}
        return [
            place
            for place, series in self._by_place.items()
            if place not in shown and (all_workers or series.partition in covered)
        ]

    def __len__(self) -> int:
        return len(self._by_place)


def _gauges(target: TargetSaid, kpi: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    states = (TargetState.of(state) for state in target.state.split(STATES_BETWEEN))
    by_gauge = {
        TARGET_VALUE: () if target.value is None else (float(target.value),),
        TARGET_ATTAINMENT: () if target.attainment is None else (target.attainment,),
        TARGET_STATE: tuple(float(state) for state in states),
    }
    for gauge, values in by_gauge.items():
        if values:
            yield target_place(gauge, target.name, kpi), values


def _name(place: KpiPlace, address: str) -> str:
    kpi, window, dimension, member = place
    return f"metrics of {address}: {kpi} {window} {dimension}={member}"
