import pytest

from stream_app.metrics.board import (
    RETAINED_PER_SERIES,
    SnapshotBoard,
    TargetSample,
    TargetState,
)
from tests.metrics.exposing import sample


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def kpis_on(board: SnapshotBoard) -> list[str]:
    return [each.kpi for scope in board.snapshot().scopes for each in scope.samples]


def test_a_new_board_is_hidden() -> None:
    board = SnapshotBoard()
    board.replace((0, "a"), [sample("leads")])

    assert not board.visible
    assert kpis_on(board) == []


def test_replacing_a_scope_leaves_only_its_new_series() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace((0, "a"), [sample("leads"), sample("revenue")])
    board.replace((0, "b"), [sample("nps")])

    board.replace((0, "a"), [sample("win_rate")])

    assert sorted(kpis_on(board)) == ["nps", "win_rate"]


def test_a_scope_without_series_is_gone() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace((0, "a"), [sample()])

    board.replace((0, "a"), [])

    assert board.snapshot().scopes == ()


def test_a_revoked_partition_takes_its_series_along_and_no_others() -> None:
    board = SnapshotBoard()
    board.show()
    for partition, kpi in enumerate(["leads", "revenue", "nps"]):
        board.replace((partition, "a"), [sample(kpi)])

    board.drop_partition(1)

    assert kpis_on(board) == ["leads", "nps"]


def test_a_snapshot_taken_earlier_does_not_change() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace((0, "a"), [sample("leads")])
    before = board.snapshot()

    board.replace((0, "a"), [sample("revenue")])
    board.drop_partition(0)

    assert [each.kpi for scope in before.scopes for each in scope.samples] == ["leads"]


def test_equal_versions_mean_equal_content() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace((0, "a"), [sample("leads")])
    first, second = board.snapshot(), board.snapshot()

    board.replace((0, "a"), [sample("leads")])
    third = board.snapshot()
    board.hide()
    hidden = board.snapshot()

    assert first == second
    assert len({first.version, third.version, hidden.version}) == 3


def test_hidden_series_keep_being_replaced() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace((0, "a"), [sample("leads")])

    board.hide()
    board.replace((0, "a"), [sample("revenue")])
    hidden = kpis_on(board)
    board.show()

    assert hidden == []
    assert kpis_on(board) == ["revenue"]


def test_a_lease_that_nobody_renews_hides_everything() -> None:
    watch = Watch()
    board = SnapshotBoard(clock=watch)
    board.replace((0, "a"), [sample("leads")])
    board.show(for_seconds=10)

    watch.seconds += 9.9
    within = kpis_on(board)
    watch.seconds += 0.1
    after = kpis_on(board)
    board.show(for_seconds=10)

    assert (within, after, kpis_on(board)) == (["leads"], [], ["leads"])


def test_memory_stays_bounded_by_withholding_the_smallest_scopes() -> None:
    board = SnapshotBoard(series_max=100)
    board.show()
    board.replace((0, "company"), [sample(dimension="company", member="all", size=None)])
    board.replace((0, "team"), [sample(dimension="team", member="emea", size=1)])
    for number in range(5_000):
        board.replace((0, number), [sample(member=f"r-{number}", size=number)])

    snapshot = board.snapshot()

    retained = [each for scope in snapshot.scopes for each in scope.samples]
    assert len(retained) == 100 * RETAINED_PER_SERIES
    assert snapshot.withheld == 5_002 - len(retained)
    assert {"all", "emea"} < {each.member for each in retained}
    assert min(each.sample_size or 0 for each in retained if each.dimension == "rep") >= 4_096


def test_a_withheld_scope_is_not_counted_twice_nor_after_its_partition() -> None:
    board = SnapshotBoard(series_max=1)
    board.show()
    for _ in range(2):
        for number in range(10):
            board.replace((number % 2, number), [sample(size=number)])
    both = board.snapshot()

    board.drop_partition(0)
    board.drop_partition(1)

    assert len(both.scopes) + both.withheld == 10
    assert board.snapshot().withheld == 0


@pytest.mark.parametrize(
    ("alert_state", "value"),
    [("ok", 0), ("resolved", 0), ("pending", 1), ("firing", 2), ("achieved", 3)],
)
def test_an_alert_state_has_the_value_of_the_contract(alert_state: str, value: int) -> None:
    assert TargetState.of(alert_state) == value


def test_targets_alone_make_a_scope() -> None:
    board = SnapshotBoard()
    board.show()
    goal = TargetSample("t", "leads", "month", "rep", "r-1", 5, None, TargetState.OK)

    board.replace((0, "a"), [], [goal])

    assert [scope.targets for scope in board.snapshot().scopes] == [(goal,)]
