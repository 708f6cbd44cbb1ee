"""The workers' metrics pages, read."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

from stream_app.addresses import join_address
from stream_app.metrics.scrape import ScrapeError, fetch_metrics, kpi_gauges, target_gauges
from stream_app.verification.compare import Difference
from stream_app.verification.gauges import Page

Address = tuple[str, int]

_DROPPED: Final = re.compile(r"^stream_app_series_dropped ([0-9.e+]+)$", re.MULTILINE)
_TIMEOUT_SECONDS: Final = 5.0


async def read_pages(
    addresses: Sequence[Address], units: Mapping[str, str]
) -> tuple[list[Page], list[Difference]]:
    """The pages, and a difference for each that cannot be read.

    Args:
        addresses: of the workers' metrics.
        units: KPI → unit of the whole catalogue.
    """
    found = await asyncio.gather(
        *(asyncio.to_thread(_read, address, units) for address in addresses)
    )
    pages = [page for page in found if isinstance(page, Page)]
    return pages, [page for page in found if isinstance(page, Difference)]


def _read(address: Address, units: Mapping[str, str]) -> Page | Difference:
    name = join_address(*address)
    try:
        text = fetch_metrics(*address, timeout_seconds=_TIMEOUT_SECONDS)
        gauges = kpi_gauges(text, units) | target_gauges(text)
    except ScrapeError as error:
        return Difference(f"metrics of {name}", "page", "metrics", str(error))
    match = _DROPPED.search(text)
    return Page(name, gauges, int(float(match[1])) if match else 0)
