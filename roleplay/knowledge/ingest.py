"""Files of knowledge into the knowledge base: a plan that can be looked at first, then one change or none.

Each imported file becomes one YAML file, named after it, in a folder of the knowledge base. Importing a
file again replaces what it brought last time and nothing else.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from roleplay.errors import Fault, FileFault, Rejected
from roleplay.knowledge import manuals, tables
from roleplay.knowledge.changes import Changes, changes
from roleplay.knowledge.drafts import Defaults, make_entries, question_key
from roleplay.knowledge.entries import Entry, contradictions, entry_files, fingerprint, load_entries
from roleplay.knowledge.journal import alone, replace_files
from roleplay.knowledge.sources import Source, clean
from roleplay.knowledge.versions import Version, keep_version

READERS: dict[str, Callable[[Path], Source]] = {
    ".yaml": tables.read_entries_yaml,
    ".yml": tables.read_entries_yaml,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
    ".xlsx": tables.read_xlsx,
    ".jsonl": tables.read_jsonl,
    ".md": manuals.read_markdown,
    ".txt": manuals.read_markdown,
    ".docx": manuals.read_docx,
    ".pptx": manuals.read_pptx,
    ".pdf": manuals.read_pdf,
}
OLD = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx"}
NEAR = 90  # of 100: questions so alike that one of them may be too much
HEADER = "# Made of {name} by `roleplay kb import`. Change it there and import it again.\n"


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Never writes anchors and aliases, which knowledge-base files may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass
class FilePlan:
    """What importing one file would do. `entries` is all that its YAML file `target` would hold."""

    path: Path
    target: Path
    entries: list[Entry] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    duplicates: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What an import would do, and the state of the knowledge base (`base`) for which that holds."""

    files: tuple[FilePlan, ...]
    base: str
    warnings: tuple[str, ...]

    @property
    def faults(self) -> list[FileFault]:
        return [FileFault(each.path, each.faults) for each in self.files if each.faults]

    @property
    def changes(self) -> Changes:
        """All files' changes as one."""
        added, changed, removed = (
            tuple(item for each in self.files for item in getattr(each.changes, name))
            for name in ("added", "changed", "removed")
        )
        return Changes(added, changed, removed)


def plan_import(
    files: Sequence[Path],
    paths: Sequence[Path],
    into: Path,
    defaults: Defaults,
    progress: Callable[[str], None] | None = None,
) -> Plan:
    """Look at files without changing anything. `paths` is the knowledge base, `into` the folder of it to import to.

    `progress` is told of each file. Faults of the files to import are in the plan; those of the knowledge base itself are raised (FileFault).
    """
    if not any(path.absolute() == into.absolute() for path in paths):
        named = ", ".join(str(path) for path in paths if not path.is_file()) or "no folder"
        raise Rejected(f"{into} is no folder of the knowledge base; the settings name {named}")
    targets = [into / _target_name(path) for path in files]
    if doubled := {target.name for target in targets if targets.count(target) > 1}:
        raise Rejected(f"two of the files have the same name: {', '.join(sorted(doubled))}")
    there = _with_files(paths, into)
    kept = load_entries(there)
    by_file = {file.absolute(): load_entries(file) for file in entry_files(there)}
    replaced = {target.absolute() for target in targets}
    others = [entry for file, entries in by_file.items() if file not in replaced for entry in entries]
    plans: list[FilePlan] = []
    for path, target in zip(files, targets, strict=True):
        if progress:
            progress(f"reading {path}")
        before = by_file.get(target.absolute(), [])
        plan = _plan_file(path, target, before, others, defaults)
        others = [*others, *plan.entries]
        plans.append(plan)
    old = set(map(str, contradictions(kept)))
    warnings = tuple(text for fault in contradictions(others) if (text := str(fault)) not in old)
    return Plan(tuple(plans), fingerprint(kept), warnings)


def apply(plan: Plan, paths: Sequence[Path], data: Path, skip_bad: bool = False) -> Version | None:
    """Carry the plan out as one change and keep the result as a version; None if it changes nothing.

    `data` is the folder of the search index, which the versions lie in. Raises Rejected, with nothing changed,
    for a plan with faults unless `skip_bad`, and if the knowledge base is no longer what the plan was made for.
    """
    if plan.faults and not skip_bad:
        raise Rejected("nothing was imported, because not all is right:\n" + "\n".join(map(str, plan.faults)))
    changed = [each for each in plan.files if each.changes]
    if not changed:
        return None
    into = changed[0].target.parent
    with alone(data):
        there = _with_files(paths, into)
        if fingerprint(load_entries(there)) != plan.base:
            raise Rejected("the knowledge base has changed meanwhile; nothing was imported. Look at the preview again")
        if there:
            keep_version(there, data / "versions", "before an import")
        replace_files(into, {each.target.name: render(each).encode() for each in changed})
        names = ", ".join(each.path.name for each in changed)
        return keep_version(paths, data / "versions", f"import of {names}")


def read_source(path: Path) -> Source:
    """The rows of one file, by its suffix. Raises FileFault if it cannot be read as what its name says."""
    suffix = path.suffix.casefold()
    if suffix in OLD:
        raise FileFault(path, [Fault(f"the old {suffix} format is not read; save the file as {OLD[suffix]}")])
    if suffix not in READERS:
        raise FileFault(path, [Fault(f"{suffix or 'no suffix'} is not read; there are: {', '.join(READERS)}")])
    return READERS[suffix](path)


def render(plan: FilePlan) -> str:
    """The text of the YAML file that holds the plan's entries."""
    items = [_item(entry) for entry in plan.entries]
    body = yaml.dump({"entries": items}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
    return HEADER.format(name=plan.path.name) + body


def _item(entry: Entry) -> dict[str, Any]:
    """What stands in YAML for an entry: all that is not the same without being said."""
    item: dict[str, Any] = {}
    for name in ("id", "language", "product", "question", "answer", "also_asked", "facts", "audience", "valid_from",
                 "valid_to", "related", "twin", "source"):  # fmt: skip
        value = getattr(entry, name)
        if value or name == "audience":
            item[name] = dict(value) if name == "facts" else list(value) if isinstance(value, tuple) else value
    return item


def _plan_file(
    path: Path, target: Path, before: Sequence[Entry], others: Sequence[Entry], defaults: Defaults
) -> FilePlan:
    plan = FilePlan(path, target)
    try:
        source = read_source(path)
    except FileFault as error:
        plan.faults, plan.entries = list(error.faults), list(before)
        return plan
    entries, faults = make_entries(source, defaults, before)
    plan.notes, plan.faults = source.notes, faults
    if not entries:
        plan.faults = plan.faults or [Fault("nothing in it can be made an entry")]
        plan.entries = list(before)
        return plan
    plan.entries = _without_doubles(entries, others, plan)
    plan.duplicates += _near(plan.entries, others)
    plan.changes = changes(before, plan.entries)
    return plan


def _without_doubles(entries: Sequence[Entry], others: Sequence[Entry], plan: FilePlan) -> list[Entry]:
    """Leaves out what is there already word for word; an id or a question that is used otherwise is a fault."""
    ids = {entry.id: entry for entry in others}
    asked: dict[tuple[str, str], list[Entry]] = {}
    for entry in others:
        asked.setdefault(question_key(entry.product, entry.question), []).append(entry)
    kept = []
    for entry in entries:
        place = entry.source.removeprefix(f"{plan.path.name}, ")
        rivals = [other for other in asked.get(question_key(entry.product, entry.question), []) if _meet(entry, other)]
        same = [other for other in rivals if clean(other.answer) == clean(entry.answer)]
        if same:
            plan.duplicates.append(f"{entry.source}: left out, the same as {same[0].id} ({same[0].source})")
        elif rivals:
            reason = f"{entry.question!r} has another answer in {rivals[0].id} ({rivals[0].source})"
            plan.faults.append(Fault(reason, None, place))
        elif entry.id in ids:
            other = ids[entry.id]
            plan.faults.append(Fault(f"the id {entry.id!r} is also used in {other.source}", None, place))
        else:
            kept.append(entry)
            ids[entry.id] = entry
            asked.setdefault(question_key(entry.product, entry.question), []).append(entry)
    return kept


def _meet(one: Entry, other: Entry) -> bool:
    """Whether both may be shown to the same reader on the same day."""
    first, last = datetime.date.min, datetime.date.max
    return (
        (one.language, one.audience) == (other.language, other.audience)
        and (one.valid_from or first) <= (other.valid_to or last)
        and (other.valid_from or first) <= (one.valid_to or last)
    )


def _near(entries: Sequence[Entry], others: Sequence[Entry]) -> Iterator[str]:
    """Questions that are nearly those of other entries: both stay, a person decides."""
    from rapidfuzz import fuzz, process

    known = [(text, entry) for entry in [*others, *entries] for text in (entry.question, *entry.also_asked)]
    texts = [text.casefold() for text, _ in known]
    place = {entry.id: number for number, entry in enumerate(entries)}
    for entry in entries:
        for _, _, at in process.extract(
            entry.question.casefold(), texts, scorer=fuzz.ratio, score_cutoff=NEAR, limit=5, processor=None
        ):
            text, other = known[at]
            first = place.get(other.id, -1) < place[entry.id]  # a pair is named once
            if (
                first
                and question_key("", text) != question_key("", entry.question)
                and _same_names(text, entry.question)
            ):
                yield f"{entry.source}: {entry.question!r} is nearly {text!r} of {other.id} ({other.source})"
                break


def _same_names(one: str, other: str) -> bool:
    """Near texts that differ in a number or a Latin name ask for different things."""
    pattern = re.compile(r"[A-Za-z0-9]+")
    return sorted(pattern.findall(one.casefold())) == sorted(pattern.findall(other.casefold()))


def _target_name(path: Path) -> str:
    """A YAML file keeps its name, any other gets one that says what it was: faq.xlsx.yaml."""
    return path.name if path.suffix in (".yaml", ".yml") else f"{path.name}.yaml"


def _with_files(paths: Sequence[Path], into: Path) -> list[Path]:
    """`paths` without the folder to import to as long as that holds nothing."""
    empty = not into.is_dir() or not any(file.suffix in (".yaml", ".yml") for file in into.iterdir())
    return [path for path in paths if not (empty and path.absolute() == into.absolute())]
