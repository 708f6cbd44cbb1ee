"""One counted thing under every dimension that it has."""

from collections.abc import Iterator, Mapping

from tests.oracle.reference_terms import BY_STAGE, Cell, Count, Credited, When
from tests.oracle.reference_thread import Thread

Measured = Iterator[tuple[Cell, Count, When, int]]
Counts = Mapping[Count, int]


def split(
    thread: Thread,
    counts: Counts,
    when: When,
    credited: Credited,
    *,
    extra: Mapping[str, str] | None = None,
    lines: Mapping[str, Counts] | None = None,
) -> Measured:
    """One counted thing under every dimension; `lines` replace its counts under product_line."""
    extra = extra or {}
    splits = list(thread.config.dimensions)
    if "stage" in extra:
        splits += [("stage",), ("team", "stage"), ("rep", "stage")]
    splits += [(name,) for name in ("loss_reason", "theme", "pipeline") if name in extra]
    for count, value in counts.items():
        yield ("company", "all"), count, when, value
    for names in splits:
        by_product = lines if lines and "product_line" in names else {"": counts}
        for product_line, row in by_product.items():
            member = "+".join(
                product_line
                if lines and name == "product_line"
                else extra[name]
                if name in extra
                else credited(name)
                for name in names
            )
            for count, value in row.items():
                if "stage" not in names or count[0] in BY_STAGE:
                    yield ("+".join(names), member), count, when, value
