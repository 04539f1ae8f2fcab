"""Make the bundled encoder: `python -m roleplay.training.reader`, about twenty minutes on one core.

Trained from scratch on the trainee's turns of the annotated calls and on the graded replies. Beside
the model that is shipped, two are trained on one half each, so that `grader` can learn how far an
encoder is to be trusted on replies that it has not seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import typer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from roleplay.dialogue import MOVES, STAGES
from roleplay.graded import GradedReply
from roleplay.models.encoder import BUNDLED, pair, squash
from roleplay.rubric import DIMENSIONS
from roleplay.training.corpus import graded_turns, load_calls, load_replies, split_of

LABELS = (
    *(f"move:{move}" for move in MOVES),
    *(f"score:{name}" for name in DIMENSIONS),
    "fact_due",
    *(f"stage:{stage}" for stage in STAGES),
)
HELD_BACK = Path("runs/reader")  # what the encoders say of replies that they have not seen
FOLDS = 2


@dataclass(frozen=True, slots=True)
class Target:
    """What the encoder is to say; `known` is 0 where the data says nothing."""

    values: np.ndarray  # (rows, labels)
    known: np.ndarray  # (rows, labels)


def all_rows() -> list[GradedReply]:
    """Every annotated reply, of the calls and of those written to be compared."""
    return [*load_replies(), *(row for call in load_calls() for row in graded_turns(call))]


def fold_of(group: str) -> int:
    """Which of the encoders has not seen this group: 0 to FOLDS - 1."""
    return sum(group.encode()) % FOLDS


def make_tokenizer(texts: Sequence[str], size: int = 9000) -> PreTrainedTokenizerFast:
    """Single Chinese characters and pieces of English words, lower case."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=size, min_frequency=2, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    names = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], special, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def make_target(rows: Sequence[GradedReply]) -> Target:
    values, known = np.zeros((len(rows), len(LABELS)), np.float32), np.ones((len(rows), len(LABELS)), np.float32)
    place = {label: index for index, label in enumerate(LABELS)}
    stages = slice(place[f"stage:{STAGES[0]}"], None)
    for line, row in enumerate(rows):
        for move in row.moves:
            values[line, place[f"move:{move}"]] = 1
        for name in DIMENSIONS:
            score = row.scores.get(name)
            values[line, place[f"score:{name}"]] = 0 if score is None else (score - 3) / 2
            known[line, place[f"score:{name}"]] = score is not None
        values[line, place["fact_due"]] = row.scores.get("accuracy") is not None
        known[line, stages] = row.exchange.stage is not None
        if row.exchange.stage:
            values[line, place[f"stage:{row.exchange.stage}"]] = 1
    return Target(values, known)


def loss_of(raw: torch.Tensor, values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Cross entropy for moves, `fact_due` and stages, squared error for scores, each where known."""
    scores = torch.tensor([label.startswith("score:") for label in LABELS])
    each = torch.nn.functional.binary_cross_entropy_with_logits(raw, values, reduction="none")
    each = torch.where(scores, 2 * (raw - values) ** 2, each)
    weight = torch.where(scores, 6.0, torch.where(torch.tensor(["fact" in label for label in LABELS]), 4.0, 1.0))
    return (each * known * weight).sum(1).mean()


def batches(lengths: Sequence[int], size: int, random: np.random.Generator) -> list[np.ndarray]:
    """Row numbers in batches of like length, in random order."""
    order = np.argsort(np.array(lengths) + random.uniform(-15, 15, len(lengths)))
    found = [order[start : start + size] for start in range(0, len(order), size)]
    random.shuffle(found)
    return found


def train(
    rows: Sequence[GradedReply], tokenizer: PreTrainedTokenizerFast, epochs: int, seed: int
) -> BertForSequenceClassification:
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=144, num_hidden_layers=3, num_attention_heads=4, intermediate_size=432,
        max_position_embeddings=224, hidden_dropout_prob=0.15, pad_token_id=0, id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )  # fmt: skip
    model = BertForSequenceClassification(config).train()
    target = make_target(rows)
    size = 32
    lengths = [len(row.exchange.heard_text) + len(row.exchange.reply) for row in rows]
    steps = epochs * -(-len(rows) // size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-4, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-4, total_steps=steps, pct_start=0.1)
    for epoch in range(epochs):
        start, losses = time.monotonic(), []
        for lines in batches(lengths, size, random):
            batch = pair(
                tokenizer, [rows[i].exchange.heard_text for i in lines], [rows[i].exchange.reply for i in lines]
            )
            blank = (torch.rand(batch["input_ids"].shape) < 0.1) & (batch["input_ids"] > 4)
            batch["input_ids"][blank] = tokenizer.mask_token_id
            raw = model(**batch).logits
            loss = loss_of(raw, torch.from_numpy(target.values[lines]), torch.from_numpy(target.known[lines]))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.monotonic() - start:.0f} s", flush=True)
    return model.eval()


def predict(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, rows: Sequence[GradedReply]
) -> np.ndarray:
    """What the model says of each row, as `ReplyEncoder.outputs` gives it."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), 64):
            part = rows[start : start + 64]
            batch = pair(tokenizer, [row.exchange.heard_text for row in part], [row.exchange.reply for row in part])
            found.append(squash(model(**batch).logits.numpy(), LABELS))
    return np.concatenate(found)


def main(epochs: int = 9, seed: int = 1, folder: Path = BUNDLED) -> None:
    """Train and save the encoder, and what its fellows say of unseen replies."""
    rows = all_rows()
    learnt = [row for row in rows if split_of(row.group) == "train"]
    tokenizer = make_tokenizer([text for row in learnt for text in (row.exchange.heard_text, row.exchange.reply)])
    model = train(learnt, tokenizer, epochs, seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model.float()
    outputs = predict(model, tokenizer, rows)
    for fold in range(FOLDS):
        fellow = train([row for row in learnt if fold_of(row.group) != fold], tokenizer, epochs, seed + fold + 1)
        unseen = [i for i, row in enumerate(rows) if split_of(row.group) == "train" and fold_of(row.group) == fold]
        outputs[unseen] = predict(fellow, tokenizer, [rows[i] for i in unseen])
    HELD_BACK.mkdir(parents=True, exist_ok=True)
    np.save(HELD_BACK / "outputs.npy", outputs)
    (HELD_BACK / "ids.json").write_text(json.dumps([row.id for row in rows]), "utf-8")


if __name__ == "__main__":
    typer.run(main)
