"""A reply without tricks of writing: full-width letters, invisible characters, blanks between characters.

Every character keeps the place that it had, so that what is found can be quoted from the original.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_GAP = re.compile(r"(?<=[\u4e00-\u9fff])[ \t\u3000]+(?=[\u4e00-\u9fff])")
_MARKUP = re.compile(
    r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|</?[a-z][a-z0-9-]*(?:\s[^<>]{0,400})?/?>", re.IGNORECASE | re.DOTALL
)
_QUOTES = {"’": "'", "‘": "'", "＇": "'"}


@dataclass(frozen=True, slots=True)
class PlainText:
    """`text[i]` stands at `places[i]` of the original."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of `text[start:end]`, which must not be empty."""
        return self.places[start], self.places[end - 1] + 1


def without_markup(text: str) -> str:
    """The words of a text that was written or pasted with HTML in it. An angle bracket of its own stays."""
    return _MARKUP.sub(lambda found: " " if found[0][:3].lower() in ("<br", "<p>", "</p") else "", text)


def visible(text: str) -> str:
    """A text as it can be seen, composed and without space around it; what joins characters (ZWJ) stays.

    Control characters and those that turn the direction of writing have no place in what is kept.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        char for char in composed if char in "\n\t\u200d" or unicodedata.category(char) not in ("Cc", "Cf")
    ).strip()


def plain_text(original: str) -> PlainText:
    """Fold letters and digits to their plain forms and drop what cannot be seen."""
    letters: list[str] = []
    places: list[int] = []
    gaps = {place for match in _GAP.finditer(original) for place in range(*match.span())}
    for place, letter in enumerate(original):
        if place in gaps:
            continue
        folded = _folded(letter)
        letters += folded
        places += [place] * len(folded)
    return PlainText("".join(letters), tuple(places))


@lru_cache(1 << 14)
def _folded(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in ("Cf", "Mn", "Me", "Co", "Cn", "Cs") or (kind == "Cc" and letter not in "\n\t"):
        return ""
    return unicodedata.normalize("NFKC", letter) if kind[0] in "LNZ" else _QUOTES.get(letter, letter)
