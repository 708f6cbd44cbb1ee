"""The state version follows what is counted, and nothing else."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from stream_app.config.load import load_config, parse_config
from stream_app.config.model import Business, Config
from stream_app.config.version import configuration_digest, state_version

BASE = """
business: {timezone: Europe/Berlin, currency: EUR}
currencies: {USD: "0.92", CHF: {2025-01-01: "1.04"}}
pipelines:
  default: {stages: [{name: qualified, probability: 0.1}, {name: proposal, probability: 0.4}]}
  partner: {stages: [{name: referred, probability: 0.5}]}
customers: {activate_on: event}
dimensions: [team, rep, [source, technique]]
credit: {source: latest}
windows: [day, month]
measures: {defects: {unit: count}, features: {unit: count}}
kpis: {density: {formula: defects / features, unit: ratio}}
targets: [{name: t, kpi: density, window: month, at_most: 0.2}]
directory: {reps: {r-1: {name: One, team: emea}, r-2: {name: Two}}}
experiments: [{name: e, dimension: technique, control: a, variants: [b, c], horizon: 30d}]
"""


def version(text: str, fold_version: int = 1) -> str:
    return state_version(parse_config(text, "config.yaml", Path()), fold_version)


def changed(old: str, new: str) -> str:
    assert BASE.count(old) == 1, f"{old!r} is not there once"
    return BASE.replace(old, new)


COUNTED = {
    "time zone": ("Europe/Berlin", "Europe/Paris"),
    "business currency": ("currency: EUR", "currency: GBP"),
    "a currency more": ('{USD: "0.92",', '{USD: "0.92", JPY: 0.006,'),
    "a currency less": ('USD: "0.92", ', ""),
    "future allowed": ("currency: EUR}", "currency: EUR, max_future: 11m}"),
    "retention": ("currency: EUR}", "currency: EUR, retention: 9y}"),
    "a stage's name": ("name: proposal", "name: offer"),
    "the stages' order": (
        "{name: qualified, probability: 0.1}, {name: proposal, probability: 0.4}",
        "{name: proposal, probability: 0.4}, {name: qualified, probability: 0.1}",
    ),
    "a pipeline's name": ("partner:", "channel:"),
    "activation": ("activate_on: event", "activate_on: win"),
    "a split more": ("[team, rep,", "[team, rep, region,"),
    "a split less": ("[team, rep,", "[team,"),
    "a declared dimension": ("[team, rep,", "[team, rep, segment,"),
    "the splits' order, by which the fold's state is laid out": ("[team, rep,", "[rep, team,"),
    "the order within a combination": ("[source, technique]", "[technique, source]"),
    "a credit rule": ("source: latest", "source: at_time"),
    "a measure more": ("measures: {", "measures: {bugs: {unit: count}, "),
    "a measure's name": ("{defects: {", "{flaws: {"),
    "a rep's team": ("team: emea", "team: apac"),
    "a rep gets a team": ("{name: Two}", "{name: Two, team: emea}"),
    "an experiment's name": ("name: e,", "name: f,"),
    "an experiment's arms": ("[b, c]", "[b]"),
    "an experiment's dimension": ("dimension: technique, control", "dimension: source, control"),
    "an experiment's horizon": ("horizon: 30d", "horizon: 31d"),
}

NOT_COUNTED = {
    "a rate": ('"0.92"', '"0.93"'),
    "a rate by day": ('"0.92"', '{2025-01-01: "0.92"}'),
    "a probability": ("probability: 0.1", "probability: 0.2"),
    "a default said aloud": ("source: latest", "source: latest, team: at_time"),
    "windows": ("windows: [day, month]", "windows: [day, month, 30d]"),
    "history": ("windows: ", "history: {day: 3}\nwindows: "),
    "a measure's unit": ("features: {unit: count}", "features: {unit: hours}"),
    "a formula": ("defects / features", "features / defects"),
    "a KPI more": ("kpis: {", "kpis: {more: {formula: defects, unit: count}, "),
    "a target": ("at_most: 0.2", "at_most: 0.3"),
    "a display name": ("name: One", "name: Uno"),
    "a rep without a team": ("r-2: {name: Two}", "r-2: {name: Two}, r-3: {name: Three}"),
    "the week's first day": ("currency: EUR}", "currency: EUR, week_starts: sunday}"),
    "the fiscal year": ("currency: EUR}", "currency: EUR, fiscal_year_starts: april}"),
    "holidays": ("currency: EUR}", "currency: EUR, holidays: DE-BE}"),
    "as_of": ("currency: EUR}", "currency: EUR, as_of: 2025-01-01}"),
    "the clock": ("currency: EUR}", "currency: EUR, clock: event}"),
    "chance or choice of an experiment": ("horizon: 30d", "horizon: 30d, random: true"),
    "the arms' order": ("[b, c]", "[c, b]"),
    "receivers": (
        "windows: ",
        "notify: {default: a, receivers: {a: {email_to: a@b.example}}}\nwindows: ",
    ),
    "sources": ("windows: ", "sources: {hubspot: {portal: 1}}\nsilent_sources: {x: 1h}\nwindows: "),
    "poison": ("windows: ", "poison: stop\nwindows: "),
}


@pytest.mark.parametrize(("old", "new"), COUNTED.values(), ids=COUNTED.keys())
def test_what_is_counted_makes_a_new_version(old: str, new: str) -> None:
    assert version(changed(old, new)) != version(BASE)


@pytest.mark.parametrize(("old", "new"), NOT_COUNTED.values(), ids=NOT_COUNTED.keys())
def test_what_is_only_shown_keeps_the_version(old: str, new: str) -> None:
    assert version(changed(old, new)) == version(BASE)


def test_the_order_of_pipelines_keeps_the_version() -> None:
    first = "pipelines: {a: {stages: [{name: x}]}, b: {stages: [{name: y}]}}"
    second = "pipelines: {b: {stages: [{name: y}]}, a: {stages: [{name: x}]}}"

    assert version(first) == version(second)


def test_another_fold_is_another_version() -> None:
    assert version(BASE, 1) != version(BASE, 2)


def test_every_change_makes_a_version_of_its_own() -> None:
    versions = {version(changed(old, new)) for old, new in COUNTED.values()}

    assert len(versions) == len(COUNTED)


def test_a_version_is_ten_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{10}", version(BASE))


def test_a_release_that_counts_the_same_keeps_the_states_it_finds() -> None:
    """If this fails every installation rebuilds its state: raise the fold version on purpose."""
    assert version(BASE) == "877e67cf2f"
    assert state_version(load_config(None), 1) == "d408f073ee"


def test_a_configuration_built_by_hand_has_the_default_credits() -> None:
    loaded = load_config(None)
    by_hand = Config(business=Business(timezone=loaded.business.timezone, currency="EUR"))

    assert by_hand.credit == {}
    assert state_version(by_hand, 1) == state_version(loaded, 1)


def digest(text: str, quotas: tuple[object, ...] = ()) -> str:
    return configuration_digest(parse_config(text, "config.yaml", Path()), quotas)


PUBLISHED = {
    "formula": ("defects / features", "features / defects"),
    "windows": ("[day, month]", "[day, month, year]"),
    "target": ("at_most: 0.2", "at_most: 0.3"),
    "rate": ("0.92", "0.93"),
    "probability": ("probability: 0.4", "probability: 0.5"),
}


@pytest.mark.parametrize(("old", "new"), PUBLISHED.values(), ids=PUBLISHED)
def test_what_decides_the_values_has_another_digest(old: str, new: str) -> None:
    assert digest(changed(old, new)) != digest(BASE)


def test_another_spelling_or_another_name_of_a_person_has_the_same_digest() -> None:
    assert digest(changed("name: One", "name: Uno")) == digest(BASE)
    assert digest(
        "# ours\n" + changed("windows: [day, month]\n", "") + "windows: [day, month]\n"
    ) == (digest(BASE))


def test_quotas_count_by_what_they_hold() -> None:
    ours, theirs = {("r-1", None): Decimal(1)}, {("r-1", None): Decimal(2)}
    assert len({digest(BASE), digest(BASE, (ours,)), digest(BASE, (theirs,))}) == 3
    assert digest(BASE, (dict(ours),)) == digest(BASE, (ours,))
