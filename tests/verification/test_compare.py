from decimal import Decimal

import pytest

from stream_app.company import Company
from stream_app.verification.compare import Difference, compare_values, equal
from stream_app.wire.value import Said
from tests.verification.small_log import NOW_US, changed, encoded, recomputed

Values = dict[bytes, Said]


@pytest.fixture(scope="module")
def expected(company: Company) -> Values:
    return dict(recomputed(company).values(NOW_US))


@pytest.fixture
def found(expected: Values) -> dict[bytes, bytes]:
    return {key: encoded(said) for key, said in expected.items()}


REVENUE = b"revenue|30d|now|company|all"


def differences(expected: Values, found: dict[bytes, bytes]) -> list[Difference]:
    comparison = compare_values(expected.items(), found)
    assert comparison.records == len(expected)
    return [difference for many in comparison.by_key.values() for difference in many]


def test_what_was_published_as_computed_does_not_differ(
    expected: Values, found: dict[bytes, bytes]
) -> None:
    assert differences(expected, found) == []


def test_a_cent_is_a_difference(expected: Values, found: dict[bytes, bytes]) -> None:
    revenue = expected[REVENUE].value
    assert revenue is not None
    wrong = float(revenue) + 0.01
    found[REVENUE] = changed(found[REVENUE], value=wrong)
    (difference,) = differences(expected, found)
    assert difference.field == "value"
    assert difference.expected == revenue
    assert str(difference) == f"{REVENUE.decode()}: value is {wrong}, the log says {revenue}"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("complete", True),
        ("previous", None),
        ("start", "2026-02-18T00:00:00Z"),
        ("unit", "count"),
        ("numerator", 0),
        ("member", "none"),
    ],
)
def test_every_field_is_compared(
    expected: Values, found: dict[bytes, bytes], field: str, wrong: object
) -> None:
    key = REVENUE
    found[key] = changed(found[key], **{field: wrong})
    assert [difference.field for difference in differences(expected, found)] == [field]


def test_times_and_revision_are_not_compared(expected: Values, found: dict[bytes, bytes]) -> None:
    found[REVENUE] = changed(found[REVENUE], revision=99, event_time="x", published_at="y")
    assert differences(expected, found) == []


def test_a_missing_record_is_a_difference(expected: Values, found: dict[bytes, bytes]) -> None:
    del found[REVENUE]
    (difference,) = differences(expected, found)
    assert "record is missing, the log says value" in str(difference)


def test_a_record_too_many_is_a_difference(expected: Values, found: dict[bytes, bytes]) -> None:
    found[b"revenue|30d|now|rep|nobody"] = changed(found[REVENUE], dimension="rep", value=3)
    (difference,) = differences(expected, found)
    assert str(difference).endswith("record should not exist, found value 3")


def test_the_company_may_say_0_where_nothing_need_be_said(
    expected: Values, found: dict[bytes, bytes]
) -> None:
    nothing = {"value": 0, "numerator": None, "denominator": None, "previous": 0}
    found[b"extra|30d|now|company|all"] = changed(found[REVENUE], kpi="extra", **nothing)
    assert differences(expected, found) == []
    found[b"extra|30d|now|company|all"] = changed(found[REVENUE], **(nothing | {"previous": 1}))
    assert len(differences(expected, found)) == 1


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'{"v":1}', b"\xff"])
def test_what_is_no_value_is_a_difference(
    expected: Values, found: dict[bytes, bytes], raw: bytes
) -> None:
    found[REVENUE] = raw
    found[b"\xffstrange"] = raw
    told = [str(difference) for difference in differences(expected, found)]
    assert len(told) == 2
    assert all("not a value of a KPI" in text for text in told)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, Decimal("1.0"), True),
        (Decimal("0.1"), Decimal("0.1"), True),
        (0.1 + 0.2, Decimal("0.3"), True),
        (1 / 3, Decimal("0.333333333"), False),
        (12345678901234567, Decimal(12345678901234568), False),
        (None, Decimal(0), False),
        (True, Decimal(1), False),
        (0.5, None, False),
        ("a", "a", True),
    ],
)
def test_numbers_are_exact_but_for_the_last_digits_of_floats(
    one: object, other: object, *, same: bool
) -> None:
    assert equal(one, other) is same
