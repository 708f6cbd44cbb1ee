"""What Prometheus and Alertmanager make of the rendered rules and routes."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from stream_app.company import Company, load_company
from stream_app.render.alertmanager import NOBODY, Mail, alertmanager
from stream_app.render.pipeline_rules import PIPELINE_ALERTS
from stream_app.render.target_rules import COACHING, SILENT_SOURCE, target_rules
from tests.render.conftest import ROOT
from tests.render.tools import Tools

GOLDEN = Path(__file__).parent / "rules"
TEAMS_SINCE = (0, 28)
RUNBOOK = ROOT / "deploy" / "runbook.md"
EVERYBODY = """
notify:
  default: sales-ops
  receivers:
    sales-ops: {slack_webhook_file: /run/secrets/slack}
    lead "emea": {webhook_url: "https://hook.example.org/kpi", email_to: lead@example.org}
targets:
  - {name: a, kpi: win_rate, window: month, at_least: 0.2, owner: 'lead "emea"'}
  - {name: b, kpi: win_rate, window: month, at_least: 0.2, owner: somebody else, severity: critical}
  - {name: 'c "d" {{e}} 5 %d', kpi: odd, window: month, dimension: team, at_most: 5, owner: '{{x}}'}
kpis: {odd: {formula: revenue / leads, unit: count, title: 'Odd {{ $labels.member }}'}}
"""


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Company:
    path = tmp_path_factory.mktemp("company") / "company.yaml"
    path.write_text(EVERYBODY, encoding="utf-8")
    return load_company(path)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def accepted(*command: str | Path) -> str:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_rules_and_the_configuration(
    prometheus_tools: Tools, rendered: Path
) -> None:
    rules = sorted((rendered / "deploy/prometheus/rules").iterdir())
    configuration = rendered / "deploy/prometheus/prometheus.yml"
    configuration.write_bytes((ROOT / "deploy/prometheus/prometheus.yml").read_bytes())

    accepted(prometheus_tools.promtool, "check", "rules", "--lint-fatal", *rules)
    accepted(prometheus_tools.promtool, "check", "config", configuration)


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("*.yml")), ids=lambda path: path.stem)
def test_rules_fire_when_they_should_and_only_then(
    prometheus_tools: Tools, rendered: Path, case: Path
) -> None:
    cases = rendered / "deploy/prometheus/rules" / f"{case.stem}.case"
    cases.write_bytes(case.read_bytes())

    try:
        accepted(prometheus_tools.promtool, "test", "rules", cases)
    finally:
        cases.unlink()


def checked(tools: Tools, configuration: Mapping[str, object], tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(configuration, allow_unicode=True), encoding="utf-8")
    accepted(tools.amtool, "check-config", path)
    return path


def test_amtool_accepts_every_kind_of_receiver(
    prometheus_tools: Tools, everybody: Company, tmp_path: Path
) -> None:
    mail = Mail(smarthost="smtp.example.org:587", sender="kpi@example.org", user="kpi")

    checked(prometheus_tools, alertmanager(everybody.config, mail), tmp_path)


def test_amtool_accepts_a_company_that_tells_nobody(
    prometheus_tools: Tools, tmp_path: Path
) -> None:
    checked(prometheus_tools, alertmanager(load_company(None).config), tmp_path)


def test_teams_and_webhooks_by_file_are_refused_only_by_an_alertmanager_that_is_too_old(
    prometheus_tools: Tools, tmp_path: Path
) -> None:
    company = tmp_path / "company.yaml"
    receiver = "{teams_webhook_file: /run/secrets/t, webhook_url_file: /run/secrets/w}"
    company.write_text(f"notify: {{default: x, receivers: {{x: {receiver}}}}}", encoding="utf-8")
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(alertmanager(load_company(company).config)), encoding="utf-8")

    done = run(prometheus_tools.amtool, "check-config", path)

    if done.returncode:
        version = run(prometheus_tools.amtool, "--version")
        found = re.search(r"version (\d+)\.(\d+)", version.stdout + version.stderr)
        assert found is not None
        assert (int(found[1]), int(found[2])) < TEAMS_SINCE
        complaints = re.findall(r"field (\w+) not found", done.stdout + done.stderr)
        assert set(complaints) == {"msteamsv2_configs", "url_file"}


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (r'alertname="KpiOffTarget" about="kpi" owner="lead \"emea\""', 'lead "emea"'),
        ('alertname="KpiOffTarget" about="kpi" owner="somebody else"', "sales-ops"),
        ('alertname="KpiOffTarget" about="kpi" target="c"', "sales-ops"),
        (
            r'alertname="KpiTargetAchieved" about="kpi" owner="lead \"emea\""',
            'lead "emea" (told once)',
        ),
        ('alertname="KpiTargetAchieved" about="kpi" target="c"', "sales-ops (told once)"),
        ('alertname="KpiCoachingSuggested" about="kpi" target="c"', "sales-ops (told once)"),
        (
            r'alertname="KpiCoachingSuggested" about="kpi" owner="lead \"emea\""',
            'lead "emea" (told once)',
        ),
        ('alertname="StreamAppDown" about="pipeline" severity="critical"', "sales-ops"),
        ('alertname="StreamAppRebuilding" about="pipeline" severity="info"', NOBODY),
    ],
)
def test_each_alert_reaches_who_it_is_for(
    prometheus_tools: Tools, everybody: Company, tmp_path: Path, labels: str, receiver: str
) -> None:
    path = checked(prometheus_tools, alertmanager(everybody.config), tmp_path)
    given = re.findall(r'\w+="(?:[^"\\]|\\.)*"', labels)
    routes = (prometheus_tools.amtool, "config", "routes", "test", f"--config.file={path}")

    route = accepted(*routes, *given)

    assert route.strip() == receiver


def test_every_alert_about_the_pipeline_has_a_section_of_the_runbook_and_none_is_left_over() -> (
    None
):
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)

    assert sections == [*(alert.name for alert in PIPELINE_ALERTS), SILENT_SOURCE, COACHING]


def test_no_rule_about_kpis_knows_a_formula_or_a_threshold(files: Mapping[str, str]) -> None:
    document = yaml.safe_load(files["deploy/prometheus/rules/targets.yml"])
    expressions = [rule["expr"] for group in document["groups"] for rule in group["rules"]]

    assert expressions
    for expression in expressions:
        bare = re.sub(r'"[^"]*"|\[\w+\]|offset \w+', "", expression)
        assert not re.search(r"[*/+-]", bare)
        assert set(re.findall(r"(?<![\w.])\d+(?![\w.])", bare)) <= {"1", "2", "3"}  # states
        assert set(re.findall(r"kpi_\w+", bare)) <= {
            "kpi_target_state",
            "kpi_target_coaching_state",
        }


def test_targets_with_odd_names_render_rules_that_prometheus_accepts(
    prometheus_tools: Tools, everybody: Company, tmp_path: Path
) -> None:
    path = tmp_path / "targets.yml"
    path.write_text(yaml.safe_dump(target_rules(everybody)), encoding="utf-8")

    accepted(prometheus_tools.promtool, "check", "rules", "--lint-fatal", path)
    cases = tmp_path / "odd.case"
    cases.write_bytes((GOLDEN.parent / "odd_targets.yml").read_bytes())
    accepted(prometheus_tools.promtool, "test", "rules", cases)
