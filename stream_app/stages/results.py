"""What stage two says of an experiment in `kpi.experiments`: one record for each variant."""

from collections.abc import Iterator, MutableMapping

from stream_app.config.model import Experiment
from stream_app.domain.experiment import results
from stream_app.domain.totals import ScopeTotals
from stream_app.wire.experiment import SaidResult, result_key, said_result


def news_of(
    experiment: Experiment,
    totals: ScopeTotals,
    today: int,
    said: MutableMapping[bytes, SaidResult],
) -> Iterator[tuple[bytes, SaidResult | None]]:
    """The records that are to be published, by key; None takes one back.

    Args:
        experiment: whose results.
        totals: of its scope.
        today: the business day of "now".
        said: what the topic says last, by key; brought up to date.
    """
    left = {result_key(experiment.name, variant) for variant in experiment.variants}
    for result in results(experiment, totals, today):
        key, says = result_key(experiment.name, result.variant), said_result(result)
        left.discard(key)
        if said.get(key) != says:
            said[key] = says
            yield key, says
    for key in sorted(left):
        # A predecessor may have said it; an end too many does no harm.
        said.pop(key, None)
        yield key, None
