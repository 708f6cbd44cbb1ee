"""Working days and business time."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from stream_app.config.public_holidays import working_day_rule, wrong_place
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.workdays import WorkingDays

BERLIN = BusinessCalendar(ZoneInfo("Europe/Berlin"))
HOUR_US = 3_600_000_000


def working(place: str | None) -> WorkingDays:
    rule = working_day_rule(place)
    return WorkingDays() if rule is None else WorkingDays(rule)


def us(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("place", "first", "end", "days"),
    [
        (None, "2026-05-01", "2026-06-01", 21),
        ("DE-BE", "2026-05-01", "2026-06-01", 18),  # 1 May, Ascension, Whit Monday
        ("DE-BE", "2026-03-02", "2026-03-09", 5),  # 8 March is a holiday there, and a Sunday
        ("DE-BY", "2026-01-05", "2026-01-10", 4),  # Epiphany
        ("DE-BE", "2026-01-05", "2026-01-10", 5),
        ("AE", "2026-06-01", "2026-06-08", 5),  # Saturday and Sunday are free
    ],
)
def test_public_holidays_and_weekends_are_free(
    place: str | None, first: str, end: str, days: int
) -> None:
    days_from = date.fromisoformat(first).toordinal()

    assert working(place).count(days_from, date.fromisoformat(end).toordinal()) == days


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-03-06T17:00", "2026-03-09T09:00", 2),  # Friday to Monday
        ("2026-03-06T17:00", "2026-03-07T12:00", 1),
        ("2026-03-07T10:00", "2026-03-08T20:00", 0),
        ("2026-03-09T07:00", "2026-03-09T19:00", 10),
        ("2026-03-09T12:00", "2026-03-09T12:00", 0),
        ("2026-03-09T12:00", "2026-03-09T11:00", 0),
    ],
)
def test_business_hours_are_eight_to_six_on_working_days(
    since: str, until: str, hours: int
) -> None:
    assert working(None).hours_us(us(since), us(until), BERLIN) == hours * HOUR_US


def test_business_days_are_whole_and_as_long_as_the_clock_makes_them() -> None:
    # The last Friday of October to the Tuesday after: the weekend with 25 hours does not count.
    days = working(None).days_us(us("2026-10-23T12:00"), us("2026-10-27T06:00"), BERLIN)

    assert days == (12 + 24 + 6) * HOUR_US


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("DE-BE", None),
        ("DE", None),
        ("DE-XX", "DE has no part 'XX'; known: BB, BE, BW"),
        ("XY", "no public holidays are known for 'XY'"),
    ],
)
def test_a_place_without_known_holidays_is_told(place: str, said: str | None) -> None:
    found = wrong_place(place)

    assert found is None if said is None else (found or "").startswith(said)
