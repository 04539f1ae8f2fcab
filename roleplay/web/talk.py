"""What happens during a call: speaking, silence, holding, hints, transfer, search, scores beside it.

Nothing of a call is kept here: every handler asks whose call it is and shows what the room has kept.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from roleplay.call import Call
from roleplay.dialogue import SILENCE
from roleplay.errors import Rejected, RoleplayError
from roleplay.events import Event, Kind, away, paused
from roleplay.grounds import grounds
from roleplay.hints import COSTS, hints
from roleplay.room import LONGEST_REPLY, Kept, Room
from roleplay.texts import said, texts
from roleplay.web import views
from roleplay.web.asking import own_call, problem, user_of, words_of
from roleplay.web.layout import Layout

log = logging.getLogger(__name__)
EVERY = 0.04  # seconds between two updates of the words on the page
ACTS: tuple[Kind, ...] = ("hold", "mute", "pause", "back", "louder")
Updates = dict[Any, Any]


class Talk:
    """The handlers of a running call."""

    def __init__(self, room: Room, layout: Layout) -> None:
        self.room, self.on = room, layout

    def opened(self, call: Call, language: str) -> Updates:
        """What the page shows of a call that was just opened, or opened again."""
        grades = self.room.grades(call.id)
        unscored = (each.number for each in call.exchanges if each.number not in grades)
        return self._standing(call, True, language) | {
            self.on.call_id: call.id,
            self.on.to_grade: next(unscored, 0),  # left behind, for instance, by a server that was stopped
            self.on.live: views.heard(call, language),
            self.on.box: self._empty_box(call, language),
            self.on.sheet: views.sheet(call, language),
            self.on.saved: "",
            self.on.hits: "",
            self.on.coach: gr.update(visible=not call.is_exam, value=True),
        }

    # Speaking

    def say(self, language: str, text: str, call_id: str, coach: bool, request: gr.Request) -> Iterator[Updates]:
        """The trainee speaks: the words stay in the box until the turn has been kept."""
        on, words = self.on, words_of(language)["call"]
        fault = words["empty"] if not text.strip() else ""
        if len(text) > LONGEST_REPLY:
            fault = words["too_long"].format(limit=LONGEST_REPLY, number=len(text))
        if fault:
            yield {on.banner: views.notice("error", fault, language)}
            return
        call: Call | None = None
        try:
            call = own_call(self.room, call_id, user_of(request))
            if kind := away(call.events):
                yield {on.banner: views.away(call, kind, language)}
                return
            yield self.ready(False) | {on.live: views.live(call, text.strip(), "", language), on.banner: ""}
            kept = yield from self._stream(call, text, language)
            yield self._standing(kept, coach, language) | {
                on.live: views.heard(kept, language),
                on.box: self._empty_box(kept, language),
                on.to_grade: len(kept.exchanges),
            }
        except Rejected as error:
            yield self._refused(call_id, error, coach, language, request)
        except RoleplayError as error:
            yield self._unsaid(call, words["not_said"], said(str(error), language), language)
        except Exception:  # whatever it is, the trainee's words must not be lost with it
            number = secrets.token_hex(3)
            log.exception("a reply could not be answered (number %s)", number)
            yield self._unsaid(call, words["unexpected"].format(number=number), "", language)

    def say_nothing(self, language: str, call_id: str, coach: bool, request: gr.Request) -> Iterator[Updates]:
        """Silence on purpose; what stands in the box stays there."""
        for update in self.say(language, SILENCE, call_id, coach, request):
            update.get(self.on.box, {}).pop("value", None)
            yield update

    def _stream(self, call: Call, text: str, language: str) -> Generator[Updates, None, Call]:
        """Show the customer's words as they come; returns the call with the turn kept."""
        words, shown = "", 0.0
        for piece in self.room.say(call.id, text, self._seconds(call)):
            if isinstance(piece, Kept):
                return piece.call
            words += piece
            if time.monotonic() - shown >= EVERY:
                shown = time.monotonic()
                yield {self.on.live: views.live(call, text.strip(), words, language)}
        raise AssertionError("the room ends a turn by keeping it")

    def _since(self, call: Call) -> datetime:
        """When the customer spoke last, or the call began."""
        turns = self.room.records.turns(call.id)
        return max(turns[-1].at, call.row.started_at) if turns else call.row.started_at

    def _seconds(self, call: Call) -> float:
        """How long the trainee took, without pauses."""
        since, now = self._since(call), datetime.now(UTC)
        return round((now - since).total_seconds() - paused(call.events, since, now), 1)

    def _empty_box(self, call: Call, language: str) -> Any:
        words = words_of(language)["call"]
        placeholder = words["over"] if call.ending else words["placeholder"]
        return gr.update(value="", placeholder=placeholder, interactive=call.ending is None)

    def _unsaid(self, call: Call | None, message: str, detail: str, language: str) -> Updates:
        shown: Updates = {self.on.banner: views.notice("error", message, language, detail)}
        if call is not None:
            shown |= self.ready(True) | {self.on.live: views.heard(call, language)}
        return shown

    def _refused(self, call_id: str, error: Rejected, coach: bool, language: str, request: gr.Request) -> Updates:
        """Nothing was kept: the page shows the call as it stands, perhaps from another window, and why."""
        try:
            call = own_call(self.room, call_id, user_of(request))
        except RoleplayError as gone:
            return {self.on.banner: problem(gone, language)}
        banner = problem(error, language)
        shown = self._standing(call, coach, language) | {self.on.live: views.heard(call, language)}
        return shown | {self.on.banner: (shown[self.on.banner] if call.ending else "") + banner}

    def ready(self, ready: bool) -> Updates:
        return {part: gr.update(interactive=ready) for part in self.on.speaking}

    def waiting(self, message: str, language: str) -> Updates:
        return {self.on.banner: views.notice("wait", message, language)} | self.ready(False)

    # Beside speaking

    def act(self, kind: str, form: dict[str, str], language: str, call_id: str, coach: bool, user: str) -> Updates:
        """Something beside the words: hold, mute, pause, back, louder, hint, transfer, or a field of the sheet was left."""
        try:
            call = own_call(self.room, call_id, user)
            if kind == "hint":
                return self._hint(call, language, coach)
            if kind == "sheet":
                self.room.write(call.id, form)
                return {
                    self.on.saved: views.render("hint.html", language, text="✓ " + texts(language)["sheet"]["saved"])
                }
            if kind == "transfer":
                call = self.room.transfer(call.id, form.get("to", ""), form.get("briefing", ""))
            elif kind in ACTS:
                call = self.room.note(call.id, kind)
            return self._standing(call, coach, language)
        except RoleplayError as error:
            return {self.on.banner: problem(error, language)}

    def _hint(self, call: Call, language: str, coach: bool) -> Updates:
        """The next hint for this reply; one that has been given costs nothing again."""
        given, found = self._given(call), self._hints(call)
        if given < len(found):
            hint, cost = found[given], COSTS[call.persona.grading.hints]
            call = self.room.note(call.id, "hint", {"kind": hint.kind, "text": hint.text, "cost": cost})
        return {self.on.hints: self._shown_hints(call, language), self.on.chat: self._chat(call, coach, language)}

    def _hints(self, call: Call) -> tuple[Any, ...]:
        entries = {name: entry.evidence() for name, entry in self.room.knowledge.entries_by_id().items()}
        return hints(call, self.room.reader.standards, entries)

    def _given(self, call: Call) -> int:
        return sum(event.kind == "hint" and event.reply == len(call.exchanges) for event in call.events)

    def _shown_hints(self, call: Call, language: str) -> str:
        given = self._given(call)
        if not given or call.ending:
            return ""
        found = self._hints(call)
        return views.hints(call, found[:given], given < len(found), COSTS[call.persona.grading.hints], language)

    def search(self, language: str, query: str, call_id: str, request: gr.Request) -> Updates:
        """Look something up, in the call's language, with internal articles."""
        try:
            call = own_call(self.room, call_id, user_of(request))
            self.room.renew()
            result = self.room.knowledge.search(
                query[:300], language=call.persona.language, audience=("public", "internal"), limit=5
            )
            if call.ending is None and query.strip():
                self.room.records.events.keep(call.id, Event("search", len(call.exchanges), {"query": query[:300]}))
            return {self.on.hits: views.found(result, language)}
        except RoleplayError as error:
            return {self.on.hits: problem(error, language)}

    # What stands around the words

    def _standing(self, call: Call, coach: bool, language: str) -> Updates:
        """Everything around the words, as the call stands."""
        on, now = self.on, datetime.now(UTC)
        since, kind = self._since(call), away(call.events)
        response = int((now - since).total_seconds() - paused(call.events, since, now))
        banner = (
            views.ending_banner(call, language) if call.ending else views.away(call, kind, language) if kind else ""
        )
        return self.ready(call.ending is None and kind is None) | {
            on.hang_up: gr.update(interactive=call.ending is None),
            on.head: views.call_head(call, response, kind, language),
            on.banner: banner,
            on.mood: views.mood(call, language),
            on.screen: views.screen(call, language),
            on.controls: views.controls(call, kind, language),
            on.hints: self._shown_hints(call, language),
            on.chat: self._chat(call, coach, language),
            on.feedback: self._feedback(call, coach, language),
        }

    def _shows(self, call: Call, coach: bool) -> bool:
        return coach and not call.is_exam

    def _chat(self, call: Call, coach: bool, language: str) -> str:
        grades = self.room.grades(call.id) if self._shows(call, coach) else {}
        return views.chat(call, grades, language)

    def _feedback(self, call: Call, coach: bool, language: str) -> str:
        if not self._shows(call, coach):
            return views.render("hint.html", language, text=words_of(language)["call"]["coach_off"])
        room, grades = self.room, self.room.grades(call.id)
        held = grounds(call, grades, room.knowledge, room.grader.standards)
        return views.feedback(call, grades, held, language)

    def grade(self, language: str, number: float, call_id: str, coach: bool, request: gr.Request) -> Updates:
        """Score the reply that was just kept; the customer has been heard already."""
        if not number:
            return {self.on.to_grade: 0}
        try:
            call = own_call(self.room, call_id, user_of(request))
            self.room.grade(call.id, int(number))
            return self.show_feedback(language, call_id, coach, request) | {self.on.to_grade: 0}
        except RoleplayError as error:
            return {self.on.banner: problem(error, language), self.on.to_grade: 0}

    def show_feedback(self, language: str, call_id: str, coach: bool, request: gr.Request) -> Updates:
        try:
            call = own_call(self.room, call_id, user_of(request))
            return {
                self.on.feedback: self._feedback(call, coach, language),
                self.on.chat: self._chat(call, coach, language),
            }
        except RoleplayError as error:
            return {self.on.banner: problem(error, language)}
