"""A persona file as a form: the usual fields as flat named texts, and what was typed put back into the file's data.

Works on the data of any YAML mapping, also of one that is no persona yet: what is wrong is the loader's to say.
What the form does not show stays in the file untouched.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from roleplay.condition_words import condition_of, condition_text
from roleplay.dialogue import ACTS, STAGES, Dialect, Direction, Temper
from roleplay.errors import Fault
from roleplay.persona import Slot, Topic

Kind = Literal["line", "text", "lines", "ids", "number", "choice", "many", "condition", "trust"]
BETWEEN = " | "  # stands between a wording and its gloss in standard language
SHY = "<"  # stands before what is sent about a field beside its value

Form = Mapping[str, str]  # what a browser sends: every field by name; boxes that are not ticked are missing


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `name` is its dotted place in the file or in an item; `default` is shown where the file is silent."""

    name: str
    kind: Kind = "line"
    choices: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together; with `items` they are those of each item of the list at that place."""

    name: str
    fields: tuple[Field, ...]
    items: str = ""


def _wordings() -> Field:
    return Field("say", "lines")


SECTIONS: tuple[Section, ...] = (
    Section("about", (
        Field("title"), Field("summary", "text"), Field("difficulty", "choice", ("1", "2", "3", "4", "5")),
        Field("topics", "many", get_args(Topic)), Field("call.direction", "choice", get_args(Direction), "inbound"),
        Field("call.reason", "text"),
    )),
    Section("person", (
        Field("who.name"), Field("who.age", "number"), Field("who.gender", "choice", ("female", "male")),
        Field("who.region"), Field("who.job"), Field("who.literacy", "choice", ("low", "medium", "high"), "medium"),
        Field("who.about", "text"),
    )),
    Section("speech", (
        Field("who.speech.temper", "choice", get_args(Temper)),
        Field("who.speech.dialect", "choice", get_args(Dialect), "none"),
        Field("who.speech.strength", "choice", ("0", "1", "2", "3"), "0"),
        Field("who.speech.mandarin", "choice", ("fluent", "partly", "none"), "fluent"),
        Field("who.speech.max_chars", "number", default="60"),
        Field("who.speech.habits", "lines"), Field("who.speech.pet_phrases", "lines"),
    )),
    Section("lines", tuple(Field(f"who.speech.lines.{act}", "lines") for act in ACTS)),
    Section("feelings", (
        Field("call.feelings.anger", "number", default="0"), Field("call.feelings.confusion", "number", default="0"),
        Field("call.feelings.trust", "number", default="2"), Field("call.feelings.inertia", "number", default="0.3"),
        Field("call.ends.turn_limit", "number", default="14"),
        Field("call.ends.when_upset", "choice", ("hung_up", "escalated"), "hung_up"),
    )),
    Section("openings", (
        Field("text", "text"), Field("gloss"),
        Field("act", "choice", ("open_vague", "open_direct", "agree_to_talk", "busy"), "open_vague"),
        Field("tells", "ids"),
    ), "call.openings"),
    Section("facts", (
        Field("text", "text"), Field("told", "choice", ("volunteered", "asked", "never"), "asked"),
        Field("needs", "trust"), Field("asked_by", "lines"), _wordings(),
        Field("slot", "choice", ("", *get_args(Slot))), Field("value"),
    ), "call.facts"),
    Section("beliefs", (Field("text", "text"), _wordings(), Field("corrected_by", "condition")), "call.beliefs"),
    Section("goals", (
        Field("text", "text"), Field("kind", "choice", ("must", "nice", "hidden"), "must"), _wordings(),
        Field("asked_by", "lines"), Field("met_by", "condition"),
    ), "call.goals"),
    Section("objections", (Field("text", "text"), _wordings(), Field("broken_by", "condition")), "call.objections"),
    Section("account", (Field("account.holder"), Field("account.id_tail"), Field("account.number"))),
    Section("records", (Field("label"), Field("text", "text")), "account.records"),
    Section("grading", (
        Field("grading.entries", "ids"), Field("grading.stages", "many", STAGES),
        Field("grading.pass_mark", "number", default="60"),
        Field("grading.hints", "choice", ("free", "costly", "none"), "free"),
    )),
    Section("sheet", (Field("label"), Field("fact"), Field("record")), "grading.form"),
    Section("answers", (Field("stage", "choice", STAGES), Field("text", "text")), "grading.model_answers"),
)  # fmt: skip
# What a new item begins with, so that little is missing: its id, where its kind has one, is made.
NEW: dict[str, dict[str, Any]] = {
    "call.openings": {"text": ""},
    "call.facts": {"id": "fact", "text": "", "told": "volunteered", "say": []},
    "call.beliefs": {"id": "belief", "text": "", "say": [], "corrected_by": {"move": "explain"}},
    "call.goals": {"id": "goal", "text": "", "kind": "must", "say": [], "met_by": {"move": ["act", "propose"]}},
    "call.objections": {"id": "objection", "text": "", "say": [], "broken_by": {"move": ["explain", "alternative"]}},
    "account.records": {"id": "record", "label": "", "text": ""},
    "grading.form": {"id": "field", "label": "", "fact": ""},
    "grading.model_answers": {"stage": "solving", "text": ""},
}


def fields(data: Any) -> Iterator[tuple[str, Field]]:
    """Every field that the form has for this data, by its dotted place in the file."""
    for section in SECTIONS:
        for field in section.fields:
            if not section.items:
                yield field.name, field
        for number in range(len(items(data, section.items))) if section.items else ():
            for field in section.fields:
                yield f"{section.items}.{number}.{field.name}", field


def items(data: Any, place: str) -> list[Any]:
    """The items of a list of the file; none where there is no list."""
    there = value_at(data, place)
    return there if isinstance(there, list) else []


def value_at(data: Any, place: str) -> Any:
    """What stands at a dotted place; None where there is nothing. A text stands for an item with that text."""
    for name in place.split("."):
        if isinstance(data, dict):
            data = data.get(name)
        elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        elif isinstance(data, str) and name == "text":
            continue
        else:
            return None
    return data


def shown(data: Any, language: str = "en") -> dict[str, str]:
    """What the form's fields hold for this data. Of boxes only those that are ticked are there."""
    found: dict[str, str] = {}
    for place, field in fields(data):
        found |= _shown(place, field, value_at(data, place), language)
    return found


def applied(data: Any, form: Form, language: str = "en") -> Any:
    """The data with everything that was changed in the form; what was left as it was shown stays as it was."""
    made = copy.deepcopy(data)
    for place, field in fields(data) if form else ():
        before = _shown(place, field, value_at(data, place), language)
        typed = {key: value.replace("\r\n", "\n") for key, value in form.items() if _belongs(key, place)}
        if typed == before or f"{place}{SHY}fixed" in form or (field.kind != "many" and place not in typed):
            continue
        _set(made, place, _read(field, place, typed))
    return made


def added(data: Any, place: str) -> Any:
    """The data with a new item at the end of a list of the form."""
    made, new = copy.deepcopy(data), copy.deepcopy(NEW[place])
    there = items(made, place)
    if "id" in new:
        taken = {item.get("id") for item in there if isinstance(item, dict)}
        new["id"] = next(name for n in range(1, len(there) + 2) if (name := f"{new['id']}-{n}") not in taken)
    _set(made, place, [*there, new])
    return made


def without(data: Any, place: str, number: int) -> Any:
    """The data without an item of a list of the form."""
    made = copy.deepcopy(data)
    there = items(made, place)
    _set(made, place, [*there[:number], *there[number + 1 :]])
    return made


def raised(data: Any, place: str, number: int) -> Any:
    """The data with an item of a list before the one that it followed."""
    made = copy.deepcopy(data)
    there = items(made, place)
    if 0 < number < len(there):
        there[number - 1], there[number] = there[number], there[number - 1]
    return made


def by_field(faults: tuple[Fault, ...], data: Any) -> tuple[dict[str, list[Fault]], list[Fault]]:
    """Faults by the field of the form that they stand at, and those that the form has no field for."""
    places = {place for place, _ in fields(data)}
    at: dict[str, list[Fault]] = {}
    rest: list[Fault] = []
    for fault in faults:
        place = _numbered(fault.field, data)
        while place and place not in places:
            place = place.rpartition(".")[0]
        at.setdefault(place, []).append(fault) if place else rest.append(fault)
    return at, rest


def _numbered(place: str, data: Any) -> str:
    """A place that names an item by its id, as the rehearsal does, by the item's number instead."""
    for section in SECTIONS:
        if section.items and place.startswith(section.items + "."):
            name, _, rest = place.removeprefix(section.items + ".").partition(".")
            ids = [item.get("id") if isinstance(item, dict) else None for item in items(data, section.items)]
            if name in ids:
                return f"{section.items}.{ids.index(name)}.{rest or 'text'}"
            return place if rest else f"{place}.text"
    return place


def _belongs(key: str, place: str) -> bool:
    return key == place or key.startswith((f"{place}=", f"{place}{SHY}"))


def _shown(place: str, field: Field, value: Any, language: str) -> dict[str, str]:
    if field.kind == "many":
        return {f"{place}={name}": "on" for name in field.choices if isinstance(value, list) and name in value}
    if field.kind == "condition":
        text = condition_text(value, language)
        return {f"{place}{SHY}fixed": "1"} if text is None else {place: text}
    if field.kind == "trust":
        return {place: _trust(value)}
    if value is None or value == "":
        return {place: field.default}
    if field.kind == "ids":
        return {place: ", ".join(map(str, value)) if isinstance(value, list) else str(value)}
    if field.kind == "lines":
        return {place: "\n".join(map(_line, value)) if isinstance(value, list) else str(value)}
    return {place: str(value)}


def _line(value: Any) -> str:
    if isinstance(value, dict):
        gloss = value.get("gloss", "")
        return f"{value.get('text', '')}{BETWEEN}{gloss}" if gloss else str(value.get("text", ""))
    return str(value)


def _trust(value: Any) -> str:
    """The trust that a fact wants; "?" for another condition, which the form leaves alone."""
    if value is None:
        return ""
    bound = value_at(value, "feeling.trust") if isinstance(value, dict) and len(value) == 1 else None
    alone = isinstance(bound, str) and bound.startswith(">=") and len(value["feeling"]) == 1
    return str(bound)[2:].strip() if alone else "?"


def _read(field: Field, place: str, typed: Mapping[str, str]) -> Any:
    """The value that was typed; None for nothing."""
    if field.kind == "many":
        return [name for name in field.choices if f"{place}={name}" in typed]
    text = typed.get(place, "").strip()
    if field.kind == "trust":
        return {"feeling": {"trust": f">={text}"}} if text else None
    if not text:
        return None
    if field.kind == "condition":
        return condition_of(text)
    if field.kind == "lines":
        return [_wording(line) for line in text.split("\n") if line.strip()]
    if field.kind == "ids":
        return _split(text)
    if field.kind == "number" or field.name in ("difficulty", "who.speech.strength"):
        return int(text) if text.isdecimal() else _number(text)
    return text


def _number(text: str) -> float | str:
    """What is no number stays as it was typed, for the loader to say so at its field."""
    try:
        return float(text)
    except ValueError:
        return text


def _split(text: str) -> list[str]:
    return [part for part in text.replace("，", ",").replace("、", ",").replace(" ", ",").split(",") if part]


def _wording(line: str) -> Any:
    text, bar, gloss = line.strip().partition(BETWEEN.strip())
    return {"text": text.strip(), "gloss": gloss.strip()} if bar and gloss.strip() else line.strip()


def _set(data: Any, place: str, value: Any) -> None:
    """Put a value at its place, making what is around it; None and [] take the key away."""
    *path, last = place.split(".")
    for name in path:
        if isinstance(data, list):
            number = int(name)
            if not isinstance(data[number], dict):  # a wording without a gloss is a plain text
                data[number] = {"text": data[number]}
            data = data[number]
        else:
            if not isinstance(data.get(name), dict | list):
                if value in (None, []):
                    return
                data[name] = {}
            data = data[name]
    if value in (None, []):
        data.pop(last, None)
    else:
        data[last] = value
