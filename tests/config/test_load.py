"""What a good configuration means."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

import pytest

from stream_app.config.load import ConfigErrors, load_config, parse_config
from stream_app.config.model import (
    DEFAULT_DIMENSIONS,
    DEFAULT_WINDOWS,
    Benchmark,
    Business,
    Config,
    Credit,
    CrmSource,
    CustomKpi,
    History,
    Measure,
    Notify,
    Pipeline,
    Receiver,
    Rep,
    Stage,
    Target,
)

CONTRACT_EXAMPLE = Path(__file__).with_name("contract_example.yaml")
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
LATEST_UNLESS_PEOPLE: dict[str, Credit] = {
    "rep": "at_time",
    "team": "at_time",
    "source": "latest",
    "technique": "latest",
    "campaign": "latest",
    "product_line": "latest",
    "region": "latest",
}


def parsed(text: str, base_dir: Path = Path("conf")) -> Config:
    return parse_config(text, "config.yaml", base_dir)


def test_without_a_file_everything_has_its_default() -> None:
    assert load_config(None) == Config(
        business=Business(timezone=ZoneInfo("UTC"), currency="EUR"),
        credit=LATEST_UNLESS_PEOPLE,
    )


@pytest.mark.parametrize("text", ["", "---\n", "# nothing yet\n", "~\n", "{}\n", "\ufeff"])
def test_an_empty_file_is_the_defaults(text: str) -> None:
    assert parsed(text) == load_config(None)


def test_an_empty_section_is_an_absent_one() -> None:
    assert parsed("business:\ncurrencies:\ntargets:\nwindows:\n") == load_config(None)


def test_the_defaults_are_the_contracts() -> None:
    config = load_config(None)

    assert config.business.max_future_us == 10 * MINUTE_US
    assert config.business.retention_us == 3_652 * DAY_US
    assert config.history == History(day=35, week=14, month=25, quarter=9, year=6)
    assert config.dimensions == DEFAULT_DIMENSIONS
    assert config.windows == DEFAULT_WINDOWS
    assert config.activate_on == "event"
    assert config.poison_stop is False


def test_the_contracts_example_means_what_it_says() -> None:
    config = load_config(CONTRACT_EXAMPLE, known_kpis=["win_rate", "revenue"])

    assert config == Config(
        business=Business(timezone=ZoneInfo("Europe/Berlin"), currency="EUR", holidays="DE-BE"),
        currencies={
            "USD": ((0, Decimal("0.92")),),
            "CHF": (
                (date(2025, 1, 1).toordinal(), Decimal("1.04")),
                (date(2025, 7, 1).toordinal(), Decimal("1.06")),
            ),
        },
        pipelines={
            "default": Pipeline(
                name="default",
                stages=(
                    Stage(name="qualified", probability=Decimal("0.1")),
                    Stage(name="proposal", probability=Decimal("0.4")),
                    Stage(name="negotiation", probability=Decimal("0.7")),
                ),
            ),
        },
        activate_on="win",
        dimensions=DEFAULT_DIMENSIONS,
        credit={**LATEST_UNLESS_PEOPLE, "region": "at_time"},
        measures={"defects": Measure(name="defects"), "features": Measure(name="features")},
        kpis={
            "defect_density": CustomKpi(
                name="defect_density", formula="defects / features", unit="ratio", better="lower"
            ),
        },
        targets=(
            Target(
                name="win-rate-team",
                kpi="win_rate",
                window="month",
                dimension=("team",),
                member="*",
                at_least=Decimal("0.25"),
                resolve_at=Decimal("0.27"),
                for_us=10 * MINUTE_US,
                min_sample=20,
                by=date(2026, 12, 31),
                owner="sales-lead-emea",
                severity="warning",
                repeat_misses=3,
                benchmark=Benchmark(value=Decimal("0.22"), source="…"),
            ),
            Target(
                name="quota",
                kpi="revenue",
                window="month",
                dimension=("rep",),
                member="*",
                values_from=CONTRACT_EXAMPLE.parent / "quotas.csv",
                pace="working_days",
            ),
        ),
        notify=Notify(
            default="sales-ops",
            receivers={
                "sales-ops": Receiver(
                    name="sales-ops", slack_webhook_file=PurePath("/run/secrets/slack")
                )
            },
        ),
        directory={"r-17": Rep(id="r-17", name="…", team="emea")},
        sources={
            "hubspot": CrmSource(
                name="hubspot",
                portal="4711",
                public_url="https://kpi.example.org/in/hubspot",
                stages={
                    "appointmentscheduled": "qualified",
                    "closedwon": "won",
                    "closedlost": "lost",
                },
                fields={"technique": "sales_technique"},
                owners={"31": "r-17"},
            ),
        },
    )


def test_every_part_of_the_business_is_read() -> None:
    config = parsed(
        """
business:
  timezone: America/New_York
  currency: JPY
  week_starts: Sunday
  fiscal_year_starts: april
  holidays: NO
  as_of: 2017-12-31
  clock: event
  max_future: 0s
  retention: 35d
poison: stop
history: {day: 0, week: 1, month: 2, quarter: 3, year: 4}
silent_sources: {hubspot: 2h}
"""
    )

    assert config.business == Business(
        timezone=ZoneInfo("America/New_York"),
        currency="JPY",
        week_starts=6,
        fiscal_year_starts=4,
        holidays="NO",
        as_of=date(2017, 12, 31),
        clock="event",
        max_future_us=0,
        retention_us=35 * DAY_US,
    )
    assert config.poison_stop is True
    assert config.history == History(day=0, week=1, month=2, quarter=3, year=4)
    assert config.silent_sources_us == {"hubspot": 120 * MINUTE_US}


def test_the_directory_may_be_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(
        'reps:\n  31: {team: emea}\n  "r 17": {name: Seventeen}\n  r-18:\n', encoding="utf-8"
    )
    (tmp_path / "config.yaml").write_text("directory: people.yaml\n", encoding="utf-8")

    assert load_config(tmp_path / "config.yaml").directory == {
        "31": Rep(id="31", team="emea"),
        "r 17": Rep(id="r 17", name="Seventeen"),
        "r-18": Rep(id="r-18"),
    }


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbfbusiness: {currency: USD}\n")

    assert load_config(path).business.currency == "USD"


def test_the_document_stays_at_hand_as_texts() -> None:
    assert parsed("business: {as_of: 2025-01-01}\nhistory: {day: 7}\n").raw == {
        "business": {"as_of": "2025-01-01"},
        "history": {"day": "7"},
    }


def no_such_measure(config: Config) -> Iterator[tuple[str, str]]:
    for name, kpi in config.kpis.items():
        if kpi.formula not in config.measures:
            yield f"kpis.{name}.formula", f"no measure is called {kpi.formula!r}"


def test_a_check_of_the_whole_is_told_with_its_line_beside_the_other_errors() -> None:
    text = """measures: {defects: {unit: Count}}
kpis:
  a:
    formula: defcts
    unit: count
  b: {formula: defects, unit: count}
poison: halt
"""
    with pytest.raises(ConfigErrors) as caught:
        parse_config(text, "c.yaml", Path(), checks=[no_such_measure])

    assert str(caught.value).splitlines() == [
        (
            "c.yaml:1: measures.defects.unit: 'Count' cannot be a name here; "
            "use lower-case words, like count, currency, ratio or seconds"
        ),
        "c.yaml:4: kpis.a.formula: no measure is called 'defcts'",
        "c.yaml:7: poison: 'halt' is not one of stop, dead_letter",
    ]


def test_a_check_says_nothing_about_what_is_already_known_to_be_wrong() -> None:
    text = "kpis: {a: {unit: count, formula: [x]}}\n"

    with pytest.raises(ConfigErrors) as caught:
        parse_config(text, "c.yaml", Path(), checks=[no_such_measure])

    assert str(caught.value) == "c.yaml:1: kpis.a.formula: expected text, got a list"


def test_a_finding_about_an_absent_key_stands_at_the_nearest_line_above() -> None:
    text = "poison: stop\ntargets:\n  - {name: a, kpi: nps, window: month, at_least: 1}\n"

    with pytest.raises(ConfigErrors) as caught:
        parse_config(
            text, "c.yaml", Path(), checks=[lambda _: [("targets[0].min_sample", "is needed")]]
        )

    assert str(caught.value) == "c.yaml:3: targets[0].min_sample: is needed"
