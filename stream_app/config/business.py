"""The sections `business` and `currencies`: the calendar and the money of the company."""

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from stream_app.config.model import Business
from stream_app.config.nearest import nearest, shown
from stream_app.config.public_holidays import wrong_place
from stream_app.config.scalars import choice, day, day_of, duration_us, name, positive
from stream_app.config.yaml_nodes import Reader, Section, Value

DEFAULT_TIMEZONE: Final = "UTC"
DEFAULT_CURRENCY: Final = "EUR"
KEYS: Final = (
    "timezone",
    "currency",
    "week_starts",
    "fiscal_year_starts",
    "holidays",
    "as_of",
    "clock",
    "max_future",
    "retention",
)

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_CLOCKS: Final[tuple[Literal["wall", "event"], ...]] = ("wall", "event")
_HOLIDAYS: Final = name(
    re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?"),
    "a country and perhaps a part of it, like DE or DE-BE",
)

Rates = tuple[tuple[int, Decimal], ...]


def read_business(value: Value | None, currencies: Collection[str]) -> Business:
    """The section `business`; time zone UTC and currency EUR if it does not say."""
    section = Section({}) if value is None else value.section(KEYS)
    weekday = section.read_or("week_starts", choice(_WEEKDAYS), _WEEKDAYS[0])
    month = section.read_or("fiscal_year_starts", choice(_MONTHS), _MONTHS[0])
    default = Business(timezone=ZoneInfo(DEFAULT_TIMEZONE), currency=DEFAULT_CURRENCY)
    return Business(
        timezone=section.read_or("timezone", _timezone, default.timezone),
        currency=section.read_or("currency", _currency(currencies), default.currency),
        week_starts=_WEEKDAYS.index(weekday),
        fiscal_year_starts=_MONTHS.index(month) + 1,
        holidays=section.read("holidays", _holidays),
        as_of=section.read("as_of", day),
        clock=section.read_or("clock", choice(_CLOCKS), default.clock),
        max_future_us=section.read_or("max_future", duration_us(0), default.max_future_us),
        retention_us=section.read_or("retention", duration_us(), default.retention_us),
    )


def read_rates(
    value: Value | None, business_currency: str, currencies: Collection[str]
) -> dict[str, Rates]:
    """The section `currencies`, without the business currency, which is 1 by definition."""
    if value is None:
        return {}
    rates: dict[str, Rates] = {}
    read_code = _currency(currencies)
    for code, entry in value.entries('a mapping like {USD: "0.92"}').items():
        if read_code(entry.key) is None:
            continue
        found = _rates(entry)
        if code != business_currency:
            rates[code] = found
        elif any(rate != 1 for _, rate in found):
            entry.error(f"{code} is the business currency, so its rate is 1; remove it")
    return rates


def _rates(value: Value) -> Rates:
    if not value.is_mapping:
        rate = positive(value)
        return () if rate is None else ((0, rate),)
    rates: list[tuple[int, Decimal]] = []
    latest = 0
    entries = value.entries("")
    if not entries:
        value.error('has no rate; write one, like "0.92", or {2025-01-01: "0.92"}')
    for text, entry in entries.items():
        first_day = day_of(text, entry.key.error)
        rate = positive(entry)
        if first_day is None or rate is None:
            continue
        if first_day.toordinal() <= latest:
            entry.error("is not later than the day before it; sort the days, oldest first")
        latest = max(latest, first_day.toordinal())
        rates.append((first_day.toordinal(), rate))
    return tuple(rates)


def _currency(currencies: Collection[str]) -> Reader[str]:
    def read(value: Value) -> str | None:
        code = value.text()
        if code is None or code in currencies:
            return code
        match = nearest(code, currencies)
        meant = f"; did you mean {match!r}?" if match else ", like EUR or USD"
        value.error(f"{shown(code)} is not a currency code of ISO 4217{meant}")
        return None

    return read


def _holidays(value: Value) -> str | None:
    place = _HOLIDAYS(value)
    wrong = None if place is None else wrong_place(place)
    if wrong is not None:
        value.error(wrong)
    return None if wrong else place


def _timezone(value: Value) -> ZoneInfo | None:
    text = value.text()
    if text is None:
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # told below, without Python's own words
    zones = available_timezones()
    by_city = {zone.rpartition("/")[2]: zone for zone in sorted(zones)}
    city = nearest(text.replace(" ", "_"), by_city, likeness=0.9)
    match = by_city[city] if city else nearest(text, zones)
    meant = f"; did you mean {match!r}?" if match else ", like Europe/Berlin"
    value.error(f"{shown(text)} is not a time zone of the IANA database{meant}")
    return None
