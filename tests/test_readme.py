"""What the README, the decisions and CONTRIBUTING say is still true of the code."""

import ast
import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

from stream_app import readme_tables
from stream_app.cli import COMMANDS
from stream_app.company import load_company
from stream_app.domain.events import Event
from stream_app.readme_tables import MissingTable, rendered
from stream_app.settings import VARIABLES, Topics
from stream_app.topology import EVALUATE_TABLES, MEASURE_TABLES
from stream_app.wire.cloudevent import Rules, decode
from tests.intake.imports import Folder

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "stream_app" / "decisions").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *DECISIONS]
FEBRUARY_2026_MS = 1_769_904_000_000
DECISION_PARTS = ("Context", "Options", "Decision", "Consequences", "Guarded by")
DECISION_LINES_MAX = 60


def blocks(language: str) -> list[str]:
    """The README's fenced blocks of a language; the diagram has none."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [block for its, block in fences if its == language]


def block_with(language: str, text: str) -> str:
    (block,) = [block for block in blocks(language) if text in block]
    return block


def rules() -> Rules:
    return Rules.from_config(load_company(None).config)


def page_id(path: Path) -> str:
    return path.stem


# -- the tables ------------------------------------------------------------------------------------


def test_the_tables_are_fresh() -> None:
    assert rendered(README) == README, "run: python -m stream_app.readme_tables"


def test_a_stale_table_is_told_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text(README.replace("| `revenue` |", "| `turnover` |"), encoding="utf-8")
    monkeypatch.setattr(readme_tables, "README", page)

    assert readme_tables.main(["--check"]) == 1
    assert "run python -m stream_app.readme_tables" in capsys.readouterr().err
    assert readme_tables.main([]) == 0
    assert page.read_text(encoding="utf-8") == README
    assert readme_tables.main(["--check"]) == 0


def test_wrong_usage_is_told() -> None:
    assert readme_tables.main(["--chekc"]) == 2


def test_a_page_without_a_place_for_a_table_is_told() -> None:
    with pytest.raises(MissingTable, match="there is no place for the table 'kpis'"):
        rendered("# nothing here\n")


# -- what is named exists, and what exists is named ------------------------------------------------


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_is_named(variable: str) -> None:
    assert f"`{variable}`" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named(command: str) -> None:
    assert f"`stream-app {command}`" in README


def test_every_command_that_is_named_exists() -> None:
    lines = "\n".join(blocks("sh"))
    named = set(re.findall(r"(?:`|bin/)stream-app ([a-z][a-z-]+)", README))
    named |= set(re.findall(r"^stream-app (\S+)", lines, re.MULTILINE))

    assert named - set(COMMANDS) == set()


def test_the_two_commands_name_existing_modules() -> None:
    modules = set(re.findall(r"python3? -m (\S+) (?:demo|test)\b", README))

    assert modules == {"stream_app.bootstrap"}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_module_to_run_exists(page: Path) -> None:
    names = re.findall(r"python3? -m ((?:stream_app|tests)[\w.]*\w)", page.read_text("utf-8"))

    assert [name for name in names if importlib.util.find_spec(name) is None] == []


def test_the_diagram_has_the_topics_and_tables_that_there_are() -> None:
    diagram = block_with("", "agent measure")
    topics = Topics()
    names = {
        value
        for name in vars(Topics)
        if isinstance(getattr(Topics, name), property) and (value := getattr(topics, name))
    }

    found = set(re.findall(r"\b(?:crm|kpi)\.[a-z-]+", diagram))

    assert found == names | {topics.partials("").rstrip(".")}
    assert [name for name in (*MEASURE_TABLES, *EVALUATE_TABLES) if name not in diagram] == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_points_at_something(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]

    assert [link for link in local if not (page.parent / link).exists()] == []


# -- the examples work -----------------------------------------------------------------------------


def test_the_example_event_is_one() -> None:
    (example,) = blocks("json")

    event = decode(
        b"shop:deal:D-1001", example.encode(), FEBRUARY_2026_MS + 15 * 86_400_000, rules()
    )

    assert isinstance(event, Event)
    assert event.data["amount"] == 12_500_00 or json.loads(example)["data"]["amount"] == "12500.00"


def test_the_example_producers_event_is_one() -> None:
    (program,) = blocks("python")
    (assignment,) = [n for n in ast.parse(program).body if isinstance(n, ast.Assign)]
    source = ast.unparse(assignment.value).replace(
        "datetime.now(UTC).isoformat()", repr("2026-01-01T00:00:00Z")
    )
    event = ast.literal_eval(source)

    assert isinstance(
        decode(b"shop:deal:D-1002", json.dumps(event).encode(), FEBRUARY_2026_MS, rules()), Event
    )


def test_the_example_mapping_makes_events_of_the_columns_that_are_said(tmp_path: Path) -> None:
    (columns,) = re.findall(r"with the columns `([^`]+)`", README)
    rows = "1001,2026-01-05,2026-01-20,won,Rep One,Basic,12000\n1002,,,open,Rep One,Basic,1\n"
    folder = Folder(tmp_path)

    made = folder.outcomes(block_with("yaml", "identity:"), f"{' '.join(columns.split())}\n{rows}")

    types = [json.loads(record.value)["type"] for outcome in made for record in outcome.records]
    assert types == ["crm.deal.created.v1", "crm.deal.won.v1"]
    assert [outcome.refused for outcome in made] == [None, None]


def test_the_example_configuration_loads(tmp_path: Path) -> None:
    page = tmp_path / "company.yaml"
    page.write_text(block_with("yaml", "business:"), encoding="utf-8")
    (tmp_path / "directory.yaml").write_text("reps: {r-17: {team: emea}}\n", encoding="utf-8")

    company = load_company(page)

    assert company.config.warnings == ()
    assert "calls_per_win" in {kpi.name for kpi in company.catalogue.kpis}


def test_the_examples_shell_lines_can_be_read() -> None:
    for block in blocks("sh"):
        for line in block.splitlines():
            shlex.split(line, comments=True)


# -- the decisions ---------------------------------------------------------------------------------


def test_the_decisions_are_numbered_without_holes() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=page_id)
def test_a_decision_says_everything_on_one_page(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]

    assert lines[0].startswith(f"# {page.name[:4]} ")
    assert tuple(heading for heading in headings if heading != "Measured") == DECISION_PARTS
    assert len(lines) <= DECISION_LINES_MAX


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_tests_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = {match: ROOT / match for match in re.findall(r"\btests/[\w/]+\.(?:py|txt)\b", text)}
    code = "\n".join(path.read_text("utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    example = "test_a_reopened_deal_leaves_the_win_rate_it_had_entered"  # of a good name
    names = set(re.findall(r"\b(test_\w+)\b(?!\.py)", text)) - {example}

    assert [name for name, path in files.items() if not path.exists()] == []
    assert [name for name in sorted(names) if f"def {name}(" not in code] == []
