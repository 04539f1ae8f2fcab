"""Conditions of persona files in words, as the trainer's form shows them: one way a line, moves in the page's language.

told vas-refund                     the content of that entry was told rightly
told vas-refund (days, amount)      and these of its facts were among it
offers a solution + says by when    both were done
does it on the spot / offers a solution x2        one of the two, in two replies
meets the feeling !                 and the reply took up the feeling
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from roleplay.dialogue import MOVES
from roleplay.texts import texts

TOLD = {"zh-CN": "说对", "en": "told"}
TIMES = re.compile(r"\s*[×xX*]\s*(\d+)\s*(?:次|times)?\s*$")
GOOD = re.compile(r"\s*[!！]\s*$")


def condition_text(value: Any, language: str) -> str | None:
    """The lines of a condition of which any is enough; "" for none, None for one that these words cannot say."""
    if value is None:
        return ""
    ways = value.get("any") if isinstance(value, dict) and list(value) == ["any"] else [value]
    lines = [_way(way, language) for way in ways] if isinstance(ways, list) else [None]
    return None if None in lines else "\n".join(map(str, lines))


def condition_of(text: str) -> Any:
    """The condition that the lines say, in either language; a word that is no move is left to the loader to name."""
    ways = [_parsed(line) for line in text.split("\n") if line.strip()]
    return None if not ways else ways[0] if len(ways) == 1 else {"any": ways}


def _way(way: Any, language: str) -> str | None:
    parts = way.get("all") if isinstance(way, dict) and list(way) == ["all"] else [way]
    said = [_part(part, language) for part in parts] if isinstance(parts, list) else [None]
    return None if None in said else " + ".join(map(str, said))


def _part(part: Any, language: str) -> str | None:
    if not isinstance(part, dict):
        return None
    if set(part) <= {"told", "facts"} and isinstance(part.get("told"), str):
        facts = part.get("facts", [])
        return f"{TOLD[language]} {part['told']}" + (f" ({', '.join(map(str, facts))})" if facts else "")
    moves = part.get("move")
    moves = [moves] if isinstance(moves, str) else moves
    if not set(part) <= {"move", "times", "good"} or not isinstance(moves, list) or not set(moves) <= set(MOVES):
        return None
    names = texts(language)["moves"]
    times = f" ×{part['times']}" if part.get("times", 1) != 1 else ""
    return " / ".join(names[move] for move in moves) + times + (" !" if part.get("good") else "")


def _parsed(line: str) -> Any:
    parts = [_parsed_part(part.strip()) for part in re.split(r"[+＋]", line) if part.strip()]
    return parts[0] if len(parts) == 1 else {"all": parts}


def _parsed_part(part: str) -> dict[str, Any]:
    for word in TOLD.values():
        if part.casefold().startswith(word):
            name, _, facts = re.sub(r"[()（）]", "|", part[len(word) :].strip(" ：:")).strip("|").partition("|")
            named = [each.strip() for each in re.split(r"[,，、]", facts) if each.strip()]
            return {"told": name.strip()} | ({"facts": named} if named else {})
    good = GOOD.search(part)
    part = GOOD.sub("", part)
    times = TIMES.search(part)
    names = [name.strip() for name in re.split(r"[/／]", TIMES.sub("", part)) if name.strip()]
    moves = [_moves().get(name.casefold(), name) for name in names]
    made: dict[str, Any] = {"move": moves[0] if len(moves) == 1 else moves}
    if times and int(times[1]) != 1:
        made["times"] = int(times[1])
    return made | ({"good": True} if good else {})


@lru_cache(maxsize=1)
def _moves() -> dict[str, str]:
    """Moves by every word for them: their names in both languages and in the file."""
    return {
        name.casefold(): move
        for words in (texts("zh-CN")["moves"], texts("en")["moves"], {move: move for move in MOVES})
        for move, name in words.items()
    }
