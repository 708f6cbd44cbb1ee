"""Whatever happens to workers, Redis and Kafka: in the end the values are the log's."""

import os
import subprocess
import sys
from collections import Counter

import pytest

pytest.importorskip("lupa", reason="simulations need it: pip install -e '.[dev]'")

from tests.simulation.__main__ import main
from tests.simulation.running import outcomes
from tests.simulation.world import simulate

SEEDS = range(300)

_BY_ORDER = (1, 36, 51)
"""Worlds that were once others when a set had another order."""

_TELL = f"""
from tests.simulation.world import simulate
for seed in {_BY_ORDER}:
    outcome = simulate(seed)
    print(outcome.steps, "steps", outcome.trace)
"""


def test_every_seed_ends_as_the_log_says() -> None:
    counts: Counter[str] = Counter()
    for outcome in outcomes(SEEDS, processes=2):
        again = f"python -m tests.simulation --seed {outcome.seed} --trace"
        assert not outcome.problems, f"{outcome.problems}\nsee it again: {again}"
        counts += outcome.counts
    # Faults that hit nothing would prove nothing.
    for what in ("kills", "fenced", "rebalances", "farewells", "pause"):
        assert counts[what] >= len(SEEDS) // 4, counts
    for what in ("redis_is_wiped", "redis_is_rolled_back", "sends_fail", "time_passes"):
        assert counts[what] >= len(SEEDS) // 4, counts
    assert counts["commits"] >= 50 * len(SEEDS), counts


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_one_world_whatever_else_is_random(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    there = subprocess.check_output([sys.executable, "-c", _TELL], env=environment, text=True)
    here = [f"{outcome.steps} steps {outcome.trace}" for outcome in map(simulate, _BY_ORDER)]
    assert all(len(told) > 5_000 for told in here)
    assert there.splitlines() == here


def test_two_seeds_are_two_worlds() -> None:
    assert simulate(1).trace != simulate(2).trace


def test_the_command_tells_how_many_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--from", "5"]) == 0
    told = capsys.readouterr().out
    assert "3 seeds in" in told
    assert "0 divergences" in told
