"""Whether a line tells, in other words, a fact that is withheld: for what a model has made up.

What counts are the words that line and fact share and that nothing open holds: the rarer they are, and the more
of the fact they make up, the surer is the leak. A fact told without one of its words is not seen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from roleplay.clauses import topics, units
from roleplay.lines import corpus_lines, rarity

Words = frozenset[str]
# From where on a line tells a fact: of the annotated calls' lines that tell others, hardly one comes so far.
ENOUGH = {"zh-CN": 11.0, "en": 7.0}
FIGURES = re.compile(r"\d{2,}")
SLACK = 3.0  # keeps one word from being the whole of a short fact


def tells(line: str, language: str, open_texts: tuple[str, ...], facts: tuple[str, ...]) -> str:
    """The fact that the line gives away, or nothing. A fact is its text and its wordings, one a row.

    `open_texts` are all that may be said, was heard, or is said by this person out of habit.
    """
    said = content(line)
    for fact, wordings in zip(facts, _new(open_texts, facts), strict=True):
        if _told(said, wordings, language) >= ENOUGH[language]:
            return fact.partition("\n")[0]
    return ""


def _told(said: Words, wordings: tuple[Words, ...], language: str) -> float:
    """How rare the words are that all wordings together share with what is said, by how much of one of them that is."""
    shared = said & frozenset().union(*wordings)
    if not shared:
        return 0.0
    most = max(_weight(said & words, language) / (_weight(words, language) + SLACK) for words in wordings)
    return _weight(shared, language) * math.sqrt(most)


@lru_cache(maxsize=64)
def _new(open_texts: tuple[str, ...], facts: tuple[str, ...]) -> tuple[tuple[Words, ...], ...]:
    """Of every wording of every fact the words that nothing open holds. The same for all lines of a turn.

    What stands in one wording alone is its author's flourish; the text of a fact, its first row, has none.
    """
    known = frozenset().union(*(content(row) for text in open_texts for row in text.split("\n")))
    return tuple(tuple(_matter(fact.split("\n"), known)) for fact in facts)


def _matter(wordings: Sequence[str], known: Words) -> Iterator[Words]:
    text, *others = (content(row) - known for row in wordings)
    times = Counter(word for words in (text, *others) for word in words)
    yield text
    yield from (frozenset(word for word in words if times[word] > 1) for words in others)


@lru_cache(maxsize=16384)
def content(text: str) -> Words:
    """What a text says: Chinese characters and pairs of them, stems of English words, figures."""
    return topics(text) | units(text) | frozenset(FIGURES.findall(text))


def _weight(words: Iterable[str], language: str) -> float:
    rare, unseen = _rarity(language)
    return sum(_share(word) * rare.get(word, unseen) for word in words)


def _share(word: str) -> float:
    """A single character says less than a pair, and stands in its pairs as well; long figures agree by no accident."""
    return 0.5 if len(word) == 1 else 1.5 if len(word) > 2 and word.isdigit() else 1.0


@lru_cache(maxsize=2)
def _rarity(language: str) -> tuple[dict[str, float], float]:
    """How rare each word is among the corpus lines, and a word that stands in none of them."""
    return rarity(language, lambda line: content(line.text)), math.log(len(corpus_lines(language)))
