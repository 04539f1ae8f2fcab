"""The service standard as trainers edit it: a rule changed as text, tried, held against what was said, published.

The shipped rules are never written to. With the first change all of them are copied into the data folder, and from
then on those are in force; removing that folder brings the shipped ones back.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from roleplay.call import Call
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.grading import BundledGrader
from roleplay.knowledge.editing import Block, item_block, spliced
from roleplay.knowledge.journal import replace_files
from roleplay.records import FileVersion, Records
from roleplay.results import average
from roleplay.settings import Settings
from roleplay.standards import RULES, RuleFile, Standards
from roleplay.yaml_files import parse_yaml, read_yaml, validate

KIND = "standards"
NEW = """\
  - id: my-rule
    topic: courtesy
    kind: must_not_say
    words: []
    advice:
"""


@dataclass(frozen=True)
class Draft:
    """Rules as they would be: the file that changes, its new content, and all rules with it."""

    path: Path
    content: str
    standards: Standards


@dataclass(frozen=True, slots=True)
class Effect:
    """How replies would fare: broken rules and the mean phrasing score now and then, over `replies` replies."""

    replies: int
    broken: Mapping[str, tuple[int, int]]  # rule to times broken now and with the draft, where these differ
    now: float | None
    then: float | None


def rule_files(settings: Settings) -> tuple[Path, ...]:
    """The files in force."""
    return settings.rule_files or tuple(sorted(RULES.glob("*.yaml")))


def load_rules(path: Path) -> RuleFile:
    """One file of rules. Raises FileFault."""
    return validate(RuleFile, *read_yaml(path), path)


def find_rule(settings: Settings, rule_id: str) -> Block:
    """Where a rule stands. Raises Rejected for an unknown one."""
    block = item_block(rule_files(settings), "rules", rule_id)
    if block is None:
        raise Rejected(f"there is no rule {rule_id!r}")
    return block


def draft(settings: Settings, place: Block | Path, text: str) -> Draft:
    """The rules with `text` in a rule's place, or at the end of a file; an empty text removes the rule.

    Raises FileFault with the line, counted from the first of `text`, of everything wrong.
    """
    content, at = spliced(place, text)
    return _drafted(settings, place if isinstance(place, Path) else place.path, content, at)


def as_it_was(settings: Settings, version: FileVersion) -> Draft:
    """The rules with a whole file as a version had it. Raises Rejected for a file that is none of those in force."""
    place = next((path for path in rule_files(settings) if path.name == version.name), None)
    if place is None:
        raise Rejected(f"there is no file of rules {version.name}")
    return _drafted(settings, place, version.text, 0)


def _drafted(settings: Settings, changed: Path, content: str, at: int) -> Draft:
    files, seen = [], set()
    for path in rule_files(settings):
        body = content if path == changed else path.read_text("utf-8")
        try:
            data, lines = parse_yaml(body, path.name)
            file = validate(RuleFile, data, lines, path.name)
        except FileFault as error:
            moved = [Fault(each.message, each.line - at if each.line else None, each.field) for each in error.faults]
            raise FileFault(path.name, moved) from error
        twice = [rule.id for rule in file.rules if rule.id in seen or seen.add(rule.id)]  # type: ignore[func-returns-value]
        if twice:
            raise FileFault(path.name, [Fault(f"the id is there twice: {', '.join(twice)}", None, "id")])
        files.append(file)
    return Draft(changed, content, Standards(files))


def publish(records: Records, settings: Settings, made: Draft, who: str, why: str = "") -> None:
    """Put a draft in force, and keep the file that changed as a version. Raises Unavailable if it cannot be written."""
    folder = made.path.parent
    if not settings.rule_files:
        folder = settings.data / "standards"
        replace_files(folder, {path.name: path.read_bytes() for path in rule_files(settings)})
    if not records.file_versions(KIND, made.path.name):
        before = made.path.read_text("utf-8")
        records.keep_file_version(FileVersion(KIND, made.path.name, before, who, "as it was found"))
    replace_files(folder, {made.path.name: made.content.encode()})
    records.keep_file_version(FileVersion(KIND, made.path.name, made.content, who, why))


def versions(records: Records, settings: Settings) -> list[FileVersion]:
    """What was published of the files in force, the newest first."""
    found = [version for path in rule_files(settings) for version in records.file_versions(KIND, path.name)]
    return sorted(found, key=lambda version: version.at, reverse=True)


def back_to_shipped(settings: Settings) -> None:
    """Put the shipped rules in force again. Versions of what was edited stay."""
    if settings.standards:
        raise Rejected("the settings name their own standards files; take them out there")
    shutil.rmtree(settings.data / "standards", ignore_errors=True)


def effect(calls: Iterable[Call], now: Standards, then: Standards, grader: BundledGrader | None) -> Effect:
    """How the replies of these calls would score. Without a bundled grader only the rules are counted."""
    counts: dict[str, list[int]] = {}
    scores: tuple[list[float | None], list[float | None]] = ([], [])
    replies = 0
    for call in calls:
        for each in call.exchanges:
            exchange, replies = call.exchange(each.number), replies + 1
            for at, standards in enumerate((now, then)):
                found = standards.by_meaning(standards.find(exchange, each.reading.stage), each.reading.moves)
                for finding in found:
                    if not finding.kept:
                        counts.setdefault(finding.rule, [0, 0])[at] += 1
                if grader is not None:
                    judge = replace(grader, standards=standards)
                    grade = judge.grade(exchange, replace(each.reading, findings=found))
                    scores[at].append(grade.scores["phrasing"].value)
    differ = {rule: (one, two) for rule, (one, two) in sorted(counts.items()) if one != two}
    return Effect(replies, differ, average(scores[0]), average(scores[1]))
