"""Calls as a room keeps them, made without any model: the trainees of the rehearsal play them, in records of a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from made_call import CALL

from roleplay import rehearsal
from roleplay.build import take_standards
from roleplay.call import DIRECTIVE, EVIDENCE, GRADE, READING, STATE
from roleplay.grading import BundledGrader
from roleplay.knowledge.entries import load_entries
from roleplay.knowledge.search import Knowledge
from roleplay.persona import Persona, load_library
from roleplay.published import Published
from roleplay.records import GradeRow, Records, TurnRow
from roleplay.room import Room
from roleplay.rubric import Grade, Remark, Score
from roleplay.settings import Settings
from roleplay.standards import load_standards
from roleplay.state import start

ROOT = Path(__file__).parent.parent
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
GOOD, BAD = (5.0, 4.0, 4.0), (2.0, 1.0, 2.0)


def persona(name: str = "zh-deduction-video-pack") -> Persona:
    return load_library([ROOT / "personas"]).get(name)


def play(
    records: Records,
    call_id: str,
    trainee: str,
    *,
    who: Persona | None = None,
    good: bool = True,
    mode: str = "practice",
    at: datetime = MONDAY,
    scored: bool = True,
    ended: bool = True,
) -> str:
    """A whole call that a good or a rude trainee had, with grades to match."""
    who = who or persona()
    records.open_call(
        replace(
            CALL,
            id=call_id,
            trainee=trainee,
            persona_id=who.id,
            persona_yaml=who.model_dump_json(by_alias=True, exclude_unset=True),
            language=who.language,
            direction=who.call.direction,
            mode=mode,
            started_at=at,
        )
    )
    state, number = start(who), 0
    while state.ending is None and number < (20 if ended else 2):
        number += 1
        read = (rehearsal.good_trainee if good else rehearsal.rude_trainee)(who, state)
        before = rehearsal.react(who, state, read)
        directive = rehearsal.next_directive(who, before, 1)
        state = rehearsal.spoken(before, directive)
        if not ended:
            state = replace(state, ending=None)
        text = f"您好，这是第{number}句。" if good else f"喂！这是第{number}句。"
        pair = (
            TurnRow("trainee", text, detail={
                "reading": READING.dump_python(read, mode="json"), "before": STATE.dump_python(before, mode="json"),
                "evidence": EVIDENCE.dump_python((), mode="json"),
            }, at=at + timedelta(seconds=20 * number), seconds=6.0),
            TurnRow("customer", f"第{number}句回话。", act=directive.act, detail={
                "directive": DIRECTIVE.dump_python(directive, mode="json"), "after": STATE.dump_python(state, mode="json"),
            }, at=at + timedelta(seconds=20 * number + 5)),
        )  # fmt: skip
        records.keep_turns(call_id, 2 * number - 1, pair, ending=state.ending)
        if scored:
            records.keep_grade(call_id, GradeRow(2 * number - 1, "bundled", grade(good, text), "scored"))
    if ended and state.ending is None:
        records.end_call(call_id, "unresolved")
    return call_id


def grade(good: bool, text: str = "") -> dict:
    empathy, accuracy, phrasing = GOOD if good else BAD
    remarks = () if good else (Remark("phrasing", -1, "不用“喂”开头", text[:2], 0, 2, rule="zh-hey"),)
    scores = {"empathy": Score(empathy), "accuracy": Score(accuracy), "phrasing": Score(phrasing)}
    return GRADE.dump_python(Grade(scores, remarks, "bundled"), mode="json")


def quiet_room(records: Records, settings: Settings) -> Room:
    """A room without models: everything but a call can be had in it."""
    entries = load_entries(settings.knowledge)
    knowledge = Knowledge(entries, None, None, "k1")
    rules = Published(
        (lambda: settings.rule_files, lambda: take_standards(room, load_standards(settings.rule_files or None)))
    )
    room = Room(
        lambda: load_library(settings.personas, [entry.id for entry in entries]),
        knowledge, None, None, BundledGrader.load(), records, rules.look,
    )  # fmt: skip
    return room
