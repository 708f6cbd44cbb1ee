"""What a test does with a company: send, run our commands, read what stands."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping

from stream_app.intake.connection import connection
from stream_app.settings import Settings
from stream_app.simulate.delivery import send
from stream_app.simulate.record import SimRecord
from stream_app.transport.reading import TopicReader


def sent(settings: Settings, records: Iterable[SimRecord]) -> int:
    """How many records went to `crm.events`; all are acknowledged."""
    return asyncio.run(send(records, list(settings.kafka), settings.topics.events))


def run(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One of our commands, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "stream_app", *arguments],
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def assert_proven(environment: Mapping[str, str], *addresses: str) -> str:
    """`verify` finds no difference in values, letters, counts and metrics; what it says."""
    metrics = [argument for address in addresses for argument in ("--metrics", address)]
    proof = run(environment, "verify", *metrics)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "0 differences" in proof.stdout
    return proof.stdout


def standing(settings: Settings) -> dict[bytes, bytes]:
    """What `kpi.values` says last, by key."""

    async def read() -> dict[bytes, bytes]:
        found: dict[bytes, bytes | None] = {}
        async with await TopicReader.open(settings.topics.values, connection(settings)) as reader:
            async for record in reader.read():
                if record.key is not None:
                    found[record.key] = record.value
        return {key: value for key, value in found.items() if value is not None}

    return asyncio.run(read())
