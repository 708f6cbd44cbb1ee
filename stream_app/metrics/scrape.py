"""Reads a worker's KPI gauges back, for `verify`."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from stream_app.domain.silence import SILENT_SOURCES
from stream_app.metrics.kpi_names import TARGET_NAMES, label_value, metric_names

KpiPlace = tuple[str, str, str, str]
"""(kpi, window, dimension, member); the last three as labels carry them (`label_value`).

A gauge about a target has `target_place` where a KPI's has its name.
"""


class ScrapeError(Exception):
    """The metrics could not be read, or are not what a worker of ours exposes."""


def fetch_metrics(host: str, port: int, *, timeout_seconds: float = 10.0) -> str:
    """Return the text of `/metrics`.

    Raises:
        ScrapeError: nobody answers there, or not with metrics.
    """
    place = f"http://{host}:{port}/metrics"
    connection = HTTPConnection(host, port, timeout=timeout_seconds)
    try:
        connection.request("GET", "/metrics", headers={"Accept": "text/plain; version=0.0.4"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        raise ScrapeError(
            f"{place}: no answer ({error}); is the worker running, and is this its"
            " STREAM_APP_METRICS address?"
        ) from error
    finally:
        connection.close()
    if response.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise ScrapeError(f"{place}: answered {response.status} instead of 200 with metrics")
    return body.decode("utf-8")


def target_place(gauge: str, target: str, kpi: str) -> str:
    """What a gauge about a target is known by: `kpi_target_state of win-rate-team (win_rate)`."""
    return f"{gauge} of {label_value(target)} ({label_value(kpi)})"


def kpi_gauges(text: str, units: Mapping[str, str]) -> dict[KpiPlace, float]:
    """Return every KPI gauge of an exposition.

    Args:
        text: in Prometheus' text format.
        units: KPI → unit of the whole catalogue, which is what gives the gauges their names.

    Raises:
        ScrapeError: the text is no exposition, or has a series twice.
        MetricNameClash: the catalogue itself is ambiguous.
    """
    kpi_by_name = metric_names(units)
    values: dict[KpiPlace, float] = {}
    for family in _families(text):
        kpi = kpi_by_name.get(family.name)
        if kpi is not None:
            for sample in family.samples:
                _note(values, kpi, sample)
    return values


def target_gauges(text: str) -> dict[KpiPlace, float]:
    """Return every gauge about a KPI's target; a source that may not be silent has no KPI.

    Raises:
        ScrapeError: the text is no exposition, or has a series twice, or one without its labels.
    """
    values: dict[KpiPlace, float] = {}
    for family in _families(text):
        if family.name in TARGET_NAMES:
            for sample in family.samples:
                target, kpi = sample.labels.get("target", ""), sample.labels.get("kpi", "")
                if target.startswith(SILENT_SOURCES) and not kpi:
                    continue
                _note(values, target_place(family.name, target, kpi), sample)
    return values


def _families(text: str) -> list[Metric]:
    try:
        return list(text_string_to_metric_families(text))
    except ValueError as error:
        raise ScrapeError(f"no valid Prometheus exposition: {error}") from error


def _note(values: dict[KpiPlace, float], name: str, sample: Sample) -> None:
    labels = sample.labels
    try:
        place = (name, labels["window"], labels["dimension"], labels["member"])
    except KeyError as missing:
        raise ScrapeError(f"{sample.name} lacks the label {missing}") from missing
    if place in values:
        raise ScrapeError(f"{sample.name} has the series {place[1:]} twice")
    values[place] = sample.value
