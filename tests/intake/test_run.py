"""Sending a file: acknowledged, remembered, continued, and not repeated."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stream_app.intake.directory import Directory
from stream_app.intake.events import Outcome
from stream_app.intake.plan import Plan
from stream_app.intake.progress import Shown, show
from stream_app.intake.pseudonyms import Pseudonyms
from stream_app.intake.publish import NotSent
from stream_app.intake.run import Run, Start
from stream_app.intake.tally import Tally
from tests.intake.imports import DEALS, DEALS_HEADER, KEY, NOW_US, RULES, Folder
from tests.intake.memory_topic import MemoryTopic
from tests.intake.showing import console_and_pace

COUNT = 12
ROWS_IN_FLIGHT = 3
ROWS = DEALS_HEADER + "".join(
    f"{number},r-1,Basic,2017-03-01,won,2017-04-15,{number}\n" for number in range(COUNT)
)


@dataclass
class Importing:
    """Imports of one folder, and what they told."""

    folder: Folder
    starts: list[tuple[Start, int]] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)

    def run(self, now_ms: int = NOW_US // 1000, **options: Any) -> Run:
        directory = Directory(self.folder.path / "directory.yaml")

        def started(_plan: Plan, start: Start, rows: int) -> None:
            self.starts.append((start, rows))

        def settled(_plan: Plan, outcome: Outcome) -> None:
            self.settled.append(outcome)

        def shown(plan: Plan, rows: int) -> Shown:
            console, pace = console_and_pace(plan.path.stat().st_size, rows)
            return show(console, "rows.csv", pace)

        defaults: dict[str, Any] = {
            "rules": RULES,
            "directory": directory,
            "pseudonyms": Pseudonyms(KEY, directory),
            "state_directory": self.folder.path / "state",
            "restart": False,
            "revision": "",
            "servers": ("b:9092", "a:9092"),
            "seconds": lambda: 0.0,
            "show": shown,
            "started": started,
            "settled": settled,
            "rows_in_flight": ROWS_IN_FLIGHT,
            "now_ms": now_ms,
        }
        return Run(**(defaults | options))

    async def send(
        self, topic: MemoryTopic, rows: str = ROWS, mapping: str = DEALS, **options: Any
    ) -> Tally:
        return await self.run(**options).send(self.folder.plan(mapping, rows), topic)

    @property
    def checkpoints(self) -> list[Path]:
        return list((self.folder.path / "state" / "imports").glob("*.json"))


@pytest.fixture
def importing(folder: Folder) -> Importing:
    return Importing(folder)


async def test_every_row_is_sent_once_in_order_and_counted(importing: Importing) -> None:
    topic = MemoryTopic()

    tally = await importing.send(topic)

    assert tally == Tally(
        rows=COUNT, events={"crm.deal.created.v1": COUNT, "crm.deal.won.v1": COUNT}
    )
    assert [record for o in importing.settled for record in o.records] == topic.sent
    assert [o.row.number for o in importing.settled] == list(range(1, COUNT + 1))


async def test_a_finished_import_sends_nothing_again(importing: Importing) -> None:
    topic = MemoryTopic()
    tally = await importing.send(topic)
    topic.sent.clear()

    assert await importing.send(topic, now_ms=NOW_US // 1000 + 1) == tally

    assert topic.sent == []
    assert importing.starts == [(Start.NEW, 0), (Start.COMPLETE, COUNT)]


async def test_a_restart_sends_exact_duplicates(importing: Importing) -> None:
    topic = MemoryTopic()
    await importing.send(topic)
    first = list(topic.sent)

    await importing.send(topic, restart=True)

    assert topic.sent == first * 2


@pytest.mark.parametrize("limit", ["fails_after", "interrupts_after"])
async def test_a_stopped_import_continues_after_the_last_acknowledged_row(
    importing: Importing, limit: str
) -> None:
    topic = MemoryTopic()
    setattr(topic, limit, 15)
    with pytest.raises((NotSent, asyncio.CancelledError)):
        await importing.send(topic)
    acknowledged = len(importing.settled)
    setattr(topic, limit, None)

    tally = await importing.send(topic, now_ms=NOW_US // 1000 + 5)

    assert tally.rows == COUNT
    assert 0 < acknowledged <= 15 // 2
    assert importing.starts == [(Start.NEW, 0), (Start.CONTINUED, acknowledged)]
    assert [o.row.number for o in importing.settled] == list(range(1, COUNT + 1))
    # What was on its way comes twice, as exact duplicates: the same generation goes on.
    assert len(set(topic.sent)) == 2 * COUNT


async def test_a_failure_says_how_to_go_on(importing: Importing) -> None:
    with pytest.raises(
        NotSent, match=r"a record was not acknowledged: .*start the import again to continue"
    ):
        await importing.send(MemoryTopic(fails_after=0))


async def test_progress_is_saved_while_it_goes_on(importing: Importing) -> None:
    clock = iter(range(10**9))
    topic = MemoryTopic()
    saved: list[int] = []
    topic_send: Callable[..., Any] = topic.send

    async def send(record: Any) -> Any:
        saved.append(len(importing.checkpoints))
        return await topic_send(record)

    topic.send = send  # type: ignore[method-assign]

    await importing.send(topic, seconds=lambda: float(next(clock)))

    assert (saved[0], saved[-1]) == (0, 1)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"rows": ROWS + "x,,,2017-03-01,,,\n"}, id="another file"),
        pytest.param({"mapping": DEALS + "# better\n"}, id="another mapping"),
        pytest.param({"revision": "2"}, id="another revision"),
        pytest.param({"servers": ("c:9092",)}, id="another cluster"),
    ],
)
async def test_another_import_is_not_taken_for_this_one(
    importing: Importing, changed: dict[str, Any]
) -> None:
    topic = MemoryTopic()
    await importing.send(topic)

    await importing.send(topic, **changed)

    assert importing.starts[-1] == (Start.NEW, 0)


async def test_the_order_of_servers_makes_no_other_import(importing: Importing) -> None:
    topic = MemoryTopic()
    await importing.send(topic)

    await importing.send(topic, servers=("a:9092", "b:9092"))

    assert importing.starts[-1] == (Start.COMPLETE, COUNT)


async def test_a_joined_file_that_changed_makes_another_import(importing: Importing) -> None:
    mapping = DEALS + "joins: {file: teams.csv, on: product, key: p, take: [region]}\n"
    topic = MemoryTopic()
    importing.folder.write("teams.csv", "p,region\nBasic,West\n")
    await importing.send(topic, mapping=mapping)
    importing.folder.write("teams.csv", "p,region\nBasic,East\n")

    await importing.send(topic, mapping=mapping)

    assert importing.starts[-1] == (Start.NEW, 0)


async def test_a_topic_made_anew_gets_everything(importing: Importing) -> None:
    await importing.send(MemoryTopic())
    fresh = MemoryTopic()

    await importing.send(fresh)

    assert importing.starts[-1] == (Start.ANOTHER_TOPIC, 0)
    assert len(fresh.sent) == 2 * COUNT


async def test_refused_rows_are_tried_again_the_next_time(importing: Importing) -> None:
    rows = DEALS_HEADER + "1,,,2017-03-01,,,\n2,,,yesterday,,,\n"
    topic = MemoryTopic()

    first = await importing.send(topic, rows)
    again = await importing.send(topic, rows)

    assert first == again == Tally(rows=2, events={"crm.deal.created.v1": 1}, refused=1)
    assert importing.starts == [(Start.NEW, 0)] * 2
    assert importing.checkpoints == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"format":0,"generation_ms":1}', b'{"x":1}'])
async def test_a_checkpoint_that_cannot_be_read_is_none(
    importing: Importing, content: bytes
) -> None:
    topic = MemoryTopic()
    await importing.send(topic)
    (path,) = importing.checkpoints
    path.write_bytes(content)

    await importing.send(topic)

    assert importing.starts[-1] == (Start.NEW, 0)


async def test_names_are_in_the_directory_before_the_checkpoint_says_they_were_sent(
    importing: Importing,
) -> None:
    mapping = DEALS.replace("opaque: [rep]", "pseudonyms: {rep: {prefix: r-, directory: reps}}")
    rows = DEALS_HEADER + "1,Ada Lace,,2017-03-01,,,\n"

    with pytest.raises(NotSent):
        await importing.send(MemoryTopic(fails_after=0), rows, mapping)

    assert "Ada Lace" in (importing.folder.path / "directory.yaml").read_text()
