"""The recipe of the model that hears an agent in a customer's line: `python -m roleplay.training.speakers`, a minute on one core.

Agents are the trainees of annotated calls, the graded replies and the personas' model answers; customers are
those of the calls, the corpus lines and the personas' own wordings. Prints what five parts, each unseen, say
of it: by call, by context, by persona and by line. The threshold comes from these; the shipped model has
learnt from all.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from roleplay.clauses import sentences
from roleplay.lines import corpus_lines
from roleplay.models.ngrams import WIDTH, columns, rarity, stacked
from roleplay.persona import load_persona
from roleplay.rehearsal import own_lines
from roleplay.speakers import BUNDLED, LABEL, evidence, own_words
from roleplay.training.corpus import load_calls, load_replies

PERSONAS = Path(__file__).parents[2] / "personas"
LANGUAGES = ("zh-CN", "en")
FOLDS = 5
FALSE = 1 / 400  # of the customers' lines, so many are taken for an agent's
STRENGTH = 3.0  # inverse of the regularisation
POLITE_WEIGHT = 10.0  # customers who speak as politely as agents are rare here, and not to be struck for it
POLITE = re.compile(
    r"您|请|抱歉|对不起|\b(?:sir|madam|sorry|please|thank|apologi[sz]e|may i|could you)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Spoken:
    """A line, and what it comes from: lines of one `source` are held out together."""

    text: str
    agent: bool
    language: str
    source: str
    kind: str

    @property
    def fold(self) -> int:
        return int.from_bytes(hashlib.sha256(self.source.encode()).digest()[:4], "big") % FOLDS


def spoken() -> Iterator[Spoken]:
    """All lines of which it is known who says them; of lines in dialect their standard form as well."""
    for call in load_calls():
        for turn in call.turns:
            agent = turn.speaker == "trainee"
            yield from _both(turn.text, turn.gloss, agent, call.language, call.id, "calls")
    for reply in load_replies():
        yield Spoken(reply.exchange.reply, True, reply.exchange.language, str(reply.group), "replies")
    for language in LANGUAGES:
        for line in corpus_lines(language):
            yield from _both(line.text, line.gloss, False, language, line.text, "lines")
    for persona in (load_persona(path) for path in sorted(PERSONAS.rglob("*.yaml"))):
        for _, own in own_lines(persona):
            yield from _both(own.text, own.gloss, False, persona.language, persona.id, "personas")
        for answer in persona.grading.model_answers:
            yield Spoken(answer.text, True, persona.language, persona.id, "answers")


def _both(text: str, gloss: str, agent: bool, language: str, source: str, kind: str) -> Iterator[Spoken]:
    yield Spoken(text, agent, language, source, kind)
    if gloss:
        yield Spoken(gloss, agent, language, source, "glosses")


@dataclass(frozen=True)
class Sentences:
    """The sentences of all lines: (n, WIDTH) columns; `line` says whose each is, the rest is the line's."""

    filled: csr_matrix
    line: np.ndarray
    agent: np.ndarray
    chinese: np.ndarray
    fold: np.ndarray
    weight: np.ndarray


def cut(lines: Sequence[Spoken]) -> tuple[Sentences, np.ndarray]:
    """The lines' sentences, and what each column counts."""
    pieces = [(at, piece.text) for at, line in enumerate(lines) for piece in sentences(own_words(line.text))]
    rare = rarity((text, "") for _, text in pieces).astype(np.float16)
    own = [lines[at] for at, _ in pieces]
    polite = np.array(
        [not line.agent and bool(POLITE.search(text)) for line, (_, text) in zip(own, pieces, strict=True)]
    )
    parts = Sentences(
        stacked([columns(text, "", rare) for _, text in pieces]),
        np.array([at for at, _ in pieces]),
        np.array([line.agent for line in own]),
        np.array([line.language == "zh-CN" for line in own]),
        np.array([line.fold for line in own]),
        np.where(polite, POLITE_WEIGHT, 1.0),
    )
    return parts, rare


def fit(parts: Sentences, chosen: np.ndarray) -> LogisticRegression:
    model = LogisticRegression(C=STRENGTH, solver="liblinear", tol=1e-2, random_state=0)
    return model.fit(parts.filled[chosen], parts.agent[chosen], sample_weight=parts.weight[chosen])


def unseen(parts: Sentences) -> np.ndarray:
    """What every sentence scores by a model that has not seen its source."""
    scores = np.zeros(len(parts.line))
    for chinese in (True, False):
        for fold in range(FOLDS):
            own = parts.chinese == chinese
            held = np.flatnonzero(own & (parts.fold == fold))
            model = fit(parts, np.flatnonzero(own & (parts.fold != fold)))
            scores[held] = model.decision_function(parts.filled[held])
    return scores


def of_lines(parts: Sentences, scores: np.ndarray, count: int) -> np.ndarray:
    """The evidence of every line: (count,)."""
    found: list[list[float]] = [[] for _ in range(count)]
    for at, score in zip(parts.line, scores, strict=True):
        found[at].append(float(score))
    return np.array([evidence(one) for one in found])


def threshold(lines: Sequence[Spoken], found: np.ndarray, language: str) -> float:
    """From which evidence on a line is an agent's, so that FALSE of the customers' lines are taken for one."""
    real = [not line.agent and line.kind != "glosses" and line.language == language for line in lines]
    return float(np.quantile(found[real], 1 - FALSE))


def report(lines: Sequence[Spoken], found: np.ndarray, language: str, bound: float) -> str:
    shares = []
    for kind in ("calls", "replies", "answers", "lines", "personas"):
        for agent in (True, False):
            own = [line.agent == agent and line.kind == kind and line.language == language for line in lines]
            if any(own):
                who = "agent" if agent else "customer"
                shares.append(f"{who} {kind} {np.mean(found[own] >= bound):.4f} of {sum(own)}")
    return f"{language}: taken for an agent's from {bound:.2f}: " + ", ".join(shares)


def main(target: Path = BUNDLED) -> None:
    lines = list(spoken())
    parts, rare = cut(lines)
    found = of_lines(parts, unseen(parts), len(lines))
    weights, bias = np.zeros((WIDTH, 1)), np.zeros((2, 1))
    for place, language in enumerate(LANGUAGES):
        bound = threshold(lines, found, language)
        print(report(lines, found, language, bound))
        model = fit(parts, np.flatnonzero(parts.chinese == (language == "zh-CN")))
        weights[:, 0] += model.coef_[0] / bound  # so that 1 is the threshold of both
        bias[place] = model.intercept_[0] / bound
    target.parent.mkdir(parents=True, exist_ok=True)
    tensors = {"weights": weights.astype(np.float16), "bias": bias.astype(np.float16), "rare": rare}
    save_file(tensors, str(target), {"labels": LABEL})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the model that hears an agent in a customer's line.")
    parser.add_argument("--target", type=Path, default=BUNDLED, help="the file to write")
    main(parser.parse_args().target)
