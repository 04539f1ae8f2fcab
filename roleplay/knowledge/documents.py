"""DOCX and PPTX files as lines of Markdown, each with its place; markitdown converts them. PDF files: `pdf`."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from roleplay.errors import Fault, FileFault, Unavailable
from roleplay.knowledge.sources import read_bytes
from roleplay.knowledge.tables import refuse_bombs

# A line all in bold is a heading where a manual has no better ones.
BOLD_HEADING = re.compile(
    r"\*\*((?!(?:问题?|答案?|回答|Q|A|Question|Answer)\s*\d*\s*[:：])[^*]{2,40}[^*。；，、;,：:])\*\*"
)
_SLIDE = re.compile(r"<!-- Slide number: (\d+) -->")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")


@dataclass(frozen=True)
class Line:
    """A line of Markdown; `internal` marks what is for staff only, such as a slide's notes."""

    text: str
    place: str
    internal: bool = False


def docx_lines(path: Path) -> list[Line]:
    """A Word file has no pages before it is printed: places are headings and rows of the tables below them."""
    lines: list[Line] = []
    heading, row = "the beginning", 0
    for text in _tables_with_heads(_markdown(path).split("\n")):
        if text.startswith("#") or BOLD_HEADING.fullmatch(text):
            heading = text.strip("#* ")
        row = row + 1 if text.startswith("|") and not re.fullmatch(r"[\s|:-]+", text) else row
        row = row if text.startswith("|") else 0
        lines.append(Line(text, f"section {heading}" + (f", table row {row}" if row else "")))
    return lines


def pptx_lines(path: Path) -> list[Line]:
    """Slides; one without a title goes on with the title before it. Notes become internal sections of their own."""
    lines: list[Line] = []
    title = ""
    for part in re.split(r"(?=<!-- Slide number: \d+ -->)", _markdown(path)):
        number = _SLIDE.match(part)
        if number is None:
            continue
        place = f"slide {number[1]}"
        shown, _, notes = part[number.end() :].partition("\n### Notes:\n")
        texts = [text.replace("\v", " ").rstrip() for text in shown.strip("\n").split("\n")]
        if heading := next((text for text in texts if text.startswith("# ")), None):
            texts.remove(heading)
            title = heading.removeprefix("# ")
        lines += [Line(text, place) for text in ([f"# {title}"] if title else []) + texts]
        if notes.strip():
            mark = "（备注）" if re.search(r"[\u4e00-\u9fff]", notes) else " (notes)"
            lines.append(Line(f"# {title or place}{mark}", place, internal=True))
            lines += [Line(text, place, internal=True) for text in notes.replace("\v", "\n").split("\n")]
    return lines


def need(library: str, what: str) -> None:
    """Raises Unavailable if a library of the extra `manuals` is not installed."""
    if find_spec(library) is None:
        remedy = "Install it: pip install 'roleplay-practice-room[manuals]'."
        raise Unavailable(f"{what} cannot be read", f"{library} is not installed", remedy)


def _markdown(path: Path) -> str:
    need("markitdown", f"{path.suffix} files")
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter, PptxConverter

    data = read_bytes(path)
    refuse_bombs(path, data)
    suffix = path.suffix.casefold()
    converter = DocxConverter() if suffix == ".docx" else PptxConverter()
    options = {"style_map": "p[style-name='Title'] => h1:fresh"} if suffix == ".docx" else {}
    try:
        made = converter.convert(io.BytesIO(data), StreamInfo(extension=suffix), **options)
    except Exception as error:  # whatever the parsers below raise for a broken file
        raise FileFault(path, [Fault(f"not a {suffix} file that can be read: {error}")]) from error
    text = _PICTURE.sub("", made.markdown)
    return _ESCAPED.sub(r"\1", text) if suffix == ".docx" else text


def _tables_with_heads(lines: list[str]) -> list[str]:
    """The first row of a table as its head: Word does not mark heads, and the converter puts an empty one above."""
    made: list[str] = []
    at = 0
    while at < len(lines):
        if re.fullmatch(r"[|\s]*\|[|\s]*", lines[at]) and at + 2 < len(lines) and lines[at + 2].startswith("|"):
            made += [lines[at + 2], lines[at + 1]]
            at += 3
        else:
            made.append(lines[at])
            at += 1
    return made
