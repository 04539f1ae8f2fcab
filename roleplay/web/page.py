"""The page as a program: its controls wired to their handlers, its addresses, and how it is served.

/               to the page
/practice/      the page, in the reader's language
/desk/zh/  /desk/en/               the trainer's side, in `desk`
/report/ID.html, /report/ID.md     a report as a file
/export/...                        results as files, for those who may have them
/login  /password  /logout         where a login is asked for
/health                            whether it is up
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read on import: nothing may leave this machine
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # else the last 10,000 events are summed up after each one

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from roleplay.dialogue import Language
from roleplay.errors import Rejected, RoleplayError, Unavailable
from roleplay.report_words import as_markdown
from roleplay.room import Room
from roleplay.settings import Settings
from roleplay.texts import texts
from roleplay.web import views
from roleplay.web.asking import LANGUAGES, graded_report, language_of, own_call
from roleplay.web.blocks import Page
from roleplay.web.desk.page import add_desk
from roleplay.web.handlers import Handlers
from roleplay.web.layout import Layout
from roleplay.web.login import COOKIE, Logins, add_login, from_elsewhere, session_key
from roleplay.web.staff import Staff

PAGE = "/practice"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SPEAKING = 32  # people whom the customers answer at the same time; the model makes their answers together
SCORING = 2  # replies and reports that are scored at the same time: nobody waits for them to go on
WAITING = 200  # events that may wait behind them; more are refused
CLOSED = 499  # as nginx says it: the one who asked is gone
HEADERS = {
    # The page loads nothing from elsewhere, even if a model's words should try to.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
FONTS = ["system-ui", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "sans-serif"]
ADDRESS = """(address) => {
  if (!address) return;
  window.shown = address;
  if ((location.search || '?') !== address) history.pushState({}, '', address);
  window.scrollTo(0, 0);
  setTimeout(() => {
    const seen = (query) => [...document.querySelectorAll(query)].find((part) => part.checkVisibility());
    const typing = matchMedia('(pointer: fine)').matches && seen('#box textarea:enabled'); // no keyboard over a phone
    const place = typing || seen('h1');
    if (place && place !== typing) place.tabIndex = -1;
    place?.focus({ preventScroll: true });
  }, 120);
}"""  # what is shown now is also where the keyboard and a screen reader are

FOCUS = """() => setTimeout(() => {
  if (document.activeElement?.matches('input, textarea, select')) return; // whoever writes elsewhere goes on there
  document.querySelector('#box textarea:enabled')?.focus({ preventScroll: true });
}, 80)"""


def make_blocks(room: Room, languages: tuple[Language, ...], staff: Staff | None = None) -> gr.Blocks:
    """The page, in whichever of the languages its reader wants; one queue for all."""
    with Page(analytics_enabled=False, title=texts(languages[0])["page"]["title"], fill_width=True) as blocks:
        on = Layout()
        do = Handlers(room, on, languages, staff)
        talk, everything = do.talk, on.everything
        quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
        speaking = quick | {"concurrency_id": "speaking", "concurrency_limit": SPEAKING}
        scoring = quick | {"concurrency_id": "scoring", "concurrency_limit": SCORING}
        to_grade = [on.language, on.to_grade, on.call_id, on.coach]
        in_call = [on.language, on.call_id, on.coach]
        blocks.load(do.load, None, everything, **quick).then(talk.grade, to_grade, everything, **scoring)
        on.address.change(None, on.address, None, js=ADDRESS, **quick)
        for part in on.clickable:
            # A field of the sheet that is left while another is being kept must not be lost; a second click may be.
            mode: Literal["always_last", "once"] = "always_last" if part is on.sheet else "once"
            gone = part.select(do.go, in_call, everything, trigger_mode=mode, **quick)
            gone.then(talk.grade, to_grade, everything, **scoring)
            if part is on.banner:  # its button goes with it
                gone.then(None, None, None, js=FOCUS, **quick)
        for trigger, handler, inputs in (
            (on.box.submit, talk.say, [on.language, on.box, on.call_id, on.coach]),
            (on.send.click, talk.say, [on.language, on.box, on.call_id, on.coach]),
            (on.silent.click, talk.say_nothing, in_call),
        ):
            said = trigger(handler, inputs, everything, **speaking)
            said.then(None, None, None, js=FOCUS, **quick)
            said.then(talk.grade, to_grade, everything, **scoring)
        on.hang_up.click(do.hang_up, [on.language, on.call_id], everything, **scoring)
        on.coach.change(talk.show_feedback, in_call, everything, **quick)
        gr.on([on.query.submit, on.find.click], talk.search, [on.language, on.query, on.call_id], on.hits, **quick)
    blocks.queue(max_size=WAITING)
    return blocks


def make_app(room: Room, settings: Settings) -> FastAPI:
    """The whole page as an application. A login is asked for unless only this machine can reach it."""
    local = settings.host in LOOPBACK
    people = room.records.people
    staff = Staff(people, alone=local)
    logins = None if local else Logins(people, session_key(settings.data))
    languages: tuple[Language, ...] = LANGUAGES if settings.language == "auto" else (settings.language,)
    app = FastAPI(title="practice room", docs_url=None, redoc_url=None, openapi_url=None)

    def user(request: Request) -> str | None:
        return logins.user(request.cookies.get(COOKIE)) if logins else ""

    def spoken(request: Request) -> Language:
        return language_of(request.headers, languages)

    @app.middleware("http")
    async def guarded(request: Request, answer: Any) -> Response:
        if from_elsewhere(request):
            return PlainTextResponse("this was asked for by another site", 403)
        if logins and request.url.path.rstrip("/") == PAGE and user(request) is None:
            known = logins.anybody(request.cookies.get(COOKIE))
            return RedirectResponse("/password" if known else "/login", 303)
        if request.url.path.startswith("/desk") and not staff.may(user(request), "read_results"):
            return RedirectResponse("/", 303)
        try:
            response: Response = await answer(request)
        except RuntimeError:
            if await request.is_disconnected():  # a page that was closed meanwhile is no fault of the program's
                return Response(status_code=CLOSED)
            raise
        response.headers.update(HEADERS)
        return response

    @app.get("/")
    def root(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{PAGE}/{query}")

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/favicon.ico")
    def icon() -> Response:
        return FileResponse(views.FOLDER / "icon.png")

    @app.get("/report/{name}")
    def report(name: str, request: Request, language: Language = "zh-CN") -> Response:
        return _report_file(room, name, user(request), language)

    if logins:
        add_login(app, people, logins, spoken, switch=len(languages) > 1)
    looks: dict[str, Any] = {
        "theme": _theme(), "head": views.head(), "run_history": False, "footer_links": [],
        "enable_monitoring": False, "ssr_mode": False, "show_error": False,
    }  # fmt: skip
    add_desk(app, room, settings, staff, languages, user, looks)
    gr.mount_gradio_app(
        app, make_blocks(room, languages, staff), path=PAGE, auth_dependency=user if logins else None,
        max_file_size="1kb", **looks,
    )  # fmt: skip
    if local:  # so that a page from elsewhere cannot reach this one by a name of its own for this machine
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    return app


def serve(
    room: Room, settings: Settings, opened: Callable[[str], None], listening: socket.socket | None = None
) -> None:
    """Serve the page until it is stopped; `opened` is told its address once it can be reached.

    `listening` is a socket taken before the room was made. Raises Unavailable when the port is in use or the address is not this machine's.
    """
    listening = listening or listen(settings.host, settings.port)
    app = make_app(room, settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    opened(f"http://{host}:{listening.getsockname()[1]}")
    server.run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises Unavailable when the port is in use or the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            remedy = f"Stop the other program or start with --port {port + 1}"
            raise Unavailable("the page", f"port {port} is in use", remedy) from error
        why = f"it cannot listen on {host}, port {port}: {error.strerror}"
        raise Unavailable("the page", why, "Choose another --host or --port") from error
    return listening


def _theme() -> gr.themes.Base:
    fonts = [gr.themes.Font(name) for name in FONTS]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "Consolas", "monospace")]
    theme = gr.themes.Base(primary_hue="teal", neutral_hue="slate", font=fonts, font_mono=mono, radius_size="lg")
    return theme.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_600",
        button_primary_text_color="white",
        button_cancel_background_fill="transparent",
        button_cancel_background_fill_dark="transparent",
        button_cancel_background_fill_hover="*neutral_100",
        button_cancel_background_fill_hover_dark="*neutral_800",
        button_cancel_border_color="*neutral_300",
        button_cancel_text_color="#b4231f",
        button_cancel_text_color_dark="#f28b82",
        body_text_color_subdued="*neutral_600",
        checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_600",
        input_background_fill="*background_fill_primary",
        input_background_fill_dark="*background_fill_primary",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_border_color="#7f8ea3",
        input_border_color_dark="#6f7f96",
        input_border_color_focus="*primary_600",
        block_border_width="0px",
        block_shadow="none",
        input_border_width="1px",
    )


def _report_file(room: Room, name: str, user: str | None, language: Language) -> Response:
    call_id, _, kind = name.partition(".")
    if user is None:
        return PlainTextResponse("log in first", 401)
    try:
        made = graded_report(room, own_call(room, call_id, user))
    except Rejected as error:
        return PlainTextResponse(str(error), 404)
    except RoleplayError as error:
        return PlainTextResponse(str(error), 503)
    title = f"{made.call.persona.title} {made.call.row.started_at:%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(title)}"}
    if kind == "html":
        return HTMLResponse(views.report_file(made, language), headers=headers)
    if kind == "md":
        return PlainTextResponse(as_markdown(made, language), headers=headers, media_type="text/markdown")
    return PlainTextResponse("a report comes as .html or .md", 404)
