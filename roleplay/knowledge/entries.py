"""Knowledge-base entries: what a YAML file of them may hold, and how files become checked values.

Light: nothing here searches. A file has `entries:` at its top; docs/knowledge.md describes the fields.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from roleplay.conditions import fits
from roleplay.dialogue import Evidence, Language
from roleplay.errors import Fault, FileFault
from roleplay.knowledge.journal import settle
from roleplay.yaml_files import read_yaml, validate

MAX_BYTES = 5_000_000

Audience = Literal["public", "internal"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Name = Annotated[str, fits(r"[A-Za-z0-9_.-]{1,100}", "must be letters, digits, . - and _ without spaces, at most 100")]


@dataclass(frozen=True)
class Entry:
    """One article: a question, the ways in which it is also asked, and the answer that counts as true.

    `facts` are the answer's short facts by name, as text ("28元/天"). `source` says where the entry was
    read, "roaming.yaml:12", or what its author gave as its source. Dates are inclusive; None is open.
    """

    id: str
    language: Language
    product: str
    question: str
    answer: str
    also_asked: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    audience: Audience = "public"
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    related: tuple[str, ...] = ()
    twin: str | None = None  # the entry in the other language that says the same
    source: str = ""

    def evidence(self) -> Evidence:
        """The entry as a text that a reply is held against."""
        return Evidence(self.id, self.answer, self.question, self.facts)

    def valid_on(self, day: datetime.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class EntryInFile(BaseModel):
    """The fields of an entry as a person writes them."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    id: Name
    language: Language
    product: Text
    question: Text
    answer: Text
    also_asked: list[Text] = Field(default=[], max_length=50)
    facts: dict[Name, Text] = Field(default={}, max_length=50)
    audience: Audience = "public"
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    related: list[Name] = []
    twin: Name | None = None
    source: Text | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> EntryInFile:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self


class EntriesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    entries: list[EntryInFile]


def load_entries(paths: str | Path | Iterable[str | Path]) -> list[Entry]:
    """The entries of YAML files, or of all `*.yaml` and `*.yml` files in folders, in order of their names.

    Raises FileFault for the first file that is wrong, with every wrong field of it, and for an id that
    is used twice, naming both places.
    """
    entries: list[Entry] = []
    places: dict[str, str] = {}
    for path in entry_files([paths] if isinstance(paths, str | Path) else list(paths)):
        data, lines = read_yaml(path, MAX_BYTES)
        written = validate(EntriesFile, data, lines, path).entries
        faults = []
        for number, item in enumerate(written):
            line = lines[f"entries.{number}"]
            place = f"{path.name}:{line}"
            if item.id in places:
                faults.append(
                    Fault(f"the id {item.id!r} is also used in {places[item.id]}", line, f"entries.{number}.id")
                )
            places.setdefault(item.id, f"{path}, line {line}")
            entries.append(_entry(item, place))
        if faults:
            raise FileFault(path, faults)
    return entries


def entry_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files that `load_entries` reads, in its order. A change of theirs that was cut off is carried to its end.

    Raises FileFault for a folder without such files.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        settle(path if path.is_dir() else path.parent)
        inside = (
            sorted(file for file in path.glob("*.y*ml") if file.suffix in (".yaml", ".yml"))
            if path.is_dir()
            else [path]
        )
        if not inside:
            raise FileFault(path, [Fault("the folder holds no .yaml file")])
        files += inside
    return files


def fingerprint(entries: Sequence[Entry]) -> str:
    """16 hex digits that change with anything that a search or a grade can see, not with the files' order."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.id):
        digest.update(repr((entry.id, *(value for name, value in vars(entry).items() if name != "source"))).encode())
    return digest.hexdigest()[:16]


def contradictions(entries: Sequence[Entry]) -> list[Fault]:
    """What is wrong between or within entries that each are well formed.

    Links that lead nowhere or from public to internal entries, one question claimed by two entries,
    numbers in the facts that the answer does not give, and twins that do not say the same.
    """
    by_id = {entry.id: entry for entry in entries}
    asked: dict[str, str] = {}
    found: list[tuple[Entry, str]] = []
    for entry in entries:
        found += [(entry, text) for text in (*_link_faults(entry, by_id), *_twin_faults(entry, by_id))]
        lost = numbers_in(" ".join(text for _, text in entry.facts)) - numbers_in(entry.answer)
        if lost:
            found.append((entry, f"numbers in facts that the answer does not give: {', '.join(sorted(lost))}"))
        for text in (entry.question, *entry.also_asked):
            other = asked.setdefault(text.casefold(), entry.id)
            if other != entry.id:
                found.append((entry, f"{text!r} is also asked in {other}"))
    return [Fault(f"{entry.id}: {text} ({entry.source})") for entry, text in found]


def numbers_in(text: str) -> set[str]:
    """The digits-numbers of a text, without thousands separators, full hours and the number of a zone."""
    text = re.sub(r"(?<=\d),(?=\d{3})|:00(?!\d)|\bZone \d", "", text).replace("千分之三", "0.3%")
    return set(re.findall(r"\d+(?:\.\d+)?", text))


def _entry(item: EntryInFile, place: str) -> Entry:
    values: dict[str, Any] = dict(item)
    values |= {"also_asked": tuple(item.also_asked), "related": tuple(item.related), "facts": tuple(item.facts.items())}
    return Entry(**values | {"source": item.source or place})


def _link_faults(entry: Entry, by_id: dict[str, Entry]) -> Iterable[str]:
    for other in entry.related:
        if other not in by_id or other == entry.id:
            yield f"related: there is no other entry {other!r}"
        elif entry.audience == "public" and by_id[other].audience == "internal":
            yield f"related: a public entry must not lead to the internal {other!r}"


def _twin_faults(entry: Entry, by_id: dict[str, Entry]) -> Iterable[str]:
    if entry.twin is None:
        return
    twin = by_id.get(entry.twin)
    if twin is None or twin.language == entry.language:
        yield f"twin: there is no entry {entry.twin!r} in the other language"
        return
    here, there = dict(entry.facts), dict(twin.facts)
    if set(here) != set(there):
        yield f"twin: the facts {sorted(set(here) ^ set(there))} are not in both"
    for name in sorted(set(here) & set(there)):
        if numbers_in(here[name]) != numbers_in(there[name]):
            yield f"twin: the fact {name!r} has other numbers than in {twin.id}"
    extra = numbers_in(entry.answer) - numbers_in(twin.answer)
    if extra:
        yield f"twin: numbers that the answer of {twin.id} does not give: {', '.join(sorted(extra))}"
    if (entry.audience, entry.valid_from, entry.valid_to) != (twin.audience, twin.valid_from, twin.valid_to):
        yield f"twin: audience or dates differ from {twin.id}"
