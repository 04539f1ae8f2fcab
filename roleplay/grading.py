"""Scores one reply: empathy, accuracy, standard phrasing.

Two graders share one frame. What is exact comes first and last: a reply that says nothing is scored by
rule, a contradicted claim and a forbidden word put a ceiling on what any model says, and every remark
that costs points carries its proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from roleplay.calibration import Calibration
from roleplay.claims import about_question
from roleplay.confidence import Opinion, signs
from roleplay.content import asides, reaches, spoken
from roleplay.dialogue import MOVES, Exchange
from roleplay.features import features, felt
from roleplay.models import LanguageModel
from roleplay.models.scorer import Scorer
from roleplay.promises import invented
from roleplay.reading import Reading
from roleplay.remarks import remarks
from roleplay.rubric import DIMENSIONS, Dimension, Grade, Remark, Score
from roleplay.standards import Rule, Standards, load_standards

GRADER_FILE = Path(__file__).parent / "bundled" / "reader" / "grader.safetensors"
DUE = 0.5  # from here a fact was due
STRANGE = 3.0  # the highest point, on these dimensions, of what seems to be said to another customer
STRANGE_IN: tuple[Dimension, ...] = ("empathy", "phrasing")
NOT_DUE = {
    "zh-CN": "这一轮不需要说明业务信息，也没有说明。",
    "en": "No fact was due in this reply and none was stated.",
}
STRANGER = {
    "zh-CN": "这句话听起来不像是对这位客户说的：没有提到客户说的事。",
    "en": "This sounds as if it were said to somebody else: it takes up nothing of what this customer said.",
}
# (score, value, ceiling) -> confidence, and whether unsure
Sure = Callable[[Dimension, float, float], tuple[float, bool]]


class Grader(Protocol):
    """`spec` is how the user named it, `fingerprint` changes when what it says may change."""

    @property
    def spec(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def standards(self) -> Standards: ...

    @property
    def calibration(self) -> Calibration | None: ...

    @property
    def writer(self) -> LanguageModel | None:
        """Its model where that can put a better reply into words; see `coaching`."""
        ...

    def basis(self, language: str) -> dict[str, str]:
        """By part, a hash of what its scores of calls in this language rest on."""
        ...

    def grade(self, exchange: Exchange, reading: Reading) -> Grade:
        """Score the reply. A grader that fails gives Grade.missing("failed", why); it never makes a score up."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the small model makes of a reply that says something: from which features, and whether to a stranger."""

    features: Mapping[str, float]
    opinions: Mapping[str, Opinion]
    stranger: bool

    @property
    def given(self) -> dict[Dimension, float | None]:
        """Raw scores; what seems to be said to a stranger is not above STRANGE."""
        due = self.opinions["fact_due"].value >= DUE
        given = {name: self.opinions[name].value if due or name != "accuracy" else None for name in DIMENSIONS}
        if self.stranger:
            for name in STRANGE_IN:
                given[name] = min(given[name] or STRANGE, STRANGE)
        return given

    @property
    def held_back(self) -> bool:
        """Whether STRANGE has cost a point."""
        return self.stranger and any(self.opinions[name].value >= STRANGE + 0.5 for name in STRANGE_IN)


@dataclass(frozen=True, slots=True)
class BundledGrader:
    """The shipped grader: everything from the reading, and a small model."""

    scorer: Scorer
    standards: Standards
    calibration: Calibration | None = None
    spec: str = "bundled"

    @classmethod
    def load(cls, standards: Standards | None = None, calibration: Calibration | None = None) -> BundledGrader:
        """Raises Unavailable when the shipped file is missing."""
        return cls(Scorer.load(GRADER_FILE), standards or load_standards(), calibration)

    @property
    def fingerprint(self) -> str:
        return self.scorer.fingerprint

    @property
    def writer(self) -> None:
        return None

    def basis(self, language: str) -> dict[str, str]:
        return basis_of(self, language)

    def raw(self, exchange: Exchange, reading: Reading) -> dict[Dimension, float | None]:
        seen = self._seen(exchange, reading)
        return seen.given if seen else dict.fromkeys(DIMENSIONS, 1.0)

    def grade(self, exchange: Exchange, reading: Reading) -> Grade:
        seen = self._seen(exchange, reading)
        if seen is None:  # nothing was said to the customer: there is no doubt about that
            return finish(self, exchange, reading, dict.fromkeys(DIMENSIONS, 1.0), lambda *_: (1.0, False))
        grade = finish(self, exchange, reading, seen.given, partial(self._sure, exchange.language, seen))
        return strange(grade, exchange.language) if seen.held_back else grade

    def _seen(self, exchange: Exchange, reading: Reading) -> Seen | None:
        """None where the reply says nothing to this customer."""
        if not reaches(spoken(exchange, reading.findings, self.standards.rules)):
            return None
        found = grader_features(exchange, reading, self.standards.rules)
        scorer, language = self.scorer, exchange.language
        return Seen(found, scorer.opinions(found, language), scorer.is_stranger(found, language))

    def _sure(self, language: str, seen: Seen, name: Dimension, value: float, top: float) -> tuple[float, bool]:
        doubt, own = self.scorer.doubts[f"{language} {name}"], seen.features
        chance = doubt.chance(signs(seen.opinions[name], value, top, own[f"estimate.{name}"], own["length"]))
        return chance, chance < doubt.bar


def identity(grader: Grader) -> str:
    """A grader as its grades and calibrations name it."""
    return f"{grader.spec}:{grader.fingerprint}"


def basis_of(grader: Grader, language: str) -> dict[str, str]:
    """The parts of a basis that every grader has; see `Grade.basis`."""
    own = grader.calibration
    return {
        "model": identity(grader),
        "rules": grader.standards.hash(language),
        "calibration": "" if own is None else short_hash(repr(sorted(own.maps.items())).encode()),
    }


def short_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def grader_features(exchange: Exchange, reading: Reading, rules: Mapping[str, Rule]) -> dict[str, float]:
    """The input of the small model: what the reply is like, and what the reader's models think of it.

    Words for the scorer are left out altogether: they must not move a score in either direction here.
    """
    exchange = spoken(exchange, reading.findings, rules)
    findings = tuple(finding for finding in reading.findings if rules[finding.rule].topic != "meta")
    own = reading.estimates
    seen = {f"move.{move}": own.moves.get(move, 0.0) for move in MOVES if move != "meta"}
    return {
        **features(exchange, replace(reading, findings=findings), rules),
        **seen,
        "estimate.empathy": own.empathy,
        "estimate.accuracy": own.accuracy,
        "estimate.phrasing": own.phrasing,
        "estimate.fact_due": own.fact_due,
    }


def finish(
    grader: Grader,
    exchange: Exchange,
    reading: Reading,
    given: Mapping[Dimension, float | None],
    sure: Sure | None = None,
) -> Grade:
    """Raw scores as a grade: calibrated, under the ceilings, in whole points, with remarks.

    `sure` says how sure each score is; without it nothing is said about that.
    """
    rules, calibration = grader.standards.rules, grader.calibration
    scores: dict[Dimension, Score] = {}
    ceilings = ceiling(exchange, reading, rules)
    for name in DIMENSIONS:
        value = given[name]
        if value is not None and calibration is not None:
            value = calibration.apply(value, exchange.language, name)
        if name == "accuracy" and value is None and ceilings[name] < 5:
            value = 5.0  # something was stated after all, and it is wrong
        if value is None:
            scores[name] = Score(None, "not_due", NOT_DUE[exchange.language])
        else:
            point = float(np.clip(np.floor(min(value, ceilings[name]) + 0.5), 1, 5))
            chance, unsure = sure(name, value, ceilings[name]) if sure else (None, False)
            scores[name] = Score(point, confidence=chance, unsure=unsure)
    return Grade(scores, remarks(exchange, reading, scores, rules), identity(grader))


def strange(grade: Grade, language: str) -> Grade:
    """The grade of a reply that seems to be said to another customer: why it is no higher, and that a person may see more."""
    scores = {name: replace(score, unsure=score.unsure or name in STRANGE_IN) for name, score in grade.scores.items()}
    remark = Remark("empathy", -1, STRANGER[language], rule="rubric.empathy")
    return replace(grade, scores=scores, remarks=(remark, *grade.remarks))


def ceiling(exchange: Exchange, reading: Reading, rules: Mapping[str, Rule]) -> dict[Dimension, float]:
    """The highest score that the exact checks still allow."""
    top: dict[Dimension, float] = dict.fromkeys(DIMENSIONS, 5.0)
    heard = spoken(exchange, reading.findings, rules)
    if not reaches(heard):
        return dict.fromkeys(DIMENSIONS, 1.0)
    broken = [rules[finding.rule] for finding in reading.findings if not finding.kept and finding.end]
    forbidden = {rule.topic for rule in broken if rule.severity == "forbidden"}
    if "privacy" in forbidden:  # the rubric's ruling on asking for a password or reading somebody's data out
        top["accuracy"], top["phrasing"] = 1.0, 3.0
    if forbidden - {"privacy"}:
        top["phrasing"] = 1.0
    if any(rule.topic == "meta" for rule in broken):
        top["phrasing"] = min(top["phrasing"], 3.0)
    if forbidden & {"rude", "ordering"}:
        top["empathy"] = 2.0 if felt(exchange) else 3.0
    if asides(exchange):
        top["phrasing"] = min(top["phrasing"], 3.0)  # one lapse
    if any(each.promised for each in invented(heard, reading.claims)):
        top["accuracy"] = min(top["accuracy"], 2.0)
    if reading.contradicted:
        main = any(about_question(claim, exchange) for claim in reading.contradicted)
        top["accuracy"] = min(top["accuracy"], 1.0 if main else 2.0)
    return top
