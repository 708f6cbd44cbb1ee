"""Which partition of `kpi.partials` a scope lives in."""

from functools import lru_cache
from zlib import crc32


@lru_cache(maxsize=65_536)
def partition_of_scope(scope: str, partitions: int) -> int:
    """The partition of a scope: all cells of a scope meet in one place, whatever their source."""
    return crc32(scope.encode()) % partitions
