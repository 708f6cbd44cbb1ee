"""What the state beside a value may be, for whoever sees one moment only."""

from stream_app.domain.alerts import State
from stream_app.domain.targets import Standing, Verdict


def possible_states(standing: Standing, closed: Standing | None) -> tuple[State, ...]:
    """The states that a target may have beside a value, as far as one moment can tell.

    What came before decides between them: how long it has been missed, whether it fired.

    Args:
        standing: beside that value.
        closed: in the window that ended before it, of which there may still be news.

    Returns:
        The likeliest first.
    """
    target = standing.goal.target
    missed: tuple[State, ...] = ("firing", "pending") if target.for_us else ("firing",)
    if standing.window.complete:
        return (closed_state(standing),)
    if standing.verdict is Verdict.MISSED:
        return missed
    states: dict[State, None] = dict.fromkeys(("ok", "resolved"))
    if standing.reached:
        states = dict.fromkeys(("achieved", "ok", "resolved"))
    elif standing.goal.is_total or (closed is not None and closed.verdict is Verdict.MET):
        states["achieved"] = None
    lingers = standing.verdict is Verdict.MET and not standing.is_back
    if target.no_data_us is not None or lingers:
        states |= dict.fromkeys(missed)
    if standing.goal.is_total and closed is not None and closed.verdict is Verdict.MISSED:
        states |= dict.fromkeys(missed)
    return tuple(states)


def closed_state(standing: Standing) -> State:
    """The state of a target beside the value of a closed window."""
    states: dict[Verdict, State] = {
        Verdict.MET: "achieved",
        Verdict.MISSED: "firing",
        Verdict.NOT_JUDGED: "ok",
    }
    return states[standing.verdict]
