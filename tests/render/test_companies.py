"""Whatever a company configures, something sensible is rendered for it."""

import json
from pathlib import Path

import pytest

from stream_app.company import load_company
from stream_app.render.files import Wishes, rendered_files

COMPANIES = {
    "nothing configured": "{}",
    "one window, no splits": "{windows: [7d], dimensions: []}",
    "only days": "{windows: [hour, day], dimensions: [region]}",
    "another currency, a fiscal year": (
        "{business: {currency: VND, timezone: Asia/Tokyo, fiscal_year_starts: april}}"
    ),
    "built-in KPIs that exist for few": (
        "kpis:\n"
        "  nps: {formula: nps_promoters, unit: points, dimensions: [company], windows: [day]}\n"
        "  revenue: {formula: revenue, unit: currency, dimensions: [team]}\n"
        "  win_rate: {formula: deals_won / deals_lost, unit: ratio, better: lower}\n"
    ),
    "an own KPI with a target": (
        "measures: {calls: {unit: count}}\n"
        "kpis: {talk: {formula: calls / deals_won, unit: calls a win}}\n"
        "targets: [{name: 'a \"b\" {{c}} %d', kpi: talk, window: month, at_most: 5}]\n"
    ),
}


@pytest.mark.parametrize("text", COMPANIES.values(), ids=COMPANIES)
def test_every_company_gets_dashboards_without_empty_corners(text: str, tmp_path: Path) -> None:
    path = tmp_path / "company.yaml"
    path.write_text(text, encoding="utf-8")
    company = load_company(path)

    files = rendered_files(company, Wishes())

    boards = [json.loads(text) for name, text in files.items() if "grafana/dashboards/" in name]
    assert len(boards) == 7
    for board in boards:
        places = [panel["gridPos"] for panel in board["panels"]]
        assert places, board["title"]
        assert all(place["x"] + place["w"] <= 24 for place in places), board["title"]
        cells = {
            (x, y)
            for place in places
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert len(cells) == sum(place["w"] * place["h"] for place in places), board["title"]
        for panel in board["panels"]:
            for asked in panel["targets"]:
                assert "None" not in asked["expr"], panel["title"]
