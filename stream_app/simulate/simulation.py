"""The seeded CRM: options in, records and a manifest out. Pure: no broker, no loop, no clock."""

from collections.abc import Iterator

from stream_app.simulate.manifest import Manifest
from stream_app.simulate.options import Options
from stream_app.simulate.record import SimRecord
from stream_app.simulate.story import Story
from stream_app.simulate.weave import Weave


class Simulation(Iterator[SimRecord]):
    """The records of one run, in the order of the log.

    Attributes:
        options: what is simulated.
        manifest: counts of the records taken so far.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.manifest = Manifest(seed=options.seed, run=options.run)
        self._records = Weave(options, self.manifest).records(Story(options).tell())

    def __next__(self) -> SimRecord:
        return next(self._records)


def simulate(options: Options) -> Simulation:
    """Return the records of a company: the same options give the same bytes in the same order.

    The memory it needs does not grow with the number of records, so `live_events=None` may run
    for ever.
    """
    return Simulation(options)
