"""A better reply, written for this customer and this moment, and never one that would itself score lower.

The trainee's own good sentences are kept and what is missing is added piece by piece; a piece stays only when
the grader finds the reply better with it. A grader model that writes puts the same pieces into its own words,
and code holds its numbers and words against the entries and the standard.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean
from string import Template
from typing import Literal

from roleplay.claims import check
from roleplay.dialogue import Exchange
from roleplay.errors import RoleplayError
from roleplay.facts import quantities
from roleplay.grading import BundledGrader, Grader, ceiling
from roleplay.models import LanguageModel, Sampling
from roleplay.persona_grading import Grading, ModelAnswer
from roleplay.phrases import forbidden, judged
from roleplay.pieces import SLOTS, Missing, Part, caring, missing, own_parts, phrases
from roleplay.reader import Reader
from roleplay.reading import Reading
from roleplay.rubric import DIMENSIONS, Dimension, Grade

log = logging.getLogger(__name__)
Kind = Literal["built", "written", "model_answer"]
EVADED = 2.0  # points of accuracy of a reply that tells nothing though something was due
ANSWERED = 4  # points of accuracy from which nothing more has to be told
WORTH = 0.05  # points, over all dimensions, that a piece has to add
LONGEST = {"zh-CN": 170, "en": 560}  # characters of a better reply
WRITTEN = 400  # tokens that a model may write
_IDENTITY = re.compile(r"后四位|证件|last four|\bID\b")


@dataclass(frozen=True, slots=True)
class Better:
    """A better reply. `built` and `written` are for this moment; `model_answer` is the persona's own for the stage.

    `scores` are those that the same grader gives it, None where nothing was due; empty for a model answer.
    """

    text: str
    kind: Kind
    scores: Mapping[Dimension, float | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """A graded reply and what may be used beside its evidence.

    `private` are ids of entries that no customer is told; `verify`: the customer has not proved who it is.
    """

    exchange: Exchange
    reading: Reading
    grade: Grade
    grading: Grading = field(default_factory=Grading)
    private: frozenset[str] = frozenset()
    verify: bool = False


class Coach:
    """Makes better replies with the parts that grade them. Holds nothing."""

    def __init__(self, reader: Reader, grader: Grader, writer: LanguageModel | None = None) -> None:
        """`writer` is a grader model that is able to write; without one the reply is built of sentences."""
        self.reader, self.grader, self.writer = reader, grader, writer
        self.quick = grader if isinstance(grader, BundledGrader) else BundledGrader.load(reader.standards)

    def better(self, moment: Moment) -> Better | None:
        """The better reply; the persona's model answer where none can be made; None where there is neither.

        A writer or grader that fails is as one that has nothing better to say.
        """
        open_exchange = replace(
            moment.exchange, evidence=tuple(one for one in moment.exchange.evidence if one.id not in moment.private)
        )
        parts = self._built(moment, open_exchange)
        candidates: list[tuple[Kind, str]] = []
        if parts:
            candidates.append(("built", joined(parts, moment.exchange.language)))
        try:
            if self.writer is not None:
                text = self._written(moment, open_exchange, parts)
                candidates[:0] = [("written", text)] if text else []
            for kind, text in candidates:
                scores = self._raised(moment, text)
                if scores is not None:
                    return Better(text, kind, scores)
        except RoleplayError as error:  # the persona's own answer is still there
            log.warning("no better reply could be made: %s", error)
        return _model_answer(moment)

    def _built(self, moment: Moment, exchange: Exchange) -> list[Part]:
        """Own sentences and what makes them better; from nothing where nothing of the own can be kept."""
        scores = moment.grade.scores
        parts = own_parts(exchange, moment.reading, self.reader.standards.rules, scores)
        told = any(part.slot in ("tell", "do") and quantities(part.text) for part in parts)
        answered = told and (scores["accuracy"].value or 0) >= ANSWERED
        worth = self._worth(moment, parts)
        answers = caring([answer.text for answer in moment.grading.model_answers])
        for lack in missing(exchange, moment.reading, answers, moment.verify):
            there = {part.slot for part in parts}
            if (lack.slot == "tell" and answered) or lack.unless in there or (lack.after and lack.after not in there):
                continue
            tried = [(self._worth(moment, option), option) for option in _options(parts, lack)]
            best = max(tried, key=lambda pair: pair[0], default=(worth, parts))
            if best[0] >= worth + WORTH:
                worth, parts = best
        return parts

    def _worth(self, moment: Moment, parts: Sequence[Part]) -> float:
        """The mean of what the quick grader thinks of the reply, before rounding, under the ceilings."""
        text = joined(parts, moment.exchange.language)
        if not text or len(text) > LONGEST[moment.exchange.language]:
            return 0.0
        exchange = replace(moment.exchange, reply=text)
        reading = self.reader.read(exchange)
        tops = ceiling(exchange, reading, self.reader.standards.rules)
        given = self.quick.raw(exchange, reading)
        values = [min(value, tops[name], 5.0) for name, value in given.items() if value is not None]
        if given["accuracy"] is None and moment.grade.scores["accuracy"].value is not None:
            values.append(EVADED)
        return mean(values) - 2.0 * any(forbidden(rule, text, reading) for rule in moment.grading.must_not_say)

    def _raised(self, moment: Moment, text: str) -> Mapping[Dimension, float | None] | None:
        """The scores of a text where none is below the trainee's and one is above; else None."""
        exchange = replace(moment.exchange, reply=text)
        reading = self.reader.read(exchange)
        grade = judged(self.grader.grade(exchange, reading), moment.grading, text, reading)
        before = {name: moment.grade.scores[name].value for name in DIMENSIONS}
        after = {name: grade.scores[name].value for name in DIMENSIONS}
        if any(score.status == "failed" for score in grade.scores.values()):
            return None
        if before["accuracy"] is not None and after["accuracy"] is None:
            return None  # it would tell nothing
        pairs = [(before[name], after[name]) for name in DIMENSIONS]
        if any(old is not None and new is not None and new < old for old, new in pairs):
            return None
        raised = any(new is not None and new > (old or 0) for old, new in pairs if old is not None)
        return after if raised else None

    def _written(self, moment: Moment, exchange: Exchange, parts: Sequence[Part]) -> str:
        """The writer's own words, or nothing where they hold what no entry says or what the standard forbids."""
        assert self.writer is not None
        words = phrases(exchange.language)
        answers = caring([answer.text for answer in moment.grading.model_answers])
        lacks = missing(exchange, moment.reading, answers, moment.verify)
        values = {
            "context": [{turn.speaker: turn.text} for turn in exchange.context[-6:]],
            "evidence": [entry.text for entry in exchange.evidence],
            "reply": exchange.reply,
            "faults": [remark.text for remark in moment.grade.remarks if remark.points < 0],
            "pieces": [*(part.text for part in parts), *(text for lack in lacks for text in lack.texts[:2])],
        }
        quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
        limit = LONGEST[exchange.language] // (1 if exchange.language == "zh-CN" else 6)
        prompt = Template(words["write"]).substitute(quoted, limit=limit)
        text = "".join(
            self.writer.stream([{"role": "user", "content": prompt}], Sampling(max_tokens=WRITTEN, temperature=0.0))
        )
        text = re.sub(r"\s+", " ", text).strip(" \"“”「」'")
        return text if self._may_be_said(exchange, text) else ""

    def _may_be_said(self, exchange: Exchange, text: str) -> bool:
        """Whether a text keeps to the standard and to the numbers that are known or were said."""
        if not text or len(text) > LONGEST[exchange.language]:
            return False
        said = replace(exchange, reply=text)
        reading = self.reader.read(said)
        rules = self.reader.standards.rules
        if any(one.end and not one.kept and rules[one.rule].severity != "tip" for one in reading.findings):
            return False
        claims = check(text, exchange.evidence, exchange.context)
        return not any(
            claim.verdict == "contradicted" or (claim.verdict == "not_covered" and quantities(claim.text))
            for claim in claims
        )


def _options(parts: Sequence[Part], lack: Missing) -> Iterator[list[Part]]:
    """The reply with each text of `lack` added, or set in the place of what stands in that slot."""
    there = [part for part in parts if part.slot == lack.slot]
    for text in lack.texts:
        new = Part(lack.slot, text)
        if any(text in part.text or part.text in text for part in there if not lack.instead):
            continue
        if lack.slot == "ask" and (there or any(_IDENTITY.search(part.text) for part in parts)):
            continue  # one question at a time
        if lack.slot == "greet" and len(parts) > len(there):
            continue  # the call has begun
        if there and lack.instead:
            yield [part for part in parts if part.slot != lack.slot] + [new]
        if not (there and lack.slot in ("greet", "care", "close")):
            yield [*parts, new]


def joined(parts: Sequence[Part], language: str) -> str:
    """The parts as a reply, in the order in which a reply is said."""
    order = sorted(parts, key=lambda part: SLOTS.index(part.slot))
    return ("" if language == "zh-CN" else " ").join(part.text for part in order)


def _model_answer(moment: Moment) -> Better | None:
    answers: Sequence[ModelAnswer] = moment.grading.model_answers
    found = next((answer.text for answer in answers if answer.stage == moment.reading.stage), None)
    return None if found is None else Better(found, "model_answer", {})
