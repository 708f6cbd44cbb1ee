"""What schedules came to: one line of JSON each, so that a long run goes on where it stopped."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Result:
    """One schedule, or one crash point.

    Attributes:
        name: `seed 7`, or the point.
        commit: on which it was measured.
        counts: whatever was counted.
        counts_as: whether the run counts: work was left before every fault.
    """

    name: str
    commit: str
    records: int
    differences: int
    values: int
    seconds: float
    counts: dict[str, int]
    counts_as: bool
    problems: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """No difference and nothing else that must not be."""
        return self.differences == 0 and not self.problems


class Results:
    """A file of results."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def load(self) -> list[Result]:
        """All so far."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        return [Result(**each | {"problems": tuple(each["problems"])}) for each in found]

    def add(self, result: Result) -> None:
        """One more."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")

    def has(self, name: str, commit: str, records: int) -> bool:
        """Whether it was run on this commit with at least so many records and counts."""
        return any(
            each.name == name
            and each.commit == commit
            and each.records >= records
            and each.counts_as
            for each in self.load()
        )


def this_commit() -> str:
    """The commit of the working copy, with a mark if it was changed since."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parent,
        )
        return done.stdout.strip()

    changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed


def show(results: Iterable[Result], columns: Sequence[tuple[str, Sequence[str]]]) -> None:
    """A table.

    Args:
        results: the rows.
        columns: heading and the counts that it adds up.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    headings = [heading for heading, _ in columns]
    for heading in ("records", *headings, "values", "differences", "seconds", "commit"):
        table.add_column(heading, justify="right")
    results = list(results)
    for each in results:
        numbers = [sum(each.counts.get(name, 0) for name in names) for _, names in columns]
        verdict = str(each.differences) if each.is_exact else f"{each.differences} !"
        table.add_row(
            each.name + ("" if each.counts_as else " (does not count)"),
            f"{each.records:,}",
            *(f"{number:,}" for number in numbers),
            f"{each.values:,}",
            verdict,
            f"{each.seconds:,.0f}",
            each.commit,
        )
    console = Console(width=140)
    console.print(table)
    for each in results:
        for problem in each.problems:
            console.print(f"{each.name}: {problem}", markup=False, highlight=False)
