"""Calls played through the same room as the page: who is played against whom, and one call as data.

The trainee is a script of lines or a model that follows a policy; both are functions from the call so far
to the next reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.fidelity import line_figures
from roleplay.call import Call
from roleplay.dialogue import SILENCE, Ending
from roleplay.exports import as_data
from roleplay.persona import Persona
from roleplay.plain_text import without_markup
from roleplay.reports import make_report
from roleplay.room import Room
from roleplay.rubric import DIMENSIONS
from roleplay.scripts import Script

MOST_PERSONAS = 3  # that one script is played against

DATA = Path(__file__).parent / "data"

# Of a call's report; ids, and what the clock says of the call, differ between equal runs and stay out.
KEPT = (
    "persona", "language", "ending", "ended_well", "total", "passed", "mean", "coverage", "caps", "facts", "stages",
    "phrases", "lowest", "turns",
)  # fmt: skip

Speaker = Callable[[Call], str | None]  # the next reply, None when the trainee has no more to say


def personas_for(script: Script, personas: Sequence[Persona], room: Room) -> list[Persona]:
    """The personas that a script is played against, best first; Rejected when it names one that is not there."""
    if script.persona:
        return [room.library().get(script.persona)]
    fit = [each for each in personas if each.language == script.language and each.call.direction == script.direction]
    sharing = [each for each in fit if set(each.topics) & set(script.topics)]
    fit = sharing or fit
    if not fit or room.reader.matcher is None:
        return fit[:MOST_PERSONAS]
    embedder = room.reader.matcher.embedder
    wanted = embedder.encode([script.scenario or " ".join(script.turns)])[0]
    near = embedder.encode([f"{each.title} {each.summary}" for each in fit]) @ wanted
    return [fit[place] for place in near.argsort()[::-1][:MOST_PERSONAS]]


def scripted(script: Script) -> Speaker:
    """Says the script's lines one after the other, whatever the customer answers."""
    return lambda call: script.turns[len(call.exchanges)] if len(call.exchanges) < len(script.turns) else None


def play(room: Room, persona_id: str, speaker: Speaker, seed: int, grade: bool = False) -> Call:
    """Carry a call on until the trainee has no more to say or the call is at its end.

    Of a reply that is nothing but marks the customer hears nothing: the page refuses it, a script cannot be asked again.
    """
    call = room.open(persona_id, seed=seed)
    while call.ending is None and (reply := speaker(call)) is not None:
        for piece in room.say(call.id, reply if without_markup(reply).strip() else SILENCE):
            if not isinstance(piece, str):
                call = piece.call
        if grade:
            room.grade(call.id, len(call.exchanges))
    return room.finish(call.id)


def dialect_of(persona: Persona) -> str:
    """The dialect of a persona and how strong it is, as calls are grouped by it."""
    return f"{persona.who.speech.dialect} {persona.who.speech.strength}"


def call_data(room: Room, call: Call, who: Mapping[str, Any]) -> dict[str, Any]:
    """A played call as a result's data; `who` says what it was played with. Save for `turn_seconds`, equal runs give equal data."""
    report = as_data(make_report(call, room.grades(call.id)))
    took = [turn["guard"].get("took") for turn in report["turns"]]
    for turn in report["turns"]:
        turn["guard"] = {name: value for name, value in turn["guard"].items() if name != "took"}
    lines = [figures.as_data() for figures in line_figures(call)]
    start = call.persona.call.feelings
    feelings = [[start.anger, start.confusion, start.trust]]
    feelings += [
        [turn["state"]["feeling"][name] for name in ("anger", "confusion", "trust")] for turn in report["turns"]
    ]
    kept = {name: report[name] for name in KEPT if name in report}
    return {
        **who,
        **kept,
        "turn_seconds": took,
        "dialect": dialect_of(call.persona),
        "lines": lines,
        "feelings": feelings,
        "values": _values(report, lines, call.ending),
    }


def _values(report: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], ending: Ending | None) -> dict[str, float]:
    """The call's own figures, those that were measured."""
    values: dict[str, float | None] = {
        "total": report["total"],
        **{name: report["mean"][name] for name in DIMENSIONS},
        "ended_well": float(report["ended_well"]),
        "turns": float(len(report["turns"])),
        "facts_heard": _share([fact["how"] != "missed" for fact in report["facts"]]),
    }
    for name in lines[0] if lines else ():
        values[name] = _share([line[name] for line in lines if line[name] is not None])
    return {name: value for name, value in values.items() if value is not None}


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
