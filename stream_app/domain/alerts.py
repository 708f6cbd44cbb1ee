"""The life of an alert: a pure state machine, moved by what is seen at each tick.

    ok ─missed─▶ pending ─for─▶ firing ─▶ resolved        achieved: once in each window

A calendar window that ends is judged once more, as a whole; that news stands until the day is over
or the new window has news of its own. Then the new window begins anew.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, Literal

from stream_app.domain.goal import Goal
from stream_app.domain.targets import Standing, Verdict

State = Literal["ok", "pending", "firing", "resolved", "achieved"]
Kind = Literal["level", "coaching"]

_CALM: Final = ("ok", "resolved", "achieved")
_ID_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Alert:
    """What is remembered of one target and one member between two ticks.

    Attributes:
        since_us: the tick at which the state began.
        window: key of the running window that was seen last.
        about: key of the window that the state is about.
        achieved: key of the window whose success was told last.
        held_on: the business day on which news about a closed window stands; 0: there is none.
        told: something stands in `kpi.alerts`.
        reason: why it is in that state as of the last tick; while all is well, why the running
            window is not judged.
    """

    state: State = "ok"
    since_us: int = 0
    window: str = ""
    about: str = ""
    achieved: str = ""
    held_on: int = 0
    told: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """An instant at which is looked.

    Attributes:
        day: its business day.
        window: key of the running window.
        start: first instant of that window, RFC 3339.
    """

    us: int
    day: int
    window: str
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What can be seen of one target and one member at one tick.

    Attributes:
        running: the standing in the running window; None: nothing is asked, or nobody is there.
        closed: the standing in the window that ended last; None likewise, or for moving windows.
        is_silent: `no_data`: nothing came for too long.
        for_us: how long a miss must last.
    """

    at: Tick
    running: Standing | None
    closed: Standing | None
    is_silent: bool
    for_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of an alert's state, as `kpi.alerts` tells it.

    Attributes:
        scope: of the member.
        about: key of the window.
        start: its first instant, RFC 3339.
        standing: what it was decided by; None: nobody is there any more.
    """

    goal: Goal
    kind: Kind
    scope: str
    state: State
    previous: State
    reason: str
    about: str
    start: str
    since_us: int
    standing: Standing | None

    @property
    def id(self) -> str:
        """The same for the same change, after whatever crash."""
        return alert_id(
            self.goal.name, self.kind, self.scope, self.about, self.state, self.since_us
        )


def alert_id(*parts: str | int) -> str:
    """An id: target, kind, scope, window, state, since."""
    text = "\x00".join(map(str, parts)).encode()
    return blake2b(text, digest_size=_ID_BYTES).hexdigest()


class Steps:
    """The changes of one tick."""

    def __init__(self, goal: Goal, kind: Kind, scope: str, before: Alert, at: Tick) -> None:
        self.goal = goal
        self.kind = kind
        self.scope = scope
        self.alert = before
        # Time may stand still (`as_of`): a change must not look like an earlier one.
        self.at_us = max(at.us, before.since_us + 1) if before.told else at.us
        self._start = at.start
        self.made: list[Transition] = []

    def to(self, state: State, reason: str, about: str, standing: Standing | None) -> None:
        """Change the state."""
        self.made.append(
            Transition(
                goal=self.goal,
                kind=self.kind,
                scope=self.scope,
                state=state,
                previous=self.alert.state,
                reason=reason,
                about=about,
                start=self._start if about in ("now", "") else about,
                since_us=self.at_us,
                standing=standing,
            )
        )
        self.alert = replace(
            self.alert,
            state=state,
            since_us=self.at_us,
            about=about,
            told=True,
            reason="" if state in ("ok", "resolved") else reason,
        )

    def calm(self, standing: Standing | None) -> None:
        """End what is wrong, if anything is."""
        if self.alert.state == "firing":
            self.to("resolved", "recovered", self.alert.about, standing)
        elif self.alert.state == "pending":
            self.to("ok", "recovered", self.alert.about, standing)

    def miss(self, reason: str, about: str, standing: Standing | None, for_us: int) -> None:
        """Something is wrong: for how long?"""
        alert = self.alert
        if alert.state in _CALM:
            self.to("pending" if for_us else "firing", reason, about, standing)
        elif alert.state == "pending" and self.at_us - alert.since_us >= for_us:
            self.to("firing", reason, about, standing)
        self.because(reason)

    def because(self, reason: str) -> None:
        """The state stays, and this is why."""
        if self.alert.reason != reason:
            self.alert = replace(self.alert, reason=reason)

    def achieve(self, about: str, standing: Standing) -> None:
        """Good news, once in each window."""
        self.calm(standing)
        if self.alert.achieved == about:
            return
        if self.alert.state == "achieved":
            self.to("ok", "recovered", about, standing)
        closed = standing.window.complete and standing.attainment not in (None, 1.0)
        self.to("achieved", "goal_exceeded" if closed else "goal_reached", about, standing)
        self.alert = replace(self.alert, achieved=about)


def advance(
    goal: Goal, scope: str, before: Alert | None, sight: Sight
) -> tuple[Alert, list[Transition]]:
    """A target's level at the next tick.

    Args:
        goal: the target.
        scope: of the member.
        before: what was remembered; None: it is seen for the first time, so that windows that
            ended before are nobody's news.
        sight: what there is now.
    """
    steps = Steps(goal, "level", scope, before or Alert(window=sight.at.window), sight.at)
    if steps.alert.held_on and _is_over(steps.alert, sight):
        _begin_anew(steps, sight)
    if steps.alert.window != sight.at.window:
        _close(steps, sight)
        steps.alert = replace(steps.alert, window=sight.at.window)
    if steps.alert.held_on and _has_news(steps.alert, sight):
        _begin_anew(steps, sight)
    if steps.alert.held_on:
        standing = sight.closed
        if steps.alert.state == "pending" and standing is not None:
            steps.miss(standing.reason, steps.alert.about, standing, sight.for_us)
    else:
        _judge(steps, sight)
    return steps.alert, steps.made


def _is_over(alert: Alert, sight: Sight) -> bool:
    """Whether what is told of a closed window has had its day, or is not true any more."""
    if sight.at.day > alert.held_on or alert.window != sight.at.window:
        return True
    closed = sight.closed
    wanted = Verdict.MET if alert.state == "achieved" else Verdict.MISSED
    return closed is None or closed.verdict is not wanted


def _has_news(alert: Alert, sight: Sight) -> bool:
    running = sight.running
    if sight.is_silent:
        return True
    if running is None:
        return False
    return running.verdict is Verdict.MISSED or (
        running.reached and alert.achieved != sight.at.window
    )


def _begin_anew(steps: Steps, sight: Sight) -> None:
    """What stood about the closed window ends."""
    steps.calm(sight.closed)
    if steps.alert.state == "achieved":
        steps.to("ok", "recovered", sight.at.window, sight.running)
    steps.alert = replace(steps.alert, held_on=0)


def _close(steps: Steps, sight: Sight) -> None:
    """The window that was running is over: judge it as a whole."""
    closed = sight.closed
    if closed is None or closed.verdict is Verdict.NOT_JUDGED:
        _begin_anew(steps, sight)
        return
    about = closed.window.key
    if steps.alert.about != about or not (closed.verdict is Verdict.MISSED and steps.goal.is_total):
        steps.calm(closed)
    if closed.verdict is Verdict.MET and steps.alert.achieved != about:
        steps.achieve(about, closed)
    elif closed.verdict is Verdict.MISSED and steps.goal.is_total:
        steps.miss(closed.reason, about, closed, sight.for_us)
    else:  # told while it ran
        _begin_anew(steps, sight)
        return
    steps.alert = replace(steps.alert, held_on=sight.at.day)


def _judge(steps: Steps, sight: Sight) -> None:
    """The running window."""
    running = sight.running
    state = steps.alert.state
    if sight.is_silent:
        steps.miss("no_data", sight.at.window, running, sight.for_us)
        return
    if running is None:
        steps.calm(None)
        if steps.alert.state != "achieved":
            steps.because("")
        return
    lingers = state == "firing" and running.verdict is Verdict.MET and not running.is_back
    if running.verdict is Verdict.MISSED or lingers:
        steps.miss(running.reason, sight.at.window, running, sight.for_us)
        return
    steps.calm(running)
    if running.reached and steps.alert.achieved != sight.at.window:
        steps.achieve(sight.at.window, running)
    elif steps.alert.state != "achieved":
        steps.because(running.unjudged)


def restate(
    goal: Goal,
    kind: Kind,
    scope: str,
    alert: Alert,
    *,
    told: State,
    at: Tick,
    standing: Standing | None,
) -> list[Transition]:
    """The changes from what somebody told to what an alert is; what is wrong ends as ever.

    Args:
        goal: the target.
        kind: of the alert.
        scope: of the member.
        alert: what is remembered.
        told: the state that others know of.
        at: when it is told.
        standing: what there is now in the window that it is about.
    """
    steps = Steps(goal, kind, scope, replace(alert, state=told), at)
    if alert.state in _CALM:
        steps.calm(standing)
    if steps.alert.state != alert.state:
        steps.to(alert.state, alert.reason or "recovered", alert.about, standing)
    return steps.made


def end(
    goal: Goal, kind: Kind, scope: str, before: Alert, at: Tick
) -> tuple[Alert, list[Transition]]:
    """Nothing is asked of the member any more: what is wrong ends."""
    steps = Steps(goal, kind, scope, before, at)
    steps.calm(None)
    return steps.alert, steps.made
