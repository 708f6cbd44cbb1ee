"""Public holidays by country and part of it, from the package `holidays`."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from stream_app.config.nearest import hint, shown


def wrong_place(place: str) -> str | None:
    """What is wrong with a place like `DE-BE`; None: its holidays are known."""
    country, _, part = place.partition("-")
    parts = _parts_by_country().get(country)
    if parts is None:
        return f"no public holidays are known for {shown(country)}{hint(country, _countries())}"
    if part and part not in parts:
        return f"{country} has no part {shown(part)}{hint(part, parts)}"
    return None


def working_day_rule(place: str | None) -> Callable[[int], bool] | None:
    """What says whether a day (an ordinal) is worked in a place; None: Monday to Friday are.

    Raises:
        NotImplementedError: the place is not known; `wrong_place` says so first.
    """
    if place is None:
        return None
    import holidays  # noqa: PLC0415 - most commands need no holidays, and it takes a moment

    country, _, part = place.partition("-")
    known = holidays.country_holidays(country, subdiv=part or None)

    def is_worked(day: int) -> bool:
        return known.is_working_day(date.fromordinal(day))

    return is_worked


@lru_cache(maxsize=1)
def _parts_by_country() -> dict[str, list[str]]:
    import holidays  # noqa: PLC0415 - as above

    return holidays.list_supported_countries()


def _countries() -> list[str]:
    return [country for country in _parts_by_country() if len(country) == 2]  # noqa: PLR2004 - ISO 3166
