"""Where things are: the environment -> frozen `Settings`. The only reader of `os.environ`.

What the business wants is in the YAML file instead (`stream_app.config`).
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from stream_app.addresses import parse_address, parse_redis_url, parse_servers
from stream_app.config.nearest import nearest, shown
from stream_app.secret import Secret
from stream_app.variables import PREFIX, SettingsErrors, Variables, existing_file

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

VARIABLES: Final[Mapping[str, str]] = {
    "STREAM_APP_KAFKA": "Kafka bootstrap servers, host:port separated by commas (127.0.0.1:9092)",
    "STREAM_APP_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL (PLAINTEXT)",
    "STREAM_APP_KAFKA_SECURITY_MECHANISM": "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    "STREAM_APP_KAFKA_SECURITY_USERNAME": "user of a SASL protocol",
    "STREAM_APP_KAFKA_SECURITY_PASSWORD": "password of that user; secret",
    "STREAM_APP_KAFKA_SECURITY_PASSWORD_FILE": "the file that holds it",
    "STREAM_APP_KAFKA_SECURITY_CA_FILE": "certificates that the brokers' are checked against",
    "STREAM_APP_REDIS": "Redis URL, redis:// or rediss:// (redis://127.0.0.1:6379/0)",
    "STREAM_APP_REDIS_PASSWORD": "password of Redis; secret",
    "STREAM_APP_REDIS_PASSWORD_FILE": "the file that holds it",
    "STREAM_APP_TOPIC_PREFIX": "put before the name of every topic (nothing)",
    "STREAM_APP_PARTITIONS": "partitions of topics that are created (4)",
    "STREAM_APP_CONFIG": "the YAML file of what the business wants (its defaults)",
    "STREAM_APP_METRICS": "host:port of metrics and health; port 0: any free one (127.0.0.1:9108)",
    "STREAM_APP_BUNDLED": "1: demo and tests use the bundled Java and Redis (what is at hand)",
    "STREAM_APP_SESSION_TIMEOUT_SECONDS": "a silent worker is given up after so long (10)",
    "STREAM_APP_BATCH_RECORDS": "records of one partition applied in one commit, at most (8000)",
    "STREAM_APP_CACHE_THREADS": "threads held in memory for each partition, at most (10000)",
}
"""Every variable and its meaning, the default in brackets."""

_SESSION_TIMEOUT_SECONDS_MAX: Final = 1_800  # brokers refuse more: group.max.session.timeout.ms
_PARTITIONS_MAX: Final = 1_000
_BATCH_RECORDS_MAX: Final = 100_000
_CACHE_THREADS_MAX: Final = 10_000_000
_PROTOCOLS: Final[tuple[Protocol, ...]] = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS: Final[tuple[Mechanism, ...]] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_TOPIC_PREFIX: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")  # a topic's name ends at 249


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics (contract.md, section 1)."""

    prefix: str = ""

    @property
    def events(self) -> str:
        """Canonical CRM events."""
        return f"{self.prefix}crm.events"

    @property
    def raw(self) -> str:
        """What a CRM said."""
        return f"{self.prefix}crm.raw"

    @property
    def dead_letters(self) -> str:
        """Rejected input."""
        return f"{self.prefix}crm.dead-letters"

    @property
    def ticks(self) -> str:
        """The clock as an event."""
        return f"{self.prefix}kpi.ticks"

    @property
    def values(self) -> str:
        """The latest value of every KPI."""
        return f"{self.prefix}kpi.values"

    @property
    def alerts(self) -> str:
        """Every change of an alert's state."""
        return f"{self.prefix}kpi.alerts"

    @property
    def experiments(self) -> str:
        """Results of A/B comparisons."""
        return f"{self.prefix}kpi.experiments"

    def partials(self, state_version: str) -> str:
        """The partial measures of one state version."""
        return f"{self.prefix}kpi.partials.{state_version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSecurity:
    """How the brokers are spoken to; the login is there exactly for the SASL protocols."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism | None = None
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are.

    Attributes:
        kafka: bootstrap servers, each `host:port`.
        redis_url: complete, without the password: fit for messages.
        config_path: the YAML file; None: its defaults.
        metrics_port: 0 means any free port.
        partitions: of topics that are created; those that exist keep theirs.
        warnings: variables that nothing reads, for the start-up log.
    """

    kafka: tuple[str, ...] = ("127.0.0.1:9092",)
    kafka_security: KafkaSecurity = KafkaSecurity()
    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_password: Secret | None = None
    topic_prefix: str = ""
    config_path: Path | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9108
    partitions: int = 4
    session_timeout_seconds: int = 10
    batch_records: int = 8_000
    cache_threads: int = 10_000
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def topics(self) -> Topics:
        """The topics' names, with the prefix."""
        return Topics(self.topic_prefix)


def from_environment() -> Settings:
    """The settings of this process.

    Raises:
        SettingsErrors: as `load`.
    """
    return load(os.environ)


def load(env: Mapping[str, str]) -> Settings:
    """Settings from environment variables; an empty variable is an absent one.

    Raises:
        SettingsErrors: everything that is wrong; no message repeats what may be a secret.
    """
    variables = Variables(env)
    default = Settings()
    no_password: tuple[str, Secret | None] = (default.redis_url, None)
    redis_url, url_password = variables.read("REDIS", parse_redis_url, no_password)
    redis_password = variables.secret("REDIS_PASSWORD")
    if url_password and redis_password:
        variables.complain("REDIS", "has a password, and so has STREAM_APP_REDIS_PASSWORD; use one")
    metrics_host, metrics_port = variables.read(
        "METRICS",
        lambda text: parse_address(text, lowest_port=0),
        (default.metrics_host, default.metrics_port),
    )
    settings = Settings(
        kafka=variables.read("KAFKA", parse_servers, default.kafka),
        kafka_security=_kafka_security(variables),
        redis_url=redis_url,
        redis_password=redis_password or url_password,
        topic_prefix=variables.read("TOPIC_PREFIX", parse_topic_prefix, default.topic_prefix),
        config_path=variables.read("CONFIG", Path, default.config_path),
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        partitions=variables.whole("PARTITIONS", default.partitions, _PARTITIONS_MAX),
        session_timeout_seconds=variables.whole(
            "SESSION_TIMEOUT_SECONDS",
            default.session_timeout_seconds,
            _SESSION_TIMEOUT_SECONDS_MAX,
        ),
        batch_records=variables.whole("BATCH_RECORDS", default.batch_records, _BATCH_RECORDS_MAX),
        cache_threads=variables.whole("CACHE_THREADS", default.cache_threads, _CACHE_THREADS_MAX),
        warnings=_warnings(env),
    )
    variables.raise_if_any()
    return settings


def _kafka_security(variables: Variables) -> KafkaSecurity:
    protocol = variables.choice("KAFKA_SECURITY_PROTOCOL", _PROTOCOLS)
    security = KafkaSecurity(
        protocol=protocol or "PLAINTEXT",
        mechanism=variables.choice("KAFKA_SECURITY_MECHANISM", _MECHANISMS),
        username=variables.text("KAFKA_SECURITY_USERNAME"),
        password=variables.secret("KAFKA_SECURITY_PASSWORD"),
        ca_file=variables.read("KAFKA_SECURITY_CA_FILE", existing_file, None),
    )
    if protocol is None and variables.text("KAFKA_SECURITY_PROTOCOL"):
        return security  # it is wrong itself, so what goes with it cannot be judged
    # A login or certificates that the protocol does not use: somebody believes to be protected.
    for name, sources in (
        ("MECHANISM", ("MECHANISM",)),
        ("USERNAME", ("USERNAME",)),
        ("PASSWORD", ("PASSWORD", "PASSWORD_FILE")),
    ):
        is_given = any(variables.text(f"KAFKA_SECURITY_{source}") for source in sources)
        if is_given and not security.protocol.startswith("SASL_"):
            variables.complain(
                f"KAFKA_SECURITY_{name}",
                f"is not used with the protocol {security.protocol}; "
                "set STREAM_APP_KAFKA_SECURITY_PROTOCOL to SASL_SSL",
            )
        elif security.protocol.startswith("SASL_") and not is_given:
            variables.complain(
                f"KAFKA_SECURITY_{name}", f"is needed with the protocol {security.protocol}"
            )
    if variables.text("KAFKA_SECURITY_CA_FILE") and not security.protocol.endswith("SSL"):
        variables.complain(
            "KAFKA_SECURITY_CA_FILE",
            f"is not used with the protocol {security.protocol}; "
            "set STREAM_APP_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL",
        )
    return security


def parse_topic_prefix(text: str) -> str:
    """What names of topics may begin with; ValueError otherwise."""
    if not _TOPIC_PREFIX.fullmatch(text):
        raise ValueError(f"{shown(text)} is not made of letters, digits, '.', '_' and '-'")
    return text


def _warnings(env: Mapping[str, str]) -> tuple[str, ...]:
    strangers = sorted(name for name in env if name.startswith(PREFIX) and name not in VARIABLES)
    warnings = []
    for name in strangers:
        known = [variable.removeprefix(PREFIX) for variable in VARIABLES]
        match = nearest(name.removeprefix(PREFIX), known)
        meant = f"; did you mean {PREFIX}{match}?" if match else ""
        warnings.append(f"{name}: nothing reads this variable{meant}")
    return tuple(warnings)


__all__ = [
    "VARIABLES",
    "KafkaSecurity",
    "Settings",
    "SettingsErrors",
    "Topics",
    "from_environment",
    "load",
    "parse_topic_prefix",
]
