"""What `verify` found, as a value (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stream_app.domain.calendar import rfc3339_utc
from stream_app.verification.compare import Difference
from stream_app.verification.settling import SECTIONS, Differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result.

    Attributes:
        now_us: the "now" that the values were computed for; None: there is none yet.
        events: records of `crm.events` read.
        threads: threads they make up.
        records: records that must stand in `kpi.values`.
        results: records that must stand in `kpi.experiments`.
        letters: dead letters that must be there.
        gauges: series that must be exposed; None: no metrics were asked.
        pages: metrics pages that were asked.
        differences: by section.
        grew_by: records the log gained while this ran.
        in_motion: it did not stand still, so each record was compared as of some moment.
        undecided: values that changed so fast that no moment was caught; no differences.
        unsaid: what workers had counted and not yet said at the last look.
        seconds: how long all of it took.
        pass_seconds: how long the plain pass over the log took, reading included.
        warnings: what is strange, and no difference.
    """

    now_us: int | None
    events: int
    threads: int
    records: int
    results: int
    letters: int
    gauges: int | None
    pages: tuple[str, ...]
    differences: Differences
    grew_by: int
    in_motion: bool
    undecided: int
    unsaid: int
    seconds: float
    pass_seconds: float
    warnings: tuple[str, ...] = field(default=())

    @property
    def total(self) -> int:
        """How many differences."""
        return sum(map(len, self.differences.values()))

    @property
    def events_per_second(self) -> float:
        """Of the plain pass."""
        return self.events / self.pass_seconds if self.pass_seconds > 0 else 0.0

    def listed(self, limit: int) -> Iterator[tuple[str, Difference]]:
        """The first differences, each with its section."""
        left = limit
        for section in SECTIONS:
            for difference in self.differences.get(section, ())[:left]:
                left -= 1
                yield section, difference

    def lines(self) -> Iterator[str]:
        """What was compared, in sentences."""
        now = "no clock yet" if self.now_us is None else rfc3339_utc(self.now_us, "seconds")
        yield (
            f"{self.events:,} events in {self.threads:,} threads, "
            f"recomputed in {self.pass_seconds:.1f} s ({self.events_per_second:,.0f} events/s), "
            f"as of {now}"
        )
        compared = [f"{self.records:,} values", f"{self.letters:,} dead letters"]
        if self.results:
            compared.insert(1, f"{self.results:,} results of experiments")
        if self.gauges is not None:
            compared.append(f"{self.gauges:,} gauges of {', '.join(self.pages)}")
        yield f"compared: {', '.join(compared)}, and the counts of every partition"
        if self.in_motion:
            yield (
                f"the log grew by {self.grew_by:,} records meanwhile, so each record was compared "
                "as of some moment; for a proof of one moment let the producers rest"
            )
            if self.undecided:
                yield (
                    f"{self.undecided:,} values changed so fast that they could be compared at no "
                    "moment: neither confirmed nor refuted; a longer --wait decides more of them"
                )
        for section in SECTIONS:
            if found := self.differences.get(section):
                yield f"{section}: {len(found):,} differences"
        if self.total and self.unsaid:
            yield (
                f"the workers still had {self.unsaid:,} things to say at the last look, so what "
                "differs may only be late: a longer --wait tells late from wrong"
            )
        yield f"{self.total:,} differences ({self.seconds:.1f} s)"

    def document(self, limit: int) -> dict[str, Any]:
        """The same for programs."""
        return {
            "differences": self.total,
            "by_section": {name: len(self.differences.get(name, ())) for name in SECTIONS},
            "listed": [
                {
                    "section": section,
                    "key": difference.key,
                    "field": difference.field,
                    "expected": difference.expected,
                    "found": difference.found,
                }
                for section, difference in self.listed(limit)
            ],
            "now": None if self.now_us is None else rfc3339_utc(self.now_us),
            "events": self.events,
            "threads": self.threads,
            "values": self.records,
            "experiments": self.results,
            "dead_letters": self.letters,
            "gauges": self.gauges,
            "metrics": list(self.pages),
            "in_motion": self.in_motion,
            "log_grew_by": self.grew_by,
            "undecided": self.undecided,
            "unsaid": self.unsaid,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events_per_second, 1),
            "warnings": list(self.warnings),
        }
