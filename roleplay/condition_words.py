"""Conditions of persona files in words, as the trainer's form shows them: one way a line, in the page's language.

told vas-refund                     the content of that entry was told rightly
told vas-refund (days, amount)      and these of its facts were among it
offers a solution + says by when    both were done
does it on the spot / offers a solution x2        one of the two, in two replies
meets the feeling !                 and the reply took up the feeling
trust >=2 + not asked for item      a feeling, a fact, what has not happened
{all: [{turn: ">=3"}, {any: […]}]}  what these words cannot say stands as in the file
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, get_args

import yaml

from roleplay.dialogue import MOVES, Language
from roleplay.texts import texts

NAMED = ("told", "asked", "knows", "goal", "belief", "objection", "heard")  # each is followed by an id
FEELINGS = ("anger", "confusion", "trust")
NOT = "not"
TIMES = re.compile(r"\s*[×xX*]\s*(\d+)\s*(?:次|times)?\s*$")
GOOD = re.compile(r"\s*[!！]\s*$")
BOUND = re.compile(r"[:：]?\s*(<=|>=|≤|≥)\s*(\d+(?:\.\d+)?)\s*$")


def condition_text(value: Any, language: str) -> str:
    """The lines of a condition of which any is enough; "" for none."""
    if value is None:
        return ""
    ways = value.get("any") if isinstance(value, dict) and list(value) == ["any"] else [value]
    if not isinstance(ways, list) or (len(ways) == 1 and ways != [value]):
        ways = [value]
    return "\n".join(_way(way, language) or _exact(way) for way in ways)


def condition_of(text: str) -> Any:
    """The condition that the lines say, in either language; a word that is no move is left to the loader to name."""
    ways = [_parsed(line.strip()) for line in text.split("\n") if line.strip()]
    return None if not ways else ways[0] if len(ways) == 1 else {"any": ways}


def moves_text(moves: Iterable[Any], language: str) -> str:
    """Moves by their names in a language, of which one is enough; what is no move stays as it is."""
    names = texts(language)["moves"]
    return " / ".join(str(names.get(move, move)) for move in moves)


def moves_of(text: str) -> list[str]:
    """The moves that are named, in either language; a word that is none is left to the loader."""
    names = [name.strip() for name in re.split(r"[/／\n]", text) if name.strip()]
    return [_moves().get(name.casefold(), name) for name in names]


def _exact(value: Any) -> str:
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6).strip()


def _way(way: Any, language: str) -> str | None:
    """The words for one way; None for one that they cannot say exactly."""
    parts = way.get("all") if isinstance(way, dict) and list(way) == ["all"] else [way]
    said = [_part(part, language) for part in parts] if isinstance(parts, list) else [None]
    text = None if None in said else " + ".join(map(str, said))
    return text if text and _parsed(text) == way else None


def _part(part: Any, language: str) -> str | None:
    words = texts(language)["conditions"]
    match part:
        case {"move": moves}:
            moves = [moves] if isinstance(moves, str) else moves
            if not isinstance(moves, list) or not set(moves) <= set(MOVES):
                return None
            times = f" ×{part['times']}" if "times" in part else ""
            return moves_text(moves, language) + times + (" !" if part.get("good") else "")
        case {"told": str(name), "facts": list(facts)}:
            return f"{words['told']} {name} ({', '.join(map(str, facts))})"
        case {"feeling": dict(bounds)} if len(bounds) == 1:
            (feeling, bound), *_ = bounds.items()
            return f"{words[feeling]} {bound}" if feeling in FEELINGS else None
        case {"turn": bound}:
            return f"{words['turn']} {bound}"
        case {"verified": True}:
            return str(words["verified"])
        case {"not": inner}:
            said = _part(inner, language)
            return said and f"{words[NOT]} {said}"
        case dict() if len(part) == 1 and next(iter(part)) in NAMED:
            (kind, name), *_ = part.items()
            return f"{words[kind]} {name}"
    return None


def _parsed(line: str) -> Any:
    if line.startswith("{"):
        try:
            return yaml.safe_load(line)
        except yaml.YAMLError:
            return line
    parts = [_parsed_part(part.strip()) for part in re.split(r"[+＋]", line) if part.strip()]
    return parts[0] if len(parts) == 1 else {"all": parts}


def _parsed_part(part: str) -> dict[str, Any]:
    good, plain = bool(GOOD.search(part)), GOOD.sub("", part)
    times, plain = TIMES.search(plain), TIMES.sub("", plain)
    moves = moves_of(plain)
    kind, rest = next(((kind, part[len(word) :]) for word, kind in _words() if _begins(part, word)), ("", ""))
    if not kind or set(moves) <= set(MOVES):
        made: dict[str, Any] = {"move": moves[0] if len(moves) == 1 else moves}
        if times and int(times[1]) != 1:
            made["times"] = int(times[1])
        return made | ({"good": True} if good else {})
    if kind == NOT:
        return {NOT: _parsed_part(rest.strip())}
    if kind == "verified":
        return {"verified": True}
    if kind in (*FEELINGS, "turn"):
        bound = BOUND.fullmatch(rest.strip())
        said = bound[1].replace("≤", "<=").replace("≥", ">=") + bound[2] if bound else rest.strip()
        return {"turn": said} if kind == "turn" else {"feeling": {kind: said}}
    name, _, facts = re.sub(r"[()（）]", "|", rest.strip(" ：:")).strip("|").partition("|")
    named = [each.strip() for each in re.split(r"[,，、]", facts) if each.strip()]
    return {kind: name.strip()} | ({"facts": named} if named else {})


def _begins(part: str, word: str) -> bool:
    """Whether a part begins with this word and not with a longer one that holds it."""
    rest = part[len(word) :]
    return part.casefold().startswith(word) and not (word[-1].isascii() and rest[:1].isalnum())


@lru_cache(maxsize=1)
def _words() -> list[tuple[str, str]]:
    """The words that a part may begin with, in both languages and as in the file, the longest first."""
    kinds = (*NAMED, *FEELINGS, "turn", "verified", NOT)
    both = [texts(language)["conditions"] for language in get_args(Language)]
    named = {(str(word), kind) for words in (*both, {kind: kind for kind in kinds}) for kind, word in words.items()}
    return sorted(named, key=lambda each: (-len(each[0]), each))


@lru_cache(maxsize=1)
def _moves() -> dict[str, str]:
    """Moves by every word for them: their names in both languages and in the file."""
    both = [texts(language)["moves"] for language in get_args(Language)]
    return {name.casefold(): move for words in (*both, {move: move for move in MOVES}) for move, name in words.items()}
