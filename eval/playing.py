"""Calls played through the same room as the page: who is played against whom, and one call as data.

The trainee is a script of lines or a model that follows a policy; both are functions from the call so far
to the next reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from eval.fidelity import line_figures
from roleplay.call import Call
from roleplay.clauses import sentences
from roleplay.dialogue import SILENCE, Ending
from roleplay.exports import as_data
from roleplay.persona import Persona
from roleplay.plain_text import without_markup
from roleplay.reports import make_report
from roleplay.room import Room
from roleplay.rubric import DIMENSIONS
from roleplay.scripts import Script

MOST_PERSONAS = 3  # that one script is played against
NEAR_BEST = 0.92  # how near the best of them another one must come
BY_SCENARIO, BY_TOPIC = 0.3, 0.05  # what these weigh beside the likeness of a script's lines, which is 0.4 to 0.6

DATA = Path(__file__).parent / "data"

# Of a call's report; ids, and what the clock says of the call, differ between equal runs and stay out.
KEPT = (
    "persona", "language", "ending", "ended_well", "total", "passed", "mean", "coverage", "caps", "facts", "stages",
    "phrases", "lowest", "turns",
)  # fmt: skip

Speaker = Callable[[Call], str | None]  # the next reply, None when the trainee has no more to say


def personas_for(script: Script, personas: Sequence[Persona], room: Room) -> list[Persona]:
    """The personas that a script is played against, best first: those to whom most of its lines could be said.

    How likely a line is said to somebody shows in the examples of what trainees ask and tell that persona. Who comes
    nowhere near the best is left out: a customer with another matter tells nothing of how well this one is played.
    Rejected when the script names a persona that is not there.
    """
    if script.persona:
        return [room.library().get(script.persona)]
    fit = [each for each in personas if each.language == script.language and each.call.direction == script.direction]
    if not fit or room.reader.matcher is None:
        return fit[:MOST_PERSONAS]
    embedder = room.reader.matcher.embedder
    lines = [piece.text for line in script.turns if line != SILENCE for piece in sentences(line)]
    said, scenario = embedder.encode(lines), embedder.encode([script.scenario])[0]

    def fitness(persona: Persona) -> float:
        title, examples = np.split(_vectors(embedder.encode, _said_of(persona)), [1])
        likeness = float((said @ examples.T).max(axis=1).mean()) if lines else 0.0
        shared = bool(set(persona.topics) & set(script.topics))
        return likeness + BY_SCENARIO * float(title[0] @ scenario) + BY_TOPIC * shared

    fitting = sorted(((fitness(each), each) for each in fit), key=lambda pair: -pair[0])
    return [each for value, each in fitting[:MOST_PERSONAS] if value >= NEAR_BEST * fitting[0][0]]


def _said_of(persona: Persona) -> tuple[str, ...]:
    """What a persona is about, then its facts and the examples of what it is asked and told."""
    examples = (text for subject in persona.subjects().values() for text in subject.examples)
    return (f"{persona.title} {persona.summary}", *(fact.text for fact in persona.call.facts), *examples)


@cache
def _vectors(encode: Callable[[list[str]], np.ndarray], texts: tuple[str, ...]) -> np.ndarray:
    return encode(list(texts))


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
