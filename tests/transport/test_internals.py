"""What we override or look into, so that an upgrade fails here and by name."""

import inspect
from importlib.metadata import version
from typing import Any

import aiokafka
import pytest
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator
from aiokafka.producer.sender import Sender
from faust.app.base import App
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.topics import Topic
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver


def test_the_versions_are_those_whose_insides_were_read() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == ("0.15.3", "0.14.0")


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        # consumer.py overrides
        (BaseConsumer.getmany, "self timeout"),
        (ThreadDelegateConsumer.seek_to_committed, "self"),
        (BaseConsumer.on_partitions_revoked, "self revoked"),
        (driver.Consumer.on_stop, "self"),
        (BaseConsumer.on_buffer_drop, "self tp"),
        (BaseConsumer._filter_committable_offsets, "self tps"),
        (ThreadDelegateConsumer._commit, "self offsets"),
        (driver.Consumer._new_consumer_thread, "self"),
        # consumer.py uses
        (BaseConsumer._get_active_partitions, "self"),
        (BaseConsumer.perform_seek, "self"),
        (driver.Consumer._to_message, "self tp record"),
        # fetching.py overrides and uses
        (driver.AIOKafkaConsumerThread.__post_init__, "self"),
        (driver.AIOKafkaConsumerThread._create_worker_consumer, "self transport"),
        (driver.AIOKafkaConsumerThread._ensure_consumer, "self"),
        (driver.AIOKafkaConsumerThread.call_thread, "self fun args kwargs"),
        (Fetcher.fetched_records, "self partitions timeout max_records"),
        (Fetcher._create_fetch_waiter, "self"),
        (Fetcher.seek_to, "self tp offset"),
        (FetchResult.getall, "self max_records"),
        (SubscriptionState.is_assigned, "self tp"),
        (SubscriptionState.fetch_context, "self"),
        (aiokafka.AIOKafkaConsumer.commit, "self offsets"),
        (GroupCoordinator.commit_offsets, "self assignment offsets"),
        # transport.py overrides
        (TableManager.on_start, "self"),
        (TableManager._update_channels, "self"),
        (Topic._compile_decode, "self"),
        (App._create_directories, "self"),
        # Faust positions in here, inside of every assignment
        (Recovery._resume_streams, "self generation_id"),
        # publisher.py uses
        (aiokafka.AIOKafkaProducer.send_batch, "self batch topic partition"),
        (BatchBuilder.append, "self timestamp key value headers"),
        (MessageAccumulator.fail_all, "self exception"),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_a_function_has_the_parameters_it_had(function: Any, parameters: str) -> None:
    assert " ".join(inspect.signature(function).parameters) == parameters


@pytest.mark.parametrize(
    ("function", "phrase", "because"),
    [
        (
            Recovery._resume_streams,
            "consumer.perform_seek()",
            "positioning happens inside of every assignment",
        ),
        (
            BaseConsumer.perform_seek,
            "await self.seek_to_committed()",
            "our override positions",
        ),
        (
            BaseConsumer.on_partitions_revoked,
            "self._on_partitions_revoked",
            "Faust clears the streams' queues",
        ),
        (
            BaseConsumer._drain_messages,
            "getmany(timeout=1.0)",
            "our batches reach the streams",
        ),
        (
            BaseConsumer._drain_messages,
            "get_read_offset = self._read_offset.__getitem__",
            "Faust's own offset filter is off for stateful topics",
        ),
        (
            BaseConsumer._drain_messages,
            "if acks_enabled:",
            "no gaps are kept for topics that acknowledge nothing",
        ),
        (
            FetchResult.getall,
            "self._update_position()",
            "the position tells what was covered",
        ),
        (
            FetchResult.check_assignment,
            "position != self._partition_records.next_fetch_offset",
            "records start at the position before they are taken",
        ),
        (
            aiokafka.AIOKafkaConsumer.start,
            "fetch_max_wait_ms=self._fetch_max_wait_ms",
            "the waiting time is read when the consumer starts",
        ),
        (
            aiokafka.AIOKafkaConsumer.start,
            "isolation_level=self._isolation_level",
            "aborted records are left out",
        ),
        (
            Sender._sender_routine,
            "muted_partitions",
            "one batch per partition is under way, so order is kept",
        ),
    ],
)
def test_a_function_still_does_what_we_rely_on(function: Any, phrase: str, because: str) -> None:
    assert phrase in inspect.getsource(function), because


def test_a_partitions_state_tells_its_position() -> None:
    for name in ("position", "has_valid_position"):
        assert isinstance(getattr(TopicPartitionState, name), property)
    assert "self.highwater = None" in inspect.getsource(TopicPartitionState.__init__)


def test_the_consumer_has_the_attributes_we_look_at() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer.__init__)
    for name in ("_client", "_fetcher", "_subscription", "_closed", "_coordinator"):
        assert f"self.{name} = " in source or name == "_closed"
    assert "self.generation = " in inspect.getsource(GroupCoordinator.__init__)


def test_the_producer_has_the_attributes_we_end_it_by() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaProducer.__init__)
    for name in ("self._message_accumulator", "self._sender", "self.client"):
        assert f"{name} = " in source
    assert isinstance(Sender.sender_task, property)
