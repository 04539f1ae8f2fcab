"""Which of the customer's facts a sentence asks for, or which of its responses it calls for, by examples of each.

Likeness to the examples alone is no measure: questions share their forms (是不是…, could you tell me…),
and what is near enough in one persona is the next fact's question in another. So a small ranker weighs
the likeness of the whole, of the words that carry the matter, what a kernel regression over the persona's
own examples says, and how far one subject leads the others, against the courtesies that ask for nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import yaml
from rapidfuzz import fuzz
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from roleplay.clauses import is_question, kinds_of
from roleplay.dialogue import AIMS, Aim, Language
from roleplay.facts import Quantity, quantities
from roleplay.lines import UNSEEN, pieces_of, rarity, rarity_of_pieces
from roleplay.models.aims import AimModel
from roleplay.models.ranker import Ranker
from roleplay.reading import Subject

COURTESIES = Path(__file__).parent / "lines" / "courtesies.yaml"
BUNDLED = Path(__file__).parent / "bundled" / "reader" / "matching.safetensors"
SURE = 0.5  # how likely it must be that this fact is asked for
# How likely that this response is called for: the answer to something else is worse than a stock line. English
# sentences are taken for another more often.
MEANT = {"zh-CN": 0.6, "en": 0.7}
WORD_FOR_WORD = 90  # per cent of the letters in common
THE_SAME = 0.9  # likeness from which a sentence is the near miss itself
ALSO, BOTH = 0.3, 0.75  # how likely a second one must be, and both together, which leaves little room for none
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
DENIAL = re.compile(r"不(?!客气|好意思|用担心)|没(?!事|问题)|无法|别|\bnot\b|n't\b|\bno\b|\bnever\b|\bcannot\b", re.I)
# Ways of speaking of a matter: it is done, will be, may be, is not, is asked for or said back. The words may be the same.
MANNERS = (
    re.compile(
        r"好了|已经?|过了|完了|成功|\b(?:done|already|has been|have been|i've|we've|you've|is now|are now)\b", re.I
    ),
    re.compile(
        r"我(?:来|去|这就|马上|现在|会|帮|给|替|先)|会(?:给|帮|有|再)|将|\b(?:i'll|we'll|will|going to|let me)\b", re.I
    ),
    re.compile(r"查|看看|看一下|核实|了解|\b(?:check|look|see (?:if|whether)|find out)", re.I),
    re.compile(r"可以|能|要不要|需要|\b(?:can|could|may|would|shall|want|like)\b", re.I),
    DENIAL,
    re.compile(
        r"对(?:吧|吗|不对)|是吧|是不是|您(?:刚才|的意思)|您说|\b(?:you said|you mean|right\?|is that right|correct\?)|^so\b",
        re.I,
    ),
    re.compile(r"抱歉|对不起|不好意思|难过|\b(?:sorry|apolog)", re.I),
    re.compile(r"如果|要是|万一|的话|\b(?:if|unless|in case|when)\b", re.I),
    re.compile(r"请您|麻烦您|您(?:先|把|去|按|点)|\b(?:please|try|press|you (?:need|should|have) )", re.I),
    re.compile(r"下次|以后|平时|将来|\b(?:next time|in future|from now on|usually)\b", re.I),
)
DENIES, ASKS = MANNERS.index(DENIAL), len(MANNERS)  # places of two of them, the last of which is a question
# Of the regression: how fast nearness falls, what aims weigh in it beside vectors, and how closely it keeps to its examples.
SHARP, BY_AIM, SMOOTH = 6.0, 0.3, 0.3
EXACT = ("money", "data", "duration", "percent")  # kinds of figures by which like sentences say different things
KEPT = 256  # personas that are kept prepared, two or three megabytes each
NONE = ""  # the name under which courtesies stand beside the facts
LIKENESS = (
    "nearest", "nearest2", "mean", "bare", "bare2", "words", "words2", "matter", "covered", "all", "all_covered",
    "answer", "answer_matter", "aim", "mean_aim", "kernel",
)  # fmt: skip
MANNER = ("manner", "manner_best", "manner_gap", "asking_gap", "denying_gap", "said_of_it", "longer")
UNLIKE = ("unlike", "unlike_words", "unlike_lead", "unlike_words_lead")  # how near it comes to its own near misses
LEADS = (  # by how much these lead the next subject
    "nearest", "bare", "words", "matter", "all", "all_covered", "aim", "kernel",
)  # fmt: skip
LED = tuple(f"lead_{name}" for name in LEADS)
BESIDE = tuple(f"none_{name}" for name in LEADS)  # of the courtesies: how alike the likest fact is
FEATURES = (*LIKENESS, "same_kind", "agree", "conflict", *MANNER, *UNLIKE, *LED, "none", *BESIDE)


class Embedder(Protocol):
    def encode(self, texts: list[str]) -> np.ndarray:
        """(n, dim) float32, rows of length 1."""
        ...


@dataclass(frozen=True, slots=True)
class Bags:
    """Texts as bags of weighted pieces: `rows` (texts, pieces) are the roots of weights, `lengths` (texts,) their lengths.

    So the product of two rows is the weight of what they share. `weight` is that of any piece, here or not.
    """

    columns: Mapping[str, int]
    rows: csr_matrix
    lengths: np.ndarray
    weight: Callable[[str], float]

    @classmethod
    def of(cls, texts: Iterable[frozenset[str]], weight: Callable[[str], float]) -> Bags:
        texts = list(texts)
        columns = {piece: at for at, piece in enumerate(sorted(frozenset().union(*texts)))}
        roots = np.array([math.sqrt(weight(piece)) for piece in columns], float)
        places = [columns[piece] for text in texts for piece in text]
        ends = np.cumsum([0, *map(len, texts)])
        rows = csr_matrix((roots[places], places, ends), shape=(len(texts), len(columns)), dtype=np.float64)
        rows.sort_indices()
        return cls(columns, rows, np.sqrt(rows.multiply(rows).sum(axis=1).A1), weight)

    def since(self, first: int) -> Bags:
        """Those from `first` on."""
        return Bags(self.columns, self.rows[first:], self.lengths[first:], self.weight)

    def near(self, text: frozenset[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The weight of what each text shares with this one, against that of both, of this and of each: (texts,) thrice."""
        own = np.zeros(len(self.columns))
        for piece in text & self.columns.keys():
            own[self.columns[piece]] = math.sqrt(self.weight(piece))
        length = math.sqrt(sum(map(self.weight, text)))
        both = self.rows @ own
        if not length:
            return both, both, both
        return (
            both / np.maximum(length * self.lengths, 1e-9),
            both / length**2,
            both / np.maximum(self.lengths**2, 1e-9),
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """What has to be known of some subjects, computed once; the last are courtesies and near misses, whose name is NONE.

    Examples stand one after the other, those of a subject from its entry of `starts` on, its near misses at the end of
    all from its entry of `unlike_starts` on, and so do answers, of which there may be none: `texts`, `lengths` in characters,
    vectors `whole` and `bare`, `aims`, ways of speaking (`manners`), `words`, and the `matters`, without the form of a
    question; `every` is all that the examples of a subject say of their matter. `weights` (examples, subjects) are the
    regression's.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    starts: np.ndarray
    unlike_starts: np.ndarray
    lengths: np.ndarray
    whole: np.ndarray
    bare: np.ndarray
    aims: np.ndarray
    kinds: tuple[frozenset[str], ...]
    manners: np.ndarray
    words: Bags
    matters: Bags
    every: Bags
    weights: np.ndarray
    answer_starts: np.ndarray
    answers: np.ndarray
    answer_matters: Bags


class Matcher:
    """One for all calls and threads; it changes nothing that can be seen."""

    def __init__(self, embedder: Embedder, aims: AimModel) -> None:
        """Raises Unavailable when the bundled ranker is missing."""
        self.embedder, self.aims = embedder, aims
        self._ranker = Ranker.load(BUNDLED, FEATURES)
        self._kept: dict[object, tuple[Prepared, Prepared]] = {}
        self._one_at_a_time = Lock()

    def matched(
        self,
        pieces: Sequence[str],
        subjects: Mapping[str, Subject],
        language: Language,
        *,
        asks: bool = True,
        sure: float = SURE,
        bar: float | None = None,
    ) -> tuple[str, ...]:
        """The names of the subjects that the pieces of a reply ask for or bring up, in the order of the pieces.

        What does not ask is held against those alone that are said and not asked for, unless it stands in the persona's
        file word for word. `sure` is how likely it must be
        that a fact is asked for, `bar` that one of the others is meant; else MEANT.
        """
        bar = MEANT[language] if bar is None else bar
        if not pieces or not any(asks or not subject.asked for subject in subjects.values()):
            return ()
        every, others = self.prepared(subjects, language)
        prepared = every if asks else others
        found: list[str] = []
        for piece, vectors in zip(pieces, encoded(pieces, language, self.embedder), strict=True):
            if written := _written(every, piece, vectors[0]):
                found.append(written)
                continue
            rows = features(piece, vectors, prepared, language, self.aims)
            clear = _clear(prepared.names[:-1], self._ranker.shares(rows), subjects, sure, bar)
            clear = [name for name in clear if name not in _near_misses(prepared, vectors[0])]
            found += (name for name in clear if subjects[name].asked or figures_agree(piece, subjects[name].examples))
        return tuple(dict.fromkeys(found))

    def written(self, text: str, subjects: Mapping[str, Subject], language: Language) -> str:
        """The name of the subject among whose examples this very text stands, if there is one."""
        return _written(self.prepared(subjects, language)[0], text, self.embedder.encode([text])[0])

    def near_misses(self, text: str, subjects: Mapping[str, Subject], language: Language) -> frozenset[str]:
        """The names of the subjects whose file names this very text as what it is not."""
        return _near_misses(self.prepared(subjects, language)[0], self.embedder.encode([text])[0])

    def astray(
        self,
        pieces: Sequence[str],
        others: Sequence[str],
        own: Sequence[str],
        subjects: Mapping[str, Subject],
        language: Language,
    ) -> float:
        """How much nearer the pieces come, in the mean, to the texts `others` than to what this call is about.

        It is about the examples of its subjects and what they are answered, and about the texts `own`.
        """
        every, _ = self.prepared(subjects, language)
        vectors = self.embedder.encode([*pieces, *own, *others])
        said, own_texts, other_texts = np.split(vectors, [len(pieces), len(pieces) + len(own)])
        near, far = said @ np.concatenate([every.whole, every.answers, own_texts]).T, said @ other_texts.T
        return float((far.max(axis=1) - near.max(axis=1)).mean())

    def aim_of(self, name: str, aim: Aim, subjects: Mapping[str, Subject], language: Language) -> float:
        """How likely the examples of a subject have this aim, in the mean."""
        every, _ = self.prepared(subjects, language)
        place = every.names.index(name)
        own = every.aims[every.starts[place] : every.starts[place + 1]]
        return float(np.square(own[:, AIMS.index(aim)]).mean())

    def prepared(self, subjects: Mapping[str, Subject], language: Language) -> tuple[Prepared, Prepared]:
        """What `prepare` gives, kept for KEPT personas: it takes a second, which nobody should wait for."""
        key = (tuple(subjects.items()), language)
        found = self._kept.get(key)
        if found is None:
            # twenty at once would each take twenty times as long, and prepare one persona twice
            with self._one_at_a_time:
                found = self._kept.get(key) or prepare(subjects, language, self.embedder, self.aims)
                self._kept[key] = found
                if len(self._kept) > KEPT:
                    del self._kept[next(iter(self._kept))]
        return found


@lru_cache(maxsize=2)
def courtesies(language: Language) -> Subject:
    """Sentences that ask for nothing the customer could tell; the near misses of a persona stand beside them."""
    return Subject(tuple(yaml.safe_load(COURTESIES.read_text("utf-8"))[language]))


def prepare(
    subjects: Mapping[str, Subject], language: Language, embedder: Embedder, aims: AimModel
) -> tuple[Prepared, Prepared]:
    """Of all subjects, those that are asked for first, and of those alone that are said and not asked for."""
    asked = {name: subject for name, subject in subjects.items() if subject.asked}
    others = {name: subject for name, subject in subjects.items() if not subject.asked}
    # a near miss of one subject may be what another is asked by, and is none of neither then
    examples = {text for subject in subjects.values() for text in subject.examples}
    others = {
        name: replace(subject, unlike=tuple(text for text in subject.unlike if text not in examples))
        for name, subject in others.items()
    }
    unlike = tuple(text for subject in others.values() for text in subject.unlike)
    others[NONE] = Subject((*courtesies(language).examples, *unlike))
    every = [*asked.values(), *others.values()]
    texts = [text for subject in every for text in subject.examples]
    answers = [text for subject in every for text in subject.answers]
    vectors = embedder.encode([*texts, *(_bare(text, language) for text in texts), *answers])
    whole, bare, said = np.split(vectors, [len(texts), 2 * len(texts)])
    wanted, kinds, rare = _aims(texts, language, aims), tuple(map(kinds_of, texts)), rarity_of_pieces(language)
    manners = np.stack([_manner(text) for text in texts])
    words = Bags.of((pieces_of(language, text) for text in texts), lambda piece: rare.get(piece, UNSEEN))

    def since(first: int, first_answer: int, names: Sequence[str], own: Sequence[Subject]) -> Prepared:
        bags = [frozenset().union(*(_matter(text, language) for text in subject.examples)) for subject in own]
        weight = _weight(bags[:-1], language)
        counts = [len(subject.examples) for subject in own]
        near = _near(whole[first:], whole[first:], wanted[first:], wanted[first:]) + SMOOTH * np.eye(
            sum(counts), dtype=np.float32
        )
        belongs = np.repeat(np.eye(len(own), dtype=np.float32), counts, axis=0)
        return Prepared(
            names=tuple(names),
            texts=tuple(texts[first:]),
            starts=np.cumsum([0, *counts]),
            unlike_starts=sum(counts) - len(unlike) + np.cumsum([0, *(len(subject.unlike) for subject in own)]),
            lengths=np.array([len(text) for text in texts[first:]], float),
            whole=whole[first:],
            bare=bare[first:],
            aims=wanted[first:],
            kinds=kinds[first:],
            manners=manners[first:],
            words=words.since(first),
            matters=Bags.of((_matter(text, language) for text in texts[first:]), weight),
            every=Bags.of(bags, weight),
            weights=cho_solve(cho_factor(near, lower=True), belongs - belongs.mean(0)),
            answer_starts=np.cumsum([0, *(len(subject.answers) for subject in own)]),
            answers=said[first_answer:],
            answer_matters=Bags.of((_matter(text, language) for text in answers[first_answer:]), weight),
        )

    first = sum(len(subject.examples) for subject in asked.values())
    first_answer = sum(len(subject.answers) for subject in asked.values())
    return since(0, 0, [*asked, *others], every), since(first, first_answer, list(others), list(others.values()))


def _weight(bags: Sequence[frozenset[str]], language: Language) -> Callable[[str], float]:
    """A rare word counts more, one that every subject of this customer has counts little. `bags` are the subjects' words."""
    held, rare, common = Counter(word for words in bags for word in words), _rarity(language), max(1, len(bags) - 1)
    return lambda word: rare.get(word, UNSEEN) * (1.5 - min(1.0, max(0, held[word] - 1) / common))


def _aims(texts: Sequence[str], language: Language, aims: AimModel) -> np.ndarray:
    """Roots of how likely each text has each aim, so that rows have length 1: (texts, aims)."""
    return np.sqrt(aims.chances_alone(texts, language))


def _near(one: np.ndarray, other: np.ndarray, aims: np.ndarray, other_aims: np.ndarray) -> np.ndarray:
    """How near texts are by their vectors and their aims, 1 for the same: (one, other)."""
    return np.exp(SHARP * (BY_AIM * aims @ other_aims.T + (1 - BY_AIM) * one @ other.T - 1))


def encoded(texts: Sequence[str], language: Language, embedder: Embedder) -> np.ndarray:
    """Vectors of each text, whole and bare: (texts, 2, dim)."""
    rows = embedder.encode([*texts, *(_bare(text, language) for text in texts)])
    return rows.reshape(2, len(texts), -1).swapaxes(0, 1)


def features(text: str, vectors: np.ndarray, prepared: Prepared, language: Language, aims: AimModel) -> np.ndarray:
    """One row for each subject, the courtesies last: (subjects, FEATURES). `vectors` are those of `encoded`."""
    whole, bare = vectors
    (wanted,) = _aims([text], language, aims)
    matter, kinds = _matter(text, language), kinds_of(text)
    likeness, stripped = prepared.whole @ whole, prepared.bare @ bare
    words, _, _ = prepared.words.near(pieces_of(language, text))
    (shared, covered, told), every = prepared.matters.near(matter), prepared.every.near(matter)
    same_aim = prepared.aims @ wanted
    kernel = _near(whole[None], prepared.whole, wanted[None], prepared.aims)[0] @ prepared.weights
    answers, answered = prepared.answers @ whole, prepared.answer_matters.near(matter)[0]
    same = np.array([bool(kinds & other) for other in prepared.kinds])
    conflict = np.array([bool(kinds and other and not kinds & other) for other in prepared.kinds])
    manner = _manner(text)
    apart = np.abs(prepared.manners - manner)
    rows = []
    for place in range(len(prepared.names)):
        own = slice(*prepared.starts[place : place + 2])
        said = slice(*prepared.answer_starts[place : place + 2])
        miss = slice(*prepared.unlike_starts[place : place + 2])
        missed, missed_words = likeness[miss].max(initial=0.0), words[miss].max(initial=0.0)
        rows.append([
            *_best(likeness[own]), likeness[own].mean(), *_best(stripped[own]), *_best(words[own]),
            shared[own].max(), covered[own].max(), every[0][place], every[1][place],
            answers[said].max(initial=0.0), answered[said].max(initial=0.0),
            same_aim[own].max(), same_aim[own].mean(), kernel[place],
            same[own].max(), same[own].mean(), conflict[own].mean(),
            apart[own].mean(), apart[own].mean(axis=1).min(), np.abs(prepared.manners[own].mean(axis=0) - manner).max(),
            apart[own, ASKS].mean(), apart[own, DENIES].mean(), told[own].max(),
            math.log((1 + len(text)) / (1 + prepared.lengths[own].mean())),
            missed, missed_words, likeness[own].max() - missed, words[own].max() - missed_words,
        ])  # fmt: skip
    table = np.array(rows, float)
    none = np.zeros((len(rows), 1 + len(LEADS)))
    none[-1] = 1.0, *table[:-1, [LIKENESS.index(name) for name in LEADS]].max(axis=0)
    return np.concatenate([table, _leads(table), none], axis=1)


def _manner(text: str) -> np.ndarray:
    """Which ways of speaking a text has, whether it asks last: (ways,)."""
    return np.array([*(bool(way.search(text)) for way in MANNERS), is_question(text)], float)


def _best(values: np.ndarray) -> tuple[float, float]:
    """The highest, and the mean of the two highest."""
    two = np.sort(values)[-2:]
    return float(two[-1]), float(two.mean())


def _clear(
    names: Sequence[str], shares: np.ndarray, subjects: Mapping[str, Subject], sure: float, bar: float
) -> list[str]:
    """The subject that is meant, or two facts that are asked for at once; `shares` end with that of none."""
    order = np.argsort(shares[:-1])[::-1]
    first, *rest = (names[place] for place in order[:2])
    if (
        rest
        and shares[order[1]] >= ALSO
        and shares[order[:2]].sum() >= max(BOTH, sure)
        and all(subjects[name].asked for name in (first, *rest))
    ):
        return [first, *rest]
    return [first] if shares[order[0]] >= (sure if subjects[first].asked else bar) else []


def _written(every: Prepared, text: str, whole: np.ndarray) -> str:
    likeness = every.whole @ whole
    best = int(likeness.argmax())
    place = int(np.searchsorted(every.starts, best, side="right")) - 1  # the last are courtesies and near misses
    example = every.texts[best]
    same = fuzz.ratio(text.lower(), example.lower()) >= WORD_FOR_WORD and is_question(text) == is_question(example)
    return every.names[place] if likeness[best] >= THE_SAME and same else NONE


def _near_misses(prepared: Prepared, whole: np.ndarray) -> frozenset[str]:
    likeness = prepared.whole @ whole
    spans = zip(prepared.names, pairwise(prepared.starts), pairwise(prepared.unlike_starts), strict=True)
    return frozenset(
        name
        for name, own, unlike in spans
        if THE_SAME <= likeness[slice(*unlike)].max(initial=0.0) > likeness[slice(*own)].max()
    )


def figures_agree(text: str, examples: Sequence[str]) -> bool:
    """Whether a text names none of the kinds of figures that the examples name, or one of theirs of each kind."""
    known = [figure for example in examples for figure in _figures(example)]
    said = _figures(text)
    return all(
        any(one.agrees(other) for one in said for other in known if one.kind == other.kind == kind)
        for kind in {figure.kind for figure in said} & {figure.kind for figure in known}
    )


@lru_cache(maxsize=2**14)
def _figures(text: str) -> tuple[Quantity, ...]:
    return tuple(figure for figure in quantities(text) if figure.kind in EXACT)


def _leads(table: np.ndarray) -> np.ndarray:
    """By how much each fact leads the next one, or falls behind the first."""
    columns = table[:, [LIKENESS.index(name) for name in LEADS]]
    if len(columns) == 1:
        return np.zeros_like(columns)
    ordered = np.sort(columns, axis=0)
    return np.where(columns == ordered[-1], columns - ordered[-2], columns - ordered[-1])


def _bare(question: str, language: Language) -> str:
    return FORM[language].sub(" ", question.lower()).strip() or question


@lru_cache(maxsize=8192)
def _matter(question: str, language: Language) -> frozenset[str]:
    """The words of a question without its form; in Chinese characters and pairs of them."""
    bare = FORM[language].sub(" ", question.lower())
    if language == "en":
        return frozenset(re.findall(r"[a-z]{2,}|\d+", bare))
    runs = re.findall(r"[\u4e00-\u9fff]+", bare)
    pieces = {piece for run in runs for piece in (*run, *(run[at : at + 2] for at in range(len(run) - 1)))}
    return frozenset(pieces | set(re.findall(r"[a-z]+|\d+", bare)))


@lru_cache(maxsize=2)
def _rarity(language: Language) -> dict[str, float]:
    return rarity(language, lambda line: _matter(line.gloss or line.text, language))
