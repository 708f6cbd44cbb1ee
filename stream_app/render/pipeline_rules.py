"""Alerts about the pipeline itself, each with the reason why its threshold is where it is.

The thresholds here are about a machine that must keep up, not about the business: what a KPI should
reach is the configuration's and judged by the worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

RUNBOOK: Final = "deploy/runbook.md"
JOB: Final = 'job="stream-app"'
DOWN: Final = "StreamAppDown"
NOT_IN_SERVICE: Final = "StreamAppNotInService"
REBUILDING: Final = "StreamAppRebuilding"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineAlert:
    """One alert; it has a section of the same name in the runbook.

    Attributes:
        watched: PromQL of what is looked at; it has data whenever a worker runs.
        condition: what follows it when something is wrong.
        lasting: for how long before anybody hears of it.
        keep: for how long it stays after the condition has gone, so that it does not flap.
        summary: what a person reads first; may use Prometheus' templates.
        meaning: what it means for the numbers.
    """

    name: str
    watched: str
    condition: str
    lasting: str
    severity: Literal["info", "warning", "critical"]
    summary: str
    meaning: str
    keep: str | None = None

    @property
    def expression(self) -> str:
        """The whole PromQL."""
        return f"{self.watched} {self.condition}"


_DEAD: Final = 'max by (topic, partition) (stream_app_partition_records{outcome="dead_letter"}'

PIPELINE_ALERTS: Final = (
    PipelineAlert(
        name=DOWN,
        watched=f"sum(up{{{JOB}}})",
        condition=f"== 0 or absent(up{{{JOB}}})",
        lasting="1m",
        severity="critical",
        summary="No worker of stream-app runs",
        meaning="Nothing is counted and nothing is lost: a worker that starts goes on where the"
        " last one stopped.",
    ),
    PipelineAlert(
        name="StreamAppWorkerDown",
        watched=f"up{{{JOB}}}",
        condition=f"== 0 and on () sum(up{{{JOB}}}) > 0",
        lasting="2m",
        severity="warning",
        summary="The worker {{ $labels.instance }} does not answer",
        meaning="The others have taken over its partitions.",
    ),
    PipelineAlert(
        name=NOT_IN_SERVICE,
        watched="max by (instance) (stream_app_in_service)",
        condition="== 0 unless on (instance) max by (instance) (stream_app_rebuilding) == 1",
        # Starting takes seconds; a take-over the session timeout and some more.
        lasting="2m",
        severity="critical",
        summary="{{ $labels.instance }} waits for Kafka or Redis",
        meaning="It counts nothing; nothing is lost. Its /readyz names the reason.",
    ),
    PipelineAlert(
        name=REBUILDING,
        watched="max(stream_app_rebuilding)",
        condition="== 1",
        lasting="0s",
        severity="info",
        summary="The state is rebuilt from the log",
        meaning="Nothing is published until it has caught up; alerts about KPIs are held back.",
    ),
    PipelineAlert(
        name="StreamAppRebuildsLong",
        watched="max(stream_app_rebuilding)",
        condition="== 1",
        lasting="1h",
        severity="warning",
        summary="The state has been rebuilt from the log for an hour",
        meaning="The KPIs shown are as old as that. The lag says whether it gets on.",
    ),
    PipelineAlert(
        name="StreamAppLag",
        watched="sum by (topic) (max by (topic, partition) (stream_app_lag_records))",
        # A worker counts this many in seconds: what stands longer does not get smaller.
        condition="> 10000",
        lasting="5m",
        severity="warning",
        summary="{{ $value }} records of {{ $labels.topic }} are not counted yet",
        meaning="The KPIs are late. More comes in than is counted, or something slows it down.",
    ),
    PipelineAlert(
        name="StreamAppStuck",
        watched="max by (topic, partition) (stream_app_lag_records)",
        condition="> 0 and on (topic, partition)"
        " changes(max by (topic, partition) (stream_app_source_offset)[5m:15s]) == 0",
        lasting="5m",
        severity="critical",
        summary="{{ $labels.topic }}/{{ $labels.partition }} has records and none gets counted",
        meaning="The KPIs of a share of all deals stand still.",
    ),
    PipelineAlert(
        name="StreamAppPartitionStopped",
        watched="max by (topic, partition) (stream_app_stopped_before_offset)",
        condition=">= 0",
        lasting="0s",
        severity="critical",
        summary="{{ $labels.topic }}/{{ $labels.partition }} is stopped before its bad record"
        " {{ $value }}",
        meaning="`poison: stop` asks for it: the KPIs of a share of all deals stand still.",
    ),
    PipelineAlert(
        name="StreamAppStale",
        watched="histogram_quantile(0.99, sum by (le) (rate(stream_app_freshness_seconds_bucket"
        "[5m])))",
        condition="> 10",
        lasting="5m",
        severity="warning",
        summary="Values are published {{ $value | humanizeDuration }} after their events",
        meaning="One value in a hundred is later than that.",
    ),
    PipelineAlert(
        name="StreamAppDeadLetters",
        watched=f"sum by (topic) ({_DEAD}) - {_DEAD} offset 15m))",
        condition="> 0",
        lasting="0s",
        keep="15m",
        severity="warning",
        summary="{{ $value }} records of {{ $labels.topic }} were refused in 15 minutes",
        meaning="They are in crm.dead-letters and in no KPI.",
    ),
    PipelineAlert(
        name="StreamAppDegraded",
        watched="max by (instance) (stream_app_degraded)",
        condition="== 1",
        lasting="30s",
        keep="5m",
        severity="critical",
        summary="{{ $labels.instance }} is degraded: most likely its input is broken",
        meaning="So many records are refused that not an event but its producer is wrong.",
    ),
    PipelineAlert(
        name="StreamAppOutbox",
        watched="max by (topic, partition) (stream_app_unpublished_seconds)",
        condition="> 60",
        lasting="30s",
        severity="critical",
        summary="{{ $labels.topic }}/{{ $labels.partition }} has had something to publish for"
        " {{ $value | humanizeDuration }} and published nothing",
        meaning="It is committed and will be sent; Kafka does not take it, or the worker is stuck.",
    ),
    PipelineAlert(
        name="StreamAppFenced",
        watched="(sum by (topic) (increase(stream_app_fenced_commits_total[30m])) or vector(0))",
        # One belongs to every take-over after a pause; several are workers that lose their session.
        condition="> 3",
        lasting="0s",
        keep="15m",
        severity="warning",
        summary="Workers were too silent and lost their partitions {{ $value | humanize }} times",
        meaning="Nothing was counted twice: the commits were refused. But work is done twice.",
    ),
    PipelineAlert(
        name="StreamAppStoreErrors",
        watched="(sum by (kind) (increase(stream_app_store_errors_total[10m])) or vector(0))",
        condition="> 0",
        lasting="2m",
        severity="warning",
        summary="Redis refuses or does not answer ({{ $labels.kind }})",
        meaning="The worker waits and tries again; nothing is lost while it does.",
    ),
    PipelineAlert(
        name="StreamAppAuditDivergence",
        watched="max(stream_app_audit_divergence)",
        condition="> 0",
        lasting="0s",
        keep="1h",
        severity="critical",
        summary="The audit found {{ $value }} cells in which the two stages differ",
        meaning="Some KPI may be wrong. This must never happen: please tell the developers.",
    ),
    PipelineAlert(
        name="StreamAppSeriesDropped",
        watched="max by (instance) (stream_app_series_dropped)",
        condition="> 0",
        lasting="5m",
        severity="warning",
        summary="{{ $value }} KPI series are too many for /metrics of {{ $labels.instance }}",
        meaning="Members with small samples are missing on the dashboards; kpi.values has them.",
    ),
    PipelineAlert(
        name="StreamAppMixedConfigurations",
        watched="max(count by (state_version) (count by (state_version, configuration)"
        " (stream_app_build_info)))",
        condition="> 1",
        # A rolling update has both for a while.
        lasting="15m",
        severity="warning",
        summary="Workers of one state version run with {{ $value }} different configurations",
        meaning="Each says the values of its partitions by its own formulas, windows and targets.",
    ),
    PipelineAlert(
        name="StreamAppMessagesFail",
        watched="sum by (integration) (increase(alertmanager_notifications_failed_total[15m]))",
        condition="> 0",
        lasting="0s",
        keep="15m",
        severity="critical",
        summary="Messages to people fail ({{ $labels.integration }})",
        meaning="Somebody is not told what an alert says. Alertmanager's log has the reason.",
    ),
)

HOLDS_KPI_ALERTS: Final = (DOWN, REBUILDING)
"""While one of these fires, what KPIs say is old: their alerts reach nobody."""


def pipeline_rules() -> Mapping[str, Any]:
    """The rule file's content."""
    return {
        "groups": [
            {
                "name": "stream-app-pipeline",
                "interval": "15s",
                "rules": [_rule(alert) for alert in PIPELINE_ALERTS],
            }
        ]
    }


def _rule(alert: PipelineAlert) -> Mapping[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expression}
    if alert.lasting != "0s":
        rule["for"] = alert.lasting
    if alert.keep is not None:
        rule["keep_firing_for"] = alert.keep
    return rule | {
        "labels": {"severity": alert.severity, "about": "pipeline"},
        "annotations": {
            "summary": alert.summary,
            "description": alert.meaning,
            "runbook": f"{RUNBOOK}#{alert.name.lower()}",
        },
    }
