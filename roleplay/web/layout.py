"""The controls of the page in one language, and where they stand. What they do is in `handlers`."""

from __future__ import annotations

from typing import get_args

import gradio as gr

from roleplay.dialogue import Language
from roleplay.persona import Topic
from roleplay.room import LONGEST_REPLY
from roleplay.texts import texts
from roleplay.web import views

# A click on whatever carries data-go is told to the server; with Ctrl or the middle button a link stays a link.
GO = """
element.addEventListener('click', (event) => {
  const target = event.target.closest('[data-go]');
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  trigger('select', { go: target.dataset.go });
});
"""


class Layout:
    """All components of one page, by name. Made inside a `gr.Blocks`."""

    def __init__(self, language: Language, switch: bool) -> None:
        self.language, self.words = language, texts(language)["page"]
        self.switch = switch  # whether the page is there in the other language as well
        self.address = gr.Textbox(visible=False)  # the query part of the address: what is being looked at
        self.call_id = gr.Textbox(visible=False)
        self.to_grade = gr.Number(0, visible=False)  # number of the reply that waits for its score
        self.header = self._html("header")
        self.problem = self._html("problem")
        with gr.Column(visible=False, elem_id="pick") as self.pick:
            self._pick()
        with gr.Column(visible=False, elem_id="call") as self.call:
            self._call()
        with gr.Column(visible=False, elem_id="report") as self.report_view:
            self.report = self._html("report_sheet")
        with gr.Column(visible=False, elem_id="history") as self.history_view:
            self.history = self._html("past_calls")

    def _html(self, elem_id: str) -> gr.HTML:
        return gr.HTML("", js_on_load=GO, elem_id=elem_id)

    @property
    def clickable(self) -> list[gr.HTML]:
        """What may hold links and buttons of its own."""
        return [self.header, self.cards, self.banner, self.report, self.history]

    @property
    def wishes(self) -> list[gr.Dropdown]:
        return [self.languages, self.direction, self.difficulty, self.topic]

    @property
    def speaking(self) -> list[gr.Textbox | gr.Button]:
        """What is out of use while the customer speaks, and once the call is over."""
        return [self.box, self.send, self.silent, self.hang_up]

    def _pick(self) -> None:
        pick = self.words["pick"]
        gr.HTML(views.render("intro.html", self.language))
        with gr.Row(elem_id="filters"):
            self.languages = self._choice(pick["language"], self.words["languages"], self.language)
            self.direction = self._choice(pick["direction"], self.words["directions"])
            self.difficulty = self._choice(self.words["difficulty"], self.words["difficulties"])
            topics = {name: self.words["topics"][name] for name in ("all", *get_args(Topic))}
            self.topic = self._choice(pick["topic"], topics)
            self.surprise = gr.Button(pick["surprise"], elem_id="surprise", min_width=120)
        self.cards = self._html("cards")

    def _choice(self, label: str, names: dict, value: str = "all") -> gr.Dropdown:
        choices = [(text, str(name)) for name, text in names.items()]
        return gr.Dropdown(choices, value=value, label=label, filterable=False, min_width=140)

    def _call(self) -> None:
        call = self.words["call"]
        self.head = self._html("head")
        with gr.Row(elem_id="desk"):
            with gr.Column(scale=5, min_width=340, elem_id="talk"):
                # Markdown is off, and `handlers.messages` escapes HTML, which gradio would still render.
                self.chat = gr.Chatbot(
                    show_label=False, label=call["chat"], render_markdown=False, buttons=[], height=None,
                    group_consecutive_messages=True, feedback_options=None, elem_id="chat",
                )  # fmt: skip
                self.banner = self._html("banner")
                # With one line to begin with, Enter sends; Shift+Enter starts the next.
                self.box = gr.Textbox(
                    label=call["reply"], placeholder=call["placeholder"], lines=1, max_lines=6, elem_id="box",
                    max_length=2 * LONGEST_REPLY,
                )  # fmt: skip
                with gr.Row(elem_id="buttons"):
                    self.send = gr.Button(call["send"], variant="primary", elem_id="send", min_width=90)
                    self.silent = gr.Button(call["silent"], elem_id="silent", min_width=90)
                    self.hang_up = gr.Button(call["hang_up"], variant="stop", elem_id="hang_up", min_width=90)
            with gr.Column(scale=4, min_width=300, elem_id="panels"):
                with gr.Accordion(call["mood"], elem_id="mood"):
                    self.mood = gr.HTML("")
                with gr.Accordion(call["feedback"], elem_id="feedback"):
                    self.coach = gr.Checkbox(True, label=call["coach"], container=False, elem_id="coach")
                    self.feedback = gr.HTML("")
                with gr.Accordion(call["screen"], elem_id="screen") as self.screen_panel:
                    self.screen = gr.HTML("")
                with gr.Accordion(call["search"], elem_id="search") as self.search_panel:
                    with gr.Row(elem_id="searchbar"):
                        self.query = gr.Textbox(
                            label=call["query"], placeholder=call["query_placeholder"], max_length=300,
                            scale=4, min_width=160, elem_id="query",
                        )  # fmt: skip
                        self.find = gr.Button(call["find"], scale=1, min_width=64)
                    self.hits = gr.HTML("")
