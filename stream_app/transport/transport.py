"""A Faust app that reads batches."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import faust
from faust.tables.manager import TableManager
from faust.topics import Topic
from faust.transport.drivers.aiokafka import Transport
from faust.types import AppT, EventT, Message

from stream_app.state.claims import Claims
from stream_app.transport.consumer import BatchConsumer
from stream_app.transport.security import Security

_App = TypeVar("_App", bound=faust.App)

BATCH_RECORDS: Final = 8_000
BUFFERED_BATCHES: Final = 4
FETCH_BYTES: Final = 4 << 20
_YEARS_S: Final = 10 * 365 * 86_400.0


class BatchTransport(Transport):
    """Faust's aiokafka transport with `BatchConsumer`.

    Args:
        claims: of this worker; its topics are the stateful ones.
        batch_records: how many records one batch has at most.
        on_failure: called, before the worker stops, with the `LogMismatch` or `StateTorn` that
            stops it.
    """

    Consumer = BatchConsumer

    def __init__(
        self,
        app: AppT,
        *,
        claims: Claims,
        batch_records: int = BATCH_RECORDS,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.claims = claims
        self.batch_records = batch_records
        self.on_failure = on_failure


class PromptTables(TableManager):
    """Faust's table manager, without the second that it sleeps at every start.

    It waits for tables to be declared. Ours are declared before, and are not its own.
    """

    async def on_start(self) -> None:
        """Called by Faust when the app starts."""
        await self._update_channels()
        await self.recovery.start()


class BatchTopic(Topic):
    """A topic whose stream yields `Batch`es as they are.

    It acknowledges nothing: what counts is the commit in Redis, which Kafka is told of.
    """

    async def decode(
        self,
        message: Message,
        *,
        propagate: bool = False,  # noqa: ARG002
    ) -> EventT[Any]:
        """The batch is decoded by whoever folds it."""
        return self.app.create_event(None, message.value, {}, message)

    def _compile_decode(self) -> None:
        """Faust would put a compiled decoder in the place of `decode`."""


def batch_topic(app: AppT, name: str, *, buffered_batches: int = BUFFERED_BATCHES) -> BatchTopic:
    """The channel for an agent: `async for batch in stream`.

    Args:
        app: made by `batch_app`.
        name: a stateful topic.
        buffered_batches: how many batches, of all partitions together, wait for the agent.
    """
    return BatchTopic(
        app, topics=[name], key_type=bytes, value_type=bytes, acks=False, maxsize=buffered_batches
    )


def batch_app(
    group: str,
    servers: Sequence[str],
    *,
    claims: Claims,
    security: Security | None = None,
    session_timeout_s: float = 10.0,
    batch_records: int = BATCH_RECORDS,
    on_failure: Callable[[Exception], None] | None = None,
    app_class: type[_App] = faust.App,  # type: ignore[assignment] # PEP 696 defaults need 3.13
    **settings: Any,
) -> _App:
    """A Faust app without Faust's traps, reading through `BatchTransport`.

    Args:
        group: the consumer group; one for each state version.
        servers: `host:port` of the bootstrap servers.
        claims: of this worker.
        security: how to speak to the brokers.
        session_timeout_s: after so long a silent worker loses its partitions.
        batch_records: how many records one batch has at most.
        on_failure: see `BatchTransport`.
        app_class: what to make.
        settings: of `faust.App`; they win.
    """
    defaults: dict[str, Any] = {
        "broker": [f"kafka://{server}" for server in servers],
        **(security or Security()).faust(),
        "autodiscover": False,
        # Topics are created by us, before; a worker that declares them races with others.
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "TableManager": PromptTables,
        "table_standby_replicas": 0,
        "stream_recovery_delay": 0.0,
        # The stored offset repeats what was in the middle; waiting would only stall a rebalance.
        "stream_wait_empty": False,
        "broker_session_timeout": session_timeout_s,
        "broker_heartbeat_interval": session_timeout_s / 5,
        "broker_request_timeout": max(20.0, session_timeout_s),
        "broker_rebalance_timeout": max(20.0, session_timeout_s),
        # Who fetches nothing for so long leaves the group, and aiokafka lets nobody come back who
        # does not fetch: a worker that waited for Redis for 17 minutes would be out for good.
        "broker_max_poll_interval": _YEARS_S,
        "broker_commit_interval": 1.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 10_000,
        "consumer_max_fetch_size": FETCH_BYTES,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
    }
    app = app_class(group, **(defaults | settings))
    # Faust would leave a directory <group>-data in the working directory; nothing is kept in it.
    app._create_directories = _create_nothing  # type: ignore[method-assign] # noqa: SLF001
    app.transport = BatchTransport(
        app, claims=claims, batch_records=batch_records, on_failure=on_failure
    )
    return app


def _create_nothing() -> None:
    """Instead of the directories of a store on disk."""
