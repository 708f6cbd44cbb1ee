import ssl
from pathlib import Path

import certifi
import faust
from faust.types.auth import AuthProtocol, SASLMechanism

from stream_app.transport.security import Security

SECRET = "canary-91c2"  # noqa: S105


def test_without_security_nothing_is_asked_for() -> None:
    assert Security().aiokafka() == {"security_protocol": "PLAINTEXT", "ssl_context": None}
    assert Security().faust() == {}


def test_a_login_over_tls_reaches_both_clients() -> None:
    security = Security(
        protocol="SASL_SSL",
        mechanism="SCRAM-SHA-512",
        username="app",
        password=SECRET,
        ca_file=Path(certifi.where()),
    )
    arguments = security.aiokafka()
    context = arguments.pop("ssl_context")
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert arguments == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "app",
        "sasl_plain_password": SECRET,
    }
    credentials = security.faust()["broker_credentials"]
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol is AuthProtocol.SASL_SSL
    assert credentials.mechanism is SASLMechanism.SCRAM_SHA_512
    assert (credentials.username, credentials.password) == ("app", SECRET)


def test_tls_alone_and_a_login_alone_are_possible() -> None:
    tls = Security(protocol="SSL").faust()["broker_credentials"]
    assert tls.protocol is AuthProtocol.SSL
    login = Security(protocol="SASL_PLAINTEXT", username="app", password=SECRET)
    assert login.faust()["broker_credentials"].protocol is AuthProtocol.SASL_PLAINTEXT
    assert login.aiokafka()["ssl_context"] is None
    assert login.aiokafka()["sasl_mechanism"] == "PLAIN"


def test_a_password_is_never_shown() -> None:
    security = Security(protocol="SASL_PLAINTEXT", username="app", password=SECRET)
    assert SECRET not in repr(security)
    assert SECRET not in repr(security.faust())
