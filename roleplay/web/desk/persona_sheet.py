"""A persona's form as HTML: every field with its words in the page's language, and what is wrong at its field."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from roleplay.dialogue import MOVES
from roleplay.errors import Fault, FileFault
from roleplay.persona_form import SECTIONS, by_field, items, shown, value_at
from roleplay.texts import texts
from roleplay.web.desk.section import Desk
from roleplay.yaml_files import parse_yaml


def form_sheet(desk: Desk, data: Any, faults: Sequence[Fault], open_at: str = "") -> str:
    """The form for this data; sections with faults are unfolded, and the one whose list is `open_at`."""
    opened = {section.name for section in SECTIONS if section.name == "about" or (open_at and section.items == open_at)}
    return desk.render(
        "form.html", sections=SECTIONS, values=shown(data, desk.language), faults=by_field(tuple(faults), data)[0],
        choices=_choices(desk), moves=MOVES[: MOVES.index("refuse")], open=opened, version=secrets.token_hex(4),
        listed=lambda place: items(data, place),
        exact=lambda place: _exact(value_at(data, place)),
    )  # fmt: skip


def wrong_sheet(desk: Desk, text: str, mode: str, faults: Sequence[Fault]) -> str:
    """What is wrong in all: as a form the places that have no field of their own, as YAML every line."""
    if mode != "form":
        return desk.render("faults.html", faults=faults)
    try:
        at, rest = by_field(tuple(faults), parse_yaml(text, "persona.yaml")[0])
    except FileFault:
        return desk.render("faults.html", faults=faults)
    return desk.render("form_faults.html", number=len(faults), at_fields=bool(at), rest=rest)


def _choices(desk: Desk) -> Mapping[str, Mapping[str, str]]:
    """The words for what can be chosen, by the last part of a field's name."""
    words = texts(desk.language)
    page, form = words["page"], desk.words["form"]
    digits = {str(number): page["difficulty_of"].format(number=number) for number in range(1, 6)}
    return form["choices"] | {
        "topics": page["topics"], "dialect": page["dialects"], "direction": page["directions"], "difficulty": digits,
        "stage": words["stages"], "stages": words["stages"], "act": form["acts"],
    }  # fmt: skip


def _exact(value: Any) -> str:
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=70).strip()
