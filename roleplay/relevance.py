"""How far a reply is about what this customer called about: numbers for the grader's small model.

An excellent reply of another call, an aside, a string of sympathy that would fit anybody: each is fluent and
civil, and none of it takes up what was said. Words are compared by how rare they are, so that "your phone" in
both says little and "the funeral on Friday" much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from roleplay.clauses import Piece, is_question, sentences, topics
from roleplay.dialogue import Evidence, Exchange
from roleplay.lines import alike

CARE = re.compile(
    r"难怪|难免|理解|体会|体谅|辛苦|不容易|着急|担心|放心|别急|别怕|换(?:了)?(?:谁|我)|搁谁|心里|滋味|恭喜|祝|委屈|不好受|糟心|心疼|安心|"
    r"\bno wonder\b|\bunderstand\b|\bmust be\b|\bmust have been\b|\bworry(?:ing)?\b|\bfrustrat|\bhow (?:awful|lovely|dreadful|upsetting)"
    r"|\bsorry (?:to hear|about|that|for your)|\bcongratulations\b|\balarming\b|\bdreadful\b|\bpoor\b|\bdeserve", re.I,
)  # fmt: skip
LONG = 4  # words that say something, from which a sentence is about something


def relevance(exchange: Exchange, evidence: Sequence[Evidence]) -> dict[str, float]:
    """`evidence` is what bears on the reply. Shares are 0 to 1; likeness is 0 to 1 and seldom above 0.5."""
    language, reply = exchange.language, exchange.reply
    heard = exchange.heard_text
    said, known = _said(exchange), _known(evidence)
    matter, own = topics(said) | topics(known), topics(said)
    pieces = [piece for piece in sentences(reply) if topics(piece.text)]
    off = [piece for piece in pieces if _is_off(piece, matter)]
    care = [piece for piece in pieces if CARE.search(piece.text)]
    specific = [piece for piece in care if topics(piece.text) & own]
    length = sum(len(piece.text) for piece in pieces) or 1
    return {
        "fit.heard": alike(language, reply, heard),
        "fit.said": alike(language, reply, said),
        "fit.known": alike(language, reply, known),
        "fit.best": max((alike(language, piece.text, said) for piece in pieces), default=0.0),
        "fit.pieces": sum(bool(topics(piece.text) & matter) for piece in pieces) / (len(pieces) or 1),
        "fit.words": len(topics(reply) & matter) / (len(topics(reply)) or 1),
        "off.share": sum(len(piece.text) for piece in off) / length,
        "off.most": math.sqrt(max((len(topics(piece.text)) for piece in off), default=0)),
        "care.specific": math.sqrt(len(specific)),
        "care.formula": float(min(len(care) - len(specific), 1)),
    }


def _said(exchange: Exchange) -> str:
    return " ".join(turn.text for turn in exchange.context if turn.speaker == "customer")


def _known(evidence: Sequence[Evidence]) -> str:
    return " ".join(f"{entry.question} {entry.text}" for entry in evidence)


def _is_off(piece: Piece, matter: frozenset[str]) -> bool:
    about = topics(piece.text)
    return len(about) >= LONG and not about & matter and not is_question(piece.text)
