"""A period's values as CSV: one row for each value and target (pure)."""

from collections.abc import Iterator

from stream_app.company import Company
from stream_app.display_names import display_names
from stream_app.reports.archive import Archive
from stream_app.reports.choice import Choice
from stream_app.spreadsheet import Cell, csv_text
from stream_app.wire.published import Published

COLUMNS = (
    "window",
    "start",
    "end",
    "complete",
    "dimension",
    "member",
    "name",
    "kpi",
    "title",
    "unit",
    "better",
    "value",
    "numerator",
    "denominator",
    "previous",
    "difference",
    "target",
    "target_value",
    "attainment",
    "state",
)


def csv_report(company: Company, archive: Archive, choice: Choice) -> str:
    """All values of the window, of the chosen dimension and member if there is one."""
    return csv_text(COLUMNS, _rows(company, archive, choice))


def _rows(company: Company, archive: Archive, choice: Choice) -> Iterator[list[Cell]]:
    places = {kpi.name: place for place, kpi in enumerate(company.catalogue.kpis)}
    definitions = {kpi.name: kpi.definition for kpi in company.catalogue.kpis}
    name = display_names(company.config)
    wanted = [
        record
        for record in archive.all_of(choice.start)
        if record.kpi in places and _is_asked(record, choice)
    ]
    wanted.sort(
        key=lambda each: (
            each.dimension != "company",
            each.dimension,
            each.member,
            places[each.kpi],
        )
    )
    for record in wanted:
        definition = definitions[record.kpi]
        difference = None
        if record.value is not None and record.previous is not None:
            difference = record.value - record.previous
        row: list[Cell] = [
            record.window,
            record.start,
            record.end,
            record.complete,
            record.dimension,
            record.member,
            name(record.dimension, record.member),
            record.kpi,
            definition.title,
            record.unit,
            definition.better,
            record.value,
            record.numerator,
            record.denominator,
            record.previous,
            difference,
        ]
        for goal in record.targets:
            yield [*row, goal.name, goal.value, goal.attainment, goal.state]
        if not record.targets:
            yield [*row, None, None, None, None]


def _is_asked(record: Published, choice: Choice) -> bool:
    if choice.dimension == "company":
        return True
    return record.dimension == choice.dimension and choice.member in (None, record.member)
