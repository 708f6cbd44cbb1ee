"""From an event to a message: real broker, Redis, worker, Prometheus, Alertmanager and HTTP.

    python -m tests.benchmarks.alert_path delay               a team falls below target, recovers
    python -m tests.benchmarks.alert_path flapping [MINUTES]  a KPI crosses its target every 2 s

The rules, routes and waiting times are the rendered ones, those of deploy/. In `delay` the worker
is killed and Prometheus is killed and restarted while the alert fires: there must be one message
that says so, and one when it is over.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaProducer

from stream_app.company import load_company
from stream_app.local.broker import LocalBroker
from stream_app.local.environment import bundled_wanted
from stream_app.local.redis_server import LocalRedis
from stream_app.render.alertmanager import alertmanager
from stream_app.render.files import RULES, Wishes, rendered_files
from tests.acceptance.worker_process import WorkerProcess
from tests.render.receiver import Receiver
from tests.render.servers import Alertmanager, Prometheus, running
from tests.render.tools import HOW_TO_GET_THEM, tools

SCRAPED_EVERY = "5s"  # as in deploy/prometheus/prometheus.yml
FLIP_SECONDS = 2.0
STATE = "kpi_target_state"
CONFIGURATION = """
business: {{timezone: UTC, currency: EUR}}
dimensions: [team]
windows: [hour, day]
targets:
  - {{name: win-rate, kpi: win_rate, window: day, dimension: team, at_least: 0.5}}
notify: {{default: floor, receivers: {{floor: {{webhook_url: "{url}"}}}}}}
"""


class Stack:
    """Everything between a CRM and a person."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        found = tools()
        if found is None:
            raise SystemExit(HOW_TO_GET_THEM)
        self.receiver = stack.enter_context(Receiver())
        self._directory = directory
        self._servers(directory, stack)
        self.worker = self._worker()
        stack.callback(self.stop_worker)
        self.worker.await_ready(60)
        company = load_company(directory / "company.yaml")
        rules = directory / "rules"
        rules.mkdir()
        for name, text in rendered_files(company, Wishes()).items():
            if name.startswith(RULES):
                (rules / Path(name).name).write_text(text, encoding="utf-8")
        self.alertmanager = Alertmanager(found, directory, alertmanager(company.config))
        stack.enter_context(running(self.alertmanager))
        self.prometheus = Prometheus(
            found,
            directory,
            {"stream-app": self.worker.address},
            rules=rules,
            alertmanager=self.alertmanager.address,
            every=SCRAPED_EVERY,
        )
        stack.enter_context(running(self.prometheus))

    def _servers(self, directory: Path, stack: ExitStack) -> None:
        broker = LocalBroker(directory / "kafka", bundled=bundled_wanted(), discard=directory)
        redis = LocalRedis(directory / "redis", bundled=bundled_wanted(), discard=directory)
        for server in (broker, redis):
            server.start()
            stack.callback(server.stop)
        configuration = directory / "company.yaml"
        configuration.write_text(CONFIGURATION.format(url=self.receiver.url), encoding="utf-8")
        self.broker = broker.bootstrap
        self._environment = {
            "STREAM_APP_KAFKA": broker.bootstrap,
            "STREAM_APP_REDIS": redis.url,
            "STREAM_APP_CONFIG": str(configuration),
            "STREAM_APP_PARTITIONS": "2",
        }

    def _worker(self, port: int | None = None) -> WorkerProcess:
        log = self._directory / "worker.log"
        return WorkerProcess(self._environment, log, port=port)

    def stop_worker(self) -> None:
        """SIGTERM for whichever runs by now."""
        self.worker.stop()

    def kill_and_restart(self) -> None:
        """SIGKILL for the worker, then for Prometheus; both come back where they were."""
        self.worker.kill()
        wait("Prometheus misses the worker", lambda: self.sees("up == 0"))
        self.prometheus.kill()
        self.prometheus.start()
        self.worker = self._worker(self.worker.port)
        wait("the worker is back", lambda: self.sees("up == 1"), 90)
        wait("the state is back", lambda: self.sees(f"{STATE} == 2"), 90)

    def state(self) -> float | None:
        """What the worker says about the target."""
        return next((value for name, _, value in self.worker.samples() if name == STATE), None)

    def sees(self, expr: str) -> bool:
        """Whether Prometheus has samples for it."""
        return bool(self.prometheus.query(expr))

    def told(self, status: str) -> list[float]:
        """When messages of a status came."""
        return [each.at for each in self.receiver.messages if each.status == status]


def wait(what: str, condition: Callable[[], object], seconds: float = 420) -> float:
    """Wait for it; returns when it was seen, seconds since 1970."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
    return time.time()


def deal(number: int, outcome: str, place: int = 0) -> tuple[bytes, bytes]:
    """Key and value of one deal's end."""
    event = {
        "specversion": "1.0",
        "id": f"{number}-{outcome}-{place}",
        "source": "//benchmark",
        "type": f"crm.deal.{outcome}.v1",
        "time": datetime.now(UTC).isoformat(),
        "data": {"deal_id": f"d-{number}", "team": "emea", "amount": "100"},
    }
    return f"d-{number}".encode(), json.dumps(event).encode()


async def send(broker: str, *records: tuple[bytes, bytes]) -> float:
    """Send; returns when the first was handed over."""
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        began = time.time()
        for key, value in records:
            await producer.send("crm.events", value, key=key)
        await producer.flush()
    return began


def delay(stack: Stack) -> Iterator[str]:
    """A team's win rate falls from 1 to 1/4, whatever dies, and recovers."""
    asyncio.run(send(stack.broker, *(deal(number, "won") for number in range(20))))
    wait("on target", lambda: stack.state() == 0)
    time.sleep(6)  # until Prometheus has heard it, too

    crossed = asyncio.run(send(stack.broker, *(deal(number, "lost") for number in range(20, 80))))
    steps: Mapping[str, Callable[[], object]] = {
        "the worker says firing (its page was asked every 50 ms)": lambda: stack.state() == 2,
        "Prometheus has scraped it": lambda: stack.sees(f"{STATE} == 2"),
        "the rule fires": lambda: stack.sees('ALERTS{alertname="KpiOffTarget"}'),
        "the message is there": lambda: stack.told("firing"),
    }
    before = crossed
    for step, condition in steps.items():
        seen = wait(step, condition)
        yield f"{seen - before:7.2f} s  {step}"
        before = seen
    yield f"{before - crossed:7.2f} s  in all, from the event to the message"

    stack.kill_and_restart()
    time.sleep(30)
    yield f"after SIGKILL of the worker and of Prometheus: {_messages(stack)}"

    recovered = asyncio.run(send(stack.broker, *(deal(n, "won") for n in range(80, 200))))
    wait("on target again", lambda: stack.state() == 0)
    over = wait("resolved", lambda: stack.told("resolved"))
    yield f"{over - recovered:7.2f} s  from the event that ended it to the message that says so"
    yield f"in the end: {_messages(stack)}"
    if [each.status for each in stack.receiver.messages] != ["firing", "resolved"]:
        raise SystemExit("expected one message of each kind")


def flapping(stack: Stack, minutes: float) -> Iterator[str]:
    """One deal, won and lost in turn: the win rate is 1, 0, 1 …"""
    crossings, states = 0, set()
    deadline = time.monotonic() + 60 * minutes
    while time.monotonic() < deadline:
        outcome = ("lost", "won")[crossings % 2]
        asyncio.run(send(stack.broker, deal(1, outcome, crossings)))
        crossings += 1
        time.sleep(FLIP_SECONDS)
        states.add(stack.state())
    yield f"{crossings} crossings in {minutes:g} minutes; states that were seen: {states}"
    yield f"meanwhile: {_messages(stack)}"
    asyncio.run(send(stack.broker, deal(1, "won", crossings)))
    wait("over", lambda: not stack.sees("ALERTS"))
    if stack.told("firing"):
        wait("resolved", lambda: stack.told("resolved"))
    yield f"in the end: {_messages(stack)}"


def _messages(stack: Stack) -> str:
    return f"messages {[each.status for each in stack.receiver.messages]}"


@contextmanager
def running_stack() -> Iterator[Stack]:
    """The whole stack in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="stream-app-alerts-") as name, ExitStack() as stack:
        yield Stack(Path(name), stack)


def main(arguments: list[str]) -> None:
    """Run one of the two."""
    match arguments:
        case ["delay"]:
            with running_stack() as stack:
                for line in delay(stack):
                    print(line, flush=True)
        case ["flapping", *rest]:
            with running_stack() as stack:
                for line in flapping(stack, float(rest[0]) if rest else 10):
                    print(line, flush=True)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
