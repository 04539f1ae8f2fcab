"""How a new customer begins: as a copy of another one, from a file, or drafted by a model. Nothing is published yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from roleplay.dialogue import Language
from roleplay.drafting import MOST, draft, faults_of
from roleplay.errors import Fault, Rejected
from roleplay.persona import Library
from roleplay.persona_files import LONGEST, free_id, parse_persona, template, written_as
from roleplay.prompts import frame
from roleplay.texts import texts
from roleplay.web.desk.persona_editor import COLLECT, PersonaEditor
from roleplay.web.desk.section import LONG, QUICK, Section, Updates

OFFERED = 8  # entries that a draft may rest on
# Puts a text in the editor: for whom, of which customer, as form or YAML, the text, its faults, what is said of it.
Take = Callable[[str, str, str, str, Sequence[Fault], str], Updates]


class NewPersona:
    """Made inside the section whose part it is, above the editor that it fills; a copy may begin with what that holds."""

    def __init__(self, section: Section, editor: PersonaEditor, take: Take) -> None:
        self.section, self.editor, self.take = section, editor, take
        self.desk, self.words = section.desk, section.words
        words = self.words
        with gr.Accordion(words["new"], open=False, elem_id="new_customer") as self.box:
            with gr.Row(elem_classes=["inline"]):
                self.begin = gr.Dropdown([], label=words["begin"], elem_id="begin_with")
                self.title = gr.Textbox(label=words["new_title"], max_length=60, elem_id="new_title")
                self.id = gr.Textbox(
                    label=words["new_id"], placeholder="zh-angry-roaming", max_length=60, elem_id="new_id"
                )
                self.make = gr.Button(words["make"], elem_id="make")
            self.situation = gr.Textbox(
                label=words["situation"], placeholder=words["situation_example"], lines=3, max_length=MOST,
                elem_id="situation",
            )  # fmt: skip
            with gr.Row(elem_classes=["inline"]):
                named = texts(self.desk.language)["page"]["languages"]
                self.language = gr.Radio(
                    [(named[each], each) for each in get_args(Language)], value=self.desk.language, label=words["in"]
                )
                self.draft = gr.Button(words["draft"], elem_id="draft")
            self.needs = section.html("draft_needs")

    @property
    def parts(self) -> list[Any]:
        return [self.box, self.begin, self.title, self.id, self.needs]

    def wire(self, file: gr.UploadButton, outputs: list[Any]) -> None:
        """`file` brings one in; `outputs` is all that may change."""
        editor = self.editor
        file.upload(self.upload, [editor.mode, file], outputs, **QUICK)
        self.make.click(self.make_new, [self.begin, self.id, self.title, *editor.held], outputs, **QUICK, **COLLECT)
        self.draft.click(self.draft_new, [self.situation, self.language, editor.mode], outputs, **LONG)

    def show(self, library: Library) -> Updates:
        return {
            self.box: gr.update(open=False),
            self.begin: gr.update(choices=self._beginnings(library), value="frame:" + self.desk.language),
            self.id: "",
            self.title: "",
            self.needs: "" if self._writes() else self.desk.render("hint.html", text=self.words["draft_needs"]),
        }

    def _beginnings(self, library: Library) -> list[tuple[str, str]]:
        """What a new customer may begin with: the plainest one, the one in the editor, any that is there."""
        named = texts(self.desk.language)["page"]["languages"]
        plain = [(self.words["plainest"].format(language=named[each]), f"frame:{each}") for each in get_args(Language)]
        there = sorted((each.title, each.id) for each in library.personas.values())
        return [*plain, (self.words["in_editor"], ""), *there]

    def make_new(
        self, begin: str | None, new_id: str, title: str, of: str, mode: str, text: str, sent: str, request: gr.Request
    ) -> Updates:  # fmt: skip
        """A new customer that begins with another one, or with the plainest."""

        def do(who: str) -> Updates:
            library, kind = self.desk.library(), begin or ""
            now = self.editor.now(mode, text, sent)
            self.editor.keep(who, of, now)
            if kind.startswith("frame:"):
                first = frame("en" if kind == "frame:en" else "zh-CN")
            else:
                first = library.paths[library.get(kind).id].read_text("utf-8") if kind else now
            heading = (title or "").strip()
            if not heading:
                raise Rejected(self.words["no_title"])
            taken = library.personas.keys() | {draft.persona for draft in self.desk.records.unpublished.all(who)}
            name = (new_id or "").strip() or free_id(heading, first, taken)
            if name in taken:
                raise Rejected(f"there is a customer {name} already")
            made = template(first, name, heading)
            parse_persona(made, self.desk.room.knowledge.entries_by_id())
            return self.take(who, name, mode, made, (), self.section.done(self.words["made"]))

        return self.section.answer(request, do)

    def upload(self, mode: str, file: str | None, request: gr.Request) -> Updates:
        """A file goes into the editor; nothing is published yet."""

        def do(who: str) -> Updates:
            if not file or Path(file).stat().st_size > 4 * LONGEST:
                raise Rejected(self.words["no_file"])
            try:
                text = Path(file).read_text("utf-8-sig")
            except UnicodeDecodeError as error:
                raise Rejected(self.words["no_file"]) from error
            return self.take(
                who,
                written_as("id", text) or Path(file).stem,
                mode,
                text,
                (),
                self.section.done(self.words["uploaded"]),
            )

        return self.section.answer(request, do)

    def _writes(self) -> bool:
        customer = self.desk.room.customer
        return customer is not None and customer.model.writes

    def draft_new(self, situation: str, language: Language, mode: str, request: gr.Request) -> Updates:
        """A customer drafted by the model for a situation; with its faults, and not published."""

        def do(who: str) -> Updates:
            room, known = self.desk.room, self.desk.room.knowledge.entries_by_id()
            told = (situation or "").strip()
            if not self._writes():
                raise Rejected(self.words["draft_needs"])
            hits = room.knowledge.search(told[:300], language=language, limit=OFFERED).hits if told else ()
            offered = [(hit.entry.id, hit.entry.question) for hit in hits]
            taken = self.desk.library().personas.keys() | {
                each.persona for each in self.desk.records.unpublished.all(who)
            }
            text = draft(room.customer.model, told, language, offered, known, taken)
            self.section.note(who, "drafted a customer")
            shown = self.take(who, written_as("id", text), mode, text, faults_of(text, known), "")
            return shown | {self.editor.note_line: self.desk.notice("wait", self.words["drafted"])}

        return self.section.answer(request, do)
