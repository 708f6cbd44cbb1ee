"""How often each test cries wolf, and how often and how soon it finds what is there.

`python -m tests.benchmarks.false_alarms [runs]`: experiments of half a year, looked at every day.
"""

import sys
from bisect import bisect_left
from collections.abc import Iterator
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_app.config.model import Business, Config, Experiment
from stream_app.domain.comparison import ALPHA, Arm, leads_needed, two_proportions
from stream_app.domain.experiment import LEAST_LEADS, Verdict, results
from stream_app.domain.rates import Rates
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.trial import converted_key, leads_key

SEED = 20_261_126
RUNS = 1_000
DAYS = 180
LEADS_A_DAY = 20
BASE = 0.12
FIRST_DAY = 739_000
EXPERIMENT = Experiment(
    name="e", dimension="technique", control="a", variants=("b",), horizon_days=30, random=True
)
CONFIG = Config(business=Business(timezone=ZoneInfo("UTC"), currency="EUR"))


class Run(NamedTuple):
    """The first day on which each test said that the arms differ; None: never."""

    plain: int | None
    always_valid: int | None
    at_the_end: bool


def days_of(chance: Random, rates: dict[str, float]) -> Iterator[dict[str, Arm]]:
    """What a day brings to each arm; every lead's arm is drawn."""
    for _ in range(DAYS):
        leads = {"a": 0, "b": 0}
        converted = {"a": 0, "b": 0}
        for _ in range(LEADS_A_DAY):
            arm = chance.choice("ab")
            leads[arm] += 1
            converted[arm] += chance.random() < rates[arm]
        yield {arm: Arm(leads[arm], converted[arm]) for arm in "ab"}


def run(chance: Random, rates: dict[str, float]) -> Run:
    """One experiment, looked at in the evening of each day on which another day has matured."""
    totals = ScopeTotals(Rates.from_config(CONFIG), lambda _: 0)
    sums = {"a": Arm(0, 0), "b": Arm(0, 0)}
    plain: int | None = None
    p = 1.0
    for place, day in enumerate(days_of(chance, rates)):
        measures = {}
        for name, arm in day.items():
            sums[name] = Arm(sums[name].leads + arm.leads, sums[name].converted + arm.converted)
            measures |= {leads_key(name): arm.leads, converted_key(name): arm.converted}
        totals.put(FIRST_DAY + place, "0", 1, measures)
        fixed = two_proportions(sums["a"], sums["b"])
        p = 1.0 if fixed is None else fixed.p
        enough = min(arm.leads for arm in sums.values()) >= LEAST_LEADS
        if plain is None and enough and p < ALPHA:
            plain = place + 1
    # Once it says that the arms differ it goes on saying so: the first day can be searched for.
    found = bisect_left(range(DAYS), 1, key=lambda place: differs(totals, place))
    return Run(plain, found + 1 if found < DAYS else None, p < ALPHA)


def differs(totals: ScopeTotals, place: int) -> bool:
    """The product's verdict when that day has matured."""
    today = FIRST_DAY + place + EXPERIMENT.horizon_days + 1
    (result,) = results(EXPERIMENT, totals, today)
    return result.verdict in (Verdict.A_BETTER, Verdict.B_BETTER)


def share(runs: list[Run], name: str) -> str:
    """How many said that the arms differ, and on which day half of those had said so."""
    found = sorted(day for r in runs if (day := getattr(r, name)) is not None)
    median = f"day {found[len(found) // 2]}" if found else "-"
    return f"{len(found) / len(runs):6.1%}  {median:>8}"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(
        f"{count:,} runs each, {DAYS} days of {LEADS_A_DAY} leads, an arm drawn for every lead, "
        f"a look every day from {LEAST_LEADS} leads per arm on; seed {SEED}"
    )
    print(f"{'rates':>14}  {'plain z, daily':>16}  {'always valid':>16}  {'plain z, once':>14}")
    for other in (BASE, 0.15, 0.18, 0.24):
        chance = Random(SEED)  # noqa: S311
        runs = [run(chance, {"a": BASE, "b": other}) for _ in range(count)]
        once = sum(r.at_the_end for r in runs) / count
        print(
            f"{BASE:6.0%} {other:6.0%}   {share(runs, 'plain')}  {share(runs, 'always_valid')}"
            f"  {once:13.1%}"
        )
    needed = leads_needed(BASE, 0.15)
    print(f"a single look needs {needed:,} leads per arm to find 12 % → 15 % four times in five")


if __name__ == "__main__":
    main()
