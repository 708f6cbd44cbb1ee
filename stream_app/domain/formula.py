"""Formulas over measures, parsed once (contract.md, fine print).

    condition := formula (">" | ">=" | "!=") formula
    formula   := term (("+" | "-") term)*
    term      := factor (("*" | "/") factor)*
    factor    := number | name | call | "(" formula ")" | "-" factor
    call      := function "(" argument ("," argument)* ")"

A name is a measure, or another KPI whose formula stands in its place. A formula is null if any
operand is null or a divisor is 0. The functions:

    at_start(stock)           the stock just before the window
    at_end(stock)             the stock at the window's end, or now
    previous(x), last_year(x) one window, or one year, earlier; running windows are cut
    mean(a, b)                (a + b) / 2
    weighted(money)           each amount times the chance of its stage: open_value (a stock, so
                              `at_end(weighted(open_value))`) or closing_value
    whole(x)                  over the whole window, the days to come included
    older_than(measure, 30)   still_open or still_open_value entered more than so many days before
                              today; without a number: `stuck_after` of the configuration
    median(measure)           nearest rank, off by at most 1 %: cycle_seconds
    percentile(measure, 90)   the same for any percentage above 0, at most 100
    target(revenue)           what the target of that KPI asks for in this window, if there is one
    inverse(x, 5)             1 / x, at most the limit; the limit too where x is 0

How it is evaluated: `stream_app.domain.formula_nodes`.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from stream_app.domain import formula_nodes as nodes
from stream_app.domain.formula_nodes import OPERATORS, Condition, Formula, Node
from stream_app.domain.formula_symbols import FormulaError, Symbol, Symbols
from stream_app.domain.measures import AGED, HISTOGRAMS, INNER, STOCKS, WEIGHABLE
from stream_app.domain.views import Number, Place, Reading

__all__ = ["Formula", "FormulaError", "Number", "Vocabulary", "parse"]

_MAX_DEPTH: Final = 40
_MAX_OPERATIONS: Final = 200
"""Inside each other: `a + b + c` are two. Deeper ones would meet the end of Python's stack."""

_MEDIAN: Final = Fraction(50)
_ALL: Final = 100
_WEIGHABLE_FLOWS: Final = WEIGHABLE.keys() - STOCKS


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What formulas may name.

    Attributes:
        scale_of: a measure's decimals, or None when there is no such measure.
        kpi: the formula of another KPI, or None when there is no such KPI; a measure of the same
            name wins. It may raise FormulaError, as for KPIs that name each other.
        stuck_after_days: the age that `older_than` means without a number.
    """

    scale_of: Callable[[str], int | None]
    kpi: Callable[[Symbol], Formula | None] = lambda _: None
    stuck_after_days: int = 30


def parse(text: str, vocabulary: Vocabulary, requires: str | None = None) -> Formula:
    """Parse a formula.

    Args:
        text: at most 1,000 characters and 200 operations inside each other.
        vocabulary: what it may name.
        requires: a condition without which the value is null.

    Raises:
        FormulaError: it is not a formula; the message says what and where.
    """
    parser = _Parser(vocabulary)
    root = parser.formula(text)
    condition = None
    if requires is not None:
        try:
            condition = parser.condition(requires)
        except FormulaError as error:
            error.key = "requires"
            raise
    return Formula(
        text=text,
        measures=frozenset(name for name, _ in parser.touched),
        touched={
            place: frozenset(name for name, its in parser.touched if its == place)
            for place in dict.fromkeys(place for _, place in sorted(parser.touched))
        },
        compares=parser.compares,
        reads_levels=parser.reads_levels,
        reads_whole=parser.reads_whole,
        as_of_now=parser.as_of_now,
        asks=frozenset(parser.asks),
        root=root,
        condition=condition,
    )


class _Parser:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._symbols = Symbols("")
        self._depth = 0
        self._place: Place = "window"
        self._compared_at: Symbol | None = None
        self.touched: set[tuple[str, Place]] = set()
        self.compares = False
        self.reads_levels = False
        self.reads_whole = False
        self.as_of_now = False
        self.asks: set[str] = set()
        self._functions: dict[str, Callable[[Symbol], Node]] = {
            "at_end": lambda _: self._level(at_end=True),
            "at_start": lambda _: self._level(at_end=False),
            "inverse": self._inverse,
            "last_year": lambda name: self._compared(name, previous=False),
            "mean": self._mean,
            "median": lambda _: self._percentile(_MEDIAN),
            "older_than": self._older_than,
            "percentile": lambda _: self._percentile(None),
            "target": lambda _: self._target(),
            "previous": lambda name: self._compared(name, previous=True),
            "weighted": self._weighted,
            "whole": self._whole,
        }

    def formula(self, text: str) -> Node:
        """All of a text as a formula."""
        self._symbols = Symbols(text)
        root = self._sum()
        self._symbols.expect_end()
        return _bounded(root)

    def condition(self, text: str) -> Condition:
        """All of a text as a condition."""
        self._symbols = Symbols(text)
        left = self._sum()
        sign = self._symbols.take()
        operator = OPERATORS.get(sign.text)
        if operator is None:
            raise FormulaError("a condition is a > b, a >= b or a != b", sign.position)
        right = self._sum()
        self._symbols.expect_end()
        return Condition(_bounded(nodes.added(left, right, -1)), operator)

    # -- grammar ---------------------------------------------------------------------------------

    def _sum(self) -> Node:
        node = self._product()
        while self._symbols.next.text in ("+", "-"):
            operator = self._symbols.take().text
            node = nodes.added(node, self._product(), 1 if operator == "+" else -1)
        return node

    def _product(self) -> Node:
        node = self._factor()
        while self._symbols.next.text in ("*", "/"):
            operator = self._symbols.take().text
            right = self._factor()
            node = nodes.multiplied(node, right) if operator == "*" else nodes.divided(node, right)
        return node

    def _factor(self) -> Node:
        symbol = self._symbols.take()
        if not symbol.text:
            raise FormulaError("the formula ends where a value was expected", symbol.position)
        if symbol.text == "(":
            return self._nested(symbol)
        if symbol.text == "-":
            with self._deeper(symbol):
                return nodes.multiplied(nodes.constant(-1, 0), self._factor())
        if symbol.is_number:
            integer, _, decimals = symbol.text.partition(".")
            return nodes.constant(int(integer + decimals), len(decimals))
        if not symbol.is_name:
            raise FormulaError(f"expected a value, found {symbol.text!r}", symbol.position)
        return self._call(symbol) if self._symbols.next.text == "(" else self._name(symbol)

    def _nested(self, opened: Symbol) -> Node:
        with self._deeper(opened):
            node = self._sum()
        self._symbols.expect(")")
        return node

    @contextmanager
    def _deeper(self, symbol: Symbol) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FormulaError(f"nested deeper than {_MAX_DEPTH}", symbol.position)
        yield
        self._depth -= 1

    # -- names -----------------------------------------------------------------------------------

    def _name(self, symbol: Symbol) -> Node:
        name = symbol.text
        if name in STOCKS - INNER:
            raise FormulaError(
                f"{name!r} is a stock: say at_start({name}) or at_end({name})", symbol.position
            )
        scale = None if name in INNER else self._vocabulary.scale_of(name)
        if scale is not None:
            self._touch(name)
            return nodes.operand(Reading("flow", name), scale)
        kpi = self._vocabulary.kpi(symbol)
        if kpi is None:
            raise FormulaError(f"no measure or KPI is called {name!r}", symbol.position)
        if kpi.as_of_now:
            self._note_age(symbol)
        self.touched |= {
            (measure, self._place if place == "window" else place)
            for place, measures in kpi.touched.items()
            for measure in measures
        }
        self.compares |= kpi.compares
        self.reads_levels |= kpi.reads_levels
        self.reads_whole |= kpi.reads_whole
        self.asks |= kpi.asks
        return kpi.as_operand()

    def _touch(self, *measures: str) -> None:
        self.touched.update((measure, self._place) for measure in measures)

    def _scale(self, measure: str) -> int:
        return self._vocabulary.scale_of(measure) or 0

    # -- functions -------------------------------------------------------------------------------

    def _call(self, name: Symbol) -> Node:
        function = self._functions.get(name.text)
        if function is None:
            known = ", ".join(sorted(self._functions))
            raise FormulaError(
                f"no function is called {name.text!r} (known: {known})", name.position
            )
        self._symbols.expect("(")
        with self._deeper(name):
            node = function(name)
        self._symbols.expect(")")
        return node

    def _level(self, *, at_end: bool) -> Node:
        symbol = self._symbols.take()
        is_weighted = symbol.text == "weighted"
        if is_weighted:
            self._symbols.expect("(")
            symbol = self._one_of(WEIGHABLE.keys() & STOCKS, "weighted stock", "has chances")
            self._symbols.expect(")")
        elif symbol.text not in STOCKS - INNER:
            function = "at_end" if at_end else "at_start"
            known = ", ".join(sorted(STOCKS - INNER))
            raise FormulaError(
                f"{function} needs a stock, not {symbol.text!r} (stocks: {known})", symbol.position
            )
        self.reads_levels = True
        stock = symbol.text
        self._touch(stock)
        if is_weighted:
            stock = WEIGHABLE[stock]
            self._touch(stock)
        return nodes.operand(Reading("at_end" if at_end else "at_start", stock), self._scale(stock))

    def _weighted(self, name: Symbol) -> Node:
        if self._symbols.next.text in STOCKS:
            stock = self._symbols.next.text
            raise FormulaError(
                f"{stock!r} is a stock: say at_end(weighted({stock}))", name.position
            )
        flow = self._one_of(_WEIGHABLE_FLOWS, "weighted", "has chances").text
        self._touch(flow, WEIGHABLE[flow])
        return nodes.operand(Reading("flow", WEIGHABLE[flow]), self._scale(flow))

    def _whole(self, name: Symbol) -> Node:
        if self._place == "whole":
            raise FormulaError("whole() inside whole() says nothing more", name.position)
        before = self._place
        if self._compared_at is None:
            self._place = "whole"
        node = nodes.whole(self._sum())
        self._place = before
        self.reads_whole = True
        return node

    def _compared(self, name: Symbol, *, previous: bool) -> Node:
        self.compares = True
        before = self._compared_at, self._place
        self._compared_at, self._place = name, "previous" if previous else "last_year"
        node = nodes.compared(self._sum(), previous=previous)
        self._compared_at, self._place = before
        return node

    def _mean(self, _: Symbol) -> Node:
        left = self._sum()
        self._symbols.expect(",")
        return nodes.multiplied(nodes.added(left, self._sum(), 1), nodes.constant(5, 1))

    def _inverse(self, _: Symbol) -> Node:
        node = self._sum()
        self._symbols.expect(",")
        return nodes.inverse(node, self._number("the limit of inverse"))

    def _percentile(self, percent: Fraction | None) -> Node:
        function = "percentile" if percent is None else "median"
        measure = self._one_of(HISTOGRAMS.keys(), function, "has a histogram").text
        if percent is None:
            comma = self._symbols.expect(",")
            percent = self._number("a percentage")
            if not 0 < percent <= _ALL:
                raise FormulaError("a percentage is above 0 and at most 100", comma.position + 1)
        histogram = HISTOGRAMS[measure]
        self._touch(histogram)
        return nodes.operand(Reading("percentile", histogram, percent), self._scale(measure))

    def _older_than(self, name: Symbol) -> Node:
        self._note_age(name)
        measure = self._one_of(AGED, "older_than", "has an age").text
        days = self._vocabulary.stuck_after_days
        if self._symbols.next.text == ",":
            place = self._symbols.take().position + 1
            number = self._number("a number of days")
            if number.denominator != 1:
                raise FormulaError("the age is a whole number of days", place)
            days = number.numerator
        self.touched.add((measure, "ever"))
        return nodes.operand(Reading("aged", measure, days), self._scale(measure))

    def _note_age(self, symbol: Symbol) -> None:
        if self._compared_at is not None:
            raise FormulaError(
                "an age is known as of now only: it has no earlier value to compare with",
                symbol.position,
            )
        self.as_of_now = True

    def _target(self) -> Node:
        symbol = self._symbols.take()
        scale = self._vocabulary.scale_of(symbol.text)
        if scale is None or symbol.text in STOCKS | INNER:
            raise FormulaError(
                f"target needs a total like revenue, not {symbol.text!r}", symbol.position
            )
        self.asks.add(symbol.text)
        return nodes.operand(Reading("target", symbol.text), scale)

    def _one_of(self, known: AbstractSet[str], function: str, what: str) -> Symbol:
        symbol = self._symbols.take()
        if symbol.text not in known:
            names = ", ".join(sorted(known))
            raise FormulaError(
                f"{function} needs a measure that {what} ({names}), not {symbol.text!r}",
                symbol.position,
            )
        return symbol

    def _number(self, what: str) -> Fraction:
        symbol = self._symbols.take()
        if not symbol.is_number:
            raise FormulaError(f"{what} is a number, not {symbol.text!r}", symbol.position)
        return Fraction(symbol.text)


def _bounded(root: Node) -> Node:
    if root.depth > _MAX_OPERATIONS:
        raise FormulaError(f"more than {_MAX_OPERATIONS} operations inside each other", 0)
    return root
