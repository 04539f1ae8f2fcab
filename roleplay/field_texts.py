"""One field of a persona's form as the texts that a browser holds, and such texts as the field's value.

What cannot be read as the field's kind stays as it was typed: what is wrong with it is the loader's to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from roleplay.condition_words import condition_of, condition_text, moves_of, moves_text
from roleplay.persona_fields import Field

BETWEEN = " | "  # stands between a wording and its gloss in standard language
EQUALS = " = "  # stands between a word and its meaning


def texts_of(place: str, field: Field, value: Any, language: str) -> dict[str, str]:
    """What a form holds for a value, by the names of its inputs. Of boxes only those that are ticked are there."""
    if field.kind == "many":
        return {f"{place}={name}": "on" for name in field.choices if isinstance(value, list) and name in value}
    if value is None or value == "":
        return {place: field.default}
    return {place: _text(field, value, language)}


def value_of(place: str, field: Field, typed: Mapping[str, str]) -> Any:
    """The value that was typed; None for nothing."""
    if field.kind == "many":
        return [name for name in field.choices if f"{place}={name}" in typed]
    text = typed.get(place, "").strip()
    return _value(field, text) if text else None


def _text(field: Field, value: Any, language: str) -> str:
    if field.kind == "condition":
        return condition_text(value, language)
    if field.kind == "yaml":
        return yaml.safe_dump(value, allow_unicode=True, default_flow_style=False, sort_keys=False).removesuffix(
            "...\n"
        )
    if isinstance(value, dict) and field.kind == "pairs":
        return "\n".join(word if meaning is None else f"{word}{EQUALS}{meaning}" for word, meaning in value.items())
    if not isinstance(value, list):
        return str(value)
    if field.kind == "moves":
        return moves_text(value, language)
    if field.kind in ("ids", "numbers"):
        return ", ".join(map(str, value))
    return "\n".join(_line(each) if field.kind == "wordings" else str(each) for each in value)


def _value(field: Field, text: str) -> Any:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    match field.kind:
        case "condition":
            return condition_of(text)
        case "moves":
            return moves_of(text)
        case "wordings":
            return [_wording(line) for line in lines]
        case "lines":
            return lines
        case "pairs":
            return dict(map(_pair, lines))
        case "ids":
            return _split(text)
        case "numbers":
            return [_number(part) for part in _split(text)]
        case "yaml":
            return _data(text)
    digits = field.kind == "choice" and all(choice.isdecimal() for choice in field.choices)
    return _number(text) if digits or field.kind == "number" else text


def _line(value: Any) -> str:
    if isinstance(value, dict):
        gloss = value.get("gloss", "")
        return f"{value.get('text', '')}{BETWEEN}{gloss}" if gloss else str(value.get("text", ""))
    return str(value)


def _wording(line: str) -> Any:
    text, bar, gloss = line.partition(BETWEEN.strip())
    return {"text": text.strip(), "gloss": gloss.strip()} if bar and gloss.strip() else line


def _pair(line: str) -> tuple[str, str | None]:
    word, sign, meaning = line.replace("＝", "=").partition(EQUALS.strip())
    return word.strip(), meaning.strip() if sign else None


def _number(text: str) -> float | str:
    if text.isdecimal():
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,，、]+", text) if part]


def _data(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # a date such as 2026-13-01 is no YAML error
        return text
