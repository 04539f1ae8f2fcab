"""What the sections of the trainer's page share: who asks is looked up anew, failures are shown where one looks."""

from __future__ import annotations

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio as gr

from roleplay.dialogue import Language
from roleplay.errors import FileFault, RoleplayError
from roleplay.persona import Library
from roleplay.records import Records
from roleplay.results import Results
from roleplay.roles import Right
from roleplay.room import Room
from roleplay.settings import Settings
from roleplay.texts import texts, translated
from roleplay.web import views
from roleplay.web.layout import GO
from roleplay.web.staff import NotAllowed, Staff

log = logging.getLogger(__name__)
Updates = dict[Any, Any]
QUICK: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
LONG: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "minimal", "concurrency_limit": 2}


@dataclass(frozen=True)
class Desk:
    """What all sections work with, in one language."""

    room: Room
    settings: Settings
    staff: Staff
    results: Results
    language: Language

    @property
    def words(self) -> Any:
        return texts(self.language)["desk"]

    @property
    def records(self) -> Records:
        return self.room.records

    def library(self) -> Library:
        return self.room.library()

    def render(self, template: str, **values: Any) -> str:
        return views.render(f"desk/{template}", self.language, desk=self.words, **values)

    def notice(self, kind: str, message: str, detail: str = "") -> str:
        return views.notice(kind, message, self.language, detail)

    def person(self, name: str) -> str:
        """A trainee's name as it is shown; calls on one's own machine have none."""
        return name or str(self.words["nobody"])

    def title(self, persona_id: str, library: Library) -> str:
        there = library.personas.get(persona_id)
        return there.title if there else persona_id


class Section(ABC):
    """One part of the page. Made inside a column of its own; `show` fills it when its address is opened."""

    name: str
    right: Right

    def __init__(self, desk: Desk) -> None:
        self.desk, self.words = desk, desk.words[self.name]
        self.problem = self.html(f"{self.name}_problem", live=True)
        self.build()

    @abstractmethod
    def build(self) -> None:
        """Make the components."""

    @property
    @abstractmethod
    def parts(self) -> list[Any]:
        """Every component that a handler of this section may change."""

    @abstractmethod
    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        """The section as the rest of the address, in `asked`, wants it."""

    @abstractmethod
    def wire(self) -> None:
        """Join the components to the handlers."""

    @property
    def clickable(self) -> list[Any]:
        """Parts that hold links to other places of the page."""
        return []

    @property
    def outputs(self) -> list[Any]:
        return [self.problem, *self.parts]

    def html(self, elem_id: str, live: bool = False) -> gr.HTML:
        classes = ["said"] if live else []
        return gr.HTML("", js_on_load=GO, elem_id=elem_id, elem_classes=classes)

    def answer(self, request: gr.Request, do: Callable[[str], Updates], right: Right | None = None) -> Updates:
        """What `do` gives for whoever asks, or the reason why not in the section's own line for that."""
        try:
            who = self.desk.staff.require(request.username, right or self.right)
            return {self.problem: ""} | do(who)
        except RoleplayError as error:
            return {self.problem: self.failed(error)}
        except Exception:
            number = secrets.token_hex(3)
            log.exception("the trainer's page failed (number %s)", number)
            return {self.problem: self.desk.notice("error", self.desk.words["unexpected"].format(number=number))}

    def failed(self, error: RoleplayError) -> str:
        if isinstance(error, NotAllowed):
            return self.desk.notice("error", self.desk.words["not_allowed"])
        if isinstance(error, FileFault):
            return self.desk.render("faults.html", faults=error.faults)
        known = translated(str(error), self.desk.language)
        return self.desk.notice("error", known or self.desk.words["not_done"], "" if known else str(error))

    def done(self, message: str) -> str:
        return self.desk.notice("good", message)

    def note(self, who: str, did: str, person: str = "", detail: str = "") -> None:
        self.desk.records.people.note(who, did, person, detail)


def weeks_ago(weeks: str | int | None) -> datetime | None:
    """The start of the day so many weeks ago; None for "all"."""
    if not weeks or weeks == "all":
        return None
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(weeks=int(weeks))
