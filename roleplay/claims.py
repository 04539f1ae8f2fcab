"""What a reply states as fact, and what the evidence says of it. Pure, exact, milliseconds.

Numbers are compared through `facts`: a clause that speaks of what an evidence clause speaks of, with
another value, contradicts it. Permission and need ("can", "must") are compared where they govern the
same words. What the evidence does not speak of is *not covered*, which is not *wrong*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from roleplay.attributes import (
    alike,
    attribute,
    covered,
    free_of,
    later,
    needed,
    same_attribute,
    same_period,
    subject,
    takes_time,
)
from roleplay.clauses import Piece, clauses, is_question, sentences, topics
from roleplay.dialogue import Evidence, Exchange, Turn
from roleplay.facts import Quantity, quantities
from roleplay.numerals import numbers
from roleplay.polarity import Stance, clash, stance
from roleplay.reading import Claim, Told, Verdict
from roleplay.sums import follows, is_factor

_UNDERTAKING = re.compile(
    r"我(?:们)?(?:会|将|这就|马上|现在|立刻|立即|来|先|再|一定|明天|今天|稍后|即刻)*(?:为|给|帮|替|跟|向|陪)您|我(?:来|去|会|将|马上|这就)"
    r"|(?:请您?|麻烦您?)?稍(?:等|候)|等(?:您)?|守着|在线|回(?:您)?(?:电|话|复)|(?:给|跟)您(?:打|回)"
    r"|\b(?:I'll|I will|I'm going to|I am|I'm|let me|I can|we'll call|call you back|ring you back|bear with|hold)\b",
    re.IGNORECASE,
)
_LEAVES_UNDONE = re.compile(r"我(?!们)(?:就|先|也)?不(?:在|再|往|跟|给|多|念|说|报|问)[^，。；可能要须]*[，。；]?$")
_CHANGES = re.compile(
    r"不是|并非|原来|从前|以前|涨到|降到|改成|而是|\b(?:not|instead|used to|from|no longer)\b|n't\b", re.IGNORECASE
)
_GIFT = re.compile(
    r"送|赠|补偿|赔|减免|折|优惠|退|免|充|券|礼|credit|refund|free|discount|waive|compensat|gift|bonus", re.IGNORECASE
)
_ONE = re.compile(r"一|每|an?\b|one\b", re.IGNORECASE)
# Before the unit in which something is counted: "anything under 1 GB counts as 1 GB".
_COUNTS_AS = re.compile(
    r"(?:不满|不足|不到|没满|(?:也|都|就|GB?|个G)按|\b(?:under|counts? as|rounded up to))\s*$", re.IGNORECASE
)
FEW = 3  # words of a sentence from which it says itself what it is about


@dataclass(frozen=True, slots=True)
class _Known:
    """A clause of the evidence, with its typed facts. `around` is what the whole entry is about."""

    entry: Evidence
    text: str
    about: frozenset[str]
    around: frozenset[str]
    facts: tuple[Quantity, ...]
    stance: Stance


def check(reply: str, evidence: Sequence[Evidence], context: Sequence[Turn] = ()) -> tuple[Claim, ...]:
    """Every clause of the reply that states something, with the evidence's verdict on it."""
    known = [item for entry in evidence for item in _known(entry)]
    heard = [turn.text for turn in context if turn.speaker == "customer"]
    said = [fact for text in heard for fact in quantities(text)]
    own = [entry.text for entry in evidence if entry.id.startswith(("account.", "given."))]
    found: list[Claim] = []
    for sentence in sentences(reply):
        around = subject(sentence.text)
        if len(around) < FEW and heard:
            around |= subject(heard[-1])  # what is left out was named by the customer
        stated = _Stated(sentence.text, around, known, said, [*heard, *own])
        for clause in clauses(sentence):
            found.extend(_clause_claims(clause, is_question(sentence.text), stated))
    return tuple(found)


ASKS_FOR = (
    (
        "money",
        re.compile(r"多少钱|几块|多少元|收费|费用|怎么收|价|贵|钱|how much|cost|price|charge|pay|fee", re.IGNORECASE),
    ),
    ("duration", re.compile(r"多久|什么时候|几天|几时|多长|哪天|how long|when|how soon", re.IGNORECASE)),
    ("clock", re.compile(r"几点|什么时候|营业|what time|when|open", re.IGNORECASE)),
    ("date", re.compile(r"哪天|几号|什么时候|when|which day|what day", re.IGNORECASE)),
    ("when", re.compile(r"什么时候|多久|when|how soon", re.IGNORECASE)),
    ("data", re.compile(r"多少流量|几个G|多少G|how much data|gig", re.IGNORECASE)),
)


def about_question(claim: Claim, exchange: Exchange) -> bool:
    """Whether a claim is what the customer asked for, or the only thing that the reply states."""
    heard = exchange.heard_text
    kinds = {fact.kind for fact in quantities(claim.text)} or {"money"}
    if any(kind in kinds and pattern.search(heard) for kind, pattern in ASKS_FOR):
        return True
    return len(topics(claim.quote) & topics(heard)) >= 2 or claim.why == "polarity"


def told(reply: str, evidence: Sequence[Evidence], context: Sequence[Turn] = ()) -> tuple[Told, ...]:
    """The entries whose content the reply told rightly, and which of their named facts. A question tells nothing."""
    wrong = {claim.evidence_id for claim in check(reply, evidence, context) if claim.verdict == "contradicted"}
    stated = " ".join(piece.text for piece in sentences(reply) if not is_question(piece.text))
    facts, about = quantities(stated), topics(stated)
    found = []
    for entry in evidence:
        parts = [(name, text) for name, text in entry.facts] or [("", item.text) for item in _known(_body(entry))]
        share = [(name, tells(facts, about, text)) for name, text in parts]
        good = [name for name, whole in share if whole]
        if good and (entry.id not in wrong or len(good) > 1):
            found.append(Told(entry.id, tuple(name for name in good if name), len(good) / len(share)))
    return tuple(found)


def _body(entry: Evidence) -> Evidence:
    """A line of the account without its label: naming what it is about tells nothing of what it says."""
    _, mark, body = entry.text.partition(": ")
    return Evidence(entry.id, body) if mark and body and entry.of_account else entry


def tells(facts: Sequence[Quantity], about: frozenset[str], text: str) -> bool:
    """Whether the reply's facts and words hold what this piece of an entry says."""
    wanted, words = quantities(text), topics(text)
    if not all(any(fact.agrees(want) for fact in facts) for want in wanted if want.kind != "plan"):
        return False
    if not words:
        return bool(wanted)
    return len(words & about) / len(words) >= (0.2 if wanted else 0.5)


@lru_cache(maxsize=2048)  # the same entries are held against reply after reply
def _known(entry: Evidence) -> tuple[_Known, ...]:
    around = subject(f"{entry.question} {entry.text}")
    return tuple(
        _Known(entry, clause.text, subject(clause.text), around, quantities(clause.text), stance(clause.text))
        for text in (entry.text, *(text for _, text in entry.facts))
        for sentence in sentences(text)
        for clause in clauses(sentence)
    )


def _clause_claims(clause: Piece, asks: bool, stated: _Stated) -> Iterator[Claim]:
    facts = [fact for fact in quantities(clause.text) if fact.kind != "plan"]
    about = subject(clause.text)
    own = bool(_UNDERTAKING.search(clause.text)) and not _GIFT.search(clause.text)
    if asks:
        facts = [fact for fact in facts if fact.kind != "count"]  # "the last four characters, please?" counts nothing
    judged = [_judge(fact, clause, stated, own) for fact in facts]
    for fact, (verdict, item, why) in zip(facts, judged, strict=True):
        if fact.kind == "when" and verdict in ("not_covered", "opinion"):
            continue
        start = clause.start + fact.start
        quote, entry = (item.text, item.entry.id) if item else ("", "")
        yield Claim(start, clause.start + fact.end, fact.text, verdict, entry, quote, why)
    if any(verdict == "contradicted" for verdict, _, _ in judged):
        return
    against = (
        None
        if asks or _LEAVES_UNDONE.search(clause.text)
        else clash(stance(clause.text), [item.stance for item in stated.known])
    )
    if against is not None:
        item = stated.known[against]
        yield Claim(clause.start, clause.end, clause.text, "contradicted", item.entry.id, item.text, "polarity")
    elif not judged:
        yield from _wordy(clause, asks or own, about, stated.known)


def _wordy(clause: Piece, not_fact: bool, about: frozenset[str], known: Sequence[_Known]) -> Iterator[Claim]:
    """A clause without typed facts: supported where an evidence clause says mostly the same words."""
    if not about:
        return
    best = max(known, key=lambda item: len(item.about & about), default=None)
    shared = len(best.about & about) if best else 0
    if best and not not_fact and shared >= 2 and shared >= 0.4 * min(len(about), len(best.about)):
        yield Claim(clause.start, clause.end, clause.text, "supported", best.entry.id, best.text, "words")
    elif not_fact:
        yield Claim(clause.start, clause.end, clause.text, "opinion")


def _about_it(stated: _Stated, item: _Known) -> bool:
    """Whether an entry that a search has found is about what the sentence is about. What was given always is."""
    return not item.entry.question or covered(subject(stated.text), item.around)


@dataclass(frozen=True, slots=True)
class _Stated:
    """A sentence of the reply, and what may stand behind its amounts."""

    text: str
    around: frozenset[str]
    known: Sequence[_Known]
    said: Sequence[Quantity]
    counts: Sequence[str]  # texts whose bare numbers may be a number of pieces

    @property
    def amounts(self) -> list[tuple[str, Quantity]]:
        """Every known amount with the clause that it stands in."""
        return [(item.text, fact) for item in self.known for fact in item.facts]


def _judge(fact: Quantity, clause: Piece, stated: _Stated, own: bool) -> tuple[Verdict, _Known | None, str]:
    rivals = [
        (item, other) for item in stated.known for other in item.facts if fact.comparable(other) and alike(fact, other)
    ]
    here = attribute(clause.text, fact)
    about = subject(clause.text)

    def near(pair: tuple[_Known, Quantity]) -> float:
        item, other = pair
        shared = 2 * len(item.about & about) + len(attribute(item.text, other) & here)
        return shared + 0.5 * len(item.around & stated.around) + 0.2 * len(item.around & about)

    agreeing = [pair for pair in rivals if fact.agrees(pair[1])]
    agreeing = agreeing or [(item, other) for item in stated.known for other in item.facts if _names_plan(fact, other)]
    paid = max((pair for pair in rivals if pair[1].value), key=near, default=None)
    if agreeing:
        closest = max(agreeing, key=near)
        done = free_of(clause.text, fact)
        free = fact.kind == "money" and not fact.value
        if free and paid and near(paid) > near(closest) + 1 and (not done or done & paid[0].about):
            return "contradicted", paid[0], f"{fact.text} / {paid[1].text}"  # free, but only on a condition
        return "supported", closest[0], "value"
    if any(fact.agrees(other) or _names_plan(fact, other) for other in stated.said):
        return "opinion", None, "said by the customer"
    if fact.kind in ("duration", "clock", "when", "date") and (own or takes_time(clause.text, fact)):
        late = max((pair for pair in rivals if later(clause.text, fact, pair[0].text, pair[1])), key=near, default=None)
        if late is None:
            return "opinion", None, "own undertaking"
        return "contradicted", late[0], f"{fact.text} / {late[1].text}"
    if follows(fact, stated.text, stated.amounts, stated.said, stated.counts):
        return "supported", None, "computed"
    if is_factor(fact, stated.text, stated.amounts):
        return "opinion", None, "the number of pieces in a sum"
    if fact.kind == "count" and any(
        fact.value == number.value for item in stated.known for number in numbers(item.text)
    ):
        return "opinion", None, "the number is known, what it counts is not named"
    written = {number.value for number in numbers(fact.text)}
    if any(number in written for item in stated.known for number in _bare(item)):
        return "opinion", None, "the number is known, and in what it is counted is left out there"
    if fact.kind == "data" and fact.value in (1, 1024) and _COUNTS_AS.search(clause.text[: fact.start]):
        return "opinion", None, "the unit in which something is counted"
    if fact.kind in ("duration", "count") and _ONE.match(fact.text):
        return "opinion", None, "says how often or which one, not how many"
    if not rivals:
        return "not_covered", None, "nothing of this kind is known"
    rivals = [pair for pair in rivals if same_period(fact, pair[0].text, pair[1])]
    if not rivals:
        return "not_covered", None, "nothing is known that is paid so often"
    best = max(rivals, key=lambda pair: near(pair) - needed(fact, pair[1]))
    if best[0].entry.question and best[1].text not in clause.text and _listed_beside(best[1], fact, clause, stated):
        # of an article of the knowledge base, beside which there are others; a list of prices names them all
        return "not_covered", None, "what is known is said beside it, and this is of something else"
    alone = all(other.agrees(rivals[0][1]) for _, other in rivals)
    if (
        _about_it(stated, best[0])
        and near(best) >= needed(fact, best[1], alone)
        and same_attribute(clause.text, fact, best[0].text, best[1], alone)
    ):
        return "contradicted", best[0], f"{fact.text} / {best[1].text}"
    return "not_covered", None, "nothing about this is known"


def _listed_beside(known: Quantity, fact: Quantity, clause: Piece, stated: _Stated) -> bool:
    """Whether another clause of the sentence says what is known, and neither denies it nor tells of a change."""
    changes = _CHANGES.search(stated.text)
    return not changes and any(
        other.agrees(known) for other in quantities(stated.text.replace(clause.text, "", 1)) if not other.agrees(fact)
    )


def _bare(item: _Known) -> Iterator[object]:
    """The numbers of a clause that are no part of a typed fact: "59 yuan gives 20 GB and 200"."""
    for number in numbers(item.text):
        if not any(fact.start <= number.start < fact.end for fact in item.facts):
            yield number.value


def _names_plan(fact: Quantity, other: Quantity) -> bool:
    """Whether an amount is only the name of a plan: "the £38 plan", "from S$58 to S$38"."""
    return fact.kind == "money" and other.kind == "plan" and not fact.per and fact.value == other.value
