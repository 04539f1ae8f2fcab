"""A model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, `transformers serve`.

Thinking parts are taken out here too, because not every server does it.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any, NoReturn

import openai

from roleplay.errors import Rejected, Unavailable
from roleplay.models import Message, Sampling
from roleplay.models.visible import shown_pieces

CONNECT = 5.0  # seconds to wait for a connection
RETRIES = 1  # a trainee is waiting: once more, then say so
TOP = 20  # likeliest first tokens asked for when options are weighed; the most that servers give


class OpenAIServer:
    """A LanguageModel at `address` (ending in /v1) under the name `model`.

    `timeout` is in seconds, from one piece of the answer to the next. `api_key` only where the server
    wants one. Nothing is asked of the server before the first answer is wanted.
    """

    def __init__(
        self, address: str, model: str, *, api_key: str | None = None, writes: bool | None = None, timeout: float = 60.0
    ) -> None:
        self.spec = f"openai:{address}#{model}"
        self.fingerprint = f"{model}@{address}"  # servers do not tell which weights they hold
        self.writes = True if writes is None else writes
        self._address, self._model = address, model
        limit = openai.Timeout(timeout, connect=min(CONNECT, timeout))
        # the package insists on some key, and would otherwise take one from the environment
        self._client = openai.OpenAI(base_url=address, api_key=api_key or "none", timeout=limit, max_retries=RETRIES)

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[str, None, None]:
        raw = self._raw_pieces(messages, sampling)
        try:
            yield from shown_pieces(raw, self._name, sampling.stop)
        finally:
            raw.close()

    def _raw_pieces(self, messages: Sequence[Message], sampling: Sampling) -> Generator[str, None, None]:
        empty = True
        try:
            asked: list[Any] = list(messages)
            with self._client.chat.completions.create(
                model=self._model,
                messages=asked,
                stream=True,
                max_tokens=sampling.max_tokens,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                stop=list(sampling.stop) or openai.omit,
                seed=sampling.seed,
            ) as chunks:
                for chunk in chunks:
                    text = chunk.choices[0].delta.content if chunk.choices else None
                    if text:
                        empty = False
                        yield text
        except Exception as error:  # the package lets those of its transport through, and trips over nonsense
            self._fail(error)
        if empty:
            raise Unavailable(self._name, "it answered without a word of text", self._remedy)

    def weigh(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        """Log-probabilities of the options' first tokens, which must tell the options apart.

        An option that is not among the server's likeliest tokens gets the highest value that it can
        have: not above the last of those, nor above what they leave over.
        """
        likeliest = self._first_tokens(messages)
        found: list[list[float]] = [[] for _ in options]
        for token, weight in likeliest:
            fits = [place for place, option in enumerate(options) if token and option.startswith(token)]
            if len(fits) > 1:
                raise Rejected(f"{self._name} cannot tell options apart that begin alike: {token!r}")
            for place in fits:
                found[place].append(weight)
        if not any(found):
            why = f"none of the options is among its {len(likeliest)} likeliest first tokens"
            raise Unavailable(self._name, why, "Choose a model that follows instructions")
        rest = max(1e-9, 1 - sum(math.exp(weight) for _, weight in likeliest))
        lowest = min(math.log(rest), min(weight for _, weight in likeliest))
        return [math.log(sum(map(math.exp, weights))) if weights else lowest for weights in found]

    def _first_tokens(self, messages: Sequence[Message]) -> list[tuple[str, float]]:
        try:
            asked: list[Any] = list(messages)
            answer = self._client.chat.completions.create(
                model=self._model,
                messages=asked,
                max_tokens=1,
                temperature=0.0,
                logprobs=True,
                top_logprobs=TOP,
            )
            logs: Any = answer.choices[0].logprobs
            content = logs.content if logs is not None else None
            listed = [(top.token.strip(), top.logprob) for top in content[0].top_logprobs] if content else []
        except Exception as error:
            self._fail(error)
        if not listed:
            remedy = "Use a server that does (vLLM, SGLang, llama.cpp) or another grader"
            raise Unavailable(self._name, "it gives no log-probabilities", remedy)
        return listed

    @property
    def _name(self) -> str:
        return f"the model {self._model} at {self._address}"

    @property
    def _remedy(self) -> str:
        return f"Check that an OpenAI-compatible server runs at {self._address} and serves {self._model}"

    def _fail(self, error: Exception) -> NoReturn:
        kind = type(error).__name__
        if "Timeout" in kind:  # the package's own, and its transport's while an answer is being read
            raise Unavailable(self._name, "it was too slow", "Use a smaller model or a longer time limit") from error
        if isinstance(error, openai.APIConnectionError) or kind.startswith("Remote"):
            raise Unavailable(self._name, f"no connection ({error.__cause__ or error})", self._remedy) from error
        if isinstance(error, openai.APIStatusError):
            why = f"it answered with status {error.status_code}: {str(error.message)[:200]}"
            raise Unavailable(self._name, why, self._remedy) from error
        if isinstance(error, openai.APIError):
            raise Unavailable(self._name, f"it reported an error: {str(error)[:200]}", self._remedy) from error
        why = f"its answer is not of the chat-completions protocol ({kind})"
        raise Unavailable(self._name, why, self._remedy) from error
