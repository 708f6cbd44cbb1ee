"""What `kpi.values` says of one kind of window, closed ones too (pure)."""

from collections.abc import Iterator

import msgspec

from stream_app.wire.published import Published, decode_published

Members = dict[str, dict[str, Published]]
"""Member → start → record."""


class Archive:
    """Every value of one kind of window.

    Attributes:
        kind: the window's.
        size: records of any kind that were seen.
        newest_event: RFC 3339, empty: none; `newest_publication` likewise.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.size = 0
        self.newest_event = ""
        self.newest_publication = ""
        self._prefix = f"|{kind}|".encode()
        self._records: dict[tuple[str, str], Members] = {}
        self._places: dict[bytes, tuple[str, str, str, str]] = {}
        self._starts: dict[str, Published] = {}

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record of the topic; what is no value of a KPI is passed over."""
        if key is None:
            return
        self.size += 1
        if self._prefix not in key:
            return
        if value is None:
            self._forget(key)
            return
        try:
            record = decode_published(value)
        except msgspec.DecodeError:
            return
        if record.window != self.kind:
            return
        self.newest_event = max(self.newest_event, record.event_time)
        self.newest_publication = max(self.newest_publication, record.published_at)
        place = (record.kpi, record.dimension, record.member, record.start)
        before = self._places.get(key)
        if before is not None and before != place:
            self._forget(key)  # a window that moves
        starts = self._records.setdefault(place[:2], {}).setdefault(record.member, {})
        standing = starts.get(record.start)
        if standing is None or record.revision >= standing.revision:
            starts[record.start] = record
            self._places[key] = place
            self._starts[record.start] = record

    def _forget(self, key: bytes) -> None:
        place = self._places.pop(key, None)
        if place is not None:
            self._records[place[:2]][place[2]].pop(place[3], None)

    def starts(self, *, complete: bool | None = None) -> list[str]:
        """The windows that have any record of the company, oldest first; without any: of anybody.

        While a worker catches up, some members are ahead of the company.
        """
        places = self._places.values()
        live = {start for _, dimension, _, start in places if dimension == "company"}
        live = live or {start for _, _, _, start in places}
        return sorted(
            start for start in live if complete is None or self._starts[start].complete == complete
        )

    def end_of(self, start: str) -> tuple[str, bool]:
        """(end, complete) of a window."""
        record = self._starts[start]
        return record.end, record.complete

    def get(self, kpi: str, dimension: str, member: str, start: str) -> Published | None:
        """One value."""
        return self._records.get((kpi, dimension), {}).get(member, {}).get(start)

    def members(self, dimension: str, start: str) -> set[str]:
        """Everybody who has some value in a window."""
        return {
            member
            for (_, of), members in self._records.items()
            if of == dimension
            for member, starts in members.items()
            if start in starts
        }

    def dimensions(self, start: str) -> set[str]:
        """Every dimension that has some value in a window."""
        return {
            dimension
            for (_, dimension), members in self._records.items()
            if any(start in starts for starts in members.values())
        }

    def of(self, kpi: str, dimension: str, start: str) -> Iterator[Published]:
        """All values of a KPI in a dimension and window."""
        for starts in self._records.get((kpi, dimension), {}).values():
            if start in starts:
                yield starts[start]

    def all_of(self, start: str) -> Iterator[Published]:
        """All values of a window."""
        for kpi, dimension in self._records:
            yield from self.of(kpi, dimension, start)
