"""Graded replies: one JSON object a line, in the format of docs/rubric.md.

Used to grade a file, to calibrate a grader, to measure one, and to train the bundled reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from roleplay.dialogue import MOVES, STAGES, Direction, Evidence, Exchange, Language, Stage, Turn
from roleplay.errors import Fault, FileFault
from roleplay.rubric import DIMENSIONS, Dimension

LANGUAGES: tuple[str, ...] = get_args(Language)
SPEAKERS: tuple[str, ...] = ("customer", "trainee")

# The rubric's table names stages in words; some rows of it hold two of the program's stages.
STAGE_WORDS: Mapping[str, Stage] = {
    "finding out": "finding_out",
    "holding or transferring": "holding",
    "cannot hear": "cannot_hear",
    "cannot hear, dialect, silence": "cannot_hear",
}


@dataclass(frozen=True, slots=True)
class GradedReply:
    """A reply with the scores that people gave it.

    `scores` holds the dimensions that were scored; accuracy None means that no fact was due. A row
    without scores (to be graded) has an empty mapping. `group` names the context that several replies
    share, so that none of them is learnt from while another is measured.
    """

    id: str
    exchange: Exchange
    scores: Mapping[Dimension, float | None] = field(default_factory=dict)
    moves: tuple[str, ...] = ()
    group: str = ""


def read_graded(path: str | Path) -> tuple[GradedReply, ...]:
    """Read a file of graded replies.

    Raises FileFault with every wrong line: not JSON, a missing or wrong field, a score off the scale,
    an id that came before. A file without any row is a fault too.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFault(path, [Fault(f"cannot be read: {error}")]) from error
    rows: list[GradedReply] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as error:
            faults.append(Fault(f"is not JSON: {error}", number))
            continue
        wrong = [Fault(message, number, name) for name, message in _wrong(data)]
        if not wrong and data["id"] in seen:
            wrong = [Fault(f"{data['id']!r} came before", number, "id")]
        if wrong:
            faults += wrong
            continue
        seen.add(data["id"])
        rows.append(_row(data))
    if not rows and not faults:
        faults.append(Fault("holds no reply"))
    if faults:
        raise FileFault(path, faults)
    return tuple(rows)


def _wrong(data: Any) -> Iterator[tuple[str, str]]:
    """Yield (field, message) for everything wrong in one object."""
    if not isinstance(data, dict):
        yield "", "is not an object"
        return
    for name in ("id", "reply"):
        if not isinstance(data.get(name), str) or (name == "id" and not data[name]):
            yield name, f"must be text, is {data.get(name)!r}"
    if data.get("language") not in LANGUAGES:
        yield "language", f"must be one of {', '.join(LANGUAGES)}, is {data.get('language')!r}"
    stage = data.get("stage")
    if stage is not None and (not isinstance(stage, str) or STAGE_WORDS.get(stage, stage) not in STAGES):
        yield "stage", f"must be one of {', '.join((*STAGES, *STAGE_WORDS))}, is {stage!r}"
    if data.get("direction", "inbound") not in get_args(Direction):
        yield "direction", f"must be inbound or outbound, is {data['direction']!r}"
    turns = data.get("context", [])
    if not isinstance(turns, list):
        yield "context", "must be a list of turns"
        turns = []
    for index, turn in enumerate(turns):
        if not isinstance(turn, dict) or turn.get("role") not in SPEAKERS or not isinstance(turn.get("content"), str):
            yield f"context.{index}", 'must be {"role": "customer" or "trainee", "content": text}'
    evidence = data.get("evidence", [])
    if not isinstance(evidence, list) or not all(isinstance(text, str) for text in evidence):
        yield "evidence", "must be a list of texts"
    yield from _wrong_scores(data.get("scores", {}))
    moves = data.get("moves", [])
    if not isinstance(moves, list):
        yield "moves", "must be a list of moves"
    elif unknown := [move for move in moves if move not in MOVES]:
        yield "moves", f"unknown: {unknown}"


def _wrong_scores(scores: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(scores, dict):
        yield "scores", f"must be an object with {', '.join(DIMENSIONS)}"
        return
    for name, value in scores.items():
        if name not in DIMENSIONS:
            yield f"scores.{name}", f"is no dimension; there are {', '.join(DIMENSIONS)}"
        elif value is None and name == "accuracy":
            continue
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 5:
            yield f"scores.{name}", f"must be a number from 1 to 5, is {value!r}"


def _row(data: Mapping[str, Any]) -> GradedReply:
    stage = data.get("stage")
    exchange = Exchange(
        language=data["language"],
        context=tuple(Turn(turn["role"], turn["content"]) for turn in data.get("context", [])),
        reply=data["reply"],
        evidence=tuple(Evidence(f"given.{n}", text) for n, text in enumerate(data.get("evidence", []), 1)),
        stage=None if stage is None else STAGE_WORDS.get(stage, stage),
        direction=data.get("direction", "inbound"),
    )
    group = str(data.get("context_id") or data["id"])
    return GradedReply(data["id"], exchange, data.get("scores", {}), tuple(data.get("moves", ())), group)
