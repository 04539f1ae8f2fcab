"""What is kept of calls, grades and users. What was acknowledged survives a killed process.

Knows nothing of personas, models or scores: it keeps what it is given. Every method is one transaction
and may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from roleplay import tables
from roleplay.cohorts import Cohorts
from roleplay.database import empty_log, open_database, put, world
from roleplay.dialogue import Act, Direction, Ending, Language, Speaker
from roleplay.errors import Rejected
from roleplay.events import Events
from roleplay.people import People
from roleplay.unpublished import Unpublished

Mode = Literal["practice", "exam"]
PERSON = "person "  # how the name of a grader begins who is a person

Row = TypeVar("Row", "CallRow", "TurnRow", "GradeRow", "ReviewRow", "FileVersion")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call. `persona_yaml` is the whole persona as it was, so that an exam can be replayed from its seed."""

    id: str  # a UUID
    trainee: str
    persona_id: str
    persona_hash: str
    persona_yaml: str
    language: Language
    direction: Direction
    seed: int
    mode: Mode
    knowledge_version: str
    customer_model: str
    grader_model: str
    started_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None
    ending: Ending | None = None  # None while the call goes on


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One thing said. `detail` holds what explains it (directive, reading, state, guard events), as JSON has it."""

    speaker: Speaker
    text: str
    gloss: str = ""
    act: Act | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)
    seconds: float | None = None  # how long it took to say or to make; None where not measured


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grader's verdict on one turn; `turn_number` counts from 1, as the turns of the call do.

    A grader is a model ("bundled 1f0c…") or, for a corrected grade, a person ("person anna").
    """

    turn_number: int
    grader: str
    grade: dict[str, Any]
    status: str
    at: datetime = field(default_factory=now)

    @property
    def by_person(self) -> bool:
        return self.grader.startswith(PERSON)


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """Somebody asked for a human review of a reply (0: of the whole call), or has made one."""

    call_id: str
    reply: int
    kind: Literal["asked", "made"]
    who: str
    text: str
    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What was published of a file that trainers edit; `name` is the persona's id or the file's name."""

    kind: str
    name: str
    text: str
    who: str
    why: str = ""
    at: datetime = field(default_factory=now)


class Records:
    """All records at one database URL, brought up to date on opening.

    Every method raises Unavailable, with a remedy, when the database cannot be reached, read or written;
    then nothing has been changed.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self.events = Events(self._engine)
        self.people = People(self._engine)
        self.cohorts = Cohorts(self._engine)
        self.unpublished = Unpublished(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    # Calls

    def open_call(self, call: CallRow) -> None:
        """Raises Rejected when there is a call with this id already."""
        with world(), self._engine.begin() as connection:
            try:
                connection.execute(insert(tables.calls), _plain(call))
            except IntegrityError as error:
                raise Rejected(f"there is a call {call.id} already") from error

    def keep_turns(
        self, call_id: str, first_number: int, turns: Sequence[TurnRow], ending: Ending | None = None
    ) -> None:
        """Keep turns `first_number`, `first_number` + 1, … (the first of a call is 1), all of them or none.

        With `ending` the call is over after them. Raises Rejected when the call is over, or went on
        elsewhere (in another tab, say), or is unknown.
        """
        rows = [
            {"call_id": call_id, "number": number} | _plain(turn) for number, turn in enumerate(turns, first_number)
        ]
        with world(), self._engine.begin() as connection:
            call = self._call(connection, call_id, lock=True)
            if call.ending is not None:
                raise Rejected("this call is over")
            there = select(func.coalesce(func.max(tables.turns.c.number), 0)).where(tables.turns.c.call_id == call_id)
            last = connection.execute(there).scalar_one()
            if first_number != last + 1:
                raise Rejected(
                    "this call went on elsewhere: this reply was not counted; shown is how the call stands now, "
                    "and your words are still in the box"
                )
            if rows:
                connection.execute(insert(tables.turns), rows)
            if ending is not None:
                _end(connection, call_id, ending)

    def end_call(self, call_id: str, ending: Ending) -> None:
        """Ending a call twice the same way changes nothing; raises Rejected for another way or an unknown call."""
        with world(), self._engine.begin() as connection:
            call = self._call(connection, call_id, lock=True)
            if call.ending is None:
                _end(connection, call_id, ending)
            elif call.ending != ending:
                raise Rejected(f"this call is over: {call.ending}")

    def call(self, call_id: str) -> CallRow:
        """Raises Rejected for an unknown call."""
        with world(), self._reading() as connection:
            return self._call(connection, call_id)

    def calls(
        self,
        trainee: str | None = None,
        limit: int | None = 100,
        *,
        persona_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[CallRow]:
        """The newest calls first, of one trainee or of all; without a limit, every one. Tries of drafts are none.

        `since` and `until` bound when they began, `until` itself left out.
        """
        calls = tables.calls.c
        drafts = select(tables.events.c.call_id).where(tables.events.c.kind == "draft")
        query = select(tables.calls).where(calls.id.not_in(drafts))
        query = query.order_by(calls.started_at.desc(), calls.id).limit(limit)
        if trainee is not None:
            query = query.where(calls.trainee == trainee)
        if persona_id is not None:
            query = query.where(calls.persona_id == persona_id)
        if since is not None:
            query = query.where(calls.started_at >= since)
        if until is not None:
            query = query.where(calls.started_at < until)
        return self._rows(query, CallRow)

    def stamps(self, call_ids: Iterable[str]) -> dict[str, str]:
        """For each call a text that changes whenever a turn or a grade is added or changed, or the call ends."""
        ids = list(call_ids)
        found: dict[str, str] = {}
        turns, grades, calls = tables.turns.c, tables.grades.c, tables.calls.c
        with world(), self._reading() as connection:
            for start in range(0, len(ids), 500):  # databases bound how many values one query may name
                some = ids[start : start + 500]
                spoken = dict(_pairs(connection, turns.call_id, func.count(), some))
                graded = dict(_pairs(connection, grades.call_id, func.max(grades.at), some))
                ended = dict(connection.execute(select(calls.id, calls.ending).where(calls.id.in_(some))).all())
                found |= {id: f"{ended.get(id)} {spoken.get(id)} {graded.get(id)}" for id in some}
        return found

    def turns(self, call_id: str) -> list[TurnRow]:
        """In the order in which they were said: the first is turn 1. Empty for an unknown call."""
        query = select(tables.turns).where(tables.turns.c.call_id == call_id).order_by(tables.turns.c.number)
        return self._rows(query, TurnRow)

    def forget_calls(self, before: datetime) -> int:
        """Delete every call that ended before this moment, with all that belongs to it; how many there were."""
        with world():
            with self._engine.begin() as connection:
                gone = connection.execute(delete(tables.calls).where(tables.calls.c.ended_at < before)).rowcount
            empty_log(self._engine)
        return gone

    # Grades

    def keep_grade(self, call_id: str, grade: GradeRow) -> None:
        """Keep a grader's verdict on a turn; a later one of the same grader takes the place of an earlier one.

        Raises Rejected when there is no such turn.
        """
        row = {"call_id": call_id} | _plain(grade)
        with world(), self._engine.begin() as connection:
            try:
                put(connection, tables.grades, row, "call_id", "turn_number", "grader")
            except IntegrityError as error:
                raise Rejected(f"call {call_id} has no turn {grade.turn_number}") from error

    def grades(self, call_id: str) -> list[GradeRow]:
        """All verdicts on a call, by turn, the one that counts last: people's after models', then the newest.

        Empty for an unknown call.
        """
        grades = tables.grades.c
        query = select(tables.grades).where(grades.call_id == call_id).order_by(grades.turn_number, grades.at)
        return sorted(self._rows(query, GradeRow), key=lambda row: (row.turn_number, row.by_person))

    # Reviews

    def keep_review(self, review: ReviewRow) -> None:
        """Raises Rejected for an unknown call."""
        with world(), self._engine.begin() as connection:
            self._call(connection, review.call_id)
            connection.execute(insert(tables.reviews), _plain(review))

    def reviews(self, call_id: str | None = None) -> list[ReviewRow]:
        """Of one call or of all, the oldest first."""
        query = select(tables.reviews).order_by(tables.reviews.c.id)
        if call_id is not None:
            query = query.where(tables.reviews.c.call_id == call_id)
        return self._rows(query, ReviewRow)

    # Files that trainers edit

    def keep_file_version(self, version: FileVersion) -> None:
        with world(), self._engine.begin() as connection:
            connection.execute(insert(tables.file_versions), _plain(version))

    def file_versions(self, kind: str, name: str) -> list[FileVersion]:
        """The newest first."""
        versions = tables.file_versions.c
        query = select(tables.file_versions).where(versions.kind == kind, versions.name == name)
        return self._rows(query.order_by(versions.id.desc()), FileVersion)

    # People

    def delete_person(self, name: str) -> int:
        """Delete everything of a person: login, calls with all turns and grades, classes, certificates, drafts, log lines.

        How many calls there were.
        """
        with world():
            with self._engine.begin() as connection:
                for column in (tables.users.c.name, tables.members.c.person, tables.certificates.c.person,
                               tables.access_log.c.person, tables.drafts.c.person):  # fmt: skip
                    connection.execute(delete(column.table).where(column == name))
                gone = connection.execute(delete(tables.calls).where(tables.calls.c.trainee == name)).rowcount
            empty_log(self._engine)
        return gone

    # What the methods above share

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(reading=True)

    def _rows(self, query: Select[Any], kind: type[Row]) -> list[Row]:
        with world(), self._reading() as connection:
            return [_made(kind, row) for row in connection.execute(query).mappings()]

    def _call(self, connection: Connection, call_id: str, *, lock: bool = False) -> CallRow:
        query = select(tables.calls).where(tables.calls.c.id == call_id)
        row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        if row is None:
            raise Rejected(f"there is no call {call_id}")
        return _made(CallRow, row)


def _pairs(connection: Connection, key: Any, value: Any, ids: list[str]) -> list[tuple[str, Any]]:
    return [(name, found) for name, found in connection.execute(select(key, value).where(key.in_(ids)).group_by(key))]


def _end(connection: Connection, call_id: str, ending: Ending) -> None:
    connection.execute(update(tables.calls).where(tables.calls.c.id == call_id).values(ending=ending, ended_at=now()))


def _plain(row: Any) -> dict[str, Any]:
    return {part.name: getattr(row, part.name) for part in fields(row)}


def _made(kind: type[Row], row: RowMapping) -> Row:
    return kind(**{part.name: row[part.name] for part in fields(kind)})
