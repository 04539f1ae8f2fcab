"""How well a knowledge base is searched whose products the embedder never saw: `python -m eval held-out`.

Four times the bundled embedder is trained anew without the entries of some files, the queries about them and
the evidence that says the same; those queries are then searched among those entries only. Each part has about
a hundred entries, as a company's first file has. The lexicon and the few weights of the search are not held out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.retrieval import DEEP, PlainBM25, Query, _figures, _rank, table
from roleplay.knowledge.entries import AUDIENCES, Entry, load_entries
from roleplay.terminal import clear_errors

PARTS = (
    ("roaming",),
    ("billing", "plans"),
    ("sim-number", "service", "internal"),
    ("broadband", "safety-privacy", "international-calls", "travel-wifi"),
)
SAME = 0.6  # a corpus text that shares more of its pairs of characters with a held-out entry than this repeats it


def run(folder: Path = Path("knowledge_base")) -> dict[str, Any]:
    """The figures of `eval.retrieval.run` over the queries of all parts, each searched among its part's entries.

    A query without an answer is asked of every part. Raises FileFault for wrong files. Takes several minutes.
    """
    from roleplay.knowledge.embedding import SentenceEmbedder
    from roleplay.knowledge.store import open_knowledge
    from roleplay.training.embedder import Recipe, load_queries, save, topics_of, topics_of_corpus, train

    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    queries, corpus = load_queries(), topics_of_corpus()
    asked: list[Query] = []
    ranks: list[tuple[int, int]] = []
    silent: list[bool] = []
    with tempfile.TemporaryDirectory() as work:
        for number, part in enumerate(PARTS):
            knowledge_files = [files[name] for name in part]
            entries = load_entries(knowledge_files)
            others = load_entries(path for name, path in files.items() if name not in part)
            held = {entry.id for entry in entries}
            left = [query for query in queries if not held & set(query["relevant"])]
            kept = [topic for topic in corpus if not _repeats(topic.found, entries)]
            model = Path(work, f"model{number}")
            save(train([*topics_of(others, left), *kept], Recipe()), model)
            embedder = SentenceEmbedder(f"st:{model}", str(model), bundled=True)
            knowledge, plain = (
                open_knowledge(knowledge_files, Path(work, f"data{number}"), embedder),
                PlainBM25(entries),
            )
            for query in queries:
                if query["relevant"] and not held & set(query["relevant"]):
                    continue
                result = knowledge.search(query["query"], audience=AUDIENCES, limit=DEEP)
                asked.append(Query(**query))
                found = [hit.entry.id for hit in result.hits]
                ranks.append((_rank(found, query["relevant"]), _rank(plain.search(query["query"]), query["relevant"])))
                silent.append(result.nothing_fits)
    return _figures(asked, ranks, silent)


def _repeats(texts: Sequence[str], entries: Sequence[Entry]) -> bool:
    known = [_pairs(entry.question + entry.answer) for entry in entries]
    said = [_pairs(text) for text in texts if len(text) > 3]
    return any(len(pairs & other) > SAME * len(pairs) for pairs in said for other in known)


def _pairs(text: str) -> set[str]:
    text = "".join(text.split())
    return {text[at : at + 2] for at in range(len(text) - 1)}


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures to this file")] = None,
) -> None:
    """Measure the search on products that the bundled embedder was not trained on, by style; takes several minutes."""
    with clear_errors():
        figures = run()
    if json_file is not None:
        json_file.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
    typer.echo(table(figures))
