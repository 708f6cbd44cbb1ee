"""Bugs planted into what is said and taken back: dead letters, values, alerts, experiments."""

from typing import Any, Final

from stream_app.stages import words as words_module
from stream_app.stages.alert_memory import AlertMemory
from stream_app.stages.alert_outbox import AlertOutbox
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.leftovers import Leftovers
from stream_app.stages.measuring import Measurer
from stream_app.stages.readiness import Readiness
from stream_app.stages.revisions import Revisions
from stream_app.stages.scopes import ScopeStore
from stream_app.stages.speaking import Speaker
from stream_app.wire.dead_letter import DeadLetter
from tests.simulation.ground import Ground, publishing, send_and_hope

# -- what is said --------------------------------------------------------------------------------


def dead_letters_are_keyed_wrongly(ground: Ground) -> None:
    """By partition alone."""
    ground.put(DeadLetter, "key", property(lambda self: f"{self.topic}/{self.partition}".encode()))


def a_failed_send_of_values_is_forgotten(ground: Ground) -> None:
    """No acknowledgement is taken for one, and nobody looks."""
    ground.put(ScopeStore, "take_back", lambda _self, _scope, _standing, _own: [])
    publishing(ground, Speaker, "flush", send_and_hope)


def a_new_owner_has_no_higher_revisions(ground: Ground) -> None:
    """Revisions are the time of day, whatever was announced."""

    def init(self: Revisions, _heard: int, wall_clock_us: Any) -> None:
        original(self, 0, wall_clock_us)

    original = ground.put(Revisions, "__init__", init)
    ground.put(Revisions, "hear", lambda _self, _limit: None)


def a_zombies_late_value_is_kept(ground: Ground) -> None:
    """Who lost a partition does not tell what it may have said too late, and nobody looks."""
    ground.put(ScopeStore, "take_back", lambda _self, _scope, _standing, _own: [])
    ground.put(Speaker, "farewell", lambda _self: [])


def ready_is_said_too_early(ground: Ground) -> None:
    """Before the log was read up to where it ended."""
    ground.put(Measurer, "is_ready", property(lambda _self: True))
    ground.put(Readiness, "has_caught_up", property(lambda _self: True))
    ground.put(
        Readiness,
        "hears_all_sources",
        property(lambda self: len(self.sources) >= self._plan.sources),
    )


def nothing_is_taken_back_after_a_loss(ground: Ground) -> None:
    """Records of scopes that are met again are thought to be unsaid, and nobody looks."""
    ground.put(ScopeStore, "take_back", lambda _self, _scope, _standing, _own: [])
    ground.put(Leftovers, "forget", lambda _self, _scopes: None)


def nobody_looks_in_a_new_reign(ground: Ground) -> None:
    """Another state version speaks on without knowing what stands."""
    ground.put(Speaker, "must_look", property(lambda _self: False))
    ground.put(Speaker, "may_speak", property(lambda self: self._granted() is not None))


def an_older_version_never_falls_silent(ground: Ground) -> None:
    """What was answered once about who speaks is believed for ever."""
    ground.put(
        Speaker,
        "must_look",
        property(lambda self: self._readiness.is_complete and not self._reign),
    )
    ground.put(Speaker, "may_speak", property(lambda self: self._reign > 0))


def a_new_owner_says_nothing_again(ground: Ground) -> None:
    """It trusts that its predecessor was heard."""

    async def begin(self: EvaluatingStage) -> None:
        await original(self)
        self.speaker._dirty.clear()

    original = ground.put(EvaluatingStage, "begin", begin)


# -- alerts and experiments ----------------------------------------------------------------------


def alerts_are_forgotten_at_a_claim(ground: Ground) -> None:
    """A new owner believes that all is well, and is alarmed again."""

    async def begin(self: AlertMemory, *args: Any) -> None:
        await original(self, *args)
        self._committed.clear()

    original = ground.put(AlertMemory, "begin", begin)


def a_change_in_doubt_is_told_again(ground: Ground) -> None:
    """Nobody looks whether a send without an acknowledgement has arrived."""
    ground.put(AlertOutbox, "doubt", lambda _self: None)


def what_another_version_told_stays(ground: Ground) -> None:
    """Nobody compares what `kpi.alerts` says with what is remembered."""
    ground.put(AlertOutbox, "compare", lambda _self: None)


def a_result_is_said_only_once(ground: Ground) -> None:
    """What an experiment says is not brought up to date."""

    def news_of(experiment: Any, totals: Any, today: int, said: Any) -> Any:
        before = set(said)
        return [news for news in original(experiment, totals, today, said) if news[0] not in before]

    original = ground.put(words_module, "news_of", news_of)


BUGS: Final = (
    a_failed_send_of_values_is_forgotten,
    dead_letters_are_keyed_wrongly,
    a_new_owner_has_no_higher_revisions,
    a_zombies_late_value_is_kept,
    ready_is_said_too_early,
    nothing_is_taken_back_after_a_loss,
    a_new_owner_says_nothing_again,
    nobody_looks_in_a_new_reign,
    an_older_version_never_falls_silent,
    alerts_are_forgotten_at_a_claim,
    a_change_in_doubt_is_told_again,
    what_another_version_told_stays,
    a_result_is_said_only_once,
)
