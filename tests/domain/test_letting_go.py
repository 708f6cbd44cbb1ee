"""What a cache lets go is gone at once: the garbage collector hardly ever looks (`runtime.py`)."""

import gc

from stream_app.domain.ledger import ThreadLedger
from tests.domain.test_fold_version import golden_rules, golden_threads


def held() -> int:
    """How many objects of the fold are alive."""
    ours = "stream_app.domain"
    return sum(str(type(each).__module__).startswith(ours) for each in gc.get_objects())


def test_a_thread_that_is_let_go_leaves_nothing_behind() -> None:
    rules, threads = golden_rules(), golden_threads()
    gc.collect()
    gc.disable()
    try:
        before = held()
        for events in threads:
            ledger = ThreadLedger(rules)
            for event in events:
                ledger.accept(event)
                list(ledger.changes())  # one by one: what comes late folds the thread anew
            ledger = ThreadLedger(rules, ledger.arrived)
        del ledger, events, event
        assert held() <= before
    finally:
        gc.enable()
