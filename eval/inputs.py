"""Data that evaluators bring: graded replies and transcripts as JSONL, CSV or XLSX, checked row by row.

A table has a heading row; cells that hold several things have one a line. See docs/evaluation.md.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from statistics import median
from typing import Any, get_args

from roleplay.dialogue import Direction, Evidence, Language, Turn
from roleplay.errors import Fault, FileFault
from roleplay.graded import GradedReply, read_graded
from roleplay.knowledge.sources import read_bytes, read_text
from roleplay.knowledge.tables import refuse_bombs
from roleplay.rubric import DIMENSIONS

NOT_DUE = ("n/a", "na", "none", "null", "不适用", "无")
SPEAKERS = {"customer": "customer", "trainee": "trainee", "agent": "trainee", "客户": "customer", "客服": "trainee",
            "坐席": "trainee", "学员": "trainee"}  # fmt: skip
SAID = re.compile(rf"\s*({'|'.join(SPEAKERS)})\s*[:：]\s*(.*)", re.IGNORECASE)
GRADED_COLUMNS = ("id", "context_id", "language", "direction", "stage", "context", "evidence", "reply", "moves")
TRANSCRIPT_COLUMNS = ("call", "language", "direction", "speaker", "text", "evidence")

Ratings = Mapping[str, Mapping[str, Mapping[str, float | None]]]  # reply's id -> rater -> dimension -> score


@dataclass(frozen=True, slots=True)
class Transcript:
    """A call that took place elsewhere. `evidence` is what was known when each turn was said, by its place."""

    id: str
    language: Language
    direction: Direction
    turns: tuple[Turn, ...]
    evidence: tuple[tuple[Evidence, ...], ...]


def read_replies(path: Path) -> tuple[tuple[GradedReply, ...], Ratings]:
    """Graded replies of a .jsonl, .csv or .xlsx file, and the scores of several raters where the file has them.

    A row with `ratings` and without `scores` is scored by their median. Raises FileFault with the line or
    row of every wrong field.
    """
    rows = list(_objects(path, _reply_object, ("language", "reply"), (*GRADED_COLUMNS, *DIMENSIONS)))
    faults = [Fault(fault, line) for line, row in rows for fault in _wrong_ratings(row.get("ratings", {}))]
    if faults:
        raise FileFault(path, faults)
    ratings = {str(row["id"]): row["ratings"] for _, row in rows if row.get("ratings")}
    return _checked(path, rows), ratings


def _checked(path: Path, rows: Sequence[tuple[int, dict[str, Any]]]) -> tuple[GradedReply, ...]:
    """The rows through the one reader of the format; its line numbers brought back to those of the file."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "rows.jsonl")
        with plain.open("w", encoding="utf-8") as stream:
            for _, row in rows:
                if row.get("ratings") and not row.get("scores"):
                    row = row | {"scores": _median(row["ratings"])}
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        try:
            return read_graded(plain)
        except FileFault as error:
            lines = [line for line, _ in rows]
            found = [
                Fault(each.message, lines[each.line - 1] if each.line else None, each.field) for each in error.faults
            ]
            raise FileFault(path, found) from error


def _median(ratings: Mapping[str, Mapping[str, float | None]]) -> dict[str, float | None]:
    scores: dict[str, float | None] = {}
    for name in DIMENSIONS:
        given = [rated[name] for rated in ratings.values() if name in rated]
        there = [value for value in given if value is not None]
        if given:
            scores[name] = median(there) if 2 * len(there) > len(given) else None
    return scores


def _wrong_ratings(ratings: Any) -> Iterator[str]:
    if not isinstance(ratings, dict) or not all(isinstance(rated, dict) for rated in ratings.values()):
        yield 'ratings: must be {RATER: {"empathy": 4, …}, …}'
        return
    for rater, rated in ratings.items():
        for name, value in rated.items():
            if name not in DIMENSIONS:
                yield f"ratings.{rater}.{name}: is no dimension; there are {', '.join(DIMENSIONS)}"
            elif value is None and name == "accuracy":
                continue
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 5:
                yield f"ratings.{rater}.{name}: must be a number from 1 to 5, is {value!r}"


def read_transcripts(path: Path) -> tuple[Transcript, ...]:
    """Calls of a .jsonl, .csv or .xlsx file with one turn a row, in the order in which they were said.

    Raises FileFault with the line or row of every wrong field.
    """
    faults: list[Fault] = []
    calls: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for line, row in _objects(path, _turn_object, ("call", "speaker", "text"), TRANSCRIPT_COLUMNS):
        wrong = list(_wrong_turn(row))
        faults += [Fault(message, line, name) for name, message in wrong]
        if not wrong:
            calls.setdefault(str(row["call"]), []).append((line, row))
    if not calls and not faults:
        faults.append(Fault("holds no turn"))
    for name, rows in calls.items():
        if len({row.get("language", "zh-CN") for _, row in rows}) > 1:
            faults.append(Fault(f"the call {name!r} has two languages", rows[0][0], "language"))
    if faults:
        raise FileFault(path, faults)
    return tuple(_transcript(name, [row for _, row in rows]) for name, rows in calls.items())


def _wrong_turn(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not row.get("call"):
        yield "call", "must name the call that the turn belongs to"
    if str(row.get("speaker", "")).casefold() not in SPEAKERS:
        yield "speaker", f"must be one of {', '.join(SPEAKERS)}, is {row.get('speaker')!r}"
    if not isinstance(row.get("text"), str) or not row["text"].strip():
        yield "text", "must be what was said; ……, where nothing was"
    if row.get("language", "zh-CN") not in get_args(Language):
        yield "language", f"must be one of {', '.join(get_args(Language))}, is {row['language']!r}"
    if row.get("direction", "inbound") not in get_args(Direction):
        yield "direction", f"must be inbound or outbound, is {row['direction']!r}"
    evidence = row.get("evidence", [])
    if not isinstance(evidence, list) or not all(isinstance(text, str) for text in evidence):
        yield "evidence", "must be a list of texts"


def _transcript(name: str, rows: Sequence[Mapping[str, Any]]) -> Transcript:
    turns = tuple(Turn(SPEAKERS[row["speaker"].casefold()], row["text"].strip()) for row in rows)  # type: ignore[arg-type]
    evidence = tuple(
        tuple(Evidence(f"given.{number}", text) for number, text in enumerate(row.get("evidence", []), 1))
        for row in rows
    )
    return Transcript(name, rows[0].get("language", "zh-CN"), rows[0].get("direction", "inbound"), turns, evidence)


# Files to objects, each with its line or row.


def _objects(
    path: Path, made: Any, needed: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    kind = path.suffix.lower()
    if kind in (".jsonl", ".json"):
        yield from json_objects(path)
    elif kind in (".csv", ".tsv", ".xlsx"):
        faults: list[Fault] = []
        columns: dict[int, str] | None = None
        for number, cells in _xlsx_rows(path) if kind == ".xlsx" else _csv_rows(path):
            if columns is None:
                columns = {at: str(cell).strip().casefold() for at, cell in enumerate(cells) if str(cell or "").strip()}
                faults += [
                    Fault(f"there is no column {name!r}", number) for name in needed if name not in columns.values()
                ]
                faults += [Fault(why, number) for why in _misspelt(columns.values(), known)]
                if faults:
                    break
                continue
            row = {name: _cell(cells[at]) for at, name in columns.items() if at < len(cells)}
            row = {name: value for name, value in row.items() if value != ""}
            if row:
                yield number, made(row, number)
        if columns is None:
            faults.append(Fault("holds no rows"))
        if faults:
            raise FileFault(path, faults)
    else:
        raise FileFault(path, [Fault(f"{kind or 'a file without an ending'} is not read; .jsonl, .csv and .xlsx are")])


def _misspelt(columns: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    """Columns that look like a known one; others may hold what they like."""
    for column in columns:
        name = column.partition("@")[0]
        if name not in known and (meant := get_close_matches(name, known, 1, 0.8)):
            yield f"unknown column {column!r}; is {meant[0]} meant?"


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file, each with its line. Raises FileFault with every line that holds none."""
    faults: list[Fault] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            faults.append(Fault(f"is not JSON: {error}", number))
            continue
        if isinstance(row, dict):
            rows.append((number, row))
        else:
            faults.append(Fault("is not an object", number))
    if faults:
        raise FileFault(path, faults)
    yield from rows


def _csv_rows(path: Path) -> Iterator[tuple[int, Sequence[object]]]:
    text = read_text(path)
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=text.partition("\n")[0].count), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise FileFault(path, [Fault(f"not a CSV table: {error}", reader.line_num)]) from error


def _xlsx_rows(path: Path) -> Iterator[tuple[int, Sequence[object]]]:
    """Rows of the first sheet."""
    import openpyxl

    data = read_bytes(path)
    refuse_bombs(path, data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = [tuple(row) for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise FileFault(path, [Fault(f"not a workbook that can be read: {error}")]) from error
    yield from enumerate(rows, 1)


def _cell(value: object) -> Any:
    """A cell's text without blanks around it; numbers stay numbers, also those written as text."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    return str(value).strip()


def _reply_object(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A table's row as an object of the graded-data format. `empathy@anna` holds the score of the rater anna."""
    made: dict[str, Any] = {"id": f"row-{number}"}
    made |= {name: str(row[name]) for name in GRADED_COLUMNS if name in row and name not in ("context", "evidence")}
    if "moves" in made:
        made["moves"] = re.split(r"[\s,;，；、]+", made["moves"])
    made["evidence"] = _lines(row.get("evidence", ""))
    made["context"] = [_said(line) for line in _lines(row.get("context", ""))]
    made["scores"] = {name: _score(row[name]) for name in DIMENSIONS if name in row}
    ratings: dict[str, dict[str, Any]] = {}
    for column, value in row.items():
        name, at, rater = column.partition("@")
        if at and name in DIMENSIONS:
            ratings.setdefault(rater, {})[name] = _score(value)
    return made | ({"ratings": ratings} if ratings else {})


def _turn_object(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    made: dict[str, Any] = {name: str(row[name]) for name in TRANSCRIPT_COLUMNS if name in row}
    return made | ({"evidence": _lines(row["evidence"])} if "evidence" in row else {})


def _lines(cell: object) -> list[str]:
    return [line.strip() for line in str(cell).splitlines() if line.strip()]


def _said(line: str) -> Any:
    """「客户：…」 as a turn; anything else stays what it is, and the check of the format names it."""
    found = SAID.fullmatch(line)
    return {"role": SPEAKERS[found[1].casefold()], "content": found[2]} if found else line


def _score(value: Any) -> Any:
    if isinstance(value, str):
        if value.casefold() in NOT_DUE:
            return None
        try:
            return float(value)
        except ValueError:
            return value
    return value
