"""A partition that has something to say and says nothing is seen."""

from types import SimpleNamespace
from typing import Any

import pytest

from stream_app.agents.unpublished import UnpublishedTime

TOPIC = "kpi.partials"


class _Stage:
    def __init__(self) -> None:
        self.has_words = False
        self.publications = 0


class _Watched:
    """One worker's partitions, looked at by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.may_be_silent = False
        self.stages: dict[int, _Stage] = {}
        self.shown: dict[tuple[str, int], float] = {}
        work: Any = SimpleNamespace(topic=TOPIC, stages=self.stages)
        self._time = UnpublishedTime(
            [work],
            monotonic_s=lambda: self.now_s,
            may_be_silent=lambda: self.may_be_silent,
            show=self._show,
        )

    def _show(self, topic: str, partition: int, seconds: float) -> None:
        self.shown[topic, partition] = seconds

    def after(self, seconds: float) -> dict[tuple[str, int], float]:
        self.now_s += seconds
        self.shown.clear()
        self._time.measure()
        return self.shown


@pytest.fixture
def watched() -> _Watched:
    watched = _Watched()
    watched.stages.update({1: _Stage(), 3: _Stage()})
    return watched


def test_who_has_nothing_to_say_may_be_silent_for_hours(watched: _Watched) -> None:
    watched.after(0)
    assert watched.after(7_200) == {(TOPIC, 1): 0, (TOPIC, 3): 0}


def test_the_time_counts_from_when_there_was_something(watched: _Watched) -> None:
    watched.after(0)
    watched.stages[3].has_words = True
    assert watched.after(5) == {(TOPIC, 1): 0, (TOPIC, 3): 0}
    assert watched.after(5) == {(TOPIC, 1): 0, (TOPIC, 3): 5}
    assert watched.after(60) == {(TOPIC, 1): 0, (TOPIC, 3): 65}


def test_whoever_published_meanwhile_is_not_silent_though_there_is_more(watched: _Watched) -> None:
    stage = watched.stages[1]
    stage.has_words = True
    watched.after(0)
    watched.after(20)
    stage.publications += 1
    assert watched.after(1)[TOPIC, 1] == 0
    assert watched.after(2)[TOPIC, 1] == 2


def test_a_partition_that_is_claimed_anew_begins_anew(watched: _Watched) -> None:
    watched.stages[1].has_words = True
    watched.after(0)
    watched.after(30)
    watched.stages[1] = _Stage()
    watched.stages[1].has_words = True
    assert watched.after(1)[TOPIC, 1] == 0


def test_a_partition_that_went_elsewhere_is_not_shown(watched: _Watched) -> None:
    watched.after(0)
    del watched.stages[1]
    assert watched.after(1) == {(TOPIC, 3): 0}


def test_a_worker_whose_version_does_not_speak_any_more_may_be_silent(watched: _Watched) -> None:
    watched.stages[1].has_words = True
    watched.after(0)
    watched.after(30)
    watched.may_be_silent = True
    assert watched.after(1)[TOPIC, 1] == 0
    watched.may_be_silent = False
    assert watched.after(1)[TOPIC, 1] == 0
