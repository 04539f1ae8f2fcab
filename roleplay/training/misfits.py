"""Replies that do not fit, made from graded ones: good in their own context, and set into another.

Nobody writes them by themselves, and yet a grader has to know them: sympathy that does not fit is not above 3.
No score is learnt from them, only how to tell them from replies that fit.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from roleplay.clauses import topics
from roleplay.graded import GradedReply

MARK = "misfit:"  # before the ids of made rows
EVERY = 4  # one in so many contexts is answered by a stranger


def misfits(rows: Sequence[GradedReply], seed: int = 0) -> list[GradedReply]:
    """Strangers from the replies that were written to be compared; grouped with where their words are from."""
    draw = random.Random(seed)
    own = [row for row in rows if row.exchange.stage and row.exchange.context]
    made: list[GradedReply] = []
    for language in sorted({row.exchange.language for row in own}):
        mine = [row for row in own if row.exchange.language == language]
        good = [row for row in mine if (row.scores.get("empathy") or 0) >= 4]
        for row in draw.sample(mine, len(mine) // EVERY):
            other = draw.choice(good)
            if other.group != row.group and not _shared(row, other.exchange.reply):
                made.append(_stranger(row, other))
    return made


def _shared(row: GradedReply, text: str) -> bool:
    """Whether a text has more than a word or two in common with the matter of a row."""
    exchange = row.exchange
    matter = " ".join([*(turn.text for turn in exchange.context), *(entry.text for entry in exchange.evidence)])
    return len(topics(matter) & topics(text)) > 2


def _stranger(row: GradedReply, other: GradedReply) -> GradedReply:
    exchange = replace(row.exchange, reply=other.exchange.reply)
    return GradedReply(f"{MARK}{row.id}:{other.id}", exchange, {}, other.moves, other.group)
