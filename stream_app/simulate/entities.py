"""What the simulation remembers of a lead and of a deal."""

from typing import Literal

from stream_app.simulate.company import Channel, Rep, Technique
from stream_app.simulate.timeline import Thread

Status = Literal["open", "won", "lost", "deleted"]


class Lead:
    """A lead; `customer_id` is set by its first win."""

    __slots__ = (
        "campaign",
        "channel",
        "created_ms",
        "customer_id",
        "deleted",
        "id",
        "region",
        "rep",
        "technique",
        "thread",
    )

    def __init__(
        self,
        id_: str,
        thread: Thread,
        created_ms: int,
        *,
        rep: Rep,
        channel: Channel,
        technique: Technique,
        campaign: str | None,
        region: str,
    ) -> None:
        self.id = id_
        self.thread = thread
        self.created_ms = created_ms
        self.rep = rep
        self.channel = channel
        self.technique = technique
        self.campaign = campaign
        self.region = region
        self.customer_id: str | None = None
        self.deleted = False


class Deal:
    """A deal and its plan: `path` holds the visits to come, the next one last.

    Attributes:
        path: (business days until then, the stage entered; None: the result).
        amount_minor: minor units of `currency`; the size the rep has in mind.
        closed_ms: the time of the last result; 0 before.
        costed: its cost was said.
    """

    __slots__ = (
        "amount_minor",
        "closed_ms",
        "costed",
        "created_ms",
        "currency",
        "id",
        "lead",
        "new_business",
        "path",
        "pipeline",
        "rep",
        "stage",
        "status",
        "thread",
        "wins",
    )

    def __init__(
        self,
        id_: str,
        thread: Thread,
        *,
        lead: Lead,
        created_ms: int,
        pipeline: tuple[str, tuple[str, ...]],
    ) -> None:
        self.id = id_
        self.thread = thread
        self.lead = lead
        self.rep = lead.rep
        self.created_ms = created_ms
        self.pipeline = pipeline
        self.stage = pipeline[1][0]
        self.path: list[tuple[float, str | None]] = []
        self.status: Status = "open"
        self.closed_ms = 0
        self.wins = False
        self.amount_minor = 0
        self.currency = ""
        self.costed = False
        self.new_business = True


def dimensions(lead: Lead, rep: Rep) -> dict[str, object]:
    """Return what an event under another key than the lead's has to say for itself."""
    data: dict[str, object] = {
        "rep": rep.id,
        "team": rep.team,
        "source": lead.channel.source,
        "technique": lead.technique.name,
        "region": lead.region,
    }
    if lead.campaign is not None:
        data["campaign"] = lead.campaign
    return data
