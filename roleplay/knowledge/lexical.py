"""The lexical half of the search: BM25 over words, pairs of characters and meanings, and over sounds.

Scores are shares: how much of what the query says, weighted by how telling each piece is, an entry has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import bm25s
import numpy as np

from roleplay.knowledge.entries import Entry
from roleplay.knowledge.words import is_chinese, meanings, pieces, runs, sounds, stem, words


def literal_terms(text: str) -> list[str]:
    """Words, pairs of Chinese characters, parts of English words, numbers and meanings."""
    pairs = [piece for piece in pieces(text) if not piece.startswith("~") and (len(piece) > 1 or not is_chinese(piece))]
    return pairs + [word for word in words(text) if len(word) > 1 and is_chinese(word)]


def sound_terms(text: str) -> list[str]:
    """Pairs of blurred sounds, for what was misheard or mistyped."""
    found = []
    for run in runs(text):
        if is_chinese(run):
            heard = sounds(run)
            found += [f"{first}.{second}" for first, second in pairwise(heard)]
    return found


class TermIndex:
    """BM25 over token lists, one per document; scores are shares of the best score a query could reach."""

    def __init__(self, documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.6) -> None:
        self._size = len(documents)
        self._frequency = Counter(term for document in documents for term in set(document))
        self._bm25 = bm25s.BM25(k1=k1, b=b, method="lucene")
        # a corpus without a single term cannot be indexed; the placeholder matches no query
        self._bm25.index([list(document) or [" "] for document in documents], show_progress=False)

    def weight(self, term: str) -> float:
        """How telling a term is: rare ones more; one that occurs nowhere as much as the rarest."""
        frequency = self._frequency[term]
        return math.log(1 + (self._size - frequency + 0.5) / (frequency + 0.5))

    def shares(self, terms: Sequence[str]) -> np.ndarray:
        """Share of the query's weight found in each document, 0 to 1: (n,)."""
        known = [term for term in terms if term in self._frequency]
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        ceiling = sum(map(self.weight, terms))
        return self._bm25.get_scores(known) / ceiling


class Lexical:
    """The two term indexes over the entries' questions, other wordings and answers."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        texts = [[entry.question, entry.question, *entry.also_asked, entry.answer, entry.product] for entry in entries]
        self._literal = TermIndex([[term for text in group for term in literal_terms(text)] for group in texts])
        self._sound = TermIndex([[term for text in group for term in sound_terms(text)] for group in texts])

    def shares(self, query: str) -> tuple[np.ndarray, np.ndarray]:
        """For each entry the share of the query's terms and of its sounds that it has: two of (n,)."""
        return self._literal.shares(literal_terms(query)), self._sound.shares(sound_terms(query))


def matched_words(query: str, entry: Entry) -> tuple[str, ...]:
    """What a person can see the match by: the query's words and meanings that the entry has too, in order."""
    text = " ".join((entry.question, *entry.also_asked, entry.answer))
    there = {*words(text), *meanings(text)}
    telling = [word for word in words(query) if len(word) > 1 and word in there]
    return tuple(
        dict.fromkeys(
            telling + [meaning for meaning in meanings(query) if meaning in there and stem(meaning) not in telling]
        )
    )
