"""How one persona's call is judged: the grading block of its file. For the grader alone, never for the customer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from roleplay.conditions import Patterns, Strict
from roleplay.dialogue import Move, Stage
from roleplay.wording import Id

# What every agent's sheet has: who and what, the order for colleagues, and notes.
SHEET = ("holder", "number", "matter", "department", "urgency", "todo", "promised", "due", "notes")
Cap = Literal["not_verified", "rude", "wrong_fact", "disclosed", "unsaid", "forbidden_words"]


class ModelAnswer(Strict):
    """A good reply for a stage of this call, for the report and for hints."""

    stage: Stage
    text: str


class PhraseRule(Strict):
    """Words or a meaning that this call requires or forbids; one of them is enough.

    `any` are phrases taken literally, `patterns` regular expressions. For what must be said, `moves` and `told`
    find it in other words: the reader heard one of these moves, or one of these entries was told rightly.
    What must be said may come in any reply, of `stage` where that is given. `cost`: points off the call's
    total (0 to 100) when it was never said, or was said though forbidden.
    """

    id: Id
    any: tuple[str, ...] = ()
    patterns: Patterns = ()
    moves: tuple[Move, ...] = ()
    told: tuple[str, ...] = ()
    stage: Stage | None = None
    severity: Literal["lapse", "forbidden"] = "lapse"
    cost: float = Field(5, ge=0, le=100)
    advice: str = Field(min_length=1)
    right: str = ""

    @model_validator(mode="after")
    def says_something(self) -> PhraseRule:
        if not (self.any or self.patterns or self.moves or self.told):
            raise ValueError("any: give any, patterns, moves or told")
        return self


class FormField(Strict):
    """A field of the agent's intake form in this call, and what it should hold: a fact or a record of the account."""

    id: Id
    label: str = Field(min_length=1, max_length=40)
    fact: str | None = None
    record: str | None = None

    @model_validator(mode="after")
    def holds_one(self) -> FormField:
        if bool(self.fact) == bool(self.record):
            raise ValueError("fact: give a fact or a record, one of them")
        if self.id in SHEET:
            raise ValueError("id: every sheet has a field of this id; choose another one")
        return self


class Grading(Strict):
    """For the grader alone, save for the labels of `form`, which the agent fills in."""

    entries: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    must_say: tuple[PhraseRule, ...] = ()
    must_not_say: tuple[PhraseRule, ...] = ()
    caps: Mapping[Cap, float] = {}
    weights: Mapping[Literal["empathy", "accuracy", "phrasing"], float] = {"empathy": 1, "accuracy": 1, "phrasing": 1}
    pass_mark: float = Field(60, ge=0, le=100)
    model_answers: tuple[ModelAnswer, ...] = ()
    hints: Literal["free", "costly", "none"] = "free"
    form: tuple[FormField, ...] = Field((), max_length=12)

    @property
    def hash(self) -> str:
        """Changes when anything does that scores rest on."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]
