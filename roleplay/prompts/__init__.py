"""Messages for models, made from what was said and from directives. The only place with chat roles.

The compact form is the one that the bundled decoder was trained on; the natural form, for models that
write, is filled into the texts of zh-CN.yaml and en.yaml beside this module. Both only ever append: what
was sent for one turn is a prefix of what is sent for the next, so a model's cache is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

from roleplay.dialogue import Feeling
from roleplay.directive import Directive, wordings
from roleplay.models import Message
from roleplay.persona import Persona
from roleplay.wording import Line
from roleplay.yaml_files import read_yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cue:
    """What stood before one customer turn: the trainee's words, the order, and how the customer felt."""

    heard: str
    directive: Directive
    feeling: Feeling


@lru_cache(maxsize=2)
def texts(language: str) -> dict[str, Any]:
    """The prompt texts of one language."""
    return read_yaml(FOLDER / f"{language}.yaml")[0]


def _line(words: str) -> Line:
    """A line as these lists hold it: a text, or a text and its gloss in standard language with " | " between."""
    text, _, gloss = words.partition(" | ")
    return Line(text=text, gloss=gloss)


@lru_cache(maxsize=2)
def _lists(name: str) -> dict[str, dict[str, tuple[Line, ...]]]:
    """A file of lines by language or dialect, then by what they are for."""
    data = read_yaml(FOLDER / name)[0]
    return {voice: {kind: tuple(map(_line, rows)) for kind, rows in kinds.items()} for voice, kinds in data.items()}


def is_moment(why: str) -> bool:
    """Whether lines for it stand in moments.yaml, so that no persona file has to foresee it."""
    return why in _lists("moments.yaml")["en"]


def moment_lines(persona: Persona, moment: str, about: str = "") -> tuple[Line, ...]:
    """Lines for a moment that no persona file foresees, in this persona's dialect where it is strong.

    `about` are words of the agent's that some lines take up; without it those lines are left out.
    """
    lines = _voiced("moments.yaml", persona, moment)
    lines = tuple(line for line in lines if about or "{about}" not in line.text)
    return tuple(Line(text=_filled(line.text, about), gloss=_filled(line.gloss, about)) for line in lines)


def _filled(text: str, about: str) -> str:
    filled = text.replace("{about}", about)
    return filled[:1].upper() + filled[1:]


def reaction_lines(persona: Persona, kind: str) -> tuple[Line, ...]:
    """Short beginnings of a line, by which it answers what was just said."""
    return _voiced("reactions.yaml", persona, kind)


def _voiced(name: str, persona: Persona, kind: str) -> tuple[Line, ...]:
    speech, lists = persona.who.speech, _lists(name)
    own = lists.get(speech.dialect, {}) if speech.strength >= 2 else {}
    return own.get(kind) or lists[persona.language].get(kind, ())


def compact_card(language: str, direction: str, temper: str, dialect: str, strength: int, name: str, age: int) -> str:
    """The bundled decoder's system message: who is on the line, in one line."""
    accent = f" {dialect}{strength}" if dialect != "none" and strength else ""
    return f"{language} {direction} {temper}{accent} {age} {name}"


def compact_turn(heard: str, act: str, feeling: tuple[int, int, int], tell: Sequence[str]) -> str:
    """The bundled decoder's user message: what the trainee said, then what the customer is to do.

    `feeling` is anger, confusion, trust as whole points; `tell` the facts to be told in this turn.
    """
    anger, confusion, trust = feeling
    facts = "; ".join(tell)
    return f"{heard}\n[{act} {anger}{confusion}{trust}]{' ' + facts if facts else ''}"


def customer_messages(persona: Persona, past: Sequence[tuple[Cue, str]], cue: Cue, natural: bool) -> list[Message]:
    """The whole call so far as messages for the customer's model, the new order last.

    `past` pairs each earlier cue with what the customer then said. Only `who`, the summary and facts that
    are told by now are read from the persona: never `account`, `grading`, or a fact not yet due.
    """
    turn = _natural_turn if natural else _compact_turn
    messages: list[Message] = [{"role": "system", "content": _natural_card(persona) if natural else _card(persona)}]
    for earlier, said in past:
        messages.append({"role": "user", "content": turn(persona, earlier)})
        messages.append({"role": "assistant", "content": said})
    messages.append({"role": "user", "content": turn(persona, cue)})
    return messages


def _card(persona: Persona) -> str:
    who, speech = persona.who, persona.who.speech
    return compact_card(
        persona.language, persona.call.direction, speech.temper, speech.dialect, speech.strength, who.name, who.age
    )


def _compact_turn(persona: Persona, cue: Cue) -> str:
    tell = [persona.fact(name).text for name in cue.directive.tell]
    return compact_turn(cue.heard, cue.directive.act, cue.feeling.rounded(), tell)


def _natural_card(persona: Persona) -> str:
    words, who, speech = texts(persona.language), persona.who, persona.who.speech
    style = [words["tempers"][speech.temper], *speech.habits]
    if speech.pet_phrases:
        style.append(" / ".join(speech.pet_phrases))
    if speech.dialect != "none" and speech.strength:
        dialect = words["dialects"][speech.dialect]
        style.append(words["dialect"].format(dialect=dialect, strength=speech.strength))
        style.extend(f"{word} = {meaning}" for word, meaning in speech.lexicon.items())
    separator = "；" if persona.language == "zh-CN" else "; "
    return words["system"].format(
        name=who.name,
        age=who.age,
        gender=words["gender"][who.gender],
        region=who.region,
        job=who.job,
        about=who.about,
        summary=persona.summary,
        style=separator.join(style),
    )


def _natural_turn(persona: Persona, cue: Cue) -> str:
    words, directive = texts(persona.language), cue.directive
    anger, confusion, trust = cue.feeling.rounded()
    call = persona.call
    detail = next(
        (
            item.text
            for name, items in (
                (directive.belief, call.beliefs),
                (directive.objection, call.objections),
                (directive.goal, call.goals),
            )
            for item in items
            if name and item.id == name
        ),
        "",
    )
    act = words["acts"][directive.act].format(detail=detail)
    if detail and directive.goal:
        act += words["goal"].format(detail=detail)
    moments = words["moments"]
    if directive.why in moments:
        act = moments[directive.why] + (words["about"].format(about=directive.about) if directive.about else "")
    if directive.first in moments:
        act = f"{moments[directive.first]} {act}"
    facts = [persona.fact(name).text for name in directive.tell]
    examples = [each.say[0].text for each in call.responses if each.id in directive.responses]
    examples += [line.text for name in directive.tell for line in persona.fact(name).say[:1]]
    if directive.why in moments:
        examples += [line.text for line in moment_lines(persona, directive.why, directive.about)[:2]]
    examples = examples or [line.text for line in wordings(persona, directive)[:2]]
    return words["turn"].format(
        heard=cue.heard,
        act=act,
        feeling=words["anger"][anger] + words["confusion"][confusion] + words["trust"][trust],
        facts=words["facts"].format(facts="; ".join(facts)) if facts else "",
        examples=words["examples"].format(examples=" / ".join(examples)) if examples else "",
        max_chars=persona.who.speech.max_chars,
    )


def frame(language: str) -> str:
    """The plainest persona file of a language, as text: what a new one begins with."""
    return (FOLDER / f"frame.{language}.yaml").read_text(encoding="utf-8")


def draft_messages(
    language: str, pattern: str, situation: str, entries: str, wrong: tuple[str, str] | None = None
) -> list[Message]:
    """What a model is asked that drafts a customer; `wrong` is an earlier draft and what is the matter with it."""
    words = read_yaml(FOLDER / "draft.yaml")[0][language]
    task = Template(words["task"]).substitute(frame=pattern, situation=situation, entries=entries)
    messages: list[Message] = [{"role": "system", "content": words["system"]}, {"role": "user", "content": task}]
    if wrong:
        mend = Template(words["mend"]).substitute(text=wrong[0], faults=wrong[1])
        messages += [{"role": "assistant", "content": wrong[0]}, {"role": "user", "content": mend}]
    return messages
