"""Runs seeds, shows one, or plants bugs.

python -m tests.simulation --seeds 10000 --processes 2     # until one fails
python -m tests.simulation --seed 1234 --trace             # one of them, step by step
python -m tests.simulation --planted --seeds 400           # which seed catches which bug
"""

import argparse
import sys
import time
from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation import bugs_in_state, bugs_in_words
from tests.simulation.running import first_catch, outcomes
from tests.simulation.world import Outcome, simulate

_SEEDS_A_LINE = 500
"""Where no bar is seen, so that a run which is interrupted has not been in vain."""

_console = Console(highlight=False, soft_wrap=True)


def main(arguments: list[str]) -> int:
    """The exit code: 0 fine, 1 found something, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=300, metavar="N", help="how many (300)")
    parser.add_argument("--from", type=int, default=0, metavar="N", dest="first", help="the first")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="at once (1)")
    parser.add_argument("--seed", type=int, metavar="N", help="only this one")
    parser.add_argument("--trace", action="store_true", help="print what happened in that seed")
    parser.add_argument("--planted", action="store_true", help="plant bugs, one after the other")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return show(options.seed, with_trace=options.trace)
    if options.planted:
        return catch(range(options.first, options.first + options.seeds))
    return run(range(options.first, options.first + options.seeds), options.processes)


def show(seed: int, *, with_trace: bool) -> int:
    """One seed."""
    outcome = simulate(seed)
    for moment_s, who, *what in outcome.trace if with_trace else ():
        print(f"{moment_s:9.3f} s  {who:6} {' '.join(map(str, what))}")
    for problem in outcome.problems:
        print(problem)
    print(f"seed {seed}: {len(outcome.problems)} problems, {outcome.steps:,} steps")
    return 1 if outcome.problems else 0


def run(seeds: range, processes: int) -> int:
    """Seeds until one fails."""
    began_s = time.monotonic()
    counts: Counter[str] = Counter()
    failed: Outcome | None = None
    done = 0
    with _progress() as progress:
        task = progress.add_task("seeds", total=len(seeds), rate="")
        for outcome in outcomes(seeds, processes):
            done += 1
            counts += outcome.counts
            rate = 60 * done / (time.monotonic() - began_s)
            progress.update(task, advance=1, rate=f"{rate:,.0f} seeds/min")
            if outcome.problems:
                failed = outcome
                break
            if done % _SEEDS_A_LINE == 0 and not _console.is_terminal:
                _console.print(
                    f"{done:,} seeds, {rate:,.0f} a minute; go on with --from {seeds.start + done}"
                )
    seconds = time.monotonic() - began_s
    _console.print(f"{done:,} seeds in {seconds:,.1f} s, {60 * done / seconds:,.0f} a minute")
    _console.print(
        ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in counts.most_common())
    )
    if failed is None:
        _console.print("0 divergences")
        return 0
    for problem in failed.problems:
        print(problem)
    print(f"seed {failed.seed} fails; see it step by step with\n")
    print(f"    python -m tests.simulation --seed {failed.seed} --trace")
    return 1


def catch(seeds: range) -> int:
    """The table of bugs and of the first seed that catches each."""
    missed = 0
    for bug in (*bugs_in_state.BUGS, *bugs_in_words.BUGS):
        seed, problem = first_catch(bug, seeds)
        missed += seed is None
        caught = "NOT CAUGHT" if seed is None else f"seed {seed}"
        _console.print(f"{bug.__name__.replace('_', ' '):52} {caught:10}  {problem[:90]}")
    return 1 if missed else 0


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=_console,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
