"""A customer drafted by a model that writes, from a situation told in free text. What it writes is checked, never published."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable

from roleplay.dialogue import Language
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.models import LanguageModel, Sampling
from roleplay.persona_files import LONGEST, free_id, parse_persona, written_as
from roleplay.prompts import draft_messages, frame

FEWEST, MOST = 20, 2000  # characters of a situation
SAMPLING = Sampling(max_tokens=3500, temperature=0.6)
TRIES = 2  # the draft, and once more with its faults told


def draft(
    model: LanguageModel, situation: str, language: Language, entries: Iterable[tuple[str, str]], known: Collection[str],
    taken: Container[str],
) -> str:  # fmt: skip
    """The text of a persona file for this situation; it may have faults, which the loader names.

    `entries` are ids and questions of the knowledge base that the draft may rest on, `known` holds every id that
    there is, `taken` the ids of customers. Raises Rejected where the model cannot write or writes no customer,
    Unavailable when it fails.
    """
    if not model.writes:
        raise Rejected("it needs a larger model; the bundled one chooses among lines and cannot write")
    if not FEWEST <= len(situation.strip()) <= MOST:
        raise Rejected(f"describe the situation in {FEWEST} to {MOST} characters")
    best: tuple[int, str] | None = None
    wrong: tuple[str, str] | None = None
    offered = "\n".join(f"{name}: {question}" for name, question in entries) or "–"
    for _ in range(TRIES):
        messages = draft_messages(language, frame(language), situation.strip(), offered, wrong)
        text = as_file("".join(model.stream(messages, SAMPLING)), taken)
        faults = faults_of(text, known)
        if text and (best is None or len(faults) < best[0]):
            best = (len(faults), text)
        if text and not faults:
            break
        wrong = (text, "\n".join(map(str, faults))) if text else None
    if best is None:
        raise Rejected("the model wrote nothing that could be a customer")
    return best[1]


def as_file(answer: str, taken: Container[str]) -> str:
    """The YAML of an answer, whatever stands around it, under an id of its own; "" where there is none."""
    fenced = re.search(r"```(?:ya?ml)?\s*\n(.*?)(?:\n```|\Z)", answer, re.DOTALL)
    text = fenced[1] if fenced else answer
    begin = re.search(r"(?m)^(?:id|language|title):", text)
    if begin is None:
        return ""
    text = text[begin.start() :].strip()[:LONGEST] + "\n"
    name = free_id(written_as("title", text), text, taken)
    without = re.sub(r"(?m)^id:.*\n", "", text, count=1)
    return f"id: {name}\n{without}"


def faults_of(text: str, known: Collection[str]) -> tuple[Fault, ...]:
    """What the loader finds wrong with a draft."""
    try:
        parse_persona(text, known)
    except FileFault as error:
        return error.faults
    return ()
