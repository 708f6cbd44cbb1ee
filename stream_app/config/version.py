"""The state version: which configuration and which fold a stored state was counted by."""

import hashlib
import json
from typing import Final

from stream_app.config.model import Config
from stream_app.config.splits import effective_credit

VERSION_CHARACTERS: Final = 10

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
