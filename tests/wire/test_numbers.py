"""Amounts and integers, exactly."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.wire.numbers import (
    Number,
    integer,
    scientific,
    ten_thousandths,
    ten_thousandths_of_text,
)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0", 0),
        ("-0", 0),
        ("0.0000", 0),
        ("1", 10_000),
        ("-1", -10_000),
        ("+1", 10_000),
        ("1.5", 15_000),
        ("-1.0001", -10_001),
        (".5", 5_000),
        ("5.", 50_000),
        ("-.5", -5_000),
        ("0001.5", 15_000),
        ("1.50000000000000000000", 15_000),
        ("000000000000000000001", 10_000),
        ("999999999999999.9999", 9_999_999_999_999_999_999),
        ("-999999999999999.9999", -9_999_999_999_999_999_999),
    ],
)
def test_a_decimal_string_is_read_exactly(text: str, read: int):
    assert ten_thousandths_of_text(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0.0", 0),
        ("-0.0", 0),
        ("0e999999999999999999999999", 0),
        ("0." + "0" * 5000, 0),
        ("1.0", 10_000),
        ("1e0", 10_000),
        ("1E+2", 1_000_000),
        ("1e14", 10**18),
        ("100e-2", 10_000),
        ("1e-4", 1),
        ("1000000e-10", 1),
        ("-1.5e1", -150_000),
        ("1.50000000000000000000", 15_000),
        ("0.1", 1_000),
        ("999999999999999.9999", 9_999_999_999_999_999_999),
        ("1" + "0" * 5000 + "e-5000", 10_000),
    ],
)
def test_a_json_number_is_read_exactly(text: str, read: int):
    assert ten_thousandths(Number(text)) == read


def test_a_json_integer_is_read_up_to_fifteen_digits():
    assert ten_thousandths(10**15 - 1) == (10**15 - 1) * 10_000
    assert ten_thousandths(-(10**15) + 1) == -(10**15 - 1) * 10_000
    assert ten_thousandths(10**15) is None
    assert ten_thousandths(-(10**15)) is None


@given(
    st.decimals(
        allow_nan=False,
        allow_infinity=False,
        places=4,
        min_value=-(10**15) + 1,
        max_value=10**15 - 1,
    )
)
def test_every_amount_in_range_survives_as_string_and_as_number(amount: Decimal):
    text = f"{amount:f}"

    assert ten_thousandths_of_text(text) == int(amount.scaleb(4))
    assert ten_thousandths(Number(text)) == int(amount.scaleb(4))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_accepted_exactly_if_its_value_fits(amount: Decimal):
    fits = (
        abs(amount) < 10**15 and amount == amount.quantize(Decimal("1e-4"))
        if abs(amount) < 10**15
        else False
    )
    number = Number(f"{amount:e}")

    assert (ten_thousandths(number) is not None) == fits


@given(st.text(alphabet="0123456789.+-eE _\u0663", max_size=24))
def test_a_string_is_never_read_as_another_number_than_decimal_reads(text: str):
    units = ten_thousandths_of_text(text)

    if units is not None:
        assert Decimal(text).scaleb(4) == units


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (9, 9),
        (-9, -9),
        (0, 0),
        (Number("9.0"), 9),
        (Number("0.9e1"), 9),
        (Number("-9e0"), -9),
        (999, 999),
        (1000, None),
        (-1000, None),
        (Number("1e3"), None),
        (Number("99.9"), None),
        (Number("1e-1"), None),
        (Number("1e999999999"), None),
        (True, None),
        (False, None),
        ("9", None),
        (None, None),
        ([], None),
    ],
)
def test_an_integer_is_a_number_without_a_fraction(value: object, read: int | None):
    assert integer(value, max_digits=3) == read


@given(st.integers(min_value=-(10**40), max_value=10**40), st.integers(min_value=0, max_value=9))
def test_equal_numbers_have_one_form(value: int, zeros: int):
    spellings = [
        Number(f"{value}.{'0' * (zeros + 1)}"),
        Number(f"{value * 10**zeros}e-{zeros}"),
        Number(f"{value}e0"),
        Number(f"{value}E+00"),
    ]

    assert {scientific(spelling) for spelling in spellings} == {scientific(value)}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_form_has_the_value_of_the_number(value: float):
    text = json.dumps(value)
    form = scientific(Number(text))
    sign = "-" if form.negative else ""

    assert Decimal(f"{sign}{form.digits or 0}e{form.exponent}") == Decimal(text)


def test_long_integers_are_read_whatever_the_interpreter_allows():
    digits = "7" * 4299

    assert scientific(int(digits)).digits == digits
