"""Dimensions: which splits are counted, which names exist, and how each is credited."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from stream_app.config.model import DEFAULT_DIMENSIONS, Credit, Split
from stream_app.config.nearest import hint, nearest, shown
from stream_app.config.scalars import IDENTIFIER, choice
from stream_app.config.yaml_nodes import Reader, Value
from stream_app.domain.events import STANDARD_DIMENSIONS

COMPANY: Final[Split] = ("company",)

BUILT_IN_SPLITS: Final[tuple[Split, ...]] = (
    COMPANY,
    ("stage",),
    ("team", "stage"),
    ("rep", "stage"),
    ("loss_reason",),
    ("theme",),
    ("pipeline",),
)
"""Splits that exist without being configured (contract.md, section 4)."""

DEAL_FIELDS: Final = (
    "deal_id",
    "lead_id",
    "lead_created_at",
    "customer_id",
    "pipeline",
    "stage",
    "amount",
    "currency",
    "cost",
    "new_business",
    "expected_close_on",
    "loss_reason",
)

_FIELDS: Final = frozenset(
    {
        *DEAL_FIELDS,
        "lines",
        "survey_id",
        "kind",
        "score",
        "scale_max",
        "spend_id",
        "expense_id",
        "category",
        "first_day",
        "last_day",
        "measure",
        "measure_id",
        "value",
    }
)
_WORDS: Final = frozenset({"company", "window", "dimension", "member", "kpi", "target", "theme"})
"""What `kpi.values` and the metrics' labels already mean by these."""

_COMBINED_MAX: Final = 4
_CREDITS: Final[tuple[Credit, ...]] = ("at_time", "latest")
_AT_TIME_BY_DEFAULT: Final = frozenset({"rep", "team"})
_SURELY_MEANT: Final = 0.8


def split_name(split: Split) -> str:
    """The name in `kpi.values` and on the command line: `source+technique`."""
    return "+".join(split)


def known_dimensions(splits: Iterable[Split]) -> tuple[str, ...]:
    """Every dimension an event may carry: the standard ones, then those that splits declare."""
    declared = (name for split in splits for name in split)
    return tuple(dict.fromkeys((*STANDARD_DIMENSIONS, *declared)))


def effective_credit(splits: Iterable[Split], overrides: Mapping[str, Credit]) -> dict[str, Credit]:
    """The credit rule of every known dimension (contract.md, rule 2)."""
    by_default: dict[str, Credit] = {
        name: "at_time" if name in _AT_TIME_BY_DEFAULT else "latest"
        for name in known_dimensions(splits)
    }
    return by_default | dict(overrides)


def read_splits(value: Value | None) -> tuple[Split, ...]:
    """The section `dimensions`."""
    if value is None:
        return DEFAULT_DIMENSIONS
    splits: list[Split] = []
    for item in value.items("a list of dimensions, like [team, rep, [source, technique]]"):
        split = _split(item)
        if split is None:
            continue
        if frozenset(split) in map(frozenset, splits):
            item.error(f"{split_name(split)!r} is listed twice; remove one")
        else:
            splits.append(split)
    return tuple(splits)


def read_credit(value: Value | None, splits: Sequence[Split]) -> dict[str, Credit]:
    """The section `credit`, completed by the defaults."""
    overrides: dict[str, Credit] = {}
    known = known_dimensions(splits)
    if value is not None:
        for name, entry in value.entries("a mapping like {region: at_time}").items():
            if name not in known:
                entry.error(f"no dimension is called {shown(name)}{hint(name, known)}")
            elif (rule := choice(_CREDITS)(entry)) is not None:
                overrides[name] = rule
    return effective_credit(splits, overrides)


def split_among(splits: Sequence[Split] | None) -> Reader[Split]:
    """A split that exists: the company, a configured one or a built-in one; None: any."""
    by_name = {split_name(split): split for split in (COMPANY, *(splits or ()), *BUILT_IN_SPLITS)}

    def read(value: Value) -> Split | None:
        if value.is_list:
            parts = [item.text() for item in value.items("")]
            name = None if None in parts else "+".join(map(str, parts))
        else:
            name = value.text()
        if name is None:
            return None
        if splits is None or name in by_name:
            return tuple(name.split("+"))
        value.error(f"nothing is split by {shown(name)}{hint(name, by_name)}")
        return None

    return read


def dimension_among(known: Collection[str]) -> Reader[str]:
    """A single known dimension."""

    def read(value: Value) -> str | None:
        name = value.text()
        if name is None or name in known:
            return name
        value.error(f"no dimension is called {shown(name)}{hint(name, known)}")
        return None

    return read


def _split(value: Value) -> Split | None:
    if not value.is_list:
        text = value.text()
        if text is not None and "+" in text:
            value.error(f"{shown(text)} is not a name; write [{', '.join(text.split('+'))}]")
            return None
        name = None if text is None else _dimension(value)
        return None if name is None else (name,)
    names = [_dimension(item) for item in value.items("")]
    split = tuple(name for name in names if name is not None)
    if len(split) < len(names):
        return None
    if not 1 <= len(split) <= _COMBINED_MAX:
        value.error(f"combines {len(split)} dimensions; write 1 to {_COMBINED_MAX}")
        return None
    if len(set(split)) < len(split):
        value.error(f"{split_name(split)!r} combines a dimension with itself; name it once")
        return None
    return split


def _dimension(value: Value) -> str | None:
    name = IDENTIFIER(value)
    if name is None or name in STANDARD_DIMENSIONS:
        return name
    if (name,) in BUILT_IN_SPLITS and name != "company":
        value.error(f"{name!r} is built in and need not be configured; remove it")
    elif name in _FIELDS or name in _WORDS:
        value.error(f"{name!r} already means something else; choose another name")
    else:
        meant = nearest(name, STANDARD_DIMENSIONS, likeness=_SURELY_MEANT)
        if meant is not None:
            value.warn(f"declares a dimension of your own, {name!r}; did you mean {meant!r}?")
        return name
    return None
