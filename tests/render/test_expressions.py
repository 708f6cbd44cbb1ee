"""Every expression of every dashboard and rule, asked of a real Prometheus.

It has scraped a simulated company for some seconds. An expression that has no data is a panel that
stays empty, or an alert that never fires.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from stream_app.company import Company
from stream_app.metrics.board import TargetState
from stream_app.render.alertmanager import alertmanager
from stream_app.render.files import Wishes, rendered_files
from stream_app.render.pipeline_rules import PIPELINE_ALERTS, PipelineAlert
from stream_app.render.target_rules import off_target
from tests.render.company_page import STATES, Page, served, simulated_company
from tests.render.servers import Alertmanager, Prometheus, running, until
from tests.render.tools import Tools

CHOICES = (
    {"window": "month", "dimension": "company", "member": "all"},
    {"window": "30d", "dimension": "team", "member": "emea"},
)
EMPTY: Mapping[str, str] = {
    r"and on \(\)|unless on \(\)": "one of the five cases of a tile; see the test of tiles",
    r"^max\(kpi_target\{": "a KPI without a target; the tile says so",
    r"max by \(\w+(, \w+)*\) \(kpi_target_\w+": "no target in this window, for this KPI",
    r"^max\(kpi_previous\{kpi=\"(revenue_growth|forecast|clv)": "nothing comparable earlier",
}
"""Expressions that rightly have no data: a pattern, and why."""
SILENT = {"StreamAppPartitionStopped": "a partition has this series only while it is stopped"}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return simulated_company(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def files(simulated: Company) -> Mapping[str, str]:
    return rendered_files(simulated, Wishes())


@pytest.fixture(scope="module")
def page(simulated: Company) -> Page:
    return Page(simulated)


@pytest.fixture(scope="module")
def prometheus(
    prometheus_tools: Tools,
    tmp_path_factory: pytest.TempPathFactory,
    simulated: Company,
    page: Page,
    files: Mapping[str, str],
) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("prometheus")
    rules = directory / "rules"
    rules.mkdir()
    for name in ("pipeline.yml", "targets.yml"):
        text = files[f"deploy/prometheus/rules/{name}"]
        often = re.sub(r"^  interval: \w+$", "  interval: 1s", text, flags=re.MULTILINE)
        (rules / name).write_text(often, encoding="utf-8")
    telling = Alertmanager(prometheus_tools, directory, alertmanager(simulated.config))
    with served(page) as address, running(telling):
        jobs = {"stream-app": address, "alertmanager": telling.address}
        prometheus = Prometheus(prometheus_tools, directory, jobs, rules=rules)
        with running(prometheus):
            seen = "min(count_over_time(up[1m])) >= 4 and min(up) == 1 and count(up) == 2"
            until(lambda: bool(prometheus.query(seen)), 20, lambda: str(prometheus.query("up")))
            yield prometheus


def panels(files: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, text in files.items():
        if name.startswith("grafana/dashboards/"):
            for panel in json.loads(text)["panels"]:
                yield f"{name}: {panel['title'] or panel['description']}", panel


def chosen(expr: str, choice: Mapping[str, str]) -> str:
    for name, value in choice.items():
        expr = expr.replace(f"${name}", value)
    return expr


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice["dimension"])
def test_every_expression_of_every_dashboard_has_data(
    prometheus: Prometheus, files: Mapping[str, str], choice: Mapping[str, str]
) -> None:
    empty = [
        (where, expr)
        for where, panel in panels(files)
        for asked in panel["targets"]
        if not prometheus.query(expr := chosen(asked["expr"], choice))
        and not any(re.search(pattern, expr) for pattern in EMPTY)
    ]

    assert empty == []


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice["dimension"])
def test_a_tile_has_its_value_in_the_colour_of_its_state_and_only_once(
    prometheus: Prometheus, page: Page, files: Mapping[str, str], choice: Mapping[str, str]
) -> None:
    tiles = [(where, panel) for where, panel in panels(files) if len(panel["targets"]) == 5]
    seen = set()
    for where, panel in tiles:
        cases = {
            asked["refId"]: prometheus.query(chosen(asked["expr"], choice))
            for asked in panel["targets"]
        }
        ((state, samples),) = [(name, found) for name, found in cases.items() if found]
        at = re.search(
            r"kpi=\"(\w+)\",window=\"(\w+)\"", chosen(panel["targets"][0]["expr"], choice)
        )
        assert at is not None
        kpi, window = at.groups()
        expected = STATES.get(kpi) if window == "month" else None
        assert state == ("untargeted" if expected is None else expected.name.lower()), where
        place = (choice["dimension"], choice["member"]) if "wall" in where else ("company", "all")
        assert [float(sample["value"][1]) for sample in samples] == [
            pytest.approx(float(said.value or 0))
            for said in page.values
            if (said.kpi, said.window, said.dimension, said.member) == (kpi, window, *place)
        ]
        seen.add(state)

    assert len(tiles) > 15
    states = {state.name.lower() for state in TargetState}
    assert seen == ({*states, "untargeted"} if choice["window"] == "month" else {"untargeted"})


def test_the_variable_of_members_lists_them(
    prometheus: Prometheus, page: Page, files: Mapping[str, str]
) -> None:
    board = json.loads(files["grafana/dashboards/company-wall.json"])
    (variable,) = [each for each in board["templating"]["list"] if each["name"] == "member"]
    asked = re.fullmatch(r"label_values\((.*),(\w+)\)", variable["query"])
    assert asked is not None

    for dimension in ("company", "team", "source+technique"):
        choice = {"window": "month", "dimension": dimension}
        listed = prometheus.label_values(asked[2], chosen(asked[1], choice))

        assert set(listed) == {
            said.member
            for said in page.values
            if said.dimension == dimension and said.window == "month" and said.value is not None
        }


@pytest.mark.parametrize("alert", PIPELINE_ALERTS, ids=lambda alert: alert.name)
def test_what_an_alert_watches_has_data_and_a_healthy_pipeline_does_not_alert(
    prometheus: Prometheus, alert: PipelineAlert
) -> None:
    # What compares with a quarter of an hour ago is asked without that.
    watched = re.sub(r" - max by .*offset 15m\)", "", alert.watched)

    assert bool(prometheus.query(watched)) is (alert.name not in SILENT)
    prometheus.query(alert.expression)
    assert prometheus.query(f'ALERTS{{alertname="{alert.name}",alertstate="firing"}}') == []


def test_exactly_those_targets_alert_that_the_worker_says_are_off(
    prometheus: Prometheus, simulated: Company, page: Page
) -> None:
    teams = {said.member for said in page.values if said.dimension == "team"}
    firing = [kpi for kpi, state in STATES.items() if state is TargetState.FIRING]
    expected = {(f"{kpi}-company", "all") for kpi in firing} | {
        (f"{kpi}-team", team) for kpi in firing for team in teams
    }

    asked = {
        (target.name, sample["metric"]["member"])
        for target in simulated.config.targets
        for sample in prometheus.query(off_target(target.name))
    }
    until(lambda: bool(prometheus.query('ALERTS{about="kpi"}')), 10, lambda: "no alert")
    alerts = [alert for alert in prometheus.alerts() if alert["labels"]["about"] == "kpi"]
    told = {
        (alert["labels"]["target"], alert["labels"]["member"])
        for alert in alerts
        if alert["labels"]["alertname"] == "KpiOffTarget"
    }

    assert asked == told == expected
    assert all("no value" not in alert["annotations"]["description"] for alert in alerts)


def test_promtool_has_nothing_to_say_about_the_metrics_page(
    prometheus_tools: Tools, page: Page
) -> None:
    done = subprocess.run(
        [prometheus_tools.promtool, "check", "metrics"],
        input=page.text(),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_every_panel_says_what_it_shows_in_which_unit_and_what_if_there_is_nothing(
    files: Mapping[str, str],
) -> None:
    for where, panel in panels(files):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"], where
        assert defaults["unit"], where
        assert defaults["noValue"], where
        assert len(defaults["thresholds"]["steps"]) == 1, f"{where}: a threshold of its own"


def test_dashboards_have_addresses_of_their_own_and_cannot_be_edited(
    files: Mapping[str, str],
) -> None:
    boards = [json.loads(text) for name, text in files.items() if "grafana/dashboards/" in name]
    playlist = json.loads(files["grafana/playlist.json"])
    addresses = [board["uid"] for board in boards]

    assert len(set(addresses)) == len(boards) == 7
    assert not any(board["editable"] for board in boards)
    assert {item["value"] for item in playlist["items"]} < set(addresses)


def test_no_dashboard_computes_a_kpi(files: Mapping[str, str]) -> None:
    for where, panel in panels(files):
        for asked in panel["targets"]:
            bare = re.sub(r'"[^"]*"', "", asked["expr"])
            assert not (re.search(r"kpi_", bare) and re.search(r"[*/+-]", bare)), where


def test_the_rendered_rules_are_those_that_were_asked(files: Mapping[str, str]) -> None:
    rules = yaml.safe_load(files["deploy/prometheus/rules/pipeline.yml"])["groups"][0]["rules"]

    assert [rule["expr"] for rule in rules] == [alert.expression for alert in PIPELINE_ALERTS]
