"""Persona files as trainers edit them: checked with the line of every mistake, published whole, every version kept.

A version is kept in the records before the file of that name changes, so that there is always a way back.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Sequence
from itertools import chain, count
from pathlib import Path

from pypinyin import lazy_pinyin

from roleplay.errors import Fault, FileFault, Rejected, Unavailable
from roleplay.knowledge.journal import replace_files
from roleplay.persona import Library, Persona, persona_faults
from roleplay.records import FileVersion, Records
from roleplay.rehearsal import Proof, rehearse
from roleplay.yaml_files import parse_yaml, validate

KIND = "persona"
LONGEST = 200_000  # characters of a file
FIRST = "as it was found"


def parse_persona(text: str, entry_ids: Iterable[str] | None = None, name: str = "persona.yaml") -> Persona:
    """A persona from the text of its file. Raises FileFault with the line of everything wrong."""
    if len(text) > LONGEST:
        raise FileFault(name, [Fault(f"{len(text):,} characters, more than the {LONGEST:,} that are read")])
    data, lines = parse_yaml(text, name)
    persona = validate(Persona, data, lines, name)
    if faults := persona_faults(persona, lines, entry_ids):
        raise FileFault(name, faults)
    return persona


def check_persona(text: str, entry_ids: Iterable[str] | None = None) -> Proof:
    """The persona played through by made-up trainees. Raises FileFault for a text that is not one."""
    return rehearse(parse_persona(text, entry_ids))


def template(text: str, new_id: str, title: str) -> str:
    """The text of a new persona, made of an existing one's: its own id and title, everything else to be changed."""
    for name, value in (("id", new_id), ("title", title)):
        quoted = value if name == "id" else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        line = f"{name}: {quoted}".replace("\\", "\\\\")  # a backslash means something in a replacement
        text, changed = re.subn(rf"(?m)^{name}:.*$", line, text, count=1)
        if not changed:
            raise Rejected(f"the template has no line that begins with {name}:")
    return text


def written_as(key: str, text: str) -> str:
    """What a file says at a key of its own, such as its title; "" where nothing is found. The text may be no YAML."""
    found = re.search(rf"(?m)^{key}:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", text)
    return found[1] if found else ""


def free_id(title: str, text: str, taken: Container[str]) -> str:
    """An id that is not taken, made of how a title sounds; `text` is the file, whose language it begins with."""
    sounds = "-".join(re.findall(r"[a-z0-9]+", " ".join(lazy_pinyin(title)).casefold())) or "customer"
    name = f"{'en' if written_as('language', text) == 'en' else 'zh'}-{sounds}"[:50].rstrip("-")
    return next(each for each in chain([name], (f"{name}-{n}" for n in count(2))) if each not in taken)


def publish(
    records: Records, library: Library, folders: Sequence[Path], text: str, entry_ids: Iterable[str] | None, who: str,
    why: str = "",
) -> Persona:  # fmt: skip
    """Write a persona's file, in the place of the one of that id, else into the first folder; keep it as a version.

    Raises FileFault for a text that is wrong or cannot be published, Unavailable if the folder cannot be written;
    nothing has changed then.
    """
    persona = parse_persona(text, entry_ids)
    proof = rehearse(persona)
    if proof.faults:
        raise FileFault("persona.yaml", proof.faults)
    place = library.paths.get(persona.id) or _new_place(folders, persona)
    if persona.id in library.paths and not records.file_versions(KIND, persona.id):
        records.keep_file_version(FileVersion(KIND, persona.id, place.read_text("utf-8"), who, FIRST))
    replace_files(place.parent, {place.name: text.encode()})
    versions = records.file_versions(KIND, persona.id)
    if not versions or versions[0].text != text:
        records.keep_file_version(FileVersion(KIND, persona.id, text, who, why))
    return persona


def withdraw(records: Records, library: Library, persona_id: str, who: str) -> None:
    """Take a persona's file away; its versions stay, and publishing one brings it back. Calls had with it stay."""
    path = library.paths.get(library.get(persona_id).id)
    assert path is not None
    text = path.read_text("utf-8")
    versions = records.file_versions(KIND, persona_id)
    if not versions or versions[0].text != text:
        records.keep_file_version(FileVersion(KIND, persona_id, text, who, FIRST))
    replace_files(path.parent, {path.name: None})


def difference(before: str, after: str) -> list[str]:
    """The lines that differ, each with its sign, and three around them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return list(lines)[2:]  # the first two name files


def _new_place(folders: Sequence[Path], persona: Persona) -> Path:
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise Rejected("the settings name no folder of personas that a new one could be written to")
    short = "zh" if persona.language == "zh-CN" else "en"
    place = (folder / short if (folder / short).is_dir() else folder) / f"{persona.id}.yaml"
    if place.exists():
        raise Unavailable("the persona", f"{place.name} is there already and holds another one", "Choose another id")
    return place
