"""The command on a real broker and a real Redis."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stream_app.cli import main
from stream_app.intake.connection import connection
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.verification.audit import Audit
from stream_app.verification.committed import CommittedState, connected
from stream_app.verification.evidence import Evidence
from stream_app.wire.dead_letter import DeadLetter
from stream_app.wire.published import decode_published
from stream_app.wire.reasons import Reason, Rejection
from tests.metrics.exposing import rendered, sample
from tests.verification.small_log import NOW_US, PARTITIONS, changed, encoded
from tests.verification.staged import Staged

REVENUE = b"revenue|365d|now|company|all"
TRIAL = b"trial|free-trial"


def verify(staged: Staged, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["verify", "--wait", "0", *arguments], env=staged.environment, catch_exceptions=False
    )


def document(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_what_a_right_worker_left_has_0_differences(staged: Staged) -> None:
    result = verify(staged.written())
    assert result.exit_code == 0, result.output
    assert "\n0 differences" in result.stdout
    assert f"{staged.recomputation.records} events" in result.stdout
    skipped = f"metrics skipped: no worker of {staged.topics.events} answers at 127.0.0.1:1"
    assert skipped in result.stderr


def test_every_kind_of_difference_is_found_and_listed(staged: Staged) -> None:
    staged.values[REVENUE] = changed(staged.values[REVENUE], value=1)
    staged.values[b"leads|365d|now|rep|nobody"] = staged.values[REVENUE]
    del staged.values[b"leads|365d|now|company|all"]
    staged.results[TRIAL] = changed(staged.results[TRIAL], n_control=1, verdict="b_better")
    staged.results[b"trial|gone"] = staged.results.pop(b"trial|script-a")
    staged.counts[1]["applied"] += 1
    staged.counts[1]["duplicate"] -= 1
    lost = staged.letters.pop()
    result = verify(staged.written(), "--json", "--limit", "100")
    assert result.exit_code == 1
    found = document(result)
    assert found["by_section"] == {
        "kpi.values": 3,
        "kpi.experiments": 4,
        "conservation": 2,
        "dead letters": 1,
        "metrics": 0,
    }
    listed = {(each["key"], each["field"]) for each in found["listed"]}
    assert (REVENUE.decode(), "value") in listed
    assert ("leads|365d|now|rep|nobody", "record") in listed
    assert ("leads|365d|now|company|all", "record") in listed
    assert (TRIAL.decode(), "n_control") in listed
    assert (TRIAL.decode(), "verdict") in listed
    assert ("trial|gone", "record") in listed
    assert ("trial|script-a", "record") in listed
    assert (f"{staged.topics.events}/1", "applied") in listed
    assert (lost.key.decode(), "letter") in listed


def test_only_so_many_differences_are_listed(staged: Staged) -> None:
    staged.values.clear()
    result = verify(staged.written(), "--limit", "2")
    assert result.exit_code == 1
    assert result.stdout.count("record is missing") == 2
    assert "more (--limit)" in result.stdout


def test_republishing_makes_the_topic_say_what_the_log_says(staged: Staged) -> None:
    wrong = changed(staged.values[REVENUE], value=1, revision=1 << 60)
    staged.values |= {REVENUE: wrong, b"leads|365d|now|rep|nobody": wrong}
    del staged.values[b"leads|365d|now|company|all"]
    staged.results[b"trial|gone"] = staged.results[TRIAL]
    staged.results[TRIAL] = changed(staged.results[TRIAL], n_control=1, revision=1 << 60)
    result = verify(staged.written(), "--republish", "--yes")
    assert result.exit_code == 0, result.output
    assert "5 records written" in result.stderr
    standing = asyncio.run(_standing(staged))
    assert decode_published(standing[REVENUE]).revision == (1 << 60) + 1
    assert b"leads|365d|now|rep|nobody" not in standing
    assert document(verify(staged, "--json"))["differences"] == 0


async def _standing(staged: Staged) -> dict[bytes, bytes]:
    async with await Evidence.open(staged.topics, connection(staged.settings)) as evidence:
        await evidence.read_values()
        return evidence.values


def test_nothing_is_written_without_consent(staged: Staged) -> None:
    del staged.values[REVENUE]
    result = CliRunner().invoke(
        main, ["verify", "--wait", "0", "--republish"], env=staged.written().environment, input="n"
    )
    assert result.exit_code == 1
    assert "Write 1 records" in result.output
    assert document(verify(staged, "--json"))["differences"] == 1


def test_the_clock_of_an_expired_tick_is_taken_from_redis(staged: Staged) -> None:
    staged.ticks, staged.redis_clock = False, True
    assert document(verify(staged.written(), "--json"))["differences"] == 0


def test_without_any_clock_it_says_so(staged: Staged) -> None:
    staged.ticks = False
    staged.values.clear()
    staged.results.clear()
    result = verify(staged.written())
    assert "nothing says what time it is" in result.stdout


def test_letters_from_before_the_configuration_changed_are_a_warning(staged: Staged) -> None:
    refused = Rejection(Reason.UNKNOWN_CURRENCY, "…")
    staged.letters.append(DeadLetter.of(refused, staged.topics.events, 0, 0, b"?"))
    result = verify(staged.written(), "--json")
    found = document(result)
    assert found["differences"] == 0
    assert "1 dead letters are about records that today's configuration accepts" in str(
        found["warnings"]
    )


def test_a_worker_that_catches_up_is_waited_for(staged: Staged) -> None:
    late = staged.values.pop(REVENUE)
    staged.written()

    async def run() -> int:
        redis = connected(staged.settings)
        kafka = connection(staged.settings)
        async with (
            await Evidence.open(staged.topics, kafka) as evidence,
            Publisher(staged.settings.kafka) as publisher,
        ):
            sent: list[asyncio.Task[int]] = []

            def told(doing: str) -> None:
                if "waiting for the worker" in doing and not sent:
                    record = Outgoing(staged.topics.values, REVENUE, late)
                    sent.append(asyncio.create_task(publisher.send_all([record])))

            audit = Audit(
                company=staged.company,
                topics=staged.topics,
                evidence=evidence,
                committed=CommittedState(redis, staged.settings, staged.company),
                partials_partitions=PARTITIONS,
                told=told,
            )
            report = await audit.run(20.0)
            await redis.aclose()
            assert sent
            return report.total

    assert asyncio.run(run()) == 0


def test_gauges_are_compared(staged: Staged) -> None:
    running = [
        decode_published(encoded(said))
        for _, said in staged.recomputation.values(NOW_US)
        if not said.complete and said.value is not None
    ]
    samples = [
        sample(v.kpi, unit=v.unit, window=v.window, dimension=v.dimension, member=v.member, value=n)
        for v in running
        if (n := float(v.value or 0)) is not None
    ]
    staged.written()
    with metrics_page(rendered(*samples).text) as address:
        found = document(verify(staged, "--json", "--metrics", address))
        assert (found["differences"], found["gauges"]) == (0, len(samples))
    with metrics_page(rendered(*samples[1:]).text) as address:
        found = document(verify(staged, "--json", "--metrics", address))
        assert found["by_section"]["metrics"] == 1
    found = document(verify(staged, "--json", "--metrics", address))
    (gone,) = found["listed"]
    assert gone["field"] == "page"
    assert f"http://{address}/metrics: no answer" in gone["found"]


def test_the_page_of_somebody_else_s_worker_is_not_looked_at(staged: Staged) -> None:
    staged.written()
    lag = '# TYPE stream_app_lag_records gauge\nstream_app_lag_records{{topic="{}"}} 0.0\n'
    for topic, is_ours in (("other.crm.events", False), (staged.topics.events, True)):
        with metrics_page(lag.format(topic).encode()) as address:
            staged.metrics = address
            found = document(verify(staged, "--json"))
            assert (found["gauges"] is not None) is is_ours


@contextmanager
def metrics_page(text: bytes) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_missing_broker_is_named() -> None:
    result = CliRunner().invoke(main, ["verify"], env={"STREAM_APP_KAFKA": "127.0.0.1:1"})
    assert result.exit_code == 1
    assert "Kafka at 127.0.0.1:1 is unavailable" in result.stderr
    assert "Traceback" not in result.output


def test_a_missing_redis_is_named(staged: Staged) -> None:
    environment = staged.written().environment | {"STREAM_APP_REDIS": "redis://:s3cr3t@127.0.0.1:1"}
    result = CliRunner().invoke(main, ["verify"], env=environment)
    assert result.exit_code == 1
    assert "Redis at 127.0.0.1:1 is unavailable" in result.stderr
    assert "s3cr3t" not in result.output


@pytest.mark.parametrize("arguments", [["--wait", "-1"], ["--metrics", "nowhere"], ["--what"]])
def test_wrong_usage_is_told(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["verify", *arguments]).exit_code == 2


def test_a_wrong_configuration_is_told(tmp_path: Path) -> None:
    (tmp_path / "company.yaml").write_text("bussiness: {}\n")
    result = CliRunner().invoke(main, ["verify", "--config", str(tmp_path / "company.yaml")])
    assert result.exit_code == 2
    assert "company.yaml:1" in result.stderr
