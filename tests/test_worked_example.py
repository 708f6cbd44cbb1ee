"""The worked example is what the program says, and leaves no KPI out."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from stream_app.company import Company, load_company
from stream_app.kpis import BUILT_IN_NAMES
from stream_app.verification.recompute import Recomputation
from stream_app.wire.timestamps import instant_us
from stream_app.wire.value import Said

PAGE = Path(__file__).parents[1] / "stream_app" / "docs" / "worked-example.md"
TEXT = PAGE.read_text(encoding="utf-8")
OFF_BY = {"sales_cycle_median": Fraction(1, 100), "sales_cycle_p90": Fraction(1, 100)}
NEEDS_A_TARGET = {"pipeline_coverage"}


class Line(NamedTuple):
    """A KPI, where it stands, and what it must be."""

    kpi: str
    window: str
    dimension: str
    member: str
    value: Fraction


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes
    value: bytes


def section(title: str) -> list[list[str]]:
    """The rows of the table under a heading, without their heads."""
    (found,) = [part for part in TEXT.split("\n## ") if part.startswith(title)]
    rows = [line for line in found.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def number(text: str) -> Fraction:
    """`3000`, `0.5`, or a quotient written out."""
    first, *divisors = (Fraction(part.strip()) for part in text.split("/"))
    for divisor in divisors:
        first /= divisor
    return first


def lines() -> list[Line]:
    company = [
        Line(kpi, window, "company", "all", number(value))
        for title, window in (("The company in March", "month"), ("The company in a year", "365d"))
        for kpi, value, _ in section(title)
    ]
    stages = [
        Line(kpi, "day" if kpi.startswith("stuck") else "month", "stage", stage, number(value))
        for kpi, stage, value, _ in section("Its stages")
    ]
    return company + stages


def the_company(directory: Path) -> Company:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    page = directory / "company.yaml"
    page.write_text(block, encoding="utf-8")
    return load_company(page)


def records() -> list[Record]:
    found = []
    for place, (time, key, kind, data) in enumerate(section("What happened")):
        instant = time.replace("Z", ":00Z")
        body = {
            "specversion": "1.0",
            "id": str(place),
            "source": "//docs/worked-example",
            "type": f"crm.{kind}.v1",
            "time": instant,
            "data": json.loads(data),
        }
        time_us = instant_us(instant)
        assert time_us is not None
        record = Record(place, time_us // 1_000, key.encode(), json.dumps(body).encode())
        found.append(record)
    return found


def said(directory: Path) -> dict[tuple[str, str, str, str], Said]:
    company = the_company(directory)
    truth = Recomputation(company.config, company.catalogue, company.goals, company.working_days)
    truth.begin(0, 0)
    for record in records():
        truth.add(0, record)
    assert truth.dead_letters == {}
    now_us = truth.now_us(None)
    assert now_us is not None
    return {
        (each.kpi, each.window, each.dimension, each.member): each
        for _, each in truth.values(now_us)
        if not each.complete
    }


def test_every_value_of_the_page_is_what_the_program_says(tmp_path: Path) -> None:
    found = said(tmp_path)

    wrong = []
    for line in lines():
        value = found[line[:4]].value
        error = OFF_BY.get(line.kpi, Fraction(1, 10**12)) * abs(line.value)
        if value is None or abs(Fraction(value) - line.value) > error:
            wrong.append((line, value))
    assert wrong == []


def test_the_page_leaves_no_kpi_out() -> None:
    assert BUILT_IN_NAMES - {line.kpi for line in lines()} <= NEEDS_A_TARGET
