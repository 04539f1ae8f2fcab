"""The recipe of the ranker that tells which fact a question asks for: `python -m roleplay.training.questions`.

Learnt from the personas' own example questions, each taken out and asked of the rest, against trainees'
questions in annotated calls, which ask for nothing that another call's customer could tell. Prints what
five parts of the personas, each unseen, say of it; the shipped ranker has learnt from all.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from roleplay.clauses import is_question, sentences
from roleplay.knowledge.embedding import load_embedder
from roleplay.persona import Persona, load_persona
from roleplay.questions import BUNDLED, FEATURES, SURE, Embedder, features, prepare
from roleplay.training.corpus import load_calls
from roleplay.training.ranking import Recipe, Sample, fit, save

PERSONAS = Path(__file__).parents[2] / "personas"
STRANGE = 20  # questions of other calls for each persona, of either kind
POLITE = frozenset(
    {"offer_help", "check_satisfied", "hold", "transfer", "close", "ask_repeat", "ask_mandarin", "propose"}
)
ASKING = frozenset({"ask_open", "ask_closed", "verify", "restate"})
FOLDS = 5


@dataclass(frozen=True)
class Asked:
    """One question with its features; `persona` is held out together."""

    persona: int
    language: str
    sample: Sample
    none: bool


class Remembered:
    """An embedder that encodes each text once: most of every persona's examples come again and again."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._known = embedder, dict[str, np.ndarray]()

    def encode(self, texts: list[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def asked_of(personas: list[Persona], embedder: Embedder, seed: int = 0) -> Iterator[Asked]:
    """Every example question left out once, and strange questions, asked of each persona."""
    chance, strange = random.Random(seed), strange_questions()
    for number, persona in enumerate(personas):
        language, known = persona.language, persona.subjects()
        for place, (name, subject) in enumerate(known.items()):
            for text in subject.questions if len(subject.questions) > 1 else ():
                rest = replace(subject, questions=tuple(other for other in subject.questions if other != text))
                facts = prepare(known | {name: rest}, language, embedder)
                yield Asked(number, language, Sample(features(text, facts, language, embedder), place), False)
        facts = prepare(known, language, embedder)
        for text in (text for pool in strange[language] for text in chance.sample(pool, STRANGE)):
            yield Asked(number, language, Sample(features(text, facts, language, embedder), len(known)), True)


def strange_questions() -> dict[str, tuple[list[str], list[str]]]:
    """Short questions of trainees in annotated calls, by language: those of moves that ask for nothing, and others."""
    found: dict[str, tuple[set[str], set[str]]] = {"zh-CN": (set(), set()), "en": (set(), set())}
    for call in load_calls():
        longest = 60 if call.language == "zh-CN" else 180
        for turn in call.turns[::2]:
            asking = [piece.text for piece in sentences(turn.text) if is_question(piece.text)]
            kind = 0 if set(turn.moves) & POLITE and not set(turn.moves) & ASKING else 1
            found[call.language][kind].update(text for text in asking if len(text) < longest)
    return {language: (sorted(polite), sorted(others)) for language, (polite, others) in found.items()}


def unseen(asked: list[Asked], recipe: Recipe) -> list[np.ndarray]:
    """The shares of every question, by a ranker that has not seen its persona."""
    found: list[np.ndarray] = [np.zeros(0)] * len(asked)
    for fold in range(FOLDS):
        held = [at for at, each in enumerate(asked) if each.persona % FOLDS == fold]
        ranker = fit([each.sample for each in asked if each.persona % FOLDS != fold], recipe)
        for at in held:
            found[at] = ranker.shares(asked[at].sample.rows)
    return found


def report(asked: list[Asked], found: list[np.ndarray]) -> str:
    lines = []
    for language in ("zh-CN", "en"):
        said = [
            (each, int(share[:-1].argmax()), share[:-1].max() >= SURE)
            for each, share in zip(asked, found, strict=True)
            if each.language == language
        ]
        real = [(each.sample.truth == best, sure) for each, best, sure in said if not each.none]
        right, wrong = np.mean([ok and sure for ok, sure in real]), np.mean([sure and not ok for ok, sure in real])
        claimed = np.mean([sure for each, _, sure in said if each.none])
        lines.append(
            f"{language}: {len(real)} questions, {right:.3f} right, {wrong:.3f} for another fact; strange ones taken for one {claimed:.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the ranker that tells which fact a question asks for.")
    parser.add_argument("--target", type=Path, default=BUNDLED, help="the file to write")
    given = parser.parse_args()
    personas = [load_persona(path) for path in sorted(PERSONAS.rglob("*.yaml"))]
    asked, recipe = list(asked_of(personas, Remembered(load_embedder()))), Recipe()
    print(report(asked, unseen(asked, recipe)))
    save(fit([each.sample for each in asked], recipe), FEATURES, given.target)


if __name__ == "__main__":
    main()
