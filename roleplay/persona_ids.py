"""Ids inside a persona file, and what points to them: conditions, openings, the intake form, what must be said.

Works on the data of any YAML mapping, as `persona_form` does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

# Key to the list that holds what it names, and what stands before the id there.
POINTERS: Mapping[str, tuple[str, str]] = {
    "asked": ("call.facts", ""), "knows": ("call.facts", ""), "tells": ("call.facts", ""), "fact": ("call.facts", ""),
    "goal": ("call.goals", ""), "belief": ("call.beliefs", ""), "objection": ("call.objections", ""), "heard": ("call.responses", ""),
    "record": ("account.records", ""), "told": ("account.records", "account."),
    "entries": ("account.records", "account."),
}  # fmt: skip

Renames = Mapping[tuple[str, str], str]  # the key's list and what stood there to what stands there now


def renames(before: Any, after: Any) -> dict[tuple[str, str], str]:
    """The ids that were changed from one state of a file to the next: gone here, new there, in the same item's place.

    An id that two items had or have is left out: what points to it may mean either.
    """
    found: dict[tuple[str, str], str] = {}
    for place in dict.fromkeys(place for place, _ in POINTERS.values()):
        old, new = _ids(before, place), _ids(after, place)
        for one, other in zip(old, new, strict=False):
            if one and other and one not in new and other not in old and old.count(one) == new.count(other) == 1:
                found[place, one] = other
    return found


def followed(data: Any, changed: Renames) -> Any:
    """The data with everything that pointed to these ids pointing to them still."""
    made = copy.deepcopy(data)
    for name in ("call", "grading"):
        if changed and isinstance(made, dict) and name in made:
            made[name] = _mapped(made[name], lambda key, text: _now(key, text, changed))
    return made


def pointers(data: Any, place: str, name: str) -> int:
    """In how many places a file points to this id of a list."""
    found = []

    def look(key: str, text: str) -> str:
        found.append(_now(key, text, {(place, name): ""}) != text)
        return text

    for block in ("call", "grading"):
        _mapped(data.get(block) if isinstance(data, dict) else None, look)
    return sum(found)


def _now(key: str, text: str, changed: Renames) -> str:
    place, prefix = POINTERS[key]
    new = changed.get((place, text.removeprefix(prefix))) if text.startswith(prefix) else None
    return text if new is None else prefix + new


def _mapped(value: Any, each: Callable[[str, str], str], key: str = "") -> Any:
    """A value with every text that stands at a key of POINTERS, alone or in a list, given to `each`."""
    if isinstance(value, dict):
        return {name: _mapped(item, each, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, each, key) for item in value]
    return each(key, value) if isinstance(value, str) and key in POINTERS else value


def _ids(data: Any, place: str) -> list[str]:
    block, _, name = place.partition(".")
    there = data.get(block) if isinstance(data, dict) else None
    items = there.get(name) if isinstance(there, dict) else None
    ids = [item.get("id") if isinstance(item, dict) else None for item in (items if isinstance(items, list) else [])]
    return [name if isinstance(name, str) else "" for name in ids]
