"""How well the knowledge base is searched: `python -m eval retrieval --entries FILE… --queries FILE…`.

Each query names the entries that answer it; the search is right at k when one of them is among the first
k hits. Beside it, on the same queries, stands a plain BM25 over pairs of characters, so that the figures
say what the embedder adds.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from eval import plots
from eval.command import suite_command
from eval.intervals import interval
from eval.playing import DATA
from eval.specification import files_hash
from eval.suites import Case, Live, Plot, Result, Said, Story, Table, Worst
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.knowledge.entries import AUDIENCES, Entry
from roleplay.knowledge.search import Knowledge
from roleplay.yaml_files import faults_of

SHOWN = 10  # queries among the worst
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
            faults += [Fault(fault.message, number, fault.field) for fault in faults_of(error, Query, {})]
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


@dataclass(frozen=True)
class Suite:
    """How well is this knowledge base searched?"""

    entries: tuple[Path, ...]
    queries: tuple[Path, ...]
    embedder: str = "bundled"
    name: str = "retrieval"

    @contextmanager
    def open(self) -> Iterator[Live]:
        from roleplay.knowledge.embedding import load_embedder
        from roleplay.knowledge.store import open_knowledge

        with tempfile.TemporaryDirectory(prefix="roleplay-eval-", ignore_cleanup_errors=True) as folder:
            embedder = load_embedder(self.embedder)
            knowledge = open_knowledge(self.entries, folder, embedder)
            asked = [query for path in self.queries for query in read_queries(path, knowledge.entries())]
            plain = PlainBM25(knowledge.entries())

            def measure(case: Case) -> dict[str, Any]:
                return searched(case.given, knowledge, plain)

            data = {"entries": files_hash(self.entries), "queries": files_hash(self.queries)}
            subject = {"embedder": f"{self.embedder} {embedder.fingerprint}", "knowledge_base": knowledge.version}
            cases = tuple(Case(query.id, query, (query.relevant or [query.id])[0]) for query in asked)
            yield Live(cases, data, lambda: subject, measure, figure_names(asked))

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        return figures_of(results)

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        return search_story(figures, results)


def searched(query: Query, knowledge: Knowledge, plain: PlainBM25) -> dict[str, Any]:
    """Where the first right entry stands among the hits, ours and plain BM25's; DEEP when it is not there."""
    result = knowledge.search(query.query, audience=AUDIENCES, limit=DEEP)
    found = [hit.entry.id for hit in result.hits]
    rank = _rank(found, query.relevant)
    values = {"hit@1": float(rank < 1), "hit@5": float(rank < 5), "mrr": _reciprocal(rank)} if query.relevant else {}
    return {
        "style": query.style,
        "language": query.language,
        "query": query.query,
        "relevant": query.relevant,
        "rank": rank,
        "plain_rank": _rank(plain.search(query.query), query.relevant),
        "nothing_fits": result.nothing_fits,
        "found": [[hit.entry.id, hit.entry.question] for hit in result.hits[:3]],
        "values": values | ({} if query.relevant else {"silent": float(result.nothing_fits)}),
    }


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


def figures_of(results: Sequence[Result]) -> dict[str, Any]:
    """By style, over all queries that have an answer, and of the verdict that nothing fits."""
    asked = [result.data for result in results if result.data is not None]
    answered = [each for each in asked if each["relevant"]]
    styles = sorted({each["style"] for each in answered})
    groups = {"all": answered, **{style: [each for each in answered if each["style"] == style] for style in styles}}
    figures: dict[str, Any] = {
        style: {
            "n": len(rows),
            **_hits([row["rank"] for row in rows]),
            "bm25": _hits([row["plain_rank"] for row in rows]),
        }
        for style, rows in groups.items()
    }
    none = [each["nothing_fits"] for each in asked if not each["relevant"]]
    wrongly = _mean([each["nothing_fits"] for each in answered])
    return figures | {"none": {"n": len(none), "found": _mean(none), "wrongly_claimed": wrongly}}


def figure_names(queries: Sequence[Query]) -> dict[str, Any]:
    """The names of what `figures_of` gives for these queries."""
    nothing = figures_of([])
    return nothing | {query.style: nothing["all"] for query in queries if query.relevant}


def _hits(ranks: Sequence[int]) -> dict[str, float | None]:
    shares = {f"hit@{k}": _mean([rank < k for rank in ranks]) for k in (1, 3, 5)}
    return shares | {"mrr": _mean([_reciprocal(rank) for rank in ranks])}


def _reciprocal(rank: int) -> float:
    return 1 / (rank + 1) if rank < DEEP else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def search_story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
    names = ("hit@1", "hit@3", "hit@5", "mrr")
    rows = [
        (style, row["n"], *(row[name] for name in names), *(row["bm25"][name] for name in names))
        for style, row in figures.items()
        if style != "none"
    ]
    none = figures["none"]
    tables = (
        Table("search", ("style", "n", *names, *(f"bm25_{name}" for name in names)), tuple(rows)),
        Table("none", ("n", "found", "wrongly_claimed"), (tuple(none.values()),)),
    )
    if not figures["all"]["n"]:
        return Story("nothing", {}, tables)
    whole = figures["all"]
    fields = {"n": str(whole["n"]), "hit1": f"{whole['hit@1']:.0%}", "hit5": f"{whole['hit@5']:.0%}",
              "plain5": f"{whole['bm25']['hit@5']:.0%}"}  # fmt: skip
    bars = []
    for style in [style for style in figures if style != "none"]:
        own = [each for each in results if each.data and each.data["relevant"] and style in ("all", each.data["style"])]
        values = [float(each.data["rank"] < 5) for each in own if each.data]
        bars.append(((style,), figures[style]["hit@5"], *interval(values, [each.group for each in own])))
    return Story("measured", fields, tables, (Plot("hits", partial(plots.bars, bars, 0, 1)),), tuple(_missed(results)))


def _missed(results: Sequence[Result]) -> Iterator[Worst]:
    """Queries whose answer was not among the first five, the deepest first."""
    missed = [each for each in results if each.data and each.data["relevant"] and each.data["rank"] >= 5]
    for each in sorted(missed, key=lambda each: -(each.data or {})["rank"])[:SHOWN]:
        data = each.data or {}
        why = "not found" if data["rank"] >= DEEP else f"found at place {data['rank'] + 1}"
        lines = [Said("query", data["query"], data["style"]), Said("wanted", ", ".join(data["relevant"]))]
        lines += [Said("found", question, name) for name, question in data["found"]]
        yield Worst(each.case, why, tuple(lines))


@suite_command
def main(
    entries: Annotated[
        list[Path] | None, typer.Option(help="YAML files or folders of entries; else the reference set in eval/data")
    ] = None,
    queries: Annotated[list[Path] | None, typer.Option(help="JSONL files of queries, with --entries")] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="further files of either, told apart by .jsonl")] = None,
    embedder: Annotated[str, typer.Option(help="bundled or hf:NAME-OR-FOLDER")] = "bundled",
) -> Suite:
    """How well is the knowledge base searched? Queries whose answers are known, by style, beside plain BM25.

    Example: python -m eval retrieval --entries knowledge_base --queries queries.jsonl --fail-under all.hit@5=0.9
    """
    # a shell turns `--entries kb/*.yaml` into one option and loose arguments
    if (entries is None) != (queries is None):
        raise Rejected("name both --entries and --queries, or neither for the reference set")
    entries = [
        *(entries or [DATA / "retrieval_entries.yaml"]),
        *(path for path in more or [] if path.suffix != ".jsonl"),
    ]
    queries = [
        *(queries or [DATA / "retrieval_queries.jsonl"]),
        *(path for path in more or [] if path.suffix == ".jsonl"),
    ]
    return Suite(tuple(entries), tuple(queries), embedder)
