"""Learn how a sentence treats the customer and how it is put: `python -m roleplay.training.tone`, a minute.

Ridge regressions over the pieces of a sentence and of the customer's line, from families written by hand: what
one customer says, and sentences in which kindness and form go apart. Beside them the questions of the personas,
which treat nobody well or badly: without them a plain question is felt as cold. Prints how close the model comes to the
authors on families that it has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import typer
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from roleplay.dialogue import Language
from roleplay.models.ngrams import WIDTH, columns, rarity, stacked
from roleplay.models.tone import FILE, LABELS
from roleplay.persona import Persona, load_persona
from roleplay.training.corpus import FOLDER
from roleplay.training.matching import PERSONAS

LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
PARTS = 5  # of the families, each judged by a model that has seen the others
STRENGTH = 0.7  # by which weights are held small
ASKED = 0.5  # what one of the personas' questions weighs beside a sentence written for this


@dataclass(frozen=True, slots=True)
class Toned:
    """A sentence said to `heard`, with its author's `heart` (-2 to 2) and `form` (-2 to 1). What they mean stands in `models.tone`."""

    heard: str
    text: str
    heart: int
    form: int
    family: str


def load_toned(language: Language, folder: Path = FOLDER / "tone") -> Iterator[Toned]:
    for number, line in enumerate((folder / f"{language[:2]}.jsonl").read_text("utf-8").splitlines()):
        row = json.loads(line)
        for text, heart, form in row["said"]:
            yield Toned(row["heard"], text, heart, form, f"{language}.{number}")


def asked_of(personas: Sequence[Persona], language: Language) -> Iterator[Toned]:
    """What agents ask for in the personas' calls, said to their openings; of their form nothing is known."""
    for persona in personas:
        openings = cycle(persona.call.openings)
        if persona.language == language:
            for text in (text for fact in persona.call.facts for text in fact.asked_by):
                yield Toned(next(openings).text, text, 0, 0, persona.id)


def main(file: Path = FILE) -> None:
    """Fit and save; print how models agree with the authors of families that they have not seen."""
    rows = {language: list(load_toned(language)) for language in LANGUAGES}
    personas = [load_persona(path) for path in sorted(PERSONAS.rglob("*.yaml"))]
    rare = rarity((row.text, row.heard) for own in rows.values() for row in own)
    weights, bias = np.zeros((WIDTH, len(LABELS)), np.float32), np.zeros((len(LANGUAGES), len(LABELS)), np.float32)
    for place, own in enumerate(rows.values()):
        table = stacked([columns(row.text, row.heard, rare) for row in own])
        asked = stacked([columns(row.text, row.heard, rare) for row in asked_of(personas, LANGUAGES[place])])
        wanted = np.array([(row.heart, row.form) for row in own], float)
        said = np.zeros_like(wanted)
        for seen, rest in GroupKFold(PARTS).split(table, groups=[row.family for row in own]):
            for column, model in enumerate(_fit(table[seen], wanted[seen], asked)):
                said[rest, column] = model.predict(table[rest])
        for column, label in enumerate(LABELS):
            close = np.corrcoef(said[:, column], wanted[:, column])[0, 1]
            print(f"{LANGUAGES[place]}: {len(own)} sentences, {label} correlates at {close:.3f}", flush=True)
        for column, model in enumerate(_fit(table, wanted, asked)):
            weights[:, column] += model.coef_  # one table for both: Chinese and English share hardly a piece
            bias[place, column] = model.intercept_
    save_file(
        {"weights": weights.astype(np.float16), "bias": bias, "rare": rare}, str(file), {"labels": " ".join(LABELS)}
    )


def _fit(table: csr_matrix, wanted: np.ndarray, asked: csr_matrix) -> tuple[Ridge, Ridge]:
    """A model of the heart, which learns from what is `asked` as well, and one of the form."""
    heart, form = (Ridge(alpha=STRENGTH, solver="sparse_cg", tol=1e-3) for _ in LABELS)
    heart.fit(
        vstack([table, asked], format="csr"),
        np.concatenate([wanted[:, 0], np.zeros(asked.shape[0])]),
        np.concatenate([np.ones(table.shape[0]), np.full(asked.shape[0], ASKED)]),
    )
    return heart, form.fit(table, wanted[:, 1])


if __name__ == "__main__":
    typer.run(main)
