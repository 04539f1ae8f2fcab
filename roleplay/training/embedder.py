"""What the bundled embedder learns, and how. `python -m roleplay.training.matching` makes it.

A table of vectors, one for each piece of text (`roleplay.knowledge.words.pieces`), added up; trained so
that what customers say lies near the entry that answers it and far from all others. Queries, other
wordings, questions and answers of the knowledge base and of those of invented operators, dialect lines
beside their standard form, and calls beside the evidence they rest on are what it learns from.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from roleplay.knowledge.entries import Entry, load_entries
from roleplay.knowledge.words import is_chinese, pieces, runs
from roleplay.training.corpus import FOLDER, load_calls, load_replies


@dataclass
class Topic:
    """Texts that mean one thing: what is asked (any of `asked`) and what should be found (any of `found`)."""

    asked: list[str]
    found: list[str]
    entry: str = ""  # the entry's id, where there is one
    base: str = ""  # the knowledge base that the entry belongs to
    also: set[str] = field(default_factory=set)  # ids of other entries that answer one of the questions too


def load_queries(folder: Path = FOLDER / "queries") -> list[dict[str, Any]]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


def topics_of(entries: Sequence[Entry], queries: Sequence[dict[str, Any]], base: str = "own") -> list[Topic]:
    """One topic for each entry of a knowledge base; the texts of its twin belong to it as well."""
    by_id = {entry.id: entry for entry in entries}
    topics = {
        entry.id: Topic(
            [*entry.also_asked, entry.question], [entry.question, *entry.also_asked, entry.answer], entry.id, base
        )
        for entry in entries
    }
    for query in queries:
        relevant = [name for name in query["relevant"] if name in topics]
        for name in relevant[:2]:
            topics[name].asked.append(query["query"])
            topics[name].also |= set(relevant)
    for entry in entries:
        if entry.twin in by_id:
            twin = by_id[entry.twin]
            topics[entry.id].also.add(twin.id)
            topics[twin.id].also.add(entry.id)
            topics[entry.id].asked += [twin.question, *twin.also_asked[:1]]
            topics[twin.id].asked += [entry.question, *entry.also_asked[:1]]
    return list(topics.values())


def topics_of_operators(queries: Sequence[dict[str, Any]], folder: Path = FOLDER / "operators") -> list[Topic]:
    """Topics of the invented operators whose entries are for learning only."""
    return [
        topic for path in sorted(folder.glob("*.yaml")) for topic in topics_of(load_entries(path), queries, path.stem)
    ]


def topics_of_corpus() -> list[Topic]:
    """Customers' lines beside the evidence that their call rests on, and dialect beside standard language."""
    topics = []
    for call in load_calls():
        said = [turn.text for turn in call.turns if turn.speaker == "customer" and len(turn.text) > 8]
        topics.append(Topic([call.problem.replace("-", " "), *said[:3]], list(call.evidence)))
        topics += [Topic([turn.text], [turn.gloss]) for turn in call.turns if turn.gloss and len(turn.gloss) > 6]
    seen: dict[str, Topic] = {}
    for reply in load_replies():
        heard = reply.exchange.heard
        if heard is not None and reply.exchange.evidence:
            seen.setdefault(reply.group, Topic([heard.text], [piece.text for piece in reply.exchange.evidence]))
    return topics + list(seen.values())


def misheard(text: str, chance: random.Random, homophones: dict[str, str]) -> str:
    """The text with about every sixth Chinese character replaced by one that sounds alike."""
    return "".join(
        chance.choice(homophones[character]) if character in homophones and chance.random() < 0.15 else character
        for character in text
    )


def homophones_of(texts: Iterable[str]) -> dict[str, str]:
    """For each character of the texts the other characters of the texts with the same sound."""
    from pypinyin import lazy_pinyin

    by_sound: dict[str, set[str]] = {}
    for character in {character for text in texts for run in runs(text) if is_chinese(run) for character in run}:
        by_sound.setdefault(lazy_pinyin(character)[0], set()).add(character)
    return {one: "".join(sorted(group - {one})) for group in by_sound.values() if len(group) > 1 for one in group}


class Vectors(torch.nn.Module):
    """The table; row 0 is the unknown piece and stays zero."""

    def __init__(self, names: Sequence[str], dim: int) -> None:
        super().__init__()
        self.row = {name: at for at, name in enumerate(names)}
        self.table = torch.nn.EmbeddingBag(len(names), dim, mode="sum", padding_idx=0)

    def forward(self, bags: Sequence[np.ndarray]) -> torch.Tensor:
        flat = torch.from_numpy(np.concatenate(bags))
        starts = torch.from_numpy(np.cumsum([0, *map(len, bags)])[:-1])
        return torch.nn.functional.normalize(self.table(flat, starts), dim=1)  # (n, dim)

    def bag(self, text: str) -> np.ndarray:
        return np.array([self.row.get(piece, 0) for piece in pieces(text)] or [0], dtype=np.int64)


@dataclass(frozen=True)
class Recipe:
    seed: int = 0
    dim: int = 224
    epochs: int = 8
    batch: int = 512
    rate: float = 0.02
    scale: float = 20.0
    drop: float = 0.3  # share of the pieces of a text left out each time it is seen
    misheard: float = 0.3  # share of the questions seen with characters that sound alike
    rarest: int = 3  # a piece must occur this often to get a vector


def train(topics: Sequence[Topic], recipe: Recipe) -> Vectors:
    """Vectors under which each topic's questions lie nearer to its own texts than to those of all others in a batch."""
    torch.manual_seed(recipe.seed)
    chance, noise = random.Random(recipe.seed), np.random.default_rng(recipe.seed)
    texts = list(dict.fromkeys(text for topic in topics for text in (*topic.asked, *topic.found)))
    homophones = homophones_of(texts)
    model = start_vectors(texts, recipe)
    bags = {text: [model.bag(text)] for text in texts}
    heard = {
        text: [model.bag(misheard(text, chance, homophones)) for _ in range(3)]
        for topic in topics
        for text in topic.asked
    }
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.rate, betas=(0.9, 0.99), fused=True)
    samples = [(at, text) for at, topic in enumerate(topics) for text in topic.asked]
    steps = recipe.epochs * (len(samples) // recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 20) * (1 - step / (steps + 1))
    )
    kin = kinship(topics)

    def seen(bag: np.ndarray) -> np.ndarray:
        return np.where(noise.random(len(bag)) < recipe.drop, 0, bag)

    for _ in range(recipe.epochs):
        chance.shuffle(samples)
        for start in range(0, len(samples) - recipe.batch + 1, recipe.batch):
            chosen = samples[start : start + recipe.batch]
            asked = [
                seen(chance.choice(heard[text] if chance.random() < recipe.misheard else bags[text]))
                for _, text in chosen
            ]
            found = [seen(bags[other_text(topics[at].found, text, chance)][0]) for at, text in chosen]
            scores = recipe.scale * model(asked) @ model(found).T  # (batch, batch)
            rows = np.array([at for at, _ in chosen])
            same = torch.from_numpy(kin[np.ix_(rows, rows)] & ~np.eye(len(rows), dtype=bool))
            scores = scores.masked_fill(same, -1e4)
            goal = torch.arange(len(rows))
            loss = torch.nn.functional.cross_entropy(scores, goal) + torch.nn.functional.cross_entropy(scores.T, goal)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model


def start_vectors(texts: Sequence[str], recipe: Recipe) -> Vectors:
    """Random directions; the rarer a piece, the longer its vector, since it says more."""
    count = Counter(piece for text in texts for piece in pieces(text))
    names = ["[UNK]", *sorted(piece for piece, n in count.items() if n >= recipe.rarest)]
    model, total = Vectors(names, recipe.dim), sum(count.values())
    length = torch.tensor([0.0, *((1e-3 / (1e-3 + count[name] / total)) ** 0.5 for name in names[1:])])
    with torch.no_grad():
        model.table.weight.normal_(0, recipe.dim**-0.5).mul_(length[:, None])
    return model


def kinship(topics: Sequence[Topic]) -> np.ndarray:
    """Whether the texts of topic i may answer those of topic j, so that they are no counterexample: (n, n) of bool.

    Two knowledge bases often treat the same matter, and nobody is ever searching both.
    """
    place = {topic.entry: at for at, topic in enumerate(topics) if topic.entry}
    base = np.array([topic.base for topic in topics])
    kin = np.eye(len(topics), dtype=bool) | ((base[:, None] != base) & (base[:, None] != "") & (base != ""))
    for at, topic in enumerate(topics):
        for other in topic.also:
            kin[at, place[other]] = kin[place[other], at] = True
    return kin


def other_text(found: Sequence[str], text: str, chance: random.Random) -> str:
    return chance.choice([one for one in found if one != text] or list(found))


def save(model: Vectors, folder: Path) -> None:
    """As a sentence-transformers model: one table, half precision, over pieces that are parted by spaces."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = Tokenizer(WordLevel(model.row, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    table = StaticEmbedding(tokenizer, embedding_weights=model.table.weight.detach().half().numpy())
    SentenceTransformer(modules=[table, Normalize()], device="cpu").save_pretrained(
        str(folder), create_model_card=False
    )
    shutil.copyfile(Path(__file__).with_name("embedder_card.md"), folder / "README.md")


def topics(knowledge: Path) -> list[Topic]:
    """All that may be learnt from beside the personas."""
    queries = load_queries()
    return [*topics_of(load_entries(knowledge), queries), *topics_of_operators(queries), *topics_of_corpus()]
