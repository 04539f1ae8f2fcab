"""Personas: begin one, edit it as a form or as YAML, check, try the draft, publish, compare versions and go back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from roleplay.dialogue import Language
from roleplay.drafting import MOST, draft, faults_of
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.persona import Library
from roleplay.persona_fields import NEW
from roleplay.persona_files import (
    KIND,
    LONGEST,
    check_persona,
    difference,
    free_id,
    parse_persona,
    publish,
    template,
    withdraw,
)
from roleplay.persona_form import added, applied, raised, without
from roleplay.prompts import frame
from roleplay.texts import said, texts
from roleplay.web.desk.persona_sheet import form_sheet, wrong_sheet
from roleplay.web.desk.section import LONG, QUICK, Section, Updates
from roleplay.yaml_files import parse_yaml
from roleplay.yaml_patch import comments_lost, patched

OFFERED = 8  # entries that a draft may rest on
# The form is the browser's own; with every press what it holds now is sent along, as the last input.
COLLECT = """(...given) => {
  const form = document.querySelector('#persona_form form');
  return [...given.slice(0, -1), form ? JSON.stringify(Object.fromEntries(new FormData(form))) : ''];
}"""


class PersonasSection(Section):
    name, right = "personas", "teach"

    def build(self) -> None:
        words, form = self.words, self.desk.words["form"]
        self.head = self.html("personas_head")
        with gr.Row(elem_classes=["inline"]):
            self.persona = gr.Dropdown([], label=words["persona"], filterable=True, elem_id="edit_persona")
            self.file = gr.UploadButton(words["upload"], file_types=[".yaml", ".yml"], elem_id="upload_persona")
        self.about = self.html("persona_about")
        with gr.Accordion(words["new"], open=False, elem_id="new_customer"):
            with gr.Row(elem_classes=["inline"]):
                self.begin = gr.Dropdown([], label=words["begin"], elem_id="begin_with")
                self.new_title = gr.Textbox(label=words["new_title"], max_length=60, elem_id="new_title")
                self.new_id = gr.Textbox(
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
            self.needs = self.html("draft_needs")
        self.mode = gr.Radio(
            [(form["modes"][name], name) for name in ("form", "yaml")], value="form", label=form["mode"], elem_id="mode"
        )
        with gr.Row(elem_id="persona_desk"):
            with gr.Column(scale=3, min_width=320):
                with gr.Column(elem_id="persona_form_column") as self.as_form:
                    self.form = self.html("persona_form")
                with gr.Column(visible=False) as self.as_yaml:
                    self.text = gr.Code(
                        "", language="yaml", label=words["text"], lines=24, max_lines=40, wrap_lines=True,
                        elem_id="persona_yaml",
                    )  # fmt: skip
            self.side = self.html("persona_side")
        self.sent = gr.Textbox(visible=False)
        self.note_line = self.html("persona_note", live=True)
        with gr.Row(elem_classes=["inline"], elem_id="persona_bar"):
            self.why = gr.Textbox(label=words["why"], max_length=200, elem_id="why")
            self.check = gr.Button(words["check"], elem_id="check")
            self.trial = gr.Button(words["try_draft"], elem_id="try_draft")
            self.publish = gr.Button(words["publish"], variant="primary", elem_id="publish")
        with gr.Accordion(words["versions"], open=False):
            with gr.Row(elem_classes=["inline"]):
                self.version = gr.Dropdown([], label=words["version"], elem_id="version")
                self.load = gr.Button(words["load"], elem_id="load_version")
            self.diff = self.html("persona_diff")
        with gr.Accordion(words["withdraw"], open=False), gr.Row(elem_classes=["inline"]):
            self.confirm = gr.Textbox(label=words["confirm"], max_length=60)
            self.drop = gr.Button(words["withdraw_button"], variant="stop")

    @property
    def editor(self) -> list[Any]:
        """What changes when another text is edited."""
        return [self.problem, self.note_line, self.mode, self.as_form, self.as_yaml, self.form, self.text]

    @property
    def parts(self) -> list[Any]:
        return [
            self.head, self.persona, self.about, *self.editor[1:], self.side, self.why, self.begin, self.new_id,
            self.new_title, self.needs,
            self.version, self.diff, self.confirm,
        ]  # fmt: skip

    def wire(self) -> None:
        edited = [self.mode, self.text, self.sent]
        typed: dict[str, Any] = {"js": COLLECT}
        self.persona.input(self.choose, self.persona, self.outputs, **QUICK)
        self.file.upload(self.upload, [self.mode, self.file], self.editor, **QUICK)
        self.mode.input(self.switch, edited, self.editor, **QUICK, **typed)
        self.form.select(self.change_items, self.text, self.editor, **QUICK)
        self.side.select(self.close_side, None, [self.problem, self.side], **QUICK)
        self.check.click(self.try_out, edited, self.editor, **LONG, **typed)
        self.trial.click(self.try_draft, edited, [*self.editor, self.side], **QUICK, **typed)
        self.publish.click(self.keep, [self.why, *edited], self.outputs, **LONG, **typed)
        made = [self.begin, self.new_id, self.new_title, *edited]
        self.make.click(self.make_new, made, self.editor, **QUICK, **typed)
        self.draft.click(self.draft_new, [self.situation, self.language, self.mode], self.editor, **LONG)
        compared = [self.persona, self.version, *edited]
        self.version.input(self.compare, compared, [self.problem, self.diff], **QUICK, **typed)
        self.load.click(self.go_back, [self.persona, self.version, self.mode], self.editor, **QUICK)
        self.drop.click(self.take_away, [self.persona, self.confirm], self.outputs, **QUICK)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, library = self.desk, self.desk.library()
        personas = sorted(library.personas.values(), key=lambda each: (each.language, each.title))
        chosen = asked.get("persona", personas[0].id if personas else "")
        path = library.paths.get(chosen)
        versions = desk.records.file_versions(KIND, chosen)
        choices = [
            (f"{each.at:%Y-%m-%d %H:%M} · {each.who or desk.words['nobody']} {said(each.why, desk.language)}", at)
            for at, each in enumerate(versions)
        ]
        persona = library.personas.get(chosen)
        return self._edited("form", path.read_text("utf-8") if path else "") | {
            self.head: desk.render("personas_head.html", faults=library.faults, count=len(personas)),
            self.persona: gr.update(choices=[(each.title, each.id) for each in personas], value=chosen or None),
            self.about: desk.render("persona_about.html", persona=persona, versions=len(versions)) if persona else "",
            self.side: "",
            self.why: "",
            self.begin: gr.update(choices=self._beginnings(library), value="frame:" + desk.language),
            self.new_id: "",
            self.new_title: "",
            self.needs: "" if self._writes() else desk.render("hint.html", text=self.words["draft_needs"]),
            self.version: gr.update(choices=choices, value=None),
            self.diff: "" if versions else desk.render("nothing.html", text=self.words["no_versions"]),
            self.confirm: "",
        }

    # The text that is edited, as form and as YAML

    def _edited(self, mode: str, text: str, faults: Sequence[Fault] = (), shown: str = "") -> Updates:
        """The editor with this text; as a form if it can be one, with section `shown` unfolded."""
        note = ""
        try:
            data = parse_yaml(text, "persona.yaml")[0] if text else {}
            if not isinstance(data, dict):
                raise FileFault("persona.yaml", [Fault("must be `name: value` lines", 1)])
            sheet = form_sheet(self.desk, data, faults, shown)
        except FileFault as error:
            note = self.desk.notice("wait", self.desk.words["form"]["not_yaml"]) if mode == "form" else ""
            mode, sheet = "yaml", ""
            faults = faults or error.faults
        return {
            self.problem: wrong_sheet(self.desk, text, mode, faults) if faults else "",
            self.note_line: note,
            self.mode: mode,
            self.as_form: gr.update(visible=mode == "form"),
            self.as_yaml: gr.update(visible=mode == "yaml"),
            self.form: sheet,
            self.text: text,
        }

    def _now(self, mode: str, text: str, sent: str | Mapping[str, str]) -> str:
        """The text as it is to be seen in either mode: what was typed in the form stands in it."""
        if mode != "form" or not sent:
            return text or ""
        form = json.loads(sent) if isinstance(sent, str) else sent
        data = parse_yaml(text, "persona.yaml")[0] if text else {}
        return patched(text, applied(data, form, self.desk.language)) if text else text

    def _lost(self, before: str, after: str) -> Updates:
        """A word about comments of the file that went with what was changed."""
        lost = comments_lost(before, after) if before and before != after else 0
        message = self.desk.words["form"]["comments"].format(number=lost)
        return {self.note_line: self.desk.notice("wait", message)} if lost else {}

    def _with_text(self, mode: str, text: str, sent: str, do: Any) -> Updates:
        """What `do` gives for the text as it is now; what is wrong with it stands at its field or line."""
        now = text or ""
        try:
            now = self._now(mode, text, sent)
            return self._edited(mode, now) | self._lost(text or "", now) | do(now)
        except FileFault as error:
            return self._edited(mode, now, error.faults) | self._lost(text or "", now)

    def switch(self, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """Form and YAML are two views of one text; `mode` is the one that is asked for."""
        left = "form" if mode == "yaml" else "yaml"
        return self.answer(
            request,
            lambda _who: self._edited(mode, now := self._now(left, text, sent)) | self._lost(text or "", now),
        )

    def change_items(self, text: str, event: gr.EventData, request: gr.Request) -> Updates:
        """An item of a list of the form comes, goes, or moves up; what was typed elsewhere is kept."""

        def do(_who: str) -> Updates:
            what, _, place = str(event.go).partition("=")
            place, _, at = place.partition(":")
            if place not in NEW:
                raise Rejected(self.words["no_version"])
            now = self._now("form", text, {str(key): str(value) for key, value in dict(event.form or {}).items()})
            data, number = parse_yaml(now, "persona.yaml")[0], int(at) if at.isdecimal() else -1
            made = added(data, place) if what == "add" else without(data, place, number)
            made = raised(data, place, number) if what == "up" else made
            after = patched(now, made)
            return self._edited("form", after, shown=place) | self._lost(text or "", after)

        return self.answer(request, do)

    # What is done with it

    def choose(self, persona: str | None, request: gr.Request) -> Updates:
        return self.answer(request, lambda who: self.show(who, {"persona": persona or ""}))

    def upload(self, mode: str, file: str | None, request: gr.Request) -> Updates:
        """A file goes into the editor; nothing is published yet."""

        def do(_who: str) -> Updates:
            if not file or Path(file).stat().st_size > 4 * LONGEST:
                raise Rejected(self.words["no_file"])
            try:
                text = Path(file).read_text("utf-8-sig")
            except UnicodeDecodeError as error:
                raise Rejected(self.words["no_file"]) from error
            shown = self._edited(mode, text)
            return shown | {self.problem: shown[self.problem] or self.done(self.words["uploaded"])}

        return self.answer(request, do)

    def try_out(self, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """Prove that the persona in the editor could be published, and change nothing."""

        def do(now: str) -> Updates:
            proof = check_persona(now, self.desk.room.knowledge.entries_by_id())
            if proof.faults:
                raise FileFault("persona.yaml", proof.faults)
            return {self.problem: self.desk.render("proof.html", proof=proof)}

        return self.answer(request, lambda _who: self._with_text(mode, text, sent, do))

    def try_draft(self, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """A call with the persona in the editor, published or not, beside the editor."""

        def begin(who: str, now: str) -> Updates:
            persona = parse_persona(now, self.desk.room.knowledge.entries_by_id())
            call = self.desk.room.try_draft(persona, seed=secrets.randbelow(2**31), trainee=who)
            self.note(who, "tried a draft", "", persona.id)
            side = self.desk.render("side.html", address=f"../../practice/?call={call.id}")
            return {self.side: side, self.problem: self.desk.notice("wait", self.words["trying"])}

        return self.answer(request, lambda who: self._with_text(mode, text, sent, lambda now: begin(who, now)))

    def close_side(self, request: gr.Request) -> Updates:
        return self.answer(request, lambda _who: {self.side: ""})

    def keep(self, why: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """Publish what stands in the editor. With a mistake in it nothing changes, and the text stays."""

        def do(who: str, now: str) -> Updates:
            desk = self.desk
            persona = publish(
                desk.records, desk.library(), desk.settings.personas, now, desk.room.knowledge.entries_by_id(), who,
                (why or "").strip(),
            )  # fmt: skip
            self.note(who, "published a customer", "", persona.id)
            told = desk.render("published.html", persona=persona)
            shown = self.show(who, {"persona": persona.id}) | self._edited(mode, now) | {self.problem: told}
            del shown[self.side]  # a call that is on beside the editor goes on
            return shown

        return self.answer(request, lambda who: self._with_text(mode, text, sent, lambda now: do(who, now)))

    def _beginnings(self, library: Library) -> list[tuple[str, str]]:
        """What a new customer may begin with: the plainest one, the one in the editor, any that is there."""
        named = texts(self.desk.language)["page"]["languages"]
        plain = [(self.words["plainest"].format(language=named[each]), f"frame:{each}") for each in get_args(Language)]
        there = sorted((each.title, each.id) for each in library.personas.values())
        return [*plain, (self.words["in_editor"], ""), *there]

    def make_new(
        self, begin: str | None, new_id: str, title: str, mode: str, text: str, sent: str, request: gr.Request
    ) -> Updates:
        """A new customer that begins with another one, or with the plainest."""

        def do(_who: str) -> Updates:
            library, kind = self.desk.library(), begin or ""
            if kind.startswith("frame:"):
                first = frame("en" if kind == "frame:en" else "zh-CN")
            else:
                first = library.paths[library.get(kind).id].read_text("utf-8") if kind else self._now(mode, text, sent)
            heading = (title or "").strip()
            if not heading:
                raise Rejected(self.words["no_title"])
            name = (new_id or "").strip() or free_id(heading, first, library.personas)
            if name in library.personas:
                raise Rejected(f"there is a customer {name} already")
            made = template(first, name, heading)
            parse_persona(made, self.desk.room.knowledge.entries_by_id())
            return self._edited(mode or "form", made) | {self.problem: self.done(self.words["made"])}

        return self.answer(request, do)

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
            text = draft(room.customer.model, told, language, offered, known, self.desk.library().personas)
            self.note(who, "drafted a customer")
            shown = self._edited(mode or "form", text, faults_of(text, known))
            return shown | {self.note_line: self.desk.notice("wait", self.words["drafted"])}

        return self.answer(request, do)

    def compare(
        self, persona: str | None, at: int | None, mode: str, text: str, sent: str, request: gr.Request
    ) -> Updates:
        """What differs between a version and what stands in the editor."""

        def do(_who: str) -> Updates:
            lines = difference(self._version(persona, at), self._now(mode, text, sent))
            return {self.diff: self.desk.render("diff.html", lines=lines)}

        return self.answer(request, do)

    def go_back(self, persona: str | None, at: int | None, mode: str, request: gr.Request) -> Updates:
        """A version goes into the editor; publishing it makes it the one that is played."""
        return self.answer(
            request,
            lambda _who: (
                self._edited(mode, self._version(persona, at)) | {self.problem: self.done(self.words["loaded"])}
            ),
        )

    def take_away(self, persona: str | None, typed: str, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            if not persona or persona != (typed or "").strip():
                raise Rejected(self.words["not_typed"])
            withdraw(self.desk.records, self.desk.library(), persona, who)
            self.note(who, "withdrew a customer", "", persona)
            return self.show(who, {}) | {self.problem: self.done(self.words["withdrawn"])}

        return self.answer(request, do)

    def _version(self, persona: str | None, at: int | None) -> str:
        versions = self.desk.records.file_versions(KIND, persona or "")
        if at is None or not 0 <= int(at) < len(versions):
            raise Rejected(self.words["no_version"])
        return versions[int(at)].text
