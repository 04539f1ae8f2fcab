"""Opens the database of records, brings it up to date, and says in plain words what is wrong with it.

Does not know what is recorded. SQLite by default, PostgreSQL by URL.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event, exc, make_url, text
from sqlalchemy.dialects import postgresql, sqlite

from roleplay.errors import Rejected, RoleplayError, Unavailable

WHAT = "The record of calls"
WAIT = 10  # seconds to wait for another program that is writing
JSON = partial(json.dumps, ensure_ascii=False, allow_nan=False)
MIGRATIONS = Path(__file__).parent / "migrations"

# A piece of SQLite's or PostgreSQL's message, and what to do about it.
REMEDIES = (
    ("readonly", "Make the file and its folder writable, or name another folder by ROLEPLAY_DATA."),
    ("read-only", "Make the file and its folder writable, or name another folder by ROLEPLAY_DATA."),
    ("permission denied", "Make the folder writable, or name another one by ROLEPLAY_DATA."),
    ("unable to open", "Check that the folder exists and is writable, or name another one by ROLEPLAY_DATA."),
    ("full", "Free some disk space and repeat the last step: nothing of it was kept."),
    ("no space", "Free some disk space and repeat the last step: nothing of it was kept."),
    ("locked", "Another program is holding it: close that one and repeat the last step, of which nothing was kept."),
    ("not a database", "Put a backup in its place, or move the file away to begin with an empty one."),
    ("malformed", "Put a backup in its place, or move the file away to begin with an empty one."),
    ("disk i/o", "Check the disk and its file system: SQLite needs a local one."),
)
ELSE = "Check the database server and the address in ROLEPLAY_DATABASE."


def open_database(url: str) -> Engine:
    """An engine for a database that has the newest tables; an empty one gets them, an older one is changed.

    Several processes may open one database at the same time: the first brings it up to date, the others
    wait. Raises Unavailable for a wrong URL, a folder that cannot be written to, a server that does not
    answer, a database that a newer version of the program has made.
    """
    where = _parse(url)
    with world():
        if where.get_backend_name() == "sqlite":
            _make_file(Path(str(where.database)))
        once = _engine(where, migrating=True)
        with once.begin() as connection:
            _bring_up_to_date(connection)
        return _engine(where)


def put(connection: Connection, table: Table, row: Mapping[str, Any], *key: str, replace: bool = True) -> None:
    """Insert a row. One there with the same `key` columns gives way to it, or stays when `replace` is false."""
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table).values(row)
    if replace:
        rest = {name: value for name, value in row.items() if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=key))


def empty_log(engine: Engine) -> None:
    """Copy SQLite's write-ahead log into the file and empty it, since deleted words still stand there.

    While another program is reading, what it reads stays until the next time.
    """
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:  # no transaction may be open for this
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def world() -> Iterator[None]:
    """Turns whatever a database raises inside into Unavailable, and text that it cannot hold into Rejected."""
    try:
        yield
    except RoleplayError:
        raise
    except (exc.DataError, UnicodeEncodeError) as error:
        raise Rejected(f"a text has characters that cannot be recorded: {_first_line(error)}") from error
    except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error, OSError) as error:
        why = _first_line(error)
        remedy = next((remedy for piece, remedy in REMEDIES if piece in why.lower()), ELSE)
        raise Unavailable(WHAT, why, remedy) from error


def _first_line(error: Exception) -> str:
    # `orig` is the driver's own message; SQLAlchemy's adds the statement with all its values.
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _parse(url: str) -> URL:
    remedy = "Set ROLEPLAY_DATABASE to sqlite:////FILE or postgresql://USER:PASSWORD@HOST/NAME."
    try:
        where = make_url(url)
        where.get_dialect()
    except (exc.ArgumentError, ValueError) as error:
        raise Unavailable(WHAT, "its address is not the URL of a database", remedy) from error
    backend = where.get_backend_name()
    if backend == "postgresql":
        # Without a driver in its name SQLAlchemy would look for another library than the one we install.
        return where.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise Unavailable(WHAT, f"{backend} is not supported", remedy)
    if not where.database or where.database == ":memory:":
        raise Unavailable(WHAT, "a database in memory would be another one for each thread", remedy)
    return where


def _make_file(path: Path) -> None:
    """The file and its folder, for this user's eyes only: SQLite gives its other files the same rights."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _engine(where: URL, *, migrating: bool = False) -> Engine:
    options = {"poolclass": NullPool} if migrating else {"pool_pre_ping": where.get_backend_name() != "sqlite"}
    try:
        engine = create_engine(where, json_serializer=JSON, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise Unavailable(WHAT, f"{error.name} is not installed", "Run: pip install 'psycopg[binary]'") from error
    if where.get_backend_name() == "sqlite":
        _tame(engine, foreign_keys=not migrating)
    return engine


def _tame(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where `on_begin` says, not where the driver guesses
        for pragma in (
            f"busy_timeout = {WAIT * 1000}",
            "synchronous = FULL",  # what was acknowledged survives a power cut as well; one fsync a turn is cheap
            # While a version changes a table, that is dropped and made anew, which would delete what refers to it.
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
            "secure_delete = ON",  # a deleted person's words are overwritten, not only unlinked
        ):
            connection.execute(f"PRAGMA {pragma}")
        _write_ahead(connection)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # Every transaction that may write takes the lock at once: one that read first could not wait for it.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log, so that readers and the writer do not block each other.

    While several programs open a new database at once, SQLite gives up on this step without waiting for its
    lock, so the waiting is done here.
    """
    give_up = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _bring_up_to_date(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7860)"))  # one process at a time; SQLite locks anyway
    scripts = ScriptDirectory(str(MIGRATIONS))
    version = MigrationContext.configure(connection).get_current_revision()
    if version is not None and version not in {script.revision for script in scripts.walk_revisions()}:
        remedy = "Install that version again, or name another database by ROLEPLAY_DATABASE."
        raise Unavailable(WHAT, f"it was made by a newer version of the program (tables {version})", remedy)
    if version != scripts.get_current_head():
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
