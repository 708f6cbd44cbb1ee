"""PromQL over the gauges. It only selects and compares: what a KPI is was computed by the worker.

Everything is put through `max`: while a partition moves, two workers may expose a series.
"""

from stream_app.domain.kpi import Kpi
from stream_app.metrics.kpi_names import (
    PREVIOUS_VALUE,
    TARGET_STATE,
    TARGET_VALUE,
    escaped_label,
    metric_name,
)


def quoted(text: str) -> str:
    """The text as a string of PromQL."""
    return f'"{escaped_label(text)}"'


def place(window: str, dimension: str, member: str | None = None) -> str:
    """Matchers for a window and the members of a dimension (`$variable` of a dashboard allowed)."""
    of_member = "" if member is None else f",member={quoted(member)}"
    return f"window={quoted(window)},dimension={quoted(dimension)}{of_member}"


def gauge(kpi: Kpi) -> str:
    """The name of a KPI's gauge."""
    return metric_name(kpi.name, kpi.definition.unit)


def value(kpi: Kpi, at: str) -> str:
    """One number: the KPI at a place of one member."""
    return f"max({gauge(kpi)}{{{at}}})"


def by_member(kpi: Kpi, at: str) -> str:
    """The KPI of each member."""
    return f"max by (member) ({gauge(kpi)}{{{at}}})"


def target(kpi: Kpi, at: str) -> str:
    """What the KPI should be; with several targets the highest."""
    return f"max({TARGET_VALUE}{{kpi={quoted(kpi.name)},{at}}})"


def previous(kpi: Kpi, at: str) -> str:
    """The KPI one window earlier."""
    return f"max({PREVIOUS_VALUE}{{kpi={quoted(kpi.name)},{at}}})"


def state(kpi: Kpi, at: str) -> str:
    """The states of all targets of the KPI."""
    return f"{TARGET_STATE}{{kpi={quoted(kpi.name)},{at}}}"
