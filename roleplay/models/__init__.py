"""The seam to language models: two calls, whatever stands behind them.

`stream` lets the model speak, `weigh` asks how likely each of a few answers is. Makers: the bundled
decoder and any other causal model in `transformers_model`, any server in `openai_server`, recorded
answers in `scripted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict


class Message(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to speak. `temperature` 0 is greedy; the same seed and messages give the same text."""

    max_tokens: int = 120
    temperature: float = 0.8
    top_p: float = 0.95
    stop: tuple[str, ...] = ()
    seed: int = 0


class LanguageModel(Protocol):
    """What the customer and a large grader need of a model.

    `spec` is how the user named it, `fingerprint` changes when weights or server model change.
    `writes` says whether it is able to write a customer's line freely; one that is not chooses.
    """

    spec: str
    fingerprint: str
    writes: bool

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[str]:
        """Yield the answer piece by piece, thinking parts and special tokens removed.

        Raises Unavailable when the model fails or is slower than its time limit.
        """
        ...

    def weigh(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        """Log-probability (natural log, summed over tokens) of each option as the whole answer.

        Servers answer for options that differ in their first token only; they raise Rejected otherwise.
        """
        ...
