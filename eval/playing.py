"""Scripted trainees played against personas, through the same room as the page.

Calls are recorded in a throw-away database; the knowledge base is the one of the settings.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from roleplay.persona import Persona
from roleplay.room import Call, Room
from roleplay.scripts import Script
from roleplay.settings import load_settings

MOST_PERSONAS = 3  # that one script is played against

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Played:
    """One call of a script against a persona with a seed."""

    script: Script
    seed: int
    call: Call


@contextmanager
def throw_away_room(
    model: str | None = None, grader: str | None = None, personas: Sequence[Path] | None = None
) -> Iterator[Room]:
    """The room of the settings, but with records that go when it closes."""
    from roleplay.build import build_room

    with tempfile.TemporaryDirectory(prefix="roleplay-eval-") as folder:
        settings = load_settings(
            model=model,
            grader=grader,
            personas=[str(path) for path in personas] if personas else None,
            database=f"sqlite:///{folder}/records.db",
        )
        room = build_room(settings)
        try:
            yield room
        finally:
            room.records.close()


def personas_for(script: Script, personas: Sequence[Persona], room: Room) -> list[Persona]:
    """The personas that a script is played against, best first; Rejected when it names one that is not there."""
    if script.persona:
        return [room.library().get(script.persona)]
    fit = [each for each in personas if each.language == script.language and each.call.direction == script.direction]
    sharing = [each for each in fit if set(each.topics) & set(script.topics)]
    fit = sharing or fit
    if not fit or room.reader.embedder is None:
        return fit[:MOST_PERSONAS]
    wanted = room.reader.embedder.encode([script.scenario or " ".join(script.turns)])[0]
    near = room.reader.embedder.encode([f"{each.title} {each.summary}" for each in fit]) @ wanted
    return [fit[place] for place in near.argsort()[::-1][:MOST_PERSONAS]]


def play(room: Room, persona: Persona, script: Script, seed: int, grade: bool = False) -> Played:
    """Say the script's lines until they or the call are at an end."""
    call = room.open(persona.id, seed=seed)
    for line in script.turns:
        for piece in room.say(call.id, line):
            if not isinstance(piece, str):
                call = piece.call
        if grade:
            room.grade(call.id, len(call.exchanges))
        if call.ending is not None:
            break
    return Played(script, seed, room.finish(call.id))


def play_all(
    room: Room, scripts: Sequence[Script], seeds: int, progress: Callable[[str], None], grade: bool = False
) -> list[Played]:
    """All scripts against their personas with seeds 0 to `seeds` - 1."""
    personas = list(room.library().personas.values())
    plan = [
        (persona, script, seed)
        for script in scripts
        for persona in personas_for(script, personas, room)
        for seed in range(seeds)
    ]
    played = []
    for number, (persona, script, seed) in enumerate(plan, 1):
        progress(f"{number}/{len(plan)} {script.id} with {persona.id}, seed {seed}")
        played.append(play(room, persona, script, seed, grade))
    return played
