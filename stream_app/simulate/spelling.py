"""How instants, dates and money are spelled in canonical events."""

from collections.abc import Callable
from datetime import date
from typing import Final

_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


def day_text(instant_ms: int, later_days: int = 0) -> str:
    """Return the UTC date of an instant, or of so many days later, as `2026-11-22`."""
    return date.fromordinal(_EPOCH_ORDINAL + instant_ms // _DAY_MS + later_days).isoformat()


def time_text(instant_ms: int) -> str:
    """Return an instant as `2026-11-22T01:59:58.123Z`."""
    minute, rest = divmod(instant_ms, _MINUTE_MS)
    return f"{_minute_text(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


def _minute_text(minute: int) -> str:
    hours, minutes = divmod(minute % 1440, 60)
    return f"{day_text(minute * _MINUTE_MS)}T{hours:02d}:{minutes:02d}:"


def remembering_time_text() -> Callable[[int], str]:
    """Return a `time_text` that remembers the last minute: instants mostly ascend."""
    last_minute = -1
    prefix = ""

    def text(instant_ms: int) -> str:
        nonlocal last_minute, prefix
        minute, rest = divmod(instant_ms, _MINUTE_MS)
        if minute != last_minute:
            last_minute = minute
            prefix = _minute_text(minute)
        return f"{prefix}{rest // 1000:02d}.{rest % 1000:03d}Z"

    return text


def amount_text(minor: int, exponent: int) -> str:
    """Return minor units as a decimal string: `(-123450, 2)` is `-1234.50`."""
    if exponent == 0:
        return str(minor)
    whole, rest = divmod(abs(minor), 10**exponent)
    return f"{'-' if minor < 0 else ''}{whole}.{rest:0{exponent}d}"
