"""How well the knowledge base is searched: `python -m eval retrieval --entries FILE… --queries FILE.jsonl`.

Each query names the entries that answer it; the search is right at k when one of them is among the first
k hits. Beside it, on the same queries, stands a plain BM25 over pairs of characters, so that the figures
say what the embedder adds.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from roleplay.errors import Fault, FileFault
from roleplay.knowledge.entries import AUDIENCES, Entry
from roleplay.terminal import clear_errors
from roleplay.yaml_files import faults_of

DEEP = 50  # ranks beyond this count as not found; 1/50 is lost in the third digit of the mean


class Query(pydantic.BaseModel):
    """A question and the ids of the entries that answer it, best first; none when nothing fits."""

    model_config = pydantic.ConfigDict(extra="forbid")

    id: str
    language: Literal["zh-CN", "en"]
    query: Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]
    relevant: list[str]
    style: Annotated[str, pydantic.StringConstraints(min_length=1)]


def read_queries(path: Path, entries: Sequence[Entry]) -> list[Query]:
    """The queries of a JSONL file; raises FileFault with every wrong line, or a relevant id that is no entry's."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFault(path, [Fault(f"cannot be read: {error}")]) from error
    known, seen = {entry.id for entry in entries}, set[str]()
    queries: list[Query] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            query = Query.model_validate(json.loads(line))
        except json.JSONDecodeError as error:
            faults.append(Fault(f"not JSON: {error}", number))
            continue
        except pydantic.ValidationError as error:
            faults += [Fault(fault.message, number, fault.field) for fault in faults_of(error, {})]
            continue
        missing = [name for name in query.relevant if name not in known]
        if missing:
            faults.append(Fault(f"no entry has the id {', '.join(missing)}", number, "relevant"))
        if query.id in seen:
            faults.append(Fault(f"the id {query.id!r} is used twice", number, "id"))
        seen.add(query.id)
        queries.append(query)
    if not queries and not faults:
        faults.append(Fault("the file holds no queries"))
    if faults:
        raise FileFault(path, faults)
    return queries


def run(entries: Sequence[Path], queries: Sequence[Path], embedder: str = "bundled") -> dict[str, Any]:
    """The figures by style, over all queries that have an answer, and of the verdict that nothing fits.

    Raises FileFault for wrong files and Unavailable for an embedder that cannot be loaded.
    """
    from roleplay.knowledge.embedding import load_embedder
    from roleplay.knowledge.store import open_knowledge

    with tempfile.TemporaryDirectory() as folder:
        knowledge = open_knowledge(entries, folder, load_embedder(embedder))
        asked = [query for path in queries for query in read_queries(path, knowledge.entries())]
        plain = PlainBM25(knowledge.entries())
        ranks: list[tuple[int, int]] = []
        silent: list[bool] = []
        for query in asked:
            result = knowledge.search(query.query, audience=AUDIENCES, limit=DEEP)
            found = [hit.entry.id for hit in result.hits]
            ranks.append((_rank(found, query.relevant), _rank(plain.search(query.query), query.relevant)))
            silent.append(result.nothing_fits)
    return _figures(asked, ranks, silent)


class PlainBM25:
    """The baseline: BM25 over pairs of characters of question, other wordings and answer; nothing learnt."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        import bm25s

        self._ids = [entry.id for entry in entries]
        self._index = bm25s.BM25()
        texts = [" ".join((entry.question, *entry.also_asked, entry.answer)) for entry in entries]
        self._index.index([self._pairs(text) for text in texts], show_progress=False)

    def search(self, query: str) -> list[str]:
        """Ids of the best entries that share anything with the query, best first."""
        known = [pair for pair in self._pairs(query) if pair in self._index.vocab_dict]
        if not known:
            return []
        scores = self._index.get_scores(known)
        return [self._ids[at] for at in scores.argsort(kind="stable")[::-1][:DEEP] if scores[at] > 0]

    @staticmethod
    def _pairs(text: str) -> list[str]:
        text = f" {text.casefold()} "
        return [text[at : at + 2] for at in range(len(text) - 1)]


def _rank(found: Sequence[str], relevant: Sequence[str]) -> int:
    """The first rank, from 0, at which a relevant entry stands; DEEP if none is there."""
    return next((at for at, name in enumerate(found) if name in relevant), DEEP)


def _figures(asked: Sequence[Query], ranks: Sequence[tuple[int, int]], silent: Sequence[bool]) -> dict[str, Any]:
    answered = [at for at, query in enumerate(asked) if query.relevant]
    groups = {"all": answered}
    for at in answered:
        groups.setdefault(asked[at].style, []).append(at)
    figures: dict[str, Any] = {}
    for style in ["all", *sorted(set(groups) - {"all"})]:
        ours, plain = ([ranks[at][which] for at in groups[style]] for which in (0, 1))
        figures[style] = {"n": len(ours), **_hits(ours), "bm25": _hits(plain)}
    none = [at for at, query in enumerate(asked) if not query.relevant]
    figures["none"] = {
        "n": len(none),
        "found": _mean([silent[at] for at in none]),
        "wrongly_claimed": _mean([silent[at] for at in answered]),
    }
    return figures


def _hits(ranks: Sequence[int]) -> dict[str, float | None]:
    shares = {f"hit@{k}": _mean([rank < k for rank in ranks]) for k in (1, 3, 5)}
    return shares | {"mrr": _mean([1 / (rank + 1) if rank < DEEP else 0.0 for rank in ranks])}


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def table(figures: dict[str, Any]) -> str:
    """The figures as lines of text for a terminal."""
    lines = [f"{'style':<12}{'n':>6}{'hit@1':>8}{'hit@3':>8}{'hit@5':>8}{'mrr':>8}   bm25: @1      @3      @5     mrr"]
    for style, row in figures.items():
        if style != "none":
            ours, plain = (
                [_shown(part[name]) for name in ("hit@1", "hit@3", "hit@5", "mrr")] for part in (row, row["bm25"])
            )
            lines.append(f"{style:<12}{row['n']:>6}{''.join(ours)}   {''.join(plain)}")
    none = figures["none"]
    lines.append(
        f"nothing fits: found for {_shown(none['found']).strip()} of {none['n']} queries without an answer, "
        f"wrongly claimed for {_shown(none['wrongly_claimed']).strip()} of those with one"
    )
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.3f}':>8}"


def main(
    entries: Annotated[list[Path], typer.Option(help="YAML files or folders of entries")],
    queries: Annotated[list[Path], typer.Option(help="JSONL files of queries")],
    more: Annotated[list[Path] | None, typer.Argument(help="further files of either, told apart by .jsonl")] = None,
    embedder: Annotated[str, typer.Option(help="bundled, st:FOLDER or st:NAME")] = "bundled",
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures to this file")] = None,
) -> None:
    """Measure the knowledge-base search on queries whose answers are known, by style, beside plain BM25."""
    # a shell turns `--entries kb/*.yaml` into one option and loose arguments
    entries = [*entries, *(path for path in more or [] if path.suffix != ".jsonl")]
    queries = [*queries, *(path for path in more or [] if path.suffix == ".jsonl")]
    with clear_errors():
        figures = run(entries, queries, embedder)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
    typer.echo(table(figures))
