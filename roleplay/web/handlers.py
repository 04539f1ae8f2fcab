"""Where one is on the page: picking, ringing, a call, a report, one's progress. Every handler asks anew whose call it is.

Nothing of a call is kept here or trusted from the browser: a handler is given the call's id, looks whether
the call belongs to the user, and shows what the room has kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from roleplay.call import Call
from roleplay.cohorts import Certificate
from roleplay.dialogue import Language
from roleplay.errors import Rejected, RoleplayError
from roleplay.lessons import lessons, partners
from roleplay.persona import Persona
from roleplay.plans import Progress as PlanProgress
from roleplay.plans import Standing, allow_exam, progress_of, standing, tasks
from roleplay.progress import Progress, make_progress
from roleplay.records import Mode, ReviewRow
from roleplay.reports import Report
from roleplay.results import Results
from roleplay.room import Room
from roleplay.web import views
from roleplay.web.asking import LANGUAGES, broken, graded_report, language_of, own_call, problem, user_of, words_of
from roleplay.web.layout import Layout
from roleplay.web.staff import Staff
from roleplay.web.talk import Talk

Updates = dict[Any, Any]
LONGEST_WHY = 500  # characters of a request for a review
LONGEST_RING = 86_400.0  # seconds; a browser that says more has lost its clock
UNFINISHED = 1  # calls that are still on and offered again on the first page


class Handlers:
    """The handlers of the page; each returns the components to change with their new values."""

    def __init__(
        self, room: Room, layout: Layout, offered: tuple[Language, ...] = LANGUAGES, staff: Staff | None = None
    ) -> None:
        self.room, self.on, self.offered, self.staff = room, layout, offered, staff
        self.talk, self.results = Talk(room, layout), Results(room.records)

    def load(self, request: gr.Request) -> Updates:
        """The page has been opened or reloaded: show what its address names."""
        language = language_of(request.headers, self.offered)
        shown = self._look("?" + str(request.query_params), user_of(request), language)
        for part, words in self.on.worded(language).items():
            shown[part] = words | shown.get(part, {}) if isinstance(words, dict) else words
        return shown

    def go(
        self, language: str, call_id: str, coach: bool, event: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        """A link or button inside the page was pressed."""
        where, user = str(event.go), user_of(request)
        name, _, value = where.partition("=")
        form = {str(key): str(text) for key, text in dict(event.form or {}).items()}
        if name == "act":
            yield self.talk.act(value, form, language, call_id, coach, user)
            return
        if name == "?report":
            yield {self.on.problem: views.notice("wait", words_of(language)["report"]["scoring"], language)}
        yield self._do(name, value, form, where, user, language)

    def _do(self, name: str, value: str, form: dict[str, str], where: str, user: str, language: str) -> Updates:
        try:
            if name in ("start", "exam"):
                mode: Mode = "exam" if name == "exam" else "practice"
                if mode == "exam" and user:  # on one's own machine nobody assigns anything
                    allow_exam(self.room.records, self.results, user, value, datetime.now(UTC))
                call = self.room.open(value, seed=secrets.randbelow(2**31), trainee=user, mode=mode, rung=_rung(form))
                return self._show_call(call, user, language)
            if name == "retry":
                call_id, _, number = value.partition(":")
                own_call(self.room, call_id, user)
                call = self.room.retry(call_id, int(number) if number.isdecimal() else 0, user)
                return self._show_call(call, user, language)
            if name == "review":
                return self._ask_review(value, form.get("why", ""), user, language)
            return self._look(where, user, language)
        except RoleplayError as error:
            return {self.on.problem: problem(error, language)}
        except Exception:  # a page that says nothing would be taken for one that is still at work
            return {self.on.problem: broken(language)}

    def _look(self, address: str, user: str, language: str) -> Updates:
        asked = {name: values[0] for name, values in parse_qs(address.lstrip("?")).items()}
        try:
            if "call" in asked:
                return self._show_call(own_call(self.room, asked["call"], user), user, language)
            if "report" in asked:
                return self.show_report(own_call(self.room, asked["report"], user), user, language)
            if "start" in asked:
                return self._show_ring(self.room.library().get(asked["start"]), user, language)
            if asked.get("view") in ("progress", "history"):
                shown = self._view("progress", "?view=progress", user, language)
                plans, earned, place = self._learning(user)
                page = views.progress(self._progress(user), self.room.library(), plans, earned, place, language)
                return shown | {self.on.progress: page}
            return self._show_pick(user, language)
        except RoleplayError as error:
            return self._show_pick(user, language) | {self.on.problem: problem(error, language)}

    def _view(self, name: str, address: str, user: str, language: str) -> Updates:
        on = self.on
        desk = self.staff is not None and self.staff.may(user, "read_results")
        header = views.header(language, user, name, switch=len(self.offered) > 1, desk=desk)
        shown: Updates = {part: gr.update(visible=key == name) for key, part in on.views.items()}
        return shown | {on.problem: "", on.address: address, on.header: header}

    def _progress(self, user: str) -> Progress:
        return make_progress(self.room.records, self.results, user)

    def _show_pick(self, user: str, language: str) -> Updates:
        made = self._progress(user)
        given = tasks(self.room.records, self.results, user, datetime.now(UTC)) if user else []
        page = views.pick(self.room.library(), made.best, made.unfinished[:UNFINISHED], given, language)
        return self._view("pick", "?", user, language) | {self.on.pick: page}

    def _show_ring(self, persona: Persona, user: str, language: str) -> Updates:
        self.room.get_ready(persona)  # while the trainee reads whom it is to be
        made = self._progress(user)
        shown = self._view("ring", f"?start={persona.id}", user, language)
        best, tries, exam = made.best.get(persona.id), made.tries(persona.id), self._may_sit(persona.id, user)
        return shown | {self.on.ring: views.ring(persona, best, tries, exam, exam and bool(user), language)}

    def _may_sit(self, persona_id: str, user: str) -> bool:
        """Whether an exam with this persona is open to this user now."""
        try:
            if user:
                allow_exam(self.room.records, self.results, user, persona_id, datetime.now(UTC))
        except Rejected:
            return False
        return True

    def _learning(self, user: str) -> tuple[list[PlanProgress], list[Certificate], Standing | None]:
        """Training plans, certificates, and one's place in the first class that lets its people compare."""
        if not user:
            return [], [], None
        records = self.room.records
        plans = progress_of(records, self.results, user)
        place = None
        for cohort in records.cohorts.of_person(user):
            if cohort.compare and place is None:
                place = standing({name: self.results.find(name) for name in cohort.people}, user)
        return plans, records.cohorts.certificates(user), place

    def show_report(self, call: Call, user: str, language: str, notice: str = "") -> Updates:
        """The report of a call, with the replies of the call that it tries again where it is a retry."""
        made = graded_report(self.room, call)
        first = None
        if call.retried:
            try:
                first = graded_report(self.room, own_call(self.room, call.retried[0], user))
            except Rejected:  # the call that was tried again has been deleted since
                first = None
        sheet = views.report(made, language, first=first, others=self._partners(made), reviews=self._reviews(call))
        shown = self._view("report", f"?report={call.id}", user, language)
        return shown | {self.on.report: sheet, self.on.problem: notice}

    def _ask_review(self, value: str, why: str, user: str, language: str) -> Updates:
        """A person is asked to look at the grade of one reply."""
        call_id, _, number = value.partition(":")
        call = own_call(self.room, call_id, user)
        if not number.isdecimal() or not 1 <= int(number) <= len(call.exchanges) or not why.strip():
            raise Rejected("say which reply and why")
        self.room.records.keep_review(ReviewRow(call.id, int(number), "asked", user, why.strip()[:LONGEST_WHY]))
        words = words_of(language)["report"]["review_sent"]
        return self.show_report(call, user, language, views.notice("wait", words, language))

    def _reviews(self, call: Call) -> dict[int, list[ReviewRow]]:
        """What was asked of a person and what that person said, by number of the reply; 0 for the whole call."""
        found: dict[int, list[ReviewRow]] = {}
        for row in self.room.records.reviews(call.id):
            found.setdefault(row.reply, []).append(row)
        return found

    def _partners(self, made: Report) -> list[Persona]:
        """Personas to practise with what this call needs most."""
        return partners(made, self.room.library().personas.values(), lessons(made).practise)

    def _show_call(self, call: Call, user: str, language: str) -> Updates:
        return self._view("call", f"?call={call.id}", user, language) | self.talk.opened(call, language)

    def hang_up(self, language: str, call_id: str, request: gr.Request) -> Iterator[Updates]:
        """The trainee ends the call and sees the report."""
        try:
            call = self.room.finish(own_call(self.room, call_id, user_of(request)).id)
            yield self.talk.waiting(words_of(language)["report"]["scoring"], language)
            yield self.show_report(call, user_of(request), language)
        except RoleplayError as error:
            yield self.talk.ready(True) | {self.on.banner: problem(error, language)}
        except Exception:
            yield {self.on.banner: broken(language)}


def _rung(form: dict[str, str]) -> float | None:
    """Seconds that the ring card stood, as the browser says; None where it says nothing, or nothing that can be."""
    try:
        seconds = float(form.get("rung", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_RING else None
