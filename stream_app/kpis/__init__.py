"""The built-in KPIs, in the order of the wall: entries of data, one module per subject.

A new KPI is one more entry in the module of its subject; what it counts must be a measure
(`stream_app.domain.measures`). A company's own KPIs come from the configuration and are the same
kind of thing.
"""

from collections.abc import Mapping

from stream_app.config.model import Config
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.kpi import Definition
from stream_app.kpis import customers, deals, leads, loyalty, pipeline, revenue, stages

GROUPS: Mapping[str, tuple[Definition, ...]] = {
    "Revenue": revenue.DEFINITIONS,
    "Leads": leads.DEFINITIONS,
    "Deals": deals.DEFINITIONS,
    "Pipeline": pipeline.DEFINITIONS,
    "Stages": stages.DEFINITIONS,
    "Customers": customers.DEFINITIONS,
    "Loyalty": loyalty.DEFINITIONS,
}
"""Subject -> its KPIs."""

DEFINITIONS: tuple[Definition, ...] = tuple(d for group in GROUPS.values() for d in group)

BUILT_IN_NAMES: frozenset[str] = frozenset(definition.name for definition in DEFINITIONS)


def catalogue(config: Config) -> Catalogue:
    """The catalogue of a configuration: the built-in KPIs and its own."""
    return Catalogue.of(DEFINITIONS, config)
