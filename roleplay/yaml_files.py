"""YAML files that people write: read with the line of every field, checked against a pydantic model.

Does not know what the files mean. Anchors and aliases are refused: nobody needs them here, and a few
lines of them can grow to gigabytes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from roleplay.errors import Fault, FileFault
from roleplay.fault_words import explained

MAX_DEPTH = 40
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there

TRIED = re.compile(r"\[")  # pydantic adds the kinds that it tried to a place; keep what the file really has

# A piece of the parser's message, and what has mostly happened.
PLAIN = (
    ("mapping values are not allowed", "a colon too many, or a text that needs quotes"),
    ("did not find expected key", "the indentation is wrong, or the line before is not finished"),
    ("did not find expected '-'", "the indentation is wrong, or the line before is not finished"),
    ("did not find expected ','", "a bracket is not closed, or a comma is missing between its parts"),
    ("did not find expected node", "a bracket is not closed, or a comma is missing between its parts"),
    ("could not find expected ':'", "a colon is missing, or the line before is not finished"),
    ("unexpected end of stream", "a quote is not closed"),
    ("cannot start any token", "a tab, or a sign that YAML keeps for itself: use spaces, or put the text in quotes"),
    ("determine a constructor", "a tag beginning with ! is not read"),
    ("single document", "the file holds several documents; --- may stand at its beginning alone"),
)

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
        loader = Loader(text)
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
        raise FileFault(path, faults_of(error, model, lines)) from error


def faults_of(error: pydantic.ValidationError, model: type[pydantic.BaseModel], lines: dict[str, int]) -> list[Fault]:
    """What pydantic found, each with the line of the field or of the nearest thing around it that has one."""
    found: dict[str, list[tuple[str, Fault]]] = {}
    for problem in error.errors(include_url=False):
        place, message = explained(problem, model)
        parts = [str(part) for part in place if not TRIED.search(str(part))]
        known = [".".join(parts[:end]) for end in range(len(parts), -1, -1) if ".".join(parts[:end]) in lines]
        field = ".".join(parts) if problem["type"] in ("missing", "value_error") or not known else known[0]
        fault = Fault(message, lines.get(known[0]) if known else None, field)
        found.setdefault(field, []).append((problem["type"], fault))
    # of a value that may be one or several, the one that is wrong says most
    deepest = [field for field in found if not any(other.startswith(field + ".") for other in found)]
    faults = [fault for field in deepest for fault in _telling(found[field])]
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.field))


def _telling(there: list[tuple[str, Fault]]) -> list[Fault]:
    """Of several kinds that a value might have had, the one that it has says most."""
    rest = [fault for kind, fault in there if not kind.endswith("_type")]
    return rest or [fault for _, fault in there[:1]]


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
    loader = Loader(text)
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
    said = " ".join(part for part in (error.context, error.problem) if part)
    return "not YAML: " + next((plain for piece, plain in PLAIN if piece in said), said)
