"""Manuals as rows: cut along headings and question-answer pairs, tables kept as Markdown tables.

`documents` and `pdf` make Markdown of DOCX, PPTX and PDF files; a Markdown or text file is read as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from roleplay.knowledge.documents import BOLD_HEADING, Line, docx_lines, pptx_lines
from roleplay.knowledge.pdf import pdf_lines
from roleplay.knowledge.sources import Row, Source, clean, columns_of, read_text
from roleplay.knowledge.tables import read_grid

LIMIT = 1500  # characters of an answer; a longer section becomes several entries
BOLD_LEVEL = 7  # of a line all in bold, which is a heading below all that are marked as such
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_QUESTION = re.compile(r"(?:问题?|Q|Question)\s*(?:\d+|[一二三四五六七八九十]+)?\s*[:：]\s*(.+)", re.IGNORECASE)
_ANSWER = re.compile(r"(?:答案?|回答|A|Answer)\s*(?:\d+|[一二三四五六七八九十]+)?\s*[:：]\s*(.*)", re.IGNORECASE)
_BARE_QUESTION = re.compile(r"(?:\d+\s*[.、)）]|[(（]\d+[)）])\s*(.{4,80}[?？])")
_INLINE_ANSWER = re.compile(r"(?<=[?？。\s])(?=(?:答案?|回答|A|Answer)\s*[:：])")
_NUMBER = re.compile(  # of a heading; "5 GB" and "1.5元" are none
    r"第[一二三四五六七八九十百\d]+[章节条]\s*|[一二三四五六七八九十]+、\s*|[(（][一二三四五六七八九十\d]+[)）]\s*"
    r"|\d{1,2}[.、．)）]\s*(?!\d)|\d{1,2}(?:\.\d{1,2})+\s+(?=[\u4e00-\u9fff]|[A-Z][a-z]{2})"
)


@dataclass
class Section:
    """A piece of a manual: its heading or question, where it begins, and its text so far."""

    title: str
    parents: tuple[str, ...]
    place: str
    asked: bool = False  # the title is a question that the manual itself asks
    lines: list[str] = field(default_factory=list)
    internal: bool = False


def read_markdown(path: Path) -> Source:
    lines = [Line(text, f"line {number}") for number, text in enumerate(read_text(path).split("\n"), 1)]
    return cut(lines, Source(path))


def read_docx(path: Path) -> Source:
    return cut(docx_lines(path), Source(path))


def read_pptx(path: Path) -> Source:
    return cut(pptx_lines(path), Source(path))


def read_pdf(path: Path) -> Source:
    source = Source(path)
    return cut(pdf_lines(path, source), source)


def cut(lines: list[Line], source: Source) -> Source:
    """Adds a row to `source` for every section and every question-answer pair of Markdown lines."""
    sections = _with_text(_Cutter(lines, source).sections, source)
    titles = Counter(section.title for section in sections)
    rows: list[Row] = []
    for section in sections:
        question, body = section.title, "\n".join(section.lines).strip()
        if section.parents and not section.asked and (titles[question] > 1 or len(question) <= 4):
            colon = "：" if re.search(r"[\u4e00-\u9fff]", question) else ": "
            question = f"{section.parents[-1]}{colon}{question}"
        earlier = next((at for at, row in enumerate(rows) if row.fields["question"] == question), None)
        if earlier is not None and not section.asked:  # a heading that comes again, as on slides, goes on
            body = f"{rows[earlier].fields['answer']}\n\n{body}"
            rows[earlier] = Row(rows[earlier].fields | {"answer": body}, rows[earlier].place)
        else:
            extra = {"audience": "internal"} if section.internal else {}
            rows.append(Row({"question": question, "answer": body, **extra}, section.place))
    source.rows += [part for row in rows for part in _parts(row)]
    return source


class _Cutter:
    """Goes through the lines of a manual and ends with its sections, in order."""

    def __init__(self, lines: list[Line], source: Source) -> None:
        self.sections: list[Section] = []
        self._above: list[tuple[int, str]] = []  # headings that hold here, with their levels
        self._lost: list[str] = []
        at = 0
        while at < len(lines):
            if table := _table_at(lines, at):
                if not _question_table(table, source):
                    for line in table:
                        self._add(line.text, line.place)
                at += len(table)
                continue
            line = lines[at]
            if heading := _HEADING.match(line.text.strip()):
                self._head(len(heading[1]), _plain(heading[2]), line)
            elif (bold := BOLD_HEADING.fullmatch(line.text.strip())) and not self._waits():
                self._head(BOLD_LEVEL, _plain(bold[1]), line)
            else:
                self._text(line)
            at += 1
        if self._lost:
            places = ", ".join(dict.fromkeys(self._lost))
            source.notes.append(f"text above the first heading is left out: {places}")

    def _head(self, level: int, title: str, line: Line) -> None:
        self._above = [each for each in self._above if each[0] < level]
        question = _QUESTION.fullmatch(title)
        self._open(_title(question[1] if question else title), line, bool(question))
        self._above.append((level, self.sections[-1].title))

    def _text(self, line: Line) -> None:
        for text in _INLINE_ANSWER.split(line.text):
            plain = _plain(text)
            if asked := _QUESTION.fullmatch(plain) or _BARE_QUESTION.fullmatch(plain):
                self._open(asked[1].strip(), line, asked=True)
            elif self._waits() and (answer := _ANSWER.fullmatch(plain)):
                self.sections[-1].lines = [answer[1]]
            else:
                self._add(text, line.place)

    def _waits(self) -> bool:
        """Whether what comes now is the answer's first line, with or without an "A:"."""
        now = self.sections[-1] if self.sections else None
        asks = now is not None and (now.asked or now.title[-1] in "?？")
        return now is not None and asks and not any(line.strip() for line in now.lines)

    def _open(self, title: str, line: Line, asked: bool) -> None:
        parents = tuple(name for _, name in self._above)
        self.sections.append(Section(title, parents, line.place, asked, internal=line.internal))

    def _add(self, text: str, place: str) -> None:
        if self.sections:
            self.sections[-1].lines.append(text.replace("**", "").rstrip())
        elif text.strip():
            self._lost.append(place)


def _with_text(sections: list[Section], source: Source) -> list[Section]:
    """The sections that say something; one that neither does nor stands above others is noted in `source`."""
    kept, lost = [], []
    for at, section in enumerate(sections):
        if any(line.strip() for line in section.lines):
            kept.append(section)
        elif at + 1 == len(sections) or section.title not in sections[at + 1].parents:
            lost.append(f"{section.title} ({section.place})")
    if lost:
        source.notes.append(f"headings and questions without text are left out: {', '.join(lost)}")
    return kept


def _table_at(lines: list[Line], at: int) -> list[Line]:
    end = at
    while end < len(lines) and lines[end].text.strip().startswith("|"):
        end += 1
    return lines[at:end] if end - at >= 2 else []


def _question_table(table: list[Line], source: Source) -> bool:
    """Whether a table asks and answers by columns; then its rows are the source's."""
    grid = [(line.place, _cells(line.text)) for line in table if not re.fullmatch(r"[\s|:-]+", line.text)]
    grid = [(place, cells) for place, cells in grid if any(cells)]
    return bool(grid) and columns_of(grid[0][1]) is not None and read_grid(grid, source)


def _cells(text: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", text.strip().removeprefix("|").removesuffix("|"))
    return [_plain(cell.replace("\\|", "|")) for cell in cells]


def _parts(row: Row) -> Iterator[Row]:
    """The row, or several where its answer is too long: cut between paragraphs, a table's heading repeated."""
    pieces = _pieces(row.fields["answer"])
    for number, piece in enumerate(pieces, 1):
        many = f"（{number}）" if len(pieces) > 1 and number > 1 else ""
        yield Row(row.fields | {"question": row.fields["question"] + many, "answer": piece}, row.place)


def _pieces(text: str) -> list[str]:
    lines = clean(re.sub(r"\n{3,}", "\n\n", text)).split("\n")
    pieces: list[str] = []
    now: list[str] = []
    head: list[str] = []
    for number, line in enumerate(lines):
        is_row = line.startswith("|")
        if is_row and not (number and lines[number - 1].startswith("|")):
            head = lines[number : number + 2]
        for part in [line[start : start + LIMIT] for start in range(0, len(line), LIMIT)] or [""]:
            if now and sum(map(len, now)) + len(part) > LIMIT:
                pieces.append("\n".join(now).strip())
                now = list(head) if is_row and line not in head else []
            now.append(part)
    return [piece for piece in [*pieces, "\n".join(now).strip()] if piece]


def _plain(text: str) -> str:
    """A line without Markdown's marks of emphasis, lists and quotes."""
    text = re.sub(r"^\s*(?:[>*+-]\s+)+", "", text)
    return clean(re.sub(r"\*\*|__|`", "", text))


def _title(text: str) -> str:
    """A heading without its number, if anything is left."""
    return _NUMBER.sub("", text).strip() or text
