"""The project's own texts, read into values, and which of them a model may learn from.

Chinese punctuation is brought to full-width marks on reading. `split_of` is the one place that
decides what is held out: every recipe and every measurement asks it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from roleplay.dialogue import Act, Dialect, Direction, Ending, Evidence, Exchange, Feeling, Language, Speaker, Temper
from roleplay.dialogue import Turn as SpokenTurn
from roleplay.graded import GradedReply, read_graded
from roleplay.rubric import Dimension

FOLDER = Path(__file__).parent / "corpus"
Split = Literal["train", "validation", "test"]

_FULL = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；", "(": "（", ")": "）"}
_HALF_MARK = re.compile(r"(?<=[\u4e00-\u9fff”’）])[,?!:;()]|[,?!:;()](?=[\u4e00-\u9fff“‘（])")
_HALF_STOP = re.compile(r"(?<=[\u4e00-\u9fff”’）])\.(?![\w.])")


def full_width(text: str) -> str:
    """Bring the marks beside Chinese characters to full width; marks inside numbers and English stay."""
    return _HALF_STOP.sub("。", _HALF_MARK.sub(lambda found: _FULL[found[0]], text))


def split_of(identifier: str) -> Split:
    """Where a call (by id) or a reply (by its context's id) belongs: 75 % train, 10 % validation, 15 % test."""
    bucket = int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:4], "big") % 20
    return "test" if bucket < 3 else "validation" if bucket < 5 else "train"


@dataclass(frozen=True, slots=True)
class AnnotatedTurn:
    """One turn of a call, with what docs/calls.md annotates: moves and scores for the trainee's turns,
    act, feeling and the facts told for the customer's."""

    speaker: Speaker
    text: str
    moves: tuple[str, ...] = ()
    scores: Mapping[Dimension, float | None] | None = None
    act: Act | None = None
    feeling: Feeling | None = None
    reveals: tuple[str, ...] = ()
    gloss: str = ""


@dataclass(frozen=True, slots=True)
class AnnotatedCall:
    id: str
    language: Language
    direction: Direction
    name: str
    age: int
    temper: Temper
    dialect: Dialect
    strength: int
    problem: str
    facts: Mapping[str, str]
    evidence: tuple[str, ...]
    turns: tuple[AnnotatedTurn, ...]
    ending: Ending


def load_calls(folder: Path = FOLDER / "calls") -> tuple[AnnotatedCall, ...]:
    """All annotated calls, in the order of the files' names."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines() if line]
    return tuple(_call(json.loads(line)) for line in lines)


def load_replies(folder: Path = FOLDER / "replies") -> tuple[GradedReply, ...]:
    """All replies written to be compared; `group` is the context that several of them share."""
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in read_graded(path)]
    return tuple(replace(row, exchange=_tidy(row.exchange)) for row in rows)


def graded_turns(call: AnnotatedCall) -> tuple[GradedReply, ...]:
    """The trainee's turns of a call as graded replies, each with all turns before it as context."""
    evidence = tuple(Evidence(f"given.{n}", text) for n, text in enumerate(call.evidence, 1))
    rows = []
    for index, turn in enumerate(call.turns):
        if turn.speaker == "trainee" and turn.scores is not None:
            context = tuple(SpokenTurn(old.speaker, old.text, old.gloss, old.act) for old in call.turns[:index])
            exchange = Exchange(call.language, context, turn.text, evidence, None, call.direction)
            rows.append(GradedReply(f"{call.id}.{index}", exchange, turn.scores, turn.moves, call.id))
    return tuple(rows)


def _call(data: Mapping[str, Any]) -> AnnotatedCall:
    tidy = full_width if data["language"] == "zh-CN" else str
    who = data["customer"]
    return AnnotatedCall(
        id=data["id"],
        language=data["language"],
        direction=data["direction"],
        name=who["name"],
        age=who["age"],
        temper=who["temper"],
        dialect=who.get("dialect", "none"),
        strength=who.get("strength", 0),
        problem=data["problem"],
        facts={name: tidy(text) for name, text in data["facts"].items()},
        evidence=tuple(tidy(text) for text in data["evidence"]),
        turns=tuple(_turn(turn, tidy) for turn in data["turns"]),
        ending=data["ending"],
    )


def _turn(data: Mapping[str, Any], tidy: Any) -> AnnotatedTurn:
    feeling = data.get("feeling")
    return AnnotatedTurn(
        speaker=data["speaker"],
        text=tidy(data["text"]),
        moves=tuple(data.get("moves", ())),
        scores=data.get("scores"),
        act=data.get("act"),
        feeling=None if feeling is None else Feeling(**feeling),
        reveals=tuple(data.get("reveals", ())),
        gloss=tidy(data.get("gloss", "")),
    )


def _tidy(exchange: Exchange) -> Exchange:
    if exchange.language != "zh-CN":
        return exchange
    return replace(
        exchange,
        context=tuple(replace(turn, text=full_width(turn.text)) for turn in exchange.context),
        reply=full_width(exchange.reply),
        evidence=tuple(replace(piece, text=full_width(piece.text)) for piece in exchange.evidence),
    )
