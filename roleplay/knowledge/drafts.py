"""Rows of a file become entries: words in either language for dates and audiences, ids that stay the same.

Does not know the knowledge base that the entries go to, but for the ids that this file had there before.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from roleplay.errors import Fault
from roleplay.knowledge.entries import Audience, Entry, EntryInFile
from roleplay.knowledge.sources import Row, Source, clean
from roleplay.yaml_files import faults_of

AUDIENCE_WORDS = {"公开": "public", "对外": "public", "客户": "public", "内部": "internal", "对内": "internal"}
LANGUAGE_WORDS = {"zh": "zh-CN", "zh-cn": "zh-CN", "中文": "zh-CN", "简体中文": "zh-CN", "英文": "en", "english": "en"}
OPEN_DATES = ("长期", "永久", "长期有效", "无", "-", "—", "none", "n/a")
LISTS = ("also_asked", "related")
ALIKE = 85  # of 100: a question whose wording was only mended, when its answer is the same to the letter


@dataclass(frozen=True)
class Defaults:
    """What holds for rows that do not say it themselves."""

    product: str | None = None
    audience: Audience = "public"


def make_entries(source: Source, defaults: Defaults, before: Sequence[Entry] = ()) -> tuple[list[Entry], list[Fault]]:
    """The entries of a file, and one fault for each row that makes none (with the reader's own faults).

    `before` are the entries that this file made last time: rows without an id keep theirs, and in the place of a
    wrong row its entry of last time stays.
    """
    entries, faults = [], list(source.faults)
    ids = _Ids(before, source.rows, defaults.product)
    if defaults.product is None and source.rows and not any(row.fields.get("product") for row in source.rows):
        reason = "no product is given: add a column product (产品), or name one with --product"
        return [], [*faults, Fault(reason)]
    for row in source.rows:
        try:
            entries.append(_entry(row, source, defaults, ids))
        except ValueError as error:  # pydantic's are of these
            if isinstance(error, ValidationError):
                found = faults_of(error, EntryInFile, {})
                reason = "; ".join(
                    f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in found
                )
            else:
                reason = str(error)
            faults.append(Fault(reason, None, row.place))
            if last := ids.last(row, defaults.product):
                entries.append(last)
    return entries, faults


def _entry(row: Row, source: Source, defaults: Defaults, ids: _Ids) -> Entry:
    fields = _fields(row.fields, defaults)
    fields.setdefault("id", ids.of(fields))
    item = EntryInFile.model_validate(fields)
    texts = {
        "also_asked": tuple(item.also_asked),
        "related": tuple(item.related),
        "facts": tuple(item.facts.items()),
        "source": item.source or f"{source.path.name}, {row.place}",
    }
    return Entry(**dict(item) | texts)


def question_key(product: str, question: str) -> tuple[str, str]:
    """Equal for what is the same question about the same product, whatever its spaces, case and marks."""
    return clean(product).casefold(), re.sub(r"[\W_]+", "", clean(question).casefold())


class _Ids:
    """Ids of rows that give none: the one from last time, else one made of the product and the question."""

    def __init__(self, before: Sequence[Entry], rows: Sequence[Row], product: str | None) -> None:
        given = {str(row.fields["id"]) for row in rows if row.fields.get("id")}
        self._by_id = {entry.id: entry for entry in before}
        self._asked = Counter(
            question_key(str(row.fields.get("product") or product), str(row.fields.get("question", ""))) for row in rows
        )
        self._same: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._gone: dict[tuple[str, str], list[Entry]] = defaultdict(list)  # by product and answer
        for entry in before:
            key = question_key(entry.product, entry.question)
            if entry.id not in given:
                self._same[key].append(entry)
                if key not in self._asked:
                    self._gone[entry.product, entry.answer].append(entry)

    def of(self, fields: Mapping[str, Any]) -> str:
        from rapidfuzz import fuzz

        product, question, answer = (str(fields.get(name, "")) for name in ("product", "question", "answer"))
        key = question_key(product, question)
        once = self._asked[key] == 1
        for entry in self._same[key]:
            if once or entry.answer == answer:
                self._same[key].remove(entry)
                return entry.id
        for entry in self._gone[product, answer]:
            if fuzz.ratio(entry.question, question) >= ALIKE:
                self._gone[product, answer].remove(entry)
                return entry.id
        # asked more than once, for other readers or other days: these go into the id too
        return derived_id(product, question, "" if once else f"{fields.get('audience')} {fields.get('valid_from')}")

    def last(self, row: Row, product: str | None) -> Entry | None:
        """The entry that a wrong row made last time, if it can be told."""
        if row.fields.get("id"):
            return self._by_id.get(str(row.fields["id"]))
        key = question_key(str(row.fields.get("product") or product), str(row.fields.get("question", "")))
        return self._same[key].pop(0) if self._asked[key] == 1 and self._same[key] else None


def derived_id(product: str, question: str, variant: str = "") -> str:
    """An id that a person can tell apart, "guo-ji-man-you-1f0c9a2b": the sound of the question and a hash of both."""
    from pypinyin import lazy_pinyin

    words = re.findall(r"[a-z0-9]+", " ".join(lazy_pinyin(re.sub(r"[^\w]", " ", question)[:60])).casefold())
    digest = hashlib.sha256("\n".join((*question_key(product, question), variant)).encode()).hexdigest()[:8]
    return "-".join([*words[:6], digest])[-60:].lstrip("-")


def _fields(given: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    """The row's fields in the form that `EntryInFile` checks; raises ValueError for a date that is none."""
    fields: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or (isinstance(value, str) and not clean(value)):
            continue
        if name.startswith("fact."):
            facts[name.removeprefix("fact.")] = _text(value)
        elif name in LISTS:
            fields[name] = _list(value)
        elif name in ("valid_from", "valid_to"):
            fields[name] = _date(value, name)
        elif name == "facts":
            facts |= value if isinstance(value, dict) else _facts(_text(value))
        else:
            fields[name] = _text(value)
    if facts:
        fields["facts"] = facts
    fields.setdefault("product", defaults.product)
    if fields["product"] is None:
        raise ValueError("product is missing")
    audience = str(fields.get("audience", defaults.audience))
    fields["audience"] = AUDIENCE_WORDS.get(audience, audience.casefold())
    language = str(fields.get("language") or _language(str(fields.get("question", "")) + str(fields.get("answer", ""))))
    fields["language"] = LANGUAGE_WORDS.get(language.casefold(), language)
    return fields


def _text(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a spreadsheet keeps 10910 as 10910.0
    return value if isinstance(value, list | dict) else clean(str(value))


def _list(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    return [part.strip() for part in re.split(r"[\n;；|｜]", _text(value)) if part.strip()]


def _facts(text: str) -> dict[str, str]:
    """`price: 28元/天; code: KTMY`, one fact between separators."""
    pairs = [
        re.split(r"\s*[:：=]\s*", part.strip(), maxsplit=1) for part in re.split(r"[\n;；|｜]", text) if part.strip()
    ]
    if wrong := [pair[0] for pair in pairs if len(pair) != 2]:
        raise ValueError(f"facts are written as `name: text; name: text` (found {wrong[0]!r})")
    return dict(pairs)


def _date(value: Any, name: str) -> datetime.date | None:
    """A day as people write it; None for words that mean no end."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    text = clean(str(value))
    if text.casefold() in OPEN_DATES:
        return None
    parts = re.fullmatch(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?(?:[ T]0?0:00(?::00)?)?", text)
    try:
        if parts is None:
            raise ValueError
        return datetime.date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError as error:
        raise ValueError(f"{name}: not a day such as 2026-03-01 (found {text!r})") from error


def _language(text: str) -> str:
    han = len(re.findall(r"[\u4e00-\u9fff]", text))
    return "zh-CN" if 4 * han >= len(re.findall(r"[A-Za-z]", text)) and han else "en"
