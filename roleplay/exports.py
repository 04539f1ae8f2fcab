"""Results in the formats of other programs: tables as CSV and XLSX, whole calls as JSON lines, xAPI statements."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from roleplay.call import DIRECTIVE, GRADE, READING, STATE, Exchanged
from roleplay.lessons import lessons
from roleplay.phrases import PhraseSeen
from roleplay.records import Records
from roleplay.reports import Report, kept_report
from roleplay.results import Result
from roleplay.rubric import DIMENSIONS, Grade

COLUMNS = ("call", "started", "person", "persona", "title", "language", "direction", "topics", "difficulty", "mode",
           "ending", "ended_well", "replies", "ring", "seconds", "pace", "total", "passed", *DIMENSIONS, "missed", "corrected")  # fmt: skip
VERBS = "http://adlnet.gov/expapi/verbs/"
HOME = "urn:roleplay"  # names nobody's server: what these ids stand for is known in this installation alone
MEDIA = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8",
         "jsonl": "application/jsonl; charset=utf-8", "xapi": "application/json"}  # fmt: skip


def row_of(result: Result) -> list[Any]:
    """A call as one row under COLUMNS; None where there is no number."""
    rounded = [None if value is None else round(value, 2) for value in result.mean.values()]
    return [
        result.call_id, result.started_at.isoformat(timespec="seconds"), result.trainee, result.persona_id, result.title,
        result.language, result.direction, " ".join(result.topics), result.difficulty, result.mode,
        result.ending, result.ended_well, result.replies, result.kpis.get("ring"), round(result.seconds),
        None if result.pace is None else round(result.pace, 1),
        None if result.total is None else round(result.total, 1), result.passed, *rounded,
        " ".join(check for check, passed in result.checks.items() if not passed), result.corrected,
    ]  # fmt: skip


def as_csv(results: Sequence[Result]) -> bytes:
    """With a mark that tells spreadsheet programs that it is UTF-8."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for result in results:
        writer.writerow([_harmless(value) for value in row_of(result)])
    return stream.getvalue().encode("utf-8-sig")


def _harmless(value: Any) -> Any:
    """A spreadsheet program takes a text that begins like this for a formula, and runs it."""
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def as_xlsx(results: Sequence[Result]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = "calls"
    sheet.append(list(COLUMNS))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{sheet.cell(1, len(COLUMNS)).column_letter}{len(results) + 1}"
    for result in results:
        values = [ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value for value in row_of(result)]
        sheet.append(values)
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_jsonl(records: Records, results: Sequence[Result]) -> bytes:
    """Whole calls with their reports, one a line; with the trainee's name, which reports do not hold."""
    lines = []
    for result in results:
        extra = {"person": result.trainee, "mode": result.mode, "started": result.started_at.isoformat()}
        lines.append(json.dumps(as_data(kept_report(records, result.call_id)) | extra, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain data, for `--json` and exports."""
    totals = report.totals
    return {
        "call": report.call.id,
        "persona": report.call.persona.id,
        "language": report.call.persona.language,
        "ending": report.ending,
        "ended_well": report.ended_well,
        "total": totals.total,
        "passed": totals.passed,
        "mean": dict(totals.mean),
        "coverage": dict(totals.coverage),
        "caps": list(totals.caps),
        "facts": [{"text": fact.text, "how": fact.how} for fact in report.facts],
        "stages": {"done": list(report.stages_done), "missed": list(report.stages_missed)},
        "lessons": asdict(lessons(report)),
        "basis": dict(report.basis),
        "mixed": list(report.mixed),
        "better": {str(number): None if one is None else asdict(one) for number, one in report.better.items()},
        "phrases": [_phrase_data(each) for each in report.phrases],
        "lowest": list(report.lowest),
        "conduct": asdict(report.conduct),
        "transfer": None if report.transfer is None else asdict(report.transfer),
        "sheet": None if report.sheet is None else asdict(report.sheet),
        "hints": {"number": report.hints, "cost": report.hint_cost},
        "mode": report.call.row.mode,
        "retried": report.call.retried,
        "grader": report.call.row.grader_model,
        "turns": [_turn_data(each, report.grades.get(each.number)) for each in report.call.exchanges],
    }


def _turn_data(each: Exchanged, grade: Grade | None) -> dict[str, Any]:
    return {
        "number": each.number,
        "trainee": each.reply.text,
        "customer": each.answer.text,
        "gloss": each.answer.gloss,
        "act": each.directive.act,
        "directive": DIRECTIVE.dump_python(each.directive, mode="json"),
        "state": STATE.dump_python(each.after, mode="json"),
        "reading": READING.dump_python(each.reading, mode="json"),
        "guard": each.detail,
        "grade": None if grade is None else GRADE.dump_python(grade, mode="json"),
    }


def _phrase_data(seen: PhraseSeen) -> dict[str, Any]:
    return {
        "id": seen.rule.id,
        "kind": seen.kind,
        "kept": seen.kept,
        "reply": seen.number,
        "quote": seen.quote,
        "cost": seen.cost,
        "advice": seen.rule.advice,
    }


def as_xapi(results: Sequence[Result]) -> bytes:
    """A JSON array of xAPI 1.0.3 statements, one a finished call: passed, failed, or completed without a score."""
    return json.dumps(list(_statements(results)), ensure_ascii=False, indent=1).encode()


def _statements(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    for result in results:
        if result.ending is None:
            continue
        verb = "completed" if result.passed is None else "passed" if result.passed else "failed"
        outcome: dict[str, Any] = {
            "completion": True,
            "duration": f"PT{max(0, round(result.seconds))}S",
            "extensions": {f"{HOME}:{name}": value for name, value in result.mean.items() if value is not None}
            | {f"{HOME}:ending": result.ending},
        }
        if result.total is not None:
            outcome |= {
                "success": bool(result.passed),
                "score": {"scaled": round(result.total / 100, 4), "raw": round(result.total, 1), "min": 0, "max": 100},
            }
        ended = result.started_at + timedelta(seconds=result.seconds)
        yield {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{HOME}:call:{result.call_id}")),
            "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": result.trainee or "trainee"}},
            "verb": {"id": VERBS + verb, "display": {"en": verb}},
            "object": {
                "objectType": "Activity",
                "id": f"{HOME}:persona:{result.persona_id}",
                "definition": {
                    "type": "http://adlnet.gov/expapi/activities/simulation",
                    "name": {result.language: result.title},
                },
            },
            "result": outcome,
            "context": {"language": result.language, "extensions": {f"{HOME}:mode": result.mode}},
            "timestamp": ended.isoformat(timespec="seconds"),
        }
