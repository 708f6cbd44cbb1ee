"""The simulation is as good as the bugs that it finds: each planted one must be caught.

The whole table: python -m tests.simulation --planted --seeds 400
"""

from typing import Any

import pytest

pytest.importorskip("lupa", reason="simulations need it: pip install -e '.[dev]'")

from stream_app.state.client import COMMIT
from tests.simulation import bugs_in_state, bugs_in_words
from tests.simulation.ground import Bug, planted
from tests.simulation.running import first_catch

AT_MOST = 60
FIRST: dict[Bug, int] = {
    bugs_in_state.no_owner_check: 530,
    bugs_in_words.a_change_in_doubt_is_told_again: 340,
    bugs_in_words.an_older_version_never_falls_silent: 214,
    bugs_in_state.a_replay_in_other_batches_keeps_old_versions: 40,
    bugs_in_words.a_failed_send_of_values_is_forgotten: 40,
    bugs_in_state.memory_is_kept_after_a_failed_commit: 10,
}
"""Where to begin looking for what is rare, so that the suite stays fast."""


@pytest.mark.parametrize(
    "bug", [*bugs_in_state.BUGS, *bugs_in_words.BUGS], ids=lambda bug: bug.__name__
)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    first = FIRST.get(bug, 0)
    seed, _ = first_catch(bug, range(first, first + AT_MOST))
    assert seed is not None, f"no seed from {first} to {first + AT_MOST - 1} caught it"


def test_what_was_planted_is_gone_afterwards() -> None:
    before: Any = COMMIT._text
    with planted(bugs_in_state.no_owner_check):
        assert COMMIT._text != before
    assert COMMIT._text == before
