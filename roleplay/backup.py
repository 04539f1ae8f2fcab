"""Everything that cannot be made again in one file, and back: records, versions of the knowledge base, what trainers wrote.

Models and the search index are not in it: they are shipped, or made anew from what is.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from roleplay import __version__
from roleplay.errors import Rejected, Unavailable
from roleplay.settings import Settings

MANIFEST = "backup.json"
FORMAT = 1
RECORDS = "records.db"
VERSIONS = "knowledge/versions"
FOLDERS = ("personas", "knowledge", "standards")  # settings that name what people wrote


def back_up(settings: Settings, out: Path) -> int:
    """Write a backup while the program may be running; how many files it holds.

    Raises Rejected for records that are not in SQLite, Unavailable if something cannot be read or written.
    """
    source = _database(settings)
    if out.exists():
        raise Rejected(f"{out} is there already. Name another file")
    part = out.with_name(out.name + ".part")
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / RECORDS
            with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copy)) as kept:
                live.backup(kept)  # consistent although others are writing
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(copy, RECORDS)
                names = [RECORDS]
                for name, path in _files(settings):
                    archive.write(path, name)
                    names.append(name)
                archive.writestr(MANIFEST, json.dumps(_manifest(settings, names), ensure_ascii=False, indent=1))
        os.chmod(part, 0o600)  # it holds what people said
        part.replace(out)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise Unavailable("the backup", str(error), "Check the disk and the data folder, then try again") from error
    return len(names)


def restore(settings: Settings, file: Path) -> Path | None:
    """Bring back what a backup holds. What is there now is moved beside itself first; that folder is returned.

    The program must not be running. Raises Rejected for a file that is no backup of this kind, Unavailable if it
    cannot be read or written.
    """
    target = _database(settings)
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _checked(archive, file)
            places = {name: _place(settings, target, name) for name in manifest["files"]}
            _try_lock(target)
            aside = _move_aside(settings, target)
            for name, place in places.items():
                _put(archive, name, place)
    except zipfile.BadZipFile as error:
        raise Rejected(f"{file} is no backup: {error}") from error
    except (OSError, sqlite3.Error) as error:
        raise Unavailable("the restore", str(error), "Check the file, the disk and the data folder") from error
    return aside


def _database(settings: Settings) -> Path:
    if settings.database and not settings.database.startswith("sqlite:"):
        raise Rejected("records in PostgreSQL are backed up with pg_dump; this command is for SQLite")
    return Path(settings.database_url.removeprefix("sqlite:///"))


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Name in the archive and place of everything beside the records."""
    versions = settings.data / VERSIONS
    for path in sorted(versions.rglob("*")) if versions.is_dir() else []:
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(versions).parts):
            yield f"versions/{path.relative_to(versions).as_posix()}", path
    for setting in FOLDERS:
        for number, root in enumerate(getattr(settings, setting)):
            paths = sorted(root.rglob("*.y*ml")) if root.is_dir() else [root]
            for path in paths:
                if path.is_file():
                    inside = path.relative_to(root).as_posix() if root.is_dir() else path.name
                    yield f"{setting}/{number}/{inside}", path


def _manifest(settings: Settings, names: list[str]) -> dict[str, Any]:
    roots = {setting: [str(root) for root in getattr(settings, setting)] for setting in FOLDERS}
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return {"format": FORMAT, "program": __version__, "made": made, "roots": roots, "files": names}


def _checked(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(archive.read(MANIFEST))
        names = set(manifest["files"])
    except (KeyError, ValueError, TypeError) as error:
        raise Rejected(f"{file} is no backup made by this program") from error
    if manifest.get("format") != FORMAT:
        raise Rejected(f"{file} was made by another version of the program ({manifest.get('program')})")
    if names != set(archive.namelist()) - {MANIFEST} or RECORDS not in names:
        raise Rejected(f"{file} is not whole")
    if wrong := [name for name in names if ".." in PurePosixPath(name).parts or name.startswith("/")]:
        raise Rejected(f"{file} names places outside of its folders: {wrong[0]}")
    if bad := archive.testzip():
        raise Rejected(f"{file} is damaged at {bad}")
    return manifest


def _try_lock(database: Path) -> None:
    """Raises Unavailable while the program is running on these records."""
    if database.exists():
        with closing(sqlite3.connect(database, timeout=1)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()


def _move_aside(settings: Settings, database: Path) -> Path | None:
    """What is there now goes into a folder of the data folder, so that a restore can itself be undone."""
    aside = settings.data / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    found = [path for path in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm")))
             if path.exists()]  # fmt: skip
    files = list(_files(settings))
    if not found and not files:
        return None
    aside.mkdir(mode=0o700, parents=True)
    for name, path in files:
        place = aside / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    for _, path in files:
        path.unlink()
    for path in found:
        path.replace(aside / path.name)
    versions = settings.data / VERSIONS
    if versions.is_dir():
        shutil.rmtree(versions)
    return aside


def _place(settings: Settings, database: Path, name: str) -> Path:
    """Where a file of the backup goes: to the place that the settings name now, not to where it once was."""
    if name == RECORDS:
        return database
    kind, _, rest = name.partition("/")
    if kind == "versions":
        return settings.data / VERSIONS / rest
    number, _, inside = rest.partition("/")
    roots = getattr(settings, kind) if kind in FOLDERS else ()
    if not number.isdecimal() or int(number) >= len(roots):
        raise Rejected(f"the backup holds {name}, and the settings name no place for it ({kind})")
    root = roots[int(number)]
    return root if root.suffix in (".yaml", ".yml") else root / inside


def _put(archive: zipfile.ZipFile, name: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, place.open("wb") as target:
        shutil.copyfileobj(source, target)
    if name == RECORDS:
        os.chmod(place, 0o600)
