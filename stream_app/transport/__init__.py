"""Kafka for Faust: batches of one partition, read from the stored offset; an idempotent producer.

What is overridden in Faust and aiokafka is in `fetching.py`, `consumer.py` and `transport.py`;
tests/transport/test_internals.py fails by name when they change.
"""
