"""YAML files that people write: read with the line of every field, checked against a pydantic model.

Does not know what the files mean. Anchors and aliases are refused: nobody needs them here, and a few
lines of them can grow to gigabytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from roleplay.errors import Fault, FileFault

MAX_DEPTH = 40
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there

Model = TypeVar("Model", bound=pydantic.BaseModel)


def read_yaml(path: str | Path, max_bytes: int = 2_000_000) -> tuple[Any, dict[str, int]]:
    """The data of one YAML file, and the 1-based line of every field by dotted path ("entries.0.answer").

    A key's line is where the key stands, a list item's where the item begins. The whole document has
    the empty path. Raises FileFault for a file that is missing, too big, not UTF-8, not YAML, empty or
    several documents, or that uses anchors, aliases, merges, foreign tags or one key twice.
    """
    return parse_yaml(_text(Path(path), max_bytes), path)


def parse_yaml(text: str, path: str | Path) -> tuple[Any, dict[str, int]]:
    """As `read_yaml`, of a text that is not in a file yet; `path` is what faults are reported for."""
    path = Path(path)
    try:
        _refuse_aliases(text, path)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise FileFault(path, [Fault("the file is empty")])
        lines: dict[str, int] = {}
        faults: list[Fault] = []
        _walk(node, (), lines, faults)
        if faults:
            raise FileFault(path, faults)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FileFault(path, [Fault(_yaml_message(error), mark.line + 1 if mark else None)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FileFault(
            path, [Fault(f"not YAML: the character {chr(error.character)!r} is not allowed", line)]
        ) from error
    except ValueError as error:  # a date such as 2026-13-01 passes the grammar and fails when made
        raise FileFault(path, [Fault(f"a value that cannot be read: {error}")]) from error


def validate(model: type[Model], data: Any, lines: dict[str, int], path: str | Path) -> Model:
    """`data` as an instance of `model`; raises FileFault with line and path of every wrong field."""
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        raise FileFault(path, faults_of(error, lines)) from error


def faults_of(error: pydantic.ValidationError, lines: dict[str, int], prefix: str = "") -> list[Fault]:
    """What pydantic found, each with the line of the field or of the nearest thing around it that has one.

    `prefix` is the dotted path of the validated part inside the file, for data that is checked in parts.
    """
    faults = []
    for problem in error.errors(include_url=False, include_context=False):
        parts = [*prefix.split("."), *map(str, problem["loc"])] if prefix else [str(part) for part in problem["loc"]]
        # pydantic adds names of union members and validators to the place; keep what the file really has
        known = [".".join(parts[:end]) for end in range(len(parts), -1, -1) if ".".join(parts[:end]) in lines]
        field = ".".join(parts) if problem["type"] == "missing" or not known else known[0]
        faults.append(Fault(_pydantic_message(problem), lines.get(known[0]) if known else None, field))
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.field))


def _text(path: Path, max_bytes: int) -> str:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise FileFault(path, [Fault(f"{size:,} bytes, more than the {max_bytes:,} that are read")])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FileFault(path, [Fault("not UTF-8 text; save the file as UTF-8", line)]) from error
    except OSError as error:
        raise FileFault(path, [Fault(f"cannot be read: {error.strerror or error}")]) from error


def _refuse_aliases(text: str, path: Path) -> None:
    """Looks at the events only, so that nothing is expanded before it is refused."""
    loader = _Loader(text)
    faults, depth = [], 0
    while loader.check_event():
        event = loader.get_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            faults.append(Fault(f"anchors and aliases are not read: {event.anchor!r}", event.start_mark.line + 1))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            faults.append(Fault(f"nested deeper than {MAX_DEPTH} levels", event.start_mark.line + 1))
            break
    if faults:
        raise FileFault(path, faults)


def _walk(node: yaml.Node, place: tuple[str, ...], lines: dict[str, int], faults: list[Fault]) -> None:
    """Note the line of everything below `node`; collect what a mapping of ours may not have."""
    lines.setdefault(".".join(place), node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*place, str(number)), lines, faults)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line, name = key.start_mark.line + 1, ".".join((*place, str(key.value)))
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                faults.append(Fault("a key must be plain text", line, ".".join(place)))
                continue
            if key.value in seen:
                faults.append(Fault("this key is given twice", line, name))
            seen.add(key.value)
            lines.setdefault(name, line)
            _walk(value, (*place, str(key.value)), lines, faults)


def _yaml_message(error: yaml.MarkedYAMLError) -> str:
    return "not YAML: " + " ".join(part for part in (error.context, error.problem) if part)


def _pydantic_message(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key"
    if problem["type"] == "missing":
        return "is missing"
    given = repr(problem["input"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{message} (found {given if len(given) <= 60 else given[:57] + '…'})"
