"""What somebody probably meant: the nearest valid name for a word that is none."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_WORD_CHARACTERS_MAX: Final = 64  # difflib's cost grows with the product of both lengths
_SHOWN_CHARACTERS_MAX: Final = 60
_LISTED_MAX: Final = 12


def shown(text: str) -> str:
    """Quote a text for a message: escaped where it does not print, cut where it is long."""
    if len(text) <= _SHOWN_CHARACTERS_MAX:
        return repr(text)
    return repr(text[:_SHOWN_CHARACTERS_MAX] + "…")


def nearest(word: str, options: Collection[str], likeness: float = 0.6) -> str | None:
    """The option most like the word, whatever the case of its letters.

    Returns:
        None if no option is like it, on difflib's scale of likeness from 0 to 1.
    """
    by_folded = {option.casefold(): option for option in sorted(options)}
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
    listed = list(options)[:_LISTED_MAX]
    return f"; known: {', '.join(listed)}{' …' if len(options) > len(listed) else ''}"
