"""A call's report in words: whole, for the terminal and for printing, and the phrases of it that the page shows too.

`words` are all texts of the reader's language; what was said stays as it was said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roleplay.call import Exchanged
from roleplay.lessons import Turning, lessons, practise
from roleplay.phrases import PhraseSeen, taught
from roleplay.reports import Report
from roleplay.rubric import DIMENSIONS, Grade
from roleplay.sheet import Sheet
from roleplay.texts import texts


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
            lines.append(f"- {title}: " + words["joins"]["parts"].join(words["stages"][stage] for stage in stages))
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
    if report.grounds:
        lines += ["", f"## {words['grounds']['heading']}", *_ground_words(report, words)]
    lines += ["", say["grader"].format(grader=call.row.grader_model), basis_words(report, words)]
    return "\n".join(lines)


def _sheet_words(made: Sheet, words: Mapping[str, Any]) -> list[str]:
    say = words["sheet"]
    lines = []
    for line in made.lines:
        told = "" if line.verdict == "blank" else f" · {say['verdicts'][line.verdict]}"
        told += f" ({line.expected})" if line.expected and line.verdict in ("partly", "differs", "empty") else ""
        told += f" · {say['unheard']} {words['joins']['parts'].join(line.unheard)}" if line.unheard else ""
        text = say["urgencies"].get(line.written, line.written) if line.name == "urgency" else line.written
        lines.append(f"- {line.label or say['fields'][line.name]}: {text or '–'}{told}")
    lines += [f"- {'+' if text in made.noted else '−'} {text}" for text in (*made.noted, *made.left_out)]
    return lines


def _ground_words(report: Report, words: Mapping[str, Any]) -> list[str]:
    say, lines = words["grounds"], []
    for one in report.grounds.values():
        lines.append(f"- [{one.id}] {say['kinds'][one.kind]}")
        told = {"question": one.title, "answer": one.text, "also_asked": " / ".join(one.variants)}
        if one.kind == "scale":
            anchor = words["page"]["anchors"].get(one.id.removeprefix("rubric."))
            told = {
                "scale": f"{anchor['what']}；5 ✓ {anchor['best']}；1 ✗ {anchor['worst']}" if anchor else say["content"]
            }
        elif one.kind == "account":
            told = {"record": one.text or words["page"]["call"]["locked"]}
        elif one.kind == "gone":
            told = {"now": say["gone"]}
        elif one.kind != "entry":
            told = {one.kind: one.title, "words": " / ".join(one.variants), "right": one.right, "wrong": one.wrong}
        told |= {"source": one.source, "entries": words["joins"]["parts"].join(one.entries)}
        lines += [f"  - {say[name]}: {text}" for name, text in told.items() if text]
        if one.changed:
            lines.append(f"  - {say['changed_entry' if one.kind == 'entry' else 'changed_rule']}")
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
        shown += " · " + say["capped"].format(
            reasons=words["joins"]["parts"].join(words["caps"][reason] for reason in totals.caps)
        )
    return shown


def basis_words(report: Report, words: Mapping[str, Any]) -> str:
    """What the scores rest on, part by part, and where they rest on different things."""
    say, join = words["report"], words["joins"]["parts"].join
    parts = [f"{say['parts'][name]} {value}" for name, value in report.basis.items() if value]
    line = say["basis"].format(parts=join(parts)) if parts else ""
    if report.mixed:
        line += " " + say["mixed"].format(parts=join(say["parts"][name] for name in report.mixed))
    return line.strip()


def _lesson_words(report: Report, words: Mapping[str, Any]) -> list[str]:
    say, found = words["lessons"], lessons(report)
    lines = ["", f"## {say['heading']}"]
    lines += [f"- {each.number}. {_turning_words(each, words)}" for each in found.turnings]
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
                f"- {say['kpis'][kpi.name]}: {_kpi_words(kpi.name, kpi.value, words)} ({say['targets'][kpi.name]})"
            )
    return lines if len(lines) > 2 else []


def _turning_words(turning: Turning, words: Mapping[str, Any]) -> str:
    return str(words["joins"]["clauses"]).join(words["lessons"]["signs"][sign] for sign in turning.signs[:2])


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


def _kpi_words(name: str, value: float, words: Mapping[str, Any]) -> str:
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
