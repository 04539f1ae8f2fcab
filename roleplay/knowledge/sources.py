"""What a file of knowledge looks like before it is checked: rows of named fields, each with its place in the file.

Light: the readers of each format (`tables`, `manuals`) make rows, `drafts` makes entries of them.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roleplay.errors import Fault, FileFault

MAX_BYTES = 50_000_000

# Names that columns, keys and table headings have in the wild, by the field that they mean.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "编号", "条目编号", "知识编号", "key"),
    "question": ("question", "q", "问题", "标准问", "标准问题", "问", "title", "标题"),
    "answer": ("answer", "a", "答案", "回答", "标准答案", "答", "答复", "内容", "content"),
    "also_asked": ("also_asked", "also asked", "其他问法", "相似问", "相似问法", "扩展问", "variants"),
    "product": ("product", "产品", "业务", "产品名称", "业务名称", "category", "分类", "类别"),
    "language": ("language", "lang", "语言"),
    "audience": ("audience", "受众", "可见范围", "对象"),
    "valid_from": ("valid_from", "valid from", "生效", "生效日期", "生效时间", "开始日期"),
    "valid_to": ("valid_to", "valid to", "失效", "失效日期", "失效时间", "截止日期", "结束日期"),
    "facts": ("facts", "事实"),
    "related": ("related", "相关", "相关条目"),
    "twin": ("twin", "对照", "对照条目"),
    "source": ("source", "来源", "出处"),
}
_FIELD = {name: field for field, names in COLUMNS.items() for name in names}
_FACT = re.compile(r"(?:fact|事实)\s*[:：.]\s*([A-Za-z0-9_.-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One thing that wants to be an entry. `place` is said as a person would find it: "sheet 资费, row 12"."""

    fields: dict[str, Any]
    place: str


@dataclass
class Source:
    """What was read of one file: rows, what is wrong with it, and what was left out with the reason."""

    path: Path
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def field_of(heading: object) -> str | None:
    """The field that a column's heading means, "fact.NAME" for a fact's; None for a heading of no meaning here."""
    name = clean(str(heading or "")).strip("*# ").casefold()
    if fact := _FACT.fullmatch(name):
        return f"fact.{fact[1]}"
    return _FIELD.get(name) or _FIELD.get(re.sub(r"\s*(?:[(（].*[)）]|\d+)$", "", name))


def columns_of(headings: Iterable[object]) -> dict[int, str] | None:
    """Column number to field, if the headings name a question and an answer; None if this is no heading row.

    Of two columns that mean the same, the first counts; other wordings may fill several (相似问1, 相似问2).
    """
    found: dict[int, str] = {}
    for number, heading in enumerate(headings):
        name = field_of(heading)
        if name and (name == "also_asked" or name not in found.values()):
            found[number] = name
    return found if {"question", "answer"} <= set(found.values()) else None


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 (with its mark) or GB18030, with plain line ends.

    Raises FileFault where none of them reads every byte: a guess would put wrong words into the knowledge base.
    """
    data = read_bytes(path)
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "gb18030"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and (encoding != "gb18030" or _looks_chinese(text)):
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise FileFault(path, [Fault("the text is not UTF-8, UTF-16 or GB18030; save the file as UTF-8")])


def read_bytes(path: Path) -> bytes:
    """All bytes of a file; raises FileFault if it cannot be read, is empty or too big."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FileFault(path, [Fault(f"{size:,} bytes, more than the {MAX_BYTES:,} that are read")])
        data = path.read_bytes()
    except OSError as error:
        raise FileFault(path, [Fault(f"cannot be read: {error.strerror or error}")]) from error
    if not data.strip():
        raise FileFault(path, [Fault("the file is empty")])
    return data


def clean(text: str) -> str:
    """The text without control characters, odd spaces and blanks at the ends of lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n").replace("\f", "\n")
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f]", " ", text)
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "\n".join(line.rstrip() for line in kept.split("\n")).strip()


def _looks_chinese(text: str) -> bool:
    """GB18030 reads almost any bytes; of a true Chinese text nearly all that is not ASCII is common characters.

    Common: the Han block's, full-width and general punctuation, units and arrows. Latin-1 or Big5 bytes
    come out as rare characters and private ones.
    """
    foreign = [c for c in text if ord(c) > 127]
    common = 0
    for c in foreign:
        try:
            first = c.encode("gb2312")[0]
        except UnicodeEncodeError:
            continue
        common += first < 0xD8  # level-one characters and symbols; the rarer level two begins at 0xD8
    return common >= 0.8 * len(foreign)
