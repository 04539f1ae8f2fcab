"""Calls that took place: from the records, from `roleplay export`, or from a table of transcripts.

Records hold what was known when each reply was said; where an export or a table does not, it is looked up in
the knowledge base anew, as the page would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pydantic

from eval.inputs import Transcript, read_transcripts
from eval.opening import Judging
from roleplay.call import GRADE, Call
from roleplay.dialogue import Evidence, Exchange, Language, Turn
from roleplay.errors import Fault, FileFault
from roleplay.knowledge.search import Knowledge
from roleplay.knowledge.sources import read_text
from roleplay.persona import Persona
from roleplay.phrases import judged
from roleplay.reading import Reading
from roleplay.room import looked_up
from roleplay.rubric import Grade
from roleplay.yaml_files import faults_of


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A trainee's reply in its context, its persona where that is known, and the grade that it was given."""

    exchange: Exchange
    persona: Persona | None
    grade: Grade | None

    def graded(self, judging: Judging) -> tuple[Reading, Grade]:
        """Read and scored anew, as the room does it: with the questions and phrases of the persona."""
        reading = judging.reader.read(self.exchange, {} if self.persona is None else self.persona.subjects())
        grade = judging.score(self.exchange, reading)
        if self.persona is not None:
            grade = judged(grade, self.persona.grading, self.exchange.reply, reading)
        return reading, grade


@dataclass(frozen=True, slots=True)
class StoredCall:
    """`persona` is empty where the call is none of this program's."""

    id: str
    persona: str
    language: Language
    replies: tuple[StoredReply, ...]


class _Turn(pydantic.BaseModel):
    trainee: str
    customer: str
    gloss: str = ""
    grade: dict[str, Any] | None = None


class _Exported(pydantic.BaseModel):
    """What is needed of a line that `roleplay export` wrote; there is more in it."""

    call: str
    persona: str = ""
    language: Literal["zh-CN", "en"]
    turns: list[_Turn] = pydantic.Field(min_length=1)


def read_calls(path: Path, knowledge: Callable[[], Knowledge]) -> tuple[StoredCall, ...]:
    """The calls of an export (.jsonl) or of transcripts (.jsonl, .csv, .xlsx); raises FileFault with every wrong line.

    `knowledge` is asked for only where a file does not say what was known.
    """
    if path.suffix.lower() == ".jsonl" and _is_export(path):
        return tuple(_from_export(each, knowledge()) for each in _exported(path))
    return tuple(_from_transcript(each, knowledge) for each in read_transcripts(path))


def _is_export(path: Path) -> bool:
    first = next((line for line in read_text(path).split("\n") if line.strip()), "")
    try:
        data = json.loads(first)
    except ValueError:
        return False
    return isinstance(data, dict) and "turns" in data


def _exported(path: Path) -> Iterator[_Exported]:
    found: dict[str, _Exported] = {}
    faults: list[Fault] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            call = _Exported.model_validate(json.loads(line))
        except pydantic.ValidationError as error:
            faults += [Fault(fault.message, number, fault.field) for fault in faults_of(error, _Exported, {})]
        except ValueError as error:
            faults.append(Fault(f"is not JSON: {error}", number))
        else:
            if call.call in found:
                faults.append(Fault(f"{call.call!r} came before", number, "call"))
            found[call.call] = call
    if faults:
        raise FileFault(path, faults)
    yield from found.values()


def _from_export(call: _Exported, knowledge: Knowledge) -> StoredCall:
    replies: list[StoredReply] = []
    context: list[Turn] = []
    for turn in call.turns:
        evidence = evidence_for(knowledge, call.language, turn.trainee, context)
        grade = None if turn.grade is None else GRADE.validate_python(turn.grade)
        replies.append(StoredReply(Exchange(call.language, tuple(context), turn.trainee, evidence), None, grade))
        context += [Turn("trainee", turn.trainee), Turn("customer", turn.customer, turn.gloss)]
    return StoredCall(call.call, call.persona, call.language, tuple(replies))


def _from_transcript(call: Transcript, knowledge: Callable[[], Knowledge]) -> StoredCall:
    replies: list[StoredReply] = []
    for place, (turn, given) in enumerate(zip(call.turns, call.evidence, strict=True)):
        if turn.speaker != "trainee":
            continue
        context = call.turns[:place]
        evidence = given if any(call.evidence) else evidence_for(knowledge(), call.language, turn.text, context)
        exchange = Exchange(call.language, context, turn.text, evidence, None, call.direction)
        replies.append(StoredReply(exchange, None, None))
    return StoredCall(call.id, "", call.language, tuple(replies))


def evidence_for(knowledge: Knowledge, language: Language, reply: str, context: Sequence[Turn]) -> tuple[Evidence, ...]:
    """What the knowledge base has on a reply and on what it answers."""
    entries = knowledge.entries_by_id()
    ids = looked_up(knowledge, language, (reply, context[-1].text if context else ""))
    return tuple(entries[name].evidence() for name in ids)


def graded_again(call: Call, readings: Sequence[Reading]) -> Call:
    """A recorded call with other readings of its replies."""
    pairs = zip(call.exchanges, readings, strict=True)
    return replace(call, exchanges=tuple(replace(each, reading=reading) for each, reading in pairs))
