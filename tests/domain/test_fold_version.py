"""Whoever changes what the fold says of the same events must raise its version.

Otherwise old and new numbers would be added up in one state: the worst bug there is.
"""

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import msgspec

from stream_app.domain.cells import CellSplitter, Deltas, without_zeros
from stream_app.domain.events import Event
from stream_app.domain.ledger import ThreadLedger
from stream_app.domain.rules import FOLD_VERSION, FoldRules
from tests.domain.stories import DIMENSIONS, a_config, pipeline

THREADS = Path(__file__).parent / "golden_threads.json"
GOLDEN = (3, "d219e21df64ede50")
"""The version, and what the fold said then. A new pair takes the place of the old one."""


def golden_rules() -> FoldRules:
    """Rules by which all of the threads count."""
    config = a_config(
        timezone="Europe/Berlin",
        dimensions=(*DIMENSIONS, ("region",), ("tier",)),
        credit={"region": "at_time"},
        currencies={
            "USD": ((0, Decimal("0.90")),),
            "JPY": ((0, Decimal("0.006")),),
            "KWD": ((0, Decimal("2.9")),),
        },
        pipelines={
            "default": pipeline("default", "s1", "s2"),
            "other": pipeline("other", "s3", "s2", "s1"),
        },
        activate_on="win",
    )
    return FoldRules.from_config(config)


def golden_threads() -> list[list[Event]]:
    """The threads, each with its events in order of arrival."""
    return msgspec.json.decode(THREADS.read_bytes(), type=list[list[Event]])


def said() -> str:
    """A digest of all cells of the threads."""
    rules = golden_rules()
    splitter = CellSplitter(rules)
    deltas: Deltas = {}
    for events in golden_threads():
        ledger = ThreadLedger(rules)
        for event in events:
            ledger.accept(event)
        splitter.add(deltas, ledger.changes(), 0)
    cells = sorted(
        [scope, bucket, sorted(counts.items())]
        for (scope, bucket), counts in without_zeros(deltas).items()
    )
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]


def test_what_the_fold_says_changes_only_with_its_version() -> None:
    assert (FOLD_VERSION, said()) == GOLDEN, (
        "the fold says something else of the same events: raise FOLD_VERSION in"
        " stream_app/domain/rules.py, then write the new pair here"
    )
