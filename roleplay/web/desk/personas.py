"""Personas: create from one that is there, edit as YAML, check, publish, compare versions and go back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from roleplay.errors import FileFault, Rejected
from roleplay.persona_files import KIND, LONGEST, check_persona, difference, parse_persona, publish, template, withdraw
from roleplay.web.desk.section import LONG, QUICK, Section, Updates


class PersonasSection(Section):
    name, right = "personas", "teach"

    def build(self) -> None:
        words = self.words
        self.head = self.html("personas_head")
        with gr.Row(elem_classes=["inline"]):
            self.persona = gr.Dropdown([], label=words["persona"], filterable=True, elem_id="edit_persona")
            self.file = gr.UploadButton(words["upload"], file_types=[".yaml", ".yml"], elem_id="upload_persona")
        self.about = self.html("persona_about")
        self.text = gr.Code("", language="yaml", label=words["text"], lines=24, max_lines=40, elem_id="persona_yaml")
        with gr.Row(elem_classes=["inline"]):
            self.why = gr.Textbox(label=words["why"], max_length=200, elem_id="why")
            self.check = gr.Button(words["check"], elem_id="check")
            self.publish = gr.Button(words["publish"], variant="primary", elem_id="publish")
        with gr.Accordion(words["new"], open=False), gr.Row(elem_classes=["inline"]):
            self.new_id = gr.Textbox(
                label=words["new_id"], placeholder="zh-angry-roaming", max_length=60, elem_id="new_id"
            )
            self.new_title = gr.Textbox(label=words["new_title"], max_length=60, elem_id="new_title")
            self.make = gr.Button(words["make"], elem_id="make")
        with gr.Accordion(words["versions"], open=False):
            with gr.Row(elem_classes=["inline"]):
                self.version = gr.Dropdown([], label=words["version"], elem_id="version")
                self.load = gr.Button(words["load"], elem_id="load_version")
            self.diff = self.html("persona_diff")
        with gr.Accordion(words["withdraw"], open=False), gr.Row(elem_classes=["inline"]):
            self.confirm = gr.Textbox(label=words["confirm"], max_length=60)
            self.drop = gr.Button(words["withdraw_button"], variant="stop")

    @property
    def parts(self) -> list[Any]:
        return [
            self.head, self.persona, self.about, self.text, self.why, self.new_id, self.new_title, self.version,
            self.diff, self.confirm,
        ]  # fmt: skip

    def wire(self) -> None:
        self.persona.input(self.choose, self.persona, self.outputs, **QUICK)
        self.file.upload(self.upload, self.file, [self.problem, self.text], **QUICK)
        self.check.click(self.try_out, self.text, [self.problem], **LONG)
        self.publish.click(self.keep, [self.text, self.why], self.outputs, **LONG)
        self.make.click(self.make_new, [self.text, self.new_id, self.new_title], [self.problem, self.text], **QUICK)
        self.version.input(self.compare, [self.persona, self.version, self.text], [self.problem, self.diff], **QUICK)
        self.load.click(self.go_back, [self.persona, self.version], [self.problem, self.text], **QUICK)
        self.drop.click(self.take_away, [self.persona, self.confirm], self.outputs, **QUICK)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, library = self.desk, self.desk.library()
        personas = sorted(library.personas.values(), key=lambda each: (each.language, each.title))
        chosen = asked.get("persona", personas[0].id if personas else "")
        path = library.paths.get(chosen)
        versions = desk.records.file_versions(KIND, chosen)
        choices = [
            (f"{each.at:%Y-%m-%d %H:%M} · {each.who or desk.words['nobody']} {each.why}", at)
            for at, each in enumerate(versions)
        ]
        persona = library.personas.get(chosen)
        return {
            self.head: desk.render("personas_head.html", faults=library.faults, count=len(personas)),
            self.persona: gr.update(choices=[(each.title, each.id) for each in personas], value=chosen or None),
            self.about: desk.render("persona_about.html", persona=persona, versions=len(versions)) if persona else "",
            self.text: path.read_text("utf-8") if path else "",
            self.why: "",
            self.new_id: "",
            self.new_title: "",
            self.version: gr.update(choices=choices, value=None),
            self.diff: "" if versions else desk.render("nothing.html", text=self.words["no_versions"]),
            self.confirm: "",
        }

    def choose(self, persona: str | None, request: gr.Request) -> Updates:
        return self.answer(request, lambda who: self.show(who, {"persona": persona or ""}))

    def upload(self, file: str | None, request: gr.Request) -> Updates:
        """A file goes into the editor; nothing is published yet."""

        def do(_who: str) -> Updates:
            if not file or Path(file).stat().st_size > 4 * LONGEST:
                raise Rejected(self.words["no_file"])
            try:
                text = Path(file).read_text("utf-8-sig")
            except UnicodeDecodeError as error:
                raise Rejected(self.words["no_file"]) from error
            return {self.text: text, self.problem: self.done(self.words["uploaded"])}

        return self.answer(request, do)

    def try_out(self, text: str, request: gr.Request) -> Updates:
        """Prove that the persona in the editor could be published, and change nothing."""

        def do(_who: str) -> Updates:
            proof = check_persona(text or "", self.desk.room.knowledge.entries_by_id())
            if proof.faults:
                raise FileFault("persona.yaml", proof.faults)
            return {self.problem: self.desk.render("proof.html", proof=proof)}

        return self.answer(request, do)

    def keep(self, text: str, why: str, request: gr.Request) -> Updates:
        """Publish what stands in the editor. With a mistake in it nothing changes, and the text stays."""

        def do(who: str) -> Updates:
            desk = self.desk
            persona = publish(
                desk.records, desk.library(), desk.settings.personas, text or "", desk.room.knowledge.entries_by_id(),
                who, (why or "").strip(),
            )  # fmt: skip
            self.note(who, "published a customer", "", persona.id)
            told = desk.render("published.html", persona=persona)
            return self.show(who, {"persona": persona.id}) | {self.problem: told}

        return self.answer(request, do)

    def make_new(self, text: str, new_id: str, title: str, request: gr.Request) -> Updates:
        """The persona in the editor as the beginning of another one."""

        def do(_who: str) -> Updates:
            name = (new_id or "").strip()
            if name in self.desk.library().personas:
                raise Rejected(f"there is a customer {name} already")
            made = template(text or "", name, (title or "").strip())
            parse_persona(made, self.desk.room.knowledge.entries_by_id())
            return {self.text: made, self.problem: self.done(self.words["made"])}

        return self.answer(request, do)

    def compare(self, persona: str | None, at: int | None, text: str, request: gr.Request) -> Updates:
        """What differs between a version and what stands in the editor."""

        def do(_who: str) -> Updates:
            lines = difference(self._version(persona, at), text or "")
            return {self.diff: self.desk.render("diff.html", lines=lines)}

        return self.answer(request, do)

    def go_back(self, persona: str | None, at: int | None, request: gr.Request) -> Updates:
        """A version goes into the editor; publishing it makes it the one that is played."""
        return self.answer(
            request,
            lambda _who: {self.text: self._version(persona, at), self.problem: self.done(self.words["loaded"])},
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
