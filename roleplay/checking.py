"""What `roleplay check` proves of the files that trainers write: personas, knowledge base, standards."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from roleplay.errors import Fault, FileFault
from roleplay.knowledge.entries import Entry, contradictions, load_entries
from roleplay.persona import load_library
from roleplay.rehearsal import Proof, rehearse
from roleplay.settings import Settings
from roleplay.standards import load_standards
from roleplay.yaml_files import read_yaml


@dataclass
class Checked:
    """Proofs of the personas that could be read, all faults, and how much else was looked at."""

    proofs: list[Proof] = field(default_factory=list)
    faults: list[FileFault] = field(default_factory=list)
    entries: int = 0
    rules: int = 0

    def as_data(self) -> dict[str, Any]:
        proofs = [asdict(proof) | {"faults": [str(fault) for fault in proof.faults]} for proof in self.proofs]
        return {"personas": proofs, "entries": self.entries, "rules": self.rules, "faults": list(map(str, self.faults))}


def check_files(settings: Settings, paths: Sequence[Path]) -> Checked:
    """Check these files and folders, or all of the settings when none are named. Never raises for a wrong file."""
    checked = Checked()
    personas, knowledge, standards = _sorted_out(paths, checked) if paths else _of_settings(settings)
    _check_knowledge(knowledge, checked)
    if standards:
        _check_standards(standards, settings, checked)
    if personas:
        _check_personas(personas, settings, checked)
    return checked


def _of_settings(settings: Settings) -> tuple[list[Path], list[Path], list[Path]]:
    shipped = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
    return list(settings.personas), list(settings.knowledge), list(settings.rule_files) or shipped


def _sorted_out(paths: Sequence[Path], checked: Checked) -> tuple[list[Path], list[Path], list[Path]]:
    """The files by what they hold; one that cannot be read is a fault."""
    personas: list[Path] = []
    knowledge: list[Path] = []
    standards: list[Path] = []
    for path in _files(paths, checked):
        try:
            data, _ = read_yaml(path)
        except FileFault as fault:
            checked.faults.append(fault)
            continue
        keys = data.keys() if isinstance(data, dict) else ()
        (knowledge if "entries" in keys else standards if "rules" in keys else personas).append(path)
    return personas, knowledge, standards


def _files(paths: Sequence[Path], checked: Checked) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.yaml"))
        elif path.exists():
            yield path
        else:
            checked.faults.append(FileFault(path, [Fault("there is no such file or folder")]))


def _check_knowledge(paths: Sequence[Path], checked: Checked) -> None:
    if not paths:
        return
    try:
        entries = load_entries(paths)
    except FileFault as fault:
        checked.faults.append(fault)
        return
    checked.entries = len(entries)
    if found := contradictions(entries):
        checked.faults.append(FileFault(paths[0], found))


def _check_standards(paths: Sequence[Path], settings: Settings, checked: Checked) -> None:
    """Rules are held against the entries that they rest on, where there is a knowledge base to hold them against."""
    entries, today = _entries(settings, checked), datetime.date.today()
    for path in paths:
        try:
            rules = load_standards([path]).rules.values()
        except FileFault as fault:
            checked.faults.append(fault)
            continue
        checked.rules += len(rules)
        if entries is None:
            continue
        _, lines = read_yaml(path)
        faults = [
            Fault(f"{rule.id} rests on {wrong}", lines.get(f"rules.{number}"), f"rules.{number}.entries")
            for number, rule in enumerate(rules)
            for name in rule.entries
            if (wrong := _gone(name, entries.get(name), today))
        ]
        if faults:
            checked.faults.append(FileFault(path, faults))


def _gone(name: str, entry: Entry | None, today: datetime.date) -> str:
    """Why an entry can no longer be rested on; empty where it can."""
    if entry is None:
        return f"{name!r}, which is no entry of the knowledge base"
    if entry.valid_to and entry.valid_to < today:
        return f"{name!r}, which was valid until {entry.valid_to}: look whether the rule still holds"
    return ""


def _entries(settings: Settings, checked: Checked) -> dict[str, Entry] | None:
    """The knowledge base of the settings by id; None, and a fault, where it cannot be read."""
    try:
        return {entry.id: entry for entry in load_entries(settings.knowledge)}
    except FileFault as fault:
        if str(fault) not in map(str, checked.faults):
            checked.faults.append(fault)
        return None


def _check_personas(paths: Sequence[Path], settings: Settings, checked: Checked) -> None:
    """Personas are held against the knowledge base of the settings; without one, their references are not."""
    entries = _entries(settings, checked)
    ids = None if entries is None else list(entries)
    library = load_library(paths, ids)
    checked.faults.extend(library.faults)
    for persona in library.personas.values():
        proof = rehearse(persona)
        checked.proofs.append(proof)
        if proof.faults:
            checked.faults.append(FileFault(library.paths[persona.id], proof.faults))
