"""From values to HTML: one function for each part of the page, one template each in `templates`.

Templates escape everything; what a person or a model wrote is never markup. Nothing here reads records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from roleplay.call import Call, Exchanged
from roleplay.cohorts import Certificate
from roleplay.conduct import length
from roleplay.dialogue import Dialect
from roleplay.events import absences
from roleplay.grounds import Ground
from roleplay.hints import COSTS, Hint
from roleplay.knowledge.search import Hit, SearchResult
from roleplay.lessons import RING, lessons, over_calls
from roleplay.persona import Library, Persona, Topic
from roleplay.plans import Progress as PlanProgress
from roleplay.plans import Standing, Task
from roleplay.progress import Progress
from roleplay.records import CallRow, ReviewRow
from roleplay.report_words import basis_words, practise_words
from roleplay.reports import Report
from roleplay.results import Result
from roleplay.rubric import DIMENSIONS, Grade, Remark
from roleplay.sheet import written
from roleplay.texts import said, texts
from roleplay.waiting import allowed
from roleplay.web.charts import FEELINGS, curve, growth, radar
from roleplay.web.portraits import portrait

FOLDER = Path(__file__).parent
# The voice that is asked of the browser; it may have none but the language's.
ACCENTS = {"cantonese": "zh-HK", "scottish": "en-GB", "indian": "en-IN", "southern_us": "en-US"}


@lru_cache(maxsize=1)
def style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def head() -> str:
    """What goes into the page's head: its look, and what it does in the browser alone."""
    return f"<style>{style()}</style><script>{(FOLDER / 'page.js').read_text(encoding='utf-8')}</script>"


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
    values |= {"words": words, "page": words["page"], "language": language}
    return _templates().get_template(template).render(in_words=lambda message: said(message, language), **values)


def header(language: str, user: str, where: str, switch: bool, desk: bool) -> str:
    """The bar at the top; `where` is the view that is open, `switch` offers the other language, `desk` the trainer's."""
    return render("header.html", language, other=_other(language, switch), user=user, where=where, desk=desk)


def _other(language: str, switch: bool) -> str:
    return ("en" if language == "zh-CN" else "zh-CN") if switch else ""


def pick(
    library: Library,
    best: Mapping[str, Result],
    unfinished: Sequence[tuple[CallRow, Persona]],
    given: Sequence[Task],
    language: str,
) -> str:
    """All personas, easy ones first, with filters that work in the browser."""
    personas = sorted(library.personas.values(), key=lambda persona: (persona.difficulty, persona.title))
    topics = [name for name in get_args(Topic) if any(name in persona.topics for persona in personas)]
    dialects = [name for name in get_args(Dialect) if any(name == each.who.speech.dialect for each in personas)]
    there = library.personas
    offered = [(task, there[task.assignment.persona_id]) for task in given if task.assignment.persona_id in there]
    return render(
        "pick.html", language, personas=personas, faults=library.faults, bests=best, unfinished=unfinished, given=offered,
        topics=topics, dialects=dialects,
    )  # fmt: skip


def ring(persona: Persona, best: Result | None, tries: int, exam: bool, assigned: bool, language: str) -> str:
    """What is to be known before a call is taken, and how it will be judged. `exam`: one may be sat; `assigned`: it is due."""
    cost = f"{COSTS[persona.grading.hints]:g}"
    return render(
        "ring.html", language, persona=persona, best=best, tries=tries, exam=exam, assigned=assigned, hint_cost=cost,
        within=RING,
    )  # fmt: skip


def call_head(call: Call, response: int, away: str | None, language: str) -> str:
    elapsed = int(length(call, call.row.ended_at or datetime.now(UTC)))
    return render("call_head.html", language, call=call, elapsed=elapsed, response=max(0, response), away=away)


def chat(call: Call, grades: Mapping[int, Grade], language: str) -> str:
    """Everything said so far, with what happened beside it, and the scores of `grades`."""
    louder = any(event.kind == "louder" for event in call.events)
    return render("chat.html", language, call=call, grades=grades, louder=louder)


def live(call: Call, said: str, words: str, language: str) -> str:
    """What the trainee has just said and the customer's answer as far as it has come."""
    return render("live.html", language, said=said, words_now=words, persona=call.persona, feeling=call.state.feeling)


def heard(call: Call, language: str) -> str:
    """The customer's last words for screen readers and for the voice; not seen."""
    last = call.exchanges[-1].answer.text if call.exchanges else ""
    accent = ACCENTS.get(call.persona.who.speech.dialect, call.persona.language)
    return render(
        "live.html", language, said=None, heard=last, number=len(call.exchanges), persona=call.persona, accent=accent
    )


def controls(call: Call, away: str | None, language: str) -> str:
    offered = not call.is_exam and call.persona.grading.hints != "none"
    cost = f"{COSTS[call.persona.grading.hints]:g}"
    return render("controls.html", language, call=call, away=away, hints=offered, hint_cost=cost)


def away(call: Call, kind: str, language: str) -> str:
    """That the customer waits, since when, and the way back."""
    now = datetime.now(UTC)
    seconds = int((now - absences(call.events)[-1].start).total_seconds())
    last = call.exchanges[-1].reply.text if call.exchanges else ""
    limit = None if kind == "pause" else int(allowed(last))
    return render("away.html", language, away=kind, seconds=seconds, limit=limit)


def hints(call: Call, given: Sequence[Hint], more: bool, cost: float, language: str) -> str:
    shown = f"{cost:g}" if cost else ""
    return render("hints.html", language, call=call, given=given, more=more, cost=shown)


def mood(call: Call, language: str) -> str:
    """The three feelings after the last reply, how they moved, and why."""
    start = call.persona.call.feelings
    now = call.exchanges[-1].before if call.exchanges else call.state
    past = call.exchanges[-2].before.feeling if len(call.exchanges) > 1 else start
    bars = [(name, getattr(now.feeling, name), getattr(now.feeling, name) - getattr(past, name)) for name in FEELINGS]
    return render("mood.html", language, bars=bars, causes=now.causes if call.exchanges else (), call=call)


def screen(call: Call, language: str) -> str:
    return render("screen.html", language, account=call.persona.account, verified=call.state.verified)


def sheet(call: Call, language: str) -> str:
    """What the trainee writes down: intake form, work order, notes."""
    return render("sheet.html", language, call=call, texts=written(call))


def found(result: SearchResult, language: str) -> str:
    """What a search found. Of the matched words those are shown that stand in the entry; others are names of meanings."""

    def words(hit: Hit) -> list[str]:
        text = " ".join((hit.entry.question, hit.entry.answer, *hit.entry.also_asked)).casefold()
        return [word for word in hit.words if word in text][:8]

    return render("search.html", language, result=result, hits=[(hit, words(hit)) for hit in result.hits])


def feedback(call: Call, grades: Mapping[int, Grade], grounds: Mapping[str, Ground], language: str) -> str:
    """Every reply with what was heard in it and its scores, the newest first and open."""
    rests = _rests(grounds, call)
    return render("feedback.html", language, exchanges=tuple(reversed(call.exchanges)), grades=grades, rests=rests)


def _rests(grounds: Mapping[str, Ground], call: Call, unfolded: bool = False) -> dict[str, Any]:
    """What `ground` of parts.html needs; it notes in `seen` what has been shown before."""
    return {"on": grounds, "seen": [], "language": call.persona.language, "unfolded": unfolded}


def notice(kind: str, message: str, language: str, detail: str = "") -> str:
    """A message in the reader's words, with the program's own, which are English, folded away. `kind`: error or wait."""
    return render("notice.html", language, kind=kind, message=message, detail=detail)


def ending_banner(call: Call, language: str) -> str:
    return render("ending.html", language, call=call, good=call.ending in call.persona.good_endings)


def progress(
    made: Progress,
    library: Library,
    plans: Sequence[PlanProgress],
    earned: Sequence[Certificate],
    place: Standing | None,
    language: str,
) -> str:
    """A trainee's calls, how they have grown, what goes wrong most often; plans, certificates, the place in the class."""
    return render(
        "progress.html",
        language,
        made=made,
        growth=growth(made.results),
        kpis=over_calls([result.kpis for result in made.results if not result.retried]),
        personas=library.personas,
        plans=plans,
        earned=earned,
        place=place,
    )


def report(
    made: Report,
    language: str,
    *,
    actions: bool = True,
    unfolded: bool = False,
    first: Report | None = None,
    others: Sequence[Persona] = (),
    reviews: Mapping[int, Sequence[ReviewRow]] | None = None,
) -> str:
    """The report; without `actions` as it stands in a file, where what remarks rest on is `unfolded`.

    `first` is the report of the call that this one tries again, `others` are personas to go on with,
    `reviews` what a person was asked to look at and has said, by number of the reply.
    """
    words = texts(language)
    return render(
        "report.html", language, report=made, call=made.call, curve=curve(made), radar=radar(made), actions=actions,
        first=first, others=others, reviews=reviews or {}, turn=made.call.retried[1] if made.call.retried else 0,
        rests=_rests(made.grounds, made.call, unfolded), learnt=lessons(made), practise=practise_words(made, words), basis=basis_words(made, words),
    )  # fmt: skip


def report_file(made: Report, language: str) -> str:
    """The report as a web page of its own, with nothing to load."""
    body = Markup(report(made, language, actions=False, unfolded=True))
    return render("report_file.html", language, body=body, style=Markup(style()), title=made.call.persona.title)


def login(message: str, language: str, who: str = "", switch: bool = False) -> str:
    """The form that asks for a login; with `who`, the one that asks this user for a new password. `switch` as in `header`."""
    return render(
        "login.html", language, message=message, who=who, other=_other(language, switch), style=Markup(style())
    )


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
