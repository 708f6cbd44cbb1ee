"""Reads what an explanation needs: the values, the clock, then the log, once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from stream_app.company import Company
from stream_app.display_names import display_names
from stream_app.domain.asked import Asked
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.standings import Goals
from stream_app.domain.windows import Window, WindowRules, last_instant_of
from stream_app.explaining.adding_up import Explaining
from stream_app.explaining.explanation import Explanation
from stream_app.explaining.question import (
    Question,
    Standing,
    scope_of,
    window_asked,
    windows_of,
)
from stream_app.explaining.span import Span
from stream_app.explaining.trace import Trace
from stream_app.settings import Topics
from stream_app.transport.reading import NoSuchTopic, Progress, TopicReader
from stream_app.verification.compare import equal, shown
from stream_app.wire.cloudevent import Ignored, Rejection, Rules, decode
from stream_app.wire.published import Published
from stream_app.wire.tick import decode_tick
from stream_app.wire.value import said, value_key

_PAUSE_SECONDS: Final = 0.5
_COMPARED: Final = ("start", "end", "value", "numerator", "denominator", "previous")

Told = Callable[[str], Progress | None]


class NothingThere(Exception):
    """There is nothing to explain; the message says why."""


@dataclass(slots=True)
class Inquiry:
    """One question to the topics of one company.

    Attributes:
        told: hears what is being done.
    """

    company: Company
    topics: Topics
    kafka: dict[str, Any]
    question: Question
    told: Told
    _rules: WindowRules = field(init=False)
    _standing: Standing = field(init=False)
    _tick_us: int = 0

    def __post_init__(self) -> None:
        self._rules = windows_of(self.company)
        self._standing = Standing(self.question)

    async def run(self, wait_seconds: float) -> Explanation:
        """Explain; while the worker is still busy, look again for so many seconds.

        Raises:
            WrongQuestion: there is no such member or window.
            NothingThere: nobody published anything, or told the time.
            BrokerUnavailable, NoSuchTopic: the topics cannot be read.
        """
        topics, kafka = self.topics, self.kafka
        async with (
            await TopicReader.open(topics.values, kafka) as values,
            await TopicReader.open(topics.events, kafka) as events,
        ):
            await self._read_values(values, self.told(f"reading {topics.values}"))
            if not self._standing.size:
                raise NothingThere(
                    f"{topics.values} is empty: is a worker running, and has it read the log?"
                )
            member = self._standing.member(self._names())
            scope = scope_of(self.question.dimension, member)
            now_us = await self.now_us()
            window = self.window(now_us)
            span = Span.of(self.question.kpi.formula, window)
            trace = Trace(self.company.config, scope, span, window.end_us)
            await self._read_log(events, trace, self.told(f"reading {topics.events}"))
            explanation = self._compared(trace, window, now_us)
            until_s = time.monotonic() + wait_seconds
            self._standing.watched = _key(self.question, window, scope)
            while explanation.differences and time.monotonic() < until_s:
                self.told("the value differs; waiting for the worker")
                await asyncio.sleep(_PAUSE_SECONDS)
                self._standing.seen.clear()
                await self._read_values(values, None)
                if any(not _differences(explanation, record) for record in self._standing.seen):
                    # What was explained was published meanwhile; the log has only gone on since.
                    return replace(explanation, found=True, differences=())
                await self._read_log(events, trace, None)
                now_us = await self.now_us()
                later = self.window(now_us)
                if (later.range, later.compared) != (window.range, window.compared):
                    raise NothingThere("the window moved on while the log was read; ask again")
                explanation = self._compared(trace, later, now_us)
            return explanation

    @property
    def _calendar(self) -> BusinessCalendar:
        return self._rules.calendar

    def _names(self) -> dict[str, str]:
        name = display_names(self.company.config)
        return {member: name(self.question.dimension, member) for member in self._standing.members}

    def window(self, now_us: int) -> Window:
        """The window asked about, as it is at an instant.

        Raises:
            WrongQuestion: it is not among those that are kept.
        """
        evaluator = Evaluator(self.company.catalogue, self._rules)
        return window_asked(self.question, evaluator.windows_at(now_us), self._rules)

    def _asked(self, window: Window, now_us: int) -> Asked:
        company, rules = self.company, self._rules
        goals = Goals(company.goals, company.working_days, rules.kinds)
        asked = Asked(goals, rules, MINOR_UNIT_EXPONENTS[company.config.business.currency])
        asked.refresh((window,), self._calendar.day_of(now_us))
        return asked

    def explained(self, trace: Trace, window: Window, now_us: int) -> Explanation:
        """What a trace has of the window at an instant."""
        explaining = Explaining(self.company.config, self._calendar, self._asked(window, now_us))
        return explaining.explain(trace, self.question.kpi, window)

    def _compared(self, trace: Trace, window: Window, now_us: int) -> Explanation:
        explanation = self.explained(trace, window, now_us)
        record = self._standing.record(_key(self.question, window, trace.scope))
        return replace(
            explanation,
            found=record is not None,
            differences=tuple(_differences(explanation, record)),
        )

    # -- reading ---------------------------------------------------------------------------------

    async def _read_values(self, reader: TopicReader, progress: Progress | None) -> None:
        async for record in reader.read(progress):
            self._standing.take(record.key, record.value)

    @staticmethod
    async def _read_log(reader: TopicReader, trace: Trace, progress: Progress | None) -> None:
        async for record in reader.read(progress):
            trace.add(record.partition, record)

    async def now_us(self) -> int:
        """What "now" is for this company.

        Raises:
            NothingThere: nothing tells it.
        """
        business = self.company.config.business
        if business.as_of is not None:
            return last_instant_of(business.as_of.toordinal(), self._calendar)
        now_us = await (self._newest_event() if business.clock == "event" else self._last_tick())
        if not now_us:
            raise NothingThere(
                f"nothing tells what time it is ({self.topics.ticks}): has a worker run lately?"
            )
        return now_us

    async def _last_tick(self) -> int:
        try:
            async with await TopicReader.open(self.topics.ticks, self.kafka, last=1) as reader:
                async for record in reader.read():
                    self._tick_us = max(self._tick_us, decode_tick(record.value or b""))
        except NoSuchTopic:
            return 0
        return self._tick_us

    async def _newest_event(self) -> int:
        accepted = Rules.from_config(self.company.config)
        newest_us = 0
        async with await TopicReader.open(self.topics.events, self.kafka) as reader:
            async for record in reader.read(self.told("looking for the newest event")):
                event = decode(record.key, record.value, record.timestamp, accepted)
                if not isinstance(event, Ignored | Rejection):
                    newest_us = max(newest_us, event.time)
        return newest_us


def _key(asked: Question, window: Window, scope: str) -> bytes:
    return value_key(asked.kpi.name, window.kind, window.key, scope)


def _differences(explanation: Explanation, record: Published | None) -> list[str]:
    """Where what is published is not what the log says."""
    if record is None:
        if explanation.is_empty:
            return []
        return ["no value is published, though the log says one"]
    says = said(explanation.said)
    return [
        f"{name} is {shown(getattr(record, name))} in kpi.values, "
        f"the log says {shown(getattr(says, name))}"
        for name in _COMPARED
        if not equal(getattr(says, name), getattr(record, name))
    ]
