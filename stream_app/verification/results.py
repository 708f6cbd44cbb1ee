"""Where `kpi.experiments` differs from what the log says, round by round (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from stream_app.verification.compare import Difference, equal
from stream_app.wire.experiment import PublishedResult, SaidResult, decode_result

_COMPARED = SaidResult.__struct_fields__


class ResultRounds:
    """Compares again and again, as log and worker move on.

    Attributes:
        wanted: key → what its record must say, as of the last round.
        differing: keys with differences then, those of records that should not exist included.
    """

    __slots__ = ("differing", "wanted")

    def __init__(self) -> None:
        self.wanted: dict[bytes, SaidResult] = {}
        self.differing: set[bytes] = set()

    def compare(
        self,
        expected: Iterable[tuple[bytes, SaidResult]],
        found: Mapping[bytes, bytes],
        published: Mapping[bytes, Sequence[bytes]],
    ) -> list[Difference]:
        """All differences of one more round.

        Args:
            expected: key → what the record must say; each key once.
            found: key → the value that stands in the topic.
            published: what was published since the round before, where the log moves on: a record
                that was right in between is no difference.
        """
        before, self.wanted = self.wanted, dict(expected)
        self.differing.clear()
        listed: list[Difference] = []
        for key in sorted(self.wanted.keys() | found.keys()):
            said = [want for wants in (before, self.wanted) if (want := wants.get(key)) is not None]
            differing = list(_differences(key, self.wanted.get(key), found.get(key)))
            on_its_way = any(
                not any(_differences(key, want, raw))
                for raw in published.get(key, ())
                for want in said
            )
            if differing and not on_its_way:
                self.differing.add(key)
                listed += differing
        return listed


def _differences(key: bytes, want: SaidResult | None, raw: bytes | None) -> Iterator[Difference]:
    name = key.decode(errors="replace")
    got = None if raw is None else _decoded(raw)
    if want is None or not isinstance(got, PublishedResult):
        yield Difference(name, "record", _shown(want), _shown(got))
        return
    for part in _COMPARED:
        must, does = getattr(want, part), getattr(got, part)
        if not _same(must, does):
            yield Difference(name, part, must, does)


def _same(must: object, does: object) -> bool:
    if isinstance(must, tuple) and isinstance(does, tuple):
        return all(equal(one, other) for one, other in zip(must, does, strict=True))
    return equal(must, does)


def _decoded(raw: bytes) -> PublishedResult | str:
    try:
        return decode_result(raw)
    except msgspec.DecodeError as error:
        return f"not a result of an experiment: {error}"


def _shown(said: SaidResult | str | None) -> str | None:
    return f"verdict {said.verdict.value}" if isinstance(said, SaidResult) else said
