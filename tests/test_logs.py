"""What a worker logs."""

from collections.abc import Iterator

from mode import Service

import stream_app.topology
from stream_app.logs import logging_config


def test_what_faust_says_of_our_services_is_only_shown_to_who_asks() -> None:
    assert stream_app.topology.StreamApp in set(_ours(Service))
    for service in _ours(Service):
        name = service.logger.name
        assert logging_config()["loggers"][name] == {"level": "WARNING"}, name
        assert logging_config("debug")["loggers"][name] == {"level": "DEBUG"}, name


def _ours(base: type[Service]) -> Iterator[type[Service]]:
    for service in base.__subclasses__():
        if service.__module__.startswith("stream_app."):
            yield service
        yield from _ours(service)
