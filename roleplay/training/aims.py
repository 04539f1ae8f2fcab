"""Learn what sentences want of the customer: `python -m roleplay.training.aims`, about five minutes on one core.

A softmax regression for each language over labelled sentences: of the annotated calls and scored replies, and
of replies written for this. Prints how often it is right on sentences of replies that it has not seen.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from roleplay.clauses import sentences
from roleplay.dialogue import AIMS, ASKING, Language
from roleplay.models.aims import FILE, WIDTH, AimModel, columns
from roleplay.models.ngrams import stacked
from roleplay.training.corpus import FOLDER, graded_turns, load_calls, load_replies

LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
PARTS = 4  # of the replies, each read by a model that has seen the others
RARE = 0.35  # the power of its share by which an aim weighs less
STRENGTH = 8.0  # of the regression; the higher, the closer it keeps to its examples


@dataclass(frozen=True, slots=True)
class Labelled:
    """A reply cut into sentences, each with its aims, the main one first. `group` is left out together."""

    language: Language
    group: str
    heard: str
    parts: tuple[str, ...]
    aims: tuple[tuple[str, ...], ...]


def load_labelled(folder: Path = FOLDER / "aims") -> Iterator[Labelled]:
    """Every labelled reply. Those of calls and scored replies are named by id, the others stand there in full."""
    known = {row.id: row for row in (*load_replies(), *(turn for call in load_calls() for turn in graded_turns(call)))}
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            aims = tuple(tuple(label.split("+")) for label in row["aims"].split())
            if "of" in row:
                said = known[row["of"]]
                parts = tuple(piece.text for piece in sentences(said.exchange.reply))
                yield Labelled(said.exchange.language, said.group, said.exchange.heard_text, parts, aims)
            else:
                group = f"{path.stem}.{number // 15}"
                yield Labelled(row["language"], group, row["heard"], tuple(row["parts"]), aims)


def fit(table: csr_matrix, wanted: np.ndarray) -> LogisticRegression:
    """A softmax regression in which rare aims weigh more, though not so much as to be as many as the others."""
    _, places, counts = np.unique(wanted, return_inverse=True, return_counts=True)
    weight = (counts / len(wanted))[places] ** -RARE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what comes after so many steps changes nothing
        model = LogisticRegression(C=STRENGTH, max_iter=60)
        return model.fit(table, wanted, sample_weight=weight / weight.mean())


def report(language: str, said: np.ndarray, aims: Sequence[tuple[str, ...]]) -> None:
    right = np.array([one in there for one, there in zip(said, aims, strict=True)])
    asks = np.array([there[0] in ASKING for there in aims])
    told_apart = np.mean([(one in ASKING) == (there[0] in ASKING) for one, there in zip(said, aims, strict=True)])
    print(f"{language}: {len(aims)} sentences, right {right.mean():.3f}, of those that ask {right[asks].mean():.3f}, "
          f"asking told from telling {told_apart:.3f}")  # fmt: skip
    for aim in AIMS:
        there = np.array([aim in each for each in aims])
        named = said == aim
        hit = (named & there).sum()
        print(
            f"  {aim:10} {there.sum():5}  precision {hit / max(1, named.sum()):.2f}  recall {hit / max(1, there.sum()):.2f}"
        )


def learn(rows: Sequence[Labelled]) -> AimModel:
    """A model of both languages that has seen these replies."""
    weights: dict[str, np.ndarray] = {}
    bias: dict[str, np.ndarray] = {}
    for language in LANGUAGES:
        own = [row for row in rows if row.language == language]
        table, aims, _ = _stacked(own)
        model = fit(table, np.array([each[0] for each in aims]))
        weights[language], bias[language] = (
            np.zeros((WIDTH, len(AIMS)), np.float16),
            np.full(len(AIMS), -30.0, np.float32),
        )
        place = [AIMS.index(name) for name in model.classes_]
        weights[language][:, place], bias[language][place] = model.coef_.T, model.intercept_
    return AimModel(weights, bias)


def measure(rows: Sequence[Labelled]) -> None:
    """Print what models say of replies that they have not seen."""
    for language in LANGUAGES:
        table, aims, groups = _stacked([row for row in rows if row.language == language])
        wanted, said = np.array([each[0] for each in aims]), np.empty(len(aims), object)
        for seen, unseen in GroupKFold(PARTS).split(table, groups=groups):
            said[unseen] = fit(table[seen], wanted[seen]).predict(table[unseen])
        report(language, said, aims)


def _stacked(rows: Sequence[Labelled]) -> tuple[csr_matrix, list[tuple[str, ...]], list[str]]:
    """The sentences of replies in one language, with the aims and the group of each."""
    table = stacked([found for row in rows for found in columns(row.parts, row.heard, row.language)], WIDTH)
    return table, [each for row in rows for each in row.aims], [row.group for row in rows for _ in row.parts]


def main(file: Path = FILE) -> None:
    """Fit and save; print how often its like are right."""
    rows = list(load_labelled())
    measure(rows)
    model = learn(rows)
    tensors = {f"{language}.weights": model.weights[language] for language in LANGUAGES}
    tensors |= {f"{language}.bias": model.bias[language] for language in LANGUAGES}
    save_file(tensors, str(file), {"aims": " ".join(AIMS)})


if __name__ == "__main__":
    typer.run(main)
