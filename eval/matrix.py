"""Customer × grader × persona × trainee in one configuration file: `python -m eval matrix CONFIG.yaml`.

Customer and grader may be models of different families, so that a finding does not hang on one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field

from eval import plots
from eval.calls import (
    Planned,
    Rooms,
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
from eval.fidelity import FAULTS, endings, grouped, rates
from eval.intervals import interval, mean
from eval.playing import Speaker, personas_for, scripted
from eval.policy import POLICIES, Policy, load_policies, prompted
from eval.specification import files_hash
from eval.suites import Case, Live, Plot, Result, Story, Table
from eval.trainee import trainee_model, with_silence
from roleplay.conditions import Strict
from roleplay.errors import Fault, FileFault
from roleplay.persona import Persona
from roleplay.scripts import Script, load_scripts
from roleplay.settings import Spec
from roleplay.yaml_files import read_yaml, validate

if TYPE_CHECKING:
    from roleplay.room import Room


class Configuration(Strict):
    """What is crossed with what. Paths count from the file's folder; policies need `trainees`, who follow them."""

    customers: tuple[Spec, ...] = Field(("bundled",), min_length=1)
    graders: tuple[Spec, ...] = Field(("bundled",), min_length=1)
    personas: tuple[str, ...] = ()  # ids; else those that fit a script, and all for a policy
    scripts: tuple[Path, ...] = ()
    policies: tuple[Path, ...] = ()
    trainees: tuple[Spec, ...] = ()
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    turns: int = Field(20, ge=1, le=100)


@dataclass(frozen=True)
class Part:
    """Who plays the trainee: a script, or a model by a policy."""

    script: Script | None = None
    policy: Policy | None = None
    trainee: str = "script"

    def who(self) -> dict[str, str]:
        if self.script is not None:
            return {"script": self.script.id, "policy": self.script.policy, "trainee": self.trainee}
        assert self.policy is not None
        return {"script": self.policy.name, "policy": self.policy.name, "trainee": self.trainee}

    def speaker(self, room: Room, turns: int, seed: int) -> Speaker:
        if self.script is not None:
            return scripted(self.script)
        assert self.policy is not None
        return prompted(self.policy, trainee_model(self.trainee), room, turns, seed)

    def personas(self, room: Room, named: Sequence[Persona]) -> list[Persona]:
        """Those named in the configuration that speak its language; without any, those that fit."""
        if self.script is not None and not named:
            return personas_for(self.script, list(room.library().personas.values()), room)
        language = (self.script or self.policy).language  # type: ignore[union-attr]
        everybody = named or list(room.library().personas.values())
        fit = [persona for persona in everybody if persona.language == language]
        return [each for each in fit if self.script is None or each.call.direction == self.script.direction]


@dataclass(frozen=True)
class Suite:
    """How do customers, graders, personas and trainees do in every combination?"""

    configuration: Path
    personas: tuple[Path, ...] = ()
    name: str = "matrix"

    @contextmanager
    def open(self) -> Iterator[Live]:
        asked = load_configuration(self.configuration)
        parts = _parts(asked)
        pairs = list(product(asked.customers, asked.graders))
        with open_rooms(self.personas) as rooms:
            room = rooms.get(*pairs[0])
            named = [room.library().get(name) for name in asked.personas]
            cases = tuple(
                as_case(Planned(customer, grader, persona.id, part, seed), several=True)
                for customer, grader in pairs
                for part, each in parts.items()
                for persona in each.personas(room, named)
                for seed in asked.seeds
            )
            if not cases:
                raise FileFault(
                    self.configuration, [Fault("no script or policy fits any persona by language and direction")]
                )
            data = {
                "personas": personas_hash(room, cases),
                "scripts": files_hash(asked.scripts),
                "policies": files_hash([*asked.policies, POLICIES]),
                "turns": asked.turns,
            }
            measure = partial(_measure, rooms, parts, asked.turns)
            yield Live(cases, data, partial(_subject, rooms, asked), measure, _names(cases, parts))

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        calls = calls_of(results)
        cells = grouped(calls, "customer", "grader", "trainee", "policy")
        return {
            "all": _cell(calls),
            "cells": {name: _cell(group) for name, group in cells.items()},
            "personas": {name: _cell(group) for name, group in grouped(calls, "persona").items()},
        }

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        calls = calls_of(results)
        if not calls:
            return Story("nothing")
        columns = ("n_calls", "total", "empathy", "accuracy", "phrasing", "ended_well", "turns", *FAULTS)

        def table(key: str, column: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
            return Table(
                key, (column, *columns), tuple((name, *(row[c] for c in columns)) for name, row in rows.items())
            )

        customers = {name: rates(group) for name, group in grouped(calls, "customer").items()}
        faults = {name: sum(row[fault] for fault in FAULTS) for name, row in customers.items()}
        spread = {name: mean([call["total"] for call in group if call["total"] is not None])
                  for name, group in grouped(calls, "grader").items()}  # fmt: skip
        fields = {
            "calls": str(len(calls)),
            "cells": str(len(figures["cells"])),
            "faithful": min(faults, key=lambda name: faults[name]),
            "graders": ", ".join(f"{name} {value:.0f}" for name, value in spread.items() if value is not None)
            or "none",
        }
        bars = []
        for name, group in grouped(calls, "customer", "grader", "trainee", "policy").items():
            found = [(call["total"], call["persona"]) for call in group if call["total"] is not None]
            low, high = interval([total for total, _ in found], [persona for _, persona in found])
            bars.append(((name,), mean([total for total, _ in found]), low, high))
        tables = (table("cells", "cell", figures["cells"]), table("personas", "persona", figures["personas"]))
        pictures = (Plot("totals", partial(plots.bars, bars, 0, 100)), *feeling_plots(calls, "customer"))
        return Story("measured", fields, tables, pictures, tuple(worst_calls(results, unfaithful)))


def load_configuration(path: Path) -> Configuration:
    """Raises FileFault with line and name of every wrong field."""
    data, lines = read_yaml(path)
    found = validate(Configuration, data, lines, path)
    faults = []
    if not found.scripts and not found.policies:
        faults.append(Fault("name scripts or policies: somebody has to play the trainee", 1))
    if bool(found.policies) != bool(found.trainees):
        faults.append(
            Fault("policies and trainees (the models that follow them) belong together", lines.get("policies", 1))
        )
    for name in ("customers", "graders", "personas", "trainees", "seeds"):
        if len(set(getattr(found, name))) < len(getattr(found, name)):
            faults.append(Fault("something is there twice", lines.get(name), name))
    if faults:
        raise FileFault(path, faults)
    folder = path.absolute().parent
    return found.model_copy(
        update={name: tuple(folder / each for each in getattr(found, name)) for name in ("scripts", "policies")}
    )


def _parts(asked: Configuration) -> dict[str, Part]:
    parts = {script.id: Part(script=script) for path in asked.scripts for script in load_scripts(path)}
    for policy in load_policies(asked.policies) if asked.policies else ():
        for trainee in asked.trainees:
            parts[f"{policy.name} {policy.language} by {trainee}"] = Part(policy=policy, trainee=trainee)
    return parts


def _subject(rooms: Rooms, asked: Configuration) -> dict[str, Any]:
    """Every pair of customer and grader, each loaded once."""
    from eval.opening import identity

    pairs = {
        f"{customer} {grader}": rooms.subject(customer, grader)
        for customer, grader in product(asked.customers, asked.graders)
    }
    return pairs | {f"trainee {spec}": identity(trainee_model(spec)) for spec in asked.trainees}


def _measure(rooms: Rooms, parts: Mapping[str, Part], turns: int, case: Case) -> dict[str, Any]:
    planned: Planned = case.given
    part = parts[planned.part]
    room = rooms.get(planned.customer, planned.grader)
    call = measure_call(rooms, planned, lambda _: part.speaker(room, turns, planned.seed), part.who(), grade=True)
    return with_silence(call)


def _names(cases: Sequence[Case], parts: Mapping[str, Part]) -> dict[str, Any]:
    """The names of the figures that these calls give."""
    one, cells = _cell([]), {}
    for case in cases:
        planned, who = case.given, parts[case.given.part].who()
        cells[" · ".join((planned.customer, planned.grader, who["trainee"], who["policy"]))] = one
    return {"all": one, "cells": cells, "personas": {case.given.persona: one for case in cases}}


def _cell(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("total", "empathy", "accuracy", "phrasing")
    scores = {name: mean([call["values"][name] for call in calls if name in call["values"]]) for name in names}
    return scores | rates(calls) | endings(calls)


@suite_command
def main(
    configuration: Annotated[Path, typer.Argument(help="a YAML file; docs/evaluation.md shows one")],
    personas: Annotated[list[Path] | None, typer.Option(help="persona files or folders; may be repeated")] = None,
) -> Suite:
    """How do customers, graders, personas and trainees do in every combination?

    The file names customers, graders, personas, scripts or policies with the models that follow them, and seeds; every
    combination is one call. Customer and grader may be models of different families.

    Example: python -m eval matrix models.yaml --workers 4 --out runs/models
    """
    return Suite(configuration, tuple(personas or ()))
