"""Persons become opaque ids here, before anything is sent (contract.md, section 2).

A pseudonym is a keyed hash (HMAC-SHA-256) of the name: the same on every machine that has the key
and in every later import, without a list that must be carried along, and not to be found by trying
names without the key. The key is a file beside the directory, made on first use and readable by its
owner only: keep it, copy it to whoever imports the same CRM, never commit it. A name that the
directory already knows keeps the id it has there, so a company's own ids can be used.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Final

from stream_app.intake.directory import Directory, plain_name

_KEY_BYTES: Final = 32
_ID_CHARACTERS: Final = 12  # 60 bits: a million names collide once in two million tries
_MADE_HERE: Final = re.compile(rf"[a-z]+-[a-z2-7]{{{_ID_CHARACTERS}}}")
_CACHED: Final = 65_536


class UnusableKey(Exception):
    """The key of the pseudonyms cannot be used; the text says why and what to do."""


class Pseudonyms:
    """Names to ids."""

    def __init__(self, key: bytes, directory: Directory) -> None:
        self._key = key
        self._directory = directory
        self._hashed = lru_cache(_CACHED)(self._hash)

    def of(self, prefix: str, name: str, section: str | None = None) -> str:
        """The id that stands for a name.

        Args:
            prefix: begins the id; equal names under different prefixes have nothing in common.
            name: as the file has it; blanks and Unicode's spellings make no difference.
            section: the directory's section whose ids are kept, or None.
        """
        known = self._directory.id_of(section, name) if section is not None else None
        return self._hashed(prefix, name) if known is None else known

    def fingerprint(self) -> str:
        """Differs when the same names would get other ids: by the key or the directory's own."""
        own = [
            [section, entry_id, name]
            for section, entry_id, name in self._directory.named()
            if not _MADE_HERE.fullmatch(entry_id)
        ]
        return hmac.new(self._key, repr(sorted(own)).encode(), hashlib.sha256).hexdigest()[:16]

    def _hash(self, prefix: str, name: str) -> str:
        text = f"{prefix}\0{plain_name(name)}"
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return prefix + base64.b32encode(digest).decode().lower()[:_ID_CHARACTERS]


def passing_key() -> bytes:
    """A key for a dry run on a machine that has none; its ids are not those of the import."""
    return secrets.token_bytes(_KEY_BYTES)


def read_key(path: Path) -> bytes | None:
    """The key, or None if there is no file yet.

    Raises:
        UnusableKey: the file cannot be read or holds something else.
    """
    try:
        text = path.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableKey(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UnusableKey(
            f"{path}: expected {2 * _KEY_BYTES} hexadecimal digits; restore the file that earlier "
            "imports made, or name another with --pseudonym-key"
        )
    return key


def make_key(path: Path, directory: Directory) -> bytes:
    """Make the key's file, mode 0600.

    Raises:
        UnusableKey: it cannot be written, or the directory has ids of a key that is gone.
    """
    if any(_MADE_HERE.fullmatch(entry_id) for _, entry_id, _ in directory.named()):
        raise UnusableKey(
            f"{path}: is missing, but {directory.path} has ids made with it; a new key would give "
            "everybody another id. Restore the file, or name it with --pseudonym-key; to start "
            "anew, move the directory away"
        )
    key = passing_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:  # another import was faster: both must use one key
        return read_key(path) or key
    except OSError as error:
        raise UnusableKey(f"{path}: cannot be written: {error.strerror}") from None
    return key
