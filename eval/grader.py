"""How far a grader agrees with people: `python -m eval grader [--data FILE…] [--grader SPEC]`.

Beside each figure stand two floors, the kappa of a plain linear model that sees the words of the reply
alone, cross-validated by context on the same data, and always giving the middle (kappa 0 by definition);
and the ceiling, the kappa of the raters among themselves, where the data hold the scores of several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from eval import plots
from eval.command import suite_command
from eval.inputs import read_replies
from eval.intervals import mean
from eval.opening import Judging
from eval.playing import DATA
from eval.specification import files_hash
from eval.suites import TOO_FEW, Case, Live, Plot, Result, Said, Story, Table, Worst
from roleplay.agreement import FEWEST, agreement, kappa
from roleplay.errors import Rejected, RoleplayError
from roleplay.graded import GradedReply
from roleplay.rubric import DIMENSIONS, Dimension, Grade

REFERENCE = DATA / "graded_replies.jsonl"
FOLDS = 5
SHOWN = 10  # replies among the worst


@dataclass(frozen=True)
class Suite:
    """How far does this grader agree with graded replies?"""

    data: tuple[Path, ...]
    grader: str | None = None
    standards: tuple[Path, ...] = ()
    name: str = "grader"

    @contextmanager
    def open(self) -> Iterator[Live]:
        found = [read_replies(path) for path in self.data]
        rows = [row for replies, _ in found for row in replies]
        ratings = {name: rated for _, of_file in found for name, rated in of_file.items()}
        ids = [row.id for row in rows]
        if doubled := sorted({name for name in ids if ids.count(name) > 1}):
            raise Rejected(f"the files share ids: {', '.join(doubled[:5])}; make them different")
        judging = Judging.load(self.grader, self.standards)

        def measure(case: Case) -> dict[str, Any]:
            return compared(case.given, judging.grade(case.given.exchange), ratings.get(case.id, {}))

        cases = tuple(Case(row.id, row, row.group) for row in rows)
        languages = sorted({row.exchange.language for row in rows})
        figures: dict[str, Any] = {
            language: {name: _figures([], name) for name in DIMENSIONS} for language in languages
        }
        yield Live(cases, {"replies": files_hash(self.data)}, judging.subject, measure, figures)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        languages = sorted({_data(result)["language"] for result in results})
        return {
            language: {
                name: _figures([each for each in results if _data(each)["language"] == language], name)
                for name in DIMENSIONS
            }
            for language in languages
        }

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        return _story(figures, results)


def compared(row: GradedReply, grade: Grade, ratings: Mapping[str, Any]) -> dict[str, Any]:
    """One reply as data: the raters' scores, the grader's, and how far they lie apart.

    Raises RoleplayError when the grader failed: that is no score.
    """
    if all(score.status == "failed" for score in grade.scores.values()):
        raise RoleplayError(next(score.why for score in grade.scores.values()))
    values: dict[str, float] = {}
    for name, true in row.scores.items():
        given = grade.scores[name].value
        if true is not None and given is not None:
            values[f"{name}_error"] = abs(given - true)
            values[f"{name}_within_one"] = float(abs(round(given) - round(true)) <= 1)
    return {
        "language": row.exchange.language,
        "truth": dict(row.scores),
        "ratings": dict(ratings),
        "given": {
            name: {
                "value": score.value,
                "status": score.status,
                "confidence": score.confidence,
                "unsure": score.unsure,
            }
            for name, score in grade.scores.items()
        },
        "context": [[turn.speaker, turn.text] for turn in row.exchange.context],
        "evidence": [entry.text for entry in row.exchange.evidence],
        "reply": row.exchange.reply,
        "remarks": [
            {"dimension": each.dimension, "points": each.points, "text": each.text, "quote": each.quote}
            for each in grade.remarks
        ],
        "values": values,
    }


def scored_pairs(results: Sequence[Result], name: str) -> list[tuple[float, float]]:
    """(the raters' score, the grader's) of the replies that both scored on a dimension."""
    found = [(_data(each)["truth"].get(name), _data(each)["given"][name]["value"]) for each in results]
    return [(true, given) for true, given in found if true is not None and given is not None]


def _data(result: Result) -> dict[str, Any]:
    assert result.data is not None
    return result.data


def _figures(results: Sequence[Result], name: Dimension) -> dict[str, Any]:
    own = [each for each in results if name in _data(each)["truth"]]
    scored = [each for each in own if _data(each)["truth"][name] is not None]
    both = scored_pairs(own, name)
    figures: dict[str, Any] = asdict(agreement([true for true, _ in both], [given for _, given in both]))
    figures |= _by_confidence(own, name)
    figures["coverage"] = len(both) / len(scored) if scored else None
    figures["floor_qwk"], figures["floor_middle_exact"] = _floor(scored, name)
    figures["ceiling_qwk"] = _ceiling(own, name)
    if name == "accuracy":
        truth = [_data(each)["truth"][name] is None for each in own]
        figures["na_f1"] = _f1(truth, [_data(each)["given"][name]["status"] == "not_due" for each in own])
    return figures


def _by_confidence(results: Sequence[Result], name: Dimension) -> dict[str, float | None]:
    """The share of scores about which the grader is unsure, and how many of these and of the others are the raters' own."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for each in results:
        true, given = _data(each)["truth"].get(name), _data(each)["given"][name]
        if true is not None and given["value"] is not None and given["confidence"] is not None:
            found[given["unsure"]].append(float(round(given["value"]) == round(true)))
    number = sum(map(len, found.values()))
    return {
        "unsure": len(found[True]) / number if number else None,
        "exact_unsure": mean(found[True]),
        "exact_sure": mean(found[False]),
    }


def _f1(truth: Sequence[bool], given: Sequence[bool]) -> float | None:
    hits = sum(a and b for a, b in zip(truth, given, strict=True))
    total = sum(truth) + sum(given)
    return 2 * hits / total if total else None


def _floor(results: Sequence[Result], name: Dimension) -> tuple[float | None, float | None]:
    """Kappa of TF-IDF and ridge on the reply alone, its spread matched to the raters', and the share that
    is exactly the raters' median."""
    truth = np.array([_data(each)["truth"][name] for each in results], float)
    groups = [each.group for each in results]
    if len(results) < FEWEST or len(set(groups)) < FOLDS or truth.std() == 0:
        return None, None
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline

    texts = [_data(each)["reply"] for each in results]
    unseen = np.zeros(len(results))
    for seen, rest in GroupKFold(FOLDS).split(texts, groups=groups):
        model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True), Ridge())
        model.fit([texts[i] for i in seen], truth[seen])
        unseen[rest] = model.predict([texts[i] for i in rest])
    matched = (unseen - unseen.mean()) / (unseen.std() or 1.0) * truth.std() + truth.mean()
    return kappa(truth, np.clip(np.round(matched), 1, 5)), float(np.mean(truth == np.median(truth)))


def _ceiling(results: Sequence[Result], name: str) -> float | None:
    """The mean kappa of every two raters over the replies that both scored."""
    found: list[float] = []
    raters = sorted({rater for each in results for rater in _data(each)["ratings"]})
    for one, two in combinations(raters, 2):
        pairs = [
            (rated[one].get(name), rated[two].get(name))
            for each in results
            if one in (rated := _data(each)["ratings"]) and two in rated
        ]
        both = np.array([(a, b) for a, b in pairs if a is not None and b is not None], float)
        if len(both) >= FEWEST and (value := kappa(both[:, 0], both[:, 1])) is not None:
            found.append(value)
    return mean(found)


def _story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
    rows = [(language, name, row) for language, by_name in figures.items() for name, row in by_name.items()]
    measured = sorted((row["qwk"], language, name, row) for language, name, row in rows if row["qwk"] is not None)
    columns = (
        "n",
        "qwk",
        "low",
        "high",
        "ceiling_qwk",
        "floor_qwk",
        "exact",
        "within_one",
        "unsure",
        "exact_unsure",
        "exact_sure",
        "bias",
        "coverage",
        "na_f1",
    )
    table = Table(
        "agreement",
        ("language", "dimension", *columns),
        tuple((language, name, *(_cell(row, column) for column in columns)) for language, name, row in rows),
    )
    if not measured:
        answer = "too_few" if any(0 < row["n"] < FEWEST for _, _, row in rows) else "nothing"
        return Story(answer, {"n": str(len(results)), "fewest": str(FEWEST)}, (table,), (), tuple(_worst(results)))
    worst = measured[0]
    found = [(language, name, f"{row['qwk']:.2f}") for language, name, row in rows if row["qwk"] is not None]
    found[:-1] = [(language, name, f"{value},") for language, name, value in found[:-1]]
    fields: dict[str, str | tuple[str, ...]] = {
        "n": str(len(results)),
        "kappas": tuple(part for each in found for part in each),
        "weakest": (worst[1], worst[2]),
        "low": f"{worst[3]['low']:.2f}",
        "high": f"{worst[3]['high']:.2f}",
    }
    return Story("measured", fields, (table,), tuple(_plots(results)), tuple(_worst(results)))


def _cell(row: Mapping[str, Any], column: str) -> Any:
    """A figure of the table; kappas of a handful of replies are none."""
    few = 0 < row["n"] < FEWEST and column in ("qwk", "low", "high", "ceiling_qwk", "floor_qwk")
    return TOO_FEW if few else row.get(column)


def _plots(results: Sequence[Result]) -> Iterator[Plot]:
    points = range(1, 6)
    languages = sorted({_data(each)["language"] for each in results})
    pairs = {
        (language, name): scored_pairs([each for each in results if _data(each)["language"] == language], name)
        for language in languages
        for name in DIMENSIONS
    }
    names = [str(point) for point in points]
    for (language, name), both in pairs.items():
        if both:
            seen = [(round(true), round(given)) for true, given in both]
            counts = [[seen.count((true, given)) for given in points] for true in points]
            yield Plot("confusion", partial(plots.confusion, counts, names, names), (language, name))
    for language in languages:
        curves: dict[str, list[tuple[float, float]]] = {
            name: [
                (float(point), float(np.mean(true)))
                for point in points
                if (true := [a for a, b in pairs[language, name] if round(b) == point])
            ]
            for name in DIMENSIONS
        }
        axes = ("axis_grader", "axis_raters")
        yield Plot("calibration", partial(plots.curves, curves, (1, 5), (1, 5), axes, diagonal=True), (language,))


def _worst(results: Sequence[Result]) -> Iterator[Worst]:
    def gap(each: Result) -> float:
        return max((value for name, value in _data(each)["values"].items() if name.endswith("_error")), default=0)

    for each in sorted(results, key=gap, reverse=True)[:SHOWN]:
        if gap(each) < 2:
            return
        data = _data(each)
        apart = [
            f"{name}: raters {true:g}, grader {data['given'][name]['value']:g}"
            for name, true in data["truth"].items()
            if data["values"].get(f"{name}_error", 0) >= 2
        ]
        lines = [Said(speaker, text) for speaker, text in data["context"]]
        lines += [Said("evidence", text) for text in data["evidence"]]
        lines.append(Said("trainee", data["reply"], _remarked(data["remarks"])))
        yield Worst(each.case, "; ".join(apart), tuple(lines))


def _remarked(remarks: Sequence[Mapping[str, Any]]) -> str:
    """Why a reply got its scores: each remark with its dimension, and the words that it rests on."""
    parts = []
    for remark in remarks:
        quote = f' "{remark["quote"]}"' if remark["quote"] else ""
        parts.append(f"{remark['dimension']} {'+' if remark['points'] >= 0 else '-'}{quote} {remark['text']}")
    return " · ".join(parts)


@suite_command
def main(
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="graded replies: .jsonl, .csv or .xlsx; may be repeated; else the reference set in eval/data"
        ),
    ] = None,
    grader: Annotated[
        str | None, typer.Option(help="the grader: bundled, hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME")
    ] = None,
    standards: Annotated[list[Path] | None, typer.Option(help="own standards files instead of the shipped")] = None,
) -> Suite:
    """How far does a grader agree with people who scored the same replies?

    Gives quadratic-weighted kappa (0 is chance, 1 is perfect) by language and dimension, with a 95 % interval,
    between a floor (a model that sees words alone) and a ceiling (the raters among themselves, where known).

    Example: python -m eval grader --data replies.jsonl --grader hf:/models/mine --fail-under zh-CN.empathy.qwk=0.6
    """
    return Suite(tuple(data or (REFERENCE,)), grader, tuple(standards or ()))
