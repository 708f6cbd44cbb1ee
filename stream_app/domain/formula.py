"""Formulas over measures: parsed once, evaluated exactly (contract.md, fine print).

    formula := term (("+" | "-") term)*
    term    := factor (("*" | "/") factor)*
    factor  := number | name | function "(" formula ("," formula)* ")" | "(" formula ")" | "-" factor

Functions: `at_start(stock)`, `at_end(stock)`, `previous(x)`, `last_year(x)`, `mean(a, b)`. A name is
a measure, or another KPI whose formula stands in its place. A formula is null if any operand is
null or a divisor is 0.

Arithmetic is on integers and fractions. A node's *scale* says how many decimals its integers carry
(minor units of the business currency: 2 for EUR; declared measures: 4); it is known when the
formula is parsed, so amounts stay integers until the very end.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple, Protocol

from stream_app.domain.measures import STOCKS
from stream_app.domain.windows import Range, Window

Exact = int | Fraction
Number = int | float | Decimal

_TOKEN: Final = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|([-+*/(),]))")
_ALIASES: Final = str.maketrans({"−": "-", "×": "*", "·": "*", "÷": "/"})
_MAX_LENGTH: Final = 1_000
_MAX_DEPTH: Final = 40
_COMPARISONS: Final = frozenset({"previous", "last_year"})
_LEVELS: Final = frozenset({"at_start", "at_end"})


class FormulaError(ValueError):
    """What is wrong with a formula, and where: `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


class Totals(Protocol):
    """What a formula reads."""

    def flow(self, name: str, over: Range) -> int: ...
    def stock_at_start(self, name: str, over: Range) -> int: ...
    def stock_at_end(self, name: str, over: Range) -> int: ...


class Sides(NamedTuple):
    """The ranges that one evaluation reads; None: nothing there to compare with."""

    value: Range | None
    compared: Range | None
    previous: Range | None
    last_year: Range | None

    @classmethod
    def of(cls, window: Window) -> "Sides":
        """The window itself."""
        return cls(window.range, window.compared, window.previous, window.last_year)

    @classmethod
    def one_step_earlier(cls, window: Window) -> "Sides":
        """What the record's `previous` is computed over."""
        earlier = window.previous
        return cls(earlier, earlier, window.before_previous, window.previous_last_year)


class Result(NamedTuple):
    """A formula's value; `numerator` and `denominator` of its outermost quotient, else None."""

    value: Number | None
    numerator: Number | None
    denominator: Number | None


@dataclass(frozen=True, slots=True)
class _Node:
    evaluate: "Callable[[Totals, Sides, Range | None], Exact | None]"
    scale: int
    quotient: "tuple[_Node, _Node] | None" = None


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula.

    Attributes:
        text: as it was written.
        measures: the measures it reads, those of other KPIs it names included.
        compares: it says `previous` or `last_year`, so that a running window is cut.
        reads_levels: it reads a stock, so that it does not exist for `hour`.
    """

    text: str
    measures: frozenset[str]
    compares: bool
    reads_levels: bool
    _root: _Node

    def evaluate(self, totals: Totals, sides: Sides) -> Result:
        """The value over one window of one scope."""
        over = sides.compared if self.compares else sides.value
        root = self._root
        if root.quotient is None:
            value = root.evaluate(totals, sides, over)
            return Result(_number(value, root.scale), None, None)
        top, bottom = root.quotient
        numerator = top.evaluate(totals, sides, over)
        denominator = bottom.evaluate(totals, sides, over)
        quotient = None
        if numerator is not None and denominator:
            quotient = Fraction(numerator) / denominator
        return Result(
            _number(quotient, root.scale),
            _number(numerator, top.scale),
            _number(denominator, bottom.scale),
        )


def parse(
    text: str,
    scale_of: Callable[[str], int | None],
    kpis: Mapping[str, "Formula"] | None = None,
) -> Formula:
    """Parse a formula.

    Args:
        text: at most 1,000 characters.
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
        self._tokens = _tokens(text.translate(_ALIASES))
        self._next = 0
        self._depth = 0
        self._measures: set[str] = set()
        self._compares = False
        self._reads_levels = False

    def parse(self) -> Formula:
        root = self._sum()
        token, position = self._peek()
        if token:
            raise FormulaError(f"expected an operator, found {token!r}", position)
        return Formula(
            self._text,
            frozenset(self._measures),
            self._compares,
            self._reads_levels,
            root,
        )

    # -- grammar ---------------------------------------------------------------------------------

    def _sum(self) -> _Node:
        node = self._product()
        while self._peek()[0] in ("+", "-"):
            operator, _ = self._take()
            node = _added(node, self._product(), 1 if operator == "+" else -1)
        return node

    def _product(self) -> _Node:
        node = self._factor()
        while self._peek()[0] in ("*", "/"):
            operator, _ = self._take()
            right = self._factor()
            node = _multiplied(node, right) if operator == "*" else _divided(node, right)
        return node

    def _factor(self) -> _Node:
        token, position = self._take()
        if not token:
            raise FormulaError("the formula ends where a value was expected", position)
        if token == "(":
            return self._nested(position)
        if token == "-":
            return _multiplied(_constant(-1, 0), self._factor())
        if token[0].isdigit():
            whole, _, decimals = token.partition(".")
            return _constant(int(whole + decimals), len(decimals))
        if token[0].isalpha() or token[0] == "_":
            return (
                self._call(token, position)
                if self._peek()[0] == "("
                else self._name(token, position)
            )
        raise FormulaError(f"expected a value, found {token!r}", position)

    def _nested(self, position: int) -> _Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FormulaError(f"nested deeper than {_MAX_DEPTH}", position)
        node = self._sum()
        self._expect(")")
        self._depth -= 1
        return node

    def _call(self, name: str, position: int) -> _Node:
        self._expect("(")
        if name in _LEVELS:
            return self._level(name)
        if name == "mean":
            left = self._sum()
            self._expect(",")
            right = self._sum()
            self._expect(")")
            return _multiplied(_added(left, right, 1), _constant(5, 1))
        if name in _COMPARISONS:
            self._compares = True
            node = self._nested(position)
            return _compared(node, previous=name == "previous")
        known = ", ".join(sorted(_LEVELS | _COMPARISONS | {"mean"}))
        raise FormulaError(f"no function is called {name!r} (known: {known})", position)

    def _level(self, function: str) -> _Node:
        stock, position = self._take()
        if stock not in STOCKS:
            known = ", ".join(sorted(STOCKS - {"open_value_staged"}))
            raise FormulaError(
                f"{function} needs a stock, not {stock!r} (stocks: {known})", position
            )
        self._expect(")")
        self._measures.add(stock)
        self._reads_levels = True
        return _level(stock, self._scale_of(stock) or 0, at_end=function == "at_end")

    def _name(self, name: str, position: int) -> _Node:
        if name in STOCKS:
            raise FormulaError(
                f"{name!r} is a stock: say at_start({name}) or at_end({name})", position
            )
        scale = self._scale_of(name)
        if scale is not None:
            self._measures.add(name)
            return _flow(name, scale)
        kpi = self._kpis.get(name)
        if kpi is None:
            raise FormulaError(f"no measure or KPI is called {name!r}", position)
        self._measures |= kpi.measures
        self._compares = self._compares or kpi.compares
        self._reads_levels = self._reads_levels or kpi.reads_levels
        return kpi._root  # noqa: SLF001 - the formula of the other KPI stands here

    # -- tokens ----------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, int]:
        return self._tokens[self._next]

    def _take(self) -> tuple[str, int]:
        token = self._tokens[self._next]
        if token[0]:
            self._next += 1
        return token

    def _expect(self, wanted: str) -> None:
        token, position = self._take()
        if token != wanted:
            found = repr(token) if token else "the end"
            raise FormulaError(f"expected {wanted!r}, found {found}", position)


def _tokens(text: str) -> list[tuple[str, int]]:
    tokens = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormulaError(f"{text[position]!r} has no meaning in a formula", position)
        tokens.append((match[match.lastindex or 0], match.start(match.lastindex or 0)))
        position = match.end()
    tokens.append(("", end))
    return tokens


def _constant(value: int, scale: int) -> _Node:
    return _Node(lambda _totals, _sides, _over: value, scale)


def _flow(name: str, scale: int) -> _Node:
    def evaluate(totals: Totals, _sides: Sides, over: Range | None) -> Exact | None:
        return None if over is None else totals.flow(name, over)

    return _Node(evaluate, scale)


def _level(name: str, scale: int, *, at_end: bool) -> _Node:
    def evaluate(totals: Totals, _sides: Sides, over: Range | None) -> Exact | None:
        if over is None:
            return None
        return totals.stock_at_end(name, over) if at_end else totals.stock_at_start(name, over)

    return _Node(evaluate, scale)


def _compared(node: _Node, *, previous: bool) -> _Node:
    def evaluate(totals: Totals, sides: Sides, _over: Range | None) -> Exact | None:
        return node.evaluate(totals, sides, sides.previous if previous else sides.last_year)

    return _Node(evaluate, node.scale)


def _added(left: _Node, right: _Node, sign: int) -> _Node:
    scale = max(left.scale, right.scale)
    lift_left, lift_right = 10 ** (scale - left.scale), sign * 10 ** (scale - right.scale)

    def evaluate(totals: Totals, sides: Sides, over: Range | None) -> Exact | None:
        a, b = left.evaluate(totals, sides, over), right.evaluate(totals, sides, over)
        return None if a is None or b is None else a * lift_left + b * lift_right

    return _Node(evaluate, scale)


def _multiplied(left: _Node, right: _Node) -> _Node:
    def evaluate(totals: Totals, sides: Sides, over: Range | None) -> Exact | None:
        a, b = left.evaluate(totals, sides, over), right.evaluate(totals, sides, over)
        return None if a is None or b is None else a * b

    return _Node(evaluate, left.scale + right.scale)


def _divided(left: _Node, right: _Node) -> _Node:
    def evaluate(totals: Totals, sides: Sides, over: Range | None) -> Exact | None:
        a, b = left.evaluate(totals, sides, over), right.evaluate(totals, sides, over)
        return None if a is None or not b else Fraction(a) / b

    return _Node(evaluate, left.scale - right.scale, (left, right))


def _number(value: Exact | None, scale: int) -> Number | None:
    """An exact value as a JSON number: integers and money stay exact, quotients become floats."""
    if value is None:
        return None
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    if isinstance(value, int):
        if scale <= 0:
            return value * 10**-scale
        whole, rest = divmod(value, 10**scale)
        return Decimal(f"{value}E-{scale}") if rest else whole  # exact, whatever the precision
    ratio = value / 10**scale if scale >= 0 else value * 10**-scale
    return whole_or_float(ratio)


def whole_or_float(ratio: Fraction) -> Number:
    """A fraction as an integer when it is one, else as the nearest float."""
    return ratio.numerator if ratio.denominator == 1 else ratio.numerator / ratio.denominator
