"""Who is asking, in which language, and whether the call is theirs. Nothing that a browser says is trusted here."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import gradio as gr

from roleplay.call import Call
from roleplay.dialogue import Language
from roleplay.errors import Rejected, RoleplayError
from roleplay.grounds import grounds
from roleplay.reports import Report, make_report
from roleplay.room import Room
from roleplay.texts import texts, translated
from roleplay.web import views

log = logging.getLogger(__name__)
COOKIE = "roleplay_language"  # set by the switch on the page
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


class NotYours(Rejected):
    """There is no such call, or it is somebody else's: nobody is told which."""


def user_of(request: gr.Request | None) -> str:
    """Who is asking; "" in single-user mode."""
    return (request.username if request else None) or ""


def language_of(headers: Mapping[str, str], offered: tuple[Language, ...] = LANGUAGES) -> Language:
    """The language that was chosen on the page, else the one that the browser asks for first, of those offered."""
    chosen = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    if chosen and chosen.value in offered:
        return offered[offered.index(chosen.value)]
    wanted = headers.get("accept-language", "").lower()
    chinese, english = wanted.find("zh"), wanted.find("en")
    first: Language = "en" if chinese < 0 or 0 <= english < chinese else "zh-CN"
    return first if first in offered else offered[0]


def words_of(language: str) -> dict[str, Any]:
    """The page's words in a language that a browser named."""
    return texts(language if language in LANGUAGES else LANGUAGES[0])["page"]


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
    made = make_report(call, grades)
    better = {number: room.better(call, number, grades[number]) for number in made.lowest}
    return replace(made, better=better, grounds=grounds(call, grades, room.knowledge, room.grader.standards))


def broken(language: str) -> str:
    """A failure of the program as a notice with a number, under which the log holds what happened."""
    number = secrets.token_hex(3)
    log.exception("the page could not answer (number %s)", number)
    return views.notice("error", words_of(language)["errors"]["unexpected"].format(number=number), language)


def problem(error: RoleplayError, language: str) -> str:
    """An error as a notice."""
    words = words_of(language)
    if isinstance(error, NotYours):
        return views.notice("error", words["errors"]["no_call"], language)
    known = translated(str(error), language)
    if known:
        return views.notice("error", known, language)
    return views.notice("error", words["call"]["not_done"], language, str(error))
