"""What a lead counts in an experiment: written from kpis.md and docs/experiments.md alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, log, sqrt

from stream_app.config.model import Config, Experiment
from stream_app.domain.events import Event, EventType
from tests.oracle.reference_life import life_of
from tests.oracle.reference_terms import DEALS, LEADS, local_day
from tests.oracle.reference_thread import Thread, first_created, lead_is_deleted

DAY_US = 86_400_000_000
Tally = Counter[tuple[str, str, int, str]]
"""(experiment, arm, day of creation, `leads` or `converted`) → how many."""


def tally(threads: Iterable[Sequence[Event]], config: Config) -> Tally:
    found: Tally = Counter()
    for events in threads:
        thread = Thread(events, config)
        for lead in thread.identities(LEADS, "lead_id"):
            created = first_created(thread, lead)
            if created is None or lead_is_deleted(thread, lead):
                continue
            created_at = thread.events[created].time
            day = local_day(created_at, config.business.timezone).toordinal()
            won_at = first_win(thread, lead)
            for experiment in config.experiments:
                arm = arm_of(thread, lead, experiment.dimension)
                if arm not in {experiment.control, *experiment.variants}:
                    continue
                found[experiment.name, arm, day, "leads"] += 1
                horizon = experiment.horizon_days * DAY_US
                if won_at is not None and won_at <= created_at + horizon:
                    found[experiment.name, arm, day, "converted"] += 1
    return found


def first_win(thread: Thread, lead: str) -> int | None:
    wins = []
    for deal in thread.deals_of(lead):
        result = life_of(thread, deal, thread.end).result
        if result is not None and thread.events[result].type == EventType.DEAL_WON:
            wins.append(thread.events[result].time)
    return min(wins, default=None)


def arm_of(thread: Thread, lead: str, dimension: str) -> str | None:
    """The first that the lead ever had; of one that never had any, its first deal's at first."""
    states = [thread.lead_at(lead, place) for place in thread.positions(LEADS, "lead_id", lead)]
    if deals := thread.deals_of(lead):
        first = thread.positions(DEALS, "deal_id", deals[0])[0]
        states.append(thread.deal_at(deals[0], first))
    for state in states:
        member: str | None = state.get(dimension)
        if member is None and dimension == "team":
            rep = thread.config.directory.get(state.get("rep") or "")
            member = rep.team if rep else None
        if member is not None:
            return member
    return None


def looks(
    counts: Tally, experiment: Experiment, variant: str, today: int
) -> tuple[list[int], float, int]:
    """(leads and converted of both arms, sequential p, days), look by look, one for each day."""
    days = [d for (name, arm, d, _) in counts if name == experiment.name and arm in
            {experiment.control, variant}]  # fmt: skip
    last = today - experiment.horizon_days - 1
    first = min(days, default=last + 1)
    smallest, numbers = 1.0, [0, 0, 0, 0]
    for day in range(first, last + 1):
        numbers = [
            sum(
                n
                for (name, member, d, what), n in counts.items()
                if (name, member, what) == (experiment.name, arm, measure) and d <= day
            )
            for arm in (experiment.control, variant)
            for measure in ("leads", "converted")
        ]
        smallest = min(smallest, one_over_lambda(*numbers))
    return numbers, smallest, max(0, last + 1 - first)


def one_over_lambda(n_a: int, c_a: int, n_b: int, c_b: int) -> float:
    if not n_a or not n_b:
        return 1
    p_a, p_b = c_a / n_a, c_b / n_b
    n = 2 / (1 / n_a + 1 / n_b)
    v = p_a * (1 - p_a) + p_b * (1 - p_b)
    if v == 0:
        return 0 if p_a != p_b and min(n_a, n_b) >= 100 else 1
    t = 0.05**2
    exponent = n**2 * t * (p_b - p_a) ** 2 / (2 * v * (v + n * t))
    return exp(-exponent - log(sqrt(v / (v + n * t))))
