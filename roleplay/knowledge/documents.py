"""DOCX, PPTX and PDF files as lines of Markdown, each with its place.

DOCX and PPTX are converted by markitdown, PDF by pdfplumber, which knows pages, sizes of letters and tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from roleplay.knowledge.sources import Source


@dataclass(frozen=True)
class Line:
    """A line of Markdown; `internal` marks what is for staff only, such as a slide's notes."""

    text: str
    place: str
    internal: bool = False


def docx_lines(path: Path) -> list[Line]:
    raise NotImplementedError


def pptx_lines(path: Path) -> list[Line]:
    raise NotImplementedError


def pdf_lines(path: Path, source: Source) -> list[Line]:
    raise NotImplementedError
