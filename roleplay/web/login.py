"""Who is asking: a signed cookie, and a brake on guessing passwords.

The key lies in the data folder, so a login outlives a restart and holds for several processes that share
the folder. A removed user's cookie stops working at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
import time
from pathlib import Path

from roleplay.errors import Unavailable
from roleplay.records import Records

COOKIE = "roleplay_login"
HOURS = 12  # that a login holds
TRIES = 5  # wrong passwords for one name, or from one address times four, before a wait
WAIT = 60.0  # seconds


def session_key(folder: Path) -> bytes:
    """The key that cookies are signed with, made on first use and readable by its owner alone."""
    path = folder / "session.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(made, "wb") as file:
            file.write(secrets.token_bytes(32))
        return path.read_bytes()
    except OSError as error:
        raise Unavailable("the login", f"{path} cannot be used: {error.strerror}", "Choose another --data") from error


class Logins:
    """Makes and reads login cookies of the users in the records."""

    def __init__(self, records: Records, key: bytes) -> None:
        self._records, self._key = records, key

    def cookie(self, name: str) -> str:
        until = str(int(time.time() + HOURS * 3600))
        said = base64.urlsafe_b64encode(name.encode()).decode()
        return f"{said}.{until}.{self._sign(said, until)}"

    def user(self, cookie: str | None) -> str | None:
        """The user whose cookie this is; None when it is none, altered, too old or of somebody removed."""
        said, until, signature = [*(cookie or "").split("."), "", "", ""][:3]
        if not hmac.compare_digest(signature.encode(), self._sign(said, until).encode()) or time.time() > int(until):
            return None
        name = base64.urlsafe_b64decode(said).decode()
        return name if any(user.name == name for user in self._records.users()) else None

    def _sign(self, said: str, until: str) -> str:
        return hmac.new(self._key, f"{said}.{until}".encode(), hashlib.sha256).hexdigest()


class Brake:
    """Counts wrong passwords by name and by address, in this process; after too many, both have to wait."""

    def __init__(self) -> None:
        self._wrong: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def wait(self, name: str, address: str) -> int:
        """Seconds to wait before the next try; 0 when it may be made now."""
        now = time.monotonic()
        with self._lock:
            for key in [key for key, times in self._wrong.items() if now - times[-1] > WAIT]:
                del self._wrong[key]
            waits = [
                times[-1] + WAIT - now
                for key, most in ((f"name {name}", TRIES), (f"from {address}", 4 * TRIES))
                if len(times := self._wrong.get(key, [])) >= most
            ]
        return int(max(waits, default=0)) + bool(waits)

    def wrong(self, name: str, address: str) -> None:
        with self._lock:
            for key in (f"name {name}", f"from {address}"):
                self._wrong.setdefault(key, []).append(time.monotonic())
