"""Our murmur2 is Kafka's."""

import aiokafka.partitioner
from hypothesis import given
from hypothesis import strategies as st

from stream_app.transport.murmur import murmur2, placed


@given(st.binary(max_size=80))
def test_every_key_has_the_hash_that_aiokafka_gives_it(key: bytes) -> None:
    theirs = aiokafka.partitioner.murmur2(key)

    assert murmur2(key) == theirs & 0xFFFFFFFF
    assert placed(key) == theirs & 0x7FFFFFFF
