"""Run by Alembic to bring a database from one version to another.

The program opens its database through `records`, which hands over its connection. To write a new version
after `tables.py` has changed, against a scratch database:

    export ROLEPLAY_DATA=/tmp/scratch
    .venv/bin/alembic upgrade head && .venv/bin/alembic revision --autogenerate -m "what it adds"
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from roleplay.settings import load_settings
from roleplay.tables import metadata


def migrate(connection: Connection) -> None:
    # SQLite cannot alter most of a table: batch mode makes a new one and copies. Its DDL can be rolled back,
    # which Alembic does not assume by itself.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
        user_module_prefix="",  # our column types by their bare names, which script.py.mako imports
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    settings = load_settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    with create_engine(settings.database_url).begin() as connection:
        migrate(connection)
