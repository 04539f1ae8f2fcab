"""Answers made together: one thread runs a model for all who wait, and each step makes the next token of every answer.

A prompt is read alone, from the cache of what it shares with earlier ones, and piece by piece, so that a long one
does not hold up the answers under way. Then its answer joins theirs: the caches become one, the shorter ones padded
on the left. What an answer says does not hang on who else is answered, but for the last digits of half-precision
numbers.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from roleplay.models import Sampling
from roleplay.models.loading import Loaded
from roleplay.models.prefixes import Prefixes

log = logging.getLogger(__name__)

AT_ONCE = 16  # answers in one step: more add little speed, and memory goes with them
READ = 512  # tokens of a prompt that are read between two steps
LIKELIEST = 1024  # tokens that are sorted for top-p; all of them only where these do not reach it
LINGER = 5.0  # seconds for which the thread waits for something to do

T = TypeVar("T")


@dataclass(eq=False)
class Answer:
    """One answer under way. `pieces` gets its text, at the end None, or the error that ended it."""

    prompt: Sequence[int]
    sampling: Sampling
    pieces: queue.SimpleQueue[str | BaseException | None] = field(default_factory=queue.SimpleQueue)
    unwanted: bool = False  # whoever asked has gone away
    said: list[int] = field(default_factory=list)
    sent: str = ""

    def __post_init__(self) -> None:
        self.chance = torch.Generator().manual_seed(self.sampling.seed)


@dataclass(frozen=True)
class Task:
    """Something else that needs the model, done between two steps."""

    work: Callable[[], Any]
    done: Future[Any]


class Batch:
    """Answers that grow together: a row of one cache for each, padded on the left to the longest."""

    def __init__(self, model: Any, answer: Answer, cache: DynamicCache) -> None:
        self._model, self._cache = model, cache
        self.answers, self._lengths = [answer], [cache.get_seq_length()]

    def join(self, answer: Answer, cache: DynamicCache) -> None:
        self.answers.append(answer)
        self._lengths.append(cache.get_seq_length())
        both = [_tensors(self._cache), _tensors(cache)]
        self._cache = DynamicCache(
            [tuple(torch.cat([_padded(part, max(self._lengths)) for part in parts]) for parts in zip(*layer, strict=True))
             for layer in zip(*both, strict=True)],
            config=self._model.config,
        )  # fmt: skip

    def leave(self, answer: Answer) -> DynamicCache:
        """Take an answer out; returns a cache of what it has read and said."""
        if len(self.answers) == 1:
            self.answers.clear()
            return self._cache
        place = self.answers.index(answer)
        own = self._rows([place], self._lengths[place])
        del self.answers[place], self._lengths[place]
        others = [row for row in range(len(self.answers) + 1) if row != place]
        self._cache = self._rows(others, max(self._lengths))
        return own

    def step(self) -> Tensor:
        """Run the last token of every answer; logits of the next ones, [answers, vocabulary]."""
        longest, device = max(self._lengths), self._model.device
        rows = torch.tensor([[answer.said[-1]] for answer in self.answers], device=device)
        places: dict[str, Tensor] = {}
        if len(self.answers) > 1:
            mask = [[0] * (longest - length) + [1] * (length + 1) for length in self._lengths]
            places["attention_mask"] = torch.tensor(mask, device=device)
            places["position_ids"] = torch.tensor(self._lengths, device=device)[:, None]
        out = self._model(input_ids=rows, past_key_values=self._cache, use_cache=True, logits_to_keep=1, **places)
        self._lengths = [length + 1 for length in self._lengths]
        return out.logits[:, -1].float()

    def _rows(self, places: list[int], length: int) -> DynamicCache:
        kept = [(keys[places, :, -length:], values[places, :, -length:]) for keys, values in _tensors(self._cache)]
        return DynamicCache(kept, config=self._model.config)


class Together:
    """Runs one model for all callers, in a thread that is there while there is something to do."""

    def __init__(self, loaded: Loaded, prefixes: Prefixes) -> None:
        self._loaded, self.prefixes = loaded, prefixes
        self._joins = "position_ids" in signature(loaded.model.forward).parameters
        self._most = AT_ONCE
        self._arrived = threading.Condition()
        self._waiting: deque[Answer | Task] = deque()
        self._thread: threading.Thread | None = None
        self._reading: tuple[Answer, DynamicCache, int] | None = None  # and how many tokens of its prompt were read
        self._batches: list[Batch] = []

    def speak(self, prompt: Sequence[int], sampling: Sampling) -> Answer:
        """Begin an answer as soon as there is room for it."""
        answer = Answer(prompt, sampling)
        self._submit(answer)
        return answer

    def do(self, work: Callable[[], T]) -> Future[T]:
        """Have something done by the thread that runs the model."""
        done: Future[T] = Future()
        self._submit(Task(work, done))
        return done

    def read(self, ids: Sequence[int], cache: DynamicCache) -> Tensor:
        """Run new tokens on top of `cache`; logits of the word after them, [1, vocabulary]. Only in the model's thread."""
        model = self._loaded.model
        rows = torch.tensor([list(ids)], device=model.device)
        return model(input_ids=rows, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1].float()

    def _submit(self, job: Answer | Task) -> None:
        with self._arrived:
            self._waiting.append(job)
            self._arrived.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _next(self) -> tuple[bool, Answer | Task | None]:
        """Whether to go on, and what has come up next, if there is room for it."""
        with self._arrived:
            idle = not self._batches and self._reading is None
            if idle and not self._waiting and not self._arrived.wait_for(lambda: self._waiting, LINGER):
                self._thread = None
                return False, None
            first = self._waiting[0] if self._waiting else None
            under_way = sum(len(batch.answers) for batch in self._batches) + (self._reading is not None)
            if first is None or (isinstance(first, Answer) and (self._reading or under_way >= self._most)):
                return True, None
            return True, self._waiting.popleft()

    @torch.inference_mode()
    def _work(self) -> None:
        try:
            while True:
                go_on, job = self._next()
                if not go_on:
                    return
                if isinstance(job, Task):
                    _carry_out(job)
                elif job is not None:
                    cache, known = self.prefixes.start(job.prompt)
                    self._reading = job, cache, known
                self._read_on()
                for batch in list(self._batches):
                    self._step(batch)
        except BaseException:  # whoever still waits is told by the time limit; the next one to ask gets a new thread
            with self._arrived:
                self._thread, self._reading, self._batches = None, None, []
            raise

    def _read_on(self) -> None:
        """Read the next piece of the prompt in hand; once it is read, its answer begins."""
        if self._reading is None:
            return
        answer, cache, known = self._reading
        self._reading = None
        if answer.unwanted:
            return
        try:
            piece = answer.prompt[known : known + READ]
            logits = self.read(piece, cache)
            if known + len(piece) < len(answer.prompt):
                self._reading = answer, cache, known + len(piece)
            elif not self._goes_on(answer, choose_tokens(logits, [answer])[0]):
                self._end(answer, cache)
            elif self._batches and self._joins and _plain(cache) and len(self._batches[0].answers) < self._most:
                self._batches[0].join(answer, cache)
            else:
                self._batches.append(Batch(self._loaded.model, answer, cache))
        except BaseException as error:  # whatever it is, whoever waits must hear of it
            answer.pieces.put(error)

    def _step(self, batch: Batch) -> None:
        try:
            for answer, token in zip(list(batch.answers), choose_tokens(batch.step(), batch.answers), strict=True):
                if not self._goes_on(answer, token):
                    self._end(answer, batch.leave(answer))
        except BaseException as error:
            if isinstance(error, RuntimeError) and len(batch.answers) > 1:
                self._most = len(batch.answers) // 2  # they were too many for the memory, as torch has no other reason
                log.warning("%d answers at once failed; from now on at most %d", len(batch.answers), self._most)
            for answer in batch.answers:
                answer.pieces.put(error)
            batch.answers.clear()
        if not batch.answers:
            self._batches.remove(batch)

    def _goes_on(self, answer: Answer, token: int) -> bool:
        """Add a token to an answer and tell its text; False when the answer is at its end."""
        if answer.unwanted or token in self._loaded.ends:
            return False
        answer.said.append(token)
        text = str(self._loaded.tokenizer.decode(answer.said, skip_special_tokens=True))
        new = "" if text.endswith("\ufffd") else text[len(answer.sent) :]  # half a character waits for its rest
        answer.pieces.put(new)
        answer.sent += new
        return len(answer.said) < answer.sampling.max_tokens

    def _end(self, answer: Answer, cache: DynamicCache) -> None:
        self.prefixes.keep([*answer.prompt, *answer.said][: cache.get_seq_length()], cache)
        answer.pieces.put(None)


def choose_tokens(logits: Tensor, answers: Sequence[Answer]) -> list[int]:
    """The next token of each answer by its temperature and top-p; `logits` [answers, vocabulary]."""
    heat = torch.tensor([answer.sampling.temperature or 1.0 for answer in answers], device=logits.device)
    probs = (logits / heat[:, None]).softmax(-1)
    likeliest = probs.topk(min(LIKELIEST, probs.shape[-1]))
    values, tokens = likeliest.values.cpu(), likeliest.indices.cpu()
    chosen = []
    for row, answer in enumerate(answers):
        value, token = values[row], tokens[row]
        if value.sum() < answer.sampling.top_p:
            value, token = (part.cpu() for part in probs[row].sort(descending=True))
        # always the likeliest, and all that are needed to reach top_p
        kept = (value * (value.cumsum(-1) - value < answer.sampling.top_p)).double().cumsum(-1)
        # one draw a token, so that the same seed says the same however many tokens were sorted
        drawn = float(torch.rand((), generator=answer.chance, dtype=torch.float64)) * float(kept[-1])
        place = 0 if answer.sampling.temperature <= 0 else int(torch.searchsorted(kept, drawn, right=True))
        chosen.append(int(token[min(place, len(token) - 1)]))
    return chosen


def _carry_out(task: Task) -> None:
    if task.done.set_running_or_notify_cancel():
        try:
            task.done.set_result(task.work())
        except BaseException as error:
            task.done.set_exception(error)


def _plain(cache: DynamicCache) -> bool:
    """Whether a cache is keys and values of every token and nothing else, so that it can be a row among others."""
    return all(type(layer) is DynamicLayer and layer.is_initialized for layer in cache.layers)


def _tensors(cache: DynamicCache) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of each layer, [rows, heads, tokens, size]."""
    return [(layer.keys, layer.values) for layer in cast(list[Any], cache.layers)]


def _padded(part: Tensor, length: int) -> Tensor:
    return torch.nn.functional.pad(part, (0, 0, length - part.shape[-2], 0))
