"""Two demos at the same time on one machine."""

from pathlib import Path

from stream_app.demo import usual_port


def test_of_demos_that_start_together_at_most_one_takes_the_usual_port(tmp_path: Path) -> None:
    with usual_port(tmp_path) as first, usual_port(tmp_path) as second:
        assert not second
    with usual_port(tmp_path) as again:
        assert again == first
