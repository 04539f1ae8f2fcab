"""Tables and lists of questions and answers: CSV, XLSX, JSONL and YAML files as rows.

Does not know what makes an entry good: `drafts` checks that.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from roleplay.errors import Fault, FileFault
from roleplay.knowledge.sources import MAX_BYTES, Row, Source, columns_of, field_of, read_bytes, read_text
from roleplay.yaml_files import read_yaml

HEADING_WITHIN = 10  # rows above the heading row that may hold a title or a remark
MAX_UNPACKED = 500_000_000  # bytes; a spreadsheet is a zip file, and a small one may unpack to anything


def read_csv(path: Path) -> Source:
    """Rows of a text table, cells parted by comma, semicolon or tab; the place is the line where a row begins."""
    text = read_text(path)
    source = Source(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    lines: list[tuple[str, Sequence[object]]] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        begins = 1
        for cells in reader:
            lines.append((f"line {begins}", cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise FileFault(path, [Fault(f"not a CSV table: {error}", reader.line_num)]) from error
    if not read_grid(lines, source):
        raise FileFault(path, [Fault(_NO_HEADING)])
    return source


def read_xlsx(path: Path) -> Source:
    """Rows of every sheet that has a heading row; merged cells count for each row that they cover."""
    import openpyxl

    data = read_bytes(path)
    refuse_bombs(path, data)
    try:
        values = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True)
        written = openpyxl.load_workbook(io.BytesIO(data))
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise FileFault(path, [Fault(f"not a workbook that can be read: {error}")]) from error
    source, found = Source(path), False
    for sheet in values.worksheets:
        sheet.reset_dimensions()  # some programs write wrong ones, and rows would be cut off
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
        cells = {number: list(row) for number, row in rows if any(cell is not None for cell in row)}
        width = max(map(len, cells.values()), default=0)
        for row in cells.values():
            row += [None] * (width - len(row))
        for area in written[sheet.title].merged_cells.ranges:
            for number in cells.keys() & set(range(area.min_row, area.max_row + 1)):
                value = cells[area.min_row][area.min_col - 1] if area.min_row in cells else None
                cells[number][area.min_col - 1 : area.max_col] = [value] * area.size["columns"]
                del cells[number][width:]
        source.faults += _unfinished(written[sheet.title], cells)
        placed = [(f"sheet {sheet.title}, row {number}", row) for number, row in cells.items()]
        if read_grid(placed, source):
            found = True
        elif cells:
            source.notes.append(f"sheet {sheet.title} is left out: {_NO_HEADING}")
    values.close()
    if not found:
        raise FileFault(path, [Fault(f"in no sheet: {_NO_HEADING}" if source.notes else "the workbook is empty")])
    return source


def _unfinished(sheet: Any, cells: dict[int, list[Any]]) -> Iterator[Fault]:
    """Formulas whose results the workbook does not hold, because no spreadsheet program has computed them."""
    for row in sheet.iter_rows(max_row=max(cells, default=1), max_col=max(map(len, cells.values()), default=1)):
        for cell in row:
            if cell.data_type == "f" and cells.get(cell.row, [])[cell.column - 1 : cell.column] in ([], [None]):
                place = f"sheet {sheet.title}, cell {cell.coordinate}"
                yield Fault("a formula without its result; open and save the workbook", None, place)


def read_jsonl(path: Path) -> Source:
    """One JSON object a line, its keys named as columns are."""
    source = Source(path)
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            source.faults.append(Fault(f"not JSON: {error}", number))
            continue
        if not isinstance(item, dict):
            source.faults.append(Fault("not a JSON object", number))
            continue
        fields = {field_of(key) or str(key): value for key, value in item.items()}
        source.rows.append(Row(fields, f"line {number}"))
    return source


def read_entries_yaml(path: Path) -> Source:
    """The items under `entries:` of a knowledge-base file, each a row even where others are wrong."""
    data, lines = read_yaml(path, MAX_BYTES)
    items = data.get("entries") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise FileFault(path, [Fault("entries: a list of entries is missing", 1)])
    source = Source(path)
    for number, item in enumerate(items):
        place = f"line {lines[f'entries.{number}']}"
        if isinstance(item, dict):
            source.rows.append(Row(item, place))
        else:
            source.faults.append(Fault("not an entry with fields", None, place))
    return source


def read_grid(lines: Iterable[tuple[str, Sequence[object]]], source: Source) -> bool:
    """Adds the rows below the heading row to `source`; False if none of the first rows is a heading row."""
    columns: dict[int, str] | None = None
    width = 0
    for at, (place, cells) in enumerate(lines):
        if columns is None:
            columns, width = columns_of(cells), len(cells)
            if columns is None and at + 1 >= HEADING_WITHIN:
                return False
            unread = [str(cell) for number, cell in enumerate(cells) if cell and number not in (columns or {})]
            if columns and unread:
                source.notes.append(f"{place}: columns that are not read: {', '.join(unread)}")
        elif len(cells) > width and any(cells[width:]):
            source.faults.append(Fault("more cells than the heading row (a separator without quotes?)", None, place))
        elif any(cell is not None and str(cell).strip() for cell in cells):
            fields: dict[str, Any] = {}
            for number, name in columns.items():
                if number < len(cells) and (cell := cells[number]) is not None and str(cell).strip():
                    fields[name] = f"{fields[name]}\n{cell}" if name in fields else cell
            source.rows.append(Row(fields, place))
    return columns is not None


def refuse_bombs(path: Path, data: bytes) -> None:
    """Raises FileFault for what is no zip file, or unpacks to more than any honest document."""
    try:
        size = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(data)).infolist())
    except zipfile.BadZipFile as error:
        reason = "the file is broken, protected by a password, or not what its name says"
        raise FileFault(path, [Fault(reason)]) from error
    if size > MAX_UNPACKED:
        raise FileFault(path, [Fault(f"unpacks to {size:,} bytes, more than the {MAX_UNPACKED:,} that are read")])


_NO_HEADING = f"none of the first {HEADING_WITHIN} rows names both a question (问题) and an answer (答案) column"
