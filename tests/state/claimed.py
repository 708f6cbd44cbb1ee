"""One partition, claimed as its next owner does."""

from stream_app.state.client import Client
from stream_app.state.partition import PartitionState
from tests.state.conftest import NAMESPACE

PREFIX = f"{NAMESPACE}:{{crm.events:3}}:".encode()


async def claim(redis: Client, **defaults: str | int) -> PartitionState:
    return await PartitionState.claim(redis, NAMESPACE, "crm.events", 3, defaults=defaults)


async def dump(redis: Client) -> dict[bytes, dict[bytes, bytes]]:
    """Everything stored, without the owner."""
    stored = {key: await redis.hgetall(key) for key in await redis.keys(b"*")}
    stored.get(PREFIX + b"meta", {}).pop(b"owner", None)
    return stored
