"""A persona's form as HTML: every field with its words in the page's language, and what is wrong at its field."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from roleplay.condition_words import NAMED
from roleplay.dialogue import MOVES
from roleplay.errors import Fault, FileFault
from roleplay.persona_fields import SECTIONS, Field, Section
from roleplay.persona_form import by_field, items, shown, value_at
from roleplay.texts import texts
from roleplay.web.desk.section import Desk
from roleplay.yaml_files import parse_yaml

ONE_OF = re.compile(r"must be one of (.+?) \(found (.+?)(?:; is (.+?) meant\?)?\)", re.DOTALL)


def form_sheet(desk: Desk, data: Any, faults: Sequence[Fault], open_at: str = "") -> str:
    """The form for this data; sections with faults are unfolded, and the one whose list is `open_at`."""
    values, at = shown(data, desk.language), by_field(tuple(faults), data)[0]
    choices, known = _choices(desk), _known(desk, data)
    return desk.render(
        "form.html", sections=SECTIONS, values=values, faults=at, version=secrets.token_hex(4),
        moves=MOVES[: MOVES.index("refuse")],
        open={section.name for section in SECTIONS if section.name == "about" or (open_at and section.items == open_at)},
        listed=lambda place: items(data, place),
        label=lambda section, field: _label(desk, section, field),
        tip=lambda section, field: _tip(desk, section, field),
        names=lambda section, field: _of(choices, section, field) or {},
        told=lambda message, section, field: _told(message, _of(choices, section, field) or texts(desk.language)["moves"]),
        meant=lambda place: _meant(value_at(data, place), known),
        held=lambda prefix, fields: _held(prefix, fields, values),
    )  # fmt: skip


def wrong_sheet(desk: Desk, text: str, mode: str, faults: Sequence[Fault]) -> str:
    """What is wrong in all: as a form the places that have no field of their own, as YAML every line."""
    if mode != "form":
        return desk.render("faults.html", faults=faults)
    try:
        at, rest = by_field(tuple(faults), parse_yaml(text, "persona.yaml")[0])
    except FileFault:
        return desk.render("faults.html", faults=faults)
    say = desk.words["form"]["sections"]
    where = {section.items: say[section.name] for section in SECTIONS if section.items}
    return desk.render("form_faults.html", number=len(faults), at_fields=bool(at), rest=rest, where=where)


def _known(desk: Desk, data: Any) -> dict[str, str]:
    """What ids of entries, of records and of the customer's own parts stand for."""
    entries = {entry.id: entry.question for entry in desk.room.knowledge.entries_by_id().values()}
    records = {f"account.{record.get('id')}": record.get("label") for record in _parts(data, "account.records")}
    kinds = ("facts", "goals", "beliefs", "objections")
    own = {part.get("id"): part.get("text") for kind in kinds for part in _parts(data, f"call.{kind}")}
    return {str(name): str(text) for name, text in (entries | records | own).items() if text}


def _parts(data: Any, place: str) -> list[dict[str, Any]]:
    return [item for item in items(data, place) if isinstance(item, dict)]


def _meant(value: Any, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """The ids that a field holds, each once, with what they stand for."""
    return [(name, known[name]) for name in dict.fromkeys(_ids(value)) if name in known]


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from [each] if isinstance(each, str) else _ids(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in NAMED and isinstance(each, str):
                yield each
            elif key in ("all", "any", "not"):
                yield from _ids(each)


def _of(table: Mapping[str, Any], section: Section, field: Field) -> Any:
    """What a table of texts has for a field: by its section and name, by its name, by the last part of that."""
    keys = (f"{section.name}.{field.name}", field.name, field.name.rpartition(".")[2])
    return next((table[key] for key in keys if key in table), None)


def _label(desk: Desk, section: Section, field: Field) -> str:
    say, words = desk.words["form"], texts(desk.language)
    last = field.name.rpartition(".")[2]
    if section.name == "lines":
        return str(say["acts"][last])
    if field.name.startswith("grading.weights."):
        return str(say["weight"]).format(name=words["dimensions"][last])
    if field.name.startswith("grading.caps."):
        return str(say["cap"]).format(name=words["caps"][last])
    return str(_of(say["fields"], section, field))


def _tip(desk: Desk, section: Section, field: Field) -> str:
    """A sentence of help; a field without one of its own has that of its kind, lines by moment that of their section."""
    tips = desk.words["form"]["tips"]
    return "" if section.name == "lines" else str(_of(tips, section, field) or tips.get(field.kind, ""))


def _told(message: str, names: Mapping[str, str]) -> str:
    """A fault with what may be chosen in the words that the form has for it."""
    if not (told := ONE_OF.fullmatch(message)):
        return message
    allowed = ", ".join(str(names.get(name, name)) for name in told[1].split(", "))
    near = f"; is {names.get(told[3], told[3])} meant?" if told[3] else ""
    return f"must be one of {allowed} (found {told[2]}{near})"


def _held(prefix: str, fields: Collection[Field], values: Mapping[str, str]) -> int:
    """How many of the fields that are folded away hold something of their own; every item has an id."""
    places = {prefix + field.name: field for field in fields if field.name != "id"}
    return sum(
        values.get(place, field.default) != field.default or any(f"{place}={name}" in values for name in field.choices)
        for place, field in places.items()
    )


def _choices(desk: Desk) -> Mapping[str, Mapping[str, str]]:
    """The words for what can be chosen."""
    words = texts(desk.language)
    page, form = words["page"], desk.words["form"]
    digits = {str(number): page["difficulty_of"].format(number=number) for number in range(1, 6)}
    return form["choices"] | {
        "topics": page["topics"], "dialect": page["dialects"], "direction": page["directions"], "difficulty": digits,
        "stage": words["stages"] | {"": "–"}, "stages": words["stages"], "act": form["acts"],
        "good": words["endings"], "file.language": page["languages"],
    }  # fmt: skip
