"""The report of the small company in every form; `python -m tests.reports.showing` writes them."""

from pathlib import Path

from rich.console import Console

from stream_app.reports.choice import Choice
from stream_app.reports.coaching import Coach
from stream_app.reports.contents import Editor
from stream_app.reports.page import html_page
from stream_app.reports.rows import csv_report
from stream_app.reports.screen import drawn
from tests.reports.stories import COMPANY, RULES, archive, choice

GOLDEN = Path(__file__).parent / "golden"


def terminal(asked: Choice | None = None, *, coaching: bool = True) -> str:
    asked = asked or choice()
    contents = Editor(COMPANY, RULES, archive(), asked).contents()
    pages = list(Coach(COMPANY, RULES, archive(), asked).pages()) if coaching else []
    console = Console(width=150, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(drawn(contents, pages, width=150))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def html() -> str:
    contents = Editor(COMPANY, RULES, archive(), choice()).contents()
    return html_page(contents, list(Coach(COMPANY, RULES, archive(), choice()).pages()))


def rows() -> str:
    return csv_report(COMPANY, archive(), choice())


FORMS = {"march.txt": terminal, "march.html": html, "march.csv": rows}

if __name__ == "__main__":
    for name, form in FORMS.items():
        (GOLDEN / name).write_text(form(), encoding="utf-8")
