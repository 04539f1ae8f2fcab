"""PDF files as lines of Markdown with their pages: pdfplumber finds letters, their sizes, and tables.

A PDF knows no headings and no paragraphs. Larger or bold short lines are taken for headings, lines that reach
the right margin go on in the next, and what repeats at the edges of pages is left out.
"""

from __future__ import annotations

import io
import logging
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roleplay.errors import Fault, FileFault
from roleplay.knowledge.documents import Line, need
from roleplay.knowledge.sources import Source, read_bytes

LARGER = 1.15  # times the usual size of letters: a heading
TITLE_LENGTH = 60  # characters that a heading may have
EDGE = 0.09  # of a page's height, at its top and bottom: where running heads and page numbers stand
_NUMBER_LINE = re.compile(r"[\W_]*(?:第|page)?\s*\d+\s*(?:页|(?:/|of|共)\s*\d+\s*页?)?[\W_]*", re.IGNORECASE)
_BEGINS = re.compile(
    r"(?:问题?|答案?|回答|Q|A|Question|Answer)\s*\d*\s*[:：]|[-•·▪●*]\s|[(（]?\d+\s*[.、)）]|[一二三四五六七八九十]+、",
    re.I,
)
_ENDS = "。！？!?；;：:"


@dataclass(frozen=True)
class Printed:
    """A line of text as it stands on a page, or a whole table (then `text` is its Markdown)."""

    text: str
    page: int
    top: float
    right: float
    size: float
    bold: bool = False
    table: bool = False
    at_edge: bool = False


def pdf_lines(path: Path, source: Source) -> list[Line]:
    """The file's lines; notes in `source` what was left out. Raises FileFault for a file without any text."""
    need("pdfplumber", "PDF files")
    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it tells of every odd font
    printed: list[Printed] = []
    pictures: list[int] = []
    try:
        with pdfplumber.open(io.BytesIO(read_bytes(path))) as document:
            for page in document.pages:
                found = _page(page)
                printed += found
                if not found and page.images:
                    pictures.append(page.page_number)
                page.close()
            pages = len(document.pages)
    except FileFault:
        raise
    except Exception as error:  # whatever pdfminer raises for a broken or locked file
        locked = "PDFPasswordIncorrect" in repr(error) or "Encryption" in repr(error)
        reason = "protected by a password" if locked else f"not a PDF that can be read: {error!r}"
        raise FileFault(path, [Fault(reason)]) from error
    if not any(line.text for line in printed):
        reason = "holds no text; scanned pages must go through text recognition (OCR) first"
        raise FileFault(path, [Fault(reason)])
    if pictures:
        source.notes.append(f"pages without text (pictures only) are left out: {', '.join(map(str, pictures))}")
    return _markdown(_without_running(printed, pages, source))


def _page(page: Any) -> list[Printed]:
    """Lines and tables of one page from top to bottom."""
    tables = [table for table in page.find_tables() if len(table.rows) > 1 and len(table.rows[0].cells) > 1]
    boxes = [table.bbox for table in tables]

    def outside(thing: dict[str, Any]) -> bool:
        middle, height = (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2
        return not any(x0 <= middle <= x1 and top <= height <= bottom for x0, top, x1, bottom in boxes)

    found = [
        Printed(_table(table.extract()), page.page_number, table.bbox[1], table.bbox[2], 0, table=True)
        for table in tables
    ]
    for line in page.filter(outside).extract_text_lines(return_chars=True):
        size = statistics.median(char["size"] for char in line["chars"])
        bold = all(re.search("bold|black|heavy|hei", char["fontname"], re.I) for char in line["chars"])
        edge = line["top"] < EDGE * page.height or line["bottom"] > (1 - EDGE) * page.height
        text = line["text"].strip()
        found.append(Printed(text, page.page_number, line["top"], line["x1"], size, bold, at_edge=edge))
    return sorted((each for each in found if each.text), key=lambda each: each.top)


def _table(rows: Sequence[Sequence[str | None]]) -> str:
    cells = [[re.sub(r"\s*\n\s*", "", cell or "").replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in cells if any(row)]
    if lines:
        lines.insert(1, "|" + " --- |" * len(cells[0]))
    return "\n".join(lines)


def _without_running(printed: Sequence[Printed], pages: int, source: Source) -> list[Printed]:
    """Without page numbers, and without what stands at the edge of at least half of three or more pages."""
    edges = [line for line in printed if line.at_edge and not _NUMBER_LINE.fullmatch(line.text)]
    often = Counter(text for text, _ in {(_undated(line.text), line.page) for line in edges})
    running = [line for line in edges if pages >= 3 and often[_undated(line.text)] >= max(3, pages / 2)]
    if running:
        texts = {_undated(line.text): line.text for line in reversed(running)}
        source.notes.append(f"repeated at the edges of pages, left out: {'; '.join(sorted(texts.values()))}")
    gone = set(running)
    return [line for line in printed if not (line.at_edge and (line in gone or _NUMBER_LINE.fullmatch(line.text)))]


def _undated(text: str) -> str:
    return re.sub(r"\d+", "", text)


def _markdown(printed: Sequence[Printed]) -> list[Line]:
    usual = _usual_size(printed)
    plain_bold = sum(line.bold for line in printed) > len(printed) / 2
    right = max((line.right for line in printed if not line.table), default=0)
    sizes = sorted({round(line.size) for line in printed if line.size >= LARGER * usual}, reverse=True)
    lines: list[Line] = []
    before: Printed | None = None
    level_before = 0
    for line in printed:
        place = f"page {line.page}"
        if line.table:
            lines += [Line(text, place) for text in ["", *line.text.split("\n"), ""]]
            before = None
            continue
        level = _level(line, usual, sizes, plain_bold)
        if before and level == level_before and _goes_on(before, line, right, bool(level)):
            gap = " " if before.text[-1].isascii() and line.text[0].isascii() else ""
            lines[-1] = Line(lines[-1].text + gap + line.text, lines[-1].place)
        else:
            lines.append(Line(f"{'#' * level} {line.text}" if level else line.text, place))
        before, level_before = line, level
    return lines


def _usual_size(printed: Sequence[Printed]) -> float:
    letters: Counter[float] = Counter()
    for line in printed:
        if not line.table:
            letters[round(line.size, 1)] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0


def _level(line: Printed, usual: float, sizes: Sequence[int], plain_bold: bool) -> int:
    """1 to 6 for a heading, 0 for plain text."""
    if len(line.text) > TITLE_LENGTH:
        return 0
    if line.size >= LARGER * usual:
        return min(6, 1 + sizes.index(round(line.size)))
    return min(6, 1 + len(sizes)) if line.bold and not plain_bold and line.text[-1] not in "。；;：:," else 0


def _goes_on(before: Printed, line: Printed, right: float, heading: bool) -> bool:
    """Whether a line is the rest of the one before: that reached the margin, and this begins nothing new."""
    near = line.page != before.page or line.top - before.top < 2.2 * max(before.size, 1)
    word = line.text.split(" ")[0] if line.text[0].isascii() else ""
    reaches = line.text[0].islower() or before.right >= right - before.size * max(2, 0.6 * len(word))
    return near and reaches and not _BEGINS.match(line.text) and (heading or before.text[-1] not in _ENDS)
