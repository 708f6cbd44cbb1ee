"""Environment variables read one by one, their errors told all at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from stream_app.config.nearest import shown
from stream_app.secret import Secret

T = TypeVar("T")

PREFIX: Final = "STREAM_APP_"

_SECRET_BYTES_MAX: Final = 65_536
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


class SettingsErrors(Exception):
    """The environment cannot be used; `str()` has one line for each thing that is wrong."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(*messages)
        self.messages = tuple(messages)

    def __str__(self) -> str:
        return "\n".join(self.messages)


class Variables:
    """The variables by their names without `STREAM_APP_`, and what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._messages: list[str] = []

    def text(self, name: str) -> str | None:
        """The variable, without blanks around it; None if it is absent or empty."""
        return self._env.get(PREFIX + name, "").strip() or None

    def complain(self, name: str, message: str) -> None:
        """Note what is wrong with a variable; reading goes on."""
        self._messages.append(f"{PREFIX}{name}: {message}")

    def raise_if_any(self) -> None:
        """Tell everything that was found.

        Raises:
            SettingsErrors: something was.
        """
        if self._messages:
            raise SettingsErrors(self._messages)

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """What `parse` makes of the variable; the default if it is absent or wrong.

        `parse` raises ValueError with a message for people, free of secrets.
        """
        text = self.text(name)
        if text is None:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.complain(name, str(error))
            return default

    def whole(self, name: str, default: int, highest: int) -> int:
        """A whole number from 1 to `highest`."""

        def parse(text: str) -> int:
            if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= highest:
                raise ValueError(f"{shown(text)} is not a whole number from 1 to {highest}")
            return int(text)

        return self.read(name, parse, default)

    def choice(self, name: str, options: Sequence[T]) -> T | None:
        """One of some words, in upper or lower case."""

        def parse(text: str) -> T:
            for option in options:
                if str(option) == text.upper():
                    return option
            raise ValueError(f"{shown(text)} is not one of {', '.join(map(str, options))}")

        return self.read(name, parse, None)

    def secret(self, name: str) -> Secret | None:
        """A secret from its variable, or from the file that the variable with `_FILE` names."""
        text = self._env.get(PREFIX + name) or None
        filename = self.text(f"{name}_FILE")
        if text and filename:
            self.complain(name, f"is set, and so is {PREFIX}{name}_FILE; use one of them")
        if text or filename is None:
            return Secret(text) if text else None
        return self.read(f"{name}_FILE", _secret_from_file, None)


def _secret_from_file(filename: str) -> Secret:
    try:
        with Path(filename).open("rb") as file:
            content = file.read(_SECRET_BYTES_MAX + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{_place(filename)} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{_place(filename)} holds no UTF-8 text, or is no path") from None
    if not text or len(content) > _SECRET_BYTES_MAX:
        raise ValueError(f"{_place(filename)} is empty or too large to be a password")
    return Secret(text)


def _place(filename: str) -> str:
    """How to call the file: what is no path may be the secret itself, in the wrong variable."""
    return shown(filename) if "/" in filename else "the file"


def existing_file(text: str) -> Path:
    """A path to a file that is there; ValueError otherwise."""
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {text!r}")
    return path
