"""No name by accident: what fills a field that tends to hold names must be said to hold none."""

from stream_app.config.errors import ConfigError, Report
from stream_app.intake.fields import PERSONAL_FIELDS, entity_of
from stream_app.intake.mapping import Column, FileMapping


def refuse_open_names(mapping: FileMapping, report: Report) -> None:
    """Complain about every column that would put names into the topic (contract.md, section 2)."""
    covered = {rule.column.name for rule in mapping.pseudonyms}
    covered |= {column.name for column in mapping.opaque}

    def complain(column: Column, where: str) -> None:
        if column.name not in covered:
            message = (
                f"{column.name!r} fills {where}, which must not hold names; give it a "
                "pseudonym (section pseudonyms), or list it under opaque if it holds ids only"
            )
            report.add(ConfigError(mapping.filename, column.line or None, column.path, message))

    for rule in mapping.events:
        for field, term in rule.data.items():
            if field in PERSONAL_FIELDS and isinstance(term, Column):
                complain(term, field)
        if entity_of(rule.type) == "customer" and "customer_id" not in rule.data:
            for column in mapping.identity:
                complain(column, "customer_id")
    for pseudonym in mapping.pseudonyms:
        if pseudonym.team is not None:
            complain(pseudonym.team, "team")
