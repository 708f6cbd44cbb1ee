"""Which state version may write `kpi.values`: one at a time, the last one that was begun.

Workers of two state versions run at once while a change of what is counted is rolled out, and both
would say their numbers under the same keys. So a version asks before it speaks. It may if no other
one does, if the speaker has died out, or if the speaker was begun before it. Who was begun last but
is still rebuilding has nothing to say yet, so the old numbers stay current until the new ones are
complete; when the newer version is stopped, the older one speaks again.

A *reign* is the time from one change of the speaker to the next. Within a reign all that was said
came from one state version; a new reign has to look at what stands. It ends, too, when words of an
earlier reign may have come in it: then whoever speaks has to look again. No two reigns have the
same number, even if Redis forgets some of them.
"""

from collections.abc import Callable

from stream_app.state.client import END_REIGN, SPEAK, Client
from stream_app.state.keys import namespace


class Speaking:
    """What one worker knows of who speaks.

    Attributes:
        superseded_by: the newer state version that speaks, if one does.
    """

    def __init__(
        self,
        redis: Client,
        topic_prefix: str,
        state_version: str,
        *,
        lease_s: float,
        monotonic_s: Callable[[], float],
        wall_clock_us: Callable[[], int],
    ) -> None:
        """Nothing is known yet.

        Args:
            redis: of the state.
            topic_prefix: companies with different prefixes do not meet.
            state_version: of this worker.
            lease_s: for how long an answer holds, and a silent version is believed to live.
            monotonic_s: a clock that goes on while the process is stopped.
            wall_clock_us: numbers reigns, so that none is met again.
        """
        self._redis = redis
        self._key = speaking_key(topic_prefix).encode()
        self._version = state_version
        self._lease_s = lease_s
        self._monotonic_s = monotonic_s
        self._wall_clock_us = wall_clock_us
        self._from_s = self._until_s = 0.0
        self._reign: int | None = None
        self.superseded_by: str | None = None

    @property
    def reign(self) -> int | None:
        """The reign in which this worker may write values now; None: it may not."""
        return self._reign if self._from_s <= self._monotonic_s() < self._until_s else None

    async def end_reign(self) -> None:
        """Words of ours may have come in the reign of another: who speaks is to look again.

        Raises:
            StoreUnavailable: repeat it.
        """
        await END_REIGN.run(self._redis, (self._key,), (b"%d" % self._wall_clock_us(),))

    async def ask(self, *, complete: bool) -> None:
        """Say that we live, and hear who speaks; to be repeated well within the lease.

        Args:
            complete: we have counted all there is and would speak.

        Raises:
            StoreUnavailable: not known; what was known holds until its lease ends.
        """
        asked_s = self._monotonic_s()
        lease = b"%d" % round(self._lease_s * 1_000)
        args = (
            *(self._version.encode(), lease, b"1" if complete else b"0"),
            b"%d" % self._wall_clock_us(),
        )
        speaker, reign, quiet_ms, newer = await SPEAK.run(self._redis, (self._key,), args)
        self.superseded_by = speaker.decode() if newer == b"1" else None
        self._reign = int(reign) if speaker == self._version.encode() else None
        # The last speaker's answer may hold for a lease, so it is not interrupted.
        self._from_s = self._monotonic_s() + max(0, quiet_ms) / 1_000
        self._until_s = asked_s + self._lease_s


def speaking_key(topic_prefix: str) -> str:
    """What the names of the keys that say who speaks begin with."""
    return namespace(topic_prefix, "speaking")
