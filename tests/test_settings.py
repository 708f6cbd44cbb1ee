"""The environment becomes settings, or everything that is wrong with it at once."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.secret import Secret
from stream_app.settings import (
    VARIABLES,
    KafkaSecurity,
    Settings,
    SettingsErrors,
    Topics,
    from_environment,
    load,
)

CANARY = "canary-4711"


def messages(env: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsErrors) as caught:
        load({f"STREAM_APP_{name}": value for name, value in env.items()})
    return str(caught.value).splitlines()


def loaded(**env: str) -> Settings:
    return load({f"STREAM_APP_{name}": value for name, value in env.items()})


def test_without_variables_everything_is_on_this_machine() -> None:
    settings = load({"PATH": "/bin"})

    assert settings == Settings(
        kafka=("127.0.0.1:9092",),
        kafka_security=KafkaSecurity(protocol="PLAINTEXT"),
        redis_url="redis://127.0.0.1:6379/0",
        redis_password=None,
        topic_prefix="",
        config_path=None,
        metrics_host="127.0.0.1",
        metrics_port=9108,
        partitions=4,
        session_timeout_seconds=10,
        batch_records=8_000,
        cache_threads=10_000,
    )
    assert settings.warnings == ()


def test_every_variable_has_its_effect(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("certificates", encoding="utf-8")

    assert loaded(
        KAFKA="kafka-1:9093, kafka-2,[::1]:9094,kafka-1:9093",
        KAFKA_SECURITY_PROTOCOL="sasl_ssl",
        KAFKA_SECURITY_MECHANISM="SCRAM-SHA-512",
        KAFKA_SECURITY_USERNAME="worker",
        KAFKA_SECURITY_PASSWORD=CANARY,
        KAFKA_SECURITY_CA_FILE=str(ca_file),
        REDIS="rediss://app@redis.example.org:6380/3?ssl_cert_reqs=required",
        REDIS_PASSWORD="other " + CANARY,
        TOPIC_PREFIX="acme.",
        PARTITIONS="12",
        CONFIG="conf/stream-app.yaml",
        METRICS="[::]:0",
        SESSION_TIMEOUT_SECONDS="6",
        BATCH_RECORDS="1",
        CACHE_THREADS="7",
    ) == Settings(
        kafka=("kafka-1:9093", "kafka-2:9092", "[::1]:9094"),
        kafka_security=KafkaSecurity(
            protocol="SASL_SSL",
            mechanism="SCRAM-SHA-512",
            username="worker",
            password=Secret(CANARY),
            ca_file=ca_file,
        ),
        redis_url="rediss://app@redis.example.org:6380/3?ssl_cert_reqs=required",
        redis_password=Secret("other " + CANARY),
        topic_prefix="acme.",
        partitions=12,
        config_path=Path("conf/stream-app.yaml"),
        metrics_host="::",
        metrics_port=0,
        session_timeout_seconds=6,
        batch_records=1,
        cache_threads=7,
    )


def test_an_empty_variable_is_an_absent_one() -> None:
    assert load(dict.fromkeys(VARIABLES, "")) == Settings()


def test_topics_carry_the_prefix() -> None:
    topics = loaded(TOPIC_PREFIX="acme-").topics

    assert topics == Topics("acme-")
    assert (
        topics.events,
        topics.raw,
        topics.dead_letters,
        topics.ticks,
        topics.values,
        topics.alerts,
        topics.experiments,
        topics.partials("0123456789"),
    ) == (
        "acme-crm.events",
        "acme-crm.raw",
        "acme-crm.dead-letters",
        "acme-kpi.ticks",
        "acme-kpi.values",
        "acme-kpi.alerts",
        "acme-kpi.experiments",
        "acme-kpi.partials.0123456789",
    )


def test_the_process_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STREAM_APP_PARTITIONS", "9")

    assert from_environment() == replace(Settings(), partitions=9)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{CANARY} with blanks \n", encoding="utf-8")

    settings = loaded(REDIS_PASSWORD_FILE=str(file))

    assert settings.redis_password == Secret(f"{CANARY} with blanks ")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("KAFKA", "kafka-1:port", "'kafka-1:port' is not host:port"),
        ("KAFKA", "kafka-1:0", "0 is not a port; write 1 to 65535"),
        ("KAFKA", "kafka-1:70000", "70000 is not a port; write 1 to 65535"),
        (
            "KAFKA",
            "kafka://kafka-1:9092",
            "'kafka://kafka-1:9092' is a URL; write host:port without kafka://",
        ),
        (
            "KAFKA",
            "kafka-1,,kafka-2",
            "a server between two commas is empty; write host:port,host:port",
        ),
        (
            "KAFKA",
            f"me:{CANARY}@kafka-1:9092",
            "an address with something before an @ is not host:port",
        ),
        ("METRICS", "127.0.0.1", "'127.0.0.1' has no port; write host:port"),
        ("METRICS", ":9108", "':9108' is not host:port"),
        ("PARTITIONS", "0", "'0' is not a whole number from 1 to 1000"),
        ("PARTITIONS", "four", "'four' is not a whole number from 1 to 1000"),
        ("SESSION_TIMEOUT_SECONDS", "1.5", "'1.5' is not a whole number from 1 to 1800"),
        ("BATCH_RECORDS", "-1", "'-1' is not a whole number from 1 to 100000"),
        ("CACHE_THREADS", "1e6", "'1e6' is not a whole number from 1 to 10000000"),
        ("TOPIC_PREFIX", "acme/", "'acme/' is not made of letters, digits, '.', '_' and '-'"),
        (
            "KAFKA_SECURITY_PROTOCOL",
            "TLS",
            "'TLS' is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
        ),
        (
            "KAFKA_SECURITY_PASSWORD",
            CANARY,
            (
                "is not used with the protocol PLAINTEXT; "
                "set STREAM_APP_KAFKA_SECURITY_PROTOCOL to SASL_SSL"
            ),
        ),
        ("KAFKA_SECURITY_CA_FILE", "/no/such.pem", "there is no file '/no/such.pem'"),
        (
            "REDIS_PASSWORD_FILE",
            "/no/such/file",
            "'/no/such/file' cannot be read: No such file or directory",
        ),
        (
            "REDIS_PASSWORD_FILE",
            CANARY,
            "the file cannot be read: No such file or directory",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_what_was_expected(
    name: str, value: str, message: str
) -> None:
    said = messages({name: value})

    assert f"STREAM_APP_{name}: {message}" in said
    assert CANARY not in str(said)


def test_a_password_given_twice_is_refused(tmp_path: Path) -> None:
    assert messages(
        {"REDIS": "redis://:a@host", "REDIS_PASSWORD": "b", "REDIS_PASSWORD_FILE": str(tmp_path)}
    ) == [
        (
            "STREAM_APP_REDIS_PASSWORD: is set, and so is STREAM_APP_REDIS_PASSWORD_FILE; "
            "use one of them"
        ),
        "STREAM_APP_REDIS: has a password, and so has STREAM_APP_REDIS_PASSWORD; use one",
    ]


def test_a_login_must_be_complete() -> None:
    assert messages({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}) == [
        "STREAM_APP_KAFKA_SECURITY_MECHANISM: is needed with the protocol SASL_SSL",
        "STREAM_APP_KAFKA_SECURITY_USERNAME: is needed with the protocol SASL_SSL",
        "STREAM_APP_KAFKA_SECURITY_PASSWORD: is needed with the protocol SASL_SSL",
    ]


def test_certificates_without_tls_are_refused(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()

    assert messages({"KAFKA_SECURITY_CA_FILE": str(ca_file)}) == [
        (
            "STREAM_APP_KAFKA_SECURITY_CA_FILE: is not used with the protocol PLAINTEXT; "
            "set STREAM_APP_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"
        )
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 65_537])
def test_a_file_that_holds_no_password_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)

    assert messages({"REDIS_PASSWORD_FILE": str(file)})[0].startswith(
        f"STREAM_APP_REDIS_PASSWORD_FILE: '{file}"[:60]
    )


def test_everything_wrong_is_told_at_once() -> None:
    said = messages({"KAFKA": "a:b", "REDIS": "x", "METRICS": "y", "PARTITIONS": "z"})

    assert [line.partition(":")[0] for line in said] == [
        "STREAM_APP_REDIS",
        "STREAM_APP_METRICS",
        "STREAM_APP_KAFKA",
        "STREAM_APP_PARTITIONS",
    ]


def test_a_variable_that_nothing_reads_is_a_warning_without_its_value() -> None:
    settings = load(
        {
            "STREAM_APP_REDIS_PASWORD": CANARY,
            "STREAM_APP_ZZZ": CANARY,
            "STREAM_APP_KAFKA_SECURITY_USERNAME_FILE": CANARY,
            "STREAMAPP_KAFKA": "x",
        }
    )

    assert settings.warnings == (
        (
            "STREAM_APP_KAFKA_SECURITY_USERNAME_FILE: nothing reads this variable; "
            "did you mean STREAM_APP_KAFKA_SECURITY_USERNAME?"
        ),
        (
            "STREAM_APP_REDIS_PASWORD: nothing reads this variable; "
            "did you mean STREAM_APP_REDIS_PASSWORD?"
        ),
        "STREAM_APP_ZZZ: nothing reads this variable",
    )


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=30)))
def test_any_environment_is_settings_or_settings_errors(env: dict[str, str]) -> None:
    try:
        settings = load(env)
    except SettingsErrors:
        return
    assert settings.kafka
