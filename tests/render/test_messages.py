"""From a verdict on a metrics page to a message: real Prometheus, real Alertmanager, real HTTP.

All waiting times are cut to a second or two; the rules and routes are the rendered ones. How long
it takes with the real times is measured by `tests/benchmarks/alert_path.py`.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from stream_app.company import Company, load_company
from stream_app.metrics.board import Sample, SnapshotBoard, TargetSample, TargetState
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.render.alertmanager import alertmanager
from stream_app.render.target_rules import target_rules
from tests.render.receiver import Receiver
from tests.render.servers import Alertmanager, Prometheus, running, until
from tests.render.standin import StandIn
from tests.render.tools import Tools

COMPANY = """
notify: {{default: floor, receivers: {{floor: {{webhook_url: "{url}"}}}}}}
targets:
  - {{name: win-rate, kpi: win_rate, window: month, dimension: team, at_least: 0.25,
     repeat_misses: 2}}
"""
QUICK = {"group_wait": "1s", "group_interval": "1s"}
SECONDS = 20


def page(
    *teams: str, state: TargetState, coaching: TargetState = TargetState.OK, why: str = ""
) -> bytes:
    """What a worker exposes whose teams all stand like this."""
    board = SnapshotBoard()
    board.show()
    for team in teams:
        sample = Sample("win_rate", "ratio", "month", "team", team, 0.19, 10)
        goal = TargetSample(
            "win-rate", "win_rate", "month", "team", team, 0.25, 0.76, state, why,
            coaching=coaching,
        )  # fmt: skip
        board.replace((0, team), [sample], [goal])
    return KpiGauges(currency="EUR").render(board.snapshot()).text + b"stream_app_in_service 1\n"


class Chain:
    """Worker → Prometheus → Alertmanager → receiver."""

    def __init__(self, tools: Tools, directory: Path, stack: ExitStack) -> None:
        self.receiver = stack.enter_context(Receiver())
        company = _company(directory, self.receiver.url)
        rules = directory / "rules"
        rules.mkdir()
        text = yaml.safe_dump(target_rules(company))
        text = re.sub(r"interval: 5s", "interval: 1s", text)
        (rules / "targets.yml").write_text(
            re.sub("keep_firing_for: 1m", "keep_firing_for: 2s", text)
        )
        configuration = dict(alertmanager(company.config))
        configuration["route"] = {**configuration["route"], **QUICK}
        self.alertmanager = Alertmanager(tools, directory, configuration)
        stack.enter_context(running(self.alertmanager))
        self.worker = StandIn()
        stack.callback(self.worker.stop)
        self.prometheus = Prometheus(
            tools,
            directory,
            {"stream-app": self.worker.address},
            rules=rules,
            alertmanager=self.alertmanager.address,
        )

    def shows(self, *teams: str, state: TargetState) -> None:
        """The worker says so, and Prometheus has heard it."""
        self.worker.text = page(*teams, state=state)
        self.hears(f"count(kpi_target_state == {int(state)}) == {len(teams)}")

    def hears(self, expr: str) -> None:
        until(lambda: bool(self.prometheus.query(expr)), SECONDS, lambda: expr)

    def is_told(self, *messages: tuple[str, tuple[str, ...]]) -> None:
        """These are all the messages there are, in this order."""
        until(
            lambda: len(self.receiver.messages) >= len(messages),
            SECONDS,
            lambda: str(self.receiver.messages),
        )
        assert [(each.status, each.members) for each in self.receiver.messages] == [*messages]


def _company(directory: Path, url: str) -> Company:
    path = directory / "company.yaml"
    path.write_text(COMPANY.format(url=url), encoding="utf-8")
    return load_company(path)


@pytest.fixture
def chain(prometheus_tools: Tools, tmp_path: Path) -> Iterator[Chain]:
    with ExitStack() as stack:
        chain = Chain(prometheus_tools, tmp_path, stack)
        stack.enter_context(running(chain.prometheus))
        yield chain


def test_a_team_below_target_is_one_message_and_one_when_it_recovers_whatever_dies_in_between(
    chain: Chain,
) -> None:
    teams = ("apac", "emea")
    chain.shows(*teams, state=TargetState.OK)
    chain.shows(*teams, state=TargetState.PENDING)
    assert chain.receiver.messages == []

    chain.shows(*teams, state=TargetState.FIRING)
    chain.is_told(("firing", teams))
    (message,) = chain.receiver.messages
    assert message.text == [
        "Win rate of apac (month) is below its target: 19%, target 25%",
        "Win rate of emea (month) is below its target: 19%, target 25%",
    ]

    chain.worker.stop()  # a SIGKILL, seen from Prometheus
    chain.hears("count_over_time((up == 0)[10s:1s]) > 4")  # longer than an alert is kept
    chain.prometheus.kill()
    chain.prometheus.start()
    chain.hears("count(ALERTS) == 2 and on () up == 0")
    chain.worker.start()
    chain.hears("count(kpi_target_state == 2) == 2 and on () up == 1")
    chain.hears("count(ALERTS) == 2")
    chain.is_told(("firing", teams))

    chain.shows(*teams, state=TargetState.OK)
    chain.is_told(("firing", teams), ("resolved", teams))


def test_a_target_that_is_reached_is_told_once_and_not_taken_back(chain: Chain) -> None:
    chain.shows("emea", state=TargetState.OK)
    chain.shows("emea", state=TargetState.ACHIEVED)
    chain.is_told(("firing", ("emea",)))

    chain.shows("emea", state=TargetState.OK)
    chain.hears('count(ALERTS{alertname="KpiTargetAchieved"}) or vector(0) == 0')
    chain.shows("emea", state=TargetState.FIRING)

    chain.is_told(("firing", ("emea",)), ("firing", ("emea",)))
    assert [each.text[0] for each in chain.receiver.messages] == [
        "Win rate of emea (month): target achieved: 19%, target 25%",
        "Win rate of emea (month) is below its target: 19%, target 25%",
    ]


def test_who_is_to_be_coached_is_told_once_whatever_dies_and_it_is_no_alarm(chain: Chain) -> None:
    chain.shows("emea", state=TargetState.OK)
    missed = page("emea", state=TargetState.OK, coaching=TargetState.FIRING)
    chain.worker.text = missed
    chain.is_told(("firing", ("emea",)))

    chain.worker.stop()  # a SIGKILL, seen from Prometheus
    chain.hears("count_over_time((up == 0)[10s:1s]) > 4")  # longer than an alert is kept
    chain.worker.start()
    chain.hears("count(kpi_target_coaching_state == 2) == 1 and on () up == 1")
    chain.shows("emea", state=TargetState.OK)  # and it is over: a window was met
    chain.hears('count(ALERTS{alertname="KpiCoachingSuggested"}) or vector(0) == 0')
    chain.worker.text = page("emea", state=TargetState.FIRING, why="below_target")

    chain.is_told(("firing", ("emea",)), ("firing", ("emea",)))
    suggestion, alarm = chain.receiver.messages
    assert suggestion.text == [
        (
            "Win rate of emea (month): missed 2 times in a row, coaching suggested: Closed windows"
            " (month) in which the target was missed: 2 times in a row. This is told once; the"
            " suggestion stands until one is met."
        )
    ]
    (alert,) = suggestion.body["alerts"]
    assert alert["labels"]["severity"] == "info"
    assert alert["annotations"]["explain"] == (
        "stream-app report --window month --dimension team --member 'emea'"
    )
    assert alarm.text == ["Win rate of emea (month) is below its target: 19%, target 25%"]
