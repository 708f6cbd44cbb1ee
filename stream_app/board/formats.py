"""Numbers as people read them (pure)."""

from typing import Final

Number = float

ABSENT: Final = "\N{EN DASH}"
_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_CENTS_BELOW: Final = 1_000
_COMPACT_FROM: Final = 1_000_000
_TIMES_FROM_PERCENT: Final = 1_000
_MANY_TIMES: Final = 100_000
_COARSE_FROM: Final = 9.95
_BILLION: Final = 1_000_000_000
_MILLION: Final = 1_000_000
_MINUS: Final = "\N{MINUS SIGN}"


def shown(value: Number | None, unit: str, currency: str) -> str:
    """A value in its unit: `€12,345`, `63.2 %`, `51d 18h`, `-35.9`, `4,238`; a dash for null.

    Args:
        value: as `kpi.values` has it: major units, shares, seconds, points.
        unit: of the KPI.
        currency: of the business.
    """
    if value is None:
        return ABSENT
    sign, size = (_MINUS if value < 0 else ""), abs(value)
    if unit.startswith("currency"):
        per = " a day" if unit != "currency" else ""
        return f"{sign}{_money(size, currency)}{per}"
    if unit == "ratio":
        return f"{sign}{100 * size:.1f} %"
    if unit == "seconds":
        return f"{sign}{duration(size)}"
    if unit == "points":
        return f"{sign}{size:.1f}"
    return f"{sign}{_plain(size)}"


def duration(seconds: Number) -> str:
    """Its two largest units: `51d 18h`, `3h 12m`, `4m 5s`, `12s`."""
    whole = round(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY:,}d {whole % _DAY // _HOUR}h"
    if whole >= _HOUR:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"
    if whole >= _MINUTE:
        return f"{whole // _MINUTE}m {whole % _MINUTE}s"
    return f"{whole}s"


def change(value: Number | None, previous: Number | None, unit: str) -> str:
    """How a value compares with the one before, in at most eight characters.

    `▲ 12 %`, `▲ 13x` (times), `▼ 2.1 pp` (percentage points), `▲ 4.0`, `=`, or only `▲` after 0;
    empty where it cannot be said.
    """
    if value is None or previous is None:
        return ""
    difference = value - previous
    if unit == "ratio":
        points = abs(100 * difference)
        size = f"{points:.1f}" if points < _COARSE_FROM else f"{points:.0f}"
        return _marked(difference, size, " pp")
    if unit == "points":
        return _marked(difference, f"{abs(difference):.1f}", "")
    if not previous:
        return _marked(difference, "", "") if difference else "="
    percent = abs(100 * difference / previous)
    if percent < _TIMES_FROM_PERCENT:
        return _marked(difference, f"{percent:.0f}", " %")
    times = abs(value / previous)
    return _marked(difference, f"{times:.0f}x" if times < _MANY_TIMES else "", "")


def _marked(difference: Number, size: str, unit: str) -> str:
    if not difference or (not size.strip("0.") and size):
        return "="
    return f"{'▲' if difference > 0 else '▼'} {size}{unit}".rstrip()


def _money(size: Number, currency: str) -> str:
    if size >= _BILLION:
        number = f"{size / _BILLION:,.2f} bn"
    elif size >= _COMPACT_FROM:
        number = f"{size / _MILLION:,.2f} M"
    elif size >= _CENTS_BELOW or size == int(size):
        number = f"{size:,.0f}"
    else:
        number = f"{size:,.2f}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency} {number}"


def _plain(size: Number) -> str:
    return f"{size:,.0f}" if size == int(size) else f"{size:,.2f}"
