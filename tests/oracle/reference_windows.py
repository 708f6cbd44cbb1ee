"""Windows and what they are compared with, from the contract's sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from stream_app.config.model import Config
from tests.oracle.reference_sums import FIVE_MINUTES_US, Side
from tests.oracle.reference_terms import first_instant, local_day

DAY = timedelta(days=1)
CALENDAR = ("day", "week", "month", "quarter", "year")
Period = tuple[date, date]
"""The first day, and the first one after."""


@dataclass(frozen=True)
class Frame:
    """A window and its comparisons; None: nothing to compare with.

    Attributes:
        first: the first day's ordinal of a closed window, else None.
        span: instants in microseconds, the end excluded.
        value: what the value covers.
        compared: what a comparison covers on this side.
        previous: one step earlier, and so on.
    """

    first: int | None
    span: tuple[int, int]
    value: Side
    compared: Side | None
    previous: Side | None
    before_previous: Side | None
    last_year: Side | None = None
    previous_last_year: Side | None = None


class Windows:
    """The windows of one instant."""

    def __init__(self, config: Config, now: int) -> None:
        self.config = config
        self.zone = config.business.timezone
        if config.business.as_of is not None:
            now = first_instant(config.business.as_of + DAY, self.zone) - 1
        self.now = now
        self.today = local_day(now, self.zone)

    def running(self, window: str) -> Frame:
        if window == "hour":
            return self.hour()
        if window == "day":
            return self.running_day()
        if window not in CALENDAR:
            return self.rolling(int(window.removesuffix("d")))
        period = self.period(window, self.today)
        completed = self.today - period[0]

        def cut(whole: Period) -> Side | None:
            end = min(whole[1], whole[0] + completed)
            return Side(days=(whole[0], end), whole=whole) if completed else None

        earlier = self.earlier(window, period)
        return Frame(
            first=None,
            span=self.span(period),
            value=Side(days=(period[0], self.today + DAY), whole=period),
            compared=cut(period),
            previous=cut(earlier),
            before_previous=cut(self.earlier(window, earlier)),
            last_year=cut(self.year_before(window, period)),
            previous_last_year=cut(self.year_before(window, earlier)),
        )

    def closed(self, window: str) -> Iterator[Frame]:
        """The closed windows of the history, the newest first."""
        period = self.period(window, self.today)
        for _ in range(getattr(self.config.history, window)):
            period = self.earlier(window, period)
            earlier = self.earlier(window, period)
            years = window != "day"
            yield Frame(
                first=period[0].toordinal(),
                span=self.span(period),
                value=whole(period),
                compared=whole(period),
                previous=whole(earlier),
                before_previous=whole(self.earlier(window, earlier)),
                last_year=whole(self.year_before(window, period)) if years else None,
                previous_last_year=whole(self.year_before(window, earlier)) if years else None,
            )

    def hour(self) -> Frame:
        end = self.now // FIVE_MINUTES_US * FIVE_MINUTES_US + FIVE_MINUTES_US
        length = 12 * FIVE_MINUTES_US
        sides = [Side(instants=(end - (n + 1) * length, end - n * length)) for n in range(3)]
        return Frame(None, (end - length, end), sides[0], sides[0], sides[1], sides[2])

    def running_day(self) -> Frame:
        today = (self.today, self.today + DAY)
        return Frame(
            first=None,
            span=self.span(today),
            value=whole(today),
            compared=whole(today),
            previous=self.earlier_day(self.today - DAY),
            before_previous=self.earlier_day(self.today - 2 * DAY),
        )

    def earlier_day(self, day: date) -> Side:
        period = (day, day + DAY)
        # NOT LITERAL: a fixed now should convert every five-minute bucket as well; the core has
        # none of them any more for a day long ago.
        if self.config.business.as_of is not None:
            return whole(period)
        return Side(instants=(first_instant(day, self.zone), self.same_time(day)), whole=period)

    def rolling(self, days: int) -> Frame:
        length = days * DAY
        end = self.today + DAY

        def back(shift: timedelta) -> Side:
            return whole((end - shift - length, end - shift))

        year = 365 * DAY
        return Frame(
            first=None,
            span=self.span((end - length, end)),
            value=back(0 * DAY),
            compared=back(0 * DAY),
            previous=back(length),
            before_previous=back(2 * length),
            last_year=back(year),
            previous_last_year=back(length + year),
        )

    def same_time(self, day: date) -> int:
        """The end of the five-minute bucket of an earlier day that holds now's local time."""
        local = self.local(self.now)
        # AMBIGUOUS: a time that the earlier day shows twice is the first of the two; one that it
        # skips is reckoned with the offset before the gap (RFC 5545, and Python's default).
        same = datetime(day.year, day.month, day.day, local.hour, local.minute, tzinfo=self.zone)
        instant = int(same.timestamp()) * 1_000_000
        bucket_end = instant // FIVE_MINUTES_US * FIVE_MINUTES_US + FIVE_MINUTES_US
        return min(bucket_end, first_instant(day + DAY, self.zone))

    def local(self, instant: int) -> datetime:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
        return moment.astimezone(self.zone)

    def span(self, period: Period) -> tuple[int, int]:
        return first_instant(period[0], self.zone), first_instant(period[1], self.zone)

    def earlier(self, window: str, period: Period) -> Period:
        return self.period(window, period[0] - DAY)

    def year_before(self, window: str, period: Period) -> Period:
        first = period[0]
        if window == "week":
            return first - 364 * DAY, first - 357 * DAY
        return self.period(window, first.replace(year=first.year - 1))

    def period(self, window: str, day: date) -> Period:
        """The calendar window that holds a day."""
        business = self.config.business
        if window == "day":
            return day, day + DAY
        if window == "week":
            first = day
            while first.weekday() != business.week_starts:
                first -= DAY
            return first, first + 7 * DAY
        months = {"month": 1, "quarter": 3, "year": 12}[window]
        first = day.replace(day=1)
        while (first.month - business.fiscal_year_starts) % months:
            first = (first - DAY).replace(day=1)
        after = first
        for _ in range(months):
            after = (after + timedelta(days=31)).replace(day=1)
        return first, after


def whole(period: Period) -> Side:
    return Side(days=period, whole=period)
