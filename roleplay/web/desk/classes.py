"""Classes: who is in them, what they are to practise until when, training plans and certificates."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

import gradio as gr

from roleplay.cohorts import Cohort
from roleplay.errors import Rejected
from roleplay.plans import TEMPLATE, Progress, Task, kept_plan, parse_plan, progress, progress_of, task
from roleplay.results import Result
from roleplay.rosters import Enrolled, read_roster
from roleplay.web.desk.section import LONG, QUICK, Section, Updates


class ClassesSection(Section):
    name, right = "classes", "teach"

    def build(self) -> None:
        words = self.words
        self.head = self.html("classes_head")
        with gr.Row(elem_classes=["inline"]):
            self.cohort = gr.Dropdown([], label=words["class"], elem_id="cohort")
            self.new = gr.Textbox(label=words["new"], max_length=64, elem_id="new_class")
            self.add = gr.Button(words["add"], elem_id="add_class")
        self.out = self.html("class_out")
        with gr.Accordion(words["roster"], open=False):
            self.hint = self.html("roster_hint")
            self.file = gr.File(label=words["roster_file"], file_types=[".csv"], height=120, elem_id="roster")
            self.preview = self.html("roster_preview")
            self.seen = gr.Textbox(visible=False)  # the roster that was looked at
            self.enrol = gr.Button(words["enrol"], variant="primary", elem_id="enrol")
            with gr.Row(elem_classes=["inline"]):
                self.member = gr.Dropdown([], label=words["member"])
                self.leave = gr.Button(words["leave"])
        with gr.Accordion(words["assign"], open=False):
            self.work = self.html("assign_form")
        with gr.Accordion(words["plan"], open=False):
            with gr.Row(elem_classes=["inline"]):
                self.plan = gr.Dropdown([], label=words["plan_of"], elem_id="plan")
                self.compare = gr.Checkbox(False, label=words["compare"])
                self.settle = gr.Button(words["settle"])
            self.yaml = gr.Code(
                "", language="yaml", label=words["plan_text"], lines=12, wrap_lines=True, elem_id="plan_yaml"
            )
            self.keep = gr.Button(words["keep_plan"], variant="primary", elem_id="keep_plan")
        with gr.Accordion(words["remove"], open=False), gr.Row(elem_classes=["inline"]):
            self.confirm = gr.Textbox(label=words["confirm"], max_length=64)
            self.remove = gr.Button(words["remove_button"], variant="stop")

    @property
    def parts(self) -> list[Any]:
        return [
            self.head, self.cohort, self.new, self.out, self.file, self.hint, self.preview, self.seen, self.member,
            self.work, self.plan, self.compare, self.yaml, self.confirm,
        ]  # fmt: skip

    @property
    def clickable(self) -> list[Any]:
        return [self.out]

    def wire(self) -> None:
        for button, do, inputs in (
            (self.add, self.add_class, [self.new]),
            (self.leave, self.take_out, [self.cohort, self.member]),
            (self.settle, self.change, [self.cohort, self.plan, self.compare]),
            (self.keep, self.keep_plan, [self.cohort, self.yaml]),
            (self.remove, self.remove_class, [self.cohort, self.confirm]),
        ):  # fmt: skip
            button.click(do, inputs, self.outputs, **QUICK)
        self.file.upload(
            self.look_at_roster, [self.cohort, self.file], [self.problem, self.preview, self.seen], **QUICK
        )
        self.enrol.click(self.read_roster, [self.cohort, self.file, self.seen], self.outputs, **LONG)
        self.work.select(self.give, self.cohort, self.outputs, **QUICK)
        self.cohort.input(self.choose, self.cohort, self.outputs, **QUICK)
        self.plan.input(self.choose_plan, self.plan, [self.problem, self.yaml], **QUICK)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, words = self.desk, self.words
        cohorts = desk.records.cohorts.all()
        cohort = next((each for each in cohorts if each.name == asked.get("class")), cohorts[0] if cohorts else None)
        library = desk.library()
        personas = sorted(((each.title, each.id) for each in library.personas.values()), key=lambda each: each[0])
        plans = desk.records.cohorts.plan_texts()
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        plan = cohort.plan if cohort else ""
        given = desk.records.cohorts.assignments([cohort.name]) if cohort else []
        return {
            self.head: desk.render("classes_head.html", any=bool(cohorts)),
            self.cohort: gr.update(choices=[each.name for each in cohorts], value=cohort.name if cohort else None),
            self.new: "",
            self.out: self._class(cohort) if cohort else desk.render("nothing.html", text=words["nothing"]),
            self.file: None,
            self.hint: desk.render("roster_hint.html"),
            self.preview: "",
            self.seen: "",
            self.member: gr.update(choices=list(cohort.people) if cohort else [], value=None),
            self.work: desk.render(
                "assign.html",
                personas=personas,
                given=given,
                opens=now,
                due=now + timedelta(days=7),
                title=lambda name: desk.title(name, library),
            ),
            self.plan: gr.update(choices=[(words["no_plan"], ""), *((name, name) for name in plans)], value=plan),
            self.compare: bool(cohort and cohort.compare),
            self.yaml: plans.get(plan) or self._template(),
            self.confirm: "",
        }

    def _template(self) -> str:
        wanted = [each for each in self.desk.library().personas.values() if each.language == self.desk.language]
        easy = sorted(wanted, key=lambda each: (each.difficulty, each.id))
        names = {name: self.words["plan_names"][name] for name in ("title", "first", "second", "certificate")}
        return TEMPLATE.format(one=easy[0].id, two=easy[-1].id, **names) if easy else ""

    def _class(self, cohort: Cohort) -> str:
        """How everybody in the class stands with everything that it was given."""
        desk, now = self.desk, datetime.now(UTC)
        results: dict[str, list[Result]] = {name: desk.results.find(name) for name in cohort.people}
        given = desk.records.cohorts.assignments([cohort.name])
        tasks: dict[str, list[Task]] = {
            name: [task(each, name, results[name], now) for each in given] for name in cohort.people
        }
        text = desk.records.cohorts.plan_texts().get(cohort.plan)
        plan = kept_plan(text) if text else None
        made: dict[str, Progress] = {name: progress(plan, results[name]) for name in cohort.people} if plan else {}
        for name, each in made.items():
            if each.complete:
                progress_of(desk.records, desk.results, name)  # gives the certificate that is due
        library = desk.library()
        return desk.render(
            "class.html", cohort=cohort, given=given, tasks=tasks, plan=plan, progress=made,
            title=lambda name: desk.title(name, library),
            certificates={each.person: each for each in desk.records.cohorts.certificates() if each.plan == cohort.plan},
        )  # fmt: skip

    def choose(self, name: str | None, request: gr.Request) -> Updates:
        return self.answer(request, lambda who: self.show(who, {"class": name or ""}))

    def choose_plan(self, name: str | None, request: gr.Request) -> Updates:
        texts = self.desk.records.cohorts.plan_texts
        return self.answer(request, lambda _who: {self.yaml: texts().get(name or "") or self._template()})

    def add_class(self, name: str, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            self.desk.records.cohorts.add((name or "").strip())
            self.note(who, "made a class", "", name.strip())
            return self.show(who, {"class": name.strip()}) | {self.problem: self.done(self.words["added"])}

        return self.answer(request, do)

    def _roster(self, who: str, file: str | None) -> tuple[list[Enrolled], str]:
        """The people of a roster, and what tells it from another one. Raises Rejected for roles that one may not give."""
        if not file:
            raise Rejected(self.words["no_file"])
        people = read_roster(file)
        may_give = {"trainee"} | (
            {"checker", "trainer", "admin"} if self.desk.staff.may(who, "manage_people") else set()
        )
        if wrong := [each.name for each in people if each.role not in may_give]:
            raise Rejected(self.words["only_admin"].format(names=", ".join(wrong[:10])))
        return people, hashlib.sha256(repr(people).encode()).hexdigest()

    def look_at_roster(self, cohort: str | None, file: str | None, request: gr.Request) -> Updates:
        """What bringing the roster in would do: who joins the class, who gets a login; nothing is changed."""

        def do(who: str) -> Updates:
            people, seen = self._roster(who, file)
            there = {user.name for user in self.desk.records.people.all()}
            inside = next((each.people for each in self.desk.records.cohorts.all() if each.name == cohort), ())
            new = [] if self.desk.staff.alone else [each for each in people if each.name not in there]
            near = {each.name: get_close_matches(each.name, there, n=1, cutoff=0.6) for each in new}
            shown = self.desk.render(
                "roster_preview.html", people=people, new=new, near=near, inside=set(inside), cohort=self._named(cohort)
            )
            return {self.preview: shown, self.seen: seen}

        return self.answer(request, do)

    def read_roster(self, cohort: str | None, file: str | None, seen: str, request: gr.Request) -> Updates:
        """Everybody in the file is put into the class; who cannot log in yet gets a password, shown once."""

        def do(who: str) -> Updates:
            people, now = self._roster(who, file)
            if now != seen:
                raise Rejected(self.words["look_first"])
            there = {user.name for user in self.desk.records.people.all()}
            name = self._named(cohort)
            new = self.desk.records.cohorts.enrol(name, [each.name for each in people if each.role == "trainee"])
            passwords = []
            if not self.desk.staff.alone:
                for each in people:
                    if each.name not in there:
                        password = secrets.token_urlsafe(9)
                        self.desk.records.people.add(each.name, each.role, password, must_change=True)
                        passwords.append((each.name, password))
            self.note(who, "enrolled people", "", f"{name}: {new}")
            told = self.done(self.words["enrolled"].format(number=new))
            if passwords:
                told += self.desk.render("passwords.html", passwords=passwords)
            return self.show(who, {"class": name}) | {self.problem: told}

        return self.answer(request, do)

    def take_out(self, cohort: str | None, person: str | None, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            if not person:
                raise Rejected(self.words["nobody_chosen"])
            self.desk.records.cohorts.leave(self._named(cohort), person)
            return self.show(who, {"class": self._named(cohort)})

        return self.answer(request, do)

    def give(self, cohort: str | None, event: gr.EventData, request: gr.Request) -> Updates:
        """Work is assigned or taken back: a button of the section's own form was pressed."""
        form = {str(key): str(value) for key, value in dict(event.form or {}).items()}
        what, _, number = str(event.go).partition("=")
        if what == "withdraw":
            return self.take_back(cohort, int(number) if number.isdecimal() else None, request)

        def moment(name: str) -> datetime | None:
            try:
                return datetime.fromisoformat(form.get(name, ""))
            except ValueError:
                return None

        try:
            attempts, mark = int(form.get("attempts") or 0), float(form["mark"]) if form.get("mark") else None
        except ValueError:
            return self.answer(
                request, lambda _who: {self.problem: self.desk.notice("error", self.words["incomplete"])}
            )
        return self.assign(
            cohort, form.get("persona"), form.get("mode", ""), moment("opens"), moment("due"), attempts, mark, request
        )

    def assign(
        self, cohort: str | None, persona: str | None, mode: str, opens: datetime | None, due: datetime | None,
        attempts: float | None, mark: float | None, request: gr.Request,
    ) -> Updates:  # fmt: skip
        def do(who: str) -> Updates:
            if not persona or opens is None or due is None:
                raise Rejected(self.words["incomplete"])
            self.desk.library().get(persona)
            self.desk.records.cohorts.assign(
                self._named(cohort), persona, mode, opens.astimezone(UTC), due.astimezone(UTC),
                attempts=int(attempts or 0), pass_mark=mark, by=who,
            )  # fmt: skip
            return self.show(who, {"class": self._named(cohort)}) | {self.problem: self.done(self.words["assigned"])}

        return self.answer(request, do)

    def take_back(self, cohort: str | None, number: int | None, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            if not number:
                raise Rejected(self.words["nothing_chosen"])
            self.desk.records.cohorts.withdraw(int(number))
            return self.show(who, {"class": self._named(cohort)})

        return self.answer(request, do)

    def change(self, cohort: str | None, plan: str | None, compare: bool, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            self.desk.records.cohorts.change(self._named(cohort), plan=plan or "", compare=bool(compare))
            return self.show(who, {"class": self._named(cohort)}) | {self.problem: self.done(self.words["changed"])}

        return self.answer(request, do)

    def keep_plan(self, cohort: str | None, text: str, request: gr.Request) -> Updates:
        """Keep a plan; what is wrong is said with its line, and the text stays."""

        def do(who: str) -> Updates:
            plan = parse_plan(text or "", self.desk.library().personas)
            self.desk.records.cohorts.keep_plan(plan.id, text)
            if cohort:
                there = next(each for each in self.desk.records.cohorts.all() if each.name == cohort)
                self.desk.records.cohorts.change(cohort, plan=plan.id, compare=there.compare)
            return self.show(who, {"class": cohort or ""}) | {self.problem: self.done(self.words["plan_kept"])}

        return self.answer(request, do)

    def remove_class(self, cohort: str | None, typed: str, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            if self._named(cohort) != (typed or "").strip():
                raise Rejected(self.words["not_typed"])
            self.desk.records.cohorts.remove(self._named(cohort))
            self.note(who, "removed a class", "", self._named(cohort))
            return self.show(who, {}) | {self.problem: self.done(self.words["removed"])}

        return self.answer(request, do)

    def _named(self, cohort: str | None) -> str:
        if not cohort:
            raise Rejected(self.words["no_class"])
        return cohort
