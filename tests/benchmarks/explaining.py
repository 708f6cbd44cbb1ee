"""What explaining one value costs: processor time and memory by events of the log.

python -m tests.benchmarks.explaining [EVENTS]
"""

import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import yaml

from stream_app.company import Company
from stream_app.config.load import parse_config
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.scopes import COMPANY
from stream_app.explaining.adding_up import Explaining
from stream_app.explaining.question import question, window_asked, windows_of
from stream_app.explaining.span import Span
from stream_app.explaining.trace import Trace
from stream_app.kpis import catalogue
from stream_app.simulate import Options, matching_configuration, simulate
from tests.explaining.stories import Logged

NOW_US = int(datetime(2026, 3, 20, 12, 3, tzinfo=UTC).timestamp()) * 1_000_000


def main(events: int) -> None:
    options = Options(
        start=datetime(2025, 4, 1, tzinfo=UTC),
        events=events,
        days=353.0,
        reps=60,
        teams=6,
        corrections=0.02,
        disorder=0.05,
    )
    config = parse_config(yaml.safe_dump(matching_configuration(options)), "benchmark", Path())
    company = Company(config, catalogue(config), "v")
    rules = windows_of(company)
    asked = question(
        company, kpi="win_rate", window="month", start="2026-02", dimension="company", member=None
    )
    at_now = Evaluator(company.catalogue, rules).windows_at(NOW_US)
    window = window_asked(asked, at_now, rules)
    trace = Trace(config, COMPANY, Span.of(asked.kpi.formula, window), window.end_us)
    spent = 0.0
    for offset, record in enumerate(simulate(options)):
        logged = Logged(offset, record.timestamp_ms, record.key, record.value)
        began = time.process_time()
        trace.add(0, logged)
        spent += time.process_time() - began
    explanation = Explaining(config, rules.calendar).explain(trace, asked.kpi, window)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{trace.records:,} events: {spent:.1f} s, {1e6 * spent / trace.records:.0f} us each")
    print(f"{len(trace.units):,} units kept, {explanation.restated:,} restatements")
    print(f"peak memory {peak:,.0f} MiB, the simulation's included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
