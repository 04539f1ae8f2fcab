"""People: who may log in and as what, what is deleted of whom, and the log of who read what."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import gradio as gr

from roleplay.errors import Rejected
from roleplay.roles import ROLES
from roleplay.web.desk.section import QUICK, Section, Updates


class PeopleSection(Section):
    name, right = "people", "manage_people"

    def build(self) -> None:
        words = self.words
        self.head = self.html("people_head")
        with gr.Accordion(words["add"], open=False), gr.Row(elem_classes=["inline"]):
            self.new = gr.Textbox(label=words["name"], max_length=64, elem_id="new_name")
            self.role = self._roles()
            self.add = gr.Button(words["add_button"], variant="primary", elem_id="add_user")
        with gr.Accordion(words["change"], open=False):
            with gr.Row(elem_classes=["inline"]):
                self.person = gr.Dropdown([], label=words["person"], elem_id="person")
                self.other_role = self._roles()
                self.set_role = gr.Button(words["set_role"])
                self.reset = gr.Button(words["reset"])
                self.remove = gr.Button(words["remove"])
            with gr.Row(elem_classes=["inline"]):
                self.confirm = gr.Textbox(
                    label=words["confirm"], placeholder=words["confirm_placeholder"], max_length=64, elem_id="confirm"
                )
                self.delete = gr.Button(words["delete"], variant="stop", elem_id="delete_person")
        with gr.Accordion(words["log"], open=False):
            self.whose = gr.Textbox(label=words["whose"], max_length=64)
            self.log = self.html("log")
        self.backup = self.html("backup")

    def _roles(self) -> gr.Dropdown:
        return gr.Dropdown(
            [(self.words["roles"][role], role) for role in ROLES], value="trainee", label=self.words["role"]
        )

    @property
    def parts(self) -> list[Any]:
        return [self.head, self.new, self.person, self.confirm, self.log, self.backup]

    def wire(self) -> None:
        for button, do, inputs in (
            (self.add, self.add_user, [self.new, self.role]),
            (self.set_role, self.change_role, [self.person, self.other_role]),
            (self.reset, self.reset_password, [self.person]),
            (self.remove, self.remove_login, [self.person]),
            (self.delete, self.delete_person, [self.person, self.confirm]),
        ):
            button.click(do, inputs, self.outputs, **QUICK)
        self.whose.change(self.show_log, self.whose, [self.problem, self.log], **QUICK)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        people = self.desk.records.people
        users = people.all()
        calls: dict[str, int] = {}
        for row in self.desk.records.calls(limit=None):
            calls[row.trainee] = calls.get(row.trainee, 0) + 1
        names = sorted({user.name for user in users} | set(calls) - {""})
        keep_days = self.desk.settings.keep_days
        return {
            self.head: self.desk.render("people.html", users=users, calls=calls, alone=self.desk.staff.alone),
            self.person: gr.update(choices=names, value=None),
            self.confirm: "",
            self.log: self._log(""),
            self.backup: self.desk.render("backup.html", keep_days=keep_days),
        }

    def _log(self, whose: str) -> str:
        lines = self.desk.records.people.noted(whose.strip() or None)
        return self.desk.render("log.html", lines=lines)

    def show_log(self, whose: str, request: gr.Request) -> Updates:
        return self.answer(request, lambda _who: {self.log: self._log(whose or "")})

    def add_user(self, name: str, role: str, request: gr.Request) -> Updates:
        """Somebody may log in, with a password that is shown once and changed at the first login."""

        def do(who: str) -> Updates:
            password = secrets.token_urlsafe(9)
            self.desk.records.people.add((name or "").strip(), role, password, must_change=True)  # type: ignore[arg-type]
            self.note(who, "added a user", name.strip(), role)
            told = self.desk.render("passwords.html", passwords=[(name.strip(), password)])
            return self.show(who, {}) | {self.problem: told, self.new: ""}

        return self.answer(request, do)

    def change_role(self, name: str | None, role: str, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            self.desk.records.people.set_role(self._named(name), role)  # type: ignore[arg-type]
            self.note(who, "changed a role", self._named(name), role)
            return self.show(who, {}) | {self.problem: self.done(self.words["changed"])}

        return self.answer(request, do)

    def reset_password(self, name: str | None, request: gr.Request) -> Updates:
        """A new password for somebody who has lost theirs."""

        def do(who: str) -> Updates:
            password = secrets.token_urlsafe(9)
            self.desk.records.people.set_password(self._named(name), password, must_change=True)
            self.note(who, "gave a new password", self._named(name))
            return {self.problem: self.desk.render("passwords.html", passwords=[(name, password)])}

        return self.answer(request, do)

    def remove_login(self, name: str | None, request: gr.Request) -> Updates:
        def do(who: str) -> Updates:
            self.desk.records.people.remove(self._named(name))
            self.note(who, "removed a login", self._named(name))
            return self.show(who, {}) | {self.problem: self.done(self.words["removed"])}

        return self.answer(request, do)

    def delete_person(self, name: str | None, typed: str, request: gr.Request) -> Updates:
        """Everything that is kept of a person, after the name has been typed once more."""

        def do(who: str) -> Updates:
            if self._named(name) != (typed or "").strip():
                raise Rejected(self.words["not_typed"])
            if self.desk.records.people.user(self._named(name)) is not None:
                self.desk.records.people.remove(self._named(name))  # refuses the only admin
            gone = self.desk.records.delete_person(self._named(name))
            self.note(who, "deleted a person", "", f"{gone} calls")
            return self.show(who, {}) | {self.problem: self.done(self.words["deleted"].format(number=gone))}

        return self.answer(request, do)

    def _named(self, name: str | None) -> str:
        if not name:
            raise Rejected(self.words["nobody_chosen"])
        return name
