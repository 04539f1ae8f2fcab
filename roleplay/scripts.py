"""Scripted trainees: files of lines that a trainee says whatever the customer answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, RootModel

from roleplay.conditions import Strict
from roleplay.dialogue import SILENCE, Direction, Language
from roleplay.errors import Fault, FileFault
from roleplay.yaml_files import read_yaml, validate

Policy = Literal[
    "excellent", "average", "cold", "rude", "wrong_facts", "overpromise", "silent", "injection", "offtopic",
    "breaks_confidentiality",
]  # fmt: skip


def _or_silence(line: str) -> str:
    """A turn without a word is a silent one."""
    return line.strip() or SILENCE


class Script(Strict):
    """One scripted trainee. It is played against `persona`, else against those that its topics or scenario fit."""

    id: str
    language: Language
    policy: Policy
    scenario: str = ""
    direction: Direction = "inbound"
    topics: tuple[str, ...] = ()
    persona: str = ""
    turns: tuple[Annotated[str, AfterValidator(_or_silence)], ...] = Field(min_length=1)


class Scripts(RootModel[tuple[Script, ...]]):
    """A file of scripted trainees."""


def load_scripts(path: Path) -> tuple[Script, ...]:
    """Read a YAML list of scripted trainees. Raises FileFault naming every wrong field with its line."""
    data, lines = read_yaml(path)
    scripts = validate(Scripts, data, lines, path).root
    ids = [script.id for script in scripts]
    if doubled := sorted({name for name in ids if ids.count(name) > 1}):
        raise FileFault(path, [Fault(f"{name!r} is there twice", None, "id") for name in doubled])
    return scripts


def script_lines(path: Path) -> tuple[str, ...]:
    """The trainee's lines of a .txt file (one a line) or a .yaml file (a list of lines, or of scripted trainees)."""
    if not path.is_file():
        raise FileFault(path, [Fault("there is no such file")])
    if path.suffix in (".yaml", ".yml"):
        data, _ = read_yaml(path)
        if isinstance(data, list) and data and all(isinstance(line, str) for line in data):
            return tuple(map(_or_silence, data))
        return load_scripts(path)[0].turns
    try:
        lines = tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise FileFault(path, [Fault("not UTF-8; save it as UTF-8")]) from error
    if not lines:
        raise FileFault(path, [Fault("no lines to say")])
    return lines
