"""Classes of trainees: who is in them, what they are to practise until when, and what they have earned.

Keeps what it is given; how somebody stands is computed in `plans` from the results of their calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from roleplay import tables
from roleplay.database import put, world
from roleplay.errors import Rejected


@dataclass(frozen=True, slots=True)
class Cohort:
    """A class. `plan` is the id of its training plan, "" for none; with `compare` its trainees see where they stand."""

    name: str
    plan: str
    compare: bool
    created_at: datetime
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A persona that a class is to practise, or to be examined with, between two moments.

    `attempts` 0 means as many as one likes; `pass_mark` None the persona's own. For an exam the two moments are
    its window: it cannot be sat outside.
    """

    id: int
    cohort: str
    persona_id: str
    mode: Literal["practice", "exam"]
    opens_at: datetime
    due_at: datetime
    attempts: int = 0
    pass_mark: float | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    person: str
    plan: str
    title: str
    earned_at: datetime
    total: float  # of the exam, 0 to 100


class Cohorts:
    """The classes in a database that `records` has opened. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Classes

    def add(self, name: str) -> None:
        """Raises Rejected for a name that is taken or cannot be used."""
        if not name or name != name.strip() or not name.isprintable() or len(name) > 64:
            raise Rejected("the name of a class has 1 to 64 characters and no space before or behind")
        row = {"name": name, "plan": "", "compare": False, "created_at": _now()}
        with world(), self._engine.begin() as connection:
            try:
                connection.execute(insert(tables.cohorts), row)
            except IntegrityError as error:
                raise Rejected(f"there is a class {name} already") from error

    def change(self, name: str, *, plan: str, compare: bool) -> None:
        """Raises Rejected for an unknown class or plan."""
        with world(), self._engine.begin() as connection:
            if plan and not connection.execute(select(tables.plans.c.id).where(tables.plans.c.id == plan)).first():
                raise Rejected(f"there is no training plan {plan}")
            values = {"plan": plan, "compare": compare}
            _found(connection.execute(update(tables.cohorts).where(tables.cohorts.c.name == name).values(values)), name)

    def remove(self, name: str) -> None:
        """The class and its assignments; its people and their calls stay. Raises Rejected for an unknown one."""
        with world(), self._engine.begin() as connection:
            _found(connection.execute(delete(tables.cohorts).where(tables.cohorts.c.name == name)), name)

    def all(self) -> list[Cohort]:
        """By name, each with its people by name."""
        members, cohorts = tables.members.c, tables.cohorts.c
        with world(), self._reading() as connection:
            people: dict[str, list[str]] = {}
            for name, person in connection.execute(select(members.cohort, members.person).order_by(members.person)):
                people.setdefault(name, []).append(person)
            names = ("name", "plan", "compare", "created_at")
            query = select(*(cohorts[name] for name in names)).order_by(cohorts.name)
            return [
                Cohort(**row, people=tuple(people.get(row["name"], ()))) for row in connection.execute(query).mappings()
            ]

    def of_person(self, person: str) -> list[Cohort]:
        return [cohort for cohort in self.all() if person in cohort.people]

    def enrol(self, name: str, people: Iterable[str]) -> int:
        """Put people into a class; how many were not in it before. Raises Rejected for an unknown class."""
        with world(), self._engine.begin() as connection:
            if not connection.execute(select(tables.cohorts.c.name).where(tables.cohorts.c.name == name)).first():
                raise Rejected(f"there is no class {name}")
            there = set(connection.scalars(select(tables.members.c.person).where(tables.members.c.cohort == name)))
            new = [person for person in dict.fromkeys(people) if person not in there]
            if new:
                connection.execute(insert(tables.members), [{"cohort": name, "person": person} for person in new])
        return len(new)

    def leave(self, name: str, person: str) -> None:
        """Take somebody out of a class; nothing happens if they are not in it."""
        members = tables.members
        with world(), self._engine.begin() as connection:
            connection.execute(delete(members).where(members.c.cohort == name, members.c.person == person))

    # Assignments

    def assign(
        self, cohort: str, persona_id: str, mode: str, opens_at: datetime, due_at: datetime, *,
        attempts: int = 0, pass_mark: float | None = None, by: str = "",
    ) -> int:  # fmt: skip
        """Give a class a persona to practise; its number. Raises Rejected for an unknown class or wrong values."""
        if due_at <= opens_at:
            raise Rejected("an assignment is due after it opens")
        if attempts < 0 or not (pass_mark is None or 0 <= pass_mark <= 100) or mode not in ("practice", "exam"):
            raise Rejected("attempts are 0 or more, a pass mark lies between 0 and 100, a mode is practice or exam")
        row = {"cohort": cohort, "persona_id": persona_id, "mode": mode, "opens_at": opens_at, "due_at": due_at,
               "attempts": attempts, "pass_mark": pass_mark, "created_by": by, "created_at": _now()}  # fmt: skip
        with world(), self._engine.begin() as connection:
            try:
                return int(
                    connection.execute(insert(tables.assignments).returning(tables.assignments.c.id), row).scalar_one()
                )
            except IntegrityError as error:
                raise Rejected(f"there is no class {cohort}") from error

    def withdraw(self, assignment: int) -> None:
        """Raises Rejected when there is none of that number."""
        with world(), self._engine.begin() as connection:
            gone = connection.execute(delete(tables.assignments).where(tables.assignments.c.id == assignment))
            _found(gone, f"assignment {assignment}")

    def assignments(self, cohorts: Iterable[str] | None = None) -> list[Assignment]:
        """Those of some classes or of all, the one due first first."""
        columns = tables.assignments.c
        names = ("id", "cohort", "persona_id", "mode", "opens_at", "due_at", "attempts", "pass_mark")
        query = select(*(columns[name] for name in names)).order_by(columns.due_at, columns.id)
        if cohorts is not None:
            query = query.where(columns.cohort.in_(list(cohorts)))
        return [Assignment(*row) for row in self._rows(query)]

    # Plans and certificates

    def keep_plan(self, plan_id: str, text: str) -> None:
        """Keep a training plan's YAML, in the place of an earlier one of that id. Whoever calls has checked it."""
        row = {"id": plan_id, "yaml": text, "changed_at": _now()}
        with world(), self._engine.begin() as connection:
            put(connection, tables.plans, row, "id")

    def drop_plan(self, plan_id: str) -> None:
        """Classes that had it have none then; certificates stay. Raises Rejected for an unknown plan."""
        with world(), self._engine.begin() as connection:
            _found(connection.execute(delete(tables.plans).where(tables.plans.c.id == plan_id)), f"plan {plan_id}")
            connection.execute(update(tables.cohorts).where(tables.cohorts.c.plan == plan_id).values(plan=""))

    def plan_texts(self) -> dict[str, str]:
        """The YAML of each training plan, by id."""
        return dict(map(tuple, self._rows(select(tables.plans.c.id, tables.plans.c.yaml).order_by("id"))))

    def certify(self, certificate: Certificate) -> None:
        """Keep a certificate; the first of a person and plan stays."""
        with world(), self._engine.begin() as connection:
            put(connection, tables.certificates, asdict(certificate), "person", "plan", replace=False)

    def certificates(self, person: str | None = None) -> list[Certificate]:
        """Of one person or of all, the newest first."""
        columns = tables.certificates.c
        query = select(columns.person, columns.plan, columns.title, columns.earned_at, columns.total)
        if person is not None:
            query = query.where(columns.person == person)
        return [Certificate(*row) for row in self._rows(query.order_by(columns.earned_at.desc()))]

    def _rows(self, query: Select[Any]) -> list[Any]:
        with world(), self._reading() as connection:
            return list(connection.execute(query))

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(reading=True)


def _found(result: Any, what: str) -> None:
    if not result.rowcount:
        raise Rejected(f"there is no {what}" if " " in what else f"there is no class {what}")


def _now() -> datetime:
    return datetime.now(UTC)
