"""Which fact of the customer's a question asks for, by example questions of each.

Likeness to the examples alone is no measure: questions share their forms (是不是…, could you tell me…),
and what is near enough in one persona is the next fact's question in another. So a small ranker weighs
the likeness of the whole, of the words that carry the matter, and how far one fact leads the others,
against the courtesies that ask for none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml

from roleplay.clauses import kinds_of
from roleplay.lines import alike, rarity
from roleplay.models.ranker import Ranker
from roleplay.reading import Subject

COURTESIES = Path(__file__).parent / "lines" / "courtesies.yaml"
BUNDLED = Path(__file__).parent / "bundled" / "reader" / "questions.safetensors"
SURE = 0.5  # how likely it must be that this fact is asked for
ALSO = 0.3  # how likely a second one, where both together leave little room for none
UNSEEN = 7.0  # rarity of a word that no corpus line holds
FORM = {  # what makes a question of a matter, and says nothing of the matter
    "zh-CN": re.compile(
        "请问|麻烦您|麻烦|方便|能不能|可以|是不是|有没有|是吗|对吗|好吗|行吗|一下|告诉我|跟我|说说|讲讲|您|你|我|吗|呢|啊|吧|的|了|是|在|有|"
        "什么时候|什么|哪里|哪儿|哪个|哪一|哪|谁|怎么|为什么|多少|几"
    ),
    "en": re.compile(
        r"\b(?:could|can|would|may|might|do|does|did|is|are|was|were|have|has|had|you|your|me|tell|please|the|a|an|to|of|it|"
        r"that|what|when|where|who|why|how|which|and|or|any|there|been|be|i|ask|so|just|this|with|for|on|in|at|if)\b|'s|'ve|'d"
    ),
}
NONE = ""  # the name under which courtesies stand beside the facts
LIKENESS = (
    "nearest", "nearest2", "mean", "bare", "bare2", "words", "words2", "matter", "covered", "all", "all_covered",
    "answer", "answer_matter",
)  # fmt: skip
LEADS = ("nearest", "bare", "words", "matter", "all", "all_covered")  # by how much these lead the next fact
LED = tuple(f"lead_{name}" for name in LEADS)
BESIDE = tuple(f"none_{name}" for name in LEADS)  # of the courtesies: how alike the likest fact is
FEATURES = (*LIKENESS, "same_kind", "agree", "conflict", *LED, "none", *BESIDE)


class Embedder(Protocol):
    def encode(self, texts: list[str]) -> np.ndarray:
        """(n, dim) float32, rows of length 1."""
        ...


@dataclass(frozen=True, slots=True)
class Examples:
    """One fact's example questions: their words that carry the matter, kinds, and vectors (n, dim) whole and bare.

    Of its answers the words and vectors; there may be none.
    """

    name: str
    texts: tuple[str, ...]
    matters: tuple[frozenset[str], ...]
    kinds: tuple[frozenset[str], ...]
    whole: np.ndarray
    bare: np.ndarray
    answer_matters: tuple[frozenset[str], ...]
    answers: np.ndarray


class Questions:
    """One for all calls and threads; it changes nothing that can be seen."""

    def __init__(self, embedder: Embedder) -> None:
        """Raises Unavailable when the bundled ranker is missing."""
        self.embedder = embedder
        self._ranker = Ranker.load(BUNDLED, FEATURES)
        self._prepared = lru_cache(maxsize=256)(self._prepare)

    def asked(self, asking: Sequence[str], subjects: Mapping[str, Subject], language: str) -> tuple[str, ...]:
        """The names of the subjects that the questions of a reply ask for, in the order of the questions."""
        given = tuple((name, subject) for name, subject in subjects.items() if subject.questions)
        if not given or not asking:
            return ()
        facts = self._prepared(given, language)
        found: list[str] = []
        for question in asking:
            rows = features(question, facts, language, self.embedder)
            found += _clear([fact.name for fact in facts[:-1]], self._ranker.shares(rows))
        return tuple(dict.fromkeys(found))

    def _prepare(self, given: tuple[tuple[str, Subject], ...], language: str) -> tuple[Examples, ...]:
        return prepare(dict(given), language, self.embedder)


@lru_cache(maxsize=2)
def courtesies(language: str) -> Subject:
    """Questions that ask for nothing the customer could tell."""
    return Subject(tuple(yaml.safe_load(COURTESIES.read_text("utf-8"))[language]))


def prepare(subjects: Mapping[str, Subject], language: str, embedder: Embedder) -> tuple[Examples, ...]:
    """What has to be known of each subject's examples, computed once for a persona; courtesies come last."""
    subjects = {**subjects, NONE: courtesies(language)}
    texts = [text for subject in subjects.values() for text in subject.questions]
    answers = [text for subject in subjects.values() for text in subject.answers]
    vectors = embedder.encode([*texts, *(_bare(text, language) for text in texts), *answers])
    whole, bare, said = np.split(vectors, [len(texts), 2 * len(texts)])
    facts, at, place = [], 0, 0
    for name, subject in subjects.items():
        rows, others = slice(at, at + len(subject.questions)), slice(place, place + len(subject.answers))
        at, place = rows.stop, others.stop
        matters, answered = (
            tuple(_matter(text, language) for text in group) for group in (subject.questions, subject.answers)
        )
        kinds = tuple(map(kinds_of, subject.questions))
        facts.append(Examples(name, subject.questions, matters, kinds, whole[rows], bare[rows], answered, said[others]))
    return tuple(facts)


def features(question: str, facts: Sequence[Examples], language: str, embedder: Embedder) -> np.ndarray:
    """One row for each of `facts`, the courtesies last: (facts, FEATURES)."""
    whole, bare = embedder.encode([question, _bare(question, language)])
    held = Counter(word for fact in facts[:-1] for word in frozenset().union(*fact.matters))
    rare = _rarity(language)

    def weight(words: frozenset[str]) -> float:
        """A rare word counts more, one that every fact of this customer has counts little."""
        return sum(
            rare.get(word, UNSEEN) * (1.5 - min(1.0, max(0, held[word] - 1) / max(1, len(facts) - 2))) for word in words
        )

    matter, kinds = _matter(question, language), kinds_of(question)
    rows = []
    for fact in facts:
        nearest = np.sort(fact.whole @ whole)[::-1]
        stripped = np.sort(fact.bare @ bare)[::-1]
        words = sorted((alike(language, question, text) for text in fact.texts), reverse=True)
        shared = [_shared(matter, other, weight) for other in fact.matters]
        every = _shared(matter, frozenset().union(*fact.matters), weight)
        same = [bool(kinds & other) for other in fact.kinds]
        rows.append([
            nearest[0], nearest[:2].mean(), nearest.mean(), stripped[0], stripped[:2].mean(), words[0], np.mean(words[:2]),
            max(each[0] for each in shared), max(each[1] for each in shared), *every,
            max(fact.answers @ whole, default=0.0),
            max((_shared(matter, other, weight)[0] for other in fact.answer_matters), default=0.0),
            max(same), np.mean(same), np.mean([bool(kinds and other and not kinds & other) for other in fact.kinds]),
        ])  # fmt: skip
    table = np.array(rows)
    none = np.zeros((len(rows), 1 + len(LEADS)))
    none[-1] = 1.0, *table[:-1, [LIKENESS.index(name) for name in LEADS]].max(axis=0)
    return np.concatenate([table, _leads(table), none], axis=1)


def _clear(names: Sequence[str], shares: np.ndarray) -> list[str]:
    """The fact that is asked for, or two that are asked for at once; `shares` end with that of none."""
    order = np.argsort(shares[:-1])[::-1]
    found = [names[order[0]]] if shares[order[0]] >= SURE else []
    if len(order) > 1 and shares[order[1]] >= ALSO:
        found = [names[order[0]], names[order[1]]]
    return found


def _leads(table: np.ndarray) -> np.ndarray:
    """By how much each fact leads the next one, or falls behind the first."""
    columns = table[:, [LIKENESS.index(name) for name in LEADS]]
    if len(columns) == 1:
        return np.zeros_like(columns)
    ordered = np.sort(columns, axis=0)
    return np.where(columns == ordered[-1], columns - ordered[-2], columns - ordered[-1])


def _shared(
    one: frozenset[str], other: frozenset[str], weight: Callable[[frozenset[str]], float]
) -> tuple[float, float]:
    """The weight of the words in common against that of both, and against that of the first."""
    both, first, second = (weight(words) for words in (one & other, one, other))
    return both / math.sqrt(first * second) if first and second else 0.0, both / first if first else 0.0


def _bare(question: str, language: str) -> str:
    return FORM[language].sub(" ", question.lower()).strip() or question


@lru_cache(maxsize=8192)
def _matter(question: str, language: str) -> frozenset[str]:
    """The words of a question without its form; in Chinese characters and pairs of them."""
    bare = FORM[language].sub(" ", question.lower())
    if language == "en":
        return frozenset(re.findall(r"[a-z]{2,}|\d+", bare))
    runs = re.findall(r"[\u4e00-\u9fff]+", bare)
    pieces = {piece for run in runs for piece in (*run, *(run[at : at + 2] for at in range(len(run) - 1)))}
    return frozenset(pieces | set(re.findall(r"[a-z]+|\d+", bare)))


@lru_cache(maxsize=2)
def _rarity(language: str) -> dict[str, float]:
    return rarity(language, lambda line: _matter(line.gloss or line.text, language))
