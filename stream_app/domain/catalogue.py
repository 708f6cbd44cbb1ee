"""The catalogue of one company: the built-in KPIs and its own, parsed and indexed."""

from collections.abc import Callable, Iterable, Mapping

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.formula import Formula, parse
from stream_app.domain.kpi import Definition, Kpi
from stream_app.domain.measures import BUILT_IN, MONEY
from stream_app.domain.money import TEN_THOUSANDTHS


class Catalogue:
    """The KPIs of one company: the built-in ones and its own, by name, in the order of the wall."""

    def __init__(self, kpis: Iterable[Kpi], configured: Iterable[str]) -> None:
        self.kpis = tuple(kpis)
        self.configured = frozenset(configured)
        self._by_measure: dict[str, list[Kpi]] = {}
        for kpi in self.kpis:
            for measure in kpi.measures:
                self._by_measure.setdefault(measure, []).append(kpi)
        self._existing: dict[tuple[str, str, bool], tuple[Kpi, ...]] = {}

    @classmethod
    def of(cls, definitions: Iterable[Definition], config: Config) -> "Catalogue":
        """Built-in definitions and those of a configuration, which win over equal names.

        Raises:
            FormulaError: an own formula is wrong; the configuration is checked before, so this is
                only met by callers that skip the check.
        """
        scale_of = measure_scales(config)
        formulas: dict[str, Formula] = {}
        kpis: dict[str, Kpi] = {}
        for definition in (*definitions, *_own(config)):
            formula = parse(definition.formula, scale_of, formulas)
            requires = definition.requires and parse(definition.requires, scale_of, formulas)
            formulas[definition.name] = formula
            kpis[definition.name] = Kpi(
                definition=definition, formula=formula, requires=requires or None
            )
        return cls(kpis.values(), ("+".join(split) for split in config.dimensions))

    def existing(self, dimension: str, kind: str, *, closed: bool) -> tuple[Kpi, ...]:
        """The KPIs that a dimension has in a kind of window."""
        key = (dimension, kind, closed)
        found = self._existing.get(key)
        if found is None:
            found = self._existing[key] = tuple(
                kpi
                for kpi in self.kpis
                if kpi.exists(dimension, kind, closed=closed, configured=self.configured)
            )
        return found

    def touched_by(self, measures: Iterable[str]) -> frozenset[str]:
        """Names of the KPIs that any of the measures can change."""
        return frozenset(kpi.name for m in measures for kpi in self._by_measure.get(m, ()))


def measure_scales(config: Config) -> Callable[[str], int | None]:
    """A measure's decimals under a configuration, or None when there is no such measure."""
    money = MINOR_UNIT_EXPONENTS[config.business.currency]
    own: Mapping[str, object] = config.measures

    def scale_of(name: str) -> int | None:
        if name in MONEY:
            return money
        if name in BUILT_IN:
            return 0
        return TEN_THOUSANDTHS if name in own else None

    return scale_of


def _own(config: Config) -> Iterable[Definition]:
    for kpi in config.kpis.values():
        yield Definition(
            name=kpi.name,
            formula=kpi.formula,
            unit=kpi.unit,  # type: ignore[arg-type] # checked when the configuration was read
            better=kpi.better,
            title=kpi.title or kpi.name.replace("_", " ").capitalize(),
            definition=kpi.definition or kpi.formula,
            windows=kpi.windows,
            dimensions=(
                None if kpi.dimensions is None else frozenset("+".join(s) for s in kpi.dimensions)
            ),
        )
