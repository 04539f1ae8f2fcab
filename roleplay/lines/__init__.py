"""Hand-written customer lines, and which of them this customer could say now.

Each line carries what it presupposes (`claims`, see README.md here) and slots to be filled from the
customer's facts. A line whose claims this persona does not hold, or whose slots nothing told so far
can fill, is never proposed.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from roleplay.dialogue import Feeling
from roleplay.persona import Line, Persona

FOLDER = Path(__file__).parent
FILES = {"zh-CN": ("zh.jsonl", "zh2.jsonl", "zh3.jsonl"), "en": ("en.jsonl", "en2.jsonl")}
# Tempers that are heard at once: their lines are only for people of that temper.
DISTINCTIVE = ("joking", "sarcastic", "shy", "entitled", "bargaining", "sad", "suspicious", "busy")
UNSEEN = 7.0  # rarity of a piece that no corpus line holds
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class CorpusLine:
    """One line of the files here; `feeling` is the mood in which it is said, `after` the moves it answers."""

    id: str
    act: str
    temper: str
    dialect: str
    strength: int
    feeling: Feeling
    topic: str
    after: frozenset[str]
    text: str
    gloss: str
    claims: frozenset[str]


@lru_cache(maxsize=2)
def corpus_lines(language: str) -> tuple[CorpusLine, ...]:
    """All lines of one language, in file order."""
    lines = []
    for name in FILES[language]:
        for row in (FOLDER / name).read_text(encoding="utf-8").splitlines():
            data = json.loads(row)
            lines.append(
                CorpusLine(
                    data["id"],
                    data["act"],
                    data["temper"],
                    data["dialect"],
                    data["strength"],
                    Feeling(data["anger"], data["confusion"], data["trust"]),
                    data["topic"],
                    frozenset(data["after"]),
                    data["text"],
                    data.get("gloss", ""),
                    frozenset(data["claims"]),
                )
            )
    return tuple(lines)


def held_claims(persona: Persona) -> frozenset[str]:
    """What lines may presuppose of this person: its own claims, and those that follow from age and gender."""
    who = persona.who
    age = {"age:young"} if who.age < 30 else {"age:adult", "age:elder"} if who.age >= 60 else {"age:adult"}
    if who.age < 18:
        age = {"age:child"}
    return frozenset({f"gender:{who.gender}", *age, *who.claims})


def fitting(
    persona: Persona,
    act: str,
    feeling: Feeling,
    moves: Iterable[str],
    slots: Mapping[str, str],
    standard: bool = False,
    limit: int = 12,
) -> list[Line]:
    """The `limit` lines that fit best: same act and dialect, nothing presupposed that does not hold.

    `slots` are values of facts told so far; `standard` asks for lines in standard language.
    """
    speech, held, done = persona.who.speech, held_claims(persona), set(moves)
    dialect = "none" if standard or speech.strength == 0 else speech.dialect
    ranked: list[tuple[float, str, Line]] = []
    for line in corpus_lines(persona.language):
        if line.act != act or line.dialect != dialect or not line.claims <= held:
            continue
        if line.topic != "general" and line.topic not in persona.topics:
            continue
        if line.temper in DISTINCTIVE and line.temper != speech.temper:
            continue
        if dialect != "none" and abs(line.strength - speech.strength) > 1:
            continue
        if not set(SLOT.findall(line.text)) <= slots.keys():
            continue
        away = abs(line.feeling.anger - feeling.anger) + 0.5 * abs(line.feeling.trust - feeling.trust)
        if abs(line.feeling.anger - feeling.anger) > 1.5:
            continue
        rank = away + 0.5 * abs(line.feeling.confusion - feeling.confusion)
        rank -= 1.0 * bool(line.after & done) + 0.8 * (line.temper == speech.temper) + 0.8 * (line.topic != "general")
        text, gloss = (SLOT.sub(lambda slot: slots[slot[1]], each) for each in (line.text, line.gloss))
        ranked.append((rank, line.id, Line(text=text, gloss=gloss)))
    return [line for _, _, line in sorted(ranked, key=lambda item: item[:2])[:limit]]


def echo(language: str, line: str, heard: str) -> float:
    """How far a line takes up words of what was just said: rare ones count more, long lines do not win by length.

    0 for nothing in common. Pairs of characters in Chinese, words in English; rarity as in the corpus lines.
    """
    pieces = pieces_of(language, line)
    return _weight(language, pieces & pieces_of(language, heard)) / math.sqrt(max(1, len(pieces)))


def common(language: str, one: str, two: str) -> float:
    """The rarity of all that two texts have in common; 0 for nothing."""
    return _weight(language, pieces_of(language, one) & pieces_of(language, two))


def alike(language: str, one: str, two: str) -> float:
    """The rarity of what two texts share, against that of all they say: 0 to 1."""
    first, second = pieces_of(language, one), pieces_of(language, two)
    both = _weight(language, first) * _weight(language, second)
    return _weight(language, first & second) / math.sqrt(both) if both else 0.0


def _weight(language: str, pieces: frozenset[str]) -> float:
    rare = rarity_of_pieces(language)
    return sum(rare.get(piece, UNSEEN) for piece in pieces)


@lru_cache(maxsize=2**15)
def pieces_of(language: str, text: str) -> frozenset[str]:
    if language == "en":
        return frozenset(re.findall(r"[a-z']+", text.lower()))
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    return frozenset(run[at : at + 2] for run in runs for at in range(len(run) - 1))


@lru_cache(maxsize=2)
def rarity_of_pieces(language: str) -> dict[str, float]:
    return rarity(language, lambda line: pieces_of(language, line.text))


def rarity(language: str, pieces: Callable[[CorpusLine], frozenset[str]]) -> dict[str, float]:
    """For each of the pieces that the corpus lines are cut into: logarithm of all lines to those that hold it."""
    lines = corpus_lines(language)
    counts = Counter(piece for line in lines for piece in pieces(line))
    return {piece: math.log(len(lines) / count) for piece, count in counts.items()}
