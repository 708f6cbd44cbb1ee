"""The fingerprint: equal for what is equal as JSON, different for everything else."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.wire.digest import digest
from stream_app.wire.document import MAX_NESTING, read
from tests.wire.records import accepted, raw
from tests.wire.test_document import JSON

OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=5)


def digest_of(text: str) -> str:
    return digest(8, 0, read(text.encode()))


def shuffled(document: Any, seed: random.Random) -> Any:
    if isinstance(document, dict):
        names = list(document)
        seed.shuffle(names)
        return {name: shuffled(document[name], seed) for name in names}
    if isinstance(document, list):
        return [shuffled(element, seed) for element in document]
    return document


@given(OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_and_the_layout_do_not_matter(document: Any, seed: random.Random):
    other = json.dumps(shuffled(document, seed), ensure_ascii=False, indent=2)

    assert digest_of(json.dumps(document)) == digest_of(other)


@pytest.mark.parametrize(
    "spellings",
    [
        ("1", "1.0", "1e0", "10e-1", "0.1E+1", "1.00000000000000000000000"),
        ("0", "-0", "0.0", "-0.0", "0e5", "0e-99999999999999999999"),
        ("-1.5", "-15e-1", "-1.50"),
        ("1000", "1e3"),
        ("100000000000000000000", "1e20", "1" + "0" * 20 + ".0"),
        ("1e17", "100000000000000000", "1e+17"),
        ("1e18", "1000000000000000000", "10e17"),
        ("-1e18", "-1000000000000000000"),
        ("1" + "0" * 400, "1e400", "0.1e401"),
        ("1" + "0" * 5000, "1e5000"),
        ("1e999999999", "10e999999998", "0.1e1000000000"),
        ('"a"', '"\\u0061"'),
        ('"😀"', '"\\ud83d\\ude00"'),
    ],
)
def test_the_spelling_of_a_value_does_not_matter(spellings: tuple[str, ...]):
    assert len({digest_of(f'{{"u":{text}}}') for text in spellings}) == 1
    assert len({digest_of(f'{{"u":[{{"v":{text}}}]}}') for text in spellings}) == 1


def test_different_values_have_different_digests():
    values = [
        "1", '"1"', "true", "false", "null", '""', "0", "-1", "1.5", '"1.0"', '"1.00"', "[]", "{}",
        "[1]", "[[1]]", "[1,1]", '{"a":1}', '{"a":null}', "1e18", "1e19", "-1e18", "1e400", "1e401",
        "999999999999999999", "1e999999999", "1e-400", '"1e400"', "9007199254740993",
        "9007199254740992", "0.1", "0.10000000000000001",
    ]  # fmt: skip

    digests = {digest_of(f'{{"u":{text}}}') for text in values}
    assert len(digests | {digest_of("{}")}) == len(values) + 1


def test_unknown_fields_of_the_data_count_and_attributes_of_the_envelope_do_not():
    plain = accepted()

    assert accepted(data={"unheard_of": 1}).digest != plain.digest
    assert accepted(data={"unheard_of": None}).digest != plain.digest
    assert (
        accepted(sequence=5, partitionkey="k", unheard_of=1, id="e-2", source="s").digest
        == plain.digest
    )


def test_the_type_and_the_instant_count_but_not_how_the_instant_is_written():
    plain = accepted()

    assert accepted("deal.updated").digest != plain.digest
    assert accepted(time="2026-11-22T01:59:58.000001Z").digest != plain.digest
    assert accepted(time="2026-11-22T02:59:58.0000009+01:00").digest == plain.digest


def test_null_empty_and_absent_say_the_same_but_are_different_json():
    said = [accepted(data={"rep": value}) for value in (None, "")]

    assert said[0].data == said[1].data
    assert said[0].digest != said[1].digest
    assert (
        accepted(data={"deal_id": raw("1")}).digest == accepted(data={"deal_id": raw("1.0")}).digest
    )
    assert accepted(data={"deal_id": 1}).digest != accepted(data={"deal_id": "1"}).digest


def test_the_deepest_document_has_a_digest():
    inner = MAX_NESTING - 1

    assert digest_of('{"u":' + "[" * inner + "1" + "]" * inner + "}") == digest_of(
        '{"u":' + "[" * inner + "1e0" + "]" * inner + "}"
    )


def test_the_digests_of_the_log_never_change():
    data = {"deal_id": "d-1", "amount": "1.50", "rep": None, "new_business": True}

    assert digest(8, 1_795_312_798_000_000, data) == "8d5cd696c44d9e6a"
    assert (
        digest_of('{"u":[1,1.5,1e400,{"b":"ä\\u0001\\n\\"\\\\/\\u007f\\u2028😀","a":-0}]}')
        == "e7deb0f7d6433b5f"
    )
