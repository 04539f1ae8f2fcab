"""What the page's controls do, for one language. Every handler asks anew whose call it is.

Nothing of a call is kept here or trusted from the browser: a handler is given the call's id, looks whether
the call belongs to the user, and shows what the room has kept.
"""

from __future__ import annotations

import html
import logging
import secrets
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from roleplay.dialogue import SILENCE
from roleplay.errors import Rejected, RoleplayError
from roleplay.persona import Persona
from roleplay.reports import Report, make_report
from roleplay.room import LONGEST_REPLY, Call, Kept, Room
from roleplay.web import views
from roleplay.web.layout import Layout
from roleplay.web.staff import Staff

log = logging.getLogger(__name__)
EVERY = 0.04  # seconds between two updates of the words on the page
Updates = dict[Any, Any]


def user_of(request: gr.Request | None) -> str:
    """Who is asking; "" in single-user mode."""
    return (request.username if request else None) or ""


class NotYours(Rejected):
    """There is no such call, or it is somebody else's: nobody is told which."""


def own_call(room: Room, call_id: str, user: str) -> Call:
    """The call, if it is this user's. Raises NotYours otherwise."""
    try:
        call = room.call(call_id)
    except Rejected as error:
        raise NotYours(f"there is no call {call_id}") from error
    if call.row.trainee != user:
        raise NotYours(f"there is no call {call_id}")
    return call


def graded_report(room: Room, call: Call) -> Report:
    """The report of a call, with replies scored now that were left without a score."""
    grades = room.grades(call.id)
    for each in call.exchanges:
        if each.number not in grades:
            grades[each.number] = room.grade(call.id, each.number)
    return make_report(call, grades)


def messages(call: Call, gloss_title: str) -> list[dict[str, Any]]:
    """The call as chat messages; dialect lines carry their gloss, folded away under a title."""
    shown: list[dict[str, Any]] = []
    for each in call.exchanges:
        shown += [_message("user", each.reply.text), _message("assistant", each.answer.text)]
        if each.answer.gloss:
            gloss = _message("assistant", each.answer.gloss)
            shown.append(gloss | {"metadata": {"title": gloss_title, "status": "done"}})
    return shown


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": html.escape(text, quote=False)}


class Handlers:
    """The handlers of one page; each returns the components to change with their new values."""

    def __init__(self, room: Room, layout: Layout, staff: Staff | None = None) -> None:
        self.room, self.on, self.words, self.staff = room, layout, layout.words, staff
        self.language = layout.language

    # Where one is

    def load(self, language: str, direction: str, difficulty: str, topic: str, request: gr.Request) -> Updates:
        """The page has been opened or reloaded: show what its address names."""
        wish = views.Wish(language, direction, difficulty, topic)
        return self._look("?" + str(request.query_params), user_of(request), wish)

    def go(
        self, language: str, direction: str, difficulty: str, topic: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        """A link or button inside the page was pressed."""
        where = str(event.go)
        if where.startswith("start="):
            yield self.start(where.removeprefix("start="), request)
            return
        if where.startswith("?report="):
            yield {self.on.problem: self._notice("wait", self.words["report"]["scoring"])}
        yield self._look(where, user_of(request), views.Wish(language, direction, difficulty, topic))

    def start(self, persona_id: str, request: gr.Request) -> Updates:
        try:
            call = self.room.open(persona_id, seed=secrets.randbelow(2**31), trainee=user_of(request))
        except RoleplayError as error:
            return {self.on.problem: self._problem(error)}
        return self._show_call(call, user_of(request))

    def surprise(self, language: str, direction: str, difficulty: str, topic: str, request: gr.Request) -> Updates:
        """Start a call with any persona that fits the filter."""
        fitting = views.wished(self.room.library(), views.Wish(language, direction, difficulty, topic))
        if not fitting:
            return {self.on.problem: self._notice("wait", self.words["pick"]["nobody"])}
        return self.start(secrets.choice(fitting).id, request)

    def filter(self, language: str, direction: str, difficulty: str, topic: str) -> str:
        wish = views.Wish(language, direction, difficulty, topic)
        return views.cards(self.room.library(), wish, self.language)

    def _look(self, address: str, user: str, wish: views.Wish) -> Updates:
        asked = {name: values[0] for name, values in parse_qs(address.lstrip("?")).items()}
        try:
            if "call" in asked:
                return self._show_call(own_call(self.room, asked["call"], user), user)
            if "report" in asked:
                return self._show_report(own_call(self.room, asked["report"], user), user)
            if asked.get("view") == "history":
                return self._show_history(user)
            return self._show_pick(user, wish)
        except RoleplayError as error:
            return self._show_pick(user, wish) | {self.on.problem: self._problem(error)}

    def _view(self, name: str, address: str, user: str) -> Updates:
        on = self.on
        views_by_name = {"pick": on.pick, "call": on.call, "report": on.report_view, "history": on.history_view}
        other = f"../{'en' if self.language == 'zh-CN' else 'zh'}/" if on.switch else ""
        desk = self.staff is not None and self.staff.may(user, "read_results")
        header = views.render(
            "header.html", self.language, other=other + address if other else "", user=user, desk=desk
        )
        shown: Updates = {part: gr.update(visible=key == name) for key, part in views_by_name.items()}
        return shown | {on.problem: "", on.address: address, on.header: header}

    def _show_pick(self, user: str, wish: views.Wish) -> Updates:
        cards = views.cards(self.room.library(), wish, self.language)
        return self._view("pick", "?", user) | {self.on.cards: cards}

    def _show_history(self, user: str) -> Updates:
        rows = [(row, Persona.model_validate_json(row.persona_yaml)) for row in self.room.records.calls(trainee=user)]
        shown = self._view("history", "?view=history", user)
        return shown | {self.on.history: views.history(rows, self.language)}

    def _show_report(self, call: Call, user: str) -> Updates:
        made = graded_report(self.room, call)
        shown = self._view("report", f"?report={call.id}", user)
        return shown | {self.on.report: views.report(made, self.language)}

    def _show_call(self, call: Call, user: str) -> Updates:
        shown = self._view("call", f"?call={call.id}", user)
        first = self.words["call"][f"first_{call.persona.call.direction}"]
        grades = self.room.grades(call.id)
        unscored = (each.number for each in call.exchanges if each.number not in grades)
        return (
            shown
            | self._standing(call)
            | {
                self.on.call_id: call.id,
                self.on.to_grade: next(unscored, 0),  # left behind, for instance, by a server that was stopped
                self.on.chat: gr.update(value=self._messages(call), placeholder=first),
                self.on.box: self._empty_box(call),
                self.on.hits: "",
                self.on.query: "",
            }
        )

    # The call

    def say(self, text: str, call_id: str, coach: bool, request: gr.Request) -> Iterator[Updates]:
        """The trainee speaks: the words stay in the box until the turn has been kept."""
        on, words = self.on, self.words["call"]
        fault = words["empty"] if not text.strip() else ""
        if len(text) > LONGEST_REPLY:
            fault = words["too_long"].format(limit=LONGEST_REPLY, number=len(text))
        if fault:
            yield {on.banner: self._notice("error", fault)}
            return
        call: Call | None = None
        try:
            call = own_call(self.room, call_id, user_of(request))
            said = [*self._messages(call), _message("user", text.strip())]
            yield self._ready(False) | {on.chat: said, on.banner: self._notice("wait", words["speaking"])}
            kept = yield from self._stream(call, text, said)
            yield self._standing(kept, coach) | {
                on.chat: self._messages(kept),
                on.box: self._empty_box(kept),
                on.to_grade: len(kept.exchanges),
            }
        except RoleplayError as error:
            yield self._unsaid(call, words["not_said"], str(error))
        except Exception:  # whatever it is, the trainee's words must not be lost with it
            number = secrets.token_hex(3)
            log.exception("a reply could not be answered (number %s)", number)
            yield self._unsaid(call, words["unexpected"].format(number=number), "")

    def say_nothing(self, call_id: str, coach: bool, request: gr.Request) -> Iterator[Updates]:
        """Silence on purpose; what stands in the box stays there."""
        for update in self.say(SILENCE, call_id, coach, request):
            update.get(self.on.box, {}).pop("value", None)
            yield update

    def _messages(self, call: Call) -> list[dict[str, Any]]:
        return messages(call, self.words["call"]["gloss"][call.persona.language])

    def _stream(self, call: Call, text: str, said: list[dict[str, Any]]) -> Generator[Updates, None, Call]:
        """Show the customer's words as they come; returns the call with the turn kept."""
        words, shown = "", 0.0
        for piece in self.room.say(call.id, text, self._seconds(call)):
            if isinstance(piece, Kept):
                return piece.call
            words += piece
            if time.monotonic() - shown >= EVERY:
                shown = time.monotonic()
                yield {self.on.chat: [*said, _message("assistant", words)]}
        raise AssertionError("the room ends a turn by keeping it")

    def _seconds(self, call: Call) -> float:
        """How long the trainee took, since the customer's last words or the start."""
        turns = self.room.records.turns(call.id)
        last = turns[-1].at if turns else call.row.started_at
        return round((datetime.now(UTC) - (last if last.tzinfo else last.replace(tzinfo=UTC))).total_seconds(), 1)

    def _ready(self, ready: bool) -> Updates:
        return {part: gr.update(interactive=ready) for part in self.on.speaking}

    def _empty_box(self, call: Call) -> Any:
        words = self.words["call"]
        placeholder = words["over"] if call.ending else words["placeholder"]
        return gr.update(value="", placeholder=placeholder, interactive=call.ending is None)

    def _unsaid(self, call: Call | None, message: str, detail: str) -> Updates:
        shown: Updates = {self.on.banner: self._notice("error", message, detail)}
        if call is not None:
            shown |= self._ready(True) | {self.on.chat: self._messages(call)}
        return shown

    def _standing(self, call: Call, coach: bool = True) -> Updates:
        """Everything around the words, as the call stands."""
        on = self.on
        banner = views.ending_banner(call, self.language) if call.ending else ""
        return self._ready(call.ending is None) | {
            on.head: views.call_head(call, self.language),
            on.banner: banner,
            on.mood: views.mood(call, self.language),
            on.screen: views.screen(call, self.language),
            on.feedback: self._feedback(call, coach),
        }

    def _feedback(self, call: Call, coach: bool) -> str:
        if not coach:
            return views.render("hint.html", self.language, text=self.words["call"]["coach_off"])
        return views.feedback(call, self.room.grades(call.id), self.language)

    def grade(self, number: float, call_id: str, coach: bool, request: gr.Request) -> Updates:
        """Score the reply that was just kept; the customer has been heard already."""
        if not number:
            return {self.on.to_grade: 0}
        try:
            call = own_call(self.room, call_id, user_of(request))
            self.room.grade(call.id, int(number))
            return {self.on.feedback: self._feedback(call, coach), self.on.to_grade: 0}
        except RoleplayError as error:
            return {self.on.banner: self._problem(error), self.on.to_grade: 0}

    def show_feedback(self, call_id: str, coach: bool, request: gr.Request) -> Updates:
        try:
            return {self.on.feedback: self._feedback(own_call(self.room, call_id, user_of(request)), coach)}
        except RoleplayError as error:
            return {self.on.banner: self._problem(error)}

    def hang_up(self, call_id: str, request: gr.Request) -> Iterator[Updates]:
        """The trainee ends the call and sees the report."""
        try:
            call = self.room.finish(own_call(self.room, call_id, user_of(request)).id)
            yield {self.on.banner: self._notice("wait", self.words["report"]["scoring"])} | self._ready(False)
            yield self._show_report(call, user_of(request))
        except RoleplayError as error:
            yield {self.on.banner: self._problem(error)} | self._ready(True)

    def search(self, query: str, call_id: str, request: gr.Request) -> Updates:
        """Look something up, in the call's language, with internal articles."""
        try:
            call = own_call(self.room, call_id, user_of(request))
            result = self.room.knowledge.search(
                query[:300], language=call.persona.language, audience=("public", "internal"), limit=5
            )
            return {self.on.hits: views.found(result, self.language)}
        except RoleplayError as error:
            return {self.on.hits: self._problem(error)}

    def _notice(self, kind: str, message: str, detail: str = "") -> str:
        return views.notice(kind, message, self.language, detail)

    def _problem(self, error: RoleplayError) -> str:
        if isinstance(error, NotYours):
            return self._notice("error", self.words["errors"]["no_call"])
        return self._notice("error", self.words["call"]["not_done"], str(error))
