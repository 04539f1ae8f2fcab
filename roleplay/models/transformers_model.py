"""Any causal language model in this process: the bundled decoder, a folder, a name on the hub.

One generation runs at a time. It runs in a thread of its own, so that a reader waits with a time limit
and a reader who goes away stops it at the next token.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Generator, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from roleplay.errors import Unavailable
from roleplay.models import Message, Sampling
from roleplay.models.loading import load
from roleplay.models.prefixes import Prefixes, widened
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
        keep: int = 4,
    ) -> None:
        self._loaded = load(name, device, dtype)
        self.spec = spec or f"hf:{name}"
        self.fingerprint = self._loaded.fingerprint
        self.writes = self._loaded.parameters >= ABLE_TO_WRITE if writes is None else writes
        self._timeout = timeout
        self._prefixes = Prefixes(self._loaded.model.config, keep)
        self._lock = threading.Lock()

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
        """Pieces of raw text from a worker thread; Unavailable if it fails or is too slow."""
        pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        unwanted = threading.Event()
        worker = threading.Thread(target=self._work, args=(ids, sampling, pieces, unwanted), daemon=True)
        worker.start()
        try:
            while True:
                try:
                    piece = pieces.get(timeout=self._timeout)
                except queue.Empty:
                    why = f"no word for {self._timeout:g} seconds"
                    raise Unavailable(self._name, why, "Choose a smaller model or a longer time limit") from None
                if isinstance(piece, BaseException):
                    raise self._failed(piece) from piece
                if piece is None:
                    return
                yield piece
        finally:
            unwanted.set()

    def _work(self, ids: list[int], sampling: Sampling, pieces: queue.SimpleQueue, unwanted: threading.Event) -> None:
        try:
            with self._lock, contextlib.closing(self._generate(ids, sampling)) as generation:
                for piece in generation:
                    if unwanted.is_set():
                        return
                    pieces.put(piece)
            pieces.put(None)
        except BaseException as error:  # whatever it is, the reader must hear of it instead of waiting
            pieces.put(error)

    @torch.inference_mode()
    def _generate(self, prompt: list[int], sampling: Sampling) -> Generator[str, None, None]:
        """Decode token by token; the cache of what was run is kept also when the reader goes away."""
        tokenizer, chance = self._loaded.tokenizer, torch.Generator().manual_seed(sampling.seed)
        cache, known = self._prefixes.start(prompt)
        logits = self._forward(prompt[known:], cache)
        answer: list[int] = []
        sent = ""
        try:
            for left in reversed(range(sampling.max_tokens)):
                token = choose_token(logits, sampling, chance)
                if token in self._loaded.ends:
                    break
                answer.append(token)
                text = str(tokenizer.decode(answer, skip_special_tokens=True))
                if len(text) > len(sent) and not text.endswith("\ufffd"):  # half a character waits for its rest
                    yield text[len(sent) :]
                    sent = text
                else:
                    yield ""
                if left:
                    logits = self._forward([token], cache)
        finally:
            held = [*prompt, *answer][: cache.get_seq_length()]
            self._prefixes.keep(held, cache)

    def _forward(self, ids: Sequence[int], cache: DynamicCache) -> Tensor:
        """Run new tokens on top of `cache`; logits of the word after them, [vocabulary], on the CPU."""
        model = self._loaded.model
        rows = torch.tensor([list(ids)], device=model.device)
        return (
            model(input_ids=rows, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1].float().cpu()
        )

    # ---- weighing ----

    def weigh(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        prompt = self._tokens(self._loaded.render(messages))
        answers = [self._answer_tokens(option) for option in options]
        if not self._lock.acquire(timeout=self._timeout):
            why = f"it was busy with other answers for {self._timeout:g} seconds"
            raise Unavailable(self._name, why, "Choose a smaller model or a longer time limit")
        try:
            return self._weigh(prompt, answers)
        except RuntimeError as error:
            raise self._failed(error) from error
        finally:
            self._lock.release()

    @torch.inference_mode()
    def _weigh(self, prompt: list[int], answers: list[list[int]]) -> list[float]:
        cache, known = self._prefixes.start(prompt)
        if prompt[known:-1]:
            self._forward(prompt[known:-1], cache)
        self._prefixes.keep(prompt[:-1], cache)
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


def choose_token(logits: Tensor, sampling: Sampling, chance: torch.Generator) -> int:
    """The next token by temperature and top-p; `logits` [vocabulary]."""
    if sampling.temperature <= 0:
        return int(logits.argmax())
    probs, order = (logits / sampling.temperature).softmax(-1).sort(descending=True)
    kept = probs.cumsum(-1) - probs < sampling.top_p  # always the likeliest, and all that are needed to reach top_p
    return int(order[torch.multinomial(probs * kept, 1, generator=chance)])
