"""What differs between two states of the knowledge base, and which personas rest on what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from roleplay.knowledge.entries import Entry
from roleplay.persona import Persona


@dataclass(frozen=True)
class Changed:
    """An entry that is in both states, with the names of the fields that differ."""

    before: Entry
    after: Entry
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    added: tuple[Entry, ...] = ()
    changed: tuple[Changed, ...] = ()
    removed: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def changes(before: Sequence[Entry], after: Sequence[Entry]) -> Changes:
    """Entries by id; where an entry was read (`source`) is no difference."""
    old, new = {entry.id: entry for entry in before}, {entry.id: entry for entry in after}
    changed = []
    for id in old.keys() & new.keys():
        here, there = vars(old[id]), vars(new[id])
        fields = tuple(name for name in here if name != "source" and here[name] != there[name])
        if fields:
            changed.append(Changed(old[id], new[id], fields))
    return Changes(
        tuple(entry for entry in after if entry.id not in old),
        tuple(sorted(changed, key=lambda each: each.after.id)),
        tuple(entry for entry in before if entry.id not in new),
    )


def stale_personas(personas: Iterable[Persona], difference: Changes) -> dict[str, list[str]]:
    """Persona id to the removed and changed entries that its grading or its conditions name, sorted."""
    removed = {entry.id for entry in difference.removed}
    touched = removed | {each.after.id for each in difference.changed}
    stale: dict[str, list[str]] = {}
    for persona in personas:
        told = {part.told for _, condition in persona.conditions() for part in condition.parts() if part.told}
        if named := (told | set(persona.grading.entries)) & touched:
            stale[persona.id] = [f"{id} ({'removed' if id in removed else 'changed'})" for id in sorted(named)]
    return stale
