"""The built-in KPIs, in the order of the wall: entries of data, one module per subject.

A new KPI is one more entry in the module of its subject; what it counts must be a measure
(`stream_app.domain.measures`). A company's own KPIs come from the configuration and are the same
kind of thing.
"""

from stream_app.config.model import Config
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.kpi import Definition
from stream_app.kpis import customers, deals, leads, loyalty, pipeline, revenue, stages

DEFINITIONS: tuple[Definition, ...] = (
    *revenue.DEFINITIONS,
    *leads.DEFINITIONS,
    *deals.DEFINITIONS,
    *pipeline.DEFINITIONS,
    *stages.DEFINITIONS,
    *customers.DEFINITIONS,
    *loyalty.DEFINITIONS,
)

BUILT_IN_NAMES: frozenset[str] = frozenset(definition.name for definition in DEFINITIONS)


def catalogue(config: Config) -> Catalogue:
    """The catalogue of a configuration: the built-in KPIs and its own."""
    return Catalogue.of(DEFINITIONS, config)
