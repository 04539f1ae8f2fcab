"""Fit what stands on the encoder: `python -m roleplay.training.grader`, after `roleplay.training.reader` and `tone`.

The linear model over pieces of text, the threshold of each move, and the small model that scores. All
are fitted on what the models before them say of replies that they have not seen, so that nobody learns
to trust a model for having learnt its own training rows by heart. What is shipped has learnt from every
scored reply; what is reported was said of replies by models that had not seen them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from sklearn.metrics import fbeta_score
from sklearn.model_selection import GroupKFold

from roleplay.dialogue import MOVES
from roleplay.graded import GradedReply
from roleplay.grading import ceiling, grader_features
from roleplay.models.aims import AimModel
from roleplay.models.encoder import BUNDLED, ReplyEncoder
from roleplay.models.fluency import table_of
from roleplay.models.ngrams import WIDTH, NgramModel, columns, rarity, stacked
from roleplay.models.reply_model import blend
from roleplay.models.tone import ToneModel
from roleplay.reader import Reader
from roleplay.standards import load_standards
from roleplay.training.aims import PARTS, learn, load_labelled
from roleplay.training.corpus import load_calls, load_replies, split_of
from roleplay.training.misfits import MARK, misfits
from roleplay.training.reader import HELD_BACK, LABELS, all_rows, make_target
from roleplay.training.scoring import FOLDS, fit_scorer, weight_of

KNOWLEDGE = Path("knowledge_base")
CALLS_SHARE = 3  # one in so many turns of the calls is scored on, beside all replies written to be compared
FAULTS = frozenset({"rude", "blame", "dismiss", "argue", "overpromise", "disclose", "off_topic"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stands for the models where what they say is known already."""

    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    values: np.ndarray

    def outputs(self, heard: str, texts: Sequence[str], language: str) -> np.ndarray:
        return np.repeat(self.values[None], len(texts), axis=0)


def encoded_unseen(rows: Sequence[GradedReply]) -> np.ndarray:
    """What encoders say of rows that they have not seen: (rows, labels).

    Rows that came after the encoder was trained are unseen by the shipped one. Raises SystemExit when
    `roleplay.training.reader` has not been run here.
    """
    if not (HELD_BACK / "outputs.npy").is_file():
        raise SystemExit(f"{HELD_BACK} holds nothing: run roleplay.training.reader first")
    known = dict(
        zip(json.loads((HELD_BACK / "ids.json").read_text("utf-8")), np.load(HELD_BACK / "outputs.npy"), strict=True)
    )
    encoder = ReplyEncoder()
    return np.stack([
        known[row.id] if row.id in known else encoder.outputs(row.exchange.heard_text, [row.exchange.reply])[0] for row in rows
    ])  # fmt: skip


def text_matrix(rows: Sequence[GradedReply], rare: np.ndarray) -> csr_matrix:
    """The columns of `NgramModel` for every row: (rows, WIDTH)."""
    return stacked([columns(row.exchange.reply, row.exchange.heard_text, rare) for row in rows])


def fit_ngrams(rows: Sequence[GradedReply], matrix: csr_matrix, rare: np.ndarray, chosen: np.ndarray) -> NgramModel:
    """Ridge regressions: scores in points, yes-or-no labels on -1/+1, stretched to log-odds."""
    target = make_target(rows)
    chinese = np.array([row.exchange.language == "zh-CN" for row in rows])
    weight = weight_of(rows)
    weights, bias = np.zeros((WIDTH, len(LABELS)), np.float32), np.zeros((2, len(LABELS)), np.float32)
    for place, spoken in enumerate((chinese, ~chinese)):
        lines = np.flatnonzero(chosen & spoken)
        for column, label in enumerate(LABELS):
            known = lines[target.known[lines, column] > 0]
            score = label.startswith("score:")
            wanted = 3 + 2 * target.values[known, column] if score else 2 * target.values[known, column] - 1
            ridge = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-3).fit(
                matrix[known], wanted, sample_weight=weight[known]
            )
            stretch = 1.0 if score else 4.0
            weights[:, column] += stretch * ridge.coef_
            bias[place, column] = stretch * ridge.intercept_
    return NgramModel(LABELS, weights, bias, rare)


def ngram_outputs(model: NgramModel, rows: Sequence[GradedReply], matrix: csr_matrix) -> np.ndarray:
    place = np.array([0 if row.exchange.language == "zh-CN" else 1 for row in rows])
    return matrix @ model.weights + model.bias[place]


def unseen_ngrams(rows: Sequence[GradedReply], matrix: csr_matrix, rare: np.ndarray) -> np.ndarray:
    """What linear models say of rows that they have not seen: (rows, labels). They learn nothing from misfits."""
    outputs = np.zeros((len(rows), len(LABELS)), np.float32)
    real = np.array([not row.id.startswith(MARK) for row in rows])
    for seen, unseen in GroupKFold(FOLDS).split(rows, groups=[row.group for row in rows]):
        chosen = np.zeros(len(rows), bool)
        chosen[seen] = True
        chosen &= real
        model = fit_ngrams(rows, matrix, rare, chosen)
        outputs[unseen] = ngram_outputs(model, [rows[i] for i in unseen], matrix[unseen])
    return outputs


def unseen_aims() -> list[AimModel]:
    """For each part of the replies a model of aims that has seen the others."""
    rows = list(load_labelled())
    return [learn([row for row in rows if part_of(row.group) != part]) for part in range(PARTS)]


def part_of(group: str) -> int:
    """The part of the replies, of PARTS, that a group belongs to."""
    return zlib.crc32(group.encode()) % PARTS


def choose_thresholds(values: np.ndarray, rows: Sequence[GradedReply]) -> dict[str, float]:
    """For each move the probability from which it counts, on replies that the models have not seen.

    By F1; for faults by F0.5, for a fault that was not made costs the trainee points.
    """
    found = {}
    for column, move in enumerate(MOVES):
        truth = np.array([move in row.moves for row in rows])
        grid = np.arange(0.12, 0.8, 0.02)
        beta = 0.5 if move in FAULTS else 1.0
        scores = [fbeta_score(truth, values[:, column] >= level, beta=beta, zero_division=0) for level in grid]
        found[move] = round(float(grid[int(np.argmax(scores))]), 2)
    return found


def save_pairs(folder: Path) -> None:
    """Which pairs of Chinese characters occur in the texts that may be learnt from, and in the knowledge base."""
    calls = [call for call in load_calls() if split_of(call.id) == "train"]
    texts = [turn.text for call in calls for turn in call.turns] + [text for call in calls for text in call.evidence]
    texts += [row.exchange.reply for row in load_replies() if split_of(row.group) == "train"]
    texts += [path.read_text("utf-8") for path in sorted(KNOWLEDGE.glob("*.yaml"))]
    (folder / "pairs.bin").write_bytes(table_of(texts))


def main(folder: Path = BUNDLED) -> None:
    """Fit and save everything; print how well it agrees with the raters on replies that were left out."""
    real = all_rows()
    rows = [*real, *misfits(real)]
    save_pairs(folder)
    rare = rarity((row.exchange.reply, row.exchange.heard_text) for row in real)
    matrix = text_matrix(rows, rare)
    model = fit_ngrams(rows, matrix, rare, np.arange(len(rows)) < len(real))
    tensors = {"weights": model.weights.astype(np.float16), "bias": model.bias, "rare": rare}
    save_file(tensors, str(folder / "ngrams.safetensors"), {"labels": " ".join(LABELS)})
    values = blend(encoded_unseen(rows), unseen_ngrams(rows, matrix, rare), LABELS)
    thresholds = choose_thresholds(values[: len(real)], real)
    (folder / "thresholds.json").write_text(json.dumps(thresholds, indent=1) + "\n", "utf-8")
    standards, aims, tone = load_standards(), unseen_aims(), ToneModel.load()
    used = [i for i, row in enumerate(rows) if row.exchange.stage or i % CALLS_SHARE == 0]
    rows, values = [rows[i] for i in used], values[used]
    found, tops = [], []
    for row, value in zip(rows, values, strict=True):
        judge, part = Recorded(LABELS, thresholds, value), part_of(row.group)
        reading = Reader(judge, None, standards, aims[part], tone).read(row.exchange)
        found.append(grader_features(row.exchange, reading, standards.rules))
        tops.append(ceiling(row.exchange, reading, standards.rules))
    fit_scorer(rows, found, tops).save(folder / "grader.safetensors")


if __name__ == "__main__":
    typer.run(main)
