from stream_app.verification.outcomes import Outcomes


def test_counts_hold_up_to_any_offset() -> None:
    outcomes = Outcomes(0)
    for offset, outcome in enumerate(("applied", "duplicate", "applied", "dead_letter", "ignored")):
        outcomes.note(offset, outcome)
    assert outcomes.counts(0) == {"applied": 0, "duplicate": 0, "dead_letter": 0, "ignored": 0}
    assert outcomes.counts(3) == {"applied": 2, "duplicate": 1, "dead_letter": 0, "ignored": 0}
    assert outcomes.counts(5) == {"applied": 2, "duplicate": 1, "dead_letter": 1, "ignored": 1}


def test_offsets_that_no_record_has_are_counted_as_nothing() -> None:
    outcomes = Outcomes(7)
    outcomes.note(7, "applied")
    outcomes.note(10, "ignored")
    assert outcomes.end == 11
    assert sum(outcomes.counts(11).values()) == 2
    assert outcomes.counts(10) == {"applied": 1, "duplicate": 0, "dead_letter": 0, "ignored": 0}
    assert list(outcomes) == ["applied", "ignored"]
