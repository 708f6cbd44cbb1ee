"""The life of an alert: what is told when, by examples."""

from tests.domain.life import DAILY, MINUTE_US, PACED, RATE, TOTAL, Life
from tests.domain.standings import us


def test_a_miss_is_pending_then_fires_then_resolves_past_resolve_at() -> None:
    life = Life(RATE)
    begin = us("2026-11-16T12:00")
    for minute, value in enumerate([0.3, 0.2, 0.2, *[0.2] * 9, 0.26, 0.27, 0.26]):
        life.see(begin + minute * MINUTE_US, value)

    assert life.told() == [
        ("pending", "below_target", "11-01"),
        ("firing", "below_target", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]
    assert [(c.since_us - begin) // MINUTE_US for c in life.made] == [1, 11, 13]
    assert [c.previous for c in life.made] == ["ok", "pending", "firing"]


def test_a_short_miss_never_fires() -> None:
    life = Life(RATE)
    begin = us("2026-11-16T12:00")
    for minute in range(60):
        life.see(begin + minute * MINUTE_US, 0.2 if minute % 10 else 0.3)

    assert {change.state for change in life.made} == {"pending", "ok"}


def test_what_cannot_be_judged_any_more_is_not_wrong() -> None:
    life = Life("kpi: win_rate, window: month, at_least: 0.25")
    life.see(us("2026-11-16T12:00"), 0.2)
    life.see(us("2026-11-16T12:01"), None)

    assert life.told() == [
        ("firing", "below_target", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]


def test_a_total_achieves_once_in_each_window() -> None:
    life = Life(TOTAL)
    for now, value in [
        ("2026-11-16T12:00", 2_999),
        ("2026-11-16T12:01", 3_000),
        ("2026-11-17T12:00", 2_000),
        ("2026-11-18T12:00", 4_000),
    ]:
        life.see(us(now), value)
    life.see(us("2026-12-01T00:01"), 0, before=4_000)
    life.see(us("2026-12-02T00:01"), 3_000, before=4_000)

    assert life.told() == [
        ("achieved", "goal_reached", "11-01"),
        ("ok", "recovered", "12-01"),
        ("achieved", "goal_reached", "12-01"),
    ]


def test_a_missed_total_is_told_on_the_day_after_its_window() -> None:
    life = Life(TOTAL)
    life.see(us("2026-11-30T23:59"), 2_000)
    life.see(us("2026-12-01T00:00"), 0, before=2_000)
    life.see(us("2026-12-01T18:00"), 10, before=2_000)
    life.see(us("2026-12-02T00:00"), 10, before=2_000)

    assert life.told() == [
        ("firing", "below_target", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]
    assert life.made[0].standing is not None
    assert life.made[0].standing.value == 2_000


def test_a_late_event_mends_a_closed_window() -> None:
    life = Life(TOTAL)
    life.see(us("2026-11-30T23:59"), 2_000)
    life.see(us("2026-12-01T00:00"), 0, before=2_000)
    life.see(us("2026-12-01T00:10"), 0, before=3_000)

    assert life.told()[-1] == ("resolved", "recovered", "11-01")


def test_a_rate_that_closed_well_is_an_achievement_for_a_day() -> None:
    life = Life("kpi: win_rate, window: month, at_least: 0.25")
    life.see(us("2026-11-30T23:59"), 0.3)
    life.see(us("2026-12-01T00:00"), None, before=0.3)
    life.see(us("2026-12-02T00:00"), 0.2, before=0.3)

    assert life.told() == [
        ("achieved", "goal_exceeded", "11-01"),
        ("ok", "recovered", "12-01"),
        ("firing", "below_target", "12-01"),
    ]


def test_behind_pace_fires_and_catching_up_with_the_goal_resolves_and_achieves() -> None:
    life = Life(PACED)
    life.see(us("2026-11-16T12:00"), 1_499)
    life.see(us("2026-11-16T12:01"), 3_000)

    assert life.told() == [
        ("firing", "behind_pace", "11-01"),
        ("resolved", "recovered", "11-01"),
        ("achieved", "goal_reached", "11-01"),
    ]
    assert life.made[0].standing is not None
    assert life.made[0].standing.expected == 1_500


def test_what_fired_to_the_end_stays_for_the_day() -> None:
    life = Life(PACED)
    life.see(us("2026-11-30T12:00"), 100)
    life.see(us("2026-12-01T00:00"), 0, before=100)
    life.see(us("2026-12-02T00:00"), 200, before=100)

    assert life.told() == [
        ("firing", "behind_pace", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]


def test_each_missed_day_is_news_of_its_own() -> None:
    life = Life(DAILY)
    life.see(us("2026-11-16T12:00"), 1)
    life.see(us("2026-11-17T00:00"), 0, before=1)
    life.see(us("2026-11-18T00:00"), 0, before=2)
    life.see(us("2026-11-19T00:00"), 0, before=9)

    assert life.told() == [
        ("firing", "below_target", "11-16"),
        ("resolved", "recovered", "11-16"),
        ("firing", "below_target", "11-17"),
        ("resolved", "recovered", "11-17"),
        ("achieved", "goal_exceeded", "11-18"),
    ]


def test_windows_that_ended_before_a_target_was_set_are_no_news() -> None:
    life = Life(TOTAL)
    life.see(us("2026-12-01T00:00"), 0, before=100)

    assert life.told() == []


def test_silence_fires_although_nothing_can_be_judged() -> None:
    life = Life("kpi: win_rate, window: month, at_least: 0.25, no_data: 2d")
    life.see(us("2026-11-16T12:00"), None, silent=True)
    life.see(us("2026-11-16T12:01"), 0.3)

    assert life.told() == [
        ("firing", "no_data", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]
