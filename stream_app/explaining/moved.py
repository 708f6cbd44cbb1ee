"""Reads what tells an alert's cause: `kpi.alerts`, then the log, once for both moments."""

from dataclasses import dataclass
from typing import Any

from stream_app.company import Company
from stream_app.domain.windows import Window
from stream_app.explaining.difference import Difference, difference
from stream_app.explaining.episode import Episode, episode, records_of
from stream_app.explaining.inquiry import Inquiry, NothingThere, Told
from stream_app.explaining.question import RUNNING, WrongQuestion, question, scope_of
from stream_app.explaining.span import Span
from stream_app.explaining.trace import Trace
from stream_app.settings import Topics
from stream_app.stages.ports import SourceRecord
from stream_app.transport.reading import TopicReader
from stream_app.wire.cloudevent import Ignored, Rejection, Rules, decode

_DATE_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """An alert and what moved its value between two instants.

    Attributes:
        from_us: the value is compared with what it was then.
        to_us: and with what it was then.
    """

    episode: Episode
    from_us: int
    to_us: int
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertInquiry:
    """One question about an alert, to the topics of one company.

    Attributes:
        name: the id of a record, or a target.
        member: of that target.
        back_us: how long before the alert began the comparison begins.
        told: hears what is being done.
    """

    company: Company
    topics: Topics
    kafka: dict[str, Any]
    name: str
    member: str | None
    back_us: int
    told: Told

    async def run(self) -> Moved:
        """Find the alert, and read the log.

        Raises:
            WrongQuestion: there is no such alert, or the configuration does not know its KPI.
            NothingThere: nothing tells the time.
            BrokerUnavailable, NoSuchTopic: the topics cannot be read.
        """
        found = await self._episode()
        asked = question(
            self.company,
            kpi=found.told.kpi or "",
            window=found.told.window or "",
            start=self._start(found),
            dimension=found.told.dimension,
            member=found.told.member,
        )
        inquiry = Inquiry(self.company, self.topics, self.kafka, asked, self.told)
        from_us = found.since_us - self.back_us
        to_us = found.until_us or await inquiry.now_us()
        window = inquiry.window(to_us)
        earlier = self._window_then(inquiry, from_us, window)
        scope = scope_of(found.told.dimension, found.told.member)
        formula = asked.kpi.formula
        config = self.company.config
        then = Trace(config, scope, Span.of(formula, earlier), earlier.end_us)
        now = Trace(config, scope, Span.of(formula, window), window.end_us)
        cut = Cut(self.company)
        async with await TopicReader.open(self.topics.events, self.kafka) as events:
            async for record in events.read(self.told(f"reading {self.topics.events}")):
                if found.until_us is None or cut.was_there(record, to_us):
                    now.add(record.partition, record)
                if cut.was_there(record, from_us):
                    then.add(record.partition, record)
        moved = difference(
            inquiry.explained(then, earlier, from_us), inquiry.explained(now, window, to_us)
        )
        return Moved(found, from_us, to_us, moved)

    async def _episode(self) -> Episode:
        async with await TopicReader.open(self.topics.alerts, self.kafka) as reader:
            records = [
                (record.key, record.value)
                async for record in reader.read(self.told(f"reading {self.topics.alerts}"))
            ]
        if not records:
            raise NothingThere(f"{self.topics.alerts} is empty: no alert has ever changed")
        for_us = {target.name: target.for_us for target in self.company.config.targets}
        return episode(records_of(records), self.name, self.member, for_us)

    def _start(self, found: Episode) -> str:
        """The window that was judged; one that moves, and the first of `as_of`, just runs."""
        goals = {goal.name: goal for goal in self.company.goals}
        goal = goals.get(found.told.target)
        if found.told.start is None or goal is None or goal.moves:
            return RUNNING
        return found.told.start[:_DATE_CHARACTERS]

    @staticmethod
    def _window_then(inquiry: Inquiry, from_us: int, window: Window) -> Window:
        try:
            return inquiry.window(from_us)
        except WrongQuestion:  # it had not begun
            return window


class Cut:
    """What was in the log at an instant.

    A record that was written before it; where "now" is data, an event that happened before it.
    """

    def __init__(self, company: Company) -> None:
        business = company.config.business
        self._by_event = business.clock == "event" or business.as_of is not None
        self._accepted = Rules.from_config(company.config)

    def was_there(self, record: SourceRecord, at_us: int) -> bool:
        """Whether it counts at that instant."""
        if not self._by_event:
            return record.timestamp * 1_000 < at_us
        event = decode(record.key, record.value, record.timestamp, self._accepted)
        return not isinstance(event, Ignored | Rejection) and event.time < at_us
