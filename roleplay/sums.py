"""Whether a stated amount follows from known ones: a price times pieces, a total, a difference.

An operation counts only where its operands are known or said and something shows that it was meant: the
number of pieces is named, or a word such as "in all" or "left" stands by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from roleplay.facts import Quantity, quantities
from roleplay.numerals import numbers

_TOTAL = re.compile(
    r"共|合计|总|加|一起|连|折合|相当|\btotal\b|\baltogether\b|\bin all\b|\bcomes? to\b|\bplus\b|\bboth\b|\bmakes?\b",
    re.I,
)
_DIFFERENCE = re.compile(
    r"差|省|多|少|剩|余|补|退|扣|减|抵|欠|还(?:有|要)|涨|降|超|找|"
    r"\bsav|\bless\b|\bmore\b|\bleft\b|\bremain|\bdifferen|\bback\b|\boff\b|\bover\b|\bcheaper\b|\bowed?\b|\brefund|\bextra\b",
    re.IGNORECASE,
)
_OF_PRICES = re.compile(
    r"共|合计|总|减|降|优惠|折|加|\btotal\b|\baltogether\b|\bin all\b|\boff\b|\bless\b|\bplus\b|\bboth\b", re.I
)


def follows(
    fact: Quantity,
    sentence: str,
    known: Sequence[tuple[str, Quantity]],
    said: Sequence[Quantity],
    counts: Sequence[str],
) -> bool:
    """Whether `fact`, stated in `sentence`, follows from amounts that were said or are known (each with its clause).

    `counts` are the texts whose bare numbers may be a number of pieces: what was said, and the account.
    """
    if isinstance(fact.value, str) or fact.kind not in ("money", "duration", "count", "data") or not fact.value:
        return False
    wanted, rest = float(fact.value), sentence.replace(fact.text, " ")
    if fact.per and not _OF_PRICES.search(rest):
        return False  # so much a day is a price, not a sum
    values = {float(other.value): text for text, other in known if other.kind in (fact.kind, "plan") and other.value}
    own = {number.value for number in numbers(rest)}
    near = {number.value for text in counts for number in numbers(text)}
    near |= own | {float(other.value) for other in said if other.kind == fact.kind}
    found = _products(values, own | near) if fact.kind == "money" else set()
    if _TOTAL.search(rest) and (fact.kind == "money" or near & set(values)):
        found |= {a + b for a in (*values, *found) for b in values if a != b}
        found |= {a + b for a in found for b in values} if fact.kind == "money" else set()
    if _DIFFERENCE.search(rest) or (fact.kind == "money" and len(own & set(values)) >= 2):
        found |= {abs(a - b) for a in (*values, *found, *near) for b in (values if a in near else near) if a != b}
    if fact.kind == "money":
        found |= {a - b for b, text in values.items() if _DIFFERENCE.search(text) for a in near}
    return wanted not in values and any(abs(wanted - value) < 0.005 for value in found)


def is_factor(fact: Quantity, sentence: str, known: Sequence[tuple[str, Quantity]]) -> bool:
    """Whether `fact` is how many pieces a sum of the sentence is reckoned for: "twelve days would come to 336 yuan"."""
    if fact.kind not in ("duration", "count"):
        return False
    prices = {float(other.value) for _, other in known if other.kind == "money" and other.value}
    totals = {float(other.value) for other in quantities(sentence) if other.kind == "money"}
    pieces = [float(number.value) for number in numbers(fact.text) if number.value > 1]
    return any(abs(price * piece - total) < 0.005 for price in prices for piece in pieces for total in totals)


def _products(values: Mapping[float, str], pieces: set[float]) -> set[float]:
    """Prices times pieces, shared out, by a percentage, and by the hundred where the clause counts in hundreds."""
    found = {a * b for a in values for b in pieces if b > 1} | {a / b for a in values for b in pieces if b > 1}
    found |= {a * share / 100 for a in values for b in pieces if b < 100 for share in (b, 100 - b)}
    for a, text in values.items():
        found |= {a * b / each.value for each in numbers(text) if each.value > 1 for b in pieces}
    return found
