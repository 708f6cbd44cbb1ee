"""Short ways to make records of `kpi.values`."""

from collections.abc import Iterable

import msgspec

from stream_app.board.standing import Standing


def key(kpi: str, window: str, dimension: str, member: str, start: str = "now") -> bytes:
    return f"{kpi}|{window}|{start}|{dimension}|{member}".encode()


def record(
    kpi: str = "revenue",
    window: str = "month",
    dimension: str = "company",
    member: str = "all",
    *,
    value: float | None = 1,
    previous: float | None = None,
    unit: str = "currency",
    complete: bool = False,
    revision: int = 1,
    event_time: str = "2026-03-20T11:59:58Z",
    published_at: str = "2026-03-20T11:59:59.500Z",
) -> tuple[bytes, bytes]:
    body = {
        "v": 1,
        "kpi": kpi,
        "window": window,
        "start": "2026-03-01T00:00:00+01:00",
        "end": "2026-04-01T00:00:00+02:00",
        "complete": complete,
        "dimension": dimension,
        "member": member,
        "value": value,
        "unit": unit,
        "numerator": None,
        "denominator": None,
        "previous": previous,
        "targets": [],
        "event_time": event_time,
        "published_at": published_at,
        "revision": revision,
    }
    return key(kpi, window, dimension, member), msgspec.json.encode(body)


def standing(records: Iterable[tuple[bytes, bytes | None]]) -> Standing:
    found = Standing()
    for each in records:
        found.take(*each)
    return found
