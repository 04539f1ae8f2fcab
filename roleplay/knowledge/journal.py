"""Several files of a folder changed as one: a kill, a full disk or a power cut leaves all as before or all as after.

New files are first written beside the old ones, then a journal says which takes which name. From the moment that
the journal stands under its own name, the change counts: whoever reads the folder next carries it to its end.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from roleplay.errors import Unavailable

JOURNAL, STAGED = ".change-", ".staged-"
REMEDY = "Check that the folder can be written and has space. Nothing has been changed."


def replace_files(folder: Path, texts: Mapping[str, bytes | None]) -> None:
    """Write files (name to content) of `folder`, or remove them (None), all or none. Raises Unavailable if it cannot.

    One writer at a time, see `alone`.
    """
    names: dict[str, str | None] = {}
    staged: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settle(folder)
        for leftover in folder.glob(f"{STAGED}*"):
            leftover.unlink()
        for name, content in texts.items():
            beside = folder / f"{STAGED}{uuid.uuid4().hex[:12]}"
            names[name] = None if content is None else beside.name
            if content is not None:
                staged.append(beside)
                write_synced(beside, content)
        journal = folder / f"{STAGED}{uuid.uuid4().hex[:12]}"
        staged.append(journal)
        write_synced(journal, json.dumps(names).encode())
        journal.replace(folder / f"{JOURNAL}{uuid.uuid4().hex[:12]}.json")  # from here on the change counts
    except OSError as error:
        for path in staged:
            path.unlink(missing_ok=True)
        raise Unavailable(f"the files in {folder} cannot be changed", error.strerror or str(error), REMEDY) from error
    settle(folder)


def settle(folder: Path) -> None:
    """Carry a change that was cut off to its end, by renaming only. Raises Unavailable if the folder forbids it."""
    for journal in folder.glob(f"{JOURNAL}*.json"):
        try:
            for name, staged in json.loads(journal.read_bytes()).items():
                if staged is None:
                    (folder / name).unlink(missing_ok=True)
                elif (folder / staged).exists():
                    (folder / staged).replace(folder / name)
            _sync_folder(folder)
            journal.unlink(missing_ok=True)
        except FileNotFoundError:  # another process carries the same change to its end
            continue
        except OSError as error:
            raise Unavailable(
                f"a change of the files in {folder} was cut off and cannot be carried to its end",
                error.strerror or str(error),
                "Make the folder writable, then try again.",
            ) from error


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk. Raises OSError."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Put the folder's names on the disk too, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other process changes what `folder` stands for; the lock goes with the process, even killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("a+b")
    except OSError as error:
        raise Unavailable(f"the folder {folder}", error.strerror or str(error), REMEDY) from error
    with stream:
        if sys.platform == "win32":
            import msvcrt

            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
