"""The controls of the page and where they stand. What they do is in `handlers` and `talk`.

One page serves both languages: it is laid out without words, which `worded` puts in.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from roleplay.room import LONGEST_REPLY
from roleplay.texts import texts

# A click on whatever carries data-go is told to the server, with the form that it stands in; with Ctrl or the
# middle button a link stays a link.
GO = """
element.addEventListener('click', (event) => {
  const target = event.target.closest('[data-go]');
  if (!target || target.disabled || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const form = target.closest('form');
  if (form && !form.reportValidity()) return;
  const data = form ? Object.fromEntries(new FormData(form)) : {};
  for (const field of form ? form.querySelectorAll('input[type=datetime-local]') : [])
    data[field.name] = field.value && new Date(field.value).toISOString(); // typed in local time
  trigger('select', { go: target.dataset.go, form: data });
});
"""
# What is written on the sheet is told as soon as a field is left; fields left one right after the other, together.
SAVES = """
let soon;
element.addEventListener('change', (event) => {
  const form = event.target.closest('form[data-saves]');
  if (!form) return;
  clearTimeout(soon);
  soon = setTimeout(() => trigger('select', { go: 'act=sheet', form: Object.fromEntries(new FormData(form)) }), 250);
});
"""
LOADING = '<div class="loading" aria-hidden="true"><i></i><i></i><i></i></div>'  # until the first answer is there


class Layout:
    """All components of the page, by name. Made inside a `gr.Blocks`."""

    def __init__(self) -> None:
        self.language = gr.Textbox(visible=False)
        self.address = gr.Textbox(visible=False)  # the query part of the address: what is being looked at
        self.call_id = gr.Textbox(visible=False, elem_id="call_id")
        self.to_grade = gr.Number(0, visible=False)  # number of the reply that waits for its score
        self.header = gr.HTML(LOADING, js_on_load=GO, elem_id="header")
        self.problem = self._html("problem")
        with gr.Column(visible=False, elem_id="pick") as self.pick_view:
            self.pick = self._html("picking")
        with gr.Column(visible=False, elem_id="ring") as self.ring_view:
            self.ring = self._html("ringing")
        with gr.Column(visible=False, elem_id="call") as self.call_view:
            self._call()
        with gr.Column(visible=False, elem_id="report") as self.report_view:
            self.report = self._html("report_sheet")
        with gr.Column(visible=False, elem_id="history") as self.progress_view:
            self.progress = self._html("past_calls")

    def _html(self, elem_id: str) -> gr.HTML:
        return gr.HTML("", js_on_load=GO, elem_id=elem_id)

    @property
    def views(self) -> dict[str, gr.Column]:
        return {
            "pick": self.pick_view, "ring": self.ring_view, "call": self.call_view, "report": self.report_view,
            "progress": self.progress_view,
        }  # fmt: skip

    @property
    def clickable(self) -> list[gr.HTML]:
        """What may hold links and buttons of its own."""
        return [
            self.header, self.pick, self.ring, self.head, self.banner, self.controls, self.sheet, self.report,
            self.progress,
        ]  # fmt: skip

    @property
    def speaking(self) -> list[gr.Textbox | gr.Button]:
        """What is out of use while the customer speaks or waits, and once the call is over."""
        return [self.box, self.send, self.silent, self.hang_up]

    @property
    def everything(self) -> list[Any]:
        """What handlers may change."""
        return [
            self.language, self.address, self.call_id, self.to_grade, *self.views.values(), *self.clickable,
            self.problem, self.chat, self.live, self.mood, self.screen, self.feedback, self.hits, self.query, self.hints,
            self.coach, self.find, self.feedback_tab, self.screen_tab, self.sheet_tab, self.search_tab, self.saved,
            *self.speaking,
        ]  # fmt: skip

    def worded(self, language: str) -> dict[Any, Any]:
        """Everything that says something, in this language."""
        call = texts(language)["page"]["call"]
        return {
            self.language: language,
            self.box: gr.update(label=call["reply"]),
            self.send: gr.update(value=call["send"]),
            self.silent: gr.update(value=call["silent"]),
            self.hang_up: gr.update(value=call["hang_up"]),
            self.coach: gr.update(label=call["coach"]),
            self.query: gr.update(label=call["query"], placeholder=call["query_placeholder"]),
            self.find: gr.update(value=call["find"]),
            self.feedback_tab: gr.update(label=call["feedback"]),
            self.screen_tab: gr.update(label=call["screen"]),
            self.sheet_tab: gr.update(label=texts(language)["sheet"]["tab"]),
            self.search_tab: gr.update(label=call["search"]),
        }

    def _call(self) -> None:
        self.head = self._html("head")
        with gr.Row(elem_id="desk"):
            with gr.Column(scale=5, min_width=340, elem_id="talk"):
                with gr.Column(elem_id="chat"):
                    self.chat = gr.HTML("", elem_id="said")
                    self.live = gr.HTML("", elem_id="live")
                self.banner = self._html("banner")
                self.hints = gr.HTML("", elem_id="hints")
                # With one line to begin with, Enter sends; Shift+Enter starts the next.
                self.box = gr.Textbox(lines=1, max_lines=6, elem_id="box", max_length=2 * LONGEST_REPLY)
                with gr.Row(elem_id="buttons"):
                    self.send = gr.Button(variant="primary", elem_id="send", min_width=90)
                    self.silent = gr.Button(elem_id="silent", min_width=90)
                    self.hang_up = gr.Button(variant="stop", elem_id="hang_up", min_width=90)
                self.controls = self._html("controls")
            with gr.Column(scale=4, min_width=300, elem_id="panels"):
                self.mood = gr.HTML("", elem_id="mood")
                with gr.Tabs(elem_id="tabs"):
                    with gr.Tab("·", id="feedback") as self.feedback_tab:
                        self.coach = gr.Checkbox(True, label="·", container=False, elem_id="coach")
                        self.feedback = gr.HTML("", elem_id="feedback")
                    with gr.Tab("·", id="screen") as self.screen_tab:
                        self.screen = gr.HTML("", elem_id="screen")
                    with gr.Tab("·", id="sheet") as self.sheet_tab:
                        self.sheet = gr.HTML("", js_on_load=GO + SAVES, elem_id="sheet")
                        self.saved = gr.HTML("", elem_id="sheet_saved")
                    with gr.Tab("·", id="search") as self.search_tab:
                        with gr.Row(elem_id="searchbar"):
                            self.query = gr.Textbox(max_length=300, scale=4, min_width=160, elem_id="query")
                            self.find = gr.Button(scale=1, min_width=64)
                        self.hits = gr.HTML("", elem_id="hits")
