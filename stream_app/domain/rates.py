"""Dated exchange rates into the business currency (contract.md, rule 6)."""

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.money import Rate, half_even


class Rates:
    """Converts minor units of any known currency with the rate of a business day."""

    __slots__ = ("_business", "_tables", "exponent")

    def __init__(
        self,
        business_currency: str,
        tables: Mapping[str, tuple[list[int], list[Rate]]],
    ) -> None:
        self._business = business_currency
        self._tables = tables
        self.exponent = MINOR_UNIT_EXPONENTS[business_currency]

    @classmethod
    def from_config(cls, config: Config) -> "Rates":
        """The rate tables of a configuration."""
        business = config.business.currency
        tables = {}
        for currency, dated in config.currencies.items():
            rates = [
                Rate(rate, MINOR_UNIT_EXPONENTS[currency], MINOR_UNIT_EXPONENTS[business])
                for _, rate in dated
            ]
            tables[currency] = ([day for day, _ in dated], rates)
        return cls(business, tables)

    def convert(self, minor: int, currency: str, day: int) -> int:
        """A sum in minor units of the business currency, half-even.

        Before the first dated rate the first one holds.

        Raises:
            KeyError: the currency has no rate; such events are dead letters and never get here.
        """
        if currency == self._business or not minor:
            return minor
        days, rates = self._tables[currency]
        return rates[max(0, bisect_right(days, day) - 1)].convert(minor)

    def convert_share(self, minor: int, currency: str, day: int, share: Decimal) -> int:
        """A sum times a probability in minor units of the business currency, rounded once."""
        if not minor:
            return 0
        top, bottom = share.as_integer_ratio()
        if currency == self._business:
            return half_even(minor * top, bottom)
        days, rates = self._tables[currency]
        rate = rates[max(0, bisect_right(days, day) - 1)]
        return half_even(minor * rate.numerator * top, rate.denominator * bottom)
