"""Teach the customer decoder to tell the true next line from false ones, and measure that it does.

In the product the bundled decoder picks one of several proposed lines. The score of a line is what
the call adds to its likelihood: log p(line | call) - log p(line | nothing but the language). Without
the second term short and common lines win everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from roleplay.training.corpus import AnnotatedCall, Split
from roleplay.training.customer_texts import CUSTOMER, END, SYSTEM, Spoken, Texts, call_messages, encode, fill, special

RIVALS = 19  # in a measurement: one true line among 20


@dataclass(frozen=True, slots=True)
class Choice:
    """One customer turn: where its line begins in the call's tokens, the line, and lines said elsewhere."""

    place: int  # of the mark that opens the customer's turn
    truth: tuple[int, ...]  # tokens of the line with its end mark
    rivals: tuple[tuple[int, ...], ...]
    tells: bool


@dataclass(frozen=True, slots=True)
class Exam:
    """A call's tokens with the choices in it."""

    ids: tuple[int, ...]
    choices: tuple[Choice, ...]
    language: str


class Pool:
    """Lines by language and act: those of calls first, then those of roleplay/lines of the same splits."""

    def __init__(self, tokenizer: Tokenizer, splits: Sequence[Split]) -> None:
        self._tokenizer, self._end = tokenizer, special(tokenizer, END)
        self._calls: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._lines: dict[tuple[str, str], list[str]] = {}
        rng = random.Random("slots")
        for texts in map(Texts, splits):
            for call in texts.calls:
                for turn in call.turns[1::2]:
                    self._calls.setdefault((call.language, str(turn.act)), []).append((call.id, turn.text))
            for line in texts.lines:
                text, _ = fill(line.text, line.language, rng)
                self._lines.setdefault((line.language, line.act), []).append(text)

    def rivals(self, call: AnnotatedCall, act: str, text: str, count: int, rng: random.Random) -> list[str]:
        """Up to `count` different lines of the same act and language that are not of this call."""
        key = (call.language, act)
        said = list(dict.fromkeys(t for id, t in self._calls.get(key, ()) if id != call.id and t != text))
        more = [t for t in self._lines.get(key, ()) if t not in said and t != text]
        chosen = rng.sample(said, min(count, len(said)))
        return chosen + rng.sample(more, min(count - len(chosen), len(more)))

    def words(self, text: str) -> tuple[int, ...]:
        return (*self._tokenizer.encode(text, add_special_tokens=False).ids, self._end)


def make_exam(
    tokenizer: Tokenizer, pool: Pool, call: AnnotatedCall, messages: Sequence[Spoken], count: int, rng: random.Random
) -> Exam:
    """The choices of a call; `messages` is the call or its later part."""
    ids, _ = encode(tokenizer, messages)
    mark = special(tokenizer, CUSTOMER)
    places = [place for place, token in enumerate(ids) if token == mark]
    said = list(call.turns[1::2])[-len(places) :]
    texts = [text for role, text in messages if role == "assistant"]
    choices = []
    for place, turn, text in zip(places, said, texts, strict=True):
        rivals = pool.rivals(call, str(turn.act), text, count, rng)
        if rivals:
            words = tuple(pool.words(rival) for rival in rivals)
            choices.append(Choice(place, pool.words(text), words, bool(turn.reveals)))
    return Exam(tuple(ids), tuple(choices), call.language)


def line_scores(model: LlamaForCausalLM, exam: Exam) -> tuple[list[Tensor], Tensor]:
    """Summed log-probabilities of each choice's lines, the true one first, and the call's own hidden states.

    The call and all rivals are one row of tokens: a rival sees the call up to its turn, and itself.
    Returns one tensor [1 + rivals] a choice, and [tokens of the call, width].
    """
    ids, positions, spans = list(exam.ids), list(range(len(exam.ids))), []
    seen = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    for choice in exam.choices:
        for rival in choice.rivals:
            spans.append((len(ids), choice.place, len(rival)))
            ids += [exam.ids[choice.place], *rival[:-1]]
            positions += range(choice.place, choice.place + len(rival))
    whole = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    whole[: len(seen), : len(seen)] = seen
    for start, place, size in spans:
        whole[start : start + size, :place] = True
        whole[start : start + size, start : start + size] = torch.ones(size, size, dtype=torch.bool).tril()
    hidden = model.model(
        input_ids=torch.tensor([ids]),
        position_ids=torch.tensor([positions]),
        attention_mask=whole[None, None],
        use_cache=False,
    ).last_hidden_state[0]
    wanted: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    rival_spans = iter(spans)
    line = 0
    for choice in exam.choices:
        for number, words in enumerate((choice.truth, *choice.rivals)):
            start = choice.place if number == 0 else next(rival_spans)[0]
            wanted += range(start, start + len(words))
            targets += words
            owners += [line] * len(words)
            line += 1
    logs = -F.cross_entropy(model.lm_head(hidden[wanted]), torch.tensor(targets), reduction="none")
    sums = torch.zeros(line).index_add(0, torch.tensor(owners), logs)
    sizes = [1 + len(choice.rivals) for choice in exam.choices]
    return list(sums.split(sizes)), hidden[: len(exam.ids)]


class Alone:
    """How likely lines are with nothing said before: log p(line | language), computed once a line."""

    def __init__(self, model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
        self._model, self._known = model, dict[tuple[str, tuple[int, ...]], float]()
        self._system, self._end = special(tokenizer, SYSTEM), special(tokenizer, END)
        self._mark = special(tokenizer, CUSTOMER)
        self._names = {name: tokenizer.encode(name).ids for name in ("zh-CN", "en")}

    def scores(self, language: str, lines: Sequence[tuple[int, ...]]) -> Tensor:
        new = [line for line in dict.fromkeys(lines) if (language, line) not in self._known]
        if new:
            self._run(language, new)
        return torch.tensor([self._known[language, line] for line in lines])

    @torch.no_grad()
    def _run(self, language: str, lines: list[tuple[int, ...]]) -> None:
        before = [self._system, *self._names[language], self._end, self._mark]
        for start in range(0, len(lines), 64):
            group = lines[start : start + 64]
            width = max(map(len, group))
            rows = torch.tensor([[*before, *line, *[self._end] * (width - len(line))] for line in group])
            logs = self._model(input_ids=rows).logits[:, len(before) - 1 : -1].log_softmax(-1)
            logs = logs.gather(-1, rows[:, len(before) :, None])[..., 0]
            for line, row in zip(group, logs, strict=True):
                self._known[language, line] = float(row[: len(line)].sum())


def choosing_loss(model: LlamaForCausalLM, exam: Exam, alone: Alone, sharpness: float) -> tuple[Tensor, int]:
    """Contrast among the lines of each choice, plus next-word learning on the call; the sum of both.

    Also returns how many of the choices are right already.
    """
    scores, hidden = line_scores(model, exam)
    losses, right = [], 0
    for choice, sums in zip(exam.choices, scores, strict=True):
        added = sums - alone.scores(exam.language, (choice.truth, *choice.rivals))
        losses.append(-(sharpness * added).log_softmax(0)[0])
        right += int(added.argmax() == 0)
    words = F.cross_entropy(model.lm_head(hidden[:-1]), torch.tensor(exam.ids)[1:])
    return (torch.stack(losses).mean() if losses else 0.0) + 0.5 * words, right


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where the true line came among its rivals under one score; rank 0 is first."""

    language: str
    tells: bool
    rivals: int
    ranks: dict[str, int]


def forms(sums: Tensor, alone: Tensor, sizes: Tensor) -> dict[str, Tensor]:
    """The scores that were compared; `added` is the one that the product uses."""
    added = sums - alone
    return {
        "sum": sums,
        "mean": sums / sizes,
        "added": added,
        "added/root": added / sizes**0.5,
        "half": sums - 0.5 * alone,
    }


@torch.no_grad()
def take_exam(model: LlamaForCausalLM, tokenizer: Tokenizer, split: Split, calls: int | None = None) -> list[Ranked]:
    """Every customer turn of a held-out split against 19 held-out lines of its act and language.

    Rivals come from the other calls of validation and test, topped up from the held-out lines of
    roleplay/lines. Turns of acts with fewer rivals are left out.
    """
    model.eval()
    pool, alone, rng = Pool(tokenizer, ("validation", "test")), Alone(model, tokenizer), random.Random("exam")
    ranked = []
    for call in Texts(split).calls[:calls]:
        exam = make_exam(tokenizer, pool, call, call_messages(call), RIVALS, rng)
        for choice, sums in zip(exam.choices, line_scores(model, exam)[0], strict=True):
            if len(choice.rivals) < RIVALS:
                continue
            lines = (choice.truth, *choice.rivals)
            sizes = torch.tensor([float(len(line)) for line in lines])
            found = forms(sums, alone.scores(exam.language, lines), sizes)
            ranks = {name: int((scores[1:] >= scores[0]).sum()) for name, scores in found.items()}
            ranked.append(Ranked(call.language, choice.tells, len(choice.rivals), ranks))
    return ranked


def summary(ranked: Iterable[Ranked], form: str) -> dict[str, dict[str, float]]:
    """Shares of turns with the true line first, and among the first three, by language and kind of turn."""
    rows = list(ranked)
    kinds = {"tells none": [r for r in rows if not r.tells], "tells": [r for r in rows if r.tells], "all": rows}
    for language in ("zh-CN", "en"):
        kinds[f"{language}, tells none"] = [r for r in rows if r.language == language and not r.tells]
    return {
        name: {
            "n": len(group),
            "top1": round(sum(r.ranks[form] == 0 for r in group) / max(1, len(group)), 3),
            "top3": round(sum(r.ranks[form] < 3 for r in group) / max(1, len(group)), 3),
        }
        for name, group in kinds.items()
    }
