"""One file into the topic: continue where an earlier run stopped, send, remember."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from stream_app.intake.checkpoint import Checkpoint, Standing, fingerprint
from stream_app.intake.directory import Directory
from stream_app.intake.events import EventMaker, Occasion, Outcome
from stream_app.intake.plan import Plan, outcomes
from stream_app.intake.progress import Shown
from stream_app.intake.pseudonyms import Pseudonyms
from stream_app.intake.publish import Target, publish
from stream_app.intake.tally import Tally
from stream_app.wire.cloudevent import Rules

Show = Callable[[Plan, int], Shown]
"""Shows a plan's progress, given how many rows are done already."""


class Start(Enum):
    """How an import of a file begins."""

    NEW = "new"
    CONTINUED = "continued"
    COMPLETE = "already complete: nothing is sent"
    ANOTHER_TOPIC = "the topic is not the one an earlier run wrote to: starting over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all files of one command have in common.

    Attributes:
        state_directory: where checkpoints are.
        restart: start over, whatever they say.
        now_ms: the wall clock when the command was started.
        servers: the brokers, as configured.
        started: told how a file begins, and how many of its rows are done.
        settled: told what became of each row.
        rows_in_flight: rows that wait for their acknowledgement at a time, at most.
    """

    rules: Rules
    directory: Directory
    pseudonyms: Pseudonyms
    state_directory: Path
    restart: bool
    revision: str
    now_ms: int
    servers: tuple[str, ...]
    seconds: Callable[[], float]
    show: Show
    started: Callable[[Plan, Start, int], None]
    settled: Callable[[Plan, Outcome], None]
    rows_in_flight: int = 2_000

    def maker(self, plan: Plan, generation_ms: int) -> EventMaker:
        """What makes the events of a file."""
        return EventMaker(
            mapping=plan.mapping,
            lookup=plan.lookup,
            rules=self.rules,
            occasion=Occasion(
                now_us=self.now_ms * 1000, generation_ms=generation_ms, revision=self.revision
            ),
            pseudonyms=self.pseudonyms,
            directory=self.directory,
        )

    async def send(self, plan: Plan, topic: Target) -> Tally:
        """Import one file, or what is left of it.

        Returns:
            The counts over the whole file, earlier runs included.

        Raises:
            NotSent: the topic did not take everything; what it took is remembered.
            UnreadableFile: the file cannot be read to its end.
        """
        checkpoint = self._checkpoint(plan, topic)
        start, standing = await self._standing(checkpoint, topic)
        self.started(plan, start, standing.tally.rows)
        if start is Start.COMPLETE:
            return standing.tally

        def save() -> None:
            self.directory.save()  # first: whom the topic knows must be in it
            checkpoint.save(standing)

        maker = self.maker(plan, standing.generation_ms)
        with plan.open() as rows, self.show(plan, standing.tally.rows) as shown:

            def settled(outcome: Outcome) -> None:
                self.settled(plan, outcome)
                shown.advance(standing.tally.rows, rows.position_bytes())

            await publish(
                outcomes(maker, rows, standing.tally.rows),
                topic,
                standing,
                settled=settled,
                save=save,
                seconds=self.seconds,
                rows_in_flight=self.rows_in_flight,
            )
        if standing.tally.refused:
            checkpoint.remove()  # a configuration mended, they may be accepted the next time
        return standing.tally

    def _checkpoint(self, plan: Plan, topic: Target) -> Checkpoint:
        parts = (
            fingerprint(plan.inputs),
            plan.mapping.digest,
            str(plan.lookup.zone),
            self.revision,
            self.pseudonyms.fingerprint(),
            ",".join(sorted(self.servers)),
            topic.name,
        )
        return Checkpoint(self.state_directory, parts)

    async def _standing(self, checkpoint: Checkpoint, topic: Target) -> tuple[Start, Standing]:
        new = Standing(generation_ms=self.now_ms)
        found = None if self.restart else checkpoint.load()
        if found is None:
            return Start.NEW, new
        if not await topic.still_has(found.last_records):
            return Start.ANOTHER_TOPIC, new
        return (Start.COMPLETE if found.complete else Start.CONTINUED), found
