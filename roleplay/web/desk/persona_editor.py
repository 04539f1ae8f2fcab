"""The editor of a customer: one text, seen as a form or as YAML, and kept as its trainer's draft until it is published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from roleplay.errors import Fault, FileFault, Rejected
from roleplay.persona_fields import NEW
from roleplay.persona_files import LONGEST
from roleplay.persona_form import added, applied, raised, without
from roleplay.persona_ids import pointers, renames
from roleplay.web.desk.persona_sheet import form_sheet, wrong_sheet
from roleplay.web.desk.section import QUICK, Section, Updates
from roleplay.web.layout import GO
from roleplay.yaml_files import parse_yaml
from roleplay.yaml_patch import comments_lost, patched

# The form is the browser's own; with every press what it holds now is sent along, as the last input.
COLLECT: Mapping[str, Any] = {
    "js": """(...given) => {
  const form = document.querySelector('#persona_form form');
  return [...given.slice(0, -1), form ? JSON.stringify(Object.fromEntries(new FormData(form))) : ''];
}"""
}
# What is typed is told when a field is left or the typing pauses; a press inside the form tells it anyway.
KEEPS = """
let soon;
const keep = () => {
  clearTimeout(soon);
  soon = 0;
  const form = element.querySelector('form');
  if (form) trigger('input', { form: Object.fromEntries(new FormData(form)) });
};
element.addEventListener('input', () => { clearTimeout(soon); soon = setTimeout(keep, 800); });
element.addEventListener('change', () => { if (soon) keep(); });
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-go]')) { clearTimeout(soon); soon = 0; }
});
addEventListener('beforeunload', (event) => { if (soon) { keep(); event.preventDefault(); } });
"""


class PersonaEditor:
    """Made inside the section whose part it is. `of` is the id of the customer whose draft the text is."""

    def __init__(self, section: Section) -> None:
        self.section, self.desk, words = section, section.desk, section.words
        form = self.desk.words["form"]
        self.of = gr.Textbox(visible=False)
        self.mode = gr.Radio(
            [(form["modes"][name], name) for name in ("form", "yaml")], value="form", label=form["mode"], elem_id="mode"
        )
        with gr.Row(elem_id="persona_desk"):
            with gr.Column(scale=3, min_width=320):
                with gr.Column(elem_id="persona_form_column") as self.as_form:
                    self.form = gr.HTML("", js_on_load=GO + KEEPS, elem_id="persona_form")
                with gr.Column(visible=False) as self.as_yaml:
                    self.text = gr.Code(
                        "", language="yaml", label=words["text"], lines=24, max_lines=40, wrap_lines=True,
                        elem_id="persona_yaml",
                    )  # fmt: skip
            self.side = section.html("persona_side")
        self.sent = gr.Textbox(visible=False)
        # rendered by the section, where they stay in view
        self.note_line = gr.HTML("", elem_id="persona_note", elem_classes=["said"], render=False)
        self.kept = gr.HTML("", js_on_load=GO, elem_id="persona_kept", elem_classes=["said"], render=False)

    @property
    def held(self) -> list[Any]:
        """What a press sends of the editor, together with COLLECT."""
        return [self.of, self.mode, self.text, self.sent]

    @property
    def outputs(self) -> list[Any]:
        """What changes when another text is edited."""
        return [
            self.section.problem, self.of, self.note_line, self.kept, self.mode, self.as_form, self.as_yaml, self.form,
            self.text,
        ]  # fmt: skip

    def wire(self) -> None:
        problem = self.section.problem
        self.mode.input(self.switch, self.held, self.outputs, **QUICK, **COLLECT)
        self.form.select(self.change_items, [self.of, self.text], self.outputs, **QUICK)
        self.form.input(self.save_form, [self.of, self.text], [problem, self.kept], **QUICK, trigger_mode="multiple")
        self.text.input(self.save_text, [self.of, self.text], [problem, self.kept], **QUICK, trigger_mode="always_last")
        self.kept.select(self.give_up_or_take_back, [self.of, self.mode], self.outputs, **QUICK)
        self.side.select(self.close_side, None, [problem, self.side], **QUICK)

    # The text, as form and as YAML

    def shown(self, who: str, of: str, mode: str, text: str, faults: Sequence[Fault] = (), unfold: str = "") -> Updates:
        """The editor with this text; as a form if it can be one, with section `unfold` unfolded."""
        note = ""
        try:
            data = parse_yaml(text, "persona.yaml")[0] if text else {}
            if not isinstance(data, dict):
                raise FileFault("persona.yaml", [Fault("must be `name: value` lines", 1)])
            sheet = form_sheet(self.desk, data, faults, unfold)
        except FileFault as error:
            note = self.desk.notice("wait", self.desk.words["form"]["not_yaml"]) if mode == "form" else ""
            mode, sheet = "yaml", ""
            faults = faults or error.faults
        return {
            self.section.problem: wrong_sheet(self.desk, text, mode, faults) if faults else "",
            self.of: of,
            self.note_line: note,
            self.kept: self.kept_line(who, of),
            self.mode: mode,
            self.as_form: gr.update(visible=mode == "form"),
            self.as_yaml: gr.update(visible=mode == "yaml"),
            self.form: sheet,
            self.text: text,
        }

    def now(self, mode: str, text: str, sent: str | Mapping[str, str]) -> str:
        """The text as it is to be seen in either mode: what was typed in the form stands in it."""
        if mode != "form" or not sent or not text:
            return text or ""
        form = json.loads(sent) if isinstance(sent, str) else sent
        return patched(text, applied(parse_yaml(text, "persona.yaml")[0], form, self.desk.language))

    def with_text(
        self, who: str, of: str, mode: str, text: str, sent: str, do: Callable[[str], Updates]
    ) -> Updates:  # fmt: skip
        """What `do` gives for the text as it is now; what is wrong with it stands at its field or line."""
        now = text or ""
        try:
            now = self.now(mode, text, sent)
            self.keep(who, of, now)
            return self.shown(who, of, mode, now) | self._noted(text, now) | do(now)
        except FileFault as error:
            return self.shown(who, of, mode, now, error.faults) | self._noted(text, now)

    def switch(self, of: str, mode: str, text: str, sent: str, request: gr.Request) -> Updates:
        """Form and YAML are two views of one text; `mode` is the one that is asked for."""
        left = "form" if mode == "yaml" else "yaml"

        def do(who: str) -> Updates:
            now = self.now(left, text, sent)
            self.keep(who, of, now)
            return self.shown(who, of, mode, now) | self._noted(text, now)

        return self.section.answer(request, do)

    def change_items(self, of: str, text: str, event: gr.EventData, request: gr.Request) -> Updates:
        """An item of a list of the form comes, goes, or moves up; what was typed elsewhere is kept."""

        def do(who: str) -> Updates:
            what, _, place = str(event.go).partition("=")
            place, _, at = place.partition(":")
            if place not in NEW:
                raise Rejected(self.section.words["no_version"])
            now = self.now("form", text, _typed(event))
            data, number = parse_yaml(now, "persona.yaml")[0], int(at) if at.isdecimal() else -1
            made = added(data, place) if what == "add" else without(data, place, number)
            made = raised(data, place, number) if what == "up" else made
            after = patched(now, made)
            self.keep(who, of, after)
            return self.shown(who, of, "form", after, unfold=place) | self._noted(text, after)

        return self.section.answer(request, do)

    def _noted(self, before: str, after: str) -> Updates:
        """A word about what went with a change: comments of the file that are lost, ids that others point to."""
        if not before or before == after:
            return {}
        say, told = self.desk.words["form"], []
        data, now = parse_yaml(before, "persona.yaml")[0], parse_yaml(after, "persona.yaml")[0]
        for (place, old), new in renames(data, now).items():
            if number := pointers(now, place, new):
                told.append(say["renamed"].format(old=old, new=new, number=number))
        if lost := comments_lost(before, after):
            told.append(say["comments"].format(number=lost))
        return {self.note_line: "".join(self.desk.notice("wait", message) for message in told)} if told else {}

    # The draft

    def published(self, of: str) -> str:
        """The text of the customer's file; "" where it has none."""
        path = self.desk.library().paths.get(of)
        return path.read_text("utf-8") if path else ""

    def opened(self, who: str, of: str) -> Updates:
        """The editor with a customer: with the trainer's own draft where there is one, else with what is published."""
        draft, published = self.desk.records.unpublished.find(who, of), self.published(of)
        text = draft.text if draft and draft.text is not None else published
        shown = self.shown(who, of, "form", text)
        if text != published and not shown[self.section.problem]:
            stale = bool(draft and published and draft.base != _hash(published))
            told = self.section.words["draft_stale" if stale else "draft_here"]
            shown[self.section.problem] = self.desk.notice("wait", told)
        return shown

    def keep(self, who: str, of: str, text: str) -> None:
        """Keep what stands in the editor, as far as it is another text than the published one."""
        if len(text) > LONGEST:
            fault = Fault(f"{len(text):,} characters, more than the {LONGEST:,} that are read")
            raise FileFault("persona.yaml", [fault])
        if of and text:
            published = self.published(of)
            self.desk.records.unpublished.keep(who, of, None if text == published else text, _hash(published))

    def load(self, who: str, of: str, mode: str, text: str, faults: Sequence[Fault] = ()) -> Updates:
        """Another text in the editor, as a draft; the one that it replaces can be taken back."""
        published = self.published(of)
        self.desk.records.unpublished.replace(who, of, None if text == published else text, _hash(published))
        return self.shown(who, of, mode or "form", text, faults)

    def kept_line(self, who: str, of: str) -> str:
        """What is kept of the draft, and what can be done with it."""
        draft = self.desk.records.unpublished.find(who, of) if of else None
        return self.desk.render("kept.html", draft=draft, new=of not in self.desk.library().paths) if draft else ""

    def save_form(self, of: str, text: str, event: gr.EventData, request: gr.Request) -> Updates:
        return self.section.answer(request, lambda who: self._save(who, of, self.now("form", text, _typed(event))))

    def save_text(self, of: str, text: str, request: gr.Request) -> Updates:
        return self.section.answer(request, lambda who: self._save(who, of, text))

    def _save(self, who: str, of: str, text: str) -> Updates:
        self.keep(who, of, text)
        return {self.section.problem: gr.skip(), self.kept: self.kept_line(who, of)}

    def give_up_or_take_back(self, of: str, mode: str, event: gr.EventData, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            drafts, published = self.desk.records.unpublished, self.published(of)
            if event.go == "restore":
                text = drafts.restore(who, of)
                return self.shown(who, of, mode, published if text is None else text)
            drafts.replace(who, of, None, _hash(published))
            return self.shown(who, of, mode, published)

        return self.section.answer(request, do)

    def close_side(self, request: gr.Request) -> Updates:
        return self.section.answer(request, lambda _who: {self.side: ""})


def _typed(event: gr.EventData) -> dict[str, str]:
    return {str(key): str(value) for key, value in dict(event.form or {}).items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
