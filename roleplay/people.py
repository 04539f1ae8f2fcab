"""People who may log in, the brake on guessing their passwords, and the log of who read what of whom.

Every method is one transaction, seen by all processes that share the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from roleplay import tables
from roleplay.database import world
from roleplay.errors import Rejected
from roleplay.passwords import NOBODY, hash_password, needs_new_hash, proves
from roleplay.roles import ROLES, Role

SHORTEST_PASSWORD = 8
TRIES = 5  # wrong passwords for one name, or four times as many from one address, before a wait
WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in. `must_change`: the password was given to them, and is to be changed first of all."""

    name: str
    role: Role
    must_change: bool
    created_at: datetime
    proof: str  # what the password is checked against; changes with it


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of the log: who did what, when, and with whose data ("" for nobody's)."""

    at: datetime
    who: str
    did: str
    person: str
    detail: str


class People:
    """The users in a database that `records` has opened."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, name: str, role: Role, password: str, *, must_change: bool = False) -> None:
        """Raises Rejected for a name that is taken or cannot be used, an unknown role, a short password."""
        if not name or name != name.strip() or not name.isprintable() or len(name) > 64:
            raise Rejected("a name has 1 to 64 characters and no space before or behind")
        _check_role(role)
        _check_password(password)
        row = {"name": name, "role": role, "password_hash": hash_password(password), "must_change": must_change}
        with world(), self._engine.begin() as connection:
            try:
                connection.execute(insert(tables.users), row | {"created_at": _now()})
            except IntegrityError as error:
                raise Rejected(f"there is a user {name} already") from error

    def add_first_admin(self) -> tuple[str, str] | None:
        """On the first start: an admin with a one-time password; both are returned. None if there is an admin."""
        there = {user.name: user.role for user in self.all()}
        if "admin" in there.values():
            return None
        name = "admin" if "admin" not in there else f"admin-{secrets.token_hex(2)}"
        password = secrets.token_urlsafe(9)
        self.add(name, "admin", password, must_change=True)
        return name, password

    def all(self) -> list[User]:
        """By name."""
        with world(), self._reading() as connection:
            return [User(*row) for row in connection.execute(_users().order_by(tables.users.c.name))]

    def user(self, name: str) -> User | None:
        with world(), self._reading() as connection:
            row = connection.execute(_users().where(tables.users.c.name == name)).one_or_none()
        return None if row is None else User(*row)

    def remove(self, name: str) -> None:
        """Take away the login; the calls stay. Raises Rejected for an unknown name and for the last admin."""
        with world(), self._engine.begin() as connection:
            _keep_an_admin(connection, name)
            if not connection.execute(delete(tables.users).where(tables.users.c.name == name)).rowcount:
                raise Rejected(f"there is no user {name}")

    def set_role(self, name: str, role: Role) -> None:
        """Raises Rejected for an unknown name or role, and when nobody would be admin any more."""
        _check_role(role)
        with world(), self._engine.begin() as connection:
            if role != "admin":
                _keep_an_admin(connection, name)
            changed = connection.execute(update(tables.users).where(tables.users.c.name == name).values(role=role))
            if not changed.rowcount:
                raise Rejected(f"there is no user {name}")

    def set_password(self, name: str, password: str, *, must_change: bool = False) -> None:
        """Raises Rejected for an unknown name or a short password. Logins made with the old one end."""
        _check_password(password)
        values = {"password_hash": hash_password(password), "must_change": must_change}
        with world(), self._engine.begin() as connection:
            if not connection.execute(update(tables.users).where(tables.users.c.name == name).values(values)).rowcount:
                raise Rejected(f"there is no user {name}")

    def check(self, name: str, password: str) -> User | None:
        """Whoever proves to be `name`, else None; takes as long either way. A hash of an older kind is renewed."""
        found = self.user(name)
        proven = proves(password, found.proof if found else NOBODY)
        if found is None or not proven:
            return None
        if needs_new_hash(found.proof):
            self.set_password(name, password, must_change=found.must_change)
            return self.user(name)
        return found

    # The brake on guessing

    def wait(self, name: str, address: str) -> int:
        """Seconds until the next password may be tried for this name or from this address; 0 for now."""
        now, tries = _now(), tables.login_tries
        waits = [0.0]
        with world(), self._reading() as connection:
            for key, most in _keys(name, address):
                recent = select(func.count(), func.max(tries.c.at)).where(tries.c.key == key, tries.c.at > now - WAIT)
                count, last = connection.execute(recent).one()
                if count >= most:
                    waits.append((last + WAIT - now).total_seconds() + 1)
        return int(max(waits))

    def wrong(self, name: str, address: str) -> None:
        """A wrong password was given."""
        with world(), self._engine.begin() as connection:
            connection.execute(delete(tables.login_tries).where(tables.login_tries.c.at < _now() - WAIT))
            rows = [{"key": key, "at": _now()} for key, _ in _keys(name, address)]
            connection.execute(insert(tables.login_tries), rows)

    # The log

    def note(self, who: str, did: str, person: str = "", detail: str = "") -> None:
        """Write a line into the log."""
        row = {"at": _now(), "who": who, "did": did, "person": person, "detail": detail}
        with world(), self._engine.begin() as connection:
            connection.execute(insert(tables.access_log), row)

    def noted(self, person: str | None = None, limit: int = 200) -> Sequence[Noted]:
        """The log, the newest line first, of one person's data or of all."""
        log = tables.access_log
        query = select(log.c.at, log.c.who, log.c.did, log.c.person, log.c.detail).order_by(log.c.id.desc())
        if person is not None:
            query = query.where(log.c.person == person)
        with world(), self._reading() as connection:
            return [Noted(*row) for row in connection.execute(query.limit(limit))]

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(reading=True)


def _users() -> Select[Any]:
    users = tables.users.c
    return select(users.name, users.role, users.must_change, users.created_at, users.password_hash)


def _keys(name: str, address: str) -> list[tuple[str, int]]:
    return [(f"name {name}", TRIES), (f"from {address}", 4 * TRIES)]


def _keep_an_admin(connection: Connection, name: str) -> None:
    admins = list(connection.scalars(select(tables.users.c.name).where(tables.users.c.role == "admin")))
    if admins == [name]:
        raise Rejected(f"{name} is the only admin; make somebody else admin first")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Rejected(f"there is no role {role!r}; there are: {', '.join(ROLES)}")


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise Rejected(f"a password has at least {SHORTEST_PASSWORD} characters")


def _now() -> datetime:
    return datetime.now(UTC)
