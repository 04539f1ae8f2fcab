"""Which calls' scores may be set beside each other: those that rest on the same things; see `Grade.basis`.

Each language has rules of its own, so calls are held against others of their language. The customer's criteria
differ from customer to customer and are left aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from roleplay.dialogue import Language
from roleplay.rubric import changed

if TYPE_CHECKING:
    from roleplay.results import Result

Bases = Mapping[Language, Mapping[str, str]]


def newest(results: Iterable[Result]) -> Bases:
    """What the newest scored call of each language rests on."""
    scored = sorted((each for each in results if each.total is not None), key=lambda each: each.started_at)
    return {each.language: each.basis for each in scored}


def alike(results: Iterable[Result], bases: Bases) -> list[Result]:
    """The scored calls that rest on these."""
    return [each for each in results if each.total is not None and not apart({each.language: each.basis}, bases)]


def apart(one: Bases, other: Bases) -> tuple[str, ...]:
    """The parts in which two differ, over the languages that both have."""
    both = [language for language in one if language in other]
    found = (part for language in both for part in changed(one[language], other[language], ("persona",)))
    return tuple(dict.fromkeys(found))
