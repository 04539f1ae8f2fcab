"""How far a grader agrees with people: `python -m eval grader --data FILE.jsonl… [--grader SPEC] [--json FILE]`.

Beside each figure stand two floors: the kappa of a plain linear model that sees the words of the reply
alone, cross-validated by context on the same data, and always giving the middle (kappa 0 by definition).
"""

from __future__ import annotations

import json as json_files
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from roleplay.agreement import agreement, kappa
from roleplay.graded import GradedReply, read_graded
from roleplay.rubric import DIMENSIONS, Dimension, Grade
from roleplay.settings import load_settings
from roleplay.terminal import clear_errors

FOLDS = 5


def measure(rows: Sequence[GradedReply], grades: Sequence[Grade]) -> dict[str, dict[str, dict[str, Any]]]:
    """The figures by language and dimension; `grades` belong to `rows` one by one."""
    return {
        language: {name: _figures(rows, grades, language, name) for name in DIMENSIONS}
        for language in sorted({row.exchange.language for row in rows})
    }


def _figures(rows: Sequence[GradedReply], grades: Sequence[Grade], language: str, name: Dimension) -> dict[str, Any]:
    own = [
        (row, grade.scores[name])
        for row, grade in zip(rows, grades, strict=True)
        if row.exchange.language == language and name in row.scores
    ]
    scored = [(row, score) for row, score in own if row.scores[name] is not None]
    both = [(row.scores[name], score.value) for row, score in scored if score.value is not None]
    found = agreement([true for true, _ in both], [given for _, given in both])  # type: ignore[misc]
    figures = {**asdict(found), "coverage": len(both) / len(scored) if scored else None}
    floor, at_floor = _floor([row for row, _ in scored], name)
    figures["floor_qwk"] = floor
    figures["floor_middle_exact"] = at_floor
    if name == "accuracy":
        truth = [row.scores[name] is None for row, _ in own]
        figures["na_f1"] = _f1(truth, [score.status == "not_due" for _, score in own])
    return figures


def _f1(truth: Sequence[bool], given: Sequence[bool]) -> float | None:
    hits = sum(a and b for a, b in zip(truth, given, strict=True))
    total = sum(truth) + sum(given)
    return 2 * hits / total if total else None


def _floor(rows: Sequence[GradedReply], name: Dimension) -> tuple[float | None, float | None]:
    """Kappa of TF-IDF and ridge on the reply alone, its spread matched to the raters', and the share that
    is exactly the raters' median."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline

    truth = np.array([row.scores[name] for row in rows], float)
    groups = [row.group for row in rows]
    if len(set(groups)) < FOLDS or truth.std() == 0:
        return None, None
    texts = [row.exchange.reply for row in rows]
    unseen = np.zeros(len(rows))
    for seen, rest in GroupKFold(FOLDS).split(texts, groups=groups):
        model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True), Ridge())
        model.fit([texts[i] for i in seen], truth[seen])
        unseen[rest] = model.predict([texts[i] for i in rest])
    matched = (unseen - unseen.mean()) / (unseen.std() or 1.0) * truth.std() + truth.mean()
    return kappa(truth, np.clip(np.round(matched), 1, 5)), float(np.mean(truth == np.median(truth)))


def main(
    data: Annotated[list[Path], typer.Option(help="graded replies, JSONL")],
    grader: Annotated[str | None, typer.Option(help="the grader's model")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="file for the figures")] = None,
) -> None:
    """How far does the grader agree with graded replies?"""
    with clear_errors():
        from roleplay.build import build_embedder, build_grader, build_reader

        settings = load_settings(grader=grader)
        rows = [row for path in data for row in read_graded(path)]
        reader, judge = build_reader(settings, build_embedder(settings)), build_grader(settings)
        grades = [judge.grade(row.exchange, reader.read(row.exchange)) for row in rows]
    figures = measure(rows, grades)
    if out is not None:
        out.write_text(json_files.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(
        f"{'':7}{'':11}{'n':>5} {'qwk':>5}  {'95 %':<12} {'floor':>5} {'exact':>6} {'±1':>5} {'bias':>6} {'n/a F1':>7}"
    )
    for language, by_name in figures.items():
        for name, row in by_name.items():
            typer.echo(_line(language, name, row))


def _line(language: str, name: str, row: dict[str, Any]) -> str:
    def show(key: str, form: str) -> str:
        return "–" if row.get(key) is None else format(row[key], form)

    span = f"{show('low', '.2f')}…{show('high', '.2f')}"
    return (
        f"{language:7}{name:11}{row['n']:5} {show('qwk', '.3f'):>5}  {span:<12} {show('floor_qwk', '.2f'):>5} "
        f"{show('exact', '.0%'):>6} {show('within_one', '.0%'):>5} {show('bias', '+.2f'):>6} {show('na_f1', '.2f'):>7}"
    )
