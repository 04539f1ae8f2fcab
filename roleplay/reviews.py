"""Grades corrected by people, beside the machine's; and the corrections as graded data, to calibrate a grader with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from roleplay.call import GRADE, keep_grade, kept_call, reply_of, turn_of
from roleplay.errors import Rejected
from roleplay.records import PERSON, Records, ReviewRow
from roleplay.rubric import DIMENSIONS, Dimension, Grade, Score

LONGEST_REASON = 1000  # characters


def correct(
    records: Records, call_id: str, reply: int, scores: Mapping[Dimension, float | None], reason: str, who: str
) -> Grade:
    """Keep a person's scores of a reply; they count from now on, the machine's stay beside them.

    Accuracy may be None: no fact was due. The machine's remarks stay for the dimensions that are not changed.
    Raises Rejected for scores off the scale, a missing reason, a reply that there is not.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Rejected(f"a correction needs a reason, of at most {LONGEST_REASON} characters")
    if reply < 1 or 2 * reply > len(records.turns(call_id)):
        raise Rejected(f"the call {call_id} has no reply {reply}")
    for name in DIMENSIONS:
        value = scores.get(name)
        if (value is None and name != "accuracy") or (value is not None and value not in (1, 2, 3, 4, 5)):
            raise Rejected(f"{name}: a score is 1, 2, 3, 4 or 5 (accuracy may be left out when no fact was due)")
    machine = machine_grade(records, call_id, reply)
    given = {
        name: Score(None, "not_due", reason) if scores[name] is None else Score(scores[name], why=reason)
        for name in DIMENSIONS
    }
    same = {name for name in DIMENSIONS if machine and machine.scores[name].value == given[name].value}
    remarks = tuple(mark for mark in machine.remarks if mark.dimension in same) if machine else ()
    grade = Grade(given, remarks, PERSON + (who or "trainer"), machine.basis if machine else {})
    keep_grade(records, call_id, reply, grade, grade.grader)
    records.keep_review(ReviewRow(call_id, reply, "made", who, reason))
    return grade


def machine_grade(records: Records, call_id: str, reply: int) -> Grade | None:
    """The latest grade of a reply that a model gave."""
    rows = [row for row in records.grades(call_id) if row.turn_number == turn_of(reply) and not row.by_person]
    return GRADE.validate_python(rows[-1].grade) if rows else None


def waiting(records: Records) -> list[ReviewRow]:
    """Requests for a human review that nobody has answered, the oldest first."""
    rows = records.reviews()
    made = {(row.call_id, row.reply): row.at for row in rows if row.kind == "made"}
    whole = {row.call_id: row.at for row in rows if row.kind == "made" and not row.reply}

    def answered(row: ReviewRow) -> bool:
        times = (made.get((row.call_id, row.reply)), whole.get(row.call_id))
        return any(at is not None and at >= row.at for at in times)

    return [row for row in rows if row.kind == "asked" and not answered(row)]


def graded_rows(records: Records) -> Iterator[dict[str, Any]]:
    """Every corrected reply in the graded-data format of docs/rubric.md, with the machine's scores beside."""
    for row in records.calls(limit=None):
        corrected = {grade.turn_number: grade for grade in records.grades(row.id) if grade.by_person}
        call = kept_call(records, row.id) if corrected else None
        for turn, kept in corrected.items():
            assert call is not None
            number = reply_of(turn)
            exchange = call.exchange(number)
            grade, machine = GRADE.validate_python(kept.grade), machine_grade(records, row.id, number)
            yield {
                "id": f"{row.id}.{number}",
                "language": exchange.language,
                "direction": exchange.direction,
                "stage": call.exchanges[number - 1].reading.stage,
                "context": [{"role": turn.speaker, "content": turn.text} for turn in exchange.context],
                "evidence": [evidence.text for evidence in exchange.evidence],
                "reply": exchange.reply,
                "scores": {name: score.value for name, score in grade.scores.items()},
                "machine": {name: score.value for name, score in machine.scores.items()} if machine else None,
                "reason": next(score.why for score in grade.scores.values()),
                "context_id": row.id,
            }
