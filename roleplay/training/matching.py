"""Learn which fact a sentence asks for, or which response it calls for: `python -m roleplay.training.matching`.

Half an hour on two busy cores. Makes the bundled embedder as well, since what lies near what is best learnt
together. The ranker learns from the personas' own examples, a part of them at a time left out of the
embedder and of the persona, against their near misses and sentences of annotated calls, which mean nothing to
another call's customer.
Prints how often sentences are understood that nothing had learnt from.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import typer

from roleplay.clauses import is_question
from roleplay.dialogue import Aim, Language
from roleplay.knowledge.embedding import BUNDLED as EMBEDDER
from roleplay.matching import BUNDLED, FEATURES, SURE, Embedder, encoded, features, prepare
from roleplay.models.aims import AimModel
from roleplay.persona import Persona, load_persona
from roleplay.training import embedder as embedding
from roleplay.training.aims import LANGUAGES, load_labelled
from roleplay.training.embedder import Topic, Vectors
from roleplay.training.ranking import Recipe, Sample, fit, save

PERSONAS = Path(__file__).parents[2] / "personas"
KNOWLEDGE = Path("knowledge_base")
STRANGE = 20  # sentences of other calls for each persona, of every kind
EVERYWHERE: frozenset[Aim] = frozenset({  # aims of sentences that any call has
    "greet", "ack", "warm", "hold", "permission", "identity", "rest", "satisfied", "understood", "hear", "repeat",
    "bye", "convenient", "insult", "reproach", "stray", "other", "care", "story",
})  # fmt: skip
PARTS = 4  # of every subject's examples, each left out once


@dataclass(frozen=True)
class Said:
    """One sentence with its features, left out in `part`. `kind` of what it means; a near miss means none, like ""."""

    part: int
    language: str
    sample: Sample
    kind: Literal["fact", "response", "near miss", ""]


class Remembered:
    """An embedder of vectors just learnt, which encodes each text once: examples come again and again."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors, self._known = vectors, dict[str, np.ndarray]()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            with torch.no_grad():
                rows = self._vectors([self._vectors.bag(text) for text in new]).numpy()
            self._known.update(zip(new, rows, strict=True))
        return np.stack([self._known[text] for text in texts])


def without(persona: Persona, part: int) -> Persona:
    """The persona as if a part of its examples, another one of each subject, had never been written."""

    def rest(number: int, examples: tuple[str, ...]) -> tuple[str, ...]:
        kept = tuple(text for place, text in enumerate(examples) if (place + number) % PARTS != part)
        return kept if len(kept) > 1 else examples

    call = persona.call
    facts = [each.model_copy(update={"asked_by": rest(at, each.asked_by)}) for at, each in enumerate(call.facts)]
    goals = [each.model_copy(update={"asked_by": rest(at, each.asked_by)}) for at, each in enumerate(call.goals)]
    responses = [
        each.model_copy(update={"heard": rest(at, each.heard), "unlike": rest(at, each.unlike)})
        for at, each in enumerate(call.responses)
    ]
    update = {"facts": tuple(facts), "goals": tuple(goals), "responses": tuple(responses)}
    return persona.model_copy(update={"call": call.model_copy(update=update)})


def topics_of_personas(personas: Sequence[Persona]) -> list[Topic]:
    """What means the same to one persona: the examples of each of its subjects, and what it answers to them.

    Three in four of the examples are looked for only, so that the knowledge base is not drowned: search would suffer.
    """
    subjects = [subject for persona in personas for subject in persona.subjects().values()]
    return [Topic(list(each.examples[::4]), [*each.examples, *each.answers]) for each in subjects]


def said_to(personas: Sequence[Persona], part: int, embedder: Embedder, aims: AimModel) -> Iterator[Said]:
    """The examples that were left out in `part`, and strange sentences, said to each persona.

    A question is held against all that the persona can tell or answers, what is no question against its responses.
    """
    chance, strange = random.Random(part), strange_sentences()
    for persona in personas:
        language, every, known = persona.language, persona.subjects(), without(persona, part).subjects()
        responses = [name for name, subject in known.items() if not subject.asked]
        prepared = dict(zip((True, False), prepare(known, language, embedder, aims), strict=True))

        def sample(text: str, name: str, asks: bool) -> Sample:
            names = [*(known if asks else responses), ""]  # noqa: B023
            (vectors,) = encoded([text], language, embedder)  # noqa: B023
            return Sample(features(text, vectors, prepared[asks], language, aims), names.index(name))  # noqa: B023

        for name, subject in every.items():
            for text in set(subject.examples) - set(known[name].examples):
                asks = subject.asked or is_question(text)
                yield Said(part, language, sample(text, name, asks), "fact" if subject.asked else "response")
            for text in set(subject.unlike) - set(known[name].unlike):
                yield Said(part, language, sample(text, "", False), "near miss")  # it may well ask for a fact
        for asks in (True, False):
            for pool in strange[language, asks]:
                for text in chance.sample(pool, STRANGE // PARTS):
                    yield Said(part, language, sample(text, "", asks), "")


def strange_sentences() -> dict[tuple[Language, bool], tuple[list[str], list[str]]]:
    """Short sentences of trainees in annotated calls that bring up nothing in another call, by language and whether
    they ask: those that are the same in every call, and others."""
    found: dict[tuple[Language, bool], tuple[set[str], set[str]]] = {
        (language, asks): (set(), set()) for language in LANGUAGES for asks in (True, False)
    }
    for row in load_labelled():
        for text, aims in zip(row.parts, row.aims, strict=True):
            if len(text) < (60 if row.language == "zh-CN" else 180):
                found[row.language, is_question(text)][aims[0] not in EVERYWHERE].add(text)
    return {key: (sorted(same), sorted(others)) for key, (same, others) in found.items()}


def report(said: Sequence[Said], found: Sequence[np.ndarray]) -> str:
    lines = []
    for language in LANGUAGES:
        for kind in ("fact", "response", "near miss", ""):
            rows = [
                (int(share[:-1].argmax()) == each.sample.truth, share[:-1].max() >= SURE)
                for each, share in zip(said, found, strict=True)
                if each.language == language and each.kind == kind
            ]
            right, sure = np.array(rows).T
            lines.append(
                f"{language} {kind or 'nothing'}: {len(rows)} sentences, {np.mean(right & sure):.3f} right, "
                f"{np.mean(~right & sure):.3f} taken for another"
            )
    return "\n".join(lines)


def main(ranker: Path = BUNDLED, embedder: Path = EMBEDDER, knowledge: Path = KNOWLEDGE) -> None:
    """Learn and save both; print how often sentences are understood that neither has learnt from."""
    personas = [load_persona(path) for path in sorted(PERSONAS.rglob("*.yaml"))]
    others, aims, recipe = embedding.topics(knowledge), AimModel.load(), Recipe(epochs=12, batch=256)
    said: list[Said] = []
    for part in range(PARTS):
        rest = [without(persona, part) for persona in personas]
        vectors = embedding.train([*others, *topics_of_personas(rest)], embedding.Recipe())
        said += said_to(personas, part, Remembered(vectors), aims)
    found: list[np.ndarray] = [np.zeros(0)] * len(said)
    for part in range(PARTS):
        learnt = fit([each.sample for each in said if each.part != part], recipe)
        found = [
            learnt.shares(each.sample.rows) if each.part == part else share
            for each, share in zip(said, found, strict=True)
        ]
    print(report(said, found))
    embedding.save(embedding.train([*others, *topics_of_personas(personas)], embedding.Recipe()), embedder)
    save(fit([each.sample for each in said], recipe), FEATURES, ranker)


if __name__ == "__main__":
    typer.run(main)
