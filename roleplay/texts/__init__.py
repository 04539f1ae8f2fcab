"""What the page, the terminal and reports say to people, by language: zh-CN.yaml and en.yaml here.

The program's own messages are English; said.zh-CN.yaml holds their Chinese form, see `said`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from roleplay.yaml_files import read_yaml

FOLDER = Path(__file__).parent
HAN = re.compile(r"[\u4e00-\u9fff]")


@lru_cache(maxsize=2)
def texts(language: str) -> dict[str, Any]:
    """All texts of one language, nested by where they are used."""
    return read_yaml(FOLDER / f"{language}.yaml")[0]


def said(message: str, language: str) -> str:
    """A message of the program in the reader's language; as it is where nothing else is known."""
    return translated(message, language) or message


def translated(message: str, language: str) -> str | None:
    """As `said`, but None for a message that has no form in this language. Messages of several lines line by line."""
    if language != "zh-CN":
        return message[:1].upper() + message[1:]
    lines = [_chinese(line) for line in message.split("\n")]
    return None if None in lines else "\n".join(map(str, lines))


@lru_cache(maxsize=2048)
def _chinese(message: str) -> str | None:
    for pattern, form in _forms():
        if found := pattern.fullmatch(message):
            return form.format_map({name: _chinese(part) or part for name, part in found.groupdict().items()})
    return message if HAN.search(message) else None


@lru_cache(maxsize=1)
def _forms() -> list[tuple[re.Pattern[str], str]]:
    """What messages look like, those with the most words of their own first."""
    made = []
    for english, chinese in read_yaml(FOLDER / "said.zh-CN.yaml")[0].items():
        pieces = re.split(r"\{(\w+)\}", english)
        pattern = "".join(re.escape(piece) if at % 2 == 0 else f"(?P<{piece}>.*)" for at, piece in enumerate(pieces))
        made.append((len("".join(pieces[::2])), re.compile(pattern, re.DOTALL), chinese))
    return [(pattern, chinese) for _, pattern, chinese in sorted(made, key=lambda each: -each[0])]
