"""Which alert is meant, and from when to when something was wrong."""

from collections.abc import Sequence

import pytest

from stream_app.domain.calendar import rfc3339_utc
from stream_app.explaining.episode import Episode, Log, Told, episode
from stream_app.explaining.question import WrongQuestion
from stream_app.wire.alert import AlertKey

SECOND = 1_000_000
FOR = {"rate": 10 * SECOND}


def log(states: Sequence[tuple[str, str, int]], *others: str) -> Log:
    """Emea's alert has these states (state, previous, second); others have one that fires."""
    found = {key("emea"): [told("emea", *each) for each in states]}
    return found | {key(member): [told(member, "firing", "ok", 1)] for member in others}


def key(member: str) -> AlertKey:
    return AlertKey("rate", "level", f"team|{member}")


def told(member: str, state: str, previous: str, second: int) -> Told:
    return Told(
        id=f"{member}-{second}",
        target="rate",
        kpi="win_rate",
        window="month",
        start="2026-03-01T00:00:00Z",
        dimension="team",
        member=member,
        state=state,
        previous=previous,
        reason="below_target",
        value=0.2,
        threshold=0.25,
        since=rfc3339_utc(second * SECOND),
    )


LIFE = [
    ("pending", "ok", 1),
    ("firing", "pending", 11),
    ("resolved", "firing", 20),
    ("pending", "resolved", 31),
    ("firing", "pending", 41),
]


def seconds(found: Episode) -> tuple[int, int | None]:
    until = None if found.until_us is None else found.until_us // SECOND
    return found.since_us // SECOND, until


def test_a_target_means_its_newest_episode() -> None:
    assert seconds(episode(log(LIFE), "rate", "emea", FOR)) == (31, None)


@pytest.mark.parametrize("second", [1, 11, 20])
def test_an_id_means_the_episode_that_its_record_belongs_to(second: int) -> None:
    found = episode(log(LIFE), f"emea-{second}", None, FOR)

    assert seconds(found) == (1, 20)
    assert found.told.id == f"emea-{second}"


def test_where_the_record_of_pending_is_gone_the_targets_patience_is_taken_off() -> None:
    assert seconds(episode(log(LIFE[4:]), "rate", "emea", FOR)) == (31, None)
    assert seconds(episode(log([("firing", "ok", 41)]), "rate", "emea", FOR)) == (41, None)


def test_without_a_member_the_only_one_that_is_wrong_is_meant() -> None:
    assert episode(log(LIFE[:3], "apac"), "rate", None, FOR).told.member == "apac"


@pytest.mark.parametrize(
    ("name", "member", "message"),
    [
        ("rat", "emea", "no alert has the id or the target 'rat'; did you mean 'rate'?"),
        ("rate", "emeo", "rate has no alert about 'emeo'; did you mean 'emea'?"),
        ("rate", None, "which member of rate? write one of apac, emea"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest(
    name: str, member: str | None, message: str
) -> None:
    with pytest.raises(WrongQuestion) as error:
        episode(log(LIFE, "apac"), name, member, FOR)

    assert str(error.value) == message


def test_good_news_and_an_end_without_its_beginning_cannot_be_explained() -> None:
    with pytest.raises(WrongQuestion, match="rate of emea was achieved: nothing is wrong"):
        episode(log([("achieved", "ok", 1)]), "rate", "emea", FOR)
    with pytest.raises(WrongQuestion, match="is not in the topic any more"):
        episode(log([("resolved", "firing", 1)]), "rate", "emea", FOR)
