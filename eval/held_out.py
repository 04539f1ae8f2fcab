"""How well a knowledge base is searched whose products the embedder never saw: `python -m eval held-out`.

Four times the bundled embedder is trained anew without the entries of some files, the queries about them and
the evidence that says the same; those queries are then searched among those entries only. Each part has about
a hundred entries, as a company's first file has. The lexicon and the few weights of the search are not held out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.command import suite_command
from eval.retrieval import PlainBM25, Query, figure_names, figures_of, search_story, searched
from eval.specification import ROOT, files_hash
from eval.suites import Case, Live, Result, Story
from roleplay.errors import Fault, FileFault
from roleplay.knowledge.entries import Entry, load_entries
from roleplay.knowledge.search import Knowledge
from roleplay.terminal import tell

PARTS = (
    ("roaming",),
    ("billing", "plans"),
    ("sim-number", "service", "internal"),
    ("broadband", "safety-privacy", "international-calls", "travel-wifi"),
)
SAME = 0.6  # a corpus text that shares more of its pairs of characters with a held-out entry than this repeats it


@dataclass(frozen=True)
class Suite:
    """How well is a knowledge base searched whose products the embedder never saw?"""

    folder: Path
    name: str = "held-out"

    @contextmanager
    def open(self) -> Iterator[Live]:
        from roleplay.training.embedder import Recipe, load_queries

        files = {path.stem: path for path in sorted(self.folder.glob("*.yaml"))}
        if missing := [name for part in PARTS for name in part if name not in files]:
            raise FileFault(self.folder, [Fault(f"holds no {name}.yaml") for name in missing])
        queries = load_queries()
        with tempfile.TemporaryDirectory(prefix="roleplay-eval-", ignore_cleanup_errors=True) as work:

            @lru_cache(maxsize=1)  # the cases of one part follow one another
            def searcher(number: int) -> tuple[Knowledge, PlainBM25]:
                tell(f"training an embedder without {', '.join(PARTS[number])}")
                return _searcher(files, number, queries, Path(work))

            def measure(case: Case) -> dict[str, Any]:
                number, query = case.given
                return searched(query, *searcher(number))

            cases: list[Case] = []
            for number, part in enumerate(PARTS):
                held = {entry.id for entry in load_entries([files[name] for name in part])}
                for query in queries:
                    # one without an answer is asked of every part
                    if not query["relevant"] or held & set(query["relevant"]):
                        found = Query(**query)
                        cases.append(Case(f"{number} {found.id}", (number, found), (found.relevant or [found.id])[0]))
            corpus = ROOT / "roleplay" / "training" / "corpus"
            data = {"entries": files_hash([self.folder], (".yaml",)), "queries": files_hash([corpus / "queries"])}
            subject = {"recipe": asdict(Recipe()), "corpus": files_hash([corpus])}
            names = figure_names([query for _, query in (case.given for case in cases)])
            yield Live(tuple(cases), data, lambda: subject, measure, names)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        return figures_of(results)

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        return search_story(figures, results)


def _searcher(
    files: Mapping[str, Path], number: int, queries: Sequence[dict[str, Any]], work: Path
) -> tuple[Knowledge, PlainBM25]:
    """The entries of one part, and a search whose embedder was trained without them."""
    from roleplay.knowledge.embedding import SentenceEmbedder
    from roleplay.knowledge.store import open_knowledge
    from roleplay.training.embedder import Recipe, save, topics_of, topics_of_corpus, topics_of_operators, train

    knowledge_files = [files[name] for name in PARTS[number]]
    entries = load_entries(knowledge_files)
    others = load_entries(path for name, path in files.items() if name not in PARTS[number])
    held = {entry.id for entry in entries}
    left = [query for query in queries if not held & set(query["relevant"])]
    kept = [topic for topic in topics_of_corpus() if not _repeats(topic.found, entries)]
    model = work / f"model{number}"
    save(train([*topics_of(others, left), *topics_of_operators(left), *kept], Recipe()), model)
    embedder = SentenceEmbedder(f"st:{model}", str(model), bundled=True)
    return open_knowledge(knowledge_files, work / f"data{number}", embedder), PlainBM25(entries)


def _repeats(texts: Sequence[str], entries: Sequence[Entry]) -> bool:
    known = [_pairs(entry.question + entry.answer) for entry in entries]
    said = [_pairs(text) for text in texts if len(text) > 3]
    return any(len(pairs & other) > SAME * len(pairs) for pairs in said for other in known)


def _pairs(text: str) -> set[str]:
    text = "".join(text.split())
    return {text[at : at + 2] for at in range(len(text) - 1)}


@suite_command
def main(
    folder: Annotated[Path, typer.Option(help="the shipped knowledge base")] = Path("knowledge_base"),
) -> Suite:
    """How well is the knowledge base searched on products that the embedder was not trained on? Takes several minutes.

    Four times the bundled embedder is trained anew without the entries of some files; the queries about them are
    then searched among those entries. With several workers each trains for itself: one is quicker here.

    Example: python -m eval held-out --out runs/held-out
    """
    return Suite(folder)
