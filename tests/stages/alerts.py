"""A team with targets, whose numbers fall and come back, and what `kpi.alerts` tells of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stream_app.company import Company, load_company
from stream_app.simulate import matching_configuration
from tests.stages.company import HISTORY, OPTIONS
from tests.stages.outside import ALERTS
from tests.stages.rig import Rig
from tests.stages.told import NOON, Told, logged, told, us

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
RATE: dict[str, Any] = {
    "name": "win-rate-team",
    "kpi": "win_rate",
    "window": "month",
    "dimension": "team",
    "at_least": 0.25,
    "for": "10m",
    "min_sample": 4,
}
REVENUE: dict[str, Any] = {
    "name": "revenue-rep",
    "kpi": "revenue",
    "window": "week",
    "dimension": "rep",
    "at_least": 1000,
    "repeat_misses": 2,
}
KEY = "win-rate-team|level|team|emea"


def company_with(directory: Path, *targets: dict[str, Any], **business: Any) -> Company:
    content = matching_configuration(OPTIONS)
    content["business"] |= business  # type: ignore[operator]
    content["dimensions"] = ["team", "rep", ["source", "technique"]]
    content["windows"] = ["hour", "day", "week", "month", "30d"]
    content["history"] = HISTORY
    content["targets"] = [dict(target) for target in targets]
    path = directory / "company.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_company(path)


def closed(number: int, at: datetime, result: str, **data: Any) -> list[Told]:
    """A deal of emea's that is won or lost."""
    name = f"deal-{number}"
    return [
        told("deal.created", name, at, deal_id=name, amount="100", rep="r-01", team="emea", **data),
        told(f"deal.{result}", name, at, deal_id=name),
    ]


def changes(rig: Rig, *fields: str) -> list[Any]:
    """Every record of kpi.alerts, in the order of each partition."""
    found = []
    for record in rig.topics.all(ALERTS):
        key = (record.key or b"").decode()
        if record.value is None:
            found.append((key, None))
            continue
        body = msgspec.json.decode(record.value)
        found.append((key, *(body[field] for field in fields or ("state", "reason"))))
    return found


def ids(rig: Rig) -> list[str]:
    return [
        msgspec.json.decode(r.value)["id"] for r in rig.topics.all(ALERTS) if r.value is not None
    ]


def state_beside(rig: Rig) -> Any:
    key = b"win_rate|month|2026-03-01T00:00:00%2B01:00|team|emea"
    return msgspec.json.decode(rig.topics.standing()[key])["targets"]


async def fall_below(rig: Rig, at: datetime = NOON) -> None:
    """Emea loses three deals of four, and ten minutes pass."""
    records = [r for n in range(3) for r in closed(n, at, "lost")]
    rig.extend(logged([*records, *closed(3, at, "won"), *closed(4, at, "lost")]))
    await rig.settle()
    for minutes in (1, 2, 11, 12):
        await rig.tick(us(at + minutes * MINUTE))
        await rig.settle()


async def recover(rig: Rig, at: datetime) -> None:
    before = [record for log in rig.log for record in log]
    won = [r for n in range(10, 14) for r in closed(n, at, "won")]
    rig.extend(logged(won, before))
    await rig.settle()
    await rig.tick(us(at + MINUTE))
    await rig.settle()
