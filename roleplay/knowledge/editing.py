"""One entry of a YAML file edited as text: what would change is looked at first, then published as a version.

Only the entry's own lines are replaced; comments and the order of the file stay as its author wrote them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from roleplay.errors import Fault, FileFault, Rejected
from roleplay.knowledge.changes import Changes, changes
from roleplay.knowledge.entries import contradictions, entry_files, fingerprint, load_entries
from roleplay.knowledge.journal import alone, replace_files
from roleplay.knowledge.versions import Version, keep_version
from roleplay.yaml_files import read_yaml

NEW = """\
  - id: new-entry
    language: zh-CN
    product:
    question:
    answer:
    also_asked: []
    facts: {}
    audience: public
"""


@dataclass(frozen=True)
class Block:
    """An entry's lines in its file; `start` is the first one, 1-based, `end` the one behind the last."""

    path: Path
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Edit:
    """What replacing a block would do, and the state of the knowledge base for which that holds."""

    path: Path
    content: str
    changes: Changes
    warnings: tuple[str, ...]
    base: str


def find_block(paths: Sequence[Path], entry_id: str) -> Block:
    """Where an entry stands. Raises Rejected for an unknown one."""
    block = item_block(entry_files(paths), "entries", entry_id)
    if block is None:
        raise Rejected(f"the knowledge base has no entry {entry_id!r}")
    return block


def item_block(files: Iterable[Path], key: str, item_id: str) -> Block | None:
    """Where the item of that id stands in the lists named `key` of YAML files."""
    for path in files:
        data, lines = read_yaml(path)
        for number, item in enumerate(data.get(key) or []):
            if isinstance(item, dict) and item.get("id") == item_id:
                text = path.read_text("utf-8").split("\n")
                start = lines[f"{key}.{number}"]
                following = lines.get(f"{key}.{number + 1}", len(text) + 1)
                # blank lines and comments above the next item are about that one
                while following - 1 > start and text[following - 2].strip()[:1] in ("", "#"):
                    following -= 1
                return Block(path, start, following, "\n".join(text[start - 1 : following - 1]))
    return None


def spliced(place: Block | Path, text: str) -> tuple[str, int]:
    """The file's content with `text` in the block's place, or at its end, and the lines that come before it."""
    path = place if isinstance(place, Path) else place.path
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    at, end = (place.start - 1, place.end - 1) if isinstance(place, Block) else (len(lines), len(lines))
    new = text.rstrip().split("\n") if text.strip() else []
    return "\n".join([*lines[:at], *new, *lines[end:]]) + "\n", at


def plan_edit(paths: Sequence[Path], place: Block | Path, text: str) -> Edit:
    """What putting `text` in a block's place would do, or at the end of a file; an empty text removes the entry.

    Raises FileFault with the line, counted from the first of `text`, of everything wrong in it.
    """
    path = place if isinstance(place, Path) else place.path
    content, at = spliced(place, text)
    before = load_entries(paths)
    there = {file: load_entries(file) for file in entry_files(paths)}
    after = [entry for file, entries in there.items() if file != path for entry in entries]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(content, "utf-8")
        try:
            made = load_entries(copy)
        except FileFault as error:
            moved = [Fault(each.message, each.line - at if each.line else None, each.field) for each in error.faults]
            raise FileFault(path.name, moved) from error
    twice = {entry.id for entry in after} & {entry.id for entry in made}
    if twice:
        raise FileFault(path.name, [Fault(f"the id is used in another file: {', '.join(sorted(twice))}")])
    old = set(map(str, contradictions(before)))
    warnings = tuple(text for fault in contradictions([*after, *made]) if (text := str(fault)) not in old)
    return Edit(path, content, changes(before, [*after, *made]), warnings, fingerprint(before))


def apply_edit(edit: Edit, paths: Sequence[Path], data: Path) -> Version | None:
    """Carry the edit out and keep the result as a version; None if it changes nothing.

    `data` is the folder of the search index. Raises Rejected if the knowledge base has changed meanwhile.
    """
    if not edit.changes:
        return None
    with alone(data):
        if fingerprint(load_entries(paths)) != edit.base:
            raise Rejected("the knowledge base has changed meanwhile; nothing was published. Look at the change again")
        keep_version(paths, data / "versions", "before an edit")
        replace_files(edit.path.parent, {edit.path.name: edit.content.encode()})
        ids = [each.after.id for each in edit.changes.changed]
        ids += [entry.id for entry in (*edit.changes.added, *edit.changes.removed)]
        return keep_version(paths, data / "versions", f"edit of {', '.join(ids[:5])}")
