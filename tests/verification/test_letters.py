import math

from stream_app.verification.letters import FoundLetters, letter_differences, surplus_letters
from stream_app.verification.recompute import Coordinates, Rejected

EXPECTED: dict[Coordinates, Rejected] = {
    (0, 3): Rejected("not_json", 1_000),
    (1, 9): Rejected("schema", 2_000),
}


def found(since_ms: float = -math.inf, **reasons: str) -> FoundLetters:
    letters = FoundLetters(since_ms=since_ms)
    for name, reason in reasons.items():
        _, partition, offset = name.split("_")
        letters.note((int(partition), int(offset)), reason)
    return letters


def told(letters: FoundLetters) -> list[str]:
    return [str(d) for d in letter_differences("crm.events", EXPECTED, letters)]


def surplus(letters: FoundLetters) -> list[str]:
    ends, begins = {0: 10, 1: 10}, {0: 2, 1: 0}
    return [str(d) for d in surplus_letters("crm.events", EXPECTED, letters, ends, begins)]


def test_one_letter_for_each_rejected_record_is_right() -> None:
    letters = found(at_0_3="not_json", at_1_9="schema")
    assert told(letters) == surplus(letters) == []


def test_a_missing_letter_and_a_wrong_reason_are_differences() -> None:
    assert told(found(at_0_3="schema")) == [
        "crm.events/0/3: reason is schema, the log says not_json",
        "crm.events/1/9: letter is missing, the log says schema",
    ]


def test_of_repeats_the_last_counts_and_they_do_no_harm() -> None:
    letters = found(at_0_3="schema", at_1_9="schema")
    letters.note((0, 3), "not_json")
    assert told(letters) == []
    assert letters.repeats == 1


def test_a_letter_that_may_have_left_the_topic_is_not_missed() -> None:
    assert told(found(since_ms=1_500)) == ["crm.events/1/9: letter is missing, the log says schema"]
    assert told(found(since_ms=math.inf)) == []


def test_a_letter_about_a_good_record_is_one_too_many() -> None:
    letters = found(at_0_3="not_json", at_1_9="schema", at_0_5="future")
    assert surplus(letters) == ["crm.events/0/5: letter should not exist, found future"]


def test_a_letter_about_a_record_that_was_not_read_cannot_be_judged() -> None:
    assert surplus(found(at_0_1="future", at_0_10="future", at_7_0="future")) == []
