"""What somebody probably meant: the nearest valid name for a word that is none."""

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice
from typing import Final

_WORD_CHARACTERS_MAX: Final = 64  # difflib's cost grows with the product of both lengths
_SHOWN_CHARACTERS_MAX: Final = 60
_COMPARED_MAX: Final = 2_000  # the columns of a file may be a million
_LISTED_MAX: Final = 12


def shown(text: str) -> str:
    """Quote a text for a message: escaped where it does not print, cut where it is long."""
    if len(text) <= _SHOWN_CHARACTERS_MAX:
        return repr(text)
    return repr(text[:_SHOWN_CHARACTERS_MAX] + "…")


def nearest(word: str, options: Collection[str], likeness: float = 0.6) -> str | None:
    """The option most like the word, whatever the case of its letters.

    Returns:
        None if none of the first options that are no longer than a word is like it, on difflib's
        scale of likeness from 0 to 1.
    """
    words = (option for option in options if len(option) <= _WORD_CHARACTERS_MAX)
    by_folded = {option.casefold(): option for option in sorted(islice(words, _COMPARED_MAX))}
    matches = get_close_matches(
        word[:_WORD_CHARACTERS_MAX].casefold(), by_folded, n=1, cutoff=likeness
    )
    return by_folded[matches[0]] if matches else None


def hint(word: str, options: Collection[str]) -> str:
    """The end of a message about an unknown name, beginning with `;`.

    Names the nearest option, otherwise the options in their own order (the first few of many).
    """
    match = nearest(word, options)
    if match is not None:
        return f"; did you mean {match!r}?"
    if not options:
        return "; there are none yet"
    listed = [_legible(option) for option in list(options)[:_LISTED_MAX]]
    return f"; known: {', '.join(listed)}{' …' if len(options) > len(listed) else ''}"


def _legible(option: str) -> str:
    """As it is, where it prints and is short: some are a file's names of columns."""
    is_plain = option.isprintable() and len(option) <= _SHOWN_CHARACTERS_MAX
    return option if is_plain else shown(option)
