"""Exact numbers: JSON's as they were written, amounts in ten-thousandths. No floats anywhere.

A number costs no more than its own text: `1e999999999` is read, compared and refused without
ever being written out.
"""

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

MAX_WHOLE_DIGITS: Final = 15
MAX_DECIMALS: Final = 4
_WHOLE_LIMIT: Final = 10**MAX_WHOLE_DIGITS
_UNITS: Final = 10**MAX_DECIMALS

_MAX_EXPONENT_DIGITS: Final = 18
"""Exponents of more digits are not computed with: the text of no record is long enough for them."""
_BEYOND: Final = 10**_MAX_EXPONENT_DIGITS


class Number(msgspec.Struct, frozen=True, gc=False):
    """A JSON number that has a point or an exponent, or too many digits for an int.

    Attributes:
        text: the number as it was written, valid JSON.
    """

    text: str


class Scientific(NamedTuple):
    """`digits` times 10^`exponent`: one form for equal numbers, however they were written.

    Attributes:
        digits: without leading and trailing zeros; empty for zero.
        exponent: 0 for zero. Beyond ±10^18 only its sign is right.
    """

    negative: bool
    digits: str
    exponent: int

    @property
    def whole_digits(self) -> int:
        """Digits before the point; 0 or negative for numbers below one."""
        return len(self.digits) + self.exponent

    def times_ten_to(self, power: int) -> int:
        """The number times 10^`power`, written out; the result must be an integer, and short."""
        magnitude = int(self.digits or "0") * int("1" + "0" * (self.exponent + power))
        return -magnitude if self.negative else magnitude


def scientific(number: Number | int) -> Scientific:
    """The one form of a number."""
    # Decimal, because str(int) refuses long integers where the interpreter is told to.
    text = number.text if isinstance(number, Number) else str(Decimal(number))
    negative = text[0] == "-"
    mantissa, _, exponent_text = text.removeprefix("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    short = digits.rstrip("0")
    if not short:
        return Scientific(negative=False, digits="", exponent=0)
    exponent = _bounded(exponent_text) - len(fraction) + len(digits) - len(short)
    return Scientific(negative, short, exponent)


def _bounded(text: str) -> int:
    sign = -1 if text[:1] == "-" else 1
    digits = text.lstrip("+-").lstrip("0")
    return sign * (_BEYOND if len(digits) > _MAX_EXPONENT_DIGITS else int(digits or "0"))


def integer(value: object, max_digits: int) -> int | None:
    """A JSON number as an integer: 9, 9.0 and 9e0 are the integer 9.

    Returns:
        None for what is no number, has a fraction, or has more than `max_digits` digits.
    """
    if type(value) is int:
        return value if -(10**max_digits) < value < 10**max_digits else None
    if type(value) is not Number:
        return None
    number = scientific(value)
    if number.exponent < 0 or number.whole_digits > max_digits:
        return None
    return number.times_ten_to(0)


def ten_thousandths(value: int | Number) -> int | None:
    """A JSON number as an amount in ten-thousandths; exponents are allowed.

    Returns:
        None if it has more than 15 digits before the point or 4 after it, outer zeros not counted.
    """
    if isinstance(value, int):
        return value * _UNITS if -_WHOLE_LIMIT < value < _WHOLE_LIMIT else None
    number = scientific(value)
    if number.whole_digits > MAX_WHOLE_DIGITS or number.exponent < -MAX_DECIMALS:
        return None
    return number.times_ten_to(MAX_DECIMALS)


def ten_thousandths_of_text(text: str) -> int | None:
    """A decimal string as an amount in ten-thousandths.

    The form is that of XML Schema's decimal: ASCII digits, an optional sign, an optional point
    with digits on at least one side; neither exponents nor white space nor digit groups.

    Returns:
        None if it is no such number, or has more than 15 digits before the point or 4 after it,
        outer zeros not counted.
    """
    unsigned = text[1:] if text[:1] in {"-", "+"} else text
    whole, _, fraction = unsigned.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(whole) > MAX_WHOLE_DIGITS:
        whole = whole.lstrip("0")
    if len(fraction) > MAX_DECIMALS:
        fraction = fraction.rstrip("0")
    if len(whole) > MAX_WHOLE_DIGITS or len(fraction) > MAX_DECIMALS:
        return None
    magnitude = int(whole + fraction.ljust(MAX_DECIMALS, "0"))
    return -magnitude if text[0] == "-" else magnitude
