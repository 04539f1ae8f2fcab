"""Standards: the phrase rules in a table, edited one at a time, tried on a sentence, held against what was said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from roleplay.dialogue import STAGES, Exchange, Language, Turn
from roleplay.errors import Rejected
from roleplay.grading import BundledGrader
from roleplay.knowledge.editing import Block
from roleplay.persona_files import difference
from roleplay.records import FileVersion, now
from roleplay.rule_files import (
    NEW,
    Draft,
    as_it_was,
    back_to_shipped,
    draft,
    effect,
    find_rule,
    load_rules,
    publish,
    rule_files,
    versions,
)
from roleplay.standards import Standards, load_standards
from roleplay.texts import said, texts
from roleplay.web.desk.section import LONG, QUICK, Section, Updates

REPLAYED = 60  # calls whose replies are scored again, the newest


class StandardsSection(Section):
    name, right = "standards", "teach"

    def build(self) -> None:
        words, stages = self.words, texts(self.desk.language)["stages"]
        languages = texts(self.desk.language)["page"]["languages"]
        self.head = self.html("standards_head")
        with gr.Row(elem_classes=["inline"]):
            self.query = gr.Textbox(label=words["query"], max_length=100)
            self.language = gr.Dropdown(
                [(languages[name], name) for name in get_args(Language)],
                value=self.desk.language,
                label=words["language"],
            )
        self.table = self.html("rules_table")
        with gr.Accordion(words["edit"], open=True):
            with gr.Row(elem_classes=["inline"]):
                self.rule = gr.Textbox(label=words["rule"], max_length=100, elem_id="rule")
                self.file = gr.Dropdown([], label=words["new_in"])
                self.new = gr.Button(words["new"])
            self.text = gr.Code(
                "", language="yaml", label=words["text"], lines=10, wrap_lines=True, elem_id="rule_yaml"
            )
            with gr.Row(elem_classes=["inline"]):
                self.heard = gr.Textbox(label=words["heard"], max_length=500)
                self.said = gr.Textbox(label=words["said"], max_length=500, elem_id="sentence")
                self.stage = gr.Dropdown(
                    [(stages[name], name) for name in STAGES], value="solving", label=words["stage"]
                )
                self.try_it = gr.Button(words["try"], elem_id="try_rule")
            self.found = self.html("rule_found")
            with gr.Row(elem_classes=["inline"]):
                self.replay = gr.Button(words["replay"], elem_id="replay")
                self.keep = gr.Button(words["publish"], variant="primary", elem_id="publish_rule")
            self.effect = self.html("rule_effect")
        with gr.Accordion(words["versions"], open=False):
            with gr.Row(elem_classes=["inline"]):
                self.version = gr.Dropdown([], label=words["version"], elem_id="rules_version")
                self.restore = gr.Button(words["restore"], elem_id="restore_rules")
                self.back = gr.Button(words["back"])
            self.diff = self.html("rules_diff")

    @property
    def parts(self) -> list[Any]:
        return [
            self.head, self.query, self.table, self.rule, self.file, self.text, self.found, self.effect,
            self.version, self.diff,
        ]  # fmt: skip

    @property
    def clickable(self) -> list[Any]:
        return [self.table]

    def wire(self) -> None:
        gr.on(
            [self.query.submit, self.language.input],
            self.search,
            [self.query, self.language],
            [self.problem, self.table],
            **QUICK,
        )
        self.new.click(self.begin, None, [self.problem, self.rule, self.text], **QUICK)
        edited = [self.rule, self.file, self.text]
        tried = [*edited, self.language, self.heard, self.said, self.stage]
        gr.on([self.try_it.click, self.said.submit], self.try_out, tried, [self.problem, self.found], **QUICK)
        self.replay.click(self.again, edited, [self.problem, self.effect], **LONG)
        self.keep.click(self.publish, edited, self.outputs, **QUICK)
        self.version.input(self.compare, self.version, [self.problem, self.diff], **QUICK)
        self.restore.click(self.go_back, self.version, self.outputs, **QUICK)
        self.back.click(self.to_shipped, None, self.outputs, **QUICK)

    def standards(self) -> Standards:
        return load_standards(self.desk.settings.rule_files or None)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, settings = self.desk, self.desk.settings
        block = find_rule(settings, asked["rule"]) if asked.get("rule") else None
        files = [(path.name, str(path)) for path in rule_files(settings)]
        rules = self.standards().rules
        return {
            self.head: desk.render("standards_head.html", count=len(rules), edited=bool(settings.rule_files)),
            self.query: "",
            self.table: self._listed("", desk.language),
            self.rule: asked.get("rule", ""),
            self.file: gr.update(choices=files, value=str(block.path) if block else files[0][1]),
            self.text: block.text if block else "",
            self.found: "",
            self.effect: "",
            self.version: gr.update(choices=self._versions(), value=None),
            self.diff: "",
        }

    def _versions(self) -> list[tuple[str, int]]:
        nobody, language = self.desk.words["nobody"], self.desk.language
        return [
            (f"{each.name} · {each.at:%Y-%m-%d %H:%M} · {each.who or nobody} {said(each.why, language)}", at)
            for at, each in enumerate(versions(self.desk.records, self.desk.settings))
        ]

    def _version(self, at: int | None) -> FileVersion:
        there = versions(self.desk.records, self.desk.settings)
        if at is None or not 0 <= int(at) < len(there):
            raise Rejected(self.words["no_version"])
        return there[int(at)]

    def compare(self, at: int | None, request: gr.Request) -> Updates:
        """What differs between a version and the rules in force."""

        def do(_who: str) -> Updates:
            version = self._version(at)
            now = as_it_was(self.desk.settings, version).path.read_text("utf-8")
            return {self.diff: self.desk.render("diff.html", lines=difference(version.text, now))}

        return self.answer(request, do)

    def go_back(self, at: int | None, request: gr.Request) -> Updates:
        """A file of rules as a version had it; what is there now stays a version."""

        def do(who: str) -> Updates:
            version = self._version(at)
            made = as_it_was(self.desk.settings, version)
            publish(self.desk.records, self.desk.settings, made, who, f"as of {version.at:%Y-%m-%d %H:%M}")
            self.desk.room.renew()
            self.note(who, "published a rule", "", version.name)
            return self.show(who, {}) | {self.problem: self.done(self.words["went_back"])}

        return self.answer(request, do)

    def _listed(self, query: str, language: str) -> str:
        wanted = query.strip().casefold()
        loaded = [load_rules(path) for path in rule_files(self.desk.settings)]
        rules = [
            rule
            for file in loaded
            if file.language == language
            for rule in file.rules
            if wanted in rule.model_dump_json().casefold()
        ]
        return self.desk.render("rules.html", rules=rules)

    def search(self, query: str, language: str, request: gr.Request) -> Updates:
        return self.answer(request, lambda _who: {self.table: self._listed(query or "", language)})

    def begin(self, request: gr.Request) -> Updates:
        return self.answer(request, lambda _who: {self.rule: "", self.text: NEW})

    def _draft(self, rule: str, file: str | None, text: str) -> Draft:
        settings = self.desk.settings
        files = {str(path): path for path in rule_files(settings)}
        place: Block | Path | None = (
            find_rule(settings, rule.strip()) if (rule or "").strip() else files.get(file or "")
        )
        if place is None:
            raise Rejected(self.words["no_file"])
        return draft(settings, place, text or "")

    def try_out(
        self, rule: str, file: str | None, text: str, language: Language, heard: str, said: str, stage: Any,
        request: gr.Request,
    ) -> Updates:  # fmt: skip
        """What the rules, with the one in the editor as it stands there, find in a sentence."""

        def do(_who: str) -> Updates:
            standards = self._draft(rule, file, text).standards if (text or "").strip() else self.standards()
            context = (Turn("customer", heard),) if (heard or "").strip() else ()
            found = standards.find(Exchange(language, context, said or ""), stage)
            return {
                self.found: self.desk.render("findings.html", findings=found, rules=standards.rules, said=said or "")
            }

        return self.answer(request, do)

    def again(self, rule: str, file: str | None, text: str, request: gr.Request) -> Updates:
        """How last month's replies would score with the rule in the editor."""

        def do(_who: str) -> Updates:
            made = self._draft(rule, file, text)
            rows = self.desk.records.calls(limit=REPLAYED, since=now() - timedelta(days=31))
            grader = self.desk.room.grader
            judge = grader if isinstance(grader, BundledGrader) else None
            calls = [self.desk.room.call(row.id) for row in rows]
            seen = effect(calls, self.standards(), made.standards, judge)
            return {self.effect: self.desk.render("effect.html", effect=seen, calls=len(calls))}

        return self.answer(request, do)

    def publish(self, rule: str, file: str | None, text: str, request: gr.Request) -> Updates:
        """Put the rule in force; with a mistake in it nothing changes, and the text stays."""

        def do(who: str) -> Updates:
            made = self._draft(rule, file, text)
            publish(self.desk.records, self.desk.settings, made, who)
            self.desk.room.renew()
            self.note(who, "published a rule", "", (rule or "").strip())
            asked = {"rule": rule.strip()} if (rule or "").strip() in made.standards.rules else {}
            return self.show(who, asked) | {self.problem: self.done(self.words["published"])}

        return self.answer(request, do)

    def to_shipped(self, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            back_to_shipped(self.desk.settings)
            self.desk.room.renew()
            self.note(who, "went back to the shipped rules")
            return self.show(who, {}) | {self.problem: self.done(self.words["is_shipped"])}

        return self.answer(request, do)
