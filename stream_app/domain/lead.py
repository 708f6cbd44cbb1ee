"""One lead of a thread: its attributes over time, its creation, whether it counts."""

from typing import Any

from stream_app.domain.events import Event, EventType
from stream_app.domain.facts import Members
from stream_app.domain.rules import FoldRules


def raw_members(attributes: dict[str, Any], rules: FoldRules) -> Members:
    """What the attributes themselves say of every tracked dimension, nothing inherited."""
    return tuple(attributes.get(name) for name in rules.dimensions)


def filled(members: Members, more: Members) -> Members:
    """The members, those that are missing from `more`."""
    if None not in members:
        return members
    return tuple(own if own is not None else m for own, m in zip(members, more, strict=True))


class Lead:
    """The running state of one lead.

    Attributes:
        raw: its own members in force now.
        created_at: the instant of its first `lead.created`, or None.
        created_raw: its own members in force then.
        deleted: it counts nothing; its deals still inherit from it.
        first: per dimension the first member that it ever had; kept where there are experiments.
    """

    __slots__ = (
        "attributes",
        "created_at",
        "created_raw",
        "deleted",
        "first",
        "id",
        "raw",
        "rules",
    )

    def __init__(self, lead_id: str, rules: FoldRules) -> None:
        self.id = lead_id
        self.rules = rules
        self.attributes: dict[str, Any] = {}
        self.raw: Members = (None,) * len(rules.dimensions)
        self.created_at: int | None = None
        self.created_raw: Members = self.raw
        self.deleted = False
        self.first: Members = self.raw

    def apply(self, event: Event) -> bool:
        """Continue with the next event; True when the members in force changed."""
        for name, value in event.data.items():
            if value is None:
                self.attributes.pop(name, None)
            else:
                self.attributes[name] = value
        before = self.raw
        self.raw = raw_members(self.attributes, self.rules)
        if self.rules.trials:
            self.first = filled(self.first, self.rules.with_directory_team(self.raw))
        if event.type == EventType.LEAD_DELETED:
            self.deleted = True
        elif event.type == EventType.LEAD_CREATED:
            self.deleted = False
            if self.created_at is None:
                self.created_at, self.created_raw = event.time, self.raw
        return self.raw != before
