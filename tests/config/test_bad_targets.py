"""Every mistake of bad_targets.txt gets exactly the message that stands below it."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from stream_app.company import load_company
from stream_app.config.errors import ConfigErrors

TABLE = Path(__file__).with_name("bad_targets.txt").read_text(encoding="utf-8")


def cases() -> list[ParameterSet]:
    found = []
    for block in TABLE.split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, message = rest.partition(">>>\n")
        found.append(pytest.param(text.strip(), message.strip(), id=title))
    return found


def told(tmp_path: Path, target: str) -> str:
    (tmp_path / "bad.csv").write_text("member,period,value\nr-1,2026-Q4,5\nr-1,2026-11,5k\n")
    path = tmp_path / "company.yaml"
    path.write_text(f"business: {{timezone: Europe/Berlin}}\ntargets:\n  - {target}\n")
    place = f"{path}:3: targets[0]"
    try:
        warnings = load_company(path).config.warnings
    except ConfigErrors as errors:
        return str(errors).replace(place, "").replace(f"{tmp_path}/", "")
    return "\n".join(f"warning{text.removeprefix(place)}" for text in warnings)


@pytest.mark.parametrize(("target", "message"), cases())
def test_a_mistake_is_told_with_file_line_and_key(
    tmp_path: Path, target: str, message: str
) -> None:
    assert told(tmp_path, target) == message


def test_the_table_is_long_enough_to_be_trusted() -> None:
    assert len(cases()) >= 40
