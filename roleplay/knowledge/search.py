"""The search: dense and lexical scores of one query put together, with a verdict when nothing fits."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from roleplay.dialogue import Language
from roleplay.errors import Rejected
from roleplay.knowledge.embedding import Embedder
from roleplay.knowledge.entries import Entry
from roleplay.knowledge.lexical import TermIndex, characters, elsewhere, matched_words, sounds
from roleplay.knowledge.vectors import VectorStore
from roleplay.knowledge.words import is_chinese, meanings, runs

NEIGHBOURS = 200  # entries asked of the store; the others count as no nearer than the last of these
# Fitted for the bundled embedder on queries about products and operators that it had not learnt from (`python -m eval
# held-out`), so that another company's knowledge base is weighed rightly too; with another embedder FITS should be
# measured anew.
WEIGHTS = {"similarity": 12.1, "characters": 1.6, "sounds": 0.7, "meanings": 3.7}
TWIN = 4.6  # what an entry is put back whose twin says the same in the language of the query
FITS = 0.28  # below it nothing fits: a tenth of answerable queries are lost, seven in ten of the others recognised
ELSEWHERE = 0.8  # what a word of other people's business takes off


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found. `score` is comparable between queries, `similarity` the cosine of query and entry.

    `words` are the words and meanings that the query and the entry share, for the person who wonders why.
    """

    entry: Entry
    score: float
    similarity: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first. With `nothing_fits` they are only the nearest entries: none should be taken for an answer."""

    hits: tuple[Hit, ...]
    nothing_fits: bool


class Knowledge:
    """A published set of entries that can be searched. Safe to share between threads; never changes."""

    def __init__(self, entries: Sequence[Entry], embedder: Embedder, store: VectorStore, version: str) -> None:
        self.version = version
        self._entries = list(entries)
        self._place = {entry.id: at for at, entry in enumerate(entries)}
        self._embedder, self._store = embedder, store
        cuts = {"characters": characters, "sounds": sounds, "meanings": meanings}
        self._indexes = {name: TermIndex(entries, cut) for name, cut in cuts.items()}
        self._chinese = np.array([entry.language == "zh-CN" for entry in entries])
        self._twin = self._places_of_twins()

    def entries(self) -> list[Entry]:
        return list(self._entries)

    def entries_by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self._entries}

    def entry(self, id: str) -> Entry:
        """The entry of that id; raises Rejected if there is none."""
        if id not in self._place:
            raise Rejected(f"the knowledge base has no entry {id!r}")
        return self._entries[self._place[id]]

    def search(
        self,
        query: str,
        *,
        language: Language | None = None,
        audience: Collection[str] = ("public",),
        on: datetime.date | None = None,
        limit: int = 5,
    ) -> SearchResult:
        """The entries that answer `query`, a question or a customer's line in any of the languages.

        `language` keeps entries of one language only, `audience` those for these readers, `on` those valid
        on that day (None: whatever their dates). An empty query finds nothing.
        """
        allowed = np.array([
            entry.audience in audience
            and (language is None or entry.language == language)
            and (on is None or entry.valid_on(on))
            for entry in self._entries
        ], dtype=bool)  # fmt: skip
        if not query.strip() or not allowed.any() or limit < 1:
            return SearchResult((), True)
        similarity, score = self._scores(query)
        chinese = any(map(is_chinese, runs(query)))
        score -= TWIN * ((self._chinese != chinese) & (self._twin >= 0) & allowed[self._twin])
        score[~allowed] = -np.inf
        best = [int(at) for at in np.argsort(-score, kind="stable")[:limit] if allowed[at]]
        hits = tuple(
            Hit(self._entries[at], float(score[at]), float(similarity[at]), matched_words(query, self._entries[at]))
            for at in best
        )
        return SearchResult(hits, float(similarity[allowed].max()) - ELSEWHERE * elsewhere(query) < FITS)

    def _scores(self, query: str) -> tuple[np.ndarray, np.ndarray]:
        """Similarity and fused score of each entry: two of (n,)."""
        vector = self._embedder.encode([query])[0]
        near = self._store.nearest(vector, NEIGHBOURS)
        similarity = np.full(len(self._entries), near[-1][1] if near else 0.0, dtype=np.float32)
        for name, value in near:
            similarity[self._place[name]] = value
        score = WEIGHTS["similarity"] * similarity
        for name, index in self._indexes.items():
            score += WEIGHTS[name] * index.scores(query)
        return similarity, score

    def _places_of_twins(self) -> np.ndarray:
        """The place of each entry's twin, -1 where it has none here: (n,)."""
        twins = np.full(len(self._entries), -1)
        for place, entry in enumerate(self._entries):
            other = -1 if entry.twin is None else self._place.get(entry.twin, -1)
            if other >= 0:
                twins[place], twins[other] = other, place
        return twins
