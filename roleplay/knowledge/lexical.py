"""The lexical half of the search: BM25 over what words say, sound like and mean.

Each language has its own index, so that "the" is no rare word among Chinese entries. Only meanings and
numbers can match across languages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import bm25s
import numpy as np

from roleplay.knowledge.entries import Entry
from roleplay.knowledge.words import is_chinese, meanings, normalise, runs, sound_pairs, stem, words

SHORTEST = 4  # characters; a query of one word is not surer than one of a few


def characters(text: str) -> list[str]:
    """Single Chinese characters, stems and numbers: what a colloquial line shares with an entry is often no more."""
    found: list[str] = []
    for run in runs(text):
        found += run if is_chinese(run) else [stem(run)]
    return found


def sounds(text: str) -> list[str]:
    """Pairs of blurred sounds for Chinese, so that a wrong character still matches; stems and numbers for the rest."""
    found: list[str] = []
    for run in runs(text):
        found += sound_pairs(run) if is_chinese(run) else [stem(run)]
    return found


class TermIndex:
    """BM25 of one kind of terms over entries, each language on its own."""

    def __init__(self, entries: Sequence[Entry], cut: Callable[[str], list[str]]) -> None:
        self._cut, self._size = cut, len(entries)
        self._parts: list[tuple[np.ndarray, bm25s.BM25]] = []
        for language in sorted({entry.language for entry in entries}):
            places = np.array([at for at, entry in enumerate(entries) if entry.language == language])
            documents = [[term for text in _texts(entries[at]) for term in cut(text)] for at in places]
            index = bm25s.BM25(k1=1.2, b=0.6, method="lucene")
            # documents without a single term cannot be indexed; the placeholder matches no query
            index.index([document or [" "] for document in documents], show_progress=False)
            self._parts.append((places, index))

    def scores(self, query: str) -> np.ndarray:
        """BM25 of each entry over the root of the query's length, so that long queries are not louder: (n,)."""
        scores = np.zeros(self._size, dtype=np.float32)
        asked = list(dict.fromkeys(self._cut(query)))
        for places, index in self._parts:
            known = [term for term in asked if term in index.vocab_dict]
            if known:
                scores[places] = index.get_scores(known)
        return scores / _loudness(query)


def elsewhere(query: str) -> float:
    """How much of a query is about other people's business (weather, trains, bank cards): 0 for nothing of it."""
    return meanings(query).count("elsewhere") / _loudness(query)


def matched_words(query: str, entry: Entry) -> tuple[str, ...]:
    """What a person can see the match by: the query's words that the entry has, and the meanings both name."""
    text = " ".join(_texts(entry))
    alike, apart = normalise(text), set(runs(text))
    seen = [word for word in words(query) if len(word) > 1 and (word in alike if is_chinese(word) else word in apart)]
    meant = _meant(text) - {"elsewhere"}
    return tuple(dict.fromkeys([*seen, *(meaning for meaning in meanings(query) if meaning in meant)]))


@lru_cache(8192)
def _meant(text: str) -> frozenset[str]:
    return frozenset(meanings(text))


def _loudness(query: str) -> float:
    """The root of the length in Chinese characters, an English word counting for about two."""
    chinese = any(map(is_chinese, runs(query)))
    return max(SHORTEST, len(query) if chinese else len(query) / 3) ** 0.5


def _texts(entry: Entry) -> tuple[str, ...]:
    # the question twice: it is what the entry is about
    return (entry.question, entry.question, *entry.also_asked, entry.answer, entry.product)
