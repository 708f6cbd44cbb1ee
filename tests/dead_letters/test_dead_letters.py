"""The command on a real broker."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_app.cli import main
from stream_app.local.broker import LocalBroker
from stream_app.settings import Topics
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, ensure_topics
from stream_app.wire.dead_letter import DeadLetter

PERSONAL = b'{"email":"someone@example.org"\x1b[2J\xff'


@pytest.fixture
def environment(broker: LocalBroker, topic_prefix: str) -> dict[str, str]:
    return {"STREAM_APP_KAFKA": broker.bootstrap, "STREAM_APP_TOPIC_PREFIX": topic_prefix}


def letter(offset: int, reason: str = "schema", value: bytes | None = b"{}") -> DeadLetter:
    return DeadLetter(
        topic="crm.events",
        partition=1,
        offset=offset,
        reason=reason,
        detail=f"detail {offset}",
        value=value,
    )


def write(environment: Mapping[str, str], *letters: DeadLetter, age_ms: int = 0) -> None:
    async def send() -> None:
        servers = [environment["STREAM_APP_KAFKA"]]
        topic = Topics(environment["STREAM_APP_TOPIC_PREFIX"]).dead_letters
        await ensure_topics(servers, [TopicSpec(topic, 2)])
        async with Publisher(servers) as publisher:
            written_ms = time.time_ns() // 1_000_000 - age_ms
            await publisher.send_all(
                Outgoing(topic, each.key, each.value, headers=each.headers, timestamp_ms=written_ms)
                for each in letters
            )

    asyncio.run(send())


def dead_letters(environment: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["dead-letters", *arguments], env=dict(environment))


def test_letters_are_counted_and_listed(environment: dict[str, str]) -> None:
    write(environment, letter(1), letter(2, "future"), letter(3))
    write(environment, letter(1))
    result = dead_letters(environment, "list", "--limit", "2")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("crm.events/1/1\tschema\t")
    assert lines[2] == "… and 1 more (--limit)"
    assert lines[3] == "3 dead letters: 2 schema, 1 future"


def test_filters_narrow_what_is_counted(environment: dict[str, str]) -> None:
    write(environment, letter(1), letter(2, "future"), age_ms=7_200_000)
    write(environment, letter(3))
    by_reason = json.loads(dead_letters(environment, "list", "--json", "--reason", "future").stdout)
    assert (by_reason["total"], by_reason["counts"]) == (1, {"future": 1})
    recent = json.loads(dead_letters(environment, "list", "--json", "--since", "1h").stdout)
    assert [each["offset"] for each in recent["letters"]] == [3]
    all_of_them = dead_letters(environment, "list", "--json", "--since", "2020-01-01T00:00:00Z")
    assert json.loads(all_of_them.stdout)["total"] == 3


def test_a_letter_is_shown_without_its_payload(environment: dict[str, str]) -> None:
    write(environment, letter(1, value=PERSONAL), letter(2))
    result = dead_letters(environment, "show", "crm.events/1/1")
    assert result.exit_code == 0
    assert "reason:     schema" in result.stdout
    assert f"{len(PERSONAL)} bytes" in result.stdout
    assert "someone" not in result.output
    shown = json.loads(dead_letters(environment, "show", "crm.events/1/1", "--json").stdout)
    assert shown["headers"]["offset"] == "1"
    assert "payload_base64" not in shown


def test_the_payload_is_given_byte_by_byte_when_asked_for(environment: dict[str, str]) -> None:
    write(environment, letter(1, value=PERSONAL))
    result = dead_letters(environment, "show", "crm.events/1/1", "--payload")
    assert result.stdout_bytes == PERSONAL
    assert "reason:     schema" in result.stderr


def test_a_null_payload_is_said_to_be_null(environment: dict[str, str]) -> None:
    write(environment, letter(1, value=None))
    assert "payload:    null" in dead_letters(environment, "show", "crm.events/1/1").stdout


def test_a_letter_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    write(environment, letter(1))
    result = dead_letters(environment, "show", "crm.events/1/2")
    assert result.exit_code == 1
    assert "there is no dead letter about crm.events/1/2" in result.stderr


def test_a_missing_broker_is_named() -> None:
    result = dead_letters({"STREAM_APP_KAFKA": "127.0.0.1:1"}, "list")
    assert result.exit_code == 1
    assert "Kafka at 127.0.0.1:1 is unavailable" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--reason", "shema"], "did you mean 'schema'?"),
        (["list", "--since", "yesterday"], "neither a length of time"),
        (["list", "--since", "2026-01-01"], "neither a length of time"),
        (["show", "1041"], "TOPIC/PARTITION/OFFSET"),
        (["show"], "Missing argument"),
        (["lst"], "No such command"),
    ],
)
def test_wrong_usage_names_what_is_meant(arguments: list[str], told: str) -> None:
    result = dead_letters({}, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_wrong_configuration_is_told(tmp_path: Path) -> None:
    (tmp_path / "company.yaml").write_text("bussiness: {}\n")
    result = dead_letters({}, "list", "--config", str(tmp_path / "company.yaml"))
    assert result.exit_code == 2
