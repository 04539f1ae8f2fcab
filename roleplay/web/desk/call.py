"""One call as those see it who check quality: its report, and a form to correct grades with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from roleplay.call import Call
from roleplay.grounds import grounds
from roleplay.records import ReviewRow
from roleplay.reports import make_report
from roleplay.reviews import correct, machine_grade
from roleplay.rubric import DIMENSIONS, Dimension
from roleplay.texts import texts
from roleplay.web import views
from roleplay.web.desk.section import QUICK, Section, Updates


class CallSection(Section):
    name, right = "call", "read_results"

    def build(self) -> None:
        words = self.words
        self.call_id = gr.Textbox(visible=False)
        self.head = self.html("call_head")
        with gr.Accordion(words["correct"], open=True, elem_id="correct") as self.form:
            self.reply = gr.Dropdown([], label=words["reply"], elem_id="reply_number")
            self.before = self.html("before")
            with gr.Row(elem_classes=["inline"]):
                self.scores = {name: self._points(name) for name in DIMENSIONS}
            self.reason = gr.Textbox(
                label=words["reason"],
                placeholder=words["reason_placeholder"],
                max_length=1000,
                lines=2,
                elem_id="reason",
            )
            with gr.Row(elem_classes=["inline"]):
                self.keep = gr.Button(words["keep"], variant="primary", elem_id="keep")
                self.agree = gr.Button(words["agree"], elem_id="agree")
        self.report = self.html("call_report")

    def _points(self, name: Dimension) -> gr.Radio:
        choices: list[tuple[str, str]] = [(str(point), str(point)) for point in range(1, 6)]
        if name == "accuracy":
            choices.append((self.words["not_due"], "none"))
        label = texts(self.desk.language)["dimensions"][name]
        return gr.Radio(choices, label=label, elem_id=f"points_{name}", min_width=220)

    @property
    def parts(self) -> list[Any]:
        return [
            self.call_id,
            self.head,
            self.form,
            self.reply,
            self.before,
            *self.scores.values(),
            self.reason,
            self.report,
        ]

    @property
    def clickable(self) -> list[Any]:
        return [self.head, self.report]

    def wire(self) -> None:
        self.reply.change(
            self.choose, [self.reply, self.call_id], [self.problem, self.before, *self.scores.values()], **QUICK
        )
        inputs = [self.call_id, self.reply, *self.scores.values(), self.reason]
        self.keep.click(self.correct, inputs, self.outputs, **QUICK)
        self.agree.click(self.confirm, [self.call_id, self.reason], self.outputs, **QUICK)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        call = self.desk.room.call(asked.get("call", ""))
        self.note(who, "read a call", call.row.trainee, call.id)
        return self._shown(call, int(asked["reply"]) if asked.get("reply", "").isdigit() else 0)

    def _shown(self, call: Call, number: int = 0) -> Updates:
        desk = self.desk
        room, grades = desk.room, desk.room.grades(call.id)
        held = grounds(call, grades, room.knowledge, room.grader.standards)
        made = replace(make_report(call, grades), grounds=held)
        number = number if 1 <= number <= len(call.exchanges) else (made.lowest or (1,))[0]
        reviews = desk.records.reviews(call.id)
        choices = [(f"{each.number}. {each.reply.text[:40]}", each.number) for each in call.exchanges]
        shown: Updates = {
            self.call_id: call.id,
            self.head: desk.render("call_head.html", call=call, reviews=reviews, person=desk.person(call.row.trainee)),
            self.form: gr.update(visible=bool(call.exchanges)),
            self.reply: gr.update(choices=choices, value=number if choices else None),
            self.reason: "",
            self.report: views.report(made, desk.language, actions=False),
        }
        return shown | (self._chosen(call, number) if choices else {})

    def _chosen(self, call: Call, number: int) -> Updates:
        counted = self.desk.room.grades(call.id).get(number)
        machine = machine_grade(self.desk.records, call.id, number)
        each = call.exchanges[number - 1]
        before = self.desk.render("before.html", each=each, machine=machine, counted=counted, call=call)
        values = {name: counted.scores[name] if counted else None for name in DIMENSIONS}
        return {self.before: before} | {
            self.scores[name]: None if score is None else "none" if score.value is None else str(round(score.value))
            for name, score in values.items()
            if score is None or score.value is not None or name == "accuracy"
        }

    def choose(self, number: int | None, call_id: str, request: gr.Request) -> Updates:
        """Another reply was chosen."""
        return self.answer(
            request, lambda _who: self._chosen(self.desk.room.call(call_id), int(number)) if number else {}
        )

    def correct(
        self, call_id: str, number: int | None, empathy: str, accuracy: str, phrasing: str, reason: str,
        request: gr.Request,
    ) -> Updates:  # fmt: skip
        """Keep a person's scores of a reply."""

        def keep(who: str) -> Updates:
            given: dict[Dimension, float | None] = {
                name: float(value) if value in ("1", "2", "3", "4", "5") else None
                for name, value in zip(DIMENSIONS, (empathy, accuracy, phrasing), strict=True)
            }
            if accuracy is None:
                given["accuracy"] = 0  # nothing was chosen, which is not the same as that no fact was due
            call = self.desk.room.call(call_id)
            correct(self.desk.records, call_id, int(number or 0), given, reason, who)
            self.note(who, "corrected a grade", call.row.trainee, f"{call_id} {number}")
            return self._shown(call, int(number or 0)) | {self.problem: self.done(self.words["kept"])}

        return self.answer(request, keep, "correct_grades")

    def confirm(self, call_id: str, text: str, request: gr.Request) -> Updates:
        """Somebody has read the call and finds its grades right."""

        def keep(who: str) -> Updates:
            call = self.desk.room.call(call_id)
            self.desk.records.keep_review(ReviewRow(call_id, 0, "made", who, text.strip()[:1000]))
            self.note(who, "checked a call", call.row.trainee, call_id)
            return self._shown(call) | {self.problem: self.done(self.words["confirmed"])}

        return self.answer(request, keep, "correct_grades")
