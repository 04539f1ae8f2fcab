"""What one persona's call requires or forbids to be said: `must_say` and `must_not_say` of its grading block.

The service standard holds for every call (`standards`); these rules hold for this one. A forbidden phrase is
charged to the reply that holds it, a missing one to the call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from roleplay.persona_grading import Grading, PhraseRule
from roleplay.plain_text import plain_text
from roleplay.reading import Reading
from roleplay.rubric import Grade, Remark

Span = tuple[int, int]
CEILING = {"lapse": 3.0, "forbidden": 1.0}  # of the phrasing of a reply with a forbidden phrase; one lapse is a 3
CHARGE = {"lapse": -1.5, "forbidden": -3.0}  # the weight of the remark among others
_NO = re.compile(
    r"(?:不|没|别|勿|无法|绝非)[^，。！？；]{0,4}$|\b(?:not|never|cannot|can't|won't|don't|no)\b[^,.;!?]{0,20}$", re.I
)


@dataclass(frozen=True, slots=True)
class PhraseSeen:
    """A rule of the persona and how the call stands to it. `number` and `quote` name the reply where it was said."""

    rule: PhraseRule
    kind: Literal["must_say", "must_not_say"]
    number: int | None = None
    quote: str = ""

    @property
    def kept(self) -> bool:
        return (self.number is not None) == (self.kind == "must_say")

    @property
    def cost(self) -> float:
        """Points off the call's total."""
        return 0.0 if self.kept else self.rule.cost


def in_call(grading: Grading, replies: Sequence[tuple[str, Reading]]) -> tuple[PhraseSeen, ...]:
    """Every rule of the persona against the call's replies, each with what was read of it, in their order."""
    seen = []
    for rule in grading.must_say:
        seen.append(_first(rule, "must_say", [required(rule, *reply) for reply in replies], replies))
    for rule in grading.must_not_say:
        seen.append(_first(rule, "must_not_say", [forbidden(rule, *reply) for reply in replies], replies))
    return tuple(seen)


def _first(
    rule: PhraseRule,
    kind: Literal["must_say", "must_not_say"],
    spans: Sequence[Span | None],
    replies: Sequence[tuple[str, Reading]],
) -> PhraseSeen:
    for number, (span, (text, _)) in enumerate(zip(spans, replies, strict=True), 1):
        if span is not None:
            return PhraseSeen(rule, kind, number, text[slice(*span)])
    return PhraseSeen(rule, kind)


def required(rule: PhraseRule, reply: str, reading: Reading) -> Span | None:
    """Where a reply says what must be said, by its words or by its meaning."""
    plain = plain_text(reply)
    if match := _pattern(rule).search(plain.text):
        return plain.span(*match.span())
    if any(told.evidence_id in rule.told for told in reading.told):
        return 0, len(reply)
    return next(((seen.start, seen.end) for seen in reading.moves if seen.move in rule.moves), None)


def forbidden(rule: PhraseRule, reply: str, reading: Reading) -> Span | None:
    """Where a reply says what must not be said. Words that it denies ("I can't promise that") do not count."""
    if rule.stage not in (None, reading.stage):
        return None
    plain = plain_text(reply)
    for match in _pattern(rule).finditer(plain.text):
        if not _NO.search(plain.text[: match.start()]):
            return plain.span(*match.span())
    return None


def judged(grade: Grade, grading: Grading, reply: str, reading: Reading) -> Grade:
    """The grade of one reply with the persona's forbidden phrases taken into account."""
    found = [(rule, span) for rule in grading.must_not_say if (span := forbidden(rule, reply, reading))]
    phrasing = grade.scores["phrasing"]
    if not found or phrasing.value is None:
        return grade
    highest = min(CEILING[rule.severity] for rule, _ in found)
    scores = {**grade.scores, "phrasing": replace(phrasing, value=min(phrasing.value, highest))}
    return replace(
        grade, scores=scores, remarks=(*(_remark(rule, reply, span) for rule, span in found), *grade.remarks)
    )


def _remark(rule: PhraseRule, reply: str, span: Span) -> Remark:
    quote = reply[slice(*span)]
    return Remark("phrasing", CHARGE[rule.severity], taught(rule), quote, *span, rule=f"persona.{rule.id}")


def taught(rule: PhraseRule) -> str:
    """The advice of a rule, with how it sounds where the trainer has given an example."""
    if not rule.right:
        return rule.advice
    chinese = bool(re.search(r"[\u4e00-\u9fff]", rule.right))
    return rule.advice + (f"例如：“{rule.right}”" if chinese else f' For example: "{rule.right}"')


@lru_cache(maxsize=1024)
def _pattern(rule: PhraseRule) -> re.Pattern[str]:
    """Phrases as words: "110" is not found in 1100, nor "ring" in "bring". Without any, a pattern that never matches."""
    return re.compile("|".join([*map(_whole, rule.any), *rule.patterns]) or r"(?!)", re.IGNORECASE)


def _whole(phrase: str) -> str:
    before = r"(?<![a-z0-9])" if phrase[:1].isascii() and phrase[:1].isalnum() else ""
    after = r"(?![a-z0-9])" if phrase[-1:].isascii() and phrase[-1:].isalnum() else ""
    return before + re.escape(phrase) + after
