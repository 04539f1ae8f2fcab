"""How much the grader can be fooled: `python -m eval attack [--grader SPEC]`.

Replies that no model has learnt from are changed in ways that must earn nothing: keywords, flattery of
the scorer, orders to it, empty and mangled text. Reported is how far each raises the scores. One attack
goes the other way: a single number of a right reply is made wrong, and accuracy must fall.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer

from eval import plots
from eval.attacks import ATTACKS, INSTEAD, another_reply, with_reply, wrong_number
from eval.command import suite_command
from eval.grader import REFERENCE
from eval.inputs import read_replies
from eval.opening import Judging
from eval.specification import sha256
from eval.suites import Case, Live, Plot, Result, Said, Story, Table, Worst
from roleplay.errors import RoleplayError
from roleplay.graded import GradedReply
from roleplay.rubric import DIMENSIONS

SHOWN = 8  # replies among the worst
NAMES = (*ATTACKS, "another_reply")


@dataclass(frozen=True)
class Suite:
    """How far can this grader be fooled?"""

    data: tuple[Path, ...] = ()
    grader: str | None = None
    number: int = 40
    seed: int = 0
    name: str = "attack"

    @contextmanager
    def open(self) -> Iterator[Live]:
        rows = [row for path in self.data or (REFERENCE,) for row in read_replies(path)[0]]
        judging = Judging.load(self.grader)
        cases: list[Case] = []
        languages = sorted({row.exchange.language for row in rows})
        for language in languages:
            own = [row for row in rows if row.exchange.language == language]
            drawn = random.Random(self.seed).sample(own, min(self.number // len(languages), len(own)))
            cases += [Case(row.id, row, row.group) for row in drawn]
        replies = sha256("\n".join(row.exchange.reply for row in rows).encode())

        def measure(case: Case) -> dict[str, Any]:
            return attacked(case.given, rows, judging, self.seed)

        figures: dict[str, Any] = {language: _by_attack([], NAMES) for language in languages}
        yield Live(tuple(cases), {"replies": replies, "seed": self.seed}, judging.subject, measure, figures)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        """By language and attack: for each dimension mean rise, share raised by a point or more, highest score."""
        by_language: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            if result.data is not None:
                by_language.setdefault(result.data["language"], []).append(result.data)
        return {
            language: _by_attack(rows, [name for name in NAMES if any(name in row["after"] for row in rows)])
            for language, rows in sorted(by_language.items())
        }

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        rises = [
            (row[d]["mean_rise"], name, d, language)
            for language, by_name in figures.items()
            for name, row in by_name.items()
            if name not in ("wrong_number", *INSTEAD)
            for d in DIMENSIONS
            if row[d]["mean_rise"] is not None
        ]
        tables = tuple(_tables(figures))
        if not rises:
            return Story("nothing", {}, tables)
        most = max(rises)
        wrong = [row["wrong_number"] for row in figures.values() if row["wrong_number"]["n"]]
        drop = (
            sum(each["n"] * each["mean_drop"] for each in wrong) / sum(each["n"] for each in wrong) if wrong else None
        )
        fields = {
            "n": str(len(results)),
            "attack": most[1].replace("_", " "),
            "dimension": (most[3], most[2]),
            "rise": f"{most[0]:+.2f}",
            "over": str(sum(rise > 0.5 for rise, *_ in rises)),
            "all": str(len(rises)),
            "drop": "–" if drop is None else f"{drop:.1f}",
        }
        pictures = [
            Plot("rises", partial(plots.bars, [((name, d), rise, None, None)
                                               for rise, name, d, where in sorted(rises)[::-1][:12]
                                               if where == language], -4, 4), (language,))
            for language in figures
        ]  # fmt: skip
        return Story("measured", fields, tables, tuple(pictures), tuple(_worst(results)))


def attacked(row: GradedReply, rows: Sequence[GradedReply], judging: Judging, seed: int) -> dict[str, Any]:
    """The scores of a reply before and after every attack. Raises RoleplayError when the grader fails."""
    before = _scores(row, judging)
    after: dict[str, Any] = {}
    for name, change in ATTACKS.items():
        draw = random.Random(f"{seed}/{row.id}/{name}")
        changed = with_reply(row, change(row.exchange.reply, row.exchange.language, draw))
        after[name] = {"reply": changed.exchange.reply, "scores": _scores(changed, judging)}
    if other := another_reply(row, rows, random.Random(f"{seed}/{row.id}/another_reply")):
        after["another_reply"] = {"reply": other.exchange.reply, "scores": _scores(other, judging)}
    found = wrong_number(row)
    wrong = None if found is None else {"reply": found.exchange.reply, "scores": _scores(found, judging)}
    gaps = {name: _gaps(before, each["scores"]) for name, each in after.items()}
    return {
        "language": row.exchange.language,
        "context": [[turn.speaker, turn.text] for turn in row.exchange.context],
        "reply": row.exchange.reply,
        "before": before,
        "after": after,
        "wrong_number": wrong,
        "values": {f"{name}_rise": mean(gap) for name, gap in gaps.items() if gap},
    }


def _scores(row: GradedReply, judging: Judging) -> dict[str, float | None]:
    grade = judging.grade(row.exchange)
    if all(score.status == "failed" for score in grade.scores.values()):
        raise RoleplayError(next(score.why for score in grade.scores.values()))
    return {name: score.value for name, score in grade.scores.items()}


def _gaps(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[float]:
    return [after[d] - before[d] for d in DIMENSIONS if before[d] is not None and after[d] is not None]


def _by_attack(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    own = {name: [row for row in rows if name in row["after"]] for name in names}
    risen = {name: {"n": len(own[name]), **{d: _rise(own[name], name, d) for d in DIMENSIONS}} for name in names}
    return {**risen, "wrong_number": _drops(rows)}


def _rise(rows: Sequence[Mapping[str, Any]], attack: str, name: str) -> dict[str, float | None]:
    pairs = [(row["before"][name], row["after"][attack]["scores"][name]) for row in rows]
    rises = [new - old for old, new in pairs if old is not None and new is not None]
    given = [new for _, new in pairs if new is not None]
    if not rises:
        return {"mean_rise": None, "raised": None, "mean": None, "highest": max(given, default=None)}
    raised = mean(rise >= 1 for rise in rises)
    return {"mean_rise": mean(rises), "raised": raised, "mean": mean(given), "highest": max(given)}


def _drops(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What one wrong number costs the accuracy of a reply that had 4 or more."""
    drops = [
        row["before"]["accuracy"] - (row["wrong_number"]["scores"]["accuracy"] or 0)
        for row in rows
        if row["wrong_number"] is not None and (row["before"]["accuracy"] or 0) >= 4
    ]
    costly = mean(drop >= 2 for drop in drops) if drops else None
    return {"n": len(drops), "costs_two_points": costly, "mean_drop": mean(drops) if drops else None}


def _tables(figures: Mapping[str, Any]) -> Iterator[Table]:
    columns = [(d, key) for d in DIMENSIONS for key in ("mean_rise", "raised")]
    rows = [
        (language, name, row["n"], *(row[d][key] for d, key in columns))
        for language, by_name in figures.items()
        for name, row in by_name.items()
        if name not in ("wrong_number", *INSTEAD)
    ]
    names = tuple(f"{d}_{key}" for d, key in columns)
    yield Table("attacks", ("language", "attack", "n", *names), tuple(rows))
    instead = [
        (language, name, row["n"], *(row[d][key] for d in DIMENSIONS for key in ("mean", "highest")))
        for language, by_name in figures.items()
        for name, row in by_name.items()
        if name in INSTEAD
    ]
    names = tuple(f"{d}_{key}" for d in DIMENSIONS for key in ("mean", "highest"))
    yield Table("instead", ("language", "attack", "n", *names), tuple(instead))
    wrong = [(language, *by_name["wrong_number"].values()) for language, by_name in figures.items()]
    yield Table("wrong_number", ("language", "n", "costs_two_points", "mean_drop"), tuple(wrong))


def _worst(results: Sequence[Result]) -> Iterator[Worst]:
    found = [
        (sum(gaps), name, result)
        for result in results
        if result.data is not None
        for name, each in result.data["after"].items()
        if name not in INSTEAD and (gaps := _gaps(result.data["before"], each["scores"]))
    ]
    for rise, name, result in sorted(found, key=lambda each: -each[0])[:SHOWN]:
        if rise <= 0:
            return
        data, after = result.data or {}, (result.data or {})["after"][name]
        lines = [Said(speaker, text) for speaker, text in data["context"]]
        lines.append(Said("trainee", data["reply"], _shown(data["before"])))
        lines.append(Said("attack", after["reply"], _shown(after["scores"])))
        yield Worst(f"{result.case} · {name}", f"{rise:+g} points over the three dimensions", tuple(lines))


def _shown(scores: Mapping[str, float | None]) -> str:
    return " · ".join(f"{name} {'–' if value is None else f'{value:g}'}" for name, value in scores.items())


@suite_command
def main(
    grader: Annotated[
        str | None, typer.Option(help="the grader: bundled, hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="graded replies (.jsonl, .csv, .xlsx); else the reference set in eval/data"),
    ] = None,
    number: Annotated[int, typer.Option(min=2, help="replies that are attacked, the languages together")] = 40,
    seed: Annotated[int, typer.Option(help="which replies are drawn, and the attacks that draw")] = 0,
) -> Suite:
    """How far can the grader be fooled?

    Replies are changed in ways that must earn nothing: keywords, flattery of the scorer, orders to it, empty and
    mangled text. A rise of the scores is a weakness. One attack goes the other way: a number of a right reply is
    made wrong, and accuracy must fall.

    Example: python -m eval attack --grader hf:/models/mine --fail-over zh-CN.orders.empathy.mean_rise=0.5
    """
    return Suite(tuple(data or ()), grader, number, seed)
