"""The fields that the trainer's form has for a persona file: their places, their kinds, how they stand together.

Everything that a persona file may hold has a field here; `field_texts` turns one into text and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from roleplay.dialogue import ACTS, ENDINGS, STAGES, Dialect, Direction, Language, Temper
from roleplay.persona import Slot, Topic
from roleplay.persona_grading import Cap
from roleplay.rubric import DIMENSIONS
from roleplay.situations import Busy, Trouble

Kind = Literal[
    "line", "text", "lines", "wordings", "ids", "number", "numbers", "choice", "many", "moves", "condition", "pairs",
    "yaml",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `name` is its dotted place in the file or in an item; `default` is shown where the file is silent.

    A `rare` one is folded away; emptying a `head` takes away all that stands beside it.
    """

    name: str
    kind: Kind = "line"
    choices: tuple[str, ...] = ()
    default: str = ""
    rare: bool = False
    head: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together; with `items` they are those of each item of the list at that place."""

    name: str
    fields: tuple[Field, ...]
    items: str = ""

    @property
    def usual(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if not field.rare)

    @property
    def rare(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.rare)


ID = Field("id", rare=True)
SAY = Field("say", "wordings")
LEVELS = ("0", "1", "2", "3")

SECTIONS: tuple[Section, ...] = (
    Section("about", (
        Field("title"), Field("difficulty", "choice", ("1", "2", "3", "4", "5")),
        Field("call.direction", "choice", get_args(Direction), "inbound"), Field("summary", "text"),
        Field("call.reason", "text"), Field("topics", "many", get_args(Topic)),
    )),
    Section("person", (
        Field("who.name"), Field("who.age", "number"), Field("who.gender", "choice", ("female", "male")),
        Field("who.region"), Field("who.job"), Field("who.literacy", "choice", ("low", "medium", "high"), "medium"),
        Field("who.about", "text"), Field("who.claims", "lines", rare=True),
    )),
    Section("speech", (
        Field("who.speech.temper", "choice", get_args(Temper)),
        Field("who.speech.dialect", "choice", get_args(Dialect), "none"),
        Field("who.speech.strength", "choice", LEVELS, "0"),
        Field("who.speech.mandarin", "choice", ("fluent", "partly", "none"), "fluent"),
        Field("who.speech.max_chars", "number", default="90"), Field("who.speech.abuse", "choice", LEVELS, "3"),
        Field("who.speech.habits", "lines"), Field("who.speech.pet_phrases", "lines"),
        Field("who.speech.lexicon", "pairs", rare=True),
    )),
    Section("lines", tuple(Field(f"who.speech.lines.{act}", "wordings") for act in ACTS)),
    Section("feelings", (
        Field("call.feelings.anger", "number", default="0"), Field("call.feelings.confusion", "number", default="0"),
        Field("call.feelings.trust", "number", default="2"), Field("call.feelings.inertia", "number", default="0.3"),
        Field("call.ends.turn_limit", "number", default="14"),
        Field("call.ends.when_upset", "choice", ("hung_up", "escalated"), "hung_up"),
        Field("call.ends.good", "many", ENDINGS, rare=True), Field("call.ends.declines", "condition", rare=True),
    )),
    Section("openings", (
        Field("text", "text"), Field("gloss"),
        Field("act", "choice", ("open_vague", "open_direct", "agree_to_talk", "busy"), "open_vague"),
        Field("tells", "ids"),
    ), "call.openings"),
    Section("facts", (
        Field("text", "text"), Field("told", "choice", ("volunteered", "asked", "never"), "asked"),
        Field("asked_by", "lines"), SAY, Field("needs", "condition", rare=True),
        Field("slot", "choice", ("", *get_args(Slot)), rare=True), Field("value", rare=True), ID,
    ), "call.facts"),
    Section("beliefs", (Field("text", "text"), SAY, Field("corrected_by", "condition"), ID), "call.beliefs"),
    Section("goals", (
        Field("text", "text"), Field("kind", "choice", ("must", "nice", "hidden"), "must"), SAY,
        Field("met_by", "condition"), Field("asked_by", "lines", rare=True), ID,
    ), "call.goals"),
    Section("objections", (
        Field("text", "text"), SAY, Field("broken_by", "condition"), Field("raised_when", "condition", rare=True), ID,
    ), "call.objections"),
    Section("responses", (
        Field("heard", "lines"), SAY, Field("act", "choice", ACTS, "answer"), Field("unlike", "lines", rare=True),
        Field("outcome", "wordings", rare=True), Field("when", "condition", rare=True), ID,
    ), "call.responses"),
    Section("sore_points", (Field("words", "lines"), SAY, ID), "call.sore_points"),
    Section("asides", (
        Field("act", "choice", ACTS, "digress"), SAY, Field("when", "condition"), ID,
    ), "call.asides"),
    Section("line", (
        Field("kind", "choice", get_args(Trouble)), Field("turns", "numbers"), Field("sounds", "lines"),
        Field("until", "condition"),
    ), "call.line"),
    Section("occupied", (
        Field("call.occupied.by", "choice", ("", *get_args(Busy)), head=True),
        Field("call.occupied.replies", "number", default="3"),
        Field("call.occupied.another_time", "choice", ("agreed", "refused"), "agreed"),
    )),
    Section("ring", (
        Field("ring.queue"), Field("ring.waited", "number", default="0"),
        Field("ring.priority", "choice", ("normal", "raised", "urgent"), "normal"), Field("ring.menu", "lines"),
    )),
    Section("account", (Field("account.holder"), Field("account.id_tail"), Field("account.number"))),
    Section("records", (Field("label"), Field("text", "text"), ID), "account.records"),
    Section("grading", (
        Field("grading.entries", "ids"), Field("grading.pass_mark", "number", default="60"),
        Field("grading.hints", "choice", ("free", "costly", "none"), "free"), Field("grading.stages", "many", STAGES),
        *(Field(f"grading.weights.{name}", "number", rare=True) for name in DIMENSIONS),
        *(Field(f"grading.caps.{name}", "number", rare=True) for name in get_args(Cap)),
    )),
    Section("must_say", (
        Field("any", "lines"), Field("advice", "text"), Field("stage", "choice", ("", *STAGES)),
        Field("cost", "number", default="5"), Field("told", "ids", rare=True), Field("moves", "moves", rare=True),
        Field("patterns", "lines", rare=True), Field("right", "text", rare=True),
        Field("severity", "choice", ("lapse", "forbidden"), "lapse", rare=True), ID,
    ), "grading.must_say"),
    Section("must_not_say", (
        Field("any", "lines"), Field("advice", "text"),
        Field("severity", "choice", ("lapse", "forbidden"), "lapse"), Field("cost", "number", default="5"),
        Field("patterns", "lines", rare=True), Field("right", "text", rare=True),
        Field("stage", "choice", ("", *STAGES), rare=True), ID,
    ), "grading.must_not_say"),
    Section("sheet", (Field("label"), Field("fact"), Field("record"), ID), "grading.form"),
    Section("answers", (Field("stage", "choice", STAGES), Field("text", "text")), "grading.model_answers"),
    Section("file", (Field("id"), Field("language", "choice", get_args(Language)), Field("extensions", "yaml"))),
)  # fmt: skip
# What a new item begins with, so that little is missing: its id, where its kind has one, is made.
NEW: dict[str, dict[str, Any]] = {
    "call.openings": {"text": ""},
    "call.facts": {"id": "fact", "text": "", "told": "volunteered", "say": []},
    "call.beliefs": {"id": "belief", "text": "", "say": [], "corrected_by": {"move": "explain"}},
    "call.goals": {"id": "goal", "text": "", "kind": "must", "say": [], "met_by": {"move": ["act", "propose"]}},
    "call.objections": {"id": "objection", "text": "", "say": [], "broken_by": {"move": ["explain", "alternative"]}},
    "call.responses": {"id": "response", "heard": [], "say": []},
    "call.sore_points": {"id": "sore", "words": [], "say": []},
    "call.asides": {"id": "aside", "act": "digress", "say": []},
    "call.line": {"kind": "noise"},
    "account.records": {"id": "record", "label": "", "text": ""},
    "grading.must_say": {"id": "must-say", "any": [], "advice": ""},
    "grading.must_not_say": {"id": "must-not-say", "any": [], "advice": ""},
    "grading.form": {"id": "field", "label": "", "fact": ""},
    "grading.model_answers": {"stage": "solving", "text": ""},
}
