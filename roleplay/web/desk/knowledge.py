"""Knowledge base: search, edit an entry, bring files in, look first, publish as a version, go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from roleplay.errors import Rejected
from roleplay.knowledge.changes import Changes, changes, stale_personas
from roleplay.knowledge.drafts import Defaults
from roleplay.knowledge.editing import NEW, Block, apply_edit, find_block, plan_edit
from roleplay.knowledge.entries import Entry, entry_files, fingerprint, load_entries
from roleplay.knowledge.ingest import READERS, Plan, apply, plan_import
from roleplay.knowledge.versions import Version, find_version, list_versions, restore, version_entries
from roleplay.texts import said
from roleplay.web.desk.section import LONG, QUICK, Section, Updates

LISTED = 60  # entries shown when nothing is searched for


class KnowledgeSection(Section):
    name, right = "knowledge", "teach"

    def build(self) -> None:
        words = self.words
        self.head = self.html("knowledge_head")
        with gr.Row(elem_classes=["inline"]):
            self.query = gr.Textbox(label=words["query"], max_length=300, scale=4, elem_id="kb_query")
            self.product = gr.Dropdown([], label=words["product"])
            self.find = gr.Button(words["find"], elem_id="kb_find")
        self.hits = self.html("kb_hits")
        with gr.Accordion(words["edit"], open=True, elem_id="kb_edit"):
            with gr.Row(elem_classes=["inline"]):
                self.entry = gr.Textbox(label=words["entry"], max_length=100, elem_id="kb_entry")
                self.file = gr.Dropdown([], label=words["new_in"])
                self.new = gr.Button(words["new"])
            self.text = gr.Code("", language="yaml", label=words["text"], lines=10, wrap_lines=True, elem_id="kb_yaml")
            with gr.Row(elem_classes=["inline"]):
                self.look_at = gr.Button(words["look"], elem_id="kb_look")
                self.keep = gr.Button(words["publish"], variant="primary", elem_id="kb_publish")
            self.change = self.html("kb_change")
        with gr.Accordion(words["import"], open=False, elem_id="kb_import"):
            kinds = sorted(READERS)
            self.files = gr.File(
                label=words["files"], file_count="multiple", file_types=kinds, height=140, elem_id="kb_files"
            )
            with gr.Row(elem_classes=["inline"]):
                self.for_product = gr.Textbox(label=words["for_product"], max_length=100)
                self.audience = gr.Radio(
                    [(words["audiences"][name], name) for name in ("public", "internal")],
                    value="public",
                    label=words["audience"],
                )
                self.skip = gr.Checkbox(False, label=words["skip"])
            with gr.Row(elem_classes=["inline"]):
                self.preview = gr.Button(words["look"], elem_id="kb_preview")
                self.bring = gr.Button(words["publish"], variant="primary", elem_id="kb_bring")
            self.plan = self.html("kb_plan")
            self.seen = gr.Textbox(visible=False)  # the state of the knowledge base that the preview was made for
        with gr.Accordion(words["versions"], open=False):
            with gr.Row(elem_classes=["inline"]):
                self.version = gr.Dropdown([], label=words["version"], elem_id="kb_version")
                self.back = gr.Button(words["restore"], elem_id="kb_restore")
            self.diff = self.html("kb_diff")

    @property
    def parts(self) -> list[Any]:
        return [
            self.head, self.query, self.product, self.hits, self.entry, self.file, self.text, self.change, self.files,
            self.plan, self.seen, self.version, self.diff,
        ]  # fmt: skip

    @property
    def clickable(self) -> list[Any]:
        return [self.hits, self.head]

    def wire(self) -> None:
        for trigger in (self.query.submit, self.find.click, self.product.input):
            trigger(self.search, [self.query, self.product], [self.problem, self.hits], **QUICK)
        self.new.click(self.begin, self.file, [self.problem, self.entry, self.text, self.change], **QUICK)
        edited = [self.entry, self.file, self.text]
        self.look_at.click(self.try_edit, edited, [self.problem, self.change], **QUICK)
        self.keep.click(self.publish, edited, self.outputs, **LONG)
        given = [self.files, self.for_product, self.audience]
        self.preview.click(self.look_at_files, given, [self.problem, self.plan, self.seen], **LONG)
        self.bring.click(self.bring_in, [*given, self.skip, self.seen], self.outputs, **LONG)
        self.version.input(self.compare, self.version, [self.problem, self.diff], **QUICK)
        self.back.click(self.go_back, self.version, self.outputs, **LONG)

    @property
    def paths(self) -> Sequence[Path]:
        return self.desk.settings.knowledge

    @property
    def data(self) -> Path:
        return self.desk.settings.data / "knowledge"

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, entries = self.desk, load_entries(self.paths)
        products = sorted({entry.product for entry in entries})
        block = find_block(self.paths, asked["entry"]) if asked.get("entry") else None
        versions = list(reversed(list_versions(self.data / "versions")))
        files = [(path.name, str(path)) for path in entry_files(self.paths)]
        query = asked.get("q", "")
        return {
            self.head: desk.render("knowledge_head.html", count=len(entries), version=_in_force(versions, entries)),
            self.query: query,
            self.product: gr.update(choices=[(self.words["all_products"], ""), *products], value=""),
            self.hits: self._listed(query, "", entries),
            self.entry: asked.get("entry", ""),
            self.file: gr.update(choices=files, value=str(block.path) if block else files[0][1]),
            self.text: block.text if block else "",
            self.change: "",
            self.files: None,
            self.plan: "",
            self.seen: "",
            self.version: gr.update(
                choices=[
                    (f"{_named(each)} · {each.at[:16]} · {said(each.why, desk.language)}", each.number)
                    for each in versions
                ],
                value=None,
            ),
            self.diff: "" if versions else desk.render("nothing.html", text=self.words["no_versions"]),
        }

    def _listed(self, query: str, product: str, entries: Sequence[Entry]) -> str:
        """What a search finds, as trainees and the grader search; without a query, the first entries."""
        nothing = False
        if query.strip():
            found = self.desk.room.knowledge.search(query[:300], audience=("public", "internal"), limit=LISTED)
            nothing, shown = found.nothing_fits, [hit.entry for hit in found.hits]
        else:
            shown = list(entries)
        shown = [entry for entry in shown if product in ("", entry.product)]
        rests = self._resting()
        return self.desk.render(
            "entries.html", entries=shown[:LISTED], more=len(shown) - LISTED, nothing=nothing, rests=rests
        )

    def _resting(self) -> dict[str, list[str]]:
        """Entry to the personas that name it."""
        rests: dict[str, list[str]] = {}
        for persona in self.desk.library().personas.values():
            told = {part.told for _, condition in persona.conditions() for part in condition.parts() if part.told}
            for name in told | set(persona.grading.entries):
                rests.setdefault(name, []).append(persona.id)
        return rests

    def _changed(self, difference: Changes, warnings: Sequence[str] = ()) -> str:
        stale = stale_personas(self.desk.library().personas.values(), difference)
        return self.desk.render("changes.html", changes=difference, warnings=warnings, stale=stale)

    def search(self, query: str, product: str | None, request: gr.Request) -> Updates:
        return self.answer(
            request, lambda _who: {self.hits: self._listed(query or "", product or "", load_entries(self.paths))}
        )

    def begin(self, file: str | None, request: gr.Request) -> Updates:
        """A new entry: its frame stands in the editor, and goes to the end of the file that is chosen."""
        return self.answer(request, lambda _who: {self.entry: "", self.text: NEW, self.change: ""})

    def _place(self, entry: str, file: str | None) -> Block | Path:
        if (entry or "").strip():
            return find_block(self.paths, entry.strip())
        known = {str(path): path for path in entry_files(self.paths)}
        if file not in known:
            raise Rejected(self.words["no_file"])
        return known[str(file)]

    def try_edit(self, entry: str, file: str | None, text: str, request: gr.Request) -> Updates:
        def do(_who: str) -> Updates:
            edit = plan_edit(self.paths, self._place(entry, file), text or "")
            return {self.change: self._changed(edit.changes, edit.warnings)}

        return self.answer(request, do)

    def publish(self, entry: str, file: str | None, text: str, request: gr.Request) -> Updates:
        """Publish what stands in the editor; with a mistake in it nothing changes, and the text stays."""

        def do(who: str) -> Updates:
            edit = plan_edit(self.paths, self._place(entry, file), text or "")
            told = self._changed(edit.changes, edit.warnings)
            made = apply_edit(edit, self.paths, self.data)
            ids = [each.after.id for each in edit.changes.changed] + [each.id for each in edit.changes.added]
            return self._published(who, made, told, {"entry": ids[0]} if ids else {})

        return self.answer(request, do)

    def _plan(self, files: list[str] | None, product: str, audience: str) -> Plan:
        if not files:
            raise Rejected(self.words["no_file"])
        folder = next((path for path in self.paths if not path.is_file()), None)
        if folder is None:
            raise Rejected(self.words["no_folder"])
        defaults = Defaults((product or "").strip() or None, "internal" if audience == "internal" else "public")
        return plan_import([Path(file) for file in files], self.paths, folder, defaults)

    def look_at_files(self, files: list[str] | None, product: str, audience: str, request: gr.Request) -> Updates:
        """What becomes which entry, with its place in the file; nothing is changed."""

        def do(_who: str) -> Updates:
            plan = self._plan(files, product, audience)
            shown = self.desk.render("plan.html", plan=plan) + self._changed(plan.changes, plan.warnings)
            return {self.plan: shown, self.seen: plan.base}

        return self.answer(request, do)

    def bring_in(
        self, files: list[str] | None, product: str, audience: str, skip: bool, seen: str, request: gr.Request
    ) -> Updates:
        def do(who: str) -> Updates:
            plan = self._plan(files, product, audience)
            if plan.base != seen:
                raise Rejected(self.words["look_first"])
            told = self._changed(plan.changes, plan.warnings)
            made = apply(plan, self.paths, self.data, bool(skip))
            return self._published(who, made, told, {})

        return self.answer(request, do)

    def compare(self, number: int | None, request: gr.Request) -> Updates:
        """What has changed since a version."""

        def do(_who: str) -> Updates:
            folder = self.data / "versions"
            before = version_entries(folder, find_version(folder, str(number)))
            return {self.diff: self._changed(changes(before, load_entries(self.paths)))}

        return self.answer(request, do)

    def go_back(self, number: int | None, request: gr.Request) -> Updates:
        """The files as they were in a version; what is there now is kept as one first."""

        def do(who: str) -> Updates:
            if number is None:
                raise Rejected(self.words["no_version"])
            folder = self.data / "versions"
            wanted = find_version(folder, str(number))
            told = self._changed(changes(load_entries(self.paths), version_entries(folder, wanted)))
            return self._published(who, restore(wanted, self.paths, folder), told, {})

        return self.answer(request, do)

    def _published(self, who: str, version: Version | None, told: str, asked: Mapping[str, str]) -> Updates:
        """From now on calls use it: the index is made, and the room takes it."""
        if not version:
            return {self.problem: self.desk.notice("wait", self.words["no_change"])}
        self.desk.room.renew()
        self.note(who, "published knowledge", "", _named(version))
        message = self.done(self.words["published"].format(version=_named(version)))
        return self.show(who, asked) | {self.problem: message + told}


def _named(version: Version) -> str:
    """What a version is called everywhere on the page: its number and the beginning of its hash."""
    return f"{version.number} ({version.hash[:8]})"


def _in_force(versions: Sequence[Version], entries: Sequence[Entry]) -> str:
    """The newest version's name if the files are still as it has them, else the hash of what they hold."""
    now = fingerprint(entries)
    return _named(versions[0]) if versions and versions[0].hash == now else now[:8]
