"""What was published while the program runs: knowledge and rules are taken up at the next reply, whoever wrote them.

The page itself, the command line, another page on the same files: all of them change files. A look at the files'
names and times is a fraction of a millisecond, and only files that have changed are read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from roleplay.errors import RoleplayError

log = logging.getLogger(__name__)

Files = Callable[[], Iterable[Path]]
Stamp = frozenset[tuple[str, int, int, int]]


class Published:
    """Sees that files have changed, and has them taken up. Safe to share between threads.

    `watched` are pairs: which YAML files or folders of them, and what to do when they have changed. It must be made
    before they are read for the first time, so that nothing published in between is missed.
    """

    def __init__(self, *watched: tuple[Files, Callable[[], None]]) -> None:
        self._watched = watched
        self._seen = [stamp(files()) for files, _ in watched]
        self._lock = threading.Lock()

    def look(self) -> None:
        """Have taken up what has changed. While another thread is at it, go on with what there is.

        Files with faults change nothing: what was published before stays in force, and the log says why.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            for number, (files, take) in enumerate(self._watched):
                if (now := stamp(files())) != self._seen[number]:
                    self._seen[number] = now
                    take()
        except RoleplayError as error:
            log.warning("what was published cannot be used, and what was in force stays: %s", error)
        finally:
            self._lock.release()


def stamp(paths: Iterable[Path]) -> Stamp:
    """What changes when one of these YAML files changes, or one of those in these folders; it reads none of them."""
    files = (file for path in paths for file in (path.glob("*.y*ml") if path.is_dir() else [path]))
    return frozenset(_file_stamp(file) for file in files)


def _file_stamp(file: Path) -> tuple[str, int, int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:  # removed since the folder was listed
        return str(file), 0, 0, 0
    return str(file), found.st_mtime_ns, found.st_size, found.st_ino
