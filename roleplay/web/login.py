"""Who is asking: a signed cookie, the form that asks for it, and what is asked of a request that changes something.

The key lies in the data folder, so a login outlives a restart and holds for several processes that share
the folder. The cookie of a removed user, or one from before the password was changed, stops working at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from roleplay.dialogue import Language
from roleplay.errors import Rejected, Unavailable
from roleplay.people import People, User
from roleplay.texts import texts
from roleplay.web import views

COOKIE = "roleplay_login"
HOURS = 12  # that a login holds


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

    def __init__(self, people: People, key: bytes) -> None:
        self._people, self._key = people, key

    def cookie(self, user: User) -> str:
        until = str(int(time.time() + HOURS * 3600))
        said = base64.urlsafe_b64encode(user.name.encode()).decode()
        return f"{said}.{until}.{self._sign(said, until, user.proof)}"

    def anybody(self, cookie: str | None) -> User | None:
        """The user whose cookie this is; None when it is none, altered, too old or of somebody removed."""
        said, until, signature = [*(cookie or "").split("."), "", "", ""][:3]
        try:
            user = self._people.user(base64.urlsafe_b64decode(said).decode()) if until.isdecimal() else None
        except ValueError:
            return None
        proof = user.proof if user else ""
        if not hmac.compare_digest(signature.encode(), self._sign(said, until, proof).encode()):
            return None
        return user if user and time.time() <= int(until) else None

    def user(self, cookie: str | None) -> str | None:
        """The name of somebody who may use the page; not of one who has to change the password first."""
        user = self.anybody(cookie)
        return None if user is None or user.must_change else user.name

    def _sign(self, said: str, until: str, proof: str) -> str:
        return hmac.new(self._key, f"{said}.{until}.{proof}".encode(), hashlib.sha256).hexdigest()


def from_elsewhere(request: Request) -> bool:
    """Whether a page of another site sent this: such a request may change nothing."""
    origin = request.headers.get("origin")
    if request.method in ("GET", "HEAD", "OPTIONS") or not origin:
        return False
    return urlsplit(origin).netloc != request.headers.get("host")


def add_login(
    app: FastAPI, people: People, logins: Logins, spoken: Callable[[Request], Language], switch: bool
) -> None:
    """The addresses /login, /password and /logout; `switch` offers the other language."""

    def form(request: Request, message: str = "", status: int = 200, who: User | None = None) -> Response:
        return HTMLResponse(views.login(message, spoken(request), who.name if who else "", switch), status)

    def entered(user: User) -> Response:
        response = RedirectResponse("/password" if user.must_change else "/", 303)
        response.set_cookie(COOKIE, logins.cookie(user), max_age=HOURS * 3600, httponly=True, samesite="lax")
        return response

    @app.get("/login")
    def ask(request: Request) -> Response:
        return form(request)

    @app.post("/login")
    def enter(request: Request, name: str = Form(""), password: str = Form("")) -> Response:
        says = texts(spoken(request))["page"]["login"]
        address = request.client.host if request.client else ""
        if seconds := people.wait(name, address):
            return form(request, says["wait"].format(seconds=seconds), 429)
        user = people.check(name, password)
        if user is None:
            people.wrong(name, address)
            return form(request, says["wrong"], 401)
        return entered(user)

    @app.get("/password")
    def ask_new(request: Request) -> Response:
        user = logins.anybody(request.cookies.get(COOKIE))
        return form(request, who=user) if user else RedirectResponse("/login", 303)

    @app.post("/password")
    def change(request: Request, old: str = Form(""), new: str = Form(""), again: str = Form("")) -> Response:
        says = texts(spoken(request))["page"]["login"]
        user = logins.anybody(request.cookies.get(COOKIE))
        if user is None:
            return RedirectResponse("/login", 303)
        address = request.client.host if request.client else ""
        if seconds := people.wait(user.name, address):
            return form(request, says["wait"].format(seconds=seconds), 429, user)
        if people.check(user.name, old) is None:
            people.wrong(user.name, address)
            return form(request, says["wrong_old"], 401, user)
        if new != again or new == old:
            return form(request, says["not_again" if new != again else "same"], 400, user)
        try:
            people.set_password(user.name, new)
        except Rejected:
            return form(request, says["too_short"], 400, user)
        changed = people.user(user.name)
        return entered(changed) if changed else RedirectResponse("/login", 303)

    @app.get("/logout")
    def leave() -> Response:
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response
