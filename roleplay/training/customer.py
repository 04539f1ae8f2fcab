"""The recipe of the bundled customer: `python -m roleplay.training.customer --work FOLDER`.

Three stages, each resumable from the checkpoints in FOLDER:
1. language: every text, loss on every token;
2. speaking: calls and lines, loss on the customer's words;
3. choosing: the true next line against false ones of the same act (see `choosing`).
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

from roleplay.training.choosing import Alone, Pool, choosing_loss, make_exam, summary, take_exam
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
    later_part,
    special,
    train_tokenizer,
    untold,
)

TARGET = ROOT / "roleplay" / "bundled" / "customer"
SAVE_EVERY = 120.0  # seconds between checkpoints


@dataclass(frozen=True, slots=True)
class Stage:
    """`epochs` over its texts, `tokens` in a batch, `rest` the weight of words that are not the customer's."""

    name: str
    epochs: int
    rate: float
    rest: float
    calls_only: bool = False
    tokens: int = 2048


LANGUAGE = Stage("language", epochs=2, rate=3e-3, rest=0.5)
CHOOSING = Stage("choosing", epochs=3, rate=1e-3, rest=0.0, tokens=512)
TURNS = 4  # choices of a call in a step; rather of turns that tell nothing, the others are easy
OTHERS = 6  # false lines beside the true one while learning
SHARPNESS = 0.3  # of the contrast: nats count this much, so that a single odd word does not decide


def make_model(tokenizer: Tokenizer, seed: int = 0) -> LlamaForCausalLM:
    """A fresh decoder of 4.4M parameters."""
    torch.manual_seed(seed)
    end, pad = special(tokenizer, END), special(tokenizer, PAD)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    model = LlamaForCausalLM(config)
    look_for_the_same_word(model)
    return model


@torch.no_grad()
def look_for_the_same_word(model: LlamaForCausalLM) -> None:
    """Let half of the heads begin by attending to earlier places of the word that they stand on.

    Texts as few as these do not teach a model to look back by themselves: keys that equal the queries,
    in the dimensions whose rotary angle hardly turns over a call, give it that from the start.
    """
    heads = model.config.num_attention_heads // 2
    size = model.config.hidden_size // model.config.num_attention_heads
    slow = torch.arange(size) % (size // 2) >= size // 4
    for layer in model.model.layers:
        rows = torch.randn(heads, size, model.config.hidden_size) * torch.where(slow, 0.07, 0.01)[None, :, None]
        layer.self_attn.q_proj.weight[: heads * size] = rows.flatten(0, 1)
        layer.self_attn.k_proj.weight[: heads * size] = rows.flatten(0, 1)


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


def train_language(model: LlamaForCausalLM, tokenizer: Tokenizer, stage: Stage, work: Path) -> None:
    """Run a stage of next-word learning, from its checkpoint if there is one."""
    pad, progress = special(tokenizer, PAD), Progress(work, stage.name, model, stage.rate)
    if progress.done:
        return
    texts, held = Texts("train"), _rows(tokenizer, Texts("validation").epoch(random.Random(1), calls_only=True))
    total, step = 0, 0
    for epoch in range(stage.epochs):
        rng = random.Random(f"{stage.name} {epoch}")
        rows = _rows(tokenizer, texts.epoch(rng, stage.calls_only))
        plan = list(batches(rows, stage.tokens, pad, rng))
        total = total or len(plan) * stage.epochs
        model.train()
        for ids, own in plan:
            if step >= progress.step:
                loss = language_loss(model, ids, own, pad, stage.rest)
                progress.update(loss, total)
                if progress.step % 50 == 0:
                    typer.echo(f"{stage.name} {progress.step}/{total} loss {loss.item():.3f}")
            step += 1
        typer.echo(f"{stage.name} epoch {epoch} held-out {held_out_loss(model, held, pad):.3f} nats a customer's token")
    progress.save(done=True)


def train_choosing(model: LlamaForCausalLM, tokenizer: Tokenizer, stage: Stage, work: Path) -> None:
    """Contrast on calls, two a step, with a batch of single lines so that speaking is not forgotten."""
    pad, progress = special(tokenizer, PAD), Progress(work, stage.name, model, stage.rate)
    if progress.done:
        return
    texts, pool = Texts("train"), Pool(tokenizer, ("train",))
    pairs = len(texts.calls) // 2
    for epoch in range(progress.step // pairs, stage.epochs):
        rng = random.Random(f"{stage.name} {epoch}")
        alone = Alone(model, tokenizer)
        calls = rng.sample(texts.calls, len(texts.calls))
        lines = list(batches(_rows(tokenizer, texts.lines_alone(rng)), stage.tokens, pad, rng))
        right, seen = 0, 0
        for pair in range(progress.step % pairs, pairs):
            loss = 0.5 * language_loss(model, *lines[pair % len(lines)], pad, stage.rest)
            for call in calls[2 * pair : 2 * pair + 2]:
                messages = call_messages(call, gloss=rng.random() < 0.3)
                messages = untold(later_part(messages, rng) if rng.random() < 0.5 else messages, 0.4, rng)
                exam = make_exam(tokenizer, pool, call, messages, OTHERS, rng)
                order = sorted(exam.choices, key=lambda choice: choice.tells + 1.5 * rng.random())
                exam = replace(exam, choices=tuple(sorted(order[:TURNS], key=lambda choice: choice.place)))
                found, good = choosing_loss(model, exam, alone, encode(tokenizer, messages)[1], SHARPNESS)
                loss, right, seen = loss + found, right + good, seen + len(exam.choices)
            progress.update(loss, pairs * stage.epochs)
            if progress.step % 25 == 0:
                typer.echo(f"{stage.name} {progress.step}/{pairs * stage.epochs} right {right / max(1, seen):.3f}")
                right, seen = 0, 0
        progress.save()
    progress.save(done=True)


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
    train_language(model, tokenizer, LANGUAGE, work)
    train_choosing(model, tokenizer, CHOOSING, work)
    save(model, tokenizer, target)
    (target / "README.md").write_text(measure(model.float(), tokenizer), "utf-8")


if __name__ == "__main__":
    typer.run(main)
