"""The trainer's page as a program: its sections, its addresses, the files that it gives out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from fastapi import FastAPI, Request

from roleplay.dialogue import Language
from roleplay.results import Results
from roleplay.room import Room
from roleplay.settings import Settings
from roleplay.texts import texts
from roleplay.web import views
from roleplay.web.blocks import Page
from roleplay.web.desk.call import CallSection
from roleplay.web.desk.classes import ClassesSection
from roleplay.web.desk.files import add_files
from roleplay.web.desk.knowledge import KnowledgeSection
from roleplay.web.desk.people import PeopleSection
from roleplay.web.desk.personas import PersonasSection
from roleplay.web.desk.results import ResultsSection
from roleplay.web.desk.section import QUICK, Desk, Section, Updates
from roleplay.web.desk.standards import StandardsSection
from roleplay.web.layout import GO
from roleplay.web.staff import Staff

SECTIONS: tuple[type[Section], ...] = (
    ResultsSection, CallSection, ClassesSection, PersonasSection, KnowledgeSection, StandardsSection, PeopleSection,
)  # fmt: skip
HIDDEN = ("call",)  # reached from another section, not from the bar at the top
ADDRESS = """(address) => {
  if (!address) return;
  window.shown = address;
  if ((location.search || '?') !== address) history.pushState({}, '', address);
  window.scrollTo(0, 0);
}"""


class DeskPage:
    """The page in one language: the bar at the top, and one section below it."""

    def __init__(self, desk: Desk, switch: bool) -> None:
        self.desk, self.switch = desk, switch
        self.address = gr.Textbox(visible=False)
        self.header = gr.HTML("", js_on_load=GO, elem_id="header")
        self.sections: dict[str, Section] = {}
        self.columns: dict[str, gr.Column] = {}
        for kind in SECTIONS:
            with gr.Column(visible=False, elem_id=f"desk_{kind.name}", elem_classes=["desk"]) as column:
                self.sections[kind.name] = kind(desk)
            self.columns[kind.name] = column

    @property
    def everything(self) -> list[Any]:
        parts = [part for section in self.sections.values() for part in section.outputs]
        return [self.address, self.header, *self.columns.values(), *parts]

    def load(self, request: gr.Request) -> Updates:
        """The page has been opened or reloaded: show what its address names."""
        return self.look("?" + str(request.query_params), request)

    def go(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        """A link inside the page was pressed."""
        yield self.look(str(event.go), request)

    def look(self, address: str, request: gr.Request) -> Updates:
        asked = {name: values[0] for name, values in parse_qs(address.lstrip("?")).items()}
        open_to = [name for name, each in self.sections.items() if self.desk.staff.may(request.username, each.right)]
        name = asked.get("view", "results")
        section = self.sections[name if name in open_to else "results"]
        header = self.desk.render(
            "header.html", sections=[each for each in open_to if each not in HIDDEN], here=section.name,
            user=request.username or "", address=address, switch=self.switch,
        )  # fmt: skip
        shown: Updates = {part: gr.update(visible=key == section.name) for key, part in self.columns.items()}
        told = section.answer(request, lambda who: section.show(who, asked))
        return shown | {self.address: address, self.header: header} | told


def make_desk(
    room: Room, settings: Settings, staff: Staff, results: Results, language: Language, switch: bool
) -> gr.Blocks:
    """The trainer's page in one language; `switch` offers the other one."""
    with Page(analytics_enabled=False, title=texts(language)["desk"]["title"], fill_width=True) as blocks:
        page = DeskPage(Desk(room, settings, staff, results, language), switch)
        blocks.load(page.load, None, page.everything, **QUICK)
        page.address.change(None, page.address, None, js=ADDRESS, **QUICK)
        for part in (page.header, *(part for section in page.sections.values() for part in section.clickable)):
            part.select(page.go, None, page.everything, **QUICK)
        for section in page.sections.values():
            section.wire()
    blocks.queue(max_size=100)
    return blocks


def add_desk(
    app: FastAPI, room: Room, settings: Settings, staff: Staff, languages: Sequence[Language],
    user: Callable[[Request], str | None], looks: Mapping[str, Any],
) -> None:  # fmt: skip
    """Mount the trainer's page and its files. Whoever has no right on it is nobody to it, whatever they send."""
    results = Results(room.records)

    def teaching(request: Request) -> str | None:
        name = user(request)
        return name if staff.may(name, "read_results") else None

    add_files(app, room, settings, staff, results, user)
    css = (views.FOLDER / "desk.css").read_text(encoding="utf-8")
    for language in languages:
        blocks = make_desk(room, settings, staff, results, language, len(languages) > 1)
        path = f"/desk/{'zh' if language == 'zh-CN' else 'en'}"
        gr.mount_gradio_app(
            app, blocks, path=path, auth_dependency=None if staff.alone else teaching, css=css, max_file_size="20mb",
            **looks,
        )  # fmt: skip
