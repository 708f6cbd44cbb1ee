"""The catalogue of one company: the built-in KPIs and its own, parsed and indexed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.formula import Formula, FormulaError, Vocabulary, parse
from stream_app.domain.formula_symbols import Symbol
from stream_app.domain.kpi import Definition, Kpi
from stream_app.domain.measures import BUILT_IN, MONEY
from stream_app.domain.money import TEN_THOUSANDTHS

_MAX_CHAIN: Final = 40
"""KPIs of which each names the next; more would meet the end of Python's stack."""


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
        self._measures = frozenset(self._by_measure)

    @classmethod
    def of(cls, definitions: Iterable[Definition], config: Config) -> "Catalogue":
        """Built-in definitions and those of a configuration, which win over equal names.

        Raises:
            FormulaError: an own formula is wrong; the configuration is checked before, so this is
                only met by callers that skip the check.
        """
        formulas = Formulas(definitions, config)
        kpis = (
            Kpi(definition=definition, formula=formulas.of(name))
            for name, definition in formulas.definitions.items()
        )
        return cls(kpis, ("+".join(split) for split in config.dimensions))

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

    def measures_of(self, names: Collection[str] | None) -> frozenset[str]:
        """What some KPIs read; None for all of them."""
        if names is None:
            return self._measures
        return frozenset(m for kpi in self.kpis if kpi.name in names for m in kpi.measures)

    def touched_by(self, measures: Iterable[str]) -> frozenset[str]:
        """Names of the KPIs that any of the measures can change."""
        return frozenset(kpi.name for m in measures for kpi in self._by_measure.get(m, ()))


class Formulas:
    """The formulas of all KPIs, each parsed when it is first asked for.

    KPIs may name each other in any order of definition. One that takes the place of a built-in KPI
    and names itself means the built-in one.

    Attributes:
        definitions: the built-in KPIs and the company's own, which win over equal names.
    """

    def __init__(self, built_in: Iterable[Definition], config: Config) -> None:
        self._built_in = {definition.name: definition for definition in built_in}
        self.definitions: Mapping[str, Definition] = self._built_in | {
            definition.name: definition for definition in _own(config)
        }
        self._vocabulary = Vocabulary(measure_scales(config), self._named, config.stuck_after_days)
        self._parsed: dict[str, Formula] = {}
        self._open: list[Definition] = []

    def of(self, name: str) -> Formula:
        """The formula of a KPI.

        Raises:
            FormulaError: it is wrong, or names itself by way of others.
            NamesWrongKpi: it names a KPI whose own formula is wrong.
        """
        if name not in self._parsed:
            self._parsed[name] = self._parse(self.definitions[name])
        return self._parsed[name]

    def _parse(self, definition: Definition) -> Formula:
        self._open.append(definition)
        try:
            return parse(definition.formula, self._vocabulary, definition.requires)
        finally:
            self._open.pop()

    def _named(self, symbol: Symbol) -> Formula | None:
        """The formula of a KPI that the innermost open one names."""
        name = symbol.text
        definition = self.definitions.get(name)
        if definition is None:
            return None
        if definition is self._open[-1] and self._built_in.get(name, definition) is not definition:
            return self._parse(self._built_in[name])
        if definition in self._open:
            around = [each.name for each in self._open[self._open.index(definition) :]]
            raise CircularFormula([*around, name], symbol.position)
        if len(self._open) > _MAX_CHAIN:
            raise FormulaError(f"more than {_MAX_CHAIN} KPIs name one another", symbol.position)
        try:
            return self.of(name)
        except CircularFormula as error:
            if self._open[-1].name in error.circle:
                raise CircularFormula(error.circle, symbol.position) from error
            raise NamesWrongKpi(name, symbol.position) from error
        except FormulaError as error:
            raise NamesWrongKpi(name, symbol.position) from error


class CircularFormula(FormulaError):
    """A KPI names itself by way of others; the circle begins and ends with the same name."""

    def __init__(self, circle: Sequence[str], position: int) -> None:
        super().__init__(f"a KPI cannot depend on itself: {' → '.join(circle)}", position)
        self.circle = tuple(circle)


class NamesWrongKpi(FormulaError):
    """A formula names a KPI whose own formula is wrong: nothing that is not told there."""

    def __init__(self, name: str, position: int) -> None:
        super().__init__(f"the formula of {name!r} is wrong", position)


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


def wrong_formulas(
    built_in: Iterable[Definition], config: Config
) -> Iterator[tuple[str, str, str]]:
    """(name, key of its entry, what is wrong) for each own KPI whose formula cannot be used."""
    formulas = Formulas(built_in, config)
    for name, definition in formulas.definitions.items():
        try:
            formulas.of(name)
        except NamesWrongKpi:
            continue
        except FormulaError as error:
            if name in config.kpis:
                yield name, error.key, str(error)
                continue
            # A built-in formula is right by itself: one of the company's own does not fit into it.
            named = [own for own in config.kpis if own in definition.formula]
            culprit = (named or list(config.kpis))[0]
            yield culprit, "formula", f"it does not fit into {name!r}: {error}"


def _own(config: Config) -> Iterable[Definition]:
    for kpi in config.kpis.values():
        yield Definition(
            name=kpi.name,
            formula=kpi.formula,
            unit=kpi.unit,  # type: ignore[arg-type] # checked when the configuration was read
            better=kpi.better,
            title=kpi.title or kpi.name.replace("_", " ").capitalize(),
            definition=kpi.definition or kpi.formula,
            requires=kpi.requires,
            windows=kpi.windows,
            dimensions=(
                None if kpi.dimensions is None else frozenset("+".join(s) for s in kpi.dimensions)
            ),
            headline=True,
        )
