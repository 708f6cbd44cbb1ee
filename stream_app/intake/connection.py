"""What an aiokafka client needs to reach the brokers."""

from typing import Any

from aiokafka.helpers import create_ssl_context

from stream_app.settings import Settings


def connection(settings: Settings) -> dict[str, Any]:
    """The arguments of every aiokafka client: servers, encryption, login."""
    security = settings.kafka_security
    arguments: dict[str, Any] = {
        "bootstrap_servers": list(settings.kafka),
        "security_protocol": security.protocol,
    }
    if security.protocol.endswith("SSL"):
        cafile = None if security.ca_file is None else str(security.ca_file)
        arguments["ssl_context"] = create_ssl_context(cafile=cafile)
    if security.mechanism is not None and security.password is not None:
        arguments["sasl_mechanism"] = security.mechanism
        arguments["sasl_plain_username"] = security.username
        arguments["sasl_plain_password"] = security.password.reveal()
    return arguments
