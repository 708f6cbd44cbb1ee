"""Whether the verdict finds which of the simulated company's techniques work better.

`python -m tests.benchmarks.simulated_experiment [events]`: a simulated year, folded in one pass.
The simulation multiplies the odds of winning: cold-call 0.75, script-a 0.95, script-b 1.05,
product-demo 1.2, free-trial 1.35 (`stream_app/simulate/company.py`).
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from stream_app.company import load_company
from stream_app.experiment_words import section
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.verification.recompute import Recomputation
from tests.stages.company import Logged

EVENTS = 30_000
EXPERIMENT = {
    "name": "techniques",
    "dimension": "technique",
    "control": "cold-call",
    "variants": ["free-trial", "product-demo", "script-b", "script-a"],
    "horizon": "60d",
    "random": True,
}


def main() -> None:
    options = Options(
        start=datetime(2025, 1, 6, tzinfo=UTC),
        events=int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS,
        days=365.0,
        reps=12,
        teams=3,
        duplicates=0.01,
        disorder=0.05,
        corrections=0.02,
    )
    content = matching_configuration(options) | {"experiments": [EXPERIMENT]}
    content["business"]["clock"] = "event"
    with TemporaryDirectory() as directory:
        path = Path(directory) / "company.yaml"
        path.write_text(yaml.safe_dump(content))
        company = load_company(path)
    recomputation = Recomputation(
        company.config, company.catalogue, company.goals, company.working_days
    )
    recomputation.begin(0, 0)
    for offset, record in enumerate(simulate(options)):
        logged = Logged(0, offset, record.timestamp_ms, record.key, record.value)
        recomputation.add(0, logged)
    print(f"{recomputation.records:,} events of a year, seed {options.seed}")
    for _, said in recomputation.results(recomputation.newest_us):
        found = section(said)
        print(f"{found.title}\n  {found.verdict}; sequential p {said.sequential_p:.2g}")
        for arm, leads, converted, share in found.rows:
            print(f"  {arm:>14} {converted:>6} of {leads:>6}  {share}")


if __name__ == "__main__":
    main()
