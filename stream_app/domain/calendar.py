"""Business days and five-minute buckets: event time cut into the smallest pieces we count in.

A *business day* is a calendar day of the business time zone, 23 or 25 hours long when clocks
change. Days are proleptic ordinals (`date.toordinal`), instants are microseconds since
1970-01-01T00:00:00Z, five-minute buckets are numbered from the same epoch.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MICROSECONDS: Final = 1_000_000
DAY_US: Final = 86_400 * MICROSECONDS
FIVE_MINUTES_US: Final = 300 * MICROSECONDS
_SLOT_US: Final = 900 * MICROSECONDS  # no zone changes its clock between quarter hours
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_CACHED_SLOTS: Final = 400_000  # eleven years of quarter hours


class BusinessCalendar:
    """Maps instants to business days and back, for one time zone."""

    __slots__ = ("_offset_us_by_slot", "zone")

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._offset_us_by_slot: dict[int, int] = {}

    def day_of(self, instant_us: int) -> int:
        """The business day (ordinal) that holds the instant."""
        slot = instant_us // _SLOT_US
        offset_us = self._offset_us_by_slot.get(slot)
        if offset_us is None:
            offset_us = self._offset_of_slot(slot)
        return (instant_us + offset_us) // DAY_US + _EPOCH_ORDINAL

    def day_start(self, day: int) -> int:
        """The first instant of a business day; where midnight is skipped, the first that exists."""
        return to_instant(datetime.fromordinal(day).replace(tzinfo=self.zone))

    def same_time_on(self, day: int, instant_us: int) -> int:
        """The instant on `day` with the same local time of day as `instant_us`."""
        local = self.local(instant_us)
        moved = datetime.combine(date.fromordinal(day), local.time(), tzinfo=self.zone)
        return to_instant(moved)

    def local(self, instant_us: int) -> datetime:
        """The instant as an aware datetime of the business time zone."""
        return (_EPOCH + timedelta(microseconds=instant_us)).astimezone(self.zone)

    def _offset_of_slot(self, slot: int) -> int:
        offset = self.local(slot * _SLOT_US).utcoffset() or timedelta()
        offset_us = (offset.days * 86_400 + offset.seconds) * MICROSECONDS
        if len(self._offset_us_by_slot) >= _MAX_CACHED_SLOTS:
            self._offset_us_by_slot.clear()
        self._offset_us_by_slot[slot] = offset_us
        return offset_us


def to_instant(moment: datetime) -> int:
    """An aware datetime as microseconds since the epoch."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS + delta.microseconds


def five_minute_bucket(instant_us: int) -> int:
    """The number of the five-minute bucket that holds the instant."""
    return instant_us // FIVE_MINUTES_US


def rfc3339_utc(instant_us: int, timespec: str = "auto") -> str:
    """`2026-11-22T01:59:58Z`, with a fraction only when there is one or `timespec` asks for it."""
    text = (_EPOCH + timedelta(microseconds=instant_us)).isoformat(timespec=timespec)
    return text.replace("+00:00", "Z")
