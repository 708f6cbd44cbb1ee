"""Short ways to make samples and to read an exposition with the real parser."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from stream_app.metrics.board import Sample, Snapshot, SnapshotBoard
from stream_app.metrics.kpi_gauges import KpiGauges, Page

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def sample(
    kpi: str = "leads",
    *,
    unit: str = "count",
    window: str = "month",
    dimension: str = "rep",
    member: str = "r-1",
    value: float = 1,
    size: int | None = 10,
) -> Sample:
    return Sample(kpi, unit, window, dimension, member, value, size)


def shown(*samples: Sample, series_max: int = 20_000) -> Snapshot:
    """A snapshot with one scope per sample, in this order."""
    board = SnapshotBoard(series_max=series_max)
    board.show()
    for place, each in enumerate(samples):
        board.replace((0, place), [each])
    return board.snapshot()


def rendered(*samples: Sample, series_max: int = 20_000) -> Page:
    """The page of one scope per sample."""
    return KpiGauges(currency="EUR").render(shown(*samples, series_max=series_max))


def parsed(text: str | bytes) -> Series:
    """Every series, by name and labels; fails on a repeated family or series."""
    if isinstance(text, bytes):
        text = text.decode()
    values: Series = {}
    names: list[str] = []
    for family in text_string_to_metric_families(text):
        names.append(family.name)
        for each in family.samples:
            place = (each.name, frozenset(each.labels.items()))
            assert place not in values
            values[place] = each.value
    assert len(names) == len(set(names))
    return values


def members(text: bytes) -> set[str]:
    """The members that have a series."""
    return {dict(labels)["member"] for _, labels in parsed(text)}


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """A series' place in `parsed`."""
    return name, frozenset(labels.items())


def lines(text: bytes, start: str) -> Iterable[str]:
    """The lines that begin so."""
    return [line for line in text.decode().split("\n") if line.startswith(start)]
