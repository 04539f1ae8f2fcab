"""A large model as the judge of replies; what it is asked stands in text files beside `prompts`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from string import Template
from typing import Any

import numpy as np

from roleplay.calibration import Calibration
from roleplay.content import spoken
from roleplay.dialogue import Exchange
from roleplay.errors import Unavailable
from roleplay.features import nearest
from roleplay.grading import DUE, basis_of, finish, identity, short_hash
from roleplay.models import LanguageModel, Message
from roleplay.prompts import FOLDER
from roleplay.reading import Reading
from roleplay.rubric import DIMENSIONS, Dimension, Grade
from roleplay.standards import Standards, load_standards
from roleplay.yaml_files import read_yaml


@dataclass(frozen=True, slots=True)
class ModelGrader:
    """One criterion a question, the score read from how likely each point is.

    The points are offered in rising and in falling order and the two answers averaged, so that no place
    in the list is favoured. The exact checks of the reading stand above what the model says.
    """

    model: LanguageModel
    standards: Standards = field(default_factory=load_standards)
    calibration: Calibration | None = None

    @property
    def spec(self) -> str:
        return self.model.spec

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    @property
    def writer(self) -> LanguageModel | None:
        return self.model if self.model.writes else None

    def basis(self, language: str) -> dict[str, str]:
        prompts = (FOLDER / f"grader.{language}.yaml").read_bytes()
        return {**basis_of(self, language), "prompts": short_hash(prompts)}

    def raw(self, exchange: Exchange, reading: Reading) -> dict[Dimension, float | None]:
        """Raises Unavailable when the model fails."""
        prompts = _prompts(exchange.language)
        heard = spoken(exchange, reading.findings, self.standards.rules)
        due = self._chances(prompts, _filled(prompts["due"], heard), 2)[0] >= DUE
        found: dict[Dimension, float | None] = {}
        for name in DIMENSIONS:
            found[name] = self._expected(prompts, heard, name) if due or name != "accuracy" else None
        return found

    def grade(self, exchange: Exchange, reading: Reading) -> Grade:
        try:
            return finish(self, exchange, reading, self.raw(exchange, reading))
        except Unavailable as error:
            return Grade.missing("failed", str(error), identity(self))

    def _expected(self, prompts: Mapping[str, Any], exchange: Exchange, name: Dimension) -> float:
        """The mean point, weighed by how likely the model finds each, over both orders."""
        means = []
        for points in (range(1, 6), range(5, 0, -1)):
            anchors = [f"{place}. {prompts[name]['scale'][point - 1]}" for place, point in enumerate(points, 1)]
            text = _filled(prompts["task"], exchange, question=prompts[name]["question"], scale="\n".join(anchors))
            chances = self._chances(prompts, text, 5)
            means.append(sum(point * chance for point, chance in zip(points, chances, strict=True)))
        return sum(means) / len(means)

    def _chances(self, prompts: Mapping[str, Any], text: str, options: int) -> list[float]:
        """How likely each of the answers 1 to `options` is; they add up to 1."""
        messages: list[Message] = [{"role": "system", "content": prompts["system"]}, {"role": "user", "content": text}]
        logs = np.array(self.model.weigh(messages, [str(number) for number in range(1, options + 1)]), float)
        if logs.shape != (options,) or not np.isfinite(logs).any():
            raise Unavailable(
                self.spec, f"gave no chances for {options} options: {logs.tolist()}", "Try another model."
            )
        powers = np.exp(logs - logs.max())
        return list(map(float, powers / powers.sum()))


@lru_cache(maxsize=2)
def _prompts(language: str) -> dict[str, Any]:
    """The questions to a large model, from the text files beside `prompts`."""
    data, _ = read_yaml(FOLDER / f"grader.{language}.yaml")
    return data


def _filled(template: str, exchange: Exchange, **more: str) -> str:
    """What was said is quoted as JSON, so that no text of a trainee's can end its own quotation."""
    turns = [{turn.speaker: turn.text} for turn in exchange.context[-6:]]
    evidence = [entry.text for entry in nearest(exchange, exchange.evidence)]
    plain = {"context": turns, "evidence": evidence, "reply": exchange.reply}
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in plain.items()}
    return Template(template).substitute(quoted, **more)
