"""Whether a clause says yes where the evidence says no: permission, need, and plain negation.

Permission and need ("can", "must") are compared where they govern the same words; a plain negation
("不自动续订", "does not renew") where the very words that are denied are asserted, or the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roleplay.clauses import topics, units

_MODALS: tuple[tuple[str, bool, re.Pattern[str]], ...] = (
    ("may", False, re.compile(r"不可以|不可|不能够?|无法|没法|不支持|不允许|不得|不准|不予|不再|不受理|\bcan(?:no|')t\b|\bcannot\b|\bmay not\b")),
    ("may", True, re.compile(r"可以|(?<![不许认])可(?!能|是|惜|靠)|(?<![不可])能(?!够?不|力|量)|支持|允许|\bcan\b(?!not|'t)|\bmay\b(?! not)")),
    ("must", False, re.compile(r"无须|无需|不用|不必|不需要?|不须|免去|\bneedn't\b|\b(?:don't|doesn't|do not|does not) (?:need|have)\b|\bno need\b")),
    ("must", True, re.compile(r"(?<![不无])(?:必须|需要|须|需|得先)|\bmust\b|\bneeds? to\b|\bhave to\b|\b(?:are|is) (?:needed|required)\b|\bonly\b")),
)  # fmt: skip
SHORT = 8  # characters of a clause that can hold one statement only
_LIMITED = re.compile(
    r"\bonly\b|\bif\b|\bunless\b|\bonce\b|只有|除非|才|如果|要是|若|的话|满|之前|前(?!面)|逾期|超过|否则|不.{1,8}(?:就|也)",
    re.IGNORECASE,
)
# What is denied: four characters after the negation, or two where they say something by themselves.
_DENIED = re.compile(r"(?:不会|不(?![要会能再被另管论是为足超同]))(?=[\u4e00-\u9fff]{2})")
_NEGATED = re.compile(
    r"(?:不|没有?|未|无法?|别|免|并非|不会|不能|不再|不用|不必|不需|无须|无需|不另|不被)[要会能再被另外自]{0,2}(?:[让给使把]您?)?$"
)
_NEGATIONS = re.compile(r"[不没未无]|\b(?:not|no|never|nor|neither)\b|n't\b", re.IGNORECASE)
_COMMON = frozenset(
    "明白 了解 理解 放心 收费 收取 费用 可以 需要 支持 能够 清楚 知道 影响 方便 超过 足够 满足 同意 愿意 得超 能用 包含 计入 使用 办理 处理 退还 "
    "另收 低于 高于 少于 同时 见得 一定 限于 适用 提供 接受 到账 足一 足部".split()
)


@dataclass(frozen=True, slots=True)
class Stance:
    """What one clause allows or demands, and what it denies.

    `modals` holds (may or must, yes or no, the words governed), `denied` the words after a negation.
    """

    text: str
    about: frozenset[str]
    modals: tuple[tuple[str, bool, frozenset[str]], ...]
    denied: tuple[str, ...]


def stance(text: str) -> Stance:
    denied = tuple(
        text[match.end() : match.end() + 4]
        for match in _DENIED.finditer(text)
        if text[: match.start()][-1:] != text[match.end()]  # "合不合适" asks
    )
    return Stance(text, topics(text), tuple(_modals(text)), denied)


def clash(said: Stance, known: Sequence[Stance]) -> int | None:
    """Which of the known clauses says the opposite; None when none does, or when another one agrees."""
    if _LIMITED.search(said.text) or len(_NEGATIONS.findall(said.text)) > 1:
        return None  # two negations may well say yes
    against = _modal_clash(said, known)
    if against is None:
        against = _denial_clash(said, known)
    return against


def _modals(text: str) -> Iterator[tuple[str, bool, frozenset[str]]]:
    taken: list[tuple[int, int]] = []
    for kind, yes, pattern in _MODALS:
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                taken.append(match.span())
                yield kind, yes, topics(text[match.end() : match.end() + (6 if text[0] > "\u2fff" else 24)])


def _modal_clash(said: Stance, known: Sequence[Stance]) -> int | None:
    for kind, yes, words in said.modals:
        alike = [
            (len(words & other_words), yes == other_yes, place)
            for place, item in enumerate(known)
            for other_kind, other_yes, other_words in item.modals
            if kind == other_kind and words & other_words
        ]
        against = max((pair for pair in alike if not pair[1]), key=lambda pair: pair[0], default=None)
        agreed = any(
            other_yes == yes and kind == other_kind and len(units(said.text) & units(item.text)) >= 2
            for item in known
            for other_kind, other_yes, _ in item.modals
        )
        if against and not agreed:
            return against[2]
    return None


def _denial_clash(said: Stance, known: Sequence[Stance]) -> int | None:
    """The clause that denies what is asserted, or asserts what is denied, in the same words."""
    for place, item in enumerate(known):
        if _LIMITED.search(item.text):
            continue  # it holds under a condition
        if _denies(item, said) and not any(_asserts(other, item, said) for other in known):
            return place
        if _denies(said, item) and not any(_denies(other, item) for other in known):
            return place
    return None


def _denies(one: Stance, other: Stance) -> bool:
    """Whether `one` denies words that `other` asserts."""
    for words in one.denied:
        for length in (4, 3, 2):
            part = words[:length]
            if len(part) == length and _asserted(part, other.text) and _telling(part, one, other):
                return True
    return False


def _telling(part: str, one: Stance, other: Stance) -> bool:
    """Whether words say enough to be held against each other: four characters, or fewer on one subject."""
    if part[:2] in _COMMON or not topics(part):
        return False
    shared = len((one.about & other.about) - topics(part))
    return len(part) >= 4 or shared >= 1 or len(other.text) <= SHORT


def _asserted(part: str, text: str) -> bool:
    places = [match.start() for match in re.finditer(re.escape(part), text)]
    return bool(places) and not any(_NEGATED.search(text[:start]) for start in places)


def _asserts(other: Stance, denial: Stance, said: Stance) -> bool:
    """Whether another clause of the evidence asserts what was denied: then both may be true, each of its own."""
    return other is not denial and any(
        _asserted(words[:length], other.text) and words[:length] in said.text
        for words in denial.denied
        for length in (4, 3, 2)
        if len(words) >= length
    )
