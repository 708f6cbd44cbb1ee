"""Addresses of servers as people write them.

Each parser raises `ValueError` with a message for people. What may hold a password is not repeated
in a message.
"""

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from stream_app.secret import Secret

KAFKA_PORT: Final = 9092
REDIS_PORT: Final = 6379
PORT_MAX: Final = 65_535

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_DATABASE: Final = re.compile(r"/?|/([0-9]{1,5})")
_INVISIBLE: Final = re.compile(r"[\s\x00-\x1f\x7f]")
_REDIS_EXAMPLE: Final = (
    "expected redis://host:6379/0 (rediss:// with TLS; special characters of a password "
    "percent-encoded, or the password in STREAM_APP_REDIS_PASSWORD)"
)


def parse_address(
    text: str, *, default_port: int | None = None, lowest_port: int = 1
) -> tuple[str, int]:
    """`host:port` as (host, port), an IPv6 host without its brackets.

    Args:
        text: what was written.
        default_port: the port if none is written; None: it must be.
        lowest_port: 0 where that means any free port.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        what = "an address with something before an @" if "@" in text else repr(text)
        raise ValueError(f"{what} is not host:port")
    if match[2] is None:
        if default_port is None:
            raise ValueError(f"{text!r} has no port; write host:port")
        return match[1].strip("[]"), default_port
    port = int(match[2])
    if not lowest_port <= port <= PORT_MAX:
        raise ValueError(f"{port} is not a port; write {lowest_port} to {PORT_MAX}")
    return match[1].strip("[]"), port


def join_address(host: str, port: int) -> str:
    """`host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_servers(text: str) -> tuple[str, ...]:
    """Bootstrap servers, separated by commas, each as `host:port`; the port may be left out."""
    servers = []
    for part in map(str.strip, text.split(",")):
        if not part:
            raise ValueError("a server between two commas is empty; write host:port,host:port")
        if "://" in part and "@" not in part:
            raise ValueError(f"{part!r} is a URL; write host:port without {part.split('/')[0]}//")
        servers.append(join_address(*parse_address(part, default_port=KAFKA_PORT)))
    return tuple(dict.fromkeys(servers))


def parse_redis_url(text: str) -> tuple[str, Secret | None]:
    """A Redis URL as (URL without password, password).

    The URL comes back complete: `redis://user@host:port/number`, with TLS options as its query.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(f"is not a URL; {_REDIS_EXAMPLE}") from None
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError(f"is not a Redis URL; {_REDIS_EXAMPLE}")
    if parts.fragment or _INVISIBLE.search(text):
        raise ValueError(f"has a # or a blank in it; {_REDIS_EXAMPLE}")
    userinfo, _, location = parts.netloc.rpartition("@")
    user, _, quoted_password = userinfo.partition(":")
    try:
        address = join_address(*parse_address(location, default_port=REDIS_PORT))
    except ValueError:
        raise ValueError(f"has no readable host and port; {_REDIS_EXAMPLE}") from None
    database = _DATABASE.fullmatch(parts.path)
    if database is None:
        raise ValueError(f"does not end in the number of a database; {_REDIS_EXAMPLE}")
    options = dict(parse_qsl(parts.query))
    password = options.pop("password", None) or unquote(quoted_password)
    for option in options:
        if not option.startswith("ssl_"):
            raise ValueError("has an option other than ssl_… after its ?; remove it")
    query = f"?{urlencode(options)}" if options else ""
    login = f"{user}@" if user else ""
    url = f"{parts.scheme}://{login}{address}/{int(database[1] or 0)}{query}"
    return url, Secret(password) if password else None
