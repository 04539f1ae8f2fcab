"""Two or more runs side by side: `python -m eval compare A B…`, with intervals and paired tests over shared cases.

Runs are compared when they asked the same of something: the same suite, cases, data and seed. What they
asked it of (model, grader, prompts, code) may differ, and is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from eval import plots
from eval.command import HtmlOption, LanguageOption, MarkdownOption, as_language, clear_faults, publish
from eval.grader import scored_pairs
from eval.intervals import Paired, paired, statistic_interval
from eval.reports import Page
from eval.runs import Run, read_run
from eval.specification import differences, flat
from eval.suites import TOO_FEW, Plot, Result, Said, Story, Table, Worst
from roleplay.agreement import FEWEST, kappa
from roleplay.dialogue import Language
from roleplay.errors import Rejected
from roleplay.rubric import DIMENSIONS

SAME = ("suite", "data")  # parts of a specification that have to be equal
MAY_DIFFER = ("subject", "code", "libraries", "commit")
SURE = 0.05  # below this a difference is called one
SHOWN = 8  # cases that moved most


def main(
    runs: Annotated[
        list[Path], typer.Argument(help="folders of two or more finished runs; the first is compared with")
    ],
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    language: LanguageOption = None,
) -> None:
    """What changed between runs of the same suite?

    Every figure side by side, and for what is measured case by case the mean difference to the first run with its
    95 % interval and two tests. Refused where runs asked different things (other data, other seed, other suite).

    Example: python -m eval compare runs/before runs/after --markdown change.md
    """
    with clear_faults():
        if len(runs) < 2:
            raise Rejected("name two or more runs")
        found = [read_run(folder) for folder in runs]
        for other in found[1:]:
            refuse_meaningless(found[0], other)
        publish(compared(found, as_language(language)), html, markdown)


def refuse_meaningless(first: Run, other: Run) -> None:
    """Raises Rejected, with every reason, where a comparison would mean nothing."""
    why = differences(first.specification, other.specification, SAME)
    if not why and not {each.case for each in _good(first)} & {each.case for each in _good(other)}:
        why = ["no case has a result in both"]
    if why:
        listed = "\n  ".join(why)
        raise Rejected(
            f"{first.folder} and {other.folder} asked different things, so their figures cannot be set against each "
            f"other:\n  {listed}\nRun both with the same suite, data and seed"
        )


def compared(runs: Sequence[Run], language: Language) -> Page:
    """The comparison as a report: figures, differences case by case, what differs, the cases that moved most."""
    first = runs[0]
    rows: list[tuple[Any, ...]] = []
    moved: list[Worst] = []
    for other in runs[1:]:
        for name, found in paired_values(first, other):
            rows.append((other.folder.name, name.replace("_", " "), *_cells(found)))
        moved += _moved(first, other)
    sure = [row for row in rows if row[-2] < SURE]
    story = Story(
        "differ" if sure else "alike",
        {
            "first": first.folder.name,
            "sure": ", ".join(f"{row[1]} {row[4]:+.3g} ({row[0]})" for row in sorted(sure, key=lambda row: row[-2])[:4]),
            "number": str(len(sure)),
            "tests": str(len(rows)),
        },
        (
            Table("paired", ("run", "value", "n", "groups", "difference", "low", "high", "better", "worse", "p", "sign_p"),
                  tuple(rows)),
            *_kappas(runs),
            _side_by_side(runs),
            _what_differs(runs),
        ),
        tuple(_plots(runs, rows)),
        tuple(moved),
    )  # fmt: skip
    name = " / ".join(run.folder.name for run in runs)
    specification = {
        f"{run.folder.name}.{key}": value for run in runs for key, value in flat(run.specification).items()
    }
    return Page("compare", language, name, story, {}, specification, sum(len(run.results) for run in runs))


def _good(run: Run) -> list[Result]:
    return [result for result in run.results if result.data is not None]


def _shared(first: Run, other: Run) -> list[tuple[Result, Result]]:
    there = {result.case: result for result in _good(other)}
    return [(result, there[result.case]) for result in _good(first) if result.case in there]


def paired_values(first: Run, other: Run) -> Iterator[tuple[str, Paired]]:
    """Every value that cases of both runs have, compared over the cases that have it in both."""
    pairs = _shared(first, other)
    names = dict.fromkeys(name for one, _ in pairs for name in (one.data or {}).get("values", {}))
    for name in names:
        both = [(one, two) for one, two in pairs if name in one.data["values"] and name in two.data["values"]]  # type: ignore[index]
        if both:
            before, after = ([each.data["values"][name] for each in side] for side in zip(*both, strict=True))
            yield name, paired(before, after, [one.group for one, _ in both])


def _cells(found: Paired) -> tuple[Any, ...]:
    return (
        found.n,
        found.groups,
        found.difference,
        TOO_FEW if found.low is None else found.low,
        TOO_FEW if found.high is None else found.high,
        found.better,
        found.worse,
        found.p,
        found.sign_p,
    )


def _kappas(runs: Sequence[Run]) -> Iterator[Table]:
    """For graders: the difference of their kappas on the replies that both scored, drawing contexts again."""
    first = runs[0]
    if first.specification["suite"] != "grader":
        return
    rows = []
    for other in runs[1:]:
        pairs = _shared(first, other)
        for language in sorted({(one.data or {})["language"] for one, _ in pairs}):
            for name in DIMENSIONS:
                both = [(one, two) for one, two in pairs if one.data["language"] == language]  # type: ignore[index]
                scored = [
                    (ours[0], theirs[0], one.group)
                    for one, two in both
                    if (ours := scored_pairs([one], name)) and (theirs := scored_pairs([two], name))
                ]
                if scored:
                    rows.append((other.folder.name, language, name, len(scored), *_kappa_gap(scored)))
    columns = ("run", "language", "dimension", "n", "kappa_first", "kappa", "difference", "low", "high")
    yield Table("kappas", columns, tuple(rows))


def _kappa_gap(scored: Sequence[tuple[tuple[float, float], tuple[float, float], str]]) -> tuple[Any, ...]:
    if len(scored) < FEWEST:
        return (TOO_FEW,) * 5
    true = np.array([ours[0] for ours, _, _ in scored], float)
    before, after = (np.array([pair[side][1] for pair in scored], float) for side in (0, 1))

    def gap(places: np.ndarray) -> float | None:
        one, two = kappa(true[places], before[places]), kappa(true[places], after[places])
        return None if one is None or two is None else two - one

    low, high = statistic_interval(gap, [group for _, _, group in scored])
    ends = (TOO_FEW, TOO_FEW) if low is None else (low, high)
    return kappa(true, before), kappa(true, after), gap(np.arange(len(true))), *ends


def _side_by_side(runs: Sequence[Run]) -> Table:
    figures = [{name: value for name, value in flat(run.figures).items() if _is_number(value)} for run in runs]
    names = [name for name in figures[0] if all(name in each for each in figures)]
    rows = tuple((name, *(each[name] for each in figures)) for name in names)
    return Table("figures", ("figure", *(run.folder.name for run in runs)), rows)


def _what_differs(runs: Sequence[Run]) -> Table:
    rows = [
        (other.folder.name, *line.split(": ", 1))
        for other in runs[1:]
        for line in differences(runs[0].specification, other.specification, MAY_DIFFER)
    ]
    return Table("differs", ("run", "what", "values"), tuple(rows))


def _plots(runs: Sequence[Run], rows: Sequence[tuple[Any, ...]]) -> Iterator[Plot]:
    for other in runs[1:]:
        own = [
            ((str(row[1]),), row[4], *(None if end == TOO_FEW else end for end in row[5:7]))
            for row in rows
            if row[0] == other.folder.name
        ]
        ends = [abs(end) for _, value, low, high in own for end in (value, low, high) if end is not None]
        if own:
            most = max([*ends, 0.01])
            yield Plot("differences", partial(plots.bars, own, -most, most), (other.folder.name,))


def _moved(first: Run, other: Run) -> Iterator[Worst]:
    """The cases that moved most, by the sum of their values' differences in units of each value's spread."""
    pairs = _shared(first, other)
    spread = {
        name: float(np.std([one.data["values"][name] for one, _ in pairs if name in one.data["values"]])) or 1.0  # type: ignore[index]
        for name in {name for one, _ in pairs for name in (one.data or {}).get("values", {})}
    }
    moved = []
    for one, two in pairs:
        ours, theirs = (each.data.get("values", {}) for each in (one, two) if each.data is not None)
        gaps = {name: theirs[name] - ours[name] for name in ours if name in theirs and theirs[name] != ours[name]}
        if gaps:
            moved.append((sum(abs(gap) / spread[name] for name, gap in gaps.items()), one, gaps, ours))
    for _, one, gaps, ours in sorted(moved, key=lambda each: -each[0])[:SHOWN]:
        most = sorted(gaps, key=lambda name: -abs(gaps[name]) / spread[name])[:6]
        lines = tuple(Said(name, f"{ours[name]:.4g} to {ours[name] + gaps[name]:.4g}") for name in most)
        yield Worst(one.case, f"{first.folder.name} to {other.folder.name}", lines)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
