"""Which goals concern whom."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stream_app.config.load import parse_config
from stream_app.domain.goal import Goal, bind
from stream_app.domain.standings import Goals
from tests.domain.standings import BASE, KPIS, WORKING

MEMBERS = ("*", "a", "b", "c")


def goals_for(members: list[str]) -> list[Goal]:
    targets = ", ".join(
        f"{{name: t{n}, kpi: win_rate, window: month, dimension: rep, member: '{m}', at_least: 1}}"
        for n, m in enumerate(members)
    )
    config = parse_config(f"{BASE}targets: [{targets}]", "base", Path())
    return [bind(target, KPIS) for target in config.targets]


@given(members=st.lists(st.sampled_from(MEMBERS), max_size=8))
def test_those_of_everybody_and_of_the_member_in_the_order_of_the_configuration(
    members: list[str],
) -> None:
    everything = goals_for(members)
    goals = Goals(everything, WORKING, ["month"])
    for member in ("a", "b", "nobody"):
        wanted = [goal for goal in everything if goal.target.member in ("*", member)]
        assert goals.of_scope(f"rep|{member}") == wanted
    assert goals.of_scope("team|a") == []
