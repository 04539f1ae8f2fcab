"""A call's report: what the trainee reached, where points were lost, what was never found out.

Computed from the kept call and its grades alone, so it can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from roleplay.call import Call, Exchanged, kept_call, kept_grades
from roleplay.coaching import Better
from roleplay.conduct import Conduct, Transfer, conduct, transfer
from roleplay.dialogue import Ending, Feeling, Stage
from roleplay.lessons import Turning, lessons, practise
from roleplay.persona import ModelAnswer
from roleplay.phrases import PhraseSeen, in_call, taught
from roleplay.records import Records
from roleplay.rubric import DIMENSIONS, Grade, Totals, changed, total
from roleplay.sheet import Sheet, sheet
from roleplay.state import Cause
from roleplay.texts import texts

LOW = 4.0  # mean of a reply from which it is not among the lowest
LOWEST = 3  # replies of a call that are shown as the lowest

How = Literal["asked", "volunteered", "missed"]


@dataclass(frozen=True, slots=True)
class FactHeard:
    """A fact of the persona and how it came out."""

    text: str
    how: How


@dataclass(frozen=True, slots=True)
class Mood:
    """The customer's feelings after the reply `number`, and why they moved."""

    number: int
    feeling: Feeling
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Report:
    call: Call
    ending: Ending | None
    ended_well: bool
    totals: Totals
    pass_mark: float
    grades: Mapping[int, Grade]
    moods: tuple[Mood, ...]
    facts: tuple[FactHeard, ...]
    stages_done: tuple[Stage, ...]
    stages_missed: tuple[Stage, ...]
    faults: tuple[str, ...]  # reasons for a cap that this call gave, whether or not one is set
    basis: Mapping[str, str]  # what the newest grade rests on; see `Grade.basis`
    mixed: tuple[str, ...]  # the parts of it in which other grades of this call differ
    better: Mapping[int, Better | None]  # by number, of the lowest, where they were asked for
    lowest: tuple[int, ...]  # numbers of the replies with the lowest mean, worst first
    phrases: tuple[PhraseSeen, ...]  # what this call required or forbade to be said
    model_answers: tuple[ModelAnswer, ...]
    conduct: Conduct
    transfer: Transfer | None
    hints: int
    hint_cost: float  # points that the hints took off the total
    sheet: Sheet | None  # what the trainee wrote down, held against the call


def kept_report(records: Records, call_id: str) -> Report:
    """The report of a call with the grades that are kept. Raises Rejected for an unknown call."""
    return make_report(kept_call(records, call_id), kept_grades(records, call_id))


def make_report(call: Call, grades: Mapping[int, Grade]) -> Report:
    """The report of a call, finished or not."""
    persona, grading = call.persona, call.persona.grading
    phrases = in_call(grading, [(each.reply.text, each.reading) for each in call.exchanges])
    faults = _faults(call, phrases)
    caps: dict[str, float] = {reason: highest for reason, highest in grading.caps.items() if reason in faults}
    done = tuple(stage for stage in grading.stages if call.did_stage(stage))
    start = persona.call.feelings
    moods = (
        Mood(0, Feeling(start.anger, start.confusion, start.trust), ()),
        *(Mood(each.number, each.before.feeling, each.before.causes) for each in call.exchanges),
    )
    graded = [grades[number] for number in sorted(grades)]
    bases = [grade.basis for grade in graded]
    basis = bases[-1] if bases else {}
    hint_costs = [float(event.detail.get("cost", 0)) for event in call.events if event.kind == "hint"]
    costs = sum(phrase.cost for phrase in phrases) + sum(hint_costs)
    return Report(
        call=call,
        ending=call.ending,
        ended_well=call.ending in persona.good_endings,
        totals=total(graded, grading.weights, grading.pass_mark, caps, costs),
        pass_mark=grading.pass_mark,
        grades=grades,
        moods=moods,
        facts=tuple(FactHeard(fact.text, _how(call, fact.id)) for fact in persona.call.facts),
        stages_done=done,
        stages_missed=tuple(stage for stage in grading.stages if stage not in done),
        faults=faults,
        basis=basis,
        mixed=tuple(dict.fromkeys(part for other in bases for part in changed(other, basis))),
        better={},
        lowest=_lowest(grades),
        phrases=phrases,
        model_answers=grading.model_answers,
        conduct=conduct(call),
        transfer=transfer(call),
        hints=len(hint_costs),
        hint_cost=sum(hint_costs),
        sheet=sheet(call),
    )


def _faults(call: Call, phrases: Iterable[PhraseSeen]) -> tuple[str, ...]:
    """Reasons for a cap that this call gave."""
    readings = [each.reading for each in call.exchanges]
    broken = {phrase.kind for phrase in phrases if not phrase.kept}
    given = {
        "not_verified": call.persona.account is not None and not call.state.verified,
        "rude": any(reading.did("rude") for reading in readings),
        "wrong_fact": any(reading.contradicted for reading in readings),
        "disclosed": any(reading.did("disclose") for reading in readings),
        "unsaid": "must_say" in broken,
        "forbidden_words": "must_not_say" in broken,
    }
    return tuple(reason for reason, is_given in given.items() if is_given)


def _how(call: Call, fact: str) -> How:
    for each in call.exchanges:
        if fact in each.directive.tell:
            return "asked" if each.directive.act in ("answer", "switch_mandarin") else "volunteered"
    return "missed"


def _lowest(grades: Mapping[int, Grade]) -> tuple[int, ...]:
    means = {}
    for number, grade in grades.items():
        values = [score.value for score in grade.scores.values() if score.value is not None]
        if values and (mean := sum(values) / len(values)) < LOW:
            means[number] = mean
    return tuple(sorted(means, key=lambda number: means[number])[:LOWEST])


def as_markdown(report: Report, language: str) -> str:
    """The report for the terminal and for printing, in the reader's language."""
    words, call = texts(language), report.call
    say = words["report"]
    lines = [f"# {say['heading'].format(title=call.persona.title)}", ""]
    if report.ending:
        lines.append(f"- {say['ending']}: {words['endings'][report.ending]}")
    if report.transfer:
        lines.append(f"- {words['page']['report']['transfer'].format(to=report.transfer.to)}")
    lines.append(f"- {say['total']}: {_total_words(report, words)}")
    for name in DIMENSIONS:
        mean = report.totals.mean[name]
        shown = "–" if mean is None else f"{mean:.1f} / 5"
        coverage = say["coverage"].format(share=f"{report.totals.coverage[name]:.0%}")
        lines.append(f"- {words['dimensions'][name]}: {shown} ({coverage})")
    for title, stages in ((say["stages_done"], report.stages_done), (say["stages_missed"], report.stages_missed)):
        if stages:
            lines.append(f"- {title}: " + ", ".join(words["stages"][stage] for stage in stages))
    lines += _lesson_words(report, words)
    lines += ["", f"## {say['facts']}"]
    lines += [f"- {fact.text} · {say[fact.how]}" for fact in report.facts]
    if report.phrases:
        lines += ["", f"## {say['phrases']}", *map(_phrase_words, report.phrases)]
    if report.sheet:
        lines += ["", f"## {say['sheet']}", *_sheet_words(report.sheet, words)]
    lines += ["", f"## {say['replies']}"]
    for each in call.exchanges:
        lines += _reply_words(each, report.grades.get(each.number), words)
        if better := report.better.get(each.number):
            lines.append(f"  → {say['kinds'][better.kind]}: {better.text}")
        elif each.number in report.better:
            lines.append(f"  → {say['none_better']}")
    lines += ["", say["grader"].format(grader=call.row.grader_model), basis_words(report, words)]
    return "\n".join(lines)


def _sheet_words(made: Sheet, words: Mapping[str, Any]) -> list[str]:
    say = words["sheet"]
    lines = []
    for line in made.lines:
        told = "" if line.verdict == "blank" else f" · {say['verdicts'][line.verdict]}"
        told += f" ({line.expected})" if line.expected and line.verdict in ("partly", "differs", "empty") else ""
        told += f" · {say['unheard']} {', '.join(line.unheard)}" if line.unheard else ""
        lines.append(f"- {line.label or say['fields'][line.name]}: {line.written or '–'}{told}")
    lines += [f"- {'+' if text in made.noted else '−'} {text}" for text in (*made.noted, *made.left_out)]
    return lines


def _phrase_words(seen: PhraseSeen) -> str:
    where = f" ({seen.number}.)" if seen.number else ""
    quote = f" “{seen.quote}”" if seen.quote else ""
    return f"- {'+' if seen.kept else '−'} {taught(seen.rule)}{quote}{where}"


def _total_words(report: Report, words: Mapping[str, Any]) -> str:
    say, totals = words["report"], report.totals
    if totals.total is None:
        return str(say["none"])
    verdict = say["passed"] if totals.passed else say["failed"]
    shown = f"{totals.total:.0f} / 100 · {verdict} ({say['pass_mark'].format(mark=f'{report.pass_mark:.0f}')})"
    if totals.caps:
        shown += " · " + say["capped"].format(reasons=", ".join(words["caps"][reason] for reason in totals.caps))
    return shown


def basis_words(report: Report, words: Mapping[str, Any]) -> str:
    """What the scores rest on, part by part, and where they rest on different things."""
    say = words["report"]
    parts = [f"{say['parts'][name]} {value}" for name, value in report.basis.items() if value]
    line = say["basis"].format(parts=", ".join(parts)) if parts else ""
    if report.mixed:
        line += " " + say["mixed"].format(parts=", ".join(say["parts"][name] for name in report.mixed))
    return line.strip()


def _lesson_words(report: Report, words: Mapping[str, Any]) -> list[str]:
    say, found = words["lessons"], lessons(report)
    lines = ["", f"## {say['heading']}"]
    lines += [f"- {each.number}. {turning_words(each, words)}" for each in found.turnings]
    if found.recovery:
        key = "recovered" if found.recovery.recovered else "not_recovered"
        lines.append(f"- {say[key].format(number=found.recovery.number)}")
    lines += [
        f"- {say['looked_up' if each.looked_up else 'not_looked_up'].format(number=each.number, text=each.text)}"
        for each in found.quoted
    ]
    if found.practise:
        lines.append(f"- {say['practise']} {practise_words(report, words)}")
    for kpi in found.kpis:
        if kpi.value is not None:
            lines.append(
                f"- {say['kpis'][kpi.name]}: {kpi_words(kpi.name, kpi.value, words)} ({say['targets'][kpi.name]})"
            )
    return lines if len(lines) > 2 else []


def turning_words(turning: Turning, words: Mapping[str, Any]) -> str:
    return "; ".join(words["lessons"]["signs"][sign] for sign in turning.signs[:2])


def practise_words(report: Report, words: Mapping[str, Any]) -> str:
    """The one thing to practise next, in words."""
    made = practise(report)
    if made is None:
        return ""
    if made.kind == "rule":
        return made.advice
    if made.kind == "stage":
        return str(words["lessons"]["stage"].format(stage=words["stages"][made.what]))
    if made.kind == "fault":
        return str(words["lessons"]["faults"][made.what])
    dimension = words["page"]["anchors"][made.what]
    return f"{words['dimensions'][made.what]}: {dimension['best']}"


def kpi_words(name: str, value: float, words: Mapping[str, Any]) -> str:
    """A figure of one call: minutes and seconds, or yes and no."""
    if name in ("handling", "ring"):
        return f"{int(value) // 60}:{int(value) % 60:02d}"
    return str(words["lessons"]["yes" if value else "no"])


def _reply_words(each: Exchanged, grade: Grade | None, words: Mapping[str, Any]) -> list[str]:
    say = words["report"]
    lines = ["", f"**{each.number}. {say['you']}**: {each.reply.text}"]
    if grade is not None:
        scores = [
            f"{words['dimensions'][name]} "
            + (words["statuses"][score.status] if score.value is None else f"{score.value:.0f}")
            + (f" ({say['unsure']})" if score.unsure else "")
            for name, score in grade.scores.items()
        ]
        lines.append("  " + " · ".join(scores))
        for remark in grade.remarks:
            quote = f"「{remark.quote}」" if remark.quote else ""
            source = f" [{remark.entry or remark.rule}]" if remark.entry or remark.rule else ""
            lines.append(f"  {'+' if remark.points >= 0 else '−'} {quote}{remark.text}{source}")
    lines.append(
        f"**{say['customer']}**: {each.answer.text}" + (f"（{each.answer.gloss}）" if each.answer.gloss else "")
    )
    return lines
