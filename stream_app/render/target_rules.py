"""Prometheus' rules about the targets: the worker judges, Prometheus passes the verdict on.

`kpi_target_state` says what the worker has decided (its `for`, hysteresis and pace included), so a
rule only asks for a state. It must not take a missing series for good news: a worker that was
killed or is being replaced exposes nothing for a while. So the last state holds until a worker says
another one, or until all workers have been well for two minutes and still say nothing (a member
that left).
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stream_app.company import Company
from stream_app.config.model import Target
from stream_app.domain.silence import alert_name
from stream_app.domain.windows import CALENDAR_KINDS
from stream_app.metrics.board import TargetState
from stream_app.metrics.kpi_names import (
    TARGET_COACHING,
    TARGET_REASON,
    TARGET_STATE,
    TARGET_VALUE,
    is_money,
    metric_name,
)
from stream_app.render.pipeline_rules import JOB, RUNBOOK
from stream_app.render.query import quoted

OFF_TARGET: Final = "KpiOffTarget"
ACHIEVED: Final = "KpiTargetAchieved"
COACHING: Final = "KpiCoachingSuggested"
SILENT_SOURCE: Final = "KpiSilentSource"
WELL: Final = "stream_app:well"

_BY: Final = "target, kpi, window, dimension, member"
_HELD: Final = "1h"
"""How long a last state is believed while workers are away; their own alert fires much sooner."""

_WELL_RULE: Final = {
    "record": WELL,
    "expr": f"min(min_over_time(up{{{JOB}}}[2m])) == 1"
    " and min(min_over_time(stream_app_in_service[2m])) == 1",
}


def target_rules(company: Company) -> Mapping[str, Any]:
    """The rule file's content; without targets and silent sources it has no rules."""
    targets, silent = company.config.targets, company.config.silent_sources_us
    rules = [rule for target in targets for rule in _rules(target, company)]
    rules += [_silent_rule(source) for source in silent]
    return {
        "groups": [
            {
                "name": "stream-app-targets",
                "interval": "5s",
                "rules": [_WELL_RULE, *rules] if rules else [],
            }
        ]
    }


def off_target(target: str) -> str:
    """PromQL: each member for which the target's alert fires, also while no worker says so."""
    return _held(TARGET_STATE, target, TargetState.FIRING)


def achieved(target: str) -> str:
    """PromQL: each member that has reached the target within the last 15 minutes."""
    return _news(TARGET_STATE, target, TargetState.ACHIEVED)


def coaching(target: str) -> str:
    """PromQL: each member that has missed it often enough, within the last 15 minutes."""
    return _news(TARGET_COACHING, target, TargetState.FIRING)


def _held(gauge: str, target: str, state: TargetState) -> str:
    """PromQL: each member in a state, also while no worker says so."""
    series = f"{gauge}{{target={quoted(target)}}}"
    return (
        f"max by ({_BY}) ({series}) == {state:d}"
        f" or (max by ({_BY}) (last_over_time({series}[{_HELD}])) == {state:d}"
        f" unless max by ({_BY}) ({series}) unless on () {WELL})"
    )


def _news(gauge: str, target: str, state: TargetState) -> str:
    """PromQL: each member that has got into a state, for 15 minutes.

    Such news is told once, not for as long as it holds; a worker that is replaced meanwhile does
    not make it news again.
    """
    series = f"{gauge}{{target={quoted(target)}}}"
    before = f"max by ({_BY}) (last_over_time({series}[{_HELD}] offset 15m)) == {state:d}"
    return f"({_held(gauge, target, state)}) unless {before}"


def _rules(target: Target, company: Company) -> Iterator[Mapping[str, Any]]:
    labels = {"target": _literal(target.name), "about": "kpi"}
    if target.owner is not None:
        labels["owner"] = _literal(target.owner)
    annotations = _annotations(target, company)
    yield {
        "alert": OFF_TARGET,
        "expr": off_target(target.name),
        # A series that moves to another worker is away for a scrape or two.
        "keep_firing_for": "1m",
        "labels": labels | {"severity": target.severity},
        "annotations": annotations
        | {
            "explain": _cause_command(target),
            "summary": f"{_title(target, company)} {_fault(target)}",
        },
    }
    yield {
        "alert": ACHIEVED,
        "expr": achieved(target.name),
        "labels": labels | {"severity": "info"},
        "annotations": annotations | {"summary": f"{_title(target, company)}: target achieved"},
    }
    if target.repeat_misses is not None:
        yield _coaching_rule(target, company, labels)


def _coaching_rule(target: Target, company: Company, labels: dict[str, str]) -> Mapping[str, Any]:
    """A suggestion, not an alarm: who misses it again and again may want help."""
    title = _title(target, company)
    often = f"{target.repeat_misses} times in a row"
    return {
        "alert": COACHING,
        "expr": coaching(target.name),
        "labels": labels | {"severity": "info"},
        "annotations": {
            "summary": f"{title}: missed {often}, coaching suggested",
            "description": f"Closed windows ({target.window}) in which the target was missed:"
            f" {often}. This is told once; the suggestion stands until one is met.",
            "explain": _report(target),
            "runbook": f"{RUNBOOK}#{COACHING.lower()}",
        },
    }


def _silent_rule(source: str) -> Mapping[str, Any]:
    """A source that says nothing; the worker's verdict has the form of one about a target."""
    name = alert_name(source)
    return {
        "alert": SILENT_SOURCE,
        "expr": off_target(name),
        "keep_firing_for": "1m",
        "labels": {"target": _literal(name), "about": "kpi", "severity": "warning"},
        "annotations": {
            "summary": f"{_literal(source)} has said nothing for too long",
            "description": "No event of it came in business hours: the KPIs may lack what happened"
            " there. See whether its connection, or what writes its events, still works.",
            "runbook": f"{RUNBOOK}#{SILENT_SOURCE.lower()}",
        },
    }


def _title(target: Target, company: Company) -> str:
    definition = next(kpi.definition for kpi in company.catalogue.kpis if kpi.name == target.kpi)
    whose = "" if target.dimension == ("company",) else " of {{ $labels.member }}"
    return f"{_literal(definition.title)}{whose} ({target.window})"


def _literal(text: str) -> str:
    """The text in a place where Prometheus expands templates."""
    return text.replace("{{", '{{ "{{" }}')


def _fault(target: Target) -> str:
    """What is wrong; of what may be one thing or another, what the worker says it is."""
    if target.at_most is not None:
        fault = "is above its limit"
    elif target.pace is None:
        fault = "is below its target"
    else:
        fault = _either(
            target, 'reason="below_target"', "is below its target", "is behind its pace"
        )
    if target.no_data_us is None:
        return fault
    return _either(target, 'reason="no_data"', "has no data", fault)


def _either(target: Target, why: str, then: str, otherwise: str) -> str:
    """A template that asks the worker why a target is in its state."""
    query = _query(TARGET_REASON, f"target={quoted(target.name)},{why},")
    return f"{{{{ with {query} }}}}{then}{{{{ else }}}}{otherwise}{{{{ end }}}}"


def _annotations(target: Target, company: Company) -> dict[str, str]:
    unit = next(kpi.definition.unit for kpi in company.catalogue.kpis if kpi.name == target.kpi)
    value = _looked_up(metric_name(target.kpi, unit), "", unit, company)
    wanted = _looked_up(TARGET_VALUE, f"target={quoted(target.name)},", unit, company)
    return {
        "value": value,
        "target_value": wanted,
        "description": _either(
            target,
            'about="closed"',
            f"in the {target.window} that has ended",
            f"{value}, target {wanted}",
        )
        if target.window in CALENDAR_KINDS
        else f"{value}, target {wanted}",
        "explain": _command(target),
    }


def _command(target: Target) -> str:
    """What to type to see which deals make up the value; a member is quoted for the shell."""
    asked = f"stream-app explain {target.kpi} --window {target.window}"
    if target.dimension == ("company",):
        return asked
    return f"{asked} --dimension {'+'.join(target.dimension)} --member {_QUOTED_MEMBER}"


def _report(target: Target) -> str:
    """What to type to see the closed windows of whoever may want help."""
    asked = f"stream-app report --window {target.window}"
    if target.dimension == ("company",):
        return asked
    about = f"--dimension {'+'.join(target.dimension)} --member {_QUOTED_MEMBER}"
    return f"{asked} {about}" + (" --coaching" if target.dimension == ("rep",) else "")


def _cause_command(target: Target) -> str:
    """What to type to see what moved the value since the alert began."""
    asked = f"stream-app explain --alert {_literal(shlex.quote(target.name))}"
    return asked if target.dimension == ("company",) else f"{asked} --member {_QUOTED_MEMBER}"


_QUOTED_MEMBER: Final = """'{{ $labels.member | reReplaceAll "'" "'\\\\''" }}'"""


_WRITTEN: Final = {"ratio": "humanizePercentage", "seconds": "humanizeDuration"}


def _looked_up(metric: str, more: str, unit: str, company: Company) -> str:
    """A template that looks a gauge up when the alert is sent, and writes it in its unit."""
    written = 'printf "%.2f"' if is_money(unit) else _WRITTEN.get(unit, "humanize")
    currency = f" {company.config.business.currency}" if is_money(unit) else ""
    query = _query(metric, more)
    value = f". | first | value | {written}"
    return f"{{{{ with {query} }}}}{{{{ {value} }}}}{currency}{{{{ else }}}}no value{{{{ end }}}}"


def _query(metric: str, more: str) -> str:
    """A template's pipeline that looks a gauge of the alert's member up."""
    asked = f"max({metric}{{{more.replace('%', '%%')}window=%q,dimension=%q,member=%q}})"
    escaped = asked.replace("\\", r"\\").replace('"', r"\"")
    return f'printf "{escaped}" .Labels.window .Labels.dimension .Labels.member | query'
