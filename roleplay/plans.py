"""Training plans: modules of personas, an exam, a certificate; and how far somebody has come.

A plan is a small YAML text that a trainer writes. Progress is computed from the results of calls, nothing is ticked
off by hand: a persona of a module is done once a call with it has reached the module's mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Annotated, Literal

from pydantic import Field

from roleplay.bases import alike, newest
from roleplay.cohorts import Assignment, Certificate
from roleplay.conditions import Strict
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.records import Records
from roleplay.results import Result, Results
from roleplay.rubric import DIMENSIONS
from roleplay.wording import Id
from roleplay.yaml_files import parse_yaml, validate

Mark = Annotated[float, Field(ge=0, le=100)]


class Module(Strict):
    title: str = Field(min_length=1, max_length=80)
    personas: tuple[Id, ...] = Field(min_length=1)
    pass_mark: Mark = 60


class Exam(Strict):
    """Every persona of it must be passed in exam mode. `attempts` counts for each; 0 is as many as one likes."""

    personas: tuple[Id, ...] = Field(min_length=1)
    pass_mark: Mark = 60
    attempts: int = Field(0, ge=0, le=100)


class Plan(Strict):
    id: Id
    title: str = Field(min_length=1, max_length=80)
    modules: tuple[Module, ...] = Field(min_length=1)
    exam: Exam
    certificate: str = Field(min_length=1, max_length=120)


TEMPLATE = """\
id: first-weeks
title: {title}
modules:
  - title: {first}
    pass_mark: 60
    personas: [{one}]
  - title: {second}
    pass_mark: 60
    personas: [{two}]
exam:
  pass_mark: 70
  attempts: 2
  personas: [{two}]
certificate: {certificate}
"""


def parse_plan(text: str, persona_ids: Iterable[str]) -> Plan:
    """Raises FileFault with the line of everything wrong, personas that do not exist included."""
    path = Path("plan.yaml")
    data, lines = parse_yaml(text, path)
    plan = validate(Plan, data, lines, path)
    known = set(persona_ids)
    places = [(f"modules.{n}.personas", module.personas) for n, module in enumerate(plan.modules)]
    faults = [
        Fault(f"there is no persona {name!r}", lines.get(f"{place}.{at}"), f"{place}.{at}")
        for place, names in (*places, ("exam.personas", plan.exam.personas))
        for at, name in enumerate(names)
        if name not in known
    ]
    if faults:
        raise FileFault(path, faults)
    return plan


@dataclass(frozen=True, slots=True)
class Step:
    """A persona of a plan, and how somebody stands with it. `best` is the highest total, None before the first."""

    persona_id: str
    tries: int
    best: float | None
    done: bool


@dataclass(frozen=True, slots=True)
class Progress:
    plan: Plan
    modules: tuple[tuple[Module, tuple[Step, ...]], ...]
    exam: tuple[Step, ...]

    @property
    def ready(self) -> bool:
        """Whether all modules are done, so that the exam is next."""
        return all(step.done for _, steps in self.modules for step in steps)

    @property
    def complete(self) -> bool:
        return self.ready and all(step.done for step in self.exam)

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        steps = [step for _, part in self.modules for step in part] + list(self.exam)
        return sum(step.done for step in steps) / len(steps)


def progress(plan: Plan, results: Sequence[Result]) -> Progress:
    """How far somebody has come with a plan, from the results of all their calls."""
    modules = tuple(
        (module, tuple(_step(name, results, module.pass_mark) for name in module.personas)) for module in plan.modules
    )
    exams = [result for result in results if result.mode == "exam"]
    exam = tuple(_step(name, exams, plan.exam.pass_mark, plan.exam.attempts) for name in plan.exam.personas)
    return Progress(plan, modules, exam)


def _step(persona_id: str, results: Iterable[Result], mark: float, attempts: int = 0) -> Step:
    """With `attempts`, only so many calls count, the first ones."""
    calls = sorted(
        (each for each in results if each.persona_id == persona_id and not each.retried),
        key=lambda each: each.started_at,
    )
    counted = [each.total for each in (calls[:attempts] if attempts else calls) if each.ending]
    best = max((total for total in counted if total is not None), default=None)
    return Step(persona_id, len(calls), best, best is not None and best >= mark)


State = Literal["upcoming", "open", "running", "done", "used_up", "missed"]


@dataclass(frozen=True, slots=True)
class Task:
    """An assignment as one person sees it: calls made for it, the best total, and where that leaves them.

    `running` is the id of the last attempt while it is under way and no other is left; "" otherwise.
    """

    assignment: Assignment
    person: str
    tries: int
    best: float | None
    state: State
    running: str = ""

    @property
    def left(self) -> int | None:
        """Attempts that are left; None for as many as one likes."""
        return max(0, self.assignment.attempts - self.tries) if self.assignment.attempts else None


def task(assignment: Assignment, person: str, results: Iterable[Result], now: datetime) -> Task:
    """Calls with the persona in the assignment's mode, begun while it was open, are its attempts."""
    calls = sorted(
        (
            each
            for each in results
            if each.trainee == person
            and not each.retried
            and each.persona_id == assignment.persona_id
            and each.mode == assignment.mode
            and assignment.opens_at <= each.started_at < assignment.due_at
        ),
        key=lambda each: each.started_at,
    )
    counted = calls[: assignment.attempts] if assignment.attempts else calls
    ended = [each for each in counted if each.ending and each.total is not None]
    best = max((each.total for each in ended if each.total is not None), default=None)
    mark = assignment.pass_mark
    passed = any(each.passed for each in ended) if mark is None else best is not None and best >= mark
    used_up = bool(assignment.attempts) and len(calls) >= assignment.attempts
    running = next((each.call_id for each in reversed(counted) if used_up and not each.ending), "")
    states: tuple[tuple[bool, State], ...] = (
        (passed, "done"),
        (now < assignment.opens_at, "upcoming"),
        (now >= assignment.due_at, "missed"),
        (bool(running), "running"),
        (used_up, "used_up"),
    )
    state: State = next((name for holds, name in states if holds), "open")
    return Task(assignment, person, len(calls), best, state, running if state == "running" else "")


def tasks(records: Records, results: Results, person: str, now: datetime) -> list[Task]:
    """Everything that somebody has been assigned, the one due first first."""
    cohorts = [cohort.name for cohort in records.cohorts.of_person(person)]
    given = records.cohorts.assignments(cohorts) if cohorts else []
    own = results.find(person) if given else []
    return [task(each, person, own, now) for each in given]


def allow_exam(records: Records, results: Results, person: str, persona_id: str, now: datetime) -> None:
    """Raises Rejected unless this person may sit an exam with this persona now: assigned, in its window, tries left.

    The exam of a training plan may be sat once its modules are done, as often as the plan allows.
    """
    why = "no exam with this customer has been assigned to you"
    for each in tasks(records, results, person, now):
        if each.assignment.mode == "exam" and each.assignment.persona_id == persona_id:
            if each.state in ("open", "done") and each.left != 0:
                return
            why = {"upcoming": f"the exam opens at {each.assignment.opens_at:%Y-%m-%d %H:%M} UTC",
                   "missed": f"the exam closed at {each.assignment.due_at:%Y-%m-%d %H:%M} UTC"}.get(
                       each.state, "all attempts at this exam have been used")  # fmt: skip
    for each_plan in progress_of(records, results, person):
        step = next((step for step in each_plan.exam if step.persona_id == persona_id), None)
        if step is None:
            continue
        if not each_plan.ready:
            why = "the modules of the training plan come before its exam"
        elif each_plan.plan.exam.attempts and step.tries >= each_plan.plan.exam.attempts:
            why = "all attempts at this exam have been used"
        else:
            return
    raise Rejected(why)


def progress_of(records: Records, results: Results, person: str) -> list[Progress]:
    """How far somebody has come with the training plans of their classes. A certificate that is due is given."""
    texts = records.cohorts.plan_texts()
    names = dict.fromkeys(cohort.plan for cohort in records.cohorts.of_person(person) if cohort.plan in texts)
    if not names:
        return []
    own = results.find(person)
    made = [progress(kept_plan(texts[name]), own) for name in names]
    for each in made:
        if each.complete:
            mean = sum(step.best or 0 for step in each.exam) / len(each.exam)
            title = each.plan.certificate
            records.cohorts.certify(Certificate(person, each.plan.id, title, _last(each, own), mean))
    return made


def _last(done: Progress, results: Iterable[Result]) -> datetime:
    """When the plan was completed, as far as the calls tell: the last exam of it that was passed."""
    wanted = {step.persona_id for step in done.exam}
    return max(each.started_at for each in results if each.mode == "exam" and each.persona_id in wanted)


def kept_plan(text: str) -> Plan:
    """A plan as it was kept; its personas may have gone since."""
    path = Path("plan.yaml")
    return validate(Plan, *parse_yaml(text, path), path)


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody in a class: the place by mean total, 1 for the best, of how many who have one.

    `own` and `everybody` are means by dimension and "total", of one's calls and of all people's means; what nobody has is left out.
    """

    place: int
    of: int
    own: Mapping[str, float]
    everybody: Mapping[str, float]


def standing(results: Mapping[str, Sequence[Result]], person: str) -> Standing | None:
    """How somebody stands in a class, whose results are given by name; None without a score.

    Only calls that were scored as the newest of the class count: others cannot be set beside them.
    """
    now = newest(each for calls in results.values() for each in calls)
    means = {name: _means(alike(calls, now)) for name, calls in results.items()}
    totals = [each["total"] for each in means.values() if "total" in each]
    own = means.get(person, {})
    if "total" not in own:
        return None
    everybody = {name: fmean(each[name] for each in means.values() if name in each) for name in own}
    return Standing(1 + sum(total > own["total"] for total in totals), len(totals), own, everybody)


def _means(calls: Sequence[Result]) -> dict[str, float]:
    kept = {"total": [each.total for each in calls]} | {
        name: [each.mean[name] for each in calls] for name in DIMENSIONS
    }
    known = {name: [value for value in values if value is not None] for name, values in kept.items()}
    return {name: fmean(values) for name, values in known.items() if values}
