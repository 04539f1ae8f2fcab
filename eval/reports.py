"""What a run found, for people: one self-contained HTML file, Markdown for a pull request, and the terminal.

A suite says what stands in its report (`Story`); the words are in templates/texts.LANGUAGE.yaml, the
looks in templates/report.html and report.md. Texts of models, trainees and files are escaped everywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import east_asian_width

from markupsafe import Markup

from eval import intervals
from eval.specification import flat
from eval.suites import TOO_FEW, Plot, Story, Table, suite_class
from roleplay import agreement
from roleplay.dialogue import Language
from roleplay.settings import load_settings
from roleplay.yaml_files import read_yaml

if TYPE_CHECKING:
    from eval.runs import Run

TEMPLATES = Path(__file__).parent / "templates"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
# Columns whose cells are names of the program, not of the data.
NAMES = ("dimension", "detector", "measure", "aim", "taken_for")
MARKS = re.compile(r"([\\`*_\[\]|#~])")


@dataclass(frozen=True)
class Page:
    """A story with its words: `kind` names the part of the texts, `subject` what was measured, by name."""

    kind: str
    language: Language
    name: str
    story: Story
    subject: Mapping[str, Any]
    specification: Mapping[str, Any]
    cases: int
    failed: tuple[tuple[str, str], ...] = ()  # (case, why)
    speed: str = ""

    @property
    def words(self) -> dict[str, Any]:
        return self.texts[self.kind]

    @property
    def texts(self) -> dict[str, Any]:
        return _texts(self.language)

    @property
    def answer(self) -> str:
        given = self.story.fields.items()
        fields = {name: each if isinstance(each, str) else " ".join(map(self.heading, each)) for name, each in given}
        return str(self.words["answers"][self.story.answer].format(**fields))

    def heading(self, column: str) -> str:
        """A column's name for people; names that are data (a policy, a language) stand for themselves."""
        return str(self.words.get("columns", {}).get(column) or self.texts["columns"].get(column, column))

    def cell(self, column: str, value: Any) -> str:
        """A cell as people read it; what was not measured is a dash."""
        if value is None:
            return "–"
        if isinstance(value, bool):
            return str(self.texts["common"]["yes" if value else "no"])
        if column in NAMES or value == TOO_FEW:
            return self.heading(str(value))
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    def rows(self, table: Table) -> list[list[str]]:
        return [[self.cell(name, cell) for name, cell in zip(table.columns, row, strict=True)] for row in table.rows]

    def label(self, plot: Plot) -> str:
        return " ".join(map(self.heading, plot.label))

    def table(self, table: Table | Plot) -> tuple[str, str]:
        """Heading and note of a table or plot."""
        text = self.words["parts"][table.key]
        why = self.why(table) if isinstance(table, Table) else ""
        return text["title"], f"{text.get('note', '')} {why}".strip()

    def why(self, table: Table) -> str:
        """Why some cells hold no number; empty where all do."""
        if not any(TOO_FEW in row for row in table.rows):
            return ""
        return str(self.texts["common"]["too_few"].format(replies=agreement.FEWEST, groups=intervals.FEWEST))


def report_language() -> Language:
    """The language of the settings; with `auto` that of the terminal, English but for Chinese."""
    language = load_settings().language
    if language != "auto":
        return language
    there = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh-CN" if there.lower().startswith("zh") else "en"


def page_of(run: Run, language: Language) -> Page:
    """The report of a finished run."""
    name = run.specification["suite"]
    story = suite_class(name).story(run.figures, [result for result in run.results if result.data is not None])
    failed = tuple((result.case, result.why) for result in run.failed)
    spec = run.specification
    speed = _speed(run, language)
    return Page(
        name, language, run.folder.name, story, flat(spec["subject"]), flat(spec), len(run.results), failed, speed
    )


def _speed(run: Run, language: Language) -> str:
    """How long cases and turns took: the only words of a report that differ between equal runs."""
    cases = [each["seconds"] for each in run.times]
    turns = sorted(seconds for each in run.times for seconds in each.get("turns", ()) if seconds is not None)
    if not cases:
        return ""
    fields = {"whole": f"{sum(cases):.0f}", "case": f"{median(cases):.2g}"}
    if not turns:
        return str(_texts(language)["common"]["speed"].format(**fields))
    slow = turns[min(len(turns) - 1, round(0.95 * len(turns)))]
    fields |= {"turns": str(len(turns)), "turn": f"{median(turns):.2g}", "slow": f"{slow:.2g}"}
    return str(_texts(language)["common"]["speed_of_turns"].format(**fields))


def write_reports(run: Run, page: Page) -> None:
    """report.html and report.md in the run's folder."""
    (run.folder / "report.html").write_text(render(page, "html"), encoding="utf-8")
    (run.folder / "report.md").write_text(render(page, "md"), encoding="utf-8")


def render(page: Page, form: Literal["html", "md"]) -> str:
    """The page as one HTML file that needs nothing else, or as Markdown."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=form == "html",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"md": _markdown, "svg": Markup, "plain": _plain}
    return environment.get_template(f"report.{form}").render(page=page, common=page.texts["common"])


def terminal_report(page: Page) -> str:
    """The answer and the tables as lines of text."""
    lines = [page.words["question"], "", page.answer]
    for table in page.story.tables:
        lines += ["", page.table(table)[0]]
        rows = [[page.heading(name) for name in table.columns], *page.rows(table)]
        widths = [max(_wide(row[at]) for row in rows) for at in range(len(table.columns))]
        for row in rows:
            cells = [cell + " " * (width - _wide(cell)) for cell, width in zip(row, widths, strict=True)]
            lines.append("  " + "  ".join(map(_plain, cells)).rstrip())
        lines += filter(None, [page.why(table)])
    return "\n".join(lines)


@lru_cache(maxsize=2)
def _texts(language: Language) -> dict[str, Any]:
    texts: dict[str, Any] = read_yaml(TEMPLATES / f"texts.{language}.yaml")[0]
    return texts


def _wide(text: str) -> int:
    """Columns that a text takes in a terminal: a Chinese character takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _plain(text: Any) -> str:
    """Without control characters and those that turn the direction of writing."""
    return CONTROL.sub("\ufffd", str(text))


def _markdown(text: Any) -> str:
    """A text of anybody's as Markdown that shows just this text, on one line."""
    return MARKS.sub(r"\\\1", escape(_plain(text), quote=False)).replace("\n", " ")
