"""Which configuration and which fold a state was counted by, and which one values are said by."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Final

from stream_app.config.model import Config
from stream_app.config.splits import effective_credit

VERSION_CHARACTERS: Final = 10

_NEVER_PUBLISHED: Final = frozenset(
    {"directory", "team_names", "notify", "sources", "links", "warnings", "raw"}
)
"""Sections that say what people see elsewhere; teams are counted, so they are in the version."""

_TRIALS_COUNTED: Final = 1
"""Raise it whenever what an experiment counts changes: others need not rebuild for it."""


def state_version(config: Config, fold_version: int) -> str:
    """A name for everything that changes what is *counted* (contract.md, section 7).

    States, partials and consumer groups of different versions never meet. What is applied after
    summing (KPIs, windows, history, targets, rates, probabilities, names, the calendar's beginnings
    of week and fiscal year, "now") is not part of it.

    Args:
        config: the configuration.
        fold_version: the version of the fold's own code.

    Returns:
        10 hexadecimal digits.
    """
    business = config.business
    counted = {
        "fold": fold_version,
        "timezone": business.timezone.key,
        # In their order: the fold's state holds members by place, not by name.
        "splits": config.dimensions,
        "credit": effective_credit(config.dimensions, config.credit),
        "stages": {
            name: [stage.name for stage in pipeline.stages]
            for name, pipeline in config.pipelines.items()
        },
        "measures": sorted(config.measures),
        "teams": {rep.id: rep.team for rep in config.directory.values() if rep.team},
        "activate_on": config.activate_on,
        "currency": business.currency,
        "currencies": sorted({business.currency, *config.currencies}),
        "max_future_us": business.max_future_us,
        "retention_us": business.retention_us,
        "experiments": sorted(
            [_TRIALS_COUNTED, e.name, e.dimension, sorted((e.control, *e.variants)), e.horizon_days]
            for e in config.experiments
        ),
    }
    text = json.dumps(counted, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_CHARACTERS]


def configuration_digest(config: Config, quotas: Iterable[object]) -> str:
    """A name for everything that decides what a worker publishes of what is counted.

    Workers that share a state but differ in it contradict each other, member by member.

    Args:
        config: the configuration.
        quotas: what the files of its targets hold, wherever they lie.

    Returns:
        10 hexadecimal digits.
    """
    said = [
        [field.name, _plain(getattr(config, field.name))]
        for field in fields(config)
        if field.name not in _NEVER_PUBLISHED
    ]
    text = json.dumps([said, _plain(list(quotas))], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_CHARACTERS]


def _plain(value: object) -> object:
    """The same for equal values in every process: mappings and sets in the order of their texts."""
    if is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted(([_plain(key), _plain(each)] for key, each in value.items()), key=repr)
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=repr)
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    return value.name if isinstance(value, PurePath) else str(value)
