"""How a KPI, its unit and its labels are spelled for Prometheus (contract.md, section 6).

| unit | series |
|---|---|
| `count` | `kpi_deals_won` |
| `currency` | `kpi_revenue{currency="EUR"}` |
| `currency per day` | `kpi_pipeline_velocity_per_day{currency="EUR"}` |
| any other | `kpi_win_rate_ratio`, `kpi_sales_cycle_seconds`, `kpi_nps_points` |
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

TARGET_VALUE: Final = "kpi_target"
TARGET_ATTAINMENT: Final = "kpi_target_attainment_ratio"
TARGET_STATE: Final = "kpi_target_state"
TARGET_REASON: Final = "kpi_target_reason"
TARGET_COACHING: Final = "kpi_target_coaching_state"
PREVIOUS_VALUE: Final = "kpi_previous"
TARGET_NAMES: Final = frozenset({TARGET_VALUE, TARGET_ATTAINMENT, TARGET_STATE})
RESERVED_NAMES: Final = TARGET_NAMES | {PREVIOUS_VALUE, TARGET_REASON, TARGET_COACHING}

LABEL_CHARACTERS_MAX: Final = 256
_CUT_MARK_CHARACTERS = 9  # "~" and eight hex digits
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]+")
_MONEY = "currency"


class MetricNameClash(ValueError):
    """Two KPIs, or a KPI and a target gauge, would share one Prometheus name."""


def is_money(unit: str) -> bool:
    """True for amounts of the business currency, also per something: they carry its label."""
    return unit == _MONEY or unit.startswith(f"{_MONEY} per ")


def metric_name(kpi: str, unit: str) -> str:
    """Return the gauge of a KPI; whatever Prometheus forbids in names becomes an underscore."""
    suffix = unit.removeprefix(_MONEY) if is_money(unit) else "" if unit == "count" else unit
    words = (_NOT_IN_NAMES.sub("_", word).strip("_") for word in (kpi, suffix))
    return "_".join(word for word in ("kpi", *words) if word)


def metric_names(units: Mapping[str, str]) -> dict[str, str]:
    """Return Prometheus name → KPI for a catalogue given as KPI → unit.

    Raises:
        MetricNameClash: a name is taken twice; the exposition could not tell the series apart.
    """
    taken: dict[str, str] = dict.fromkeys(RESERVED_NAMES, "")
    for kpi, unit in units.items():
        name = metric_name(kpi, unit)
        if name in taken:
            other = f"KPI {taken[name]!r}" if taken[name] else "a gauge about targets"
            raise MetricNameClash(
                f"KPI {kpi!r} (unit {unit!r}) would be exposed as {name}, which is already the name"
                f" of {other}: rename the KPI or give it another unit"
            )
        taken[name] = kpi
    return {name: kpi for name, kpi in taken.items() if kpi}


def label_value(text: str) -> str:
    """Return the text as a label carries it: unchanged up to 256 characters.

    A longer one is cut and ends in a mark made from the whole, so that two long members with the
    same beginning stay two series: a repeated series would be an invalid exposition.
    """
    if len(text) <= LABEL_CHARACTERS_MAX:
        return text
    mark = blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{text[: LABEL_CHARACTERS_MAX - _CUT_MARK_CHARACTERS]}~{mark}"


def escaped_label(text: str) -> str:
    """Return the label value between its quotes, by the rules both exposition formats share."""
    return label_value(text).replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
