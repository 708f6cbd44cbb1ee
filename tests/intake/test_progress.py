"""What people see of an import."""

from stream_app.intake.progress import Bar, PlainLines, show
from tests.intake.showing import Clock, console_and_pace, text_of


def test_without_a_terminal_a_line_is_written_every_five_seconds() -> None:
    clock = Clock()
    console, pace = console_and_pace(1_000, rows_done=100, clock=clock)

    with show(console, "rows.csv", pace) as shown:
        for rows in range(101, 230):
            clock.now += 0.125
            shown.advance(rows, position_bytes=rows * 2)

    assert text_of(console).splitlines() == [
        "rows.csv: 140 rows, 28%, 8 rows/s, about 45 s left",
        "rows.csv: 180 rows, 36%, 8 rows/s, about 40 s left",
        "rows.csv: 220 rows, 44%, 8 rows/s, about 35 s left",
    ]


def test_a_terminal_gets_a_bar() -> None:
    console, pace = console_and_pace(1_000, terminal=True)

    with show(console, "rows.csv", pace) as shown:
        assert isinstance(shown, Bar)
        shown.advance(400, position_bytes=1_000)

    assert "rows.csv" in text_of(console)
    assert "400 rows" in text_of(console)
    assert "100 %" in text_of(console)


def test_an_empty_file_divides_by_nothing() -> None:
    console, pace = console_and_pace(0)

    shown = show(console, "rows.csv", pace)

    assert isinstance(shown, PlainLines)
    assert (pace.share(0), pace.rows_per_second(0)) == (1.0, 0.0)
