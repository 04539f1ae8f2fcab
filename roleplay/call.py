"""One call as a value: every reply, its answer and what led from one to the other; how the records keep it.

Needs no room and no models: reports, results and offline runs work on calls alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from roleplay.dialogue import Ending, Evidence, Exchange, Stage, Turn
from roleplay.directive import Directive
from roleplay.events import Event
from roleplay.persona import Persona, kept_persona
from roleplay.prompts import Cue
from roleplay.reading import Reading
from roleplay.records import CallRow, GradeRow, Records, TurnRow
from roleplay.rubric import Grade
from roleplay.state import State, start

STATE, READING, DIRECTIVE = TypeAdapter(State), TypeAdapter(Reading), TypeAdapter(Directive)
EVIDENCE, GRADE = TypeAdapter(tuple[Evidence, ...]), TypeAdapter(Grade)
STAGE_MOVES: dict[Stage, tuple[str, ...]] = {
    "opening": ("greet", "identify"),
    "finding_out": ("ask_open", "ask_closed"),
    "verification": ("verify",),
    "confirming": ("restate",),
    "holding": ("hold",),
    "solving": ("propose", "alternative", "act", "explain", "inform", "timeframe"),
    "cannot_hear": ("ask_repeat", "ask_mandarin"),
    "complaint": ("act", "timeframe", "transfer"),
    "transferring": ("transfer",),
    "closing": ("check_satisfied", "close"),
}


@dataclass(frozen=True)
class Exchanged:
    """One reply and its answer, with everything that led from one to the other."""

    number: int  # 1 for the trainee's first reply
    reply: Turn
    answer: Turn
    reading: Reading
    directive: Directive
    before: State  # after the reply, before the answer
    after: State
    evidence: tuple[Evidence, ...]
    detail: dict[str, Any] = field(default_factory=dict)  # how the answer was made
    seconds: float | None = None  # that the trainee took

    @property
    def cue(self) -> Cue:
        return Cue(self.reply.text, self.directive, self.before.feeling)

    @property
    def meant(self) -> str:
        """The answer as it was spoken, before a bad line did anything to it."""
        return self.detail.get("meant") or self.answer.text


@dataclass(frozen=True)
class Call:
    """A call as the records hold it."""

    row: CallRow
    persona: Persona
    exchanges: tuple[Exchanged, ...]
    events: tuple[Event, ...] = ()

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def state(self) -> State:
        return self.exchanges[-1].after if self.exchanges else start(self.persona)

    @property
    def ending(self) -> Ending | None:
        return self.row.ending

    @property
    def is_exam(self) -> bool:
        return self.row.mode == "exam"

    @property
    def retried(self) -> tuple[str, int] | None:
        """Which call, and from which reply on, this one tries again; None for a call of its own."""
        event = next((event for event in self.events if event.kind == "retry"), None)
        return (event.detail["call"], event.detail["reply"]) if event else None

    @property
    def rung(self) -> float | None:
        """Seconds that the ring card stood before the call was taken; None where nobody saw one."""
        event = next((event for event in self.events if event.kind == "ring"), None)
        return event.detail["seconds"] if event else None

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(turn for each in self.exchanges for turn in (each.reply, each.answer))

    def did_stage(self, stage: Stage) -> bool:
        """Whether a reply of the trainee made a move that belongs to this stage."""
        return any(each.reading.did(*STAGE_MOVES[stage]) for each in self.exchanges)

    def exchange(self, number: int) -> Exchange:
        """What a grader may see of the reply `number`."""
        each = self.exchanges[number - 1]
        return self._exchange(number, each.reply.text, each.evidence)

    def next_exchange(self, reply: str, evidence: tuple[Evidence, ...] = ()) -> Exchange:
        """What reader and standards may see of a reply that is said now."""
        return self._exchange(len(self.exchanges) + 1, reply, evidence)

    def _exchange(self, number: int, reply: str, evidence: tuple[Evidence, ...]) -> Exchange:
        context = self.turns[: turn_of(number) - 1]
        return Exchange(self.persona.language, context, reply, evidence, None, self.persona.call.direction)


def turn_of(reply: int) -> int:
    """Which turn of its call a reply is. Both count from 1; the customer answers every reply."""
    return 2 * reply - 1


def reply_of(turn: int) -> int:
    """Which reply a turn of the trainee's is."""
    return (turn + 1) // 2


def kept_call(records: Records, call_id: str) -> Call:
    """A call as the records hold it. Raises Rejected for an unknown one."""
    row, turns = records.call(call_id), records.turns(call_id)
    pairs = zip(turns[::2], turns[1::2], strict=True)
    exchanges = tuple(_exchanged(number, *pair) for number, pair in enumerate(pairs, 1))
    return Call(row, kept_persona(row.persona_yaml), exchanges, records.events.of(call_id))


def keep_exchanged(records: Records, call_id: str, each: Exchanged) -> None:
    """Keep a reply and its answer, both or neither; see `Records.keep_turns`."""
    trainee = TurnRow(
        speaker="trainee",
        text=each.reply.text,
        detail={
            "reading": READING.dump_python(each.reading, mode="json"),
            "before": STATE.dump_python(each.before, mode="json"),
            "evidence": EVIDENCE.dump_python(each.evidence, mode="json"),
        },
        seconds=each.seconds,
    )
    customer = TurnRow(
        speaker="customer",
        text=each.answer.text,
        gloss=each.answer.gloss,
        act=each.directive.act,
        detail={
            "directive": DIRECTIVE.dump_python(each.directive, mode="json"),
            "after": STATE.dump_python(each.after, mode="json"),
            **each.detail,
        },
        seconds=each.detail["took"],
    )
    records.keep_turns(call_id, turn_of(each.number), [trainee, customer], ending=each.after.ending)


def _exchanged(number: int, reply: TurnRow, answer: TurnRow) -> Exchanged:
    return Exchanged(
        number=number,
        reply=Turn("trainee", reply.text),
        answer=Turn("customer", answer.text, answer.gloss, answer.act),
        reading=READING.validate_python(reply.detail["reading"]),
        directive=DIRECTIVE.validate_python(answer.detail["directive"]),
        before=STATE.validate_python(reply.detail["before"]),
        after=STATE.validate_python(answer.detail["after"]),
        evidence=EVIDENCE.validate_python(reply.detail["evidence"]),
        detail={name: value for name, value in answer.detail.items() if name not in ("directive", "after")},
        seconds=reply.seconds,
    )


def kept_grades(records: Records, call_id: str) -> dict[int, Grade]:
    """The grades kept for a call, by number of the reply; of several graders the one that counts last."""
    return {reply_of(row.turn_number): GRADE.validate_python(row.grade) for row in records.grades(call_id)}


def keep_grade(records: Records, call_id: str, number: int, grade: Grade, grader: str) -> None:
    """Keep the grade of the reply `number`; `grader` is whose it is in the records. See `Records.keep_grade`."""
    status = "failed" if any(score.status == "failed" for score in grade.scores.values()) else "scored"
    records.keep_grade(call_id, GradeRow(turn_of(number), grader, GRADE.dump_python(grade, mode="json"), status))
