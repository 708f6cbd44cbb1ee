"""What stands in `kpi.values` about the running windows, as a subscriber keeps it (pure)."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from stream_app.wire.published import Published, decode_published


class Place(NamedTuple):
    """What a running value is about."""

    kpi: str
    window: str
    dimension: str
    member: str


class Standing:
    """The record of the highest revision for each running value.

    Attributes:
        newest_event: the newest event that any record knows of (RFC 3339, UTC); empty: none.
        newest_publication: when the latest record was sent (RFC 3339, UTC); empty: none.
    """

    def __init__(self) -> None:
        self._records: dict[Place, tuple[bytes, Published]] = {}
        self._place_by_key: dict[bytes, Place] = {}
        self.newest_event = ""
        self.newest_publication = ""

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record of the topic; what is no value of a KPI is passed over."""
        if key is None:
            return
        if value is None:
            self._forget(key)
            return
        try:
            record = decode_published(value)
        except msgspec.DecodeError:
            return
        self.newest_event = max(self.newest_event, record.event_time)
        self.newest_publication = max(self.newest_publication, record.published_at)
        if record.complete:
            self._forget(key)  # a window that ran until now; the one after it has another key
            return
        place = Place(record.kpi, record.window, record.dimension, record.member)
        standing = self._records.get(place)
        if standing is None or record.revision >= standing[1].revision:
            self._records[place] = key, record
            self._place_by_key[key] = place

    def _forget(self, key: bytes) -> None:
        place = self._place_by_key.pop(key, None)
        if place is not None and place in self._records and self._records[place][0] == key:
            del self._records[place]

    def get(self, kpi: str, window: str, dimension: str, member: str) -> Published | None:
        """The running value, if there is a record."""
        found = self._records.get(Place(kpi, window, dimension, member))
        return None if found is None else found[1]

    def members(self, kpi: str, window: str, dimension: str) -> Iterator[Published]:
        """All running values of a KPI in one dimension."""
        return (
            record
            for place, (_, record) in self._records.items()
            if place[:3] == (kpi, window, dimension)
        )

    def __len__(self) -> int:
        return len(self._records)
