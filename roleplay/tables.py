"""The tables that records are kept in, as the newest version of the program wants them.

A change here needs a new version in `migrations/versions`; a test holds the two against each other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A point in time, always with its zone in Python. SQLite drops the zone, so it is stored as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Named, because a constraint without a name cannot be changed by a later version.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trainee", Text, nullable=False),
    Column("persona_id", Text, nullable=False),
    Column("persona_hash", Text, nullable=False),
    Column("persona_yaml", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("mode", Text, nullable=False),
    Column("knowledge_version", Text, nullable=False),
    Column("customer_model", Text, nullable=False),
    Column("grader_model", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ending", Text),
    Index(None, "trainee", "started_at"),
    Index(None, "started_at"),
)

turns = Table(
    "turns",
    metadata,
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("speaker", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("gloss", Text, nullable=False),
    Column("act", Text),
    Column("detail", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Column("seconds", Float),
)

grades = Table(
    "grades",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("turn_number", Integer, primary_key=True),
    Column("grader", Text, primary_key=True),
    Column("grade", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("at", Moment, nullable=False),
    ForeignKeyConstraint(["call_id", "turn_number"], ["turns.call_id", "turns.number"], ondelete="CASCADE"),
)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)
