"""What stands in deploy/ is safe to start as it is."""

import re

import yaml

from stream_app.settings import load
from tests.render.conftest import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
WRITES_ITS_IMAGE = {"kafka"}  # its start script writes the broker's configuration there


def test_every_service_is_locked_down() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is (name not in WRITES_ITS_IMAGE), name
        assert not service.get("privileged"), name
        assert "root" not in str(service.get("user", "")), name


def test_nothing_can_be_reached_from_other_machines() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert "ports" not in SERVICES["redis"]


def test_redis_and_kafka_listen_on_no_address_that_means_all() -> None:
    redis = (DEPLOY / "redis.conf").read_text(encoding="utf-8")
    listeners = SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"]

    assert re.search(r"^bind redis 127\.0\.0\.1$", redis, re.MULTILINE)
    assert not re.search(r"0\.0\.0\.0|\*|//:", redis + listeners)


def test_redis_keeps_what_it_is_given() -> None:
    settings = dict(
        line.split(maxsplit=1)
        for line in (DEPLOY / "redis.conf").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )

    assert settings["appendonly"] == "yes"
    assert settings["maxmemory-policy"] == "noeviction"
    assert "redis:/data" in SERVICES["redis"]["volumes"]


def test_secrets_are_files_and_stand_nowhere_else() -> None:
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}

    assert used == set(COMPOSE["secrets"])
    assert all(each["file"].startswith("./secrets/") for each in COMPOSE["secrets"].values())
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET|TOKEN", name) or str(value).startswith("/run/")


def test_the_worker_understands_its_environment() -> None:
    environment = {
        name: str(value)
        for name, value in SERVICES["worker"]["environment"].items()
        if not name.endswith("_FILE")
    }

    settings = load(environment)

    assert settings.kafka == ("kafka:9092",)
    assert settings.metrics_port == 9108


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]


def test_prometheus_scrapes_the_job_that_the_rules_ask_for() -> None:
    configuration = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}

    (discovery,) = jobs["stream-app"]["dns_sd_configs"]
    assert discovery["names"] == ["worker"]
    assert discovery["port"] == 9108


def test_the_image_runs_as_a_number_and_takes_no_secret_in() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    users = re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)
    assert users == ["10001:10001"]
    assert not re.search("^(ARG|ENV).*(PASSWORD|SECRET|TOKEN)", dockerfile, re.MULTILINE)
    assert "*" in allowed
    assert {line for line in allowed if line.startswith("!")} == {
        "!pyproject.toml",
        "!README.md",
        "!LICENSE",
        "!stream_app",
    }


def test_grafana_shows_what_is_rendered_and_lets_nobody_change_it() -> None:
    provider = yaml.safe_load(
        (ROOT / "grafana/provisioning/dashboards/stream-app.yml").read_text()
    )["providers"][0]
    source = yaml.safe_load((ROOT / "grafana/provisioning/datasources/stream-app.yml").read_text())
    grafana = SERVICES["grafana"]

    assert provider["allowUiUpdates"] is False
    assert source["datasources"][0]["uid"] == "stream-app"
    assert f"../grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
