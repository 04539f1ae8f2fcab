"""The tables that records are kept in, as the newest version of the program wants them.

A change here needs a new version in `migrations/versions`; a test holds the two against each other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
    false,
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
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("created_at", Moment, nullable=False),
)

# What happens in a call beside what is said: holding, hints, a transfer; `reply` counts the replies before it.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("reply", Integer, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "call_id"),
    Index(None, "kind"),
)

# Wrong passwords, so that all processes that serve the page know of them.
login_tries = Table(
    "login_tries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "key", "at"),
)

# Who read or changed what of whom.
access_log = Table(
    "access_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("person", Text, nullable=False),  # whose data it was; "" for nobody's
    Column("detail", Text, nullable=False),
    Index(None, "person", "at"),
    Index(None, "at"),
)

# Requests for a human review of a call, and that one has been made.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("reply", Integer, nullable=False),  # 0 for the whole call
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "call_id"),
)

cohorts = Table(
    "cohorts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("plan", Text, nullable=False),  # id of a training plan; "" for none
    Column("compare", Boolean, nullable=False),  # whether its trainees see how they stand in the cohort
    Column("created_at", Moment, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("cohort", Text, ForeignKey("cohorts.name", ondelete="CASCADE"), primary_key=True),
    Column("person", Text, primary_key=True),
    Index(None, "person"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cohort", Text, ForeignKey("cohorts.name", ondelete="CASCADE"), nullable=False),
    Column("persona_id", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("opens_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),  # 0 for as many as one likes
    Column("pass_mark", Float),  # None for the persona's own
    Column("created_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "cohort"),
)

plans = Table(
    "plans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("yaml", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# Kept apart from calls: a certificate outlives the calls that it was earned with.
certificates = Table(
    "certificates",
    metadata,
    Column("person", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("earned_at", Moment, nullable=False),
    Column("total", Float, nullable=False),  # of the exam, 0 to 100
)

# What was published of files that trainers edit on the page, each version whole.
file_versions = Table(
    "file_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),  # persona or standards
    Column("name", Text, nullable=False),  # the persona's id or the file's name
    Column("text", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "kind", "name"),
)

# What trainers have written of a customer and not published yet.
drafts = Table(
    "drafts",
    metadata,
    Column("person", Text, primary_key=True),
    Column("persona", Text, primary_key=True),
    Column("text", Text),  # None when it was given up
    Column("before", Text),  # what it replaced
    Column("base", Text, nullable=False),  # a hash of the published text that it began with
    Column("at", Moment, nullable=False),
)
