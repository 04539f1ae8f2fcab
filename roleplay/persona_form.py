"""A persona file as a form: its fields as flat named texts, and what was typed put back into the file's data.

Works on the data of any YAML mapping, also of one that is no persona yet: what is wrong is the loader's to say.
Keys that no persona has stay in the file untouched.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from roleplay.errors import Fault
from roleplay.field_texts import texts_of, value_of
from roleplay.persona_fields import NEW, SECTIONS, Field
from roleplay.persona_ids import followed, renames

Form = Mapping[str, str]  # what a browser sends: every field by name; boxes that are not ticked are missing


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
        found |= texts_of(place, field, value_at(data, place), language)
    return found


def applied(data: Any, form: Form, language: str = "en") -> Any:
    """The data with everything that was changed in the form; what was left as it was shown stays as it was.

    Whatever points to an id that was changed points to it still.
    """
    made = copy.deepcopy(data)
    for place, field in fields(data) if form else ():
        before = texts_of(place, field, value_at(data, place), language)
        typed = {key: form[key].replace("\r\n", "\n") for key in _inputs(place, field) if key in form}
        if _same(typed, before) or (field.kind != "many" and place not in typed):
            continue
        value = value_of(place, field, typed)
        _set(made, place.rpartition(".")[0] if field.head and value is None else place, value)
    return followed(made, renames(data, made))


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
    """A place that names an item by its id, as the rehearsal does, by the item's number instead.

    What is wrong with an item as a whole stands at its first field.
    """
    for section in SECTIONS:
        if section.items and place.startswith(section.items + "."):
            name, _, rest = place.removeprefix(section.items + ".").partition(".")
            ids = [item.get("id") if isinstance(item, dict) else None for item in items(data, section.items)]
            number = ids.index(name) if name in ids else name
            return f"{section.items}.{number}.{rest or section.fields[0].name}"
    return place


def _inputs(place: str, field: Field) -> list[str]:
    """The names of a field's inputs."""
    return [f"{place}={name}" for name in field.choices] if field.kind == "many" else [place]


def _same(typed: Form, before: Form) -> bool:
    """Whether a browser holds what it was given: white space at the ends is no change."""
    return {key: text.strip() for key, text in typed.items()} == {key: text.strip() for key, text in before.items()}


def _set(data: Any, place: str, value: Any) -> None:
    """Put a value at its place, making what is around it; None and [] take the key away, and what it leaves empty."""
    name, _, rest = place.partition(".")
    if isinstance(data, list):
        number = int(name)
        if not isinstance(data[number], dict):  # a wording without a gloss is a plain text
            data[number] = {"text": data[number]}
        _set(data[number], rest, value)
        return
    gone = value in (None, [])
    if rest:
        if not isinstance(data.get(name), dict | list):
            if gone:
                return
            data[name] = {}
        _set(data[name], rest, value)
        if gone and data[name] == {}:
            del data[name]
    elif gone:
        data.pop(name, None)
    else:
        data[name] = value
