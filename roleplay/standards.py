"""The service standard as rules that trainers edit: what must be said at a stage, what never.

A rule names words or simple patterns, when it holds and what to say instead. Findings carry the place
in the reply as it was written, however the words were disguised.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Literal

import pydantic

from roleplay.conditions import Patterns, Strict
from roleplay.dialogue import Direction, Exchange, Language, Move, Stage
from roleplay.errors import Fault, FileFault
from roleplay.plain_text import PlainText, plain_text
from roleplay.reading import Finding, MoveSeen
from roleplay.yaml_files import read_yaml, validate

RULES = Path(__file__).parent / "rules"
Topic = Literal[
    "greeting", "identity", "offer", "courtesy", "address", "slang", "ordering", "blame", "rude", "refusal", "jargon",
    "judging", "dialect", "hold", "verification", "confirming", "closing", "next_step", "promise", "privacy", "meta",
]  # fmt: skip


Situation = Literal[
    "wording", "opening", "name", "asking", "cannot_hear", "dialect", "silence", "confirming", "holding", "transfer",
    "verification", "privacy", "private_life", "solving", "refusal", "authority", "complaint", "feelings", "abuse",
    "praise", "suggestion", "culture", "emergency", "absent", "callback", "dropped_line", "promise", "plain_words",
    "closing", "outbound", "scorer",
]  # fmt: skip
MOST_SILENCES = 3  # as far as turns without a word are told apart


class When(Strict):
    """When a rule holds; what is left out does not matter.

    `heard`: the customer's last words match one of these patterns; `unheard`: they match none of these.
    `silences`: the customer has said nothing so many times running; 3 means three times or more. `saying`: the
    reply itself matches one of these, for rules such as "who promises to ring back says when". `before`: the
    trainee's reply before this one does; `not_before`: it does not, for what has been done already.
    """

    stage: tuple[Stage, ...] = ()
    direction: Direction | None = None
    heard: Patterns = ()
    unheard: Patterns = ()
    silences: int | None = pydantic.Field(None, ge=1, le=MOST_SILENCES)
    saying: Patterns = ()
    before: Patterns = ()
    not_before: Patterns = ()


class Rule(Strict):
    """One rule. `words` are taken literally, `patterns` are regular expressions; one hit is enough.

    `moves` keep a must-say rule by meaning: the reader has heard one of them, in whatever words it was said.
    `unless` holds patterns that excuse the reply, wherever they stand. `position` bounds where the hit
    counts: within the first or the last 40 characters. `severity`: what is forbidden caps the score, a
    lapse costs points, a tip is only told. `right` and `wrong` are examples: `right` is shown to the trainee,
    and the rule must tell the two apart. `entries` names the knowledge-base entries that the rule rests on.
    """

    id: str = pydantic.Field(min_length=1)
    situation: Situation = "wording"
    topic: Topic
    kind: Literal["must_say", "must_not_say"]
    words: tuple[str, ...] = ()
    patterns: Patterns = ()
    moves: tuple[Move, ...] = ()
    unless: Patterns = ()
    position: Literal["start", "end", "any"] = "any"
    when: When = When()
    severity: Literal["tip", "lapse", "forbidden"] = "lapse"
    advice: str = pydantic.Field(min_length=1)
    right: str = ""
    wrong: str = ""
    source: str = ""
    entries: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.words and not self.patterns:
            raise ValueError("needs words or patterns")
        if self.moves and self.kind == "must_not_say":
            raise ValueError("moves: only for must_say; what is heard as a fault is remarked on without a rule")
        for name, text, wanted in (("right", self.right, True), ("wrong", self.wrong, False)):
            if text and is_kept(self, text) != wanted:
                raise ValueError(
                    f"{name}: by its own words and patterns this rule is {'broken' if wanted else 'kept'} by {text!r}"
                )
        return self


class RuleFile(Strict):
    language: Language
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    says: re.Pattern[str]
    unless: re.Pattern[str] | None
    heard: re.Pattern[str] | None
    unheard: re.Pattern[str] | None
    saying: re.Pattern[str] | None
    before: re.Pattern[str] | None
    not_before: re.Pattern[str] | None


class Standards:
    """All rules, by language."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.rules: dict[str, Rule] = {rule.id: rule for file in files for rule in file.rules}
        self._by_language: dict[str, list[_Compiled]] = {}
        for file in files:
            self._by_language.setdefault(file.language, []).extend(map(_compile, file.rules))

    def hash(self, language: str) -> str:
        """Changes when a rule of this language does."""
        rules = [compiled.rule.model_dump_json() for compiled in self._by_language.get(language, ())]
        return hashlib.sha256("\n".join(rules).encode()).hexdigest()[:12]

    def find(self, exchange: Exchange, stage: Stage) -> tuple[Finding, ...]:
        """Every rule that the reply breaks, and every must-say that it keeps or misses, in the order of the file."""
        reply = plain_text(exchange.reply)
        moment = _Moment(exchange, stage, reply.text)
        return tuple(
            finding
            for compiled in self._by_language.get(exchange.language, ())
            if moment.calls_for(compiled)
            for finding in _findings(compiled, reply)
        )

    def by_meaning(self, findings: Iterable[Finding], moves: Sequence[MoveSeen]) -> tuple[Finding, ...]:
        """The findings, with what was said in other words found after all: the reader heard it as a move of the rule."""

        def heard(finding: Finding) -> Finding:
            wanted = () if finding.kept or finding.end else self.rules[finding.rule].moves
            seen = next((move for move in moves if move.move in wanted), None)
            return Finding(finding.rule, True, seen.start, seen.end) if seen else finding

        return tuple(map(heard, findings))


class _Moment:
    """What rules look at beside the reply's own wording."""

    def __init__(self, exchange: Exchange, stage: Stage, reply: str) -> None:
        self.stage, self.direction, self.reply = stage, exchange.direction, reply
        said = [turn.text for turn in exchange.context if turn.speaker == "customer"]
        self.heard = plain_text(said[-1]).text if said else ""
        self.before = next((turn.text for turn in reversed(exchange.context) if turn.speaker == "trainee"), "")
        silent = list(takewhile(_is_silent, reversed(said)))
        self.silences = min(len(silent), MOST_SILENCES)

    def calls_for(self, compiled: _Compiled) -> bool:
        when = compiled.rule.when
        return (
            (not when.stage or self.stage in when.stage)
            and when.direction in (None, self.direction)
            and when.silences in (None, self.silences)
            and _matches(compiled.heard, self.heard)
            and _misses(compiled.unheard, self.heard)
            and _matches(compiled.saying, self.reply)
            and _matches(compiled.before, self.before)
            and _misses(compiled.not_before, self.before)
        )


def _is_silent(text: str) -> bool:
    return not any(letter.isalnum() for letter in text)


def _matches(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is None or bool(pattern.search(text))


def _misses(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is None or not pattern.search(text)


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


def is_kept(rule: Rule, reply: str) -> bool:
    """Whether the words of a reply keep the rule, whenever it holds."""
    findings = _findings(_compile(rule), plain_text(reply))
    return all(finding.kept for finding in findings)


@lru_cache(maxsize=2048)
def _compile(rule: Rule) -> _Compiled:
    words = map(re.escape, sorted(rule.words, key=len, reverse=True))
    when = rule.when
    says = re.compile("|".join([*words, *rule.patterns]), re.IGNORECASE)
    return _Compiled(
        rule, says, *map(_any_of, (rule.unless, when.heard, when.unheard, when.saying, when.before, when.not_before))
    )


def _any_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _findings(compiled: _Compiled, reply: PlainText) -> list[Finding]:
    rule = compiled.rule
    hits = [match for match in compiled.says.finditer(reply.text) if match[0] and _in_place(rule, match, reply)]
    if (hits or rule.kind == "must_say") and compiled.unless and compiled.unless.search(reply.text):
        return []
    if rule.kind == "must_not_say":
        return [Finding(rule.id, False, *reply.span(*_words(match)), rule.advice) for match in hits]
    if not hits:
        return [Finding(rule.id, False, 0, 0, rule.advice)]
    return [Finding(rule.id, True, *reply.span(*_words(hits[0])))]


def _words(match: re.Match[str]) -> tuple[int, int]:
    """Where a hit stands, without the mark or blank before it that only says where a clause begins."""
    start, end = match.span()
    first = next((place for place, letter in enumerate(match[0]) if letter.isalnum()), 0)
    return start + first, end


def _in_place(rule: Rule, match: re.Match[str], reply: PlainText) -> bool:
    if rule.position == "start":
        return match.start() < 40
    return rule.position == "any" or match.end() > len(reply.text) - 40
