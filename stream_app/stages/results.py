"""What stage two says of experiments in `kpi.experiments`: one record for each variant.

An experiment is a scope of its own and lies in one partition, whose stage says its results, with
the revisions of its values. Experiments that the configuration does not name any more are another
state version's, which nobody runs: the stage of partition 0 takes their records back, once all
that replaces them is there.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from stream_app.config.model import Experiment
from stream_app.domain.experiment import results
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.trial import trial_scope
from stream_app.stages.ports import OutRecord
from stream_app.wire.experiment import SaidResult, encode_result, result_key, said_result


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """What a record carries besides what it says."""

    event_time: str
    published_at: str
    revision: int


class Results:
    """The results of a partition's experiments, as far as they were said."""

    __slots__ = ("_experiments", "_gone", "_said", "_topic")

    def __init__(self, experiments: Collection[Experiment], topic: str) -> None:
        """Nothing was said.

        Args:
            experiments: of the configuration.
            topic: `kpi.experiments`.
        """
        self._experiments: Mapping[str, Experiment] = {trial_scope(e.name): e for e in experiments}
        self._topic = topic
        self._said: dict[bytes, SaidResult] = {}
        self._gone: list[bytes] = []

    def __contains__(self, scope: str) -> bool:
        return scope in self._experiments

    @property
    def has_gone(self) -> bool:
        """Whether records are to be taken back."""
        return bool(self._gone)

    def recall(self, standing: Collection[bytes]) -> None:
        """Learn the keys that stand in the topic: what the configuration does not name must go."""
        known = {result_key(e.name, v) for e in self._experiments.values() for v in e.variants}
        self._gone = sorted(key for key in standing if key not in known)

    def take_back(self) -> Iterator[OutRecord]:
        """The ends of the records that must go."""
        return (OutRecord(self._topic, key, None) for key in self._gone)

    def taken_back(self) -> None:
        """The broker has them."""
        self._gone.clear()

    def records(
        self, scope: str, totals: ScopeTotals, today: int, revised: Revised
    ) -> Iterator[OutRecord]:
        """What an experiment must say now that it has not said, and what it must take back.

        Args:
            scope: of the experiment.
            totals: what it has counted.
            today: the business day of "now".
            revised: goes into the records.
        """
        experiment = self._experiments[scope]
        left = {result_key(experiment.name, variant) for variant in experiment.variants}
        for result in results(experiment, totals, today):
            key = result_key(experiment.name, result.variant)
            left.discard(key)
            says = said_result(result)
            if self._said.get(key) != says:
                self._said[key] = says
                body = encode_result(
                    says,
                    event_time=revised.event_time,
                    published_at=revised.published_at,
                    revision=revised.revision,
                )
                yield OutRecord(self._topic, key, body)
        for key in sorted(left):
            # A predecessor may have said it; an end too many does no harm.
            self._said.pop(key, None)
            yield OutRecord(self._topic, key, None)

    def forget_said(self, scope: str) -> None:
        """It is not known what the topic says of an experiment: it must be said again."""
        if scope in self._experiments:
            experiment = self._experiments[scope]
            for variant in experiment.variants:
                self._said.pop(result_key(experiment.name, variant), None)
