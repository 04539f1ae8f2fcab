"""A model that answers from a file and remembers what it was asked: for tests and demonstrations.

The file is YAML: a list of answers, given one after the other, or a mapping from a regular expression
to the answer (or list of answers, the last one repeated) for last user messages that it is found in.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roleplay.errors import Fault, FileFault, Rejected, Unavailable
from roleplay.models import Message, Sampling
from roleplay.yaml_files import read_yaml

CERTAIN = 0.9  # the probability of the option that the script answers with; the others share the rest


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the model: what it was asked, and `sampling` or `options` by the kind of call."""

    messages: tuple[Message, ...]
    sampling: Sampling | None = None
    options: tuple[str, ...] = ()


class ScriptedModel:
    """A LanguageModel that follows a script; `asked` holds its calls in order."""

    def __init__(self, path: str | Path, *, writes: bool | None = None) -> None:
        self._path = Path(path)
        data, lines = read_yaml(self._path)
        self._rules = _rules(data, lines, self._path)
        self._used = [0] * len(self._rules)
        self.spec = f"scripted:{path}"
        self.fingerprint = f"scripted@{hashlib.sha256(self._path.read_bytes()).hexdigest()[:16]}"
        self.writes = True if writes is None else writes
        self.asked: list[Asked] = []

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[str]:
        self.asked.append(Asked(tuple(messages), sampling))
        yield from re.findall(r"\w+\s*|\W", self._answer(messages))

    def weigh(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        self.asked.append(Asked(tuple(messages), options=tuple(options)))
        answer = self._answer(messages)
        if answer not in options:
            raise Rejected(f"{self._path}: the script answers {answer!r}, which is none of the options")
        others = math.log((1 - CERTAIN) / max(1, len(options) - 1))
        return [math.log(CERTAIN) if option == answer else others for option in options]

    def _answer(self, messages: Sequence[Message]) -> str:
        last = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
        for place, (pattern, answers) in enumerate(self._rules):
            if pattern is not None and not pattern.search(last):
                continue
            turn = self._used[place]
            if pattern is None and turn >= len(answers):
                raise Unavailable(
                    self.spec, f"its {len(answers)} answers are used up", "Write more answers into the file"
                )
            self._used[place] += 1
            return answers[min(turn, len(answers) - 1)]
        raise Unavailable(self.spec, f"no pattern fits {last!r}", "Add one to the file")


def _rules(data: Any, lines: dict[str, int], path: Path) -> list[tuple[re.Pattern[str] | None, list[str]]]:
    if isinstance(data, list):
        return [(None, _texts(data, "", lines, path))]
    if not isinstance(data, dict):
        raise FileFault(path, [Fault("a script is a list of answers, or patterns with answers", 1)])
    rules: list[tuple[re.Pattern[str] | None, list[str]]] = []
    for key, value in data.items():
        try:
            pattern = re.compile(str(key))
        except re.error as error:
            raise FileFault(
                path, [Fault(f"not a regular expression: {error}", lines.get(str(key)), str(key))]
            ) from error
        rules.append((pattern, _texts(value if isinstance(value, list) else [value], str(key), lines, path)))
    return rules


def _texts(values: list[Any], field: str, lines: dict[str, int], path: Path) -> list[str]:
    wrong = [place for place, value in enumerate(values) if not isinstance(value, str)]
    if wrong or not values:
        places = [f"{field}.{place}".strip(".") for place in wrong] or [field]
        raise FileFault(path, [Fault("an answer is a text; put it in quotes", lines.get(at), at) for at in places])
    return values
