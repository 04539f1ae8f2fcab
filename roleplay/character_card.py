"""Character cards, V2 and V3 as JSON: a card becomes the beginning of a persona file, a persona becomes a card.

The two say different things. A card is one text that a model plays from; a persona is facts with rules, goals
with conditions, and blocks that the customer must not see. So both ways come with a report of what was lost.
Instructions to a model (`system_prompt`, `post_history_instructions`) are never taken over.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from roleplay.errors import Fault, FileFault
from roleplay.persona import Persona

Spec = Literal["chara_card_v2", "chara_card_v3"]
VERSIONS: dict[Spec, str] = {"chara_card_v2": "2.0", "chara_card_v3": "3.0"}
OURS = "roleplay-practice-room/persona"  # the extension that carries what a card has no place for
BIGGEST = 8_000_000  # bytes
LONGEST_OPENING, LONGEST_ABOUT = 300, 1500  # characters
PRIVATE = ("account", "grading")  # blocks that no customer's model may see
CJK = re.compile(r"[\u4e00-\u9fff]")
ACTION = re.compile(r"\*[^*\n]{1,200}\*|（[^（）\n]{1,80}）")
DECORATOR = re.compile(r"^@@+.*$", re.MULTILINE)
INSTRUCTIONS = ("system_prompt", "post_history_instructions")
NOT_TAKEN = {
    "group_only_greetings": "a call has two people",
    "assets": "portraits are drawn here",
    "nickname": "used for {{char}} only",
    "creator": "",
    "character_version": "",
    "creator_notes": "",
    "creator_notes_multilingual": "",
    "source": "",
    "tags": "topics are a closed list: choose them",
    "creation_date": "",
    "modification_date": "",
}
TEXTS = ("name", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes", *INSTRUCTIONS)
OBJECTS = ("character_book", "extensions")
LISTS = ("alternate_greetings", "group_only_greetings", "tags", "assets", "source")
ANGLES = {"char": re.compile(r"\{\{char\}\}|<char>|<bot>", re.I), "user": re.compile(r"\{\{user\}\}|<user>", re.I)}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a card: the data of a persona file, and what was lost or only kept aside, by field."""

    data: dict[str, Any]
    lost: tuple[str, ...]

    def as_yaml(self) -> str:
        return yaml.safe_dump(self.data, allow_unicode=True, sort_keys=False, width=110)


def read_card(path: Path) -> tuple[Spec, dict[str, Any]]:
    """The kind of card and its `data`. Raises FileFault for what is not a card of version 2 or 3 in JSON."""
    try:
        if path.stat().st_size > BIGGEST:
            raise FileFault(path, [Fault(f"bigger than {BIGGEST:,} bytes")])
        card = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileFault(path, [Fault(error.strerror or str(error))]) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        hint = "; cards in PNG and CHARX files must be saved as JSON first"
        raise FileFault(path, [Fault(f"not JSON: {error}{hint}")]) from error
    if not isinstance(card, dict) or card.get("spec") not in VERSIONS or not isinstance(card.get("data"), dict):
        kinds = " or ".join(VERSIONS)
        raise FileFault(path, [Fault(f"no character card: spec must be {kinds}, with an object as data", None, "spec")])
    data: dict[str, Any] = card["data"]
    faults = [
        Fault("must be a text", None, f"data.{name}") for name in TEXTS if not isinstance(data.get(name, ""), str)
    ]
    faults += [
        Fault("must be a list", None, f"data.{name}") for name in LISTS if not isinstance(data.get(name, []), list)
    ]
    faults += [
        Fault("must be a list of texts", None, f"data.{name}")
        for name in ("alternate_greetings", "tags")
        if isinstance(data.get(name), list) and not all(isinstance(item, str) for item in data[name])
    ]
    faults += [
        Fault("must be an object", None, f"data.{name}")
        for name in OBJECTS
        if not isinstance(data.get(name) or {}, dict)
    ]
    if not str(data.get("name", "")).strip():
        faults.append(Fault("a card needs a name", None, "data.name"))
    if faults:
        raise FileFault(path, faults)
    return card["spec"], data


def persona_of(spec: Spec, card: Mapping[str, Any]) -> Imported:
    """The beginning of a persona. What a card cannot say is left out, so that `roleplay check` names it."""
    own = (card.get("extensions") or {}).get(OURS)
    if isinstance(own, dict):
        return Imported(dict(own), tuple(f"{name}: never part of a card" for name in PRIVATE))
    words, lost = _Words(card), list[str]()
    openings = [words(text) for text in (card.get("first_mes", ""), *card.get("alternate_greetings", []))]
    about = words("\n".join(text for text in (card.get("description", ""), card.get("personality", "")) if text))
    everything = about + "".join(openings) + card.get("scenario", "")
    facts = _facts(card.get("character_book") or {}, words, lost)
    data: dict[str, Any] = {
        "id": _id(card["name"]),
        "language": "zh-CN" if len(CJK.findall(everything)) * 4 > len(everything) else "en",
        "title": card["name"][:60],
        "who": {"name": card["name"], "about": about[:LONGEST_ABOUT], "speech": {}},
        "call": {
            "reason": words(card.get("scenario", "")),
            "openings": [text[:LONGEST_OPENING] for text in openings if text],
        },
    }
    if scenario := words(card.get("scenario", "")):
        data["summary"] = scenario[:200]
    if facts:
        data["call"]["facts"] = facts
    lost += _left_aside(spec, card, about, openings, words)
    data["extensions"] = {"card": _kept(spec, card)}
    return Imported(data, tuple(lost))


class _Words:
    """A card's text as somebody would say it: names put in, stage directions taken out."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self.name = card.get("nickname") or card["name"]
        self.stripped = 0

    def __call__(self, text: str) -> str:
        text = ANGLES["char"].sub(self.name, text)
        text = ANGLES["user"].sub("客服" if CJK.search(text) else "the agent", text)
        plain, times = ACTION.subn("", text)
        self.stripped += times
        return re.sub(r"[ \t]{2,}", " ", plain).strip().strip('"“”')


def _facts(book: Mapping[str, Any], words: _Words, lost: list[str]) -> list[dict[str, Any]]:
    """Entries of the card's book as facts: constant ones are told unasked, others when their keys are asked for."""
    facts: list[dict[str, Any]] = []
    for number, entry in enumerate(book.get("entries") or [], 1):
        place = f"character_book.entries.{number}"
        content = entry.get("content", "") if isinstance(entry, dict) else ""
        if not content or not isinstance(content, str) or not entry.get("enabled", True):
            lost.append(f"{place}: empty or switched off")
            continue
        if DECORATOR.search(content):
            lost.append(f"{place}: decorators (@@…) have no meaning here")
        if entry.get("use_regex"):
            lost.append(f"{place}: its keys are regular expressions; write questions instead")
        fact: dict[str, Any] = {"id": f"entry-{number}", "text": words(DECORATOR.sub("", content))}
        if entry.get("constant"):
            fact["told"] = "volunteered"
        elif keys := [str(key) for key in entry.get("keys", []) if not entry.get("use_regex")]:
            fact["asked_by"] = keys
        facts.append(fact)
    return facts


def _left_aside(spec: Spec, card: Mapping[str, Any], about: str, openings: list[str], words: _Words) -> list[str]:
    lost = [f"{name}: instructions to a model are not taken over" for name in INSTRUCTIONS if card.get(name)]
    lost += [f"{name}: {why or 'kept under extensions.card'}" for name, why in NOT_TAKEN.items() if card.get(name)]
    if card.get("mes_example"):
        lost.append("mes_example: kept under extensions.card; sort its lines into who.speech.lines by what they do")
    if len(about) > LONGEST_ABOUT:
        lost.append(f"description: {len(about) - LONGEST_ABOUT} characters beyond {LONGEST_ABOUT}")
    if any(len(text) > LONGEST_OPENING for text in openings):
        lost.append(f"greetings: what goes beyond {LONGEST_OPENING} characters; nobody opens a call with more")
    if words.stripped:
        lost.append(f"stage directions: {words.stripped}, a telephone carries words only")
    known = {*TEXTS, *LISTS, *NOT_TAKEN, "character_book", "extensions"}
    lost += [f"{name}: not a field of {spec}" for name in card if name not in known]
    if card.get("extensions"):
        lost.append(f"extensions: {', '.join(card['extensions'])}: of other programs")
    return lost


def _kept(spec: Spec, card: Mapping[str, Any]) -> dict[str, Any]:
    """What is of no use for a call but belongs to the card's history."""
    names = ("creator", "character_version", "creator_notes", "source", "creation_date", "mes_example", "tags")
    return {"spec": spec} | {name: card[name] for name in names if card.get(name)}


def _id(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "card"


def card_of(persona: Persona, spec: Spec) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A card that plays this customer as far as a card can, and what it cannot say."""
    who, call = persona.who, persona.call
    told = [fact for fact in call.facts if fact.told != "never"]
    data: dict[str, Any] = {
        "name": who.name,
        "description": "\n".join(
            part for part in (f"{who.name}, {who.age}, {who.gender}, {who.region}, {who.job}.", who.about) if part
        ),
        "personality": ", ".join((who.speech.temper, *who.speech.habits)),
        "scenario": call.reason,
        "first_mes": call.openings[0].text,
        "mes_example": "".join(
            f"<START>\n{{{{char}}}}: {line.text}\n" for lines in who.speech.lines.values() for line in lines[:1]
        ),
        "creator_notes": persona.summary,
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": [opening.text for opening in call.openings[1:]],
        "tags": list(persona.topics),
        "creator": "",
        "character_version": persona.hash,
        "extensions": {OURS: persona.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(PRIVATE))},
        "character_book": {
            "extensions": {},
            "entries": [
                {
                    "keys": list(fact.asked_by) or [fact.id],
                    "content": fact.text,
                    "extensions": {},
                    "enabled": True,
                    "insertion_order": number,
                    "constant": fact.told == "volunteered" and fact.needs is None,
                    **({"use_regex": False} if spec == "chara_card_v3" else {}),
                }
                for number, fact in enumerate(told)
            ],
        },
    }
    if spec == "chara_card_v3":
        data["group_only_greetings"] = []
    left = [f"{name}: not for the customer's model, and left out of the file" for name in PRIVATE]
    left.append("conditions, feelings, objections, endings: only this program reads them, from the card's extensions")
    if any(fact.needs for fact in told):
        left.append("facts that want trust first: another program tells them at once")
    return {"spec": spec, "spec_version": VERSIONS[spec], "data": data}, tuple(left)
