"""The search: dense and lexical scores of one query put together, with a verdict when nothing fits."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from roleplay.dialogue import Language
from roleplay.errors import Rejected
from roleplay.knowledge.embedding import Embedder
from roleplay.knowledge.entries import AUDIENCES, Entry
from roleplay.knowledge.lexical import Lexical, matched_words
from roleplay.knowledge.vectors import VectorStore

NEIGHBOURS = 200  # texts asked of the store; every entry has several, so about 60 entries have a true similarity
WEIGHTS = {"similarity": 1.0, "terms": 1.0, "sounds": 0.3, "language": 0.05}
FITS = 0.4


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found. `score` is comparable between queries, `similarity` the cosine of the nearest text.

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
        self._embedder, self._store, self._lexical = embedder, store, Lexical(entries)

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
        similarity, score = self._scores(query, audience)
        score[~allowed] = -np.inf
        best = [int(at) for at in np.argsort(-score, kind="stable")[:limit] if allowed[at]]
        hits = tuple(
            Hit(self._entries[at], float(score[at]), float(similarity[at]), matched_words(query, self._entries[at]))
            for at in best
        )
        return SearchResult(hits, hits[0].score < FITS)

    def _scores(self, query: str, audience: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
        """Similarity and fused score of each entry: two of (n,)."""
        vector = self._embedder.encode([query])[0]
        where = None if set(audience) >= set(AUDIENCES) else {"audience": {"$in": list(audience)}}
        near = self._store.nearest(vector, NEIGHBOURS, where)
        # an entry none of whose texts is among the nearest is at most as similar as the last of them
        similarity = np.full(len(self._entries), near[-1][1] if near else 0.0, dtype=np.float32)
        for name, value in near:
            at = self._place[name]
            similarity[at] = max(similarity[at], value)
        terms, sounds = self._lexical.shares(query)
        spoken = "zh-CN" if any("\u4e00" <= character <= "\u9fff" for character in query) else "en"
        same = np.array([entry.language == spoken for entry in self._entries])
        score = (
            WEIGHTS["similarity"] * similarity
            + WEIGHTS["terms"] * terms
            + WEIGHTS["sounds"] * sounds
            + WEIGHTS["language"] * same
        )
        return similarity, score
