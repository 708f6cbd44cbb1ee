"""How brokers are spoken to, in the words of aiokafka and of Faust."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import faust
from faust.types.auth import CredentialsT


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Encryption and login.

    Attributes:
        mechanism: of a SASL protocol.
        ca_file: the certificates that the broker's is checked against; None: the system's.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def aiokafka(self) -> dict[str, Any]:
        """Arguments of aiokafka's consumer, producer and admin client."""
        arguments: dict[str, Any] = {
            "security_protocol": self.protocol,
            "ssl_context": self._ssl_context(),
        }
        if self.protocol.startswith("SASL"):
            arguments |= {
                "sasl_mechanism": self.mechanism or "PLAIN",
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return arguments

    def faust(self) -> dict[str, Any]:
        """Arguments of `faust.App`; never a part of the broker's URL, which Faust logs."""
        context = self._ssl_context()
        if self.protocol.startswith("SASL"):
            credentials: CredentialsT = faust.SASLCredentials(
                username=self.username,
                password=self.password,
                mechanism=self.mechanism or "PLAIN",
                ssl_context=context,
            )
        elif context is not None:
            credentials = faust.SSLCredentials(context=context)
        else:
            return {}
        return {"broker_credentials": credentials}

    def _ssl_context(self) -> ssl.SSLContext | None:
        if not self.protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=self.ca_file)
