"""Whether scripted trainees come out in the right order: excellent above average above cold above rude.

`python -m eval ladder [--grader SPEC]`: calls as in `customer`, every reply graded, totals compared by
language and, where two policies meet the same persona, persona by persona.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import plots
from eval.calls import calls_of, feeling_plots, measure_call, open_rooms, personas_hash, worst_calls
from eval.command import suite_command
from eval.customer import script_cases
from eval.fidelity import grouped
from eval.intervals import interval, mean
from eval.playing import DATA, scripted
from eval.specification import files_hash
from eval.suites import Case, Live, Plot, Result, Story, Table
from roleplay.scripts import load_scripts

RUNGS = ("excellent", "average", "cold", "rude")  # from the top; neighbours among those played are compared
BESIDE = (("excellent", "wrong_facts"), ("excellent", "overpromise"), ("average", "injection"))


@dataclass(frozen=True)
class Suite:
    """Does this grader put scripted trainees in the right order?"""

    scripts: Path
    personas: tuple[Path, ...] = ()
    seeds: int = 1
    model: str | None = None
    grader: str | None = None
    seed: int = 0
    name: str = "ladder"

    @contextmanager
    def open(self) -> Iterator[Live]:
        scripts = {script.id: script for script in load_scripts(self.scripts)}
        with open_rooms(self.personas) as rooms:
            seeds = range(self.seed, self.seed + self.seeds)
            cases = script_cases(rooms, list(scripts.values()), seeds, self.model, self.grader)
            room = rooms.get(self.model, self.grader)
            data = {"scripts": files_hash([self.scripts]), "personas": personas_hash(room, cases), "seed": self.seed}

            def measure(case: Case) -> dict[str, Any]:
                script = scripts[case.given.part]
                who = {"script": script.id, "policy": script.policy, "trainee": "script"}
                return measure_call(rooms, case.given, lambda part: scripted(scripts[part]), who, grade=True)

            played = [scripts[case.given.part] for case in cases]
            figures = order_names((script.language, script.policy) for script in played)
            yield Live(cases, data, lambda: rooms.subject(self.model, self.grader), measure, figures)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        return {language: order(group) for language, group in grouped(calls_of(results), "language").items()}

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        calls = calls_of(results)
        steps = [(language, step) for language, row in figures.items() for step in row["steps"]]
        if not steps:
            return Story("nothing", {}, (totals_table(results),))
        wrong = [f"{language} {step['below']} above {step['above']}" for language, step in steps if not step["right"]]
        fields = {"right": str(len(steps) - len(wrong)), "steps": str(len(steps)), "wrong": "; ".join(wrong)}
        table = Table(
            "steps",
            ("language", "above", "below", "right", "gap", "personas", "personas_right"),
            tuple((language, *step.values()) for language, step in steps),
        )
        pictures = [
            Plot("totals", totals_bars(group), (language,)) for language, group in _by_language(results).items()
        ]
        worst = tuple(worst_calls(results, _out_of_place))
        return Story(
            "wrong" if wrong else "right",
            fields,
            (table, totals_table(results)),
            (*pictures, *feeling_plots(calls)),
            worst,
        )


def order(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean totals by policy, the highest first, and every step of the ladder between policies that were played."""
    totals = {name: _totals(group) for name, group in grouped(calls, "policy").items()}
    means = {name: sum(values.values()) / len(values) for name, values in totals.items() if values}
    steps = []
    for above, below in (*pairwise(rung for rung in RUNGS if rung in means), *BESIDE):
        if above in means and below in means:
            shared = [persona for persona in totals[above] if persona in totals[below]]
            right = [totals[above][persona] > totals[below][persona] for persona in shared]
            gap = means[above] - means[below]
            steps.append({"above": above, "below": below, "right": gap > 0, "gap": gap, "personas": len(shared),
                          "personas_right": sum(right)})  # fmt: skip
    return {"mean_total": dict(sorted(means.items(), key=lambda item: -item[1])), "steps": steps}


def order_names(played: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The names of what `order` gives by language, of languages and policies that are played."""
    names: dict[str, Any] = {}
    for language, policy in played:
        names.setdefault(language, {"mean_total": {}, "steps": None})["mean_total"][policy] = None
    return names


def _totals(calls: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The mean total by persona, of the calls that have one."""
    found: dict[str, float] = {}
    for persona, group in grouped(calls, "persona").items():
        value = mean([call["total"] for call in group if call["total"] is not None])
        if value is not None:
            found[persona] = value
    return found


def totals_table(results: Sequence[Result]) -> Table:
    """Totals and dimensions by policy."""
    columns = ("total", "empathy", "accuracy", "phrasing", "ended_well", "facts_heard", "turns")
    rows = []
    for policy, group in grouped(calls_of(results), "policy").items():
        values = [mean([call["values"][name] for call in group if name in call["values"]]) for name in columns]
        rows.append((policy, len(group), *values))
    return Table("totals", ("policy", "n_calls", *columns), tuple(rows))


def totals_bars(results: Sequence[Result]) -> Callable[[plots.Say], str]:
    """Mean total by policy with intervals that draw personas, the highest first."""
    rows: list[tuple[tuple[str, ...], float | None, float | None, float | None]] = []
    for policy, group in grouped(calls_of(results), "policy").items():
        found = [(call["total"], call["persona"]) for call in group if call["total"] is not None]
        values = [total for total, _ in found]
        low, high = interval(values, [persona for _, persona in found])
        rows.append(((policy,), mean(values), low, high))
    return partial(plots.bars, sorted(rows, key=lambda row: -(row[1] or 0)), 0, 100)


def _by_language(results: Sequence[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        if result.data is not None:
            found.setdefault(result.data["language"], []).append(result)
    return found


def _out_of_place(call: Mapping[str, Any]) -> tuple[float, str]:
    """A good trainee with a low total, or a bad one with a high."""
    if call["total"] is None:
        return 0.0, ""
    good = call["policy"] in ("excellent", "average")
    bad = 60 - call["total"] if good else call["total"] - 50
    return (
        0.0 if call["policy"] == "average" and bad < 20 else bad
    ), f"{call['policy']} got {call['total']:.0f} of 100"


@suite_command
def main(
    grader: Annotated[
        str | None, typer.Option(help="the grader: bundled, hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME")
    ] = None,
    model: Annotated[str | None, typer.Option(help="the customer, named as the grader is")] = None,
    scripts: Annotated[Path, typer.Option(help="scripted trainees, a YAML list")] = DATA / "scripts.yaml",
    personas: Annotated[list[Path] | None, typer.Option(help="persona files or folders; may be repeated")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="calls of each script with each persona")] = 1,
    seed: Annotated[int, typer.Option(help="the first seed")] = 0,
) -> Suite:
    """Does the grader put scripted trainees in the right order?

    An excellent trainee must come out above an average one, that above a cold one, that above a rude one; wrong
    facts and words to the scorer must not pay. Totals are compared by language, and persona by persona.

    Example: python -m eval ladder --grader openai:http://127.0.0.1:8000/v1#judge --out runs/judge
    """
    return Suite(scripts, tuple(personas or ()), seeds, model, grader, seed)
