"""Lines that the customer might say now, best kind first: own wordings, lines for moments, lines of the corpus.

A line may begin with a short reaction to what was just said and end by holding the agent to a time that was
given; which, is drawn from the seed, so that two calls of one persona differ. What is proposed is not yet checked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from roleplay.directive import wordings
from roleplay.facts import Quantity, quantities
from roleplay.guard import Source
from roleplay.lines import fitting
from roleplay.persona import Persona
from roleplay.prompts import Cue, is_moment, moment_lines, reaction_lines
from roleplay.responses import PUTS_OFF
from roleplay.state import State
from roleplay.wording import Line

REACTS = 0.35  # how often a line begins with a reaction, where one fits
PLAIN = ("terse", "busy", "sarcastic", "shy")  # tempers that come to the point
HOLDS_TO_IT = 0.6  # how often the agent is held to a time that it has given
JOINED = (
    "wrong_fact",
    "jargon",
    "no_time",
    "too_good",
)  # moments in which the persona's own lines of the act will do as well
# A line that begins so has its reaction already.
BEGINS = re.compile(
    r"^(?:喂|嗯|哎|唉|哦|啊|那|可|行|好|咦|诶|哟|不过|还有|对了|你好|您好|要得|中|哎呀|等|唔|系|阿拉|得|成|妥|啥|咋|谢|你这|"
    r"(?:hello|hi|good (?:morning|afternoon|evening)|well|so|but|and|right|okay|ok|oh|look|aye|och|hullo|now|no|yes|hm+|"
    r"sorry|thank|thanks|fine|all right|good|sure|listen|wait)\b)",
    re.IGNORECASE,
)
EXACT = {"when", "amount"}  # kinds of questions that want a figure in the answer, where there is one
CLAUSE = re.compile(r"[^，。！？、…,.!?]+[，。！？、…,.!?]*")
LONG_CLAUSE = 6  # characters from which somebody who speaks some Mandarin says a clause in it


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the customer's words may depend on."""

    persona: Persona
    state: State  # after the trainee's reply, before the customer's answer
    cue: Cue
    past: tuple[tuple[Cue, str], ...]  # with what was said, however it arrived
    seed: int

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(text for _, text in self.past)

    @property
    def heard(self) -> tuple[str, ...]:
        return (*(cue.heard for cue, _ in self.past), self.cue.heard)

    def has_said(self, line: Line) -> bool:
        """Whether the customer has said it before, alone or in a longer line."""
        return any(line.text in said for said in self.said)

    def rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}/{len(self.past)}/{purpose}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A line that might be said."""

    line: Line
    source: Source


def proposals(scene: Scene) -> Iterator[list[Proposal]]:
    """Tiers of lines; a later tier is asked only when the guard leaves nothing of the earlier.

    First the persona's own wordings with a reaction before them, then without, then its own for the act, all as far
    as they have not been said; then those that have, and the hand-written lines of the corpus that fit.
    """
    persona, directive = scene.persona, scene.cue.directive
    if directive.why == "asked_to_repeat" and not directive.tell:
        yield _own(scene, [Line(text=scene.said[-1])])
        return
    lines = _answering(scene, _content(scene))
    fresh = [line for line in lines if _as_spoken(scene, line).text not in scene.said]
    if before := _before(scene):
        pairs = [(one, line) for one in before for line in fresh if _joins(scene, line)]
        yield _own(scene, _joined(persona, pairs))
    yield _own(scene, fresh)
    own_act = () if directive.tell or directive.opening is not None else persona.who.speech.lines.get(directive.act, ())
    yield _own(scene, [line for line in own_act if not scene.has_said(line)])
    yield _own(scene, lines)
    if directive.tell or directive.opening is not None:
        return
    yield _own(scene, own_act)
    slots: dict[str, str] = {
        fact.slot: fact.value for fact in persona.call.facts if fact.slot and fact.id in scene.state.facts
    }
    corpus = fitting(
        persona,
        directive.act,
        scene.cue.feeling,
        scene.state.last.moves,
        {**slots, "name": persona.who.name},
        scene.state.standard,
    )
    yield [Proposal(line, "corpus") for line in corpus]


def last_resort(scene: Scene, lines: Sequence[str]) -> list[Proposal]:
    """Short neutral lines and the persona's own short answers, for when everything else was struck out."""
    own = [_as_spoken(scene, line) for line in scene.persona.who.speech.lines.get("answer", ())]
    return [Proposal(line, "own") for line in (*own, *(Line(text=text) for text in lines))]


def _content(scene: Scene) -> list[Line]:
    """What is said in the main: the facts to tell, the moment, the persona's wordings."""
    persona, directive = scene.persona, scene.cue.directive
    if directive.opening is not None:
        told = persona.call.openings[directive.opening].tells
        if more := [name for name in directive.tell if name not in told]:
            return _fitting(persona, [list(wordings(persona, directive)), *(_told(scene, name) for name in more)])
    elif directive.tell:
        return _fitting(persona, [_told(scene, name) for name in directive.tell])
    if directive.ends and directive.act == "thank":  # nobody rings off with thanks alone
        spoken = persona.who.speech.lines
        return _fitting(persona, [list(spoken.get("thank", ())), list(spoken.get("close", ()))])
    own = list(wordings(persona, directive))
    if directive.opening is not None and directive.act in ("busy", "agree_to_talk") and not directive.tell:
        own += persona.who.speech.lines.get(directive.act, ())
    if directive.why in PUTS_OFF and (fresh := [line for line in own if not scene.has_said(line)]):
        return fresh  # its own do better here, and everybody's only when they are used up
    moment = moment_lines(persona, directive.why, directive.about) if is_moment(directive.why) else ()
    return list(moment) if moment and directive.why not in JOINED else [*moment, *own]


def _answering(scene: Scene, lines: list[Line]) -> list[Line]:
    """The lines after the persona's responses to what was said, as many of them as there is room for; the last counts most."""
    persona = scene.persona
    heard = [figure for text in scene.heard for figure in quantities(text)]
    if scene.cue.directive.responses:
        lines = [line for line in lines if not scene.has_said(line)] or lines
    for name in reversed(scene.cue.directive.responses):
        own = next(each.say for each in persona.call.responses if each.id == name)
        new = [line for line in own if not scene.has_said(line)] or own
        # nobody repeats a figure that has not been said, where there is another way to put it
        said = [line for line in new if _borne_out(line, heard)] or new
        pairs = [(one, two) for one in said for two in lines]
        pairs = [(one, two) for one, two in pairs if _begins(one) != _begins(two)] or pairs
        lines = (_joined(persona, pairs) if lines else list(said)) or lines
    return lines


def _begins(line: Line) -> str:
    """The word with which a line begins, or all of it: no two sentences of a turn begin with 行 or with "right"."""
    return re.split(r"[\s，。！？、…,.!?]", line.text.lower(), maxsplit=1)[0]


def _borne_out(line: Line, heard: Sequence[Quantity]) -> bool:
    return all(any(figure.agrees(other) for other in heard) for figure in quantities(line.gloss or line.text))


def _before(scene: Scene) -> list[Line]:
    """What may stand before the content; a moment that must be taken up first, or a reaction by chance."""
    persona, directive, rng = scene.persona, scene.cue.directive, scene.rng("react")
    if directive.first:
        said_so = any(word in _opening(scene) for word in ("等", "排", "wait", "hold", "queue"))
        if directive.first == "waited_long" and (said_so or BEGINS.match(_opening(scene))):
            return []
        return list(moment_lines(persona, directive.first, directive.about))
    kind = _reaction(scene)
    often = 1.0 if kind == "adding" else REACTS / 2 if persona.who.speech.temper in PLAIN else REACTS
    if not kind or rng.random() > often:
        return []
    lines = [line for line in reaction_lines(persona, kind) if not scene.has_said(line)]
    return rng.sample(lines, 1) if lines else []


def _opening(scene: Scene) -> str:
    number = scene.cue.directive.opening
    return scene.persona.call.openings[number].text if number is not None else ""


def _reaction(scene: Scene) -> str:
    """The kind of short reaction that fits what the agent just did and what the customer is about to say.

    A yes and a reproach need none: they answer already. A fact has one only for kind words.
    """
    directive, last, feeling = scene.cue.directive, scene.state.last, scene.cue.feeling
    act = directive.act
    if (
        is_moment(directive.why)
        or last.lost
        or directive.responses
        or directive.again
        or directive.ends
        or directive.opening is not None
    ):
        return ""
    said_so = last.noticed.wants("warm") or not last.noticed.aims
    kind = last.good and said_so and last.did("acknowledge", "reassure", "apologise") and not last.did("refuse")
    thanked = any(map(scene.has_said, reaction_lines(scene.persona, "kindness")))
    if kind and not thanked and feeling.anger < 3 and (act in ("ask", "press", "object") or directive.tell):
        return "kindness"
    if last.did("apologise") and feeling.anger >= 1.5 and act in ("press", "ask", "volunteer"):
        return "apology"
    if act == "volunteer":
        return "adding" if scene.state.facts else ""
    done = last.did("explain", "propose", "act", "timeframe") and last.counts and not last.did("refuse")
    return "understood" if act == "ask" and done else ""


def _joins(scene: Scene, line: Line) -> bool:
    """Whether a reaction before this line makes sense and stays short enough."""
    return bool(scene.cue.directive.first) or not BEGINS.match(line.text)


def _joined(persona: Persona, pairs: Iterable[tuple[Line, Line]]) -> list[Line]:
    """Each pair as one line, but for those that would grow too long."""
    space = "" if persona.language == "zh-CN" else " "
    room = persona.who.speech.max_chars - len(space)
    return [
        Line(
            text=f"{one.text}{space}{two.text}",
            gloss=f"{one.gloss or one.text}{space}{two.gloss or two.text}" if one.gloss or two.gloss else "",
        )
        for one, two in pairs
        if len(one.text) + len(two.text) <= room
    ]


def _own(scene: Scene, lines: Sequence[Line]) -> list[Proposal]:
    made = [_as_spoken(scene, line) for line in lines]
    directive = scene.cue.directive
    if directive.act == "accept" and directive.about and scene.rng("tail").random() < HOLDS_TO_IT:
        tail = scene.rng("tail").choice(moment_lines(scene.persona, "holds_to_it", directive.about))
        made = _joined(scene.persona, [(line, _as_spoken(scene, tail)) for line in made]) or made
    return [Proposal(line, "own") for line in made]


def _told(scene: Scene, name: str) -> list[Line]:
    """Lines that tell a fact: its own wordings, those with a figure where that is asked for, or its bare text."""
    persona, fact = scene.persona, scene.persona.fact(name)
    stop = "。" if persona.language == "zh-CN" else "."
    bare = Line(text=fact.text if fact.text[-1] in "。！？.!?" else fact.text + stop)
    own = list(fact.say) or [bare]
    own = [line for line in own if not scene.has_said(line)] or own
    exact = [line for line in own if quantities(line.gloss or line.text)]
    return exact if exact and scene.state.last.noticed.kinds & EXACT else own


def _fitting(persona: Persona, choices: Sequence[list[Line]]) -> list[Line]:
    """One line of each choice after the other, as many as there is room for."""
    combined = choices[0]
    for more in choices[1:]:
        combined = _joined(persona, [(one, two) for one in combined for two in more]) or combined
    return combined


def _as_spoken(scene: Scene, line: Line) -> Line:
    """The line itself, or as far in standard language as this person gets, once it has been asked for that."""
    changed = scene.state.standard or scene.cue.directive.act == "switch_mandarin"
    if not changed or not line.gloss:
        return line
    return lighter(line) if scene.persona.who.speech.mandarin == "partly" else Line(text=line.gloss)


def lighter(line: Line) -> Line:
    """Part of the way to standard language: what is long or a number is said in it, short words stay as they were."""
    own, standard = CLAUSE.findall(line.text), CLAUSE.findall(line.gloss)
    if len(own) != len(standard) or len(own) < 2:
        return Line(text=line.gloss, gloss=line.gloss)
    mixed = [
        plain if len(plain) > LONG_CLAUSE or re.search(r"\d", plain) else dialect
        for dialect, plain in zip(own, standard, strict=True)
    ]
    if mixed == standard:  # nobody loses an accent at a stroke
        shortest = min(range(len(own)), key=lambda place: len(own[place]))
        mixed[shortest] = own[shortest]
    return Line(text="".join(mixed), gloss=line.gloss)
