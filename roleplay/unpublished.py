"""What trainers have written of a customer and not published yet: one draft for each trainer and customer.

A draft that gives way to another text, or is given up, can be taken back once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select

from roleplay import tables
from roleplay.database import put, world


@dataclass(frozen=True, slots=True)
class Draft:
    """`text` is None when it was given up, `before` what can be taken back; `base` tells what it began with."""

    persona: str
    text: str | None
    before: str | None
    base: str
    at: datetime


class Unpublished:
    """The drafts in a database that `records` has opened. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, person: str, persona: str) -> Draft | None:
        with world(), self._engine.connect() as connection:
            return _find(connection, person, persona)

    def all(self, person: str) -> list[Draft]:
        """A person's drafts that were not given up, the newest first."""
        columns = tables.drafts.c
        query = _DRAFTS.where(columns.person == person, columns.text.is_not(None)).order_by(columns.at.desc())
        with world(), self._engine.connect() as connection:
            return [Draft(**row._mapping) for row in connection.execute(query)]

    def keep(self, person: str, persona: str, text: str | None, base: str) -> None:
        """The draft as it is now; None when nothing differs from what is published. What it began with stays."""
        with world(), self._engine.begin() as connection:
            there = _find(connection, person, persona)
            if (there.text if there else None) != text:
                begun = there.base if there and there.text is not None else base
                _write(connection, person, persona, text, there.before if there else None, begun)

    def replace(self, person: str, persona: str, text: str | None, base: str) -> None:
        """Another text in the place of the draft, or none; the draft can be taken back."""
        with world(), self._engine.begin() as connection:
            there = _find(connection, person, persona)
            before = there.before if there else None
            if there and there.text not in (None, text):
                before = there.text
            _write(connection, person, persona, text, before, base)

    def restore(self, person: str, persona: str) -> str | None:
        """Take back what was replaced or given up last; the draft of now can then be taken back in its turn."""
        with world(), self._engine.begin() as connection:
            there = _find(connection, person, persona)
            if there is None or there.before is None:
                return None
            _write(connection, person, persona, there.before, there.text, there.base)
            return there.before

    def forget(self, person: str, persona: str) -> None:
        """It has been published."""
        columns = tables.drafts.c
        with world(), self._engine.begin() as connection:
            connection.execute(delete(tables.drafts).where(columns.person == person, columns.persona == persona))


_DRAFTS = select(*(tables.drafts.c[name] for name in ("persona", "text", "before", "base", "at")))


def _find(connection: Connection, person: str, persona: str) -> Draft | None:
    columns = tables.drafts.c
    row = connection.execute(_DRAFTS.where(columns.person == person, columns.persona == persona)).first()
    return Draft(**row._mapping) if row else None


def _write(connection: Connection, person: str, persona: str, text: str | None, before: str | None, base: str) -> None:
    row = {"person": person, "persona": persona, "text": text, "before": before, "base": base}
    put(connection, tables.drafts, row | {"at": datetime.now(UTC)}, "person", "persona")
