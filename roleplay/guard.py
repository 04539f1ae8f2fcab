"""What a customer must not say, whoever proposed it: each line is held against this before it is shown.

A strike names the reason and the words. Reasons are the failures of docs/field notes: role flip, machine
talk, leak, unsupported number, wrong language, missing dialect, too long, repetition, unfinished. What is exact
holds for every line; who speaks by the sound of it (`speakers`) and what is told in other words (`withheld`) are
guesses, made at a model's lines only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rapidfuzz import fuzz

from roleplay.dialogue import SILENCE
from roleplay.facts import Quantity, quantities
from roleplay.persona import Persona
from roleplay.prompts import FOLDER
from roleplay.speakers import agent_words, own_words
from roleplay.state import State
from roleplay.withheld import tells
from roleplay.yaml_files import read_yaml

CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffd\ufeff\u200b-\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]")
FINISHED = re.compile(r"""[。！？…～~!?.”’』」）)\]—"']$""")
SECRET_RUN = {"zh-CN": 8, "en": 24}  # so many characters in a row are no accident
# Kinds of quantities that a made-up line gives away; counts such as 一句话 are ordinary speech.
Source = Literal["own", "corpus", "model"]
TELLING = ("money", "data", "speed", "duration", "date", "percent", "code", "plan")


@dataclass(frozen=True, slots=True)
class Strike:
    """Why a line may not be said."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What this customer may draw on now, and what it must keep to itself."""

    language: str
    open: str  # everything told or due, heard, or known about the person, as one text
    untold: tuple[str, ...]  # facts that are not due yet, each with its wordings, one a row
    secret: tuple[str, ...]  # those, the agent's screen, and all that is for the grader
    said: tuple[str, ...]  # the customer's earlier lines
    heard: str  # the trainee's last words
    max_chars: int
    markers: tuple[str, ...] = ()  # dialect words, one of which a longer line must hold
    abuse: int = 3  # how far the customer may go
    usual: str = ""  # the persona's lines that tell no fact, one a row: their words give nothing away


@lru_cache(maxsize=1)
def _patterns() -> tuple[dict[str, re.Pattern[str]], re.Pattern[str]]:
    data = read_yaml(FOLDER / "guard.yaml")[0]
    agent = {language: re.compile("|".join(rules), re.IGNORECASE) for language, rules in data["agent"].items()}
    return agent, re.compile("|".join(data["machine"]), re.IGNORECASE | re.MULTILINE)


@lru_cache(maxsize=1)
def dialect_markers() -> dict[str, tuple[str, ...]]:
    """Words by which each dialect is heard."""
    return {name: tuple(words) for name, words in read_yaml(FOLDER / "dialects.yaml")[0].items()}


def ledger(
    persona: Persona, state: State, tell: Iterable[str], said: Iterable[str], heard: Iterable[str], abuse: int = 3
) -> Ledger:
    """What may be said in this turn, in which the facts `tell` are due; `heard` are the trainee's words so far.

    `abuse` is the trainer's ceiling, 0 to 3; the persona's own may be lower.
    """
    who, call, speech = persona.who, persona.call, persona.who.speech
    heard = tuple(heard)
    known = {*state.facts, *tell}
    texts = [who.name, str(who.age), who.region, who.job, who.about, persona.summary, *heard]
    untold: list[str] = []
    for fact in call.facts:
        (texts if fact.id in known else untold).append("\n".join([fact.text, *(line.text for line in fact.say)]))
    texts += [item.text for item in call.beliefs] + [item.text for item in call.objections]
    texts += [item.text for item in call.goals]
    texts.extend(opening.text for opening in call.openings if set(opening.tells) <= known)
    grading, hidden = persona.grading, list(untold)
    hidden.extend(answer.text for answer in grading.model_answers)
    hidden.extend(rule.advice for rule in (*grading.must_say, *grading.must_not_say))
    hidden.extend(record.text for record in persona.account.records) if persona.account else None
    spoken_dialect = speech.dialect != "none" and speech.strength >= 2 and not state.standard
    return Ledger(
        persona.language,
        "\n".join(texts),
        tuple(untold),
        tuple(hidden),
        tuple(said),
        heard[-1] if heard else "",
        speech.max_chars,
        dialect_markers().get(speech.dialect, ()) if spoken_dialect else (),
        min(abuse, speech.abuse),
        _usual(persona),
    )


def _usual(persona: Persona) -> str:
    call = persona.call
    says = [item.say for items in (call.beliefs, call.goals, call.objections, call.responses) for item in items]
    says += [aside.say for aside in call.asides] + [point.say for point in call.sore_points]
    says += [each.outcome for each in call.responses]
    lines = [line for own in (*persona.who.speech.lines.values(), *says) for line in own]
    return "\n".join(text for line in lines for text in (line.text, line.gloss) if text)


def strike(line: str, ledger: Ledger, source: Source = "model", again: bool = False) -> Strike | None:
    """The first reason why this line may not be said, or None.

    Lines written by hand are in the dialect that their author gave them, and no guess is made at who speaks and
    what is meant; the numbers in the persona's own wordings are right unless a secret explains them. `again`: the
    line repeats something on purpose.
    """
    _, machine = _patterns()
    text = line.strip()
    if not text or ODD.search(text) or not (CJK.search(text) or LATIN.search(text) or text == SILENCE):
        return Strike("garbage", text[:40])
    if found := machine.search(text):
        return Strike("machine", found[0])
    if words := role_flip(text, ledger.language, source):
        return Strike("role_flip", words)
    if not _right_language(text, ledger.language):
        return Strike("language")
    if len(text) > ledger.max_chars:
        return Strike("too_long", str(len(text)))
    if not FINISHED.search(text):
        return Strike("unfinished", text[-6:])
    if words := too_abusive(text, ledger):
        return Strike("abuse", words)
    if leaked := leak(text, ledger, source):
        return Strike("leak", leaked)
    if number := unsupported(text, ledger, source == "own"):
        return Strike("unsupported", number)
    if not again and (same := repeats(text, ledger)):
        return Strike("repetition", same)
    if (
        source == "model"
        and ledger.markers
        and len(text) > 6
        and not any(word in text.lower() for word in ledger.markers)
    ):
        return Strike("dialect")
    return None


def _right_language(text: str, language: str) -> bool:
    chinese, latin = len(CJK.findall(text)), len(LATIN.findall(text))
    if language == "en":
        return chinese == 0
    return chinese * 3 >= latin


def role_flip(text: str, language: str, source: Source = "model") -> str:
    """The words in which an agent speaks instead of a customer, or nothing. What is quoted does not count."""
    found = _patterns()[0][language].search(own_words(text))
    if found or source != "model":
        return found[0] if found else ""
    return agent_words(text, language)


@lru_cache(maxsize=1)
def _abuse() -> tuple[re.Pattern[str], ...]:
    """What is coarse, swears, insults: words of level 1, 2 and 3, of all languages."""
    return tuple(re.compile("|".join(words), re.IGNORECASE) for words in read_yaml(FOLDER / "guard.yaml")[0]["abuse"])


def too_abusive(text: str, ledger: Ledger) -> str:
    """Words that go further than the ceiling on abuse allows, or nothing."""
    return next((found[0] for words in _abuse()[ledger.abuse :] if (found := words.search(text))), "")


def lacks_dialect(text: str, ledger: Ledger) -> bool:
    """Whether a line of some length holds none of the words by which this customer's dialect is heard."""
    return bool(ledger.markers) and len(text) > 6 and not any(word in text.lower() for word in ledger.markers)


def leak(text: str, ledger: Ledger, source: Source = "model") -> str:
    """A run of characters that stands in a secret text and nowhere in what is open, or the fact told in other words."""
    size = SECRET_RUN[ledger.language]
    runs = {text[start : start + size] for start in range(len(text) - size + 1)}
    for secret in ledger.secret:
        for run in runs:
            if run in secret and run not in ledger.open:
                return run
    if source != "model":
        return ""
    return tells(text, ledger.language, (ledger.open, ledger.usual, *ledger.said), ledger.untold)


@lru_cache(maxsize=64)
def _quantities(text: str) -> tuple[Quantity, ...]:
    """Of the ledger's texts, which stay the same for all proposals of a turn."""
    return quantities(text)


def unsupported(text: str, ledger: Ledger, own: bool) -> str:
    """A telling quantity that nothing open supports; for own wordings, one that only a secret explains."""
    there = [quantity for quantity in quantities(text) if quantity.kind in TELLING]
    if not there:
        return ""
    known = _quantities(ledger.open)
    hidden = _quantities("\n".join(ledger.untold)) if own else ()
    for quantity in there:
        if any(quantity.agrees(other) for other in known):
            continue
        if not own or any(quantity.agrees(other) for other in hidden):
            return quantity.text
    return ""


def repeats(text: str, ledger: Ledger) -> str:
    """The earlier line, or the trainee's last words, that this line says again nearly word for word."""
    for earlier in ledger.said:
        if earlier == text or (len(text) > 4 and fuzz.ratio(text, earlier) >= 80):
            return earlier
    if len(text) > 6 and fuzz.ratio(text, ledger.heard) >= 80:
        return ledger.heard
    return ""
