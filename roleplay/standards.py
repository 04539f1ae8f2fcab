"""The service standard as rules that trainers edit: what must be said at a stage, what never.

A rule names words or simple patterns, when it holds and what to say instead. Findings carry the place
in the reply as it was written, however the words were disguised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic

from roleplay.dialogue import Direction, Exchange, Language, Stage
from roleplay.errors import Fault, FileFault
from roleplay.plain_text import PlainText, plain_text
from roleplay.reading import Finding
from roleplay.yaml_files import read_yaml, validate

RULES = Path(__file__).parent / "rules"
Topic = Literal[
    "greeting", "identity", "offer", "courtesy", "address", "slang", "ordering", "blame", "rude", "refusal", "jargon",
    "judging", "dialect", "hold", "verification", "confirming", "closing", "next_step", "promise", "privacy", "meta",
]  # fmt: skip


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class When(_Strict):
    """When a rule holds; what is left out does not matter."""

    stage: tuple[Stage, ...] = ()
    direction: Direction | None = None


class Rule(_Strict):
    """One rule. `words` are taken literally, `patterns` are regular expressions; one hit is enough.

    `unless` holds patterns that excuse the reply, wherever they stand. `position` bounds where the hit
    counts: within the first or the last 40 characters.
    """

    id: str = pydantic.Field(min_length=1)
    topic: Topic
    kind: Literal["must_say", "must_not_say"]
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    position: Literal["start", "end", "any"] = "any"
    when: When = When()
    severity: Literal["lapse", "forbidden"] = "lapse"
    advice: str = pydantic.Field(min_length=1)
    source: str = ""

    @pydantic.field_validator("patterns", "unless")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no pattern: {error}") from error
        return patterns

    @pydantic.model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.words and not self.patterns:
            raise ValueError("needs words or patterns")
        return self


class RuleFile(_Strict):
    language: Language
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    says: re.Pattern[str]
    unless: re.Pattern[str] | None


class Standards:
    """All rules, by language."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.rules: dict[str, Rule] = {rule.id: rule for file in files for rule in file.rules}
        self._by_language: dict[str, list[_Compiled]] = {}
        for file in files:
            self._by_language.setdefault(file.language, []).extend(map(_compile, file.rules))

    def find(self, exchange: Exchange, stage: Stage) -> tuple[Finding, ...]:
        """Every rule that the reply breaks, and every must-say that it keeps, in the order of the file."""
        reply = plain_text(exchange.reply)
        return tuple(
            finding
            for compiled in self._by_language.get(exchange.language, ())
            if _holds(compiled.rule.when, stage, exchange.direction)
            for finding in _findings(compiled, reply)
        )


def load_standards(paths: Sequence[str | Path] | None = None) -> Standards:
    """Read rule files; the shipped ones when no paths are given.

    Raises FileFault with every wrong field and its line; an id that came before is a fault too.
    """
    files = []
    seen: dict[str, Path] = {}
    for path in map(Path, paths) if paths is not None else sorted(RULES.glob("*.yaml")):
        data, lines = read_yaml(path)
        file = validate(RuleFile, data, lines, path)
        twice = [
            Fault(f"{rule.id!r} came before in {seen[rule.id]}", lines.get(f"rules.{n}"), f"rules.{n}.id")
            for n, rule in enumerate(file.rules)
            if seen.setdefault(rule.id, path) is not path or rule.id in {r.id for r in file.rules[:n]}
        ]
        if twice:
            raise FileFault(path, twice)
        files.append(file)
    return Standards(files)


def _compile(rule: Rule) -> _Compiled:
    says = "|".join([*map(re.escape, sorted(rule.words, key=len, reverse=True)), *rule.patterns])
    unless = re.compile("|".join(rule.unless), re.IGNORECASE) if rule.unless else None
    return _Compiled(rule, re.compile(says, re.IGNORECASE), unless)


def _holds(when: When, stage: Stage, direction: Direction) -> bool:
    return (not when.stage or stage in when.stage) and when.direction in (None, direction)


def _findings(compiled: _Compiled, reply: PlainText) -> list[Finding]:
    rule = compiled.rule
    if compiled.unless and compiled.unless.search(reply.text):
        return []
    hits = [match for match in compiled.says.finditer(reply.text) if match[0] and _in_place(rule, match, reply)]
    if rule.kind == "must_say":
        if not hits:
            return [Finding(rule.id, False, 0, 0, rule.advice)]
        return [Finding(rule.id, True, *reply.span(*hits[0].span()))]
    return [Finding(rule.id, False, *reply.span(*match.span()), rule.advice) for match in hits]


def _in_place(rule: Rule, match: re.Match[str], reply: PlainText) -> bool:
    if rule.position == "start":
        return match.start() < 40
    return rule.position == "any" or match.end() > len(reply.text) - 40
