"""What a reply states as fact, and what the evidence says of it. Pure, exact, milliseconds.

Numbers are compared through `facts`: a clause that speaks of what an evidence clause speaks of, with
another value, contradicts it. Permission and need ("can", "must") are compared where they govern the
same words. What the evidence does not speak of is *not covered*, which is not *wrong*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roleplay.clauses import Piece, clauses, is_question, sentences, topics, units
from roleplay.dialogue import Evidence, Exchange, Turn
from roleplay.facts import Quantity, quantities
from roleplay.numerals import numbers
from roleplay.reading import Claim, Told, Verdict

_UNDERTAKING = re.compile(
    r"我(?:们)?(?:会|将|这就|马上|现在|立刻|立即|来|先|再|一定|明天|今天|稍后|即刻)*(?:为|给|帮|替|跟|向|陪)您|我(?:来|去|会|将|马上|这就)"
    r"|(?:请您?|麻烦您?)?稍(?:等|候)|等(?:您)?|守着|在线|回(?:您)?(?:电|话|复)|(?:给|跟)您(?:打|回)"
    r"|\b(?:I'll|I will|I'm going to|I am|I'm|let me|I can|we'll call|call you back|ring you back|bear with|hold)\b",
    re.IGNORECASE,
)
_GIFT = re.compile(
    r"送|赠|补偿|赔|减免|折|优惠|退|免|充|券|礼|credit|refund|free|discount|waive|compensat|gift|bonus", re.IGNORECASE
)
_ONE = re.compile(r"一|每|an?\b|one\b", re.IGNORECASE)
_MODALS: tuple[tuple[str, bool, re.Pattern[str]], ...] = (
    ("may", False, re.compile(r"不可以|不可|不能够?|无法|没法|不支持|不允许|不得|不准|不予|不再|不受理|\bcan(?:no|')t\b|\bcannot\b|\bmay not\b")),
    ("may", True, re.compile(r"可以|(?<![不许认])可(?!能|是|惜|靠)|(?<![不可])能(?!够?不|力|量)|支持|允许|\bcan\b(?!not|'t)|\bmay\b(?! not)")),
    ("must", False, re.compile(r"无须|无需|不用|不必|不需要?|不须|免去|\bneedn't\b|\b(?:don't|doesn't|do not|does not) (?:need|have)\b|\bno need\b")),
    ("must", True, re.compile(r"(?<![不无])(?:必须|需要|须|需|得先)|\bmust\b|\bneeds? to\b|\bhave to\b|\b(?:are|is) (?:needed|required)\b|\bonly\b")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """A clause of the evidence, with its typed facts. `around` is what the whole entry is about."""

    entry: Evidence
    text: str
    about: frozenset[str]
    around: frozenset[str]
    facts: tuple[Quantity, ...]
    modals: tuple[tuple[str, bool, frozenset[str]], ...]


def check(reply: str, evidence: Sequence[Evidence], context: Sequence[Turn] = ()) -> tuple[Claim, ...]:
    """Every clause of the reply that states something, with the evidence's verdict on it."""
    known = [item for entry in evidence for item in _known(entry)]
    said = [fact for turn in context if turn.speaker == "customer" for fact in quantities(turn.text)]
    found: list[Claim] = []
    for sentence in sentences(reply):
        asks = is_question(sentence.text)
        around = topics(sentence.text)
        for clause in clauses(sentence):
            found.extend(_clause_claims(clause, asks, around, known, said))
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
    heard = exchange.heard.text if exchange.heard else ""
    kinds = {fact.kind for fact in quantities(claim.text)} or {"money"}
    if any(kind in kinds and pattern.search(heard) for kind, pattern in ASKS_FOR):
        return True
    return len(topics(claim.quote) & topics(heard)) >= 2 or claim.why == "polarity"


def told(reply: str, evidence: Sequence[Evidence], context: Sequence[Turn] = ()) -> tuple[Told, ...]:
    """The entries whose content the reply told rightly, and which of their named facts."""
    wrong = {claim.evidence_id for claim in check(reply, evidence, context) if claim.verdict == "contradicted"}
    facts, about = quantities(reply), topics(reply)
    found = []
    for entry in evidence:
        parts = [(name, text) for name, text in entry.facts] or [("", item.text) for item in _known(entry)]
        share = [(name, tells(facts, about, text)) for name, text in parts]
        good = [name for name, whole in share if whole]
        if good and (entry.id not in wrong or len(good) > 1):
            found.append(Told(entry.id, tuple(name for name in good if name), len(good) / len(share)))
    return tuple(found)


def tells(facts: Sequence[Quantity], about: frozenset[str], text: str) -> bool:
    """Whether the reply's facts and words hold what this piece of an entry says."""
    wanted, words = quantities(text), topics(text)
    if not all(any(fact.agrees(want) for fact in facts) for want in wanted if want.kind != "plan"):
        return False
    if not words:
        return bool(wanted)
    return len(words & about) / len(words) >= (0.2 if wanted else 0.5)


def _known(entry: Evidence) -> Iterator[_Known]:
    whole = topics(f"{entry.question} {entry.text}")
    for text in (entry.text, *(text for _, text in entry.facts)):
        for sentence in sentences(text):
            around = whole
            for clause in clauses(sentence):
                modals = tuple(_modals(clause.text))
                yield _Known(entry, clause.text, topics(clause.text), around, quantities(clause.text), modals)


def _clause_claims(
    clause: Piece, asks: bool, around: frozenset[str], known: Sequence[_Known], said: Sequence[Quantity]
) -> Iterator[Claim]:
    facts = [fact for fact in quantities(clause.text) if fact.kind != "plan"]
    about = topics(clause.text)
    own = bool(_UNDERTAKING.search(clause.text)) and not _GIFT.search(clause.text)
    judged = [_judge(fact, clause.text, about, around, known, said, own) for fact in facts]
    for fact, (verdict, item, why) in zip(facts, judged, strict=True):
        if fact.kind == "when" and verdict in ("not_covered", "opinion"):
            continue
        start = clause.start + fact.start
        quote, entry = (item.text, item.entry.id) if item else ("", "")
        yield Claim(start, clause.start + fact.end, fact.text, verdict, entry, quote, why)
    if any(verdict == "contradicted" for verdict, _, _ in judged):
        return
    if (clash := _clash(clause.text, known)) and not asks:
        yield Claim(clause.start, clause.end, clause.text, "contradicted", clash.entry.id, clash.text, "polarity")
    elif not judged:
        yield from _wordy(clause, asks or own, about, known)


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


def _judge(
    fact: Quantity,
    clause: str,
    about: frozenset[str],
    around: frozenset[str],
    known: Sequence[_Known],
    said: Sequence[Quantity],
    own: bool,
) -> tuple[Verdict, _Known | None, str]:
    rivals = [(item, other) for item in known for other in item.facts if fact.comparable(other) and _alike(fact, other)]

    def near(pair: tuple[_Known, Quantity]) -> float:
        item = pair[0]
        return 2 * len(item.about & about) + 0.5 * len(item.around & around) + 0.2 * len(item.around & about)

    agreeing = [pair for pair in rivals if fact.agrees(pair[1])]
    agreeing = agreeing or [(item, other) for item in known for other in item.facts if _names_plan(fact, other)]
    if agreeing:
        closest = max(agreeing, key=near)
        paid = max((pair for pair in rivals if pair[1].value), key=near, default=None)
        if fact.kind == "money" and not fact.value and paid and near(paid) > near(closest) + 1:
            return "contradicted", paid[0], f"{fact.text} / {paid[1].text}"  # free, but only on a condition
        return "supported", closest[0], "value"
    if any(fact.agrees(other) or _names_plan(fact, other) for other in said):
        return "opinion", None, "said by the customer"
    if own and fact.kind in ("duration", "clock", "when", "date"):
        return "opinion", None, "own undertaking"
    if fact.kind in ("money", "duration", "count") and _computed(fact, clause, known, said):
        return "supported", None, "computed"
    if fact.kind == "count" and any(fact.value == number.value for item in known for number in numbers(item.text)):
        return "opinion", None, "the number is known, what it counts is not named"
    if fact.kind == "duration" and _ONE.match(fact.text):
        return "opinion", None, "says how often, not how long"
    if not rivals:
        return "not_covered", None, "nothing of this kind is known"
    best = max(rivals, key=near)
    same = all(other.agrees(rivals[0][1]) for _, other in rivals)
    alone = same and fact.kind in ("money", "data", "speed", "duration", "percent") and fact.value
    needed = 3.0 if fact.kind == "when" else 0.0 if alone else 1.0
    if near(best) >= needed:
        return "contradicted", best[0], f"{fact.text} / {best[1].text}"
    return "not_covered", None, "nothing about this is known"


def _computed(fact: Quantity, clause: str, known: Sequence[_Known], said: Sequence[Quantity]) -> bool:
    """Whether a value follows from known ones: a sum, a difference, a price times days or pieces."""
    alike = [*(other for item in known for other in item.facts), *said]
    values = {float(other.value) for other in alike if other.kind in (fact.kind, "plan") and _numeric(other)}
    times = {number.value for text in (clause, *(item.text for item in known)) for number in numbers(text)}
    pairs = {a + b for a in values for b in values if a != b} | {abs(a - b) for a in values for b in values}
    if fact.kind == "money":
        parts = values | {a * b for a in values for b in times} | {a / b for a in values for b in times if b > 1}
        pairs |= parts | {abs(a - b) for a in parts for b in values if a != b} | {a + b for a in pairs for b in values}
        pairs |= {abs(a + b - c) for a in values for b in values for c in values if len({a, b, c}) == 3}
    wanted = float(fact.value)
    return wanted > 0 and wanted not in values and any(abs(wanted - value) < 0.005 for value in pairs)


def _alike(fact: Quantity, other: Quantity) -> bool:
    """Codes are compared with codes of the same make only: digits, letters, or dialled."""
    if fact.kind != "code":
        return True
    return [str(fact.value)[0].isalpha(), str(fact.value)[0] in "*#"] == [
        str(other.value)[0].isalpha(),
        str(other.value)[0] in "*#",
    ]


def _names_plan(fact: Quantity, other: Quantity) -> bool:
    """Whether an amount is only the name of a plan: "the £38 plan", "from S$58 to S$38"."""
    return fact.kind == "money" and other.kind == "plan" and not fact.per and fact.value == other.value


def _numeric(fact: Quantity) -> bool:
    return not isinstance(fact.value, str)


def _modals(text: str) -> Iterator[tuple[str, bool, frozenset[str]]]:
    """What a clause allows or demands: (may or must, yes or no, the words governed)."""
    taken: list[tuple[int, int]] = []
    for kind, yes, pattern in _MODALS:
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                taken.append(match.span())
                yield kind, yes, topics(text[match.end() : match.end() + (6 if text[0] > "\u2fff" else 24)])


def _clash(text: str, known: Sequence[_Known]) -> _Known | None:
    """The evidence clause that allows what this clause forbids, or the other way round, if there is one.

    None when another clause of the evidence speaks of the same and agrees.
    """
    if re.search(r"\bonly\b|只有|除非|才", text, re.IGNORECASE):
        return None
    for kind, yes, words in _modals(text):
        alike = [
            (len(words & other_words), yes == other_yes, item)
            for item in known
            for other_kind, other_yes, other_words in item.modals
            if kind == other_kind and words & other_words
        ]
        against = max((pair for pair in alike if not pair[1]), key=lambda pair: pair[0], default=None)
        agreed = any(
            other_yes == yes and kind == other_kind and len(units(text) & units(item.text)) >= 2
            for item in known
            for other_kind, other_yes, _ in item.modals
        )
        if against and not agreed:
            return against[2]
    return None
