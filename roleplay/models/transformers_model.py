"""Any causal language model in this process: the bundled decoder, a folder, a name on the hub.

The model runs in a thread of its own, which answers all who wait together (`together`). So a reader waits with a
time limit, and one who goes away stops its answer at the next token.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Generator, Sequence

import torch
from transformers import DynamicCache

from roleplay.errors import Unavailable
from roleplay.models import Message, Sampling
from roleplay.models.loading import load
from roleplay.models.prefixes import Prefixes, widened
from roleplay.models.together import Together
from roleplay.models.visible import opened_thinking, shown_pieces

log = logging.getLogger(__name__)

ABLE_TO_WRITE = 300_000_000  # parameters from which a model is trusted to write a line by itself
TOGETHER = 32  # options weighed in one batch


class TransformersModel:
    """A LanguageModel on torch; see `roleplay.models` for what its methods promise.

    `name` is a folder or a hub name. `device`, `dtype` and `writes` are chosen when None. `timeout` is
    in seconds, from one piece of the answer to the next, waiting for other generations included.
    """

    def __init__(
        self,
        name: str,
        *,
        spec: str = "",
        device: str | None = None,
        dtype: str | None = None,
        writes: bool | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._loaded = load(name, device, dtype)
        self.spec = spec or f"hf:{name}"
        self.fingerprint = self._loaded.fingerprint
        self.writes = self._loaded.parameters >= ABLE_TO_WRITE if writes is None else writes
        self._timeout = timeout
        self._together = Together(self._loaded, Prefixes(self._loaded.model.config))

    # ---- speaking ----

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[str, None, None]:
        prompt = self._loaded.render(messages)
        raw = self._raw_pieces(self._tokens(prompt), sampling)
        try:
            stop = (*sampling.stop, *self._loaded.stop)
            yield from shown_pieces(raw, self._name, stop, opened_thinking(prompt))
        finally:
            raw.close()

    def _raw_pieces(self, ids: list[int], sampling: Sampling) -> Generator[str, None, None]:
        """Pieces of raw text from the model's thread; Unavailable if it fails or is too slow."""
        answer = self._together.speak(ids, sampling)
        try:
            while True:
                try:
                    piece = answer.pieces.get(timeout=self._timeout)
                except queue.Empty:
                    why = f"no word for {self._timeout:g} seconds"
                    raise Unavailable(self._name, why, "Choose a smaller model or a longer time limit") from None
                if isinstance(piece, BaseException):
                    raise self._failed(piece) from piece
                if piece is None:
                    return
                yield piece
        finally:
            answer.unwanted = True

    # ---- weighing ----

    def weigh(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        prompt = self._tokens(self._loaded.render(messages))
        answers = [self._answer_tokens(option) for option in options]
        found = self._together.do(lambda: self._weigh(prompt, answers))
        try:
            return found.result(self._timeout)
        except TimeoutError:
            found.cancel()
            why = f"no answer for {self._timeout:g} seconds"
            raise Unavailable(self._name, why, "Choose a smaller model or a longer time limit") from None
        except RuntimeError as error:
            raise self._failed(error) from error

    def _weigh(self, prompt: list[int], answers: list[list[int]]) -> list[float]:
        """In the model's thread."""
        cache, known = self._together.prefixes.start(prompt)
        if prompt[known:-1]:
            self._together.read(prompt[known:-1], cache)
        self._together.prefixes.keep(prompt[:-1], cache)
        order = sorted(
            range(len(answers)), key=lambda index: len(answers[index])
        )  # like lengths together: less padding
        weights = [0.0] * len(answers)
        for start in range(0, len(order), TOGETHER):
            group = order[start : start + TOGETHER]
            found = self._weigh_batch(prompt[-1], [answers[index] for index in group], cache)
            for index, weight in zip(group, found, strict=True):
                weights[index] = weight
        return weights

    def _weigh_batch(self, last: int, answers: list[list[int]], cache: DynamicCache) -> list[float]:
        """Summed log-probabilities; the rows end in padding, which a causal model's earlier tokens never see."""
        model, width = self._loaded.model, max(map(len, answers))
        rows = torch.tensor([[last, *answer, *[last] * (width - len(answer))] for answer in answers])
        rows = rows.to(model.device)
        logits = model(input_ids=rows[:, :-1], past_key_values=widened(cache, len(answers)), use_cache=True).logits
        logs = logits.float().log_softmax(-1).gather(-1, rows[:, 1:, None])[..., 0].double().cpu()
        return [float(row[: len(answer)].sum()) for row, answer in zip(logs, answers, strict=True)]

    # ---- small things ----

    @property
    def _name(self) -> str:
        return f"the language model {self.spec}"

    def _failed(self, error: BaseException) -> Unavailable:
        log.warning("%s failed", self.spec, exc_info=error)
        return Unavailable(self._name, f"{type(error).__name__}: {error}", "See the log; a smaller model may fit")

    def _tokens(self, prompt: str) -> list[int]:
        """Token ids of a rendered prompt; a chat template writes its own marks, the plain form has none."""
        marks = not self._loaded.tokenizer.chat_template
        return list(self._loaded.tokenizer(prompt, add_special_tokens=marks)["input_ids"])

    def _answer_tokens(self, option: str) -> list[int]:
        text = option if self._loaded.tokenizer.chat_template else f" {option}"
        ids = list(self._loaded.tokenizer(text, add_special_tokens=False)["input_ids"])
        return ids if self._loaded.end is None else [*ids, self._loaded.end]
