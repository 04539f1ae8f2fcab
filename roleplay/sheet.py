"""What a trainee writes down during a call, intake form, work order and notes, and how it matches what was said.

Names, digits, dates and amounts are held against each other by value, free text by the words that it shares. Nothing
here is a score: it says what matches, what differs, and what nobody has said in the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from roleplay.call import Call
from roleplay.clauses import topics
from roleplay.facts import Quantity, quantities
from roleplay.persona import Persona
from roleplay.signs import CHINESE_NUMERALS
from roleplay.state import SOLUTION
from roleplay.texts import texts as words_of

# matches, partly, differs: held against what was said. empty: said, and not written down. not_said: written down, with
# nothing in the call that it could be held against. blank: neither.
Verdict = Literal["matches", "partly", "differs", "empty", "not_said", "blank"]
ENOUGH = 0.5  # share of words from which a text is about the same
SHARED = 2  # words in common, at least
TIMES = ("duration", "clock", "date", "when")
STATED = (
    "money",
    "date",
    "code",
    "percent",
    "data",
    "speed",
    "clock",
)  # kinds that nobody writes down without a source
SHORTEST_NUMBER = 3  # digits


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in a call and could be written down. Empty where nothing of the kind was said.

    `facts` are those that the customer has told, identity left out: text and exact value. `offers` are the trainee's
    replies that proposed, promised or did something, `told` the customer's own words; `all` is everything said, with
    the account once it is open.
    """

    holder: str = ""
    numbers: tuple[str, ...] = ()  # digits
    facts: tuple[tuple[str, str], ...] = ()
    offers: str = ""
    told: str = ""
    all: str = ""
    own: Mapping[str, str] | None = None  # what the persona's own fields should hold, by their ids


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the sheet. `expected` is what it was held against, `unheard` what in it nobody has said."""

    name: str
    label: str  # of the persona's own fields; "" for those that every sheet has
    written: str
    verdict: Verdict
    expected: str = ""
    unheard: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The last state of the sheet, compared. `late`: it was changed after the call had ended."""

    lines: tuple[Line, ...]
    noted: tuple[str, ...]  # facts told that the sheet holds somewhere
    left_out: tuple[str, ...]
    late: bool


def written(call: Call) -> dict[str, str]:
    """What stands on the sheet of a call; empty when nothing was written."""
    event = next((event for event in reversed(call.events) if event.kind == "sheet"), None)
    return {str(name): str(text) for name, text in event.detail.items()} if event else {}


def sheet(call: Call) -> Sheet | None:
    """The sheet of a call held against the call; None when nothing was written."""
    texts = written(call)
    if not any(texts.values()):
        return None
    at = max(event.at for event in call.events if event.kind == "sheet")
    return compare(texts, call.persona, heard(call), late=_late(call.row.ended_at, at))


def heard(call: Call) -> Heard:
    """What was said in this call."""
    persona, state = call.persona, call.state
    told = [fact for fact in persona.call.facts if fact.id in state.facts]
    lines = "\n".join(f"{each.answer.text} {each.answer.gloss}" for each in call.exchanges)
    facts = "\n".join(fact.text for fact in told)
    known = f"{lines}\n{facts}"
    account = persona.account if state.verified else None
    records = "\n".join(f"{record.label} {record.text}" for record in account.records) if account else ""
    open_account = f"{account.holder} {account.number} {account.id_tail}\n{records}" if account else ""
    holder = persona.account.holder if persona.account else persona.who.name
    numbers = [fact.value for fact in told if fact.slot == "number_tail"]
    numbers += [account.number] if account else []
    numbers += re.findall(r"\d{7,}", _digits(lines))
    offers = [each.reply.text for each in call.exchanges if each.reading.did(*SOLUTION)]
    return Heard(
        holder=holder if account or holder in known else "",
        numbers=tuple(digits for each in numbers if (digits := "".join(re.findall(r"\d", _digits(each))))),
        facts=tuple((fact.text, fact.value) for fact in told if fact.id != "identity"),
        offers="\n".join(offers),
        told=lines,
        all="\n".join((known, *(each.reply.text for each in call.exchanges), open_account)),
        own=dict(_own(persona, {fact.id for fact in told}, account is not None)),
    )


def compare(texts: Mapping[str, str], persona: Persona, said: Heard, late: bool = False) -> Sheet:
    """What was written held against what was said."""
    spoken = bool(said.facts or said.told.strip())
    about = "\n".join((persona.call.reason if spoken else "", said.told, *(text for text, _ in said.facts)))
    due = [each for each in quantities(said.offers) if each.kind in TIMES]
    joins = words_of(persona.language)["joins"]
    held: dict[str, tuple[Verdict, str]] = {
        "holder": (_name(texts.get("holder", ""), said.holder), said.holder),
        "number": (_number(texts.get("number", ""), said.numbers), joins["parts"].join(dict.fromkeys(said.numbers))),
        "matter": (_text(texts.get("matter", ""), about), joins["clauses"].join(text for text, _ in said.facts)),
        "todo": (_text(texts.get("todo", ""), f"{about}\n{said.offers}" if said.offers else ""), ""),
        "promised": (_text(texts.get("promised", ""), said.offers), said.offers),
        "due": (_time(texts.get("due", ""), due), joins["parts"].join(dict.fromkeys(each.text for each in due))),
    }
    for field in persona.grading.form:
        wanted = (said.own or {}).get(field.id, "")
        held[field.id] = (_value(texts.get(field.id, ""), wanted), wanted)
    labels = {field.id: field.label for field in persona.grading.form}
    lines = [
        Line(
            name, labels.get(name, ""), texts.get(name, ""), verdict, expected, _unheard(texts.get(name, ""), said.all)
        )
        for name, (verdict, expected) in held.items()
        if verdict != "blank"
    ]
    rest = ((name, texts.get(name, "")) for name in ("department", "urgency", "notes"))
    lines += [Line(name, "", text, "blank", "", _unheard(text, said.all)) for name, text in rest if text]
    everything = "\n".join(texts.values())
    noted = [text for text, value in said.facts if _holds(everything, text, value)]
    left_out = [text for text, _ in said.facts if text not in noted]
    return Sheet(tuple(lines), tuple(noted), tuple(left_out), late)


def _own(persona: Persona, told: set[str], verified: bool) -> Iterator[tuple[str, str]]:
    """What the persona's own fields should hold, of what the trainee could know by now."""
    records = {record.id: record.text for record in persona.account.records} if persona.account and verified else {}
    for field in persona.grading.form:
        if field.fact in told and field.fact is not None:
            fact = persona.fact(field.fact)
            yield field.id, fact.value or fact.text
        elif field.record in records and field.record is not None:
            yield field.id, records[field.record]


def _name(text: str, expected: str) -> Verdict:
    if blank := _blank(text, expected):
        return blank
    letters = lambda name: "".join(re.findall(r"\w", name)).casefold()  # noqa: E731
    if letters(expected) in letters(text):
        return "matches"
    parts = expected.split()[-1:] if " " in expected else [expected[0] + title for title in ("先生", "女士", "小姐")]
    return "partly" if any(letters(part) in letters(text) for part in parts) else "differs"


def _number(text: str, known: Sequence[str]) -> Verdict:
    if blank := _blank(text, "".join(known)):
        return blank
    digits = "".join(re.findall(r"\d", _digits(text)))
    fits = len(digits) >= SHORTEST_NUMBER and any(digits.endswith(each) or each.endswith(digits) for each in known)
    return "matches" if fits else "differs"


def _text(text: str, expected: str) -> Verdict:
    """Free text: what of its own words was said. An exact value that was said otherwise is a difference."""
    if blank := _blank(text, expected.strip()):
        return blank
    there = quantities(expected)
    stated = [each for each in quantities(text) if any(each.comparable(other) for other in there)]
    right = [each for each in stated if any(each.agrees(other) for other in there)]
    if stated and not right:
        return "differs"
    words = topics(text)
    share = len(words & topics(expected)) / len(words) if words else float(bool(right))
    if share >= ENOUGH and len(right) == len(stated):
        return "matches"
    return "partly" if share or right else "differs"


def _time(text: str, expected: Sequence[Quantity]) -> Verdict:
    if blank := _blank(text, "x" if expected else ""):
        return blank
    stated = [each for each in quantities(text) if each.kind in TIMES]
    right = [each for each in stated if any(each.agrees(other) for other in expected)]
    if not right:
        return "differs"
    return "matches" if len(right) == len(stated) else "partly"


def _value(text: str, expected: str) -> Verdict:
    """A field that asks for something definite: all exact values of it, or else most words of the shorter of both."""
    if blank := _blank(text, expected):
        return blank
    wanted, there = quantities(expected), quantities(text)
    if wanted:
        right = [each for each in wanted if any(each.agrees(other) for other in there)]
        return "matches" if len(right) == len(wanted) else "partly" if right else "differs"
    if expected.casefold() in text.casefold():
        return "matches"
    shared, fewer = topics(expected) & topics(text), min(len(topics(expected)), len(topics(text)))
    enough = len(shared) >= SHARED and len(shared) / fewer >= ENOUGH
    return "matches" if enough else "partly" if shared else "differs"


def _blank(text: str, expected: str) -> Verdict | None:
    if text.strip():
        return None if expected else "not_said"
    return "empty" if expected else "blank"


def _holds(text: str, fact: str, value: str) -> bool:
    """Whether a fact stands somewhere in a text: its exact values, else most of its words."""
    wanted, there = quantities(value or fact), quantities(text)
    if wanted:
        return all(any(each.agrees(other) for other in there) for each in wanted)
    words = topics(fact)
    return bool(value and value in text) or (bool(words) and len(words & topics(text)) / len(words) >= ENOUGH)


def _unheard(text: str, said: str) -> tuple[str, ...]:
    """Exact values of a text that nobody has said in the call and that do not stand in the account."""
    there = quantities(said)
    digits = _digits(said)
    return tuple(
        each.text
        for each in quantities(text)
        if each.kind in STATED and each.text not in digits and not any(each.agrees(other) for other in there)
    )


def _digits(text: str) -> str:
    return text.translate(CHINESE_NUMERALS)


def _late(ended: datetime | None, at: datetime) -> bool:
    return ended is not None and at > ended
