"""A language model plays the trainee: `python -m eval trainee --trainee SPEC [--policy FILE…]`.

So customer and grader are run by as many calls as wanted, with replies that take up what the customer said.
A policy is a prompt in a text file; the shipped ones go from excellent to rude.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from eval.customer import fault_bars, fidelity_table
from eval.fidelity import endings, grouped, rates
from eval.intervals import mean
from eval.ladder import order, order_names, totals_bars, totals_table
from eval.opening import fresh_model, identity
from eval.playing import Speaker
from eval.policy import POLICIES, Policy, load_policies, prompted
from eval.specification import files_hash
from eval.suites import Case, Live, Plot, Result, Story
from roleplay.dialogue import SILENCE
from roleplay.errors import Rejected
from roleplay.persona import Persona
from roleplay.settings import load_settings

if TYPE_CHECKING:
    from roleplay.models import LanguageModel
    from roleplay.room import Room


@dataclass(frozen=True)
class Suite:
    """How do customer and grader do when a language model plays the trainee?"""

    trainee: str
    policies: tuple[Path, ...] = ()
    personas: tuple[Path, ...] = ()
    number: int = 0
    seeds: int = 1
    turns: int = 20
    model: str | None = None
    grader: str | None = None
    seed: int = 0
    name: str = "trainee"

    @contextmanager
    def open(self) -> Iterator[Live]:
        policies = {f"{each.name} {each.language}": each for each in load_policies(self.policies)}
        with open_rooms(self.personas) as rooms:
            room = rooms.get(self.model, self.grader)
            drawn = draw_personas(room, self.number, self.seed)
            cases = policy_cases(policies, drawn, range(self.seed, self.seed + self.seeds), self.model, self.grader)

            def measure(case: Case) -> dict[str, Any]:
                policy = policies[case.given.part]

                def speaker(part: str) -> Speaker:
                    return prompted(policy, trainee_model(self.trainee), room, self.turns, case.given.seed)

                who = {"script": policy.name, "policy": policy.name, "trainee": self.trainee}
                return with_silence(measure_call(rooms, case.given, speaker, who, grade=True))

            data = {
                "policies": files_hash([*(self.policies or (POLICIES,)), POLICIES]),
                "personas": personas_hash(room, cases),
                "seed": self.seed,
                "turns": self.turns,
            }

            def subject() -> dict[str, Any]:
                return {"trainee": identity(trainee_model(self.trainee)), **rooms.subject(self.model, self.grader)}

            played = {(policies[case.given.part].language, policies[case.given.part].name) for case in cases}
            by_policy = {name: rates([]) | endings([]) | _scores([]) for _, name in played}
            figures = self.figures([]) | {"by_policy": by_policy, "ladder": order_names(played)}
            yield Live(cases, data, subject, measure, figures)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        calls = calls_of(results)
        return {
            "all": rates(calls) | endings(calls) | _scores(calls),
            "by_policy": {
                name: rates(group) | endings(group) | _scores(group) for name, group in grouped(calls, "policy").items()
            },
            "ladder": {language: order(group) for language, group in grouped(calls, "language").items()},
        }

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        calls = calls_of(results)
        if not calls:
            return Story("nothing")
        whole, by_policy = figures["all"], figures["by_policy"]
        steps = [step for row in figures["ladder"].values() for step in row["steps"]]
        scored = {name: row["total"] for name, row in by_policy.items() if row["total"] is not None}
        fields = {
            "calls": str(len(calls)),
            "totals": ", ".join(f"{name} {value:.0f}" for name, value in sorted(scored.items(), key=lambda i: -i[1])),
            "right": str(sum(step["right"] for step in steps)),
            "steps": str(len(steps)),
            "silent": f"{whole['empty_replies']:.0%}",
        }
        tables = (totals_table(results), fidelity_table(whole, by_policy))
        pictures = (Plot("totals", totals_bars(results)), Plot("faults", fault_bars(results)), *feeling_plots(calls))
        return Story("measured", fields, tables, pictures, tuple(worst_calls(results, unfaithful)))


def _scores(calls: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    names = ("total", "empathy", "accuracy", "phrasing", "facts_heard", "empty_replies")
    return {name: mean([call["values"][name] for call in calls if name in call["values"]]) for name in names}


def with_silence(call: dict[str, Any]) -> dict[str, Any]:
    """The call's data with the share of replies in which the trainee's model said nothing."""
    empty = [turn["trainee"] == SILENCE for turn in call["turns"]]
    return {**call, "values": {**call["values"], "empty_replies": mean(empty) or 0.0}}


def trainee_model(spec: str) -> LanguageModel:
    """The trainee's model: loaded once a process, save one that follows a script, which begins anew."""
    settings = load_settings(model=spec)
    return fresh_model(settings, spec, _loaded(spec), settings.answer_timeout)


@lru_cache(maxsize=2)
def _loaded(spec: str) -> LanguageModel:
    from roleplay.build import build_model

    settings = load_settings(model=spec)
    return build_model(settings, spec, settings.answer_timeout)


def draw_personas(room: Room, number: int, seed: int) -> list[Persona]:
    """All personas, or `number` of them; those of every language in turn, so that none is missing."""
    personas = sorted(room.library().personas.values(), key=lambda persona: persona.id)
    if not personas:
        raise Rejected("there is no persona; name files or folders with --personas")
    if not number:
        return personas
    languages = sorted({persona.language for persona in personas})
    decks = [[persona for persona in personas if persona.language == language] for language in languages]
    for deck in decks:
        random.Random(seed).shuffle(deck)
    dealt = [deck[at] for at in range(max(map(len, decks))) for deck in decks if at < len(deck)]
    return dealt[:number]


def policy_cases(
    policies: Mapping[str, Policy],
    personas: Sequence[Persona],
    seeds: Sequence[int],
    customer: str | None,
    grader: str | None,
) -> tuple[Case, ...]:
    """Every policy with every persona of its language. Raises Rejected when no languages meet."""
    cases = tuple(
        as_case(Planned(customer, grader, persona.id, part, seed))
        for part, policy in policies.items()
        for persona in personas
        if persona.language == policy.language
        for seed in seeds
    )
    if not cases:
        raise Rejected("no policy is written in the language of any persona; name others with --policy or --personas")
    return cases


@suite_command
def main(
    trainee: Annotated[
        str,
        typer.Option(help="who plays the trainee: hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME, scripted:FILE"),
    ],
    policy: Annotated[
        list[Path] | None, typer.Option(help="text files that say how the trainee works, or folders; else the shipped")
    ] = None,
    model: Annotated[str | None, typer.Option(help="the customer, named as the trainee is; else bundled")] = None,
    grader: Annotated[str | None, typer.Option(help="the grader, named as the trainee is; else bundled")] = None,
    personas: Annotated[list[Path] | None, typer.Option(help="persona files or folders; may be repeated")] = None,
    number: Annotated[int, typer.Option(min=0, help="how many personas are drawn; 0 for all")] = 0,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="calls of each policy with each persona")] = 1,
    turns: Annotated[int, typer.Option(min=1, max=100, help="replies after which the trainee hangs up")] = 20,
    seed: Annotated[int, typer.Option(help="the first seed")] = 0,
) -> Suite:
    """How do customer and grader do when a language model plays the trainee?

    The model follows a policy, from excellent to rude or one of your own (a text file), and takes up what the customer
    says; so thousands of calls cost no trainee's time. Reported are totals by policy, the customer's faults and feelings.

    Example: python -m eval trainee --trainee openai:http://127.0.0.1:8000/v1#agent --number 10 --seeds 3
    """
    return Suite(trainee, tuple(policy or ()), tuple(personas or ()), number, seeds, turns, model, grader, seed)
