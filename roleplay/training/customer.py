"""The recipe of the bundled customer: `python -m roleplay.training.customer --work FOLDER`.

The decoder learns to speak and to choose at once: next words of calls and lines, and the true next line
against false ones of the same act (see `choosing`). Resumable from the checkpoints in FOLDER.
The result is written to `roleplay/bundled/customer` with what the test split says of it.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from roleplay.training.choosing import Alone, Exam, Pool, choosing_loss, make_exam, summary, take_exam
from roleplay.training.corpus import AnnotatedCall
from roleplay.training.customer_card import model_card
from roleplay.training.customer_texts import (
    CHAT_TEMPLATE,
    END,
    PAD,
    ROOT,
    SPECIALS,
    Spoken,
    Texts,
    call_messages,
    encode,
    part,
    special,
    train_tokenizer,
    untold,
)

TARGET = ROOT / "roleplay" / "bundled" / "customer"
SAVE_EVERY = 120.0  # seconds between checkpoints


@dataclass(frozen=True, slots=True)
class Stage:
    """`epochs` over the calls, `tokens` of single lines a step, `rest` the weight of words not the customer's."""

    name: str
    epochs: int
    rate: float
    rest: float
    tokens: int


CHOOSING = Stage("choosing", epochs=8, rate=6e-4, rest=0.3, tokens=400)
TURNS = 3  # choices of a call in a step; rather of turns that tell nothing, the others are easy
OTHERS = 6  # false lines beside the true one while learning
SHARPNESS = 0.15  # of the contrast: nats count this much; at 0.3 and a rate of 1e-3 learning broke down


def make_model(tokenizer: Tokenizer, seed: int = 0) -> LlamaForCausalLM:
    """A fresh decoder of 3.5M parameters that looks back from the start, see `look_back`."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=special(tokenizer, END),
        pad_token_id=special(tokenizer, PAD),
    )
    model = LlamaForCausalLM(config)
    look_back(model, rarity(tokenizer))
    return model


def rarity(tokenizer: Tokenizer) -> Tensor:
    """How rare each token is in the calls learnt from: -log of its share, at most 9; [vocabulary]."""
    counts = torch.ones(tokenizer.get_vocab_size())
    for call in Texts("train").calls:
        ids = torch.tensor(encode(tokenizer, call_messages(call))[0])
        counts.index_add_(0, ids, torch.ones(len(ids)))
    return (counts.sum() / counts).log().clamp(max=9.0)


@torch.no_grad()
def look_back(model: LlamaForCausalLM, rare: Tensor) -> None:
    """Start with half of the heads handing on the rare words said so far.

    Texts as few as these do not teach a model to look back: without this, what the trainee has said does
    not change which line it finds likely. One dimension of the embeddings is a constant, one tells how
    rare a word is; the heads ask by the first for the second, in the slowest rotary dimensions, and pass
    on what they find, which with tied embeddings makes those words likelier.
    """
    words = model.model.embed_tokens.weight
    words.normal_(0.0, words.shape[1] ** -0.5)
    words[:, 0], words[:, 1] = 0.5, (rare - 5) / 8
    size = model.config.hidden_size // model.config.num_attention_heads
    copied = torch.linalg.qr(torch.randn(words.shape[1], words.shape[1]))[0]
    copied[:, :2] = 0
    for layer in model.model.layers:
        heads = layer.self_attn
        heads.o_proj.weight *= 0.3
        layer.mlp.down_proj.weight *= 0.3
        for head in range(model.config.num_attention_heads // 2):
            rows = slice(head * size, (head + 1) * size)
            heads.q_proj.weight[rows], heads.k_proj.weight[rows] = 0.0, 0.0
            for slow in (head * size + size // 2 - 1, (head + 1) * size - 1):
                heads.q_proj.weight[slow, 0], heads.k_proj.weight[slow, 1] = 1.0, 0.7
            heads.v_proj.weight[rows], heads.o_proj.weight[:, rows] = copied[rows], 0.3 * copied[rows].T


def batches(
    rows: Sequence[tuple[list[int], list[bool]]], tokens: int, pad: int, rng: random.Random
) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of like length together: ids and customer's-words mask, each [rows, length], about `tokens` in all."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index][0]) + rng.random())
    groups: list[list[int]] = [[]]
    for index in order:
        if groups[-1] and (len(groups[-1]) + 1) * len(rows[index][0]) > tokens:
            groups.append([])
        groups[-1].append(index)
    rng.shuffle(groups)
    for group in groups:
        width = max(len(rows[index][0]) for index in group)
        ids = torch.full((len(group), width), pad)
        own = torch.zeros((len(group), width), dtype=torch.bool)
        for place, index in enumerate(group):
            ids[place, : len(rows[index][0])] = torch.tensor(rows[index][0])
            own[place, : len(rows[index][1])] = torch.tensor(rows[index][1])
        yield ids, own


def language_loss(model: LlamaForCausalLM, ids: Tensor, own: Tensor, pad: int, rest: float) -> Tensor:
    """Mean negative log-likelihood a token; the customer's words weigh 1, all others `rest`.

    Padding stands right, so a causal model needs no mask for it.
    """
    logits = model(input_ids=ids).logits[:, :-1]
    weights = torch.where(own[:, 1:], 1.0, rest) * (ids[:, 1:] != pad)
    losses = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / weights.sum()


class Progress:
    """Model, optimiser and place in the recipe, kept in one file that a killed run goes on from."""

    def __init__(self, work: Path, name: str, model: torch.nn.Module, rate: float) -> None:
        matrices = [p for p in model.parameters() if p.ndim > 1]
        vectors = [p for p in model.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
        self.model, self.rate, self.step, self.done = model, rate, 0, False
        self.path, self.saved = work / f"{name}.pt", time.monotonic()
        if self.path.exists():
            kept = torch.load(self.path, weights_only=True)
            model.load_state_dict(kept["model"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.step, self.done = kept["step"], kept["done"]

    def update(self, loss: Tensor, total: int) -> None:
        """One step of descent at the warmed-up, then cosine-shaped rate; now and then a checkpoint."""
        share = min(1.0, self.step / total)
        warm = min(1.0, (self.step + 1) / 60)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm * (0.04 + 0.96 * 0.5 * (1 + math.cos(math.pi * share)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        if time.monotonic() - self.saved > SAVE_EVERY:
            self.save()

    def save(self, done: bool = False) -> None:
        kept = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**kept, "step": self.step, "done": done}, self.path.with_suffix(".new"))
        self.path.with_suffix(".new").replace(self.path)
        self.saved, self.done = time.monotonic(), done


def train_choosing(model: LlamaForCausalLM, tokenizer: Tokenizer, stage: Stage, work: Path) -> None:
    """Contrast on parts of calls, two a step, with a batch of single lines so that speaking is learnt on."""
    pad, progress = special(tokenizer, PAD), Progress(work, stage.name, model, stage.rate)
    if progress.done:
        return
    texts, pool = Texts("train"), Pool(tokenizer, ("train",))
    pairs = len(texts.calls) // 2
    total, right, seen = pairs * stage.epochs, 0, 0
    lines: list[list[Spoken]] = []
    while progress.step < total:
        rng = random.Random(f"{stage.name} {progress.step}")
        if not lines or progress.step % pairs == 0:
            lines = list(texts.lines_alone(random.Random(f"lines {progress.step // pairs}")))
        # of this very model: one from some steps ago would reward long lines by all that was learnt since
        alone = Alone(model, tokenizer)
        loss = 0.5 * language_loss(model, *_some(tokenizer, lines, stage.tokens, pad, rng), pad, stage.rest)
        order = random.Random(f"calls {progress.step // pairs}").sample(texts.calls, len(texts.calls))
        for call in order[2 * (progress.step % pairs) :][:2]:
            exam = _exam(tokenizer, pool, part(call, rng), rng)
            found, good = choosing_loss(model, exam, alone, SHARPNESS)
            loss, right, seen = loss + found, right + good, seen + len(exam.choices)
        progress.update(loss, total)
        if progress.step % 25 == 0:
            typer.echo(f"{stage.name} {progress.step}/{total} loss {loss.item():.3f} right {right / max(1, seen):.3f}")
            right, seen = 0, 0
    progress.save(done=True)


def _exam(tokenizer: Tokenizer, pool: Pool, call: AnnotatedCall, rng: random.Random) -> Exam:
    messages = untold(call_messages(call, gloss=rng.random() < 0.2), 0.4, rng)
    exam = make_exam(tokenizer, pool, call, messages, OTHERS, rng)
    order = sorted(exam.choices, key=lambda choice: choice.tells + 1.5 * rng.random())
    return replace(exam, choices=tuple(sorted(order[:TURNS], key=lambda choice: choice.place)))


def _some(
    tokenizer: Tokenizer, texts: Sequence[list[Spoken]], tokens: int, pad: int, rng: random.Random
) -> tuple[Tensor, Tensor]:
    """A batch of about `tokens` from anywhere in `texts`."""
    rows = [encode(tokenizer, messages) for messages in rng.sample(texts, max(1, tokens // 50))]
    return next(batches(rows, 10**9, pad, rng))


@torch.no_grad()
def held_out_loss(model: LlamaForCausalLM, rows: Sequence[tuple[list[int], list[bool]]], pad: int) -> float:
    """Mean negative log-likelihood of the customer's words in `rows`."""
    model.eval()
    losses, counts = 0.0, 0
    for ids, own in batches(rows, 8192, pad, random.Random(0)):
        loss = language_loss(model, ids, own, pad, 0.0)
        losses, counts = losses + loss.item() * int(own.sum()), counts + int(own.sum())
    return losses / counts


def _rows(tokenizer: Tokenizer, texts: Iterator[list[Spoken]]) -> list[tuple[list[int], list[bool]]]:
    return [encode(tokenizer, messages) for messages in texts]


def make_tokenizer(work: Path) -> Tokenizer:
    """The tokenizer of all training texts, made once."""
    path = work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(Texts("train").epoch(random.Random(0))).save(str(path))
    return Tokenizer.from_file(str(path))


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the model as transformers reads it, weights in bfloat16."""
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, extra_special_tokens=list(SPECIALS[2:])
    )
    wrapped.chat_template = CHAT_TEMPLATE
    wrapped.save_pretrained(folder)
    model.generation_config.do_sample = True
    model.generation_config.temperature, model.generation_config.top_p = 0.8, 0.95
    model.bfloat16().save_pretrained(folder)


def measure(model: LlamaForCausalLM, tokenizer: Tokenizer) -> str:
    """What the test split says of a finished model, as its model card."""
    test = Texts("test")
    rows = [encode(tokenizer, call_messages(call)) for call in test.calls]
    ranked, tuned = take_exam(model, tokenizer, "test"), take_exam(model, tokenizer, "validation")
    every = [Texts(split) for split in ("train", "validation", "test")]
    return model_card(
        parameters=sum(p.numel() for p in model.parameters()),
        vocabulary=tokenizer.get_vocab_size(),
        counts={kind: sum(len(getattr(texts, kind)) for texts in every) for kind in ("calls", "lines", "replies")},
        loss=held_out_loss(model, rows, special(tokenizer, PAD)),
        choosing=summary(ranked, "added"),
        others={name: summary(tuned, name)["all"]["top1"] for name in ranked[0].ranks},
    )


def main(
    work: Annotated[Path, typer.Option(help="folder for checkpoints; a killed run goes on from them")],
    threads: int = 1,
    target: Annotated[Path, typer.Option(help="where the model is written")] = TARGET,
) -> None:
    """Train the bundled customer, write it to TARGET and measure it."""
    torch.set_num_threads(threads)
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(work)
    model = make_model(tokenizer)
    typer.echo(
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters, {tokenizer.get_vocab_size()} tokens"
    )
    train_choosing(model, tokenizer, CHOOSING, work)
    save(model, tokenizer, target)
    (target / "README.md").write_text(measure(model.float(), tokenizer), "utf-8")


if __name__ == "__main__":
    typer.run(main)
