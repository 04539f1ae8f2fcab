"""Promises and amounts in a reply that nothing on record bears out: money back, months free, a price out of the air.

Exact and cautious: an amount that any entry, the agent's screen or the customer has named is no invention, nor
is one that is refused, asked about or only applied for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roleplay.clauses import Piece, is_question, sentences
from roleplay.dialogue import Exchange
from roleplay.facts import Quantity, quantities
from roleplay.numerals import numbers
from roleplay.reading import Claim

_GIVES = re.compile(
    r"退(?:还|给|您|回|你)|赔|补偿|补(?:您|你|给)|(?:送|赠)(?:您|你|给)?|减免|免(?:您|你|除|掉|收|了)?|返还?(?:您|你|给)?|抵扣|给(?:您|你).{0,6}(?:优惠|打折|券)|打.{0,2}折|"
    r"\brefund|\bcredit|\bcompensat|\bwaiv|\bgift|\bbonus|\bfree\b|\bback to you\b|\bgive you\b|\bhalf price\b|\boff your\b|\bdiscount",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"不(?:能|可|会|予|支持|再)|没(?:有|法|办法)|无法|无权|如果|申请|审核|核实|登记|最高|最多|"
    r"\b(?:can't|cannot|won't|not|no|if|apply|request|ask for|review|up to|unless)\b",
    re.IGNORECASE,
)
VALUABLE = ("money", "percent", "data", "duration")


@dataclass(frozen=True, slots=True)
class Invented:
    """An amount at `reply[start:end]` that nothing bears out. `promised`: the customer is to get it."""

    start: int
    end: int
    text: str
    promised: bool


def invented(exchange: Exchange, claims: Sequence[Claim]) -> Iterator[Invented]:
    """The amounts of a reply that are on no record, sentence by sentence."""
    known = _known(exchange)
    for piece in sentences(exchange.reply):
        if is_question(piece.text) or _REFUSES.search(piece.text):
            continue
        facts = [fact for fact in quantities(piece.text) if fact.kind in VALUABLE and fact.value]
        unknown = [fact for fact in facts if _is_unknown(fact, piece, claims, known)]
        gives = _GIVES.search(piece.text)
        worth = [fact for fact in unknown if fact.kind != "duration" or (gives and fact.unit == "month")]
        if not worth:
            continue
        if gives:
            start, end = _clause(piece, min(gives.start(), worth[0].start), max(gives.end(), worth[-1].end))
            yield Invented(start, end, exchange.reply[start:end], True)
        else:
            for fact in worth:
                if fact.kind == "money":
                    start, end = piece.start + fact.start, piece.start + fact.end
                    yield Invented(start, end, exchange.reply[start:end], False)


def _clause(piece: Piece, first: int, last: int) -> tuple[int, int]:
    """The words from `first` to `last` of a sentence, out to the commas around them; places in the whole reply."""
    marks = "，,；;。.！!"
    start = max((piece.text.rfind(mark, 0, first) for mark in marks), default=-1) + 1
    ends = [at for mark in marks if (at := piece.text.find(mark, last)) >= 0]
    end = min(ends, default=len(piece.text))
    start += len(piece.text[start:]) - len(piece.text[start:].lstrip())
    return piece.start + start, piece.start + end


def _is_unknown(fact: Quantity, piece: Piece, claims: Sequence[Claim], known: frozenset[float]) -> bool:
    """Whether a number stands nowhere, and the fact check found nothing that bears it out."""
    start, end = piece.start + fact.start, piece.start + fact.end
    own = [claim for claim in claims if claim.start < end and start < claim.end]
    if any(claim.verdict != "not_covered" for claim in own) or not own:
        return False
    return not any(number.value in known for number in numbers(fact.text))


def _known(exchange: Exchange) -> frozenset[float]:
    """Every number that an entry, the account or the call has named."""
    texts = [entry.text for entry in exchange.evidence] + [turn.text for turn in exchange.context]
    texts += [value for entry in exchange.evidence for _, value in entry.facts]
    return frozenset(number.value for text in texts for number in numbers(text))
