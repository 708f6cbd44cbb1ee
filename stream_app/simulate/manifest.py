"""What a simulation did, exactly: the counts a worker's conservation must come to."""

from dataclasses import asdict, dataclass, field

from stream_app.simulate.spelling import time_text


@dataclass(slots=True)
class Manifest:
    """Counts of the records yielded so far, under the contract's rules.

    `records == applied + duplicates + sum(dead_letters.values()) + ignored`, always. It does not
    matter in which order a broker's partitions are read, because what shares a key keeps its order.

    Attributes:
        seed, run: what identifies the simulation.
        records: records yielded.
        applied: distinct accepted events.
        duplicates: records that repeat an accepted event.
        dead_letters: reason → records rejected; repeats of a rejected record included.
        ignored: records of types outside `crm.`; repeats included.
        types: event type → accepted events.
        threads: distinct keys of accepted events.
        corrections: accepted events that reach back.
        disordered: accepted events delivered after one with a later time, corrections not counted.
        planted: `reason/variant` → bad or ignored records, without repeats.
        first_time_ms, last_time_ms: the range of accepted event times; None before the first.
    """

    seed: int
    run: str
    records: int = 0
    applied: int = 0
    duplicates: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)
    ignored: int = 0
    types: dict[str, int] = field(default_factory=dict)
    threads: int = 0
    corrections: int = 0
    disordered: int = 0
    planted: dict[str, int] = field(default_factory=dict)
    first_time_ms: int | None = None
    last_time_ms: int | None = None

    def document(self) -> dict[str, object]:
        """Return the counts as JSON values, keys sorted, times as text."""
        said = asdict(self)
        for name in ("dead_letters", "types", "planted"):
            said[name] = dict(sorted(said[name].items()))
        for name in ("first_time", "last_time"):
            instant_ms = said.pop(f"{name}_ms")
            said[name] = None if instant_ms is None else time_text(instant_ms)
        return said
