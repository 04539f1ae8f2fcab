"""Personas: choose one, begin one, check, try the draft, publish, compare versions and go back, withdraw."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from roleplay.errors import Fault, FileFault, Rejected
from roleplay.persona import Library
from roleplay.persona_files import KIND, check_persona, difference, parse_persona, publish, withdraw, written_as
from roleplay.texts import said
from roleplay.unpublished import Draft
from roleplay.web.desk.persona_editor import COLLECT, PersonaEditor
from roleplay.web.desk.persona_new import NewPersona
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
        above = gr.Column(elem_id="begin_persona")
        self.editor = PersonaEditor(self)
        with above:
            self.new = NewPersona(self, self.editor, self.take)
        with gr.Column(elem_id="persona_bar"):
            self.editor.note_line.render()
            self.editor.kept.render()
            with gr.Row(elem_classes=["inline"]):
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
    def parts(self) -> list[Any]:
        return [
            self.head, self.persona, self.about, *self.editor.outputs[1:], self.editor.side, self.why, *self.new.parts,
            self.version, self.diff, self.confirm,
        ]  # fmt: skip

    def wire(self) -> None:
        editor, held = self.editor, self.editor.held
        self.persona.input(self.choose, [self.persona, *held], self.outputs, **QUICK, **COLLECT)
        self.check.click(self.try_out, held, editor.outputs, **LONG, **COLLECT)
        self.trial.click(self.try_draft, held, [*editor.outputs, editor.side], **QUICK, **COLLECT)
        self.publish.click(self.keep, [self.why, *held], self.outputs, **LONG, **COLLECT)
        self.version.input(self.compare, [self.version, *held], [self.problem, self.diff], **QUICK, **COLLECT)
        self.load.click(self.go_back, [self.version, *held], editor.outputs, **QUICK, **COLLECT)
        self.drop.click(self.take_away, [editor.of, self.confirm], self.outputs, **QUICK)
        self.new.wire(self.file, self.outputs)
        editor.wire()

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, library = self.desk, self.desk.library()
        drafts = desk.records.unpublished.all(who)
        choices = self._choices(library, drafts)
        chosen = asked.get("persona") or (choices[0][1] if choices else "")
        versions = desk.records.file_versions(KIND, chosen)
        listed = [
            (f"{each.at:%Y-%m-%d %H:%M} · {each.who or desk.words['nobody']} {said(each.why, desk.language)}", at)
            for at, each in enumerate(versions)
        ]
        persona = library.personas.get(chosen)
        return self.editor.opened(who, chosen) | {
            self.head: desk.render("personas_head.html", faults=library.faults, count=len(library.personas)),
            self.persona: gr.update(choices=choices, value=chosen or None),
            self.about: desk.render("persona_about.html", persona=persona, versions=len(versions)) if persona else "",
            self.editor.side: "",
            self.why: "",
            **self.new.show(library),
            self.version: gr.update(choices=listed, value=None),
            self.diff: "" if versions else desk.render("nothing.html", text=self.words["no_versions"]),
            self.confirm: "",
        }

    def _choices(self, library: Library, drafts: Sequence[Draft]) -> list[tuple[str, str]]:
        """Every customer, and the trainer's own drafts of others; what has a draft is marked."""
        begun = {draft.persona: written_as("title", draft.text or "") or draft.persona for draft in drafts}
        there = sorted(library.personas.values(), key=lambda each: (each.language, each.title))
        named = [(each.title, each.id) for each in there]
        named += [(begun[name], name) for name in sorted(begun.keys() - library.personas.keys())]
        return [
            (self.words["with_draft"].format(title=title) if name in begun else title, name) for title, name in named
        ]

    def take(self, who: str, of: str, mode: str, text: str, faults: Sequence[Fault], told: str) -> Updates:
        """Another text goes into the editor, as the draft of this customer."""
        loaded = self.editor.load(who, of, mode, text, faults)
        return (
            self.show(who, {"persona": of})
            | loaded
            | ({self.problem: told} if told and not loaded[self.problem] else {})
        )

    def choose(
        self, persona: str | None, of: str, mode: str, text: str, sent: str, request: gr.Request
    ) -> Updates:  # fmt: skip
        """Another customer; what was written of the one before is kept as its draft."""

        def do(who: str) -> Updates:
            self.editor.keep(who, of, self.editor.now(mode, text, sent))
            return self.show(who, {"persona": persona or ""})

        return self.answer(request, do)

    def try_out(self, of: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """Prove that the persona in the editor could be published, and change nothing."""

        def do(now: str) -> Updates:
            proof = check_persona(now, self.desk.room.knowledge.entries_by_id())
            if proof.faults:
                raise FileFault("persona.yaml", proof.faults)
            return {self.problem: self.desk.render("proof.html", proof=proof)}

        return self.answer(request, lambda who: self.editor.with_text(who, of, mode, text, sent, do))

    def try_draft(self, of: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """A call with the persona in the editor, published or not, beside the editor."""

        def begin(who: str, now: str) -> Updates:
            persona = parse_persona(now, self.desk.room.knowledge.entries_by_id())
            call = self.desk.room.try_draft(persona, seed=secrets.randbelow(2**31), trainee=who)
            self.note(who, "tried a draft", "", persona.id)
            side = self.desk.render("side.html", address=f"../../practice/?call={call.id}")
            return {self.editor.side: side, self.problem: self.desk.notice("wait", self.words["trying"])}

        return self.answer(
            request, lambda who: self.editor.with_text(who, of, mode, text, sent, lambda now: begin(who, now))
        )

    def keep(self, why: str, of: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """Publish what stands in the editor. With a mistake in it nothing changes, and the text stays."""

        def do(who: str, now: str) -> Updates:
            desk = self.desk
            persona = publish(
                desk.records, desk.library(), desk.settings.personas, now, desk.room.knowledge.entries_by_id(), who,
                (why or "").strip(),
            )  # fmt: skip
            self.note(who, "published a customer", "", persona.id)
            for name in (of, persona.id):
                desk.records.unpublished.forget(who, name)
            told = desk.render("published.html", persona=persona)
            shown = self.show(who, {"persona": persona.id}) | self.editor.shown(who, persona.id, mode, now)
            del shown[self.editor.side]  # a call that is on beside the editor goes on
            return shown | {self.problem: told}

        return self.answer(
            request, lambda who: self.editor.with_text(who, of, mode, text, sent, lambda now: do(who, now))
        )

    def compare(self, at: int | None, of: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """What differs between a version and what stands in the editor."""

        def do(_who: str) -> Updates:
            lines = difference(self._version(of, at), self.editor.now(mode, text, sent))
            if not lines:
                return {self.diff: self.desk.render("nothing.html", text=self.words["same"])}
            return {self.diff: self.desk.render("diff.html", lines=lines)}

        return self.answer(request, do)

    def go_back(self, at: int | None, of: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """A version goes into the editor; publishing it makes it the one that is played."""

        def do(who: str) -> Updates:
            version = self._version(of, at)
            self.editor.keep(who, of, self.editor.now(mode, text, sent))
            return self.editor.load(who, of, mode, version) | {self.problem: self.done(self.words["loaded"])}

        return self.answer(request, do)

    def take_away(self, of: str, typed: str, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            if not of or of != (typed or "").strip():
                raise Rejected(self.words["not_typed"])
            withdraw(self.desk.records, self.desk.library(), of, who)
            self.note(who, "withdrew a customer", "", of)
            return self.show(who, {}) | {self.problem: self.done(self.words["withdrawn"])}

        return self.answer(request, do)

    def _version(self, of: str, at: int | None) -> str:
        versions = self.desk.records.file_versions(KIND, of or "")
        if at is None or not 0 <= int(at) < len(versions):
            raise Rejected(self.words["no_version"])
        return versions[int(at)].text
