"""The table of currencies."""

import pytest

from stream_app.domain.currencies import (
    ACTIVE_EXPONENTS,
    MINOR_UNIT_EXPONENTS,
    WITHDRAWN_EXPONENTS,
)


def test_every_code_has_three_capital_letters_and_a_possible_exponent():
    assert all(len(c) == 3 and c.isascii() and c.isupper() for c in MINOR_UNIT_EXPONENTS)
    assert set(MINOR_UNIT_EXPONENTS.values()) == {0, 2, 3, 4}


def test_no_code_is_both_active_and_withdrawn():
    assert not set(ACTIVE_EXPONENTS) & set(WITHDRAWN_EXPONENTS)
    assert len(ACTIVE_EXPONENTS) == 165


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("EUR", 2), ("USD", 2), ("CHF", 2), ("GBP", 2), ("HUF", 2), ("AFN", 2), ("XCG", 2),
        ("JPY", 0), ("KRW", 0), ("ISK", 0), ("CLP", 0), ("UGX", 0), ("XOF", 0), ("UYI", 0),
        ("KWD", 3), ("BHD", 3), ("TND", 3), ("IQD", 3),
        ("CLF", 4), ("UYW", 4),
    ],
)  # fmt: skip
def test_the_minor_unit_is_the_standards(code: str, exponent: int):
    assert ACTIVE_EXPONENTS[code] == exponent


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "DEM", "BTC", "eur", ""])
def test_what_no_deal_is_closed_in_is_no_currency(code: str):
    assert code not in MINOR_UNIT_EXPONENTS


@pytest.mark.parametrize("code", ["BGN", "HRK"])
def test_a_currency_of_old_deals_can_still_be_configured(code: str):
    assert code not in ACTIVE_EXPONENTS
    assert MINOR_UNIT_EXPONENTS[code] == 2
