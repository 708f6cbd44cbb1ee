from stream_app.config.nearest import hint, nearest


def test_a_slip_is_recognised_whatever_the_case() -> None:
    assert nearest("Stauts", ["owner", "status"]) == "status"
    assert hint("Stauts", ["owner", "status"]) == "; did you mean 'status'?"


def test_without_a_likeness_the_first_are_listed_as_they_can_be_shown() -> None:
    options = ["owner", "\x1b[31mred", "x" * 70, *(f"c{number}" for number in range(20))]
    said = hint("amount", options)
    assert said.startswith(f"; known: owner, '\\x1b[31mred', '{'x' * 60}…', c0, ")
    assert said.endswith(" …")


def test_a_million_options_or_a_huge_one_do_not_hold_up_the_message() -> None:
    """Comparing all of them took minutes: a file's header may have any size."""
    options = ["x" * 100_000, *(f"column {number}" for number in range(1_000_000))]
    assert nearest("column 7x", options) == "column 7"
