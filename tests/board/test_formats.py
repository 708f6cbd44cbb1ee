import pytest

from stream_app.board.formats import ABSENT, change, duration, shown

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "currency", ABSENT),
        (0, "currency", "€0"),
        (12.5, "currency", "€12.50"),
        (12_345.67, "currency", "€12,346"),
        (-500, "currency", f"{MINUS}€500"),
        (10_005_534, "currency", "€10.01 M"),
        (2_500_000_000, "currency", "€2.50 bn"),
        (1_234, "currency per day", "€1,234 a day"),
        (0.631501, "ratio", "63.2 %"),
        (-0.05, "ratio", f"{MINUS}5.0 %"),
        (4_474_035, "seconds", "51d 18h"),
        (-35.9, "points", f"{MINUS}35.9"),
        (4_238, "count", "4,238"),
        (2.5, "count", "2.50"),
    ],
)
def test_a_value_is_shown_in_its_unit(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit, "EUR") == text


def test_a_currency_without_a_sign_is_named() -> None:
    assert shown(1_000, "currency", "CHF") == "CHF 1,000"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.6, "1m 0s"), (3_599, "59m 59s"), (11_520, "3h 12m"), (90_000, "1d 1h")],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "previous", "unit", "text"),
    [
        (112, 100, "currency", "▲ 12 %"),
        (88, 100, "count", "▼ 12 %"),
        (100, 100, "count", "="),
        (100.1, 100, "currency", "="),
        (1_300, 100, "currency", "▲ 13x"),
        (10**9, 1, "currency", "▲"),
        (5, 0, "count", "▲"),
        (-5, 0, "count", "▼"),
        (0, 0, "count", "="),
        (0.25, 0.271, "ratio", "▼ 2.1 pp"),
        (0.9, 0.1, "ratio", "▲ 80 pp"),
        (0.25, 0.25, "ratio", "="),
        (10, 6, "points", "▲ 4.0"),
        (None, 1, "count", ""),
        (1, None, "count", ""),
    ],
)
def test_a_change_is_shown_as_people_say_it(
    value: float | None, previous: float | None, unit: str, text: str
) -> None:
    assert change(value, previous, unit) == text
    assert len(text) <= 8
