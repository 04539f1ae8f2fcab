"""The telephone between the two: which trouble the line has in a turn, and what it does to the customer's words.

Pure; what is lost on the line is drawn from a seed, and a line that is said again on request arrives whole.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from roleplay.dialogue import SILENCE
from roleplay.noticed import Noticed
from roleplay.persona import Persona
from roleplay.situations import LineTrouble, Trouble
from roleplay.state import State, holds

HEARD_ANYWAY = 3  # replies after which a customer who hears badly makes do
CUT_AT = 3  # the turn in which a line drops for which none is named
SHORTEST = {"zh-CN": 8, "en": 4}  # characters or words below which nothing is lost
NOTES = {
    "zh-CN": {
        "noise": "（{sound}）",
        "whisper": "（压低声音）",
        "speaker": "（开着免提，有回音）",
        "drops": "（断线了）",
    },
    "en": {
        "noise": "({sound}) ",
        "whisper": "(in a whisper) ",
        "speaker": "(on speaker, with echo) ",
        "drops": " (cut off)",
    },
}


def troubles(persona: Persona, state: State, turn: int) -> Iterator[LineTrouble]:
    """What is wrong with the line in the customer's turn `turn`, the first being 1."""
    for number, trouble in enumerate(persona.call.line):
        turns = trouble.turns or ((CUT_AT,) if trouble.kind == "drops" else ())
        if str(number) not in state.mended and (not turns or turn in turns):
            yield trouble


def has(persona: Persona, state: State, kind: Trouble) -> bool:
    """Whether the line has this trouble in the turn that follows the last reply."""
    return any(trouble.kind == kind for trouble in troubles(persona, state, state.turn))


def inaudible(persona: Persona, state: State, noticed: Noticed) -> bool:
    """Whether the customer cannot make out the reply that comes next."""
    if noticed.louder or state.moments.count("cannot_hear") >= HEARD_ANYWAY:
        return False
    return any(trouble.kind == "cannot_hear" for trouble in troubles(persona, state, state.turn + 1))


def mended(persona: Persona, state: State) -> tuple[str, ...]:
    """The troubles, by their number in the file, that are over for good after the last reply."""
    over = list(state.mended)
    for number, trouble in enumerate(persona.call.line):
        spoke_up = trouble.kind == "cannot_hear" and state.last.noticed.louder
        if str(number) not in over and (spoke_up or (trouble.until is not None and holds(trouble.until, state))):
            over.append(str(number))
    return tuple(over)


def arriving(persona: Persona, state: State, text: str, again: bool, cut: bool, rng: random.Random) -> str:
    """The customer's words as the agent hears them in this turn."""
    notes = NOTES[persona.language]
    if cut:
        return _first_half(text, persona.language) + notes["drops"]
    if text == SILENCE:
        return text
    for trouble in troubles(persona, state, state.turn):
        if trouble.kind == "gaps" and not again:
            text = _with_gaps(text, persona.language, rng)
        elif trouble.kind == "noise" and trouble.sounds and (trouble.turns or rng.random() < 0.5):
            text = notes["noise"].format(sound=rng.choice(trouble.sounds)) + text
        elif trouble.kind in ("whisper", "speaker") and (trouble.turns or rng.random() < 0.5 or state.turn == 1):
            text = notes[trouble.kind] + text
    return text


def _first_half(text: str, language: str) -> str:
    if language == "en":
        words = text.split()
        return " ".join(words[: max(2, len(words) // 2)]).rstrip(",.!?") + "…"
    return text[: max(3, len(text) // 2)].rstrip("，。！？") + SILENCE


def _with_gaps(text: str, language: str, rng: random.Random) -> str:
    """One or two runs of the words replaced by dots; at least half of them stay."""
    units = text.split(" ") if language == "en" else list(text)
    if len(units) < SHORTEST[language]:
        return text
    size = max(1, len(units) // 8) if language == "en" else max(2, len(units) // 9)
    start = rng.randrange(1, max(2, len(units) // 2 - size))
    holes = [start]
    if len(units) > 3 * SHORTEST[language]:
        holes.append(rng.randrange(len(units) // 2, len(units) - size - 1))
    for hole in sorted(holes, reverse=True):
        units[hole : hole + size] = ["…"] if language == "en" else [SILENCE]
    joined = (" " if language == "en" else "").join(units)
    return re.sub(r"[，。！？、,.]*(……|…)[，、,]*", r"\1", joined)
