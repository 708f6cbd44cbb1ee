"""Why input is refused: the contract's reasons, in the contract's order (rule 9)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a record became a dead letter; of several, the first in this order is given.

    The last two need the thread's other events: the fold finds them, `decode` never does.
    """

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    SCHEMA = "schema"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_KEY = "missing_key"
    BAD_NUMBER = "bad_number"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNKNOWN_MEASURE = "unknown_measure"
    FUTURE = "future"
    TOO_OLD = "too_old"
    ID_CONFLICT = "id_conflict"
    THREAD_TOO_LONG = "thread_too_long"


RANK: Final = {reason: place for place, reason in enumerate(Reason)}
"""Reason → its place in the contract's order."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that must become exactly one dead letter.

    Attributes:
        detail: the field, what is wrong with it and what was expected; fit for logs and headers:
            it repeats lengths and types of the input, never its content.
    """

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed record that is none of ours.

    Attributes:
        type: what it calls itself, unchecked: any text of up to 1 MiB. Not fit for a label.
    """

    type: str


class Refused(Exception):
    """Raised by the validators of `stream_app.wire`; never leaves `decode`.

    Attributes:
        where: path of the offending value below the one that was checked, such as `[2].amount`.
        what: what is wrong and what was expected.
    """

    def __init__(self, reason: Reason, what: str, where: str = "") -> None:
        super().__init__(reason, what, where)
        self.reason = reason
        self.what = what
        self.where = where

    def below(self, path: str) -> "Refused":
        """The same fault, seen from one level further up."""
        return Refused(self.reason, self.what, path + self.where)

    def rejection(self) -> Rejection:
        """The fault as a result."""
        return Rejection(self.reason, f"{self.where}: {self.what}" if self.where else self.what)


def first_of(one: Refused | None, other: Refused) -> Refused:
    """The fault whose reason comes first in the contract's order; of equals, `one`."""
    return other if one is None or RANK[other.reason] < RANK[one.reason] else one
