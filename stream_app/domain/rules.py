"""The part of the configuration that decides what is counted, in the form the fold needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from stream_app.config.model import Config
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.facts import Members
from stream_app.domain.trial import Trial

FOLD_VERSION: Final = 3
"""Raise it whenever the fold's output changes for the same events: the state version follows."""

MAX_THREAD_EVENTS: Final = 5_000
"""More events under one key than this are dead letters (`thread_too_long`)."""

_MAX_MASKS: Final = 100_000

AT_TIME_BY_DEFAULT: Final = frozenset({"rep", "team"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRules:
    """What the fold must know; equal rules and equal events give equal contributions.

    Attributes:
        dimensions: tracked dimensions; `rep` and `team` are always among them.
        splits: the configured splits, each as positions in `dimensions`.
        split_names: the dimension name of each split, `source+technique` for a combination.
        is_at_time: per tracked dimension, whether it is credited at the time of the thing.
        stage_order: pipeline → stage → place in its order.
        default_pipeline: the pipeline of a deal that names none, or None.
        several_pipelines: stage members are then `pipeline:stage`.
        team_of_rep: the directory's teams, for events that carry none.
        trials: the experiments.
    """

    calendar: BusinessCalendar
    dimensions: tuple[str, ...]
    splits: tuple[tuple[int, ...], ...]
    split_names: tuple[str, ...]
    is_at_time: tuple[bool, ...]
    currency: str
    exponents: Mapping[str, int]
    stage_order: Mapping[str, Mapping[str, int]]
    default_pipeline: str | None
    several_pipelines: bool
    team_of_rep: Mapping[str, str]
    activate_on_win: bool
    rep_index: int
    team_index: int
    product_line_index: int
    trials: tuple[Trial, ...]
    _masks: dict[Members, tuple[Members, Members]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def from_config(cls, config: Config) -> "FoldRules":
        """Derive the rules from a validated configuration."""
        names: list[str] = ["rep", "team"]
        for split in config.dimensions:
            names.extend(name for name in split if name not in names)
        for experiment in config.experiments:
            if experiment.dimension not in names:
                names.append(experiment.dimension)
        pipelines = config.pipelines
        default = "default" if "default" in pipelines else None
        if default is None and len(pipelines) == 1:
            default = next(iter(pipelines))
        known = {config.business.currency, *config.currencies}
        return cls(
            calendar=BusinessCalendar(config.business.timezone),
            dimensions=tuple(names),
            splits=tuple(tuple(names.index(n) for n in split) for split in config.dimensions),
            split_names=tuple("+".join(split) for split in config.dimensions),
            is_at_time=tuple(
                config.credit.get(n, "at_time" if n in AT_TIME_BY_DEFAULT else "latest")
                == "at_time"
                for n in names
            ),
            currency=config.business.currency,
            exponents={code: MINOR_UNIT_EXPONENTS[code] for code in sorted(known)},
            stage_order={
                name: {stage.name: place for place, stage in enumerate(pipeline.stages)}
                for name, pipeline in pipelines.items()
            },
            default_pipeline=default,
            several_pipelines=len(pipelines) > 1,
            team_of_rep={rep.id: rep.team for rep in config.directory.values() if rep.team},
            activate_on_win=config.activate_on == "win",
            rep_index=0,
            team_index=1,
            product_line_index=names.index("product_line") if "product_line" in names else -1,
            trials=tuple(Trial.of(each, tuple(names)) for each in config.experiments),
        )

    def at_time_only(self, members: Members) -> Members:
        """The members that a fact must remember: those credited at its time."""
        return self._masked(members)[0]

    def latest_only(self, members: Members) -> Members:
        """The members that are credited as known last."""
        return self._masked(members)[1]

    def _masked(self, members: Members) -> tuple[Members, Members]:
        """Both halves; the same few members come again and again."""
        masked = self._masks.get(members)
        if masked is None:
            pairs = list(zip(members, self.is_at_time, strict=True))
            masked = (
                tuple(m if at_time else None for m, at_time in pairs),
                tuple(None if at_time else m for m, at_time in pairs),
            )
            if len(self._masks) >= _MAX_MASKS:
                self._masks.clear()
            self._masks[members] = masked
        return masked

    def with_directory_team(self, members: Members) -> Members:
        """Fill a missing team from the directory's entry of the rep."""
        rep = members[self.rep_index]
        if rep is None or members[self.team_index] is not None:
            return members
        team = self.team_of_rep.get(rep)
        if team is None:
            return members
        index = self.team_index
        return (*members[:index], team, *members[index + 1 :])
