"""How far an import got, so that it can be continued, and need not be repeated.

A checkpoint belongs to one file content (joined files included), mapping, set of pseudonyms and
target; any other combination is another import. It says how many rows the log has acknowledged
without a gap, so continuing sends at most the rows of the last second again: exact duplicates.
It also remembers the last record written to each partition: when the topic no longer has it
there, the topic is another one and the import starts over.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from stream_app.intake.replaced import replace_file
from stream_app.intake.tally import Tally

FORMAT: Final = 1
_READ_BYTES: Final = 1 << 20


class Standing(msgspec.Struct, kw_only=True):
    """How far an import got.

    Attributes:
        format: of this file; another one is not continued.
        generation_ms: when the import was first started (`identity.sequence`).
        tally: over the rows that the log has acknowledged, `tally.rows` of them without a gap.
        complete: nothing is left to send.
        last_records: partition → offset and `record_digest` of the last record written there.
    """

    format: int = FORMAT
    generation_ms: int
    tally: Tally = msgspec.field(default_factory=Tally)
    complete: bool = False
    last_records: dict[int, tuple[int, str]] = {}


class Checkpoint:
    """The file that keeps one import's standing."""

    def __init__(self, state_directory: Path, parts: Iterable[str]) -> None:
        """Name the import.

        Args:
            state_directory: where checkpoints are kept.
            parts: everything that makes it this import and no other.
        """
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
        self.path = state_directory / "imports" / f"{name}.json"

    def load(self) -> Standing | None:
        """The standing, or None if there is none that can be continued."""
        try:
            standing = msgspec.json.decode(self.path.read_bytes(), type=Standing)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return standing if standing.format == FORMAT else None

    def save(self, standing: Standing) -> None:
        """Keep the standing."""
        replace_file(self.path, msgspec.json.encode(standing), mode=0o600)

    def remove(self) -> None:
        """Forget it: the next import starts over."""
        self.path.unlink(missing_ok=True)


def fingerprint(paths: Iterable[Path]) -> str:
    """A hash of the content of files; their names and dates do not matter."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
        digest.update(path.stat().st_size.to_bytes(8, "big"))
    return digest.hexdigest()


def record_digest(value: bytes) -> str:
    """What a record is recognised by."""
    return hashlib.sha256(value).hexdigest()[:16]
