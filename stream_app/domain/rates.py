"""What sums are valued with: dated exchange rates, chances of stages (contract.md, rule 6)."""

from bisect import bisect_right
from collections.abc import Mapping

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.money import Rate, half_even


class Rates:
    """Converts minor units of any known currency with the rate of a business day."""

    __slots__ = ("_business", "_chances", "_tables", "exponent")

    def __init__(
        self,
        business_currency: str,
        tables: Mapping[str, tuple[list[int], list[Rate]]],
        chances: Mapping[tuple[str, str], tuple[int, int]],
    ) -> None:
        """Take the tables as they are.

        Args:
            business_currency: what everything is converted into.
            tables: currency → (days, the rates that hold from them on).
            chances: (pipeline, stage) → the chance of winning as a fraction; others have none.
        """
        self._business = business_currency
        self._tables = tables
        self._chances = chances
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
        chances = {
            (pipeline.name, stage.name): stage.probability.as_integer_ratio()
            for pipeline in config.pipelines.values()
            for stage in pipeline.stages
            if stage.probability
        }
        return cls(business, tables, chances)

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

    def weighted(self, minor: int, currency: str, day: int, pipeline: str, stage: str) -> int:
        """A sum times the chance of its stage in minor units of the business currency.

        Rounded once; 0 for a stage that the configuration does not know.
        """
        top, bottom = self._chances.get((pipeline, stage), (0, 1))
        if not minor or not top:
            return 0
        if currency == self._business:
            return half_even(minor * top, bottom)
        days, rates = self._tables[currency]
        rate = rates[max(0, bisect_right(days, day) - 1)]
        return half_even(minor * rate.numerator * top, rate.denominator * bottom)
