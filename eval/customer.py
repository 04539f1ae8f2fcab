"""How faithful the simulated customer is: role flips, leaks, invented facts, repetition, dialect, endings.

`python -m eval customer [--model SPEC]`: scripted trainees of every kind are played against fitting personas.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import plots
from eval.calls import (
    Planned,
    as_case,
    calls_of,
    feeling_plots,
    measure_call,
    open_rooms,
    personas_hash,
    unfaithful,
    worst_calls,
)
from eval.command import suite_command
from eval.fidelity import FAULTS, disclosure, endings, grouped, rates, reactions, sources, variety
from eval.intervals import interval
from eval.playing import DATA, dialect_of, personas_for, scripted
from eval.specification import files_hash
from eval.suites import Case, Live, Plot, Result, Story, Table
from roleplay.customer import SOURCES
from roleplay.errors import Rejected
from roleplay.scripts import Script, load_scripts
from roleplay.terminal import tell


@dataclass(frozen=True)
class Suite:
    """How faithful is this customer, over scripted trainees of every kind?"""

    scripts: Path
    personas: tuple[Path, ...] = ()
    seeds: int = 1
    model: str | None = None
    seed: int = 0
    name: str = "customer"

    @contextmanager
    def open(self) -> Iterator[Live]:
        scripts = {script.id: script for script in load_scripts(self.scripts)}
        with open_rooms(self.personas) as rooms:
            seeds = range(self.seed, self.seed + self.seeds)
            cases = script_cases(rooms, list(scripts.values()), seeds, self.model, None)
            room = rooms.get(self.model, None)
            data = {"scripts": files_hash([self.scripts]), "personas": personas_hash(room, cases), "seed": self.seed}

            def measure(case: Case) -> dict[str, Any]:
                script = scripts[case.given.part]
                who = {"script": script.id, "policy": script.policy, "trainee": "script"}
                return measure_call(rooms, case.given, lambda part: scripted(scripts[part]), who, grade=False)

            policies = {scripts[case.given.part].policy for case in cases}
            dialects = {dialect_of(room.library().get(case.given.persona)) for case in cases}
            figures = self.figures([]) | {
                "sources": {source: dict.fromkeys(("proposed", "struck_out", "chosen")) for source in SOURCES},
                "by_policy": {name: rates([]) | endings([]) for name in policies},
                "by_dialect": dict.fromkeys(dialects),
            }
            yield Live(cases, data, lambda: rooms.subject(self.model, None), measure, figures)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        calls = calls_of(results)
        return {
            "all": rates(calls) | variety(calls),
            "disclosure": disclosure(calls),
            "reactions": reactions(calls),
            "sources": sources(calls),
            "by_policy": {name: rates(group) | endings(group) for name, group in grouped(calls, "policy").items()},
            "by_dialect": {name: rates(group)["dialect_heard"] for name, group in grouped(calls, "dialect").items()},
        }

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        calls, whole = calls_of(results), figures["all"]
        tables = (fidelity_table(whole, figures["by_policy"]), *_more_tables(figures))
        if not calls:
            return Story("nothing", {}, tables)
        faults = {name: whole[name] for name in FAULTS}
        fields = {
            "calls": str(whole["n_calls"]),
            "lines": str(whole["n_lines"]),
            "written": str(figures["sources"].get("model", {"chosen": 0})["chosen"]),
            "clean": f"{1 - sum(any(line[name] for name in FAULTS) for call in calls for line in call['lines']) / whole['n_lines']:.1%}",
            "most": max(faults, key=lambda name: faults[name]).replace("_", " "),
            "share": f"{max(faults.values()):.1%}",
        }
        pictures = (Plot("faults", fault_bars(results)), *feeling_plots(calls))
        answer = "measured" if max(faults.values()) else "clean"
        return Story(answer, fields, tables, pictures, tuple(worst_calls(results, unfaithful)))


def script_cases(
    rooms: Any, scripts: Sequence[Script], seeds: Sequence[int], customer: str | None, grader: str | None
) -> tuple[Case, ...]:
    """Every script against the personas that it fits, with every seed. Raises Rejected when nothing is to be played."""
    room = rooms.get(customer, grader)
    library = room.library()
    personas = list(library.personas.values())
    cases = tuple(
        as_case(Planned(customer, grader, persona.id, script.id, seed))
        for script in _playable(scripts, library.personas, rooms.chosen)
        for persona in personas_for(script, personas, room)
        for seed in seeds
    )
    if not cases:
        raise Rejected(f"no script fits any of the {len(personas)} personas by language and direction")
    return cases


def _playable(scripts: Sequence[Script], personas: Collection[str], chosen: bool) -> list[Script]:
    """Without the scripts that ask for a persona that was not chosen; where none were chosen, all are."""
    left_out = [script for script in scripts if chosen and script.persona and script.persona not in personas]
    if left_out:
        tell(f"{len(left_out)} of {len(scripts)} scripts ask for a persona that was not chosen, and are left out")
    return [script for script in scripts if script not in left_out]


def fidelity_table(whole: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> Table:
    """The rates of all calls and of each group, the endings where the groups have them."""
    columns = ("n_calls", "n_lines", *FAULTS, "dialect_heard", "ended_well", "turns")
    rows = [("all", *(whole.get(name) for name in columns))]
    rows += [(label, *(row.get(name) for name in columns)) for label, row in groups.items()]
    return Table("fidelity", ("group", *columns), tuple(rows))


def fault_bars(results: Sequence[Result]) -> Callable[[plots.Say], str]:
    """Mean rate of each fault over calls, with intervals that draw personas."""
    rows = []
    for name in (*FAULTS, "dialect_heard"):
        found = [
            (each.data["values"][name], each.group) for each in results if each.data and name in each.data["values"]
        ]
        values = [value for value, _ in found]
        low, high = interval(values, [group for _, group in found])
        rows.append(((name,), sum(values) / len(values) if values else None, low, high))
    return partial(plots.bars, rows, 0, 1)


def _more_tables(figures: Mapping[str, Any]) -> Iterator[Table]:
    whole = figures["all"]
    variety_names = ("distinct_2", "shared_across_seeds", "near_across_seeds", "length")
    yield Table("variety", variety_names, (tuple(whole[name] for name in variety_names),))
    for key in ("disclosure", "reactions"):
        yield Table(key, tuple(figures[key]), (tuple(figures[key].values()),))
    dialects = tuple((name, share) for name, share in figures["by_dialect"].items() if share is not None)
    if dialects:
        yield Table("dialects", ("dialect", "dialect_heard"), dialects)
    columns = ("proposed", "struck_out", "chosen")
    rows = tuple((name, *(row[c] for c in columns)) for name, row in figures["sources"].items())
    yield Table("sources", ("source", *columns), rows)


@suite_command
def main(
    model: Annotated[
        str | None,
        typer.Option(help="the customer: bundled, hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME, scripted:FILE"),
    ] = None,
    scripts: Annotated[Path, typer.Option(help="scripted trainees, a YAML list")] = DATA / "scripts.yaml",
    personas: Annotated[list[Path] | None, typer.Option(help="persona files or folders; may be repeated")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="calls of each script with each persona")] = 1,
    seed: Annotated[int, typer.Option(help="the first seed")] = 0,
) -> Suite:
    """How faithful is the simulated customer to its part?

    Scripted trainees of every kind (excellent, cold, rude, wrong facts, injection …) are played against fitting
    personas. Every line of the customer is checked: does it speak as an agent, leak what is not told yet, invent a
    number, repeat itself, run too long, lose its dialect? And do good trainees bring calls to a good end, bad ones not?

    Example, a report on a model of your own: python -m eval customer --model hf:/models/mine --out runs/mine
    """
    return Suite(scripts, tuple(personas or ()), seeds, model, seed)
