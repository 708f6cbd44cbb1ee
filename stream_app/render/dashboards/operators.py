"""For those who run it: does it keep up, does it lose anything, is it well."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render.dashboards.frame import Row, Scene, bare_frame, filled, liveness
from stream_app.render.panels import AnyPanel, number, trend

_DEAD: Final = 'max by (topic, partition) (stream_app_partition_records{outcome="dead_letter"})'


def dashboard(scene: Scene) -> Dashboard:  # noqa: ARG001 - one of the dashboards
    """The pipeline's own metrics; each panel has an alert and a section of the runbook."""
    board = bare_frame(
        "operators", "Operators", "Whether the pipeline keeps up, and what to look at if not."
    )
    return filled(
        board,
        liveness(),
        Row(4, _numbers()),
        Row(8, _flow()),
        Row(8, _time()),
        Row(8, _faults()),
        Row(8, _process()),
    )


def _quantile(share: float, metric: str, by: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket[5m])))"


def _numbers() -> list[AnyPanel]:
    return [
        number(
            "Workers in service",
            "Workers whose outputs can be relied upon: /readyz answers 200.",
            "sum(stream_app_in_service)",
            none="none",
        ),
        number(
            "Not counted yet",
            "Records between the committed state and the log's end, all topics.",
            "sum(max by (topic, partition) (stream_app_lag_records))",
            none="no worker",
        ),
        number(
            "Record to value, 99 %",
            "From a record's timestamp to the publication of the value it changed, 5 minutes.",
            _quantile(0.99, "stream_app_freshness_seconds"),
            unit="s",
            none="nothing was published",
        ),
        number(
            "Dead letters",
            "Records that were refused, since the log's start.",
            f"sum({_DEAD})",
            none="no worker",
        ),
        number(
            "Audit divergence",
            "Cells in which the last audit found the two stages to differ: must be 0.",
            "max(stream_app_audit_divergence)",
            none="no worker",
        ),
        number(
            "Series not shown",
            "KPI series that are too many for the metrics page.",
            "sum(stream_app_series_dropped)",
            none="no worker",
        ),
    ]


def _flow() -> list[AnyPanel]:
    return [
        trend(
            "Records a second",
            "Records read, by outcome. Repeats after a restart are duplicates.",
            {"{{outcome}}": "sum by (outcome) (rate(stream_app_events_total[1m]))"},
            "reqps",
        ),
        trend(
            "Lag",
            "Records that are not counted yet, by topic.",
            {"{{topic}}": "sum by (topic) (max by (topic, partition) (stream_app_lag_records))"},
            "short",
        ),
        trend(
            "Published a second",
            "Records that the broker acknowledged, by topic.",
            {"{{topic}}": "sum by (topic) (rate(stream_app_published_total[1m]))"},
            "reqps",
        ),
    ]


def _time() -> list[AnyPanel]:
    return [
        trend(
            "Record to published value",
            "From a record's timestamp to the value it changed.",
            {
                "50 %": _quantile(0.5, "stream_app_freshness_seconds"),
                "99 %": _quantile(0.99, "stream_app_freshness_seconds"),
            },
            "s",
        ),
        trend(
            "A batch, 99 %",
            "From a batch's delivery to its commit, by stage.",
            {"{{stage}}": _quantile(0.99, "stream_app_batch_duration_seconds", "stage, le")},
            "s",
        ),
        trend(
            "A commit, 99 %",
            "The atomic commit in Redis, by stage.",
            {"{{stage}}": _quantile(0.99, "stream_app_commit_duration_seconds", "stage, le")},
            "s",
        ),
    ]


def _faults() -> list[AnyPanel]:
    return [
        trend(
            "Dead letters in 15 minutes",
            "Refused records by reason, of the workers that run.",
            {"{{reason}}": "sum by (reason) (increase(stream_app_dead_letters_total[15m]))"},
            "short",
        ),
        trend(
            "Outputs not acknowledged",
            "Entries of the outbox: they are committed and will be sent.",
            {"{{topic}}": "sum by (topic) (max by (topic, partition) (stream_app_outbox_entries))"},
            "short",
        ),
        trend(
            "Fenced commits and Redis errors, 15 minutes",
            "Commits refused because another worker owns the partition, and failed Redis calls.",
            {
                "fenced {{topic}}": "sum by (topic)"
                " (increase(stream_app_fenced_commits_total[15m]))",
                "Redis {{kind}}": "sum by (kind) (increase(stream_app_store_errors_total[15m]))",
            },
            "short",
        ),
    ]


def _process() -> list[AnyPanel]:
    return [
        trend(
            "Memory",
            "Resident memory of each worker.",
            {"{{instance}}": 'process_resident_memory_bytes{job="stream-app"}'},
            "bytes",
        ),
        trend(
            "Processor",
            "Share of one core that each worker uses.",
            {"{{instance}}": 'rate(process_cpu_seconds_total{job="stream-app"}[1m])'},
            "percentunit",
        ),
        trend(
            "Entries of the state",
            "What the tables in Redis hold.",
            {"{{table}}": "sum by (table) (stream_app_state_entries)"},
            "short",
        ),
    ]
