"""Money as integers: ten-thousandths on entry, minor units of the own currency inside.

Nothing here is a float. Half-even everywhere (contract.md, rule 6).
"""

from decimal import Decimal
from typing import Final

TEN_THOUSANDTHS: Final = 4
"""Decimal places an amount may have on the wire."""


def half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded half-even to an integer; the denominator is positive."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def to_minor(amount_e4: int, exponent: int) -> int:
    """Ten-thousandths of the major unit as minor units of a currency with `exponent` decimals."""
    if exponent == 2:  # noqa: PLR2004 - the common case, without the power
        return half_even(amount_e4, 100)
    return half_even(amount_e4, 10 ** (TEN_THOUSANDTHS - exponent))


class Rate:
    """One day's exchange: minor units of a currency into minor units of the business currency.

    Args:
        rate: one major unit of the currency in major units of the business currency, > 0.
        exponent: decimals of the currency.
        business_exponent: decimals of the business currency.
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, rate: Decimal, exponent: int, business_exponent: int) -> None:
        top, bottom = rate.as_integer_ratio()
        self.numerator = top * 10**business_exponent
        self.denominator = bottom * 10**exponent

    def convert(self, minor: int) -> int:
        """Convert one sum, half-even to minor units of the business currency."""
        return half_even(minor * self.numerator, self.denominator)


def spread(total: int, days: int) -> list[int]:
    """A total spread evenly over days; the remainder goes one unit each to the first days."""
    share, rest = divmod(abs(total), days)
    sign = -1 if total < 0 else 1
    return [sign * (share + (index < rest)) for index in range(days)]
