"""From values to HTML: one function for each part of the page, one template each in `templates`.

Templates escape everything; what a person or a model wrote is never markup. Nothing here reads records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from roleplay.dialogue import Feeling
from roleplay.knowledge.search import Hit, SearchResult
from roleplay.persona import Library, Persona
from roleplay.records import CallRow
from roleplay.reports import Report
from roleplay.room import Call, Exchanged
from roleplay.rubric import DIMENSIONS, Grade, Remark
from roleplay.texts import texts
from roleplay.web.portraits import portrait

FOLDER = Path(__file__).parent
FEELINGS = ("anger", "confusion", "trust")
WIDTH, HEIGHT = 640, 190  # of the curve's plotting area, in SVG units


@lru_cache(maxsize=1)
def style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def script() -> str:
    """What goes into the page's head: the clock of a call and local times."""
    return f"<script>{(FOLDER / 'page.js').read_text(encoding='utf-8')}</script>"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"portrait": portrait, "DIMENSIONS": DIMENSIONS, "FEELINGS": FEELINGS, "marked": marked}
    return made


def render(template: str, language: str, **values: Any) -> str:
    """A template in one language: `words` are all texts, `page` those of the page."""
    words = texts(language)
    return _templates().get_template(template).render(words=words, page=words["page"], language=language, **values)


@dataclass(frozen=True)
class Wish:
    """Which personas to show; "all" for no wish."""

    language: str = "all"
    direction: str = "all"
    difficulty: str = "all"
    topic: str = "all"

    def fits(self, persona: Persona) -> bool:
        return (
            self.language in ("all", persona.language)
            and self.direction in ("all", persona.call.direction)
            and self.difficulty in ("all", str(persona.difficulty))
            and (self.topic == "all" or self.topic in persona.topics)
        )


def wished(library: Library, wish: Wish) -> list[Persona]:
    """Easy ones first."""
    fitting = [persona for persona in library.personas.values() if wish.fits(persona)]
    return sorted(fitting, key=lambda persona: (persona.difficulty, persona.title))


def cards(library: Library, wish: Wish, language: str) -> str:
    return render("cards.html", language, personas=wished(library, wish), faults=library.faults)


def call_head(call: Call, language: str) -> str:
    end = call.row.ended_at or datetime.now(UTC)
    elapsed = max(0, int((_aware(end) - _aware(call.row.started_at)).total_seconds()))
    return render("call_head.html", language, call=call, elapsed=elapsed)


def mood(call: Call, language: str) -> str:
    """The three feelings after the last reply, how they moved, and why."""
    start = call.persona.call.feelings
    now = call.exchanges[-1].before if call.exchanges else call.state
    past = call.exchanges[-2].before.feeling if len(call.exchanges) > 1 else start
    bars = [(name, getattr(now.feeling, name), getattr(now.feeling, name) - getattr(past, name)) for name in FEELINGS]
    return render("mood.html", language, bars=bars, causes=now.causes if call.exchanges else (), call=call)


def screen(call: Call, language: str) -> str:
    return render("screen.html", language, account=call.persona.account, verified=call.state.verified)


def found(result: SearchResult, language: str) -> str:
    """What a search found. Of the matched words those are shown that stand in the entry; others are names of meanings."""

    def words(hit: Hit) -> list[str]:
        text = " ".join((hit.entry.question, hit.entry.answer, *hit.entry.also_asked)).casefold()
        return [word for word in hit.words if word in text][:8]

    return render("search.html", language, result=result, hits=[(hit, words(hit)) for hit in result.hits])


def feedback(call: Call, grades: Mapping[int, Grade], language: str) -> str:
    """Every reply with what was heard in it and its scores, the newest first and open."""
    return render("feedback.html", language, exchanges=tuple(reversed(call.exchanges)), grades=grades)


def notice(kind: str, message: str, language: str, detail: str = "") -> str:
    """A message in the reader's words, with the program's own, which are English, folded away. `kind`: error or wait."""
    return render("notice.html", language, kind=kind, message=message, detail=detail)


def ending_banner(call: Call, language: str) -> str:
    return render("ending.html", language, call=call, good=call.ending in call.persona.good_endings)


def history(rows: Sequence[tuple[CallRow, Persona]], language: str) -> str:
    return render("history.html", language, rows=rows)


def report(made: Report, language: str, *, actions: bool = True) -> str:
    """The report; without `actions` as it stands in a file."""
    seconds = [each.seconds for each in made.call.exchanges if each.seconds is not None]
    end = made.call.row.ended_at or datetime.now(UTC)
    length = divmod(max(0, int((_aware(end) - _aware(made.call.row.started_at)).total_seconds())), 60)
    return render(
        "report.html", language, report=made, call=made.call, curve=_curve(made), length=length,
        pace=sum(seconds) / len(seconds) if seconds else None, actions=actions,
    )  # fmt: skip


def report_file(made: Report, language: str) -> str:
    """The report as a web page of its own, with nothing to load."""
    body = Markup(report(made, language, actions=False))
    return render("report_file.html", language, body=body, style=Markup(style()), title=made.call.persona.title)


def login(message: str, language: str, who: str = "") -> str:
    """The form that asks for a login; with `who`, the one that asks this user for a new password."""
    return render("login.html", language, message=message, who=who, style=Markup(style()))


def marked(each: Exchanged, grade: Grade | None) -> list[tuple[str, Remark | None]]:
    """The reply cut into pieces, each with the remark that quotes it. Of overlapping quotes the first one counts."""
    text, pieces, at = each.reply.text, [], 0
    remarks: Iterable[Remark] = grade.remarks if grade else ()
    for remark in sorted((one for one in remarks if one.quote), key=lambda one: (one.start, one.points)):
        if remark.start < at or text[remark.start : remark.end] != remark.quote:
            continue
        pieces += [(text[at : remark.start], None), (remark.quote, remark)]
        at = remark.end
    return [piece for piece in [*pieces, (text[at:], None)] if piece[0]]


def _curve(made: Report) -> list[tuple[str, list[tuple[float, float, int, float]]]]:
    """For each feeling its points: x, y in SVG units, number of the reply, value."""
    steps = max(1, len(made.moods) - 1)

    def points(name: str) -> list[tuple[float, float, int, float]]:
        feelings: list[tuple[int, Feeling]] = [(mood.number, mood.feeling) for mood in made.moods]
        return [
            (WIDTH * place / steps, HEIGHT * (1 - getattr(feeling, name) / 4), number, getattr(feeling, name))
            for place, (number, feeling) in enumerate(feelings)
        ]

    return [(name, points(name)) for name in FEELINGS]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
