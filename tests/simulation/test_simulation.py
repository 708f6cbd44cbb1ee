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
    def shown() -> str:
        command = [sys.executable, "-m", "tests.simulation", "--seed", "7", "--trace"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.check_output(command, env=environment, text=True)

    expected = [
        f"{moment_s:9.3f} s  {who:6} {' '.join(map(str, what))}"
        for moment_s, who, *what in simulate(7).trace
    ]
    assert len(expected) > 50
    assert shown().splitlines()[: len(expected)] == expected


def test_two_seeds_are_two_worlds() -> None:
    assert simulate(1).trace != simulate(2).trace


def test_the_command_tells_how_many_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--from", "5"]) == 0
    told = capsys.readouterr().out
    assert "3 seeds in" in told
    assert "0 divergences" in told
