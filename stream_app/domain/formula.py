"""Formulas over measures, parsed once (contract.md, fine print).

    formula := term (("+" | "-") term)*
    term    := factor (("*" | "/") factor)*
    factor  := number | name | call | "(" formula ")" | "-" factor
    call    := function "(" formula ("," formula)* ")"

Functions: `at_start(stock)`, `at_end(stock)`, `previous(x)`, `last_year(x)`, `mean(a, b)`. A name
is a measure, or another KPI whose formula stands in its place. A formula is null if any operand is
null or a divisor is 0. How it is evaluated: `stream_app.domain.formula_nodes`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from stream_app.domain import formula_nodes as nodes
from stream_app.domain.formula_nodes import Formula, Node, Number, Sides
from stream_app.domain.measures import STOCKS

__all__ = ["Formula", "FormulaError", "Number", "Sides", "parse"]

_SYMBOL: Final = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+)?)|([A-Za-z_][A-Za-z0-9_]*)|([-+*/(),]))")
_ALIASES: Final = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{MIDDLE DOT}": "*",
        "\N{DIVISION SIGN}": "/",
    }
)
_MAX_LENGTH: Final = 1_000
_MAX_DEPTH: Final = 40
_MAX_OPERATIONS: Final = 200
"""Inside each other: `a + b + c` are two. Deeper ones would meet the end of Python's stack."""

_COMPARISONS: Final = frozenset({"previous", "last_year"})
_LEVELS: Final = frozenset({"at_start", "at_end"})


class FormulaError(ValueError):
    """What is wrong with a formula, and where: `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


def parse(
    text: str,
    scale_of: Callable[[str], int | None],
    kpis: Mapping[str, Formula] | None = None,
) -> Formula:
    """Parse a formula.

    Args:
        text: at most 1,000 characters and 200 operations inside each other.
        scale_of: a measure's decimals, or None when there is no such measure.
        kpis: formulas that may be named beside measures; a measure of the same name wins.

    Raises:
        FormulaError: it is not a formula; the message says what and where.
    """
    return _Parser(text, scale_of, kpis or {}).parse()


class _Parser:
    def __init__(
        self,
        text: str,
        scale_of: Callable[[str], int | None],
        kpis: Mapping[str, Formula],
    ) -> None:
        if len(text) > _MAX_LENGTH:
            raise FormulaError(f"a formula has at most {_MAX_LENGTH} characters", _MAX_LENGTH)
        self._text = text
        self._scale_of = scale_of
        self._kpis = kpis
        self._symbols = _symbols(text.translate(_ALIASES))
        self._next = 0
        self._depth = 0
        self._measures: set[str] = set()
        self._compares = False
        self._reads_levels = False

    def parse(self) -> Formula:
        root = self._sum()
        symbol, position = self._peek()
        if symbol:
            raise FormulaError(f"expected an operator, found {symbol!r}", position)
        if root.depth > _MAX_OPERATIONS:
            raise FormulaError(f"more than {_MAX_OPERATIONS} operations inside each other", 0)
        return Formula(
            self._text,
            frozenset(self._measures),
            self._compares,
            self._reads_levels,
            root,
        )

    # -- grammar ---------------------------------------------------------------------------------

    def _sum(self) -> Node:
        node = self._product()
        while self._peek()[0] in ("+", "-"):
            operator, _ = self._take()
            node = nodes.added(node, self._product(), 1 if operator == "+" else -1)
        return node

    def _product(self) -> Node:
        node = self._factor()
        while self._peek()[0] in ("*", "/"):
            operator, _ = self._take()
            right = self._factor()
            node = nodes.multiplied(node, right) if operator == "*" else nodes.divided(node, right)
        return node

    def _factor(self) -> Node:
        symbol, position = self._take()
        if not symbol:
            raise FormulaError("the formula ends where a value was expected", position)
        if symbol == "(":
            return self._nested(position)
        if symbol == "-":
            with self._deeper(position):
                return nodes.multiplied(nodes.constant(-1, 0), self._factor())
        if symbol[0].isdigit():
            whole, _, decimals = symbol.partition(".")
            return nodes.constant(int(whole + decimals), len(decimals))
        if symbol[0].isalpha() or symbol[0] == "_":
            return (
                self._call(symbol, position)
                if self._peek()[0] == "("
                else self._name(symbol, position)
            )
        raise FormulaError(f"expected a value, found {symbol!r}", position)

    def _nested(self, position: int) -> Node:
        with self._deeper(position):
            node = self._sum()
        self._expect(")")
        return node

    @contextmanager
    def _deeper(self, position: int) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FormulaError(f"nested deeper than {_MAX_DEPTH}", position)
        yield
        self._depth -= 1

    def _call(self, name: str, position: int) -> Node:
        self._expect("(")
        if name in _LEVELS:
            return self._level(name)
        if name == "mean":
            with self._deeper(position):
                left = self._sum()
                self._expect(",")
                right = self._sum()
            self._expect(")")
            return nodes.multiplied(nodes.added(left, right, 1), nodes.constant(5, 1))
        if name in _COMPARISONS:
            self._compares = True
            node = self._nested(position)
            return nodes.compared(node, previous=name == "previous")
        known = ", ".join(sorted(_LEVELS | _COMPARISONS | {"mean"}))
        raise FormulaError(f"no function is called {name!r} (known: {known})", position)

    def _level(self, function: str) -> Node:
        stock, position = self._take()
        if stock not in STOCKS:
            known = ", ".join(sorted(STOCKS - {"open_value_staged"}))
            raise FormulaError(
                f"{function} needs a stock, not {stock!r} (stocks: {known})", position
            )
        self._expect(")")
        self._measures.add(stock)
        self._reads_levels = True
        return nodes.level(stock, self._scale_of(stock) or 0, at_end=function == "at_end")

    def _name(self, name: str, position: int) -> Node:
        if name in STOCKS:
            raise FormulaError(
                f"{name!r} is a stock: say at_start({name}) or at_end({name})", position
            )
        scale = self._scale_of(name)
        if scale is not None:
            self._measures.add(name)
            return nodes.flow(name, scale)
        kpi = self._kpis.get(name)
        if kpi is None:
            raise FormulaError(f"no measure or KPI is called {name!r}", position)
        self._measures |= kpi.measures
        self._compares = self._compares or kpi.compares
        self._reads_levels = self._reads_levels or kpi.reads_levels
        return kpi.root

    # -- symbols ---------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, int]:
        return self._symbols[self._next]

    def _take(self) -> tuple[str, int]:
        symbol = self._symbols[self._next]
        if symbol[0]:
            self._next += 1
        return symbol

    def _expect(self, wanted: str) -> None:
        symbol, position = self._take()
        if symbol != wanted:
            found = repr(symbol) if symbol else "the end"
            raise FormulaError(f"expected {wanted!r}, found {found}", position)


def _symbols(text: str) -> list[tuple[str, int]]:
    symbols = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _SYMBOL.match(text, position)
        if match is None:
            position = end - len(text[position:end].lstrip())
            raise FormulaError(f"{text[position]!r} has no meaning in a formula", position)
        symbols.append((match[match.lastindex or 0], match.start(match.lastindex or 0)))
        position = match.end()
    symbols.append(("", end))
    return symbols
