"""Scores one reply: empathy, accuracy, standard phrasing.

Two graders share one frame. What is exact comes first and last: a reply that says nothing is scored by
rule, a contradicted claim and a forbidden word put a ceiling on what any model says, and every remark
that costs points carries its proof.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any, Protocol

import numpy as np

from roleplay.calibration import Calibration
from roleplay.claims import about_question
from roleplay.confidence import Opinion, signs
from roleplay.content import asides, reaches, spoken
from roleplay.dialogue import MOVES, Exchange
from roleplay.errors import Unavailable
from roleplay.features import features, felt, nearest
from roleplay.models import LanguageModel, Message
from roleplay.models.scorer import Scorer
from roleplay.promises import invented
from roleplay.reading import Reading
from roleplay.remarks import remarks
from roleplay.rubric import DIMENSIONS, Dimension, Grade, Remark, Score
from roleplay.standards import Rule, Standards, load_standards
from roleplay.yaml_files import read_yaml

GRADER_FILE = Path(__file__).parent / "bundled" / "reader" / "grader.safetensors"
PROMPTS = Path(__file__).parent / "prompts"
DUE = 0.5  # from here a fact was due
STRANGE = 3.0  # the highest point, on these dimensions, of what seems to be said to another customer
STRANGE_IN: tuple[Dimension, ...] = ("empathy", "phrasing")
# (score, value, ceiling) -> confidence, and whether unsure
Sure = Callable[[Dimension, float, float], tuple[float, bool]]


class Grader(Protocol):
    """`spec` is how the user named it, `fingerprint` changes when what it says may change."""

    @property
    def spec(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def basis(self, language: str) -> dict[str, str]:
        """By part, a hash of what its scores of calls in this language rest on."""
        ...

    def grade(self, exchange: Exchange, reading: Reading) -> Grade:
        """Score the reply. A grader that fails gives Grade.missing("failed", why); it never makes a score up."""
        ...


@dataclass(frozen=True, slots=True)
class BundledGrader:
    """The shipped grader: everything from the reading, and a small model whose parts can be shown."""

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

    def basis(self, language: str) -> dict[str, str]:
        return _basis(self, language)

    def raw(self, exchange: Exchange, reading: Reading) -> dict[Dimension, float | None]:
        if not reaches(spoken(exchange, reading.findings, self.standards.rules)):
            return dict.fromkeys(DIMENSIONS, 1.0)
        found = grader_features(exchange, reading, self.standards.rules)
        stranger = self.scorer.is_stranger(found, exchange.language)
        return self._given(self.scorer.opinions(found, exchange.language), stranger)

    def _given(self, opinions: Mapping[str, Opinion], stranger: bool) -> dict[Dimension, float | None]:
        """What the small model says; what seems to be said to a stranger is not above STRANGE."""
        due = opinions["fact_due"].value >= DUE
        given = {name: opinions[name].value if due or name != "accuracy" else None for name in DIMENSIONS}
        if stranger:
            for name in STRANGE_IN:
                given[name] = min(given[name] or STRANGE, STRANGE)
        return given

    def grade(self, exchange: Exchange, reading: Reading) -> Grade:
        rules, identity = self.standards.rules, f"{self.spec}:{self.fingerprint}"
        if not reaches(spoken(exchange, reading.findings, rules)):
            return finish(
                exchange, reading, dict.fromkeys(DIMENSIONS, 1.0), rules, self.calibration, identity, _by_rule
            )
        found = grader_features(exchange, reading, rules)
        opinions = self.scorer.opinions(found, exchange.language)
        stranger = self.scorer.is_stranger(found, exchange.language)

        def sure(name: Dimension, value: float, top: float) -> tuple[float, bool]:
            doubt = self.scorer.doubts[f"{exchange.language} {name}"]
            chance = doubt.chance(signs(opinions[name], value, top, found[f"estimate.{name}"], found["length"]))
            return chance, chance < doubt.bar

        given = self._given(opinions, stranger)
        grade = finish(exchange, reading, given, rules, self.calibration, identity, sure)
        capped = stranger and any(opinions[name].value >= STRANGE + 0.5 for name in STRANGE_IN)
        return strange(grade, exchange.language) if capped else grade

    def parts(self, exchange: Exchange, reading: Reading, dimension: Dimension) -> list[tuple[str, float]]:
        """What each feature adds or takes off, the weightiest first, for a trainer who asks why."""
        found = grader_features(exchange, reading, self.standards.rules)
        return self.scorer.parts(found, exchange.language, dimension)


def _basis(grader: BundledGrader | ModelGrader, language: str) -> dict[str, str]:
    own = grader.calibration
    return {
        "model": f"{grader.spec}:{grader.fingerprint}",
        "rules": grader.standards.hash(language),
        "calibration": "" if own is None else _short(repr(sorted(own.maps.items())).encode()),
    }


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _by_rule(name: Dimension, given: float, top: float) -> tuple[float, bool]:
    """Nothing was said to the customer: there is no doubt about that."""
    return 1.0, False


class ModelGrader:
    """A large model as the judge: one criterion a question, the score read from how likely each point is.

    The points are offered in rising and in falling order and the two answers averaged, so that no place
    in the list is favoured. The exact checks of the reading stand above what the model says.
    """

    def __init__(
        self, model: LanguageModel, standards: Standards | None = None, calibration: Calibration | None = None
    ) -> None:
        self.model, self.standards, self.calibration = model, standards or load_standards(), calibration
        self.spec = model.spec
        self.fingerprint = model.fingerprint

    def basis(self, language: str) -> dict[str, str]:
        prompts = (PROMPTS / f"grader.{language}.yaml").read_bytes()
        return {**_basis(self, language), "prompts": _short(prompts)}

    def raw(self, exchange: Exchange, reading: Reading) -> dict[Dimension, float | None]:
        """Raises Unavailable when the model fails."""
        prompts = _prompts(exchange.language)
        heard = spoken(exchange, reading.findings, self.standards.rules)
        due = self._chances(prompts, _filled(prompts["due"], heard), 2)[0] >= DUE
        found: dict[Dimension, float | None] = {}
        for name in DIMENSIONS:
            found[name] = self._expected(prompts, heard, name) if due or name != "accuracy" else None
        return found

    def grade(self, exchange: Exchange, reading: Reading) -> Grade:
        identity = f"{self.spec}:{self.fingerprint}"
        try:
            given = self.raw(exchange, reading)
        except Unavailable as error:
            return Grade.missing("failed", str(error), identity)
        return finish(exchange, reading, given, self.standards.rules, self.calibration, identity)

    def _expected(self, prompts: Mapping[str, Any], exchange: Exchange, name: Dimension) -> float:
        """The mean point, weighed by how likely the model finds each, over both orders."""
        means = []
        for points in (range(1, 6), range(5, 0, -1)):
            anchors = [f"{place}. {prompts[name]['scale'][point - 1]}" for place, point in enumerate(points, 1)]
            text = _filled(prompts["task"], exchange, question=prompts[name]["question"], scale="\n".join(anchors))
            chances = self._chances(prompts, text, 5)
            means.append(sum(point * chance for point, chance in zip(points, chances, strict=True)))
        return sum(means) / len(means)

    def _chances(self, prompts: Mapping[str, Any], text: str, options: int) -> list[float]:
        """How likely each of the answers 1 to `options` is; they add up to 1."""
        messages: list[Message] = [{"role": "system", "content": prompts["system"]}, {"role": "user", "content": text}]
        logs = np.array(self.model.weigh(messages, [str(number) for number in range(1, options + 1)]), float)
        if logs.shape != (options,) or not np.isfinite(logs).any():
            raise Unavailable(
                self.spec, f"gave no chances for {options} options: {logs.tolist()}", "Try another model."
            )
        powers = np.exp(logs - logs.max())
        return list(map(float, powers / powers.sum()))


@lru_cache(maxsize=2)
def _prompts(language: str) -> dict[str, Any]:
    """The questions to a large model, from the text files beside `prompts`."""
    data, _ = read_yaml(PROMPTS / f"grader.{language}.yaml")
    return data


def _filled(template: str, exchange: Exchange, **more: str) -> str:
    """What was said is quoted as JSON, so that no text of a trainee's can end its own quotation."""
    turns = [{turn.speaker: turn.text} for turn in exchange.context[-6:]]
    evidence = [entry.text for entry in nearest(exchange, exchange.evidence)]
    plain = {"context": turns, "evidence": evidence, "reply": exchange.reply}
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in plain.items()}
    return Template(template).substitute(quoted, **more)


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
    exchange: Exchange,
    reading: Reading,
    given: Mapping[Dimension, float | None],
    rules: Mapping[str, Rule],
    calibration: Calibration | None,
    grader: str,
    sure: Sure | None = None,
) -> Grade:
    """Raw scores as a grade: calibrated, under the ceilings, in whole points, with remarks.

    `sure` says how sure each score is; without it nothing is said about that.
    """
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
    return Grade(scores, remarks(exchange, reading, scores, rules), grader)


NOT_DUE = {
    "zh-CN": "这一轮不需要说明业务信息，也没有说明。",
    "en": "No fact was due in this reply and none was stated.",
}


def strange(grade: Grade, language: str) -> Grade:
    """The grade of a reply that seems to be said to another customer: why it is no higher, and that a person may see more."""
    scores = {name: replace(score, unsure=score.unsure or name in STRANGE_IN) for name, score in grade.scores.items()}
    remark = Remark("empathy", -1, STRANGER[language], rule="rubric.empathy")
    return replace(grade, scores=scores, remarks=(remark, *grade.remarks))


STRANGER = {
    "zh-CN": "这句话听起来不像是对这位客户说的：没有提到客户说的事。",
    "en": "This sounds as if it were said to somebody else: it takes up nothing of what this customer said.",
}


def ceiling(exchange: Exchange, reading: Reading, rules: Mapping[str, Rule]) -> dict[Dimension, float]:
    """The highest score that the exact checks still allow."""
    top: dict[Dimension, float] = dict.fromkeys(DIMENSIONS, 5.0)
    heard = spoken(exchange, reading.findings, rules)
    if not reaches(heard):
        return dict.fromkeys(DIMENSIONS, 1.0)
    broken = [rules[finding.rule] for finding in reading.findings if not finding.kept and finding.end]
    if any(rule.severity == "forbidden" for rule in broken):
        top["phrasing"] = 1.0
    if any(rule.topic == "meta" for rule in broken):
        top["phrasing"] = min(top["phrasing"], 3.0)
    if any(rule.severity == "forbidden" and rule.topic in ("rude", "ordering") for rule in broken):
        top["empathy"] = 2.0 if felt(exchange) else 3.0
    if asides(exchange):
        top["phrasing"] = min(top["phrasing"], 3.0)  # one lapse
    if any(each.promised for each in invented(heard, reading.claims)):
        top["accuracy"] = 2.0
    if reading.contradicted:
        main = any(about_question(claim, exchange) for claim in reading.contradicted)
        top["accuracy"] = 1.0 if main else 2.0
    return top
