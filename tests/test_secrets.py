"""A password reaches the client that needs it and no message, log or traceback."""

import copy
import pickle
import traceback
from dataclasses import asdict

import pytest

from stream_app.secret import Secret
from stream_app.settings import SettingsErrors, load

CANARY = "canary-4711"


@pytest.mark.parametrize(
    ("written", "url", "password"),
    [
        ("redis://host", "redis://host:6379/0", None),
        ("redis://host/", "redis://host:6379/0", None),
        ("redis://[::1]:7000/2", "redis://[::1]:7000/2", None),
        (f"redis://:{CANARY}@host:7000/2", "redis://host:7000/2", CANARY),
        (f"redis://app:{CANARY}@host", "redis://app@host:6379/0", CANARY),
        ("redis://:p%40ss%2Fword@host", "redis://host:6379/0", "p@ss/word"),
        (f"rediss://host/1?password={CANARY}", "rediss://host:6379/1", CANARY),
    ],
)
def test_a_password_is_pulled_out_of_the_redis_url(
    written: str, url: str, password: str | None
) -> None:
    settings = load({"STREAM_APP_REDIS": written})

    assert settings.redis_url == url
    assert settings.redis_password == (None if password is None else Secret(password))


REDIS_EXAMPLE = (
    "expected redis://host:6379/0 (rediss:// with TLS; special characters of a password "
    "percent-encoded, or the password in STREAM_APP_REDIS_PASSWORD)"
)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"{CANARY}@host", f"is not a Redis URL; {REDIS_EXAMPLE}"),
        (f"http://:{CANARY}@host", f"is not a Redis URL; {REDIS_EXAMPLE}"),
        (f"redis://:{CANARY}@[::1", f"is not a URL; {REDIS_EXAMPLE}"),
        (f"redis://:{CANARY}/x@host", f"has no readable host and port; {REDIS_EXAMPLE}"),
        (f"redis://:{CANARY}#x@host", f"has a # or a blank in it; {REDIS_EXAMPLE}"),
        (f"redis://:{CANARY}@host:port", f"has no readable host and port; {REDIS_EXAMPLE}"),
        (f"redis://:{CANARY}@host:99999", f"has no readable host and port; {REDIS_EXAMPLE}"),
        (f"redis://:{CANARY}@", f"has no readable host and port; {REDIS_EXAMPLE}"),
        (
            f"redis://host/{CANARY}",
            f"does not end in the number of a database; {REDIS_EXAMPLE}",
        ),
        (
            f"redis://host/0?pasword={CANARY}",
            "has an option other than ssl_… after its ?; remove it",
        ),
    ],
)
def test_a_wrong_redis_url_is_explained_and_not_repeated(url: str, problem: str) -> None:
    with pytest.raises(SettingsErrors) as caught:
        load({"STREAM_APP_REDIS": url})

    assert str(caught.value) == f"STREAM_APP_REDIS: {problem}"
    assert CANARY not in problem


def test_a_secret_is_seen_by_nobody_who_does_not_ask() -> None:
    settings = load({"STREAM_APP_REDIS": f"redis://app:{CANARY}@host"})
    secret = settings.redis_password
    assert secret is not None

    shown = [repr(settings), str(settings), f"{secret}", f"{secret:>20}", f"{secret!r}"]
    shown += ["%s %r" % (secret, secret), str([secret]), str(asdict(settings))]  # noqa: UP031
    shown += [str(copy.copy(secret)), str(copy.deepcopy(settings)), ascii(secret)]

    assert secret.reveal() == CANARY
    assert CANARY not in "".join(shown)
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(settings)


def test_a_traceback_does_not_show_what_was_wrong_with_a_secret() -> None:
    with pytest.raises(SettingsErrors) as caught:
        load({"STREAM_APP_REDIS": f"redis://:{CANARY}@host:port", "STREAM_APP_PARTITIONS": "0"})

    told = "".join(traceback.format_exception(caught.value))

    assert "STREAM_APP_REDIS" in told
    assert CANARY not in told
