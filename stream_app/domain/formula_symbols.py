"""A formula's text cut into symbols, each with its place; and what is wrong with a text."""

import re
from typing import Final, NamedTuple

MAX_LENGTH: Final = 1_000

_SYMBOL: Final = re.compile(
    r"\s*(?:([0-9]+(?:\.[0-9]+)?)|([A-Za-z_][A-Za-z0-9_]*)|([-+*/(),]|>=|!=|>))"
)
_ALIASES: Final = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{MIDDLE DOT}": "*",
        "\N{DIVISION SIGN}": "/",
    }
)


class FormulaError(ValueError):
    """What is wrong with a formula, and where: `position` counts characters from 0.

    `key` is that of the KPI's entry which holds the text: `formula`, or `requires`.
    """

    key = "formula"

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


class Symbol(NamedTuple):
    """A number, name or sign; empty at the end."""

    text: str
    position: int

    @property
    def is_number(self) -> bool:
        """Whether it is a decimal number."""
        return self.text[:1].isdigit()

    @property
    def is_name(self) -> bool:
        """Whether it may name something."""
        return self.text[:1].isalpha() or self.text[:1] == "_"


class Symbols:
    """The symbols of one text, taken one after the other."""

    def __init__(self, text: str) -> None:
        """Cut the text.

        Raises:
            FormulaError: it is too long, or has a character that no formula has.
        """
        if len(text) > MAX_LENGTH:
            raise FormulaError(f"a formula has at most {MAX_LENGTH} characters", MAX_LENGTH)
        self._symbols = _cut(text.translate(_ALIASES))
        self._next = 0

    @property
    def next(self) -> Symbol:
        """The symbol that `take` takes."""
        return self._symbols[self._next]

    def take(self) -> Symbol:
        """Take the next symbol; at the end it is taken again and again."""
        symbol = self.next
        if symbol.text:
            self._next += 1
        return symbol

    def expect(self, wanted: str) -> Symbol:
        """Take the next symbol, which must be this one."""
        symbol = self.take()
        if symbol.text != wanted:
            found = repr(symbol.text) if symbol.text else "the end"
            raise FormulaError(f"expected {wanted!r}, found {found}", symbol.position)
        return symbol

    def expect_end(self) -> None:
        """Nothing may be left."""
        if self.next.text:
            raise FormulaError(
                f"expected an operator, found {self.next.text!r}", self.next.position
            )


def _cut(text: str) -> list[Symbol]:
    symbols = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _SYMBOL.match(text, position)
        if match is None:
            position = end - len(text[position:end].lstrip())
            raise FormulaError(f"{text[position]!r} has no meaning in a formula", position)
        group = match.lastindex or 0
        symbols.append(Symbol(match[group], match.start(group)))
        position = match.end()
    symbols.append(Symbol("", end))
    return symbols
