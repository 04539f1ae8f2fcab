"""The customer's words: an order from `directive` in, one checked line out.

A model that writes does so freely, sentence by sentence, each checked before it is shown; a small one
chooses among proposals: the persona's own wordings, then hand-written lines that fit. Both ways pass the
same guard, and neither knows more than the ledger allows.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from roleplay.dialogue import SILENCE
from roleplay.directive import Directive, wordings
from roleplay.guard import Ledger, Source, ledger, strike
from roleplay.lines import echo, fitting
from roleplay.models import LanguageModel, Sampling
from roleplay.persona import Line, Persona
from roleplay.prompts import Cue, customer_messages, moment_lines, texts
from roleplay.state import State

Way = Literal["auto", "write", "choose"]
SENTENCE = re.compile(r"[^。！？…!?.]*[。！？…!?.]+[”’』」\")）]*\s*")
TRIES = 3  # a writing model speaks at most this often before the proposals take over
SOURCES: tuple[Source, ...] = get_args(Source)
MOMENTS = ("does_not_know", "waits", "silence", "gives_leave")  # that no persona file foresees
ECHO = 0.15  # how much taking up the trainee's words weighs beside the model's likelihood
NOISE = 0.35  # Gumbel noise on the choice, so that seeds differ


@dataclass(frozen=True, slots=True)
class Proposal:
    """A line that might be said."""

    line: Line
    source: Source


@dataclass(frozen=True, slots=True)
class StruckOut:
    """A proposal that the guard refused."""

    text: str
    source: Source
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the customer says. `struck` and `proposed` (counts by source) are for those who evaluate."""

    text: str
    gloss: str
    source: Source
    struck: tuple[StruckOut, ...] = ()
    proposed: tuple[tuple[Source, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the customer's words may depend on."""

    persona: Persona
    state: State  # after the trainee's reply, before the customer's answer
    cue: Cue
    past: tuple[tuple[Cue, str], ...]
    seed: int

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(text for _, text in self.past)

    @property
    def heard(self) -> tuple[str, ...]:
        return (*(cue.heard for cue, _ in self.past), self.cue.heard)

    def rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}/{len(self.past)}/{purpose}")


class Customer:
    """Speaks for any persona with one model. Holds no call, so one serves all."""

    def __init__(self, model: LanguageModel, way: Way = "auto") -> None:
        self.model = model
        self.writes = model.writes if way == "auto" else way == "write"

    def speak(self, scene: Scene) -> Iterator[str | Answer]:
        """Yield the words piece by piece, then the whole `Answer`, which is the same text.

        Raises Unavailable when the model fails; nothing has been kept then.
        """
        open_now = ledger(scene.persona, scene.state, scene.cue.directive.tell, scene.said, scene.heard)
        if scene.cue.directive.act == "silent":
            yield SILENCE
            yield Answer(SILENCE, "", "own")
        elif self.writes:
            yield from self._write(scene, open_now)
        else:
            answer = self._choose(scene, open_now, ())
            yield from _pieces(answer.text)
            yield answer

    def _write(self, scene: Scene, open_now: Ledger) -> Iterator[str | Answer]:
        struck: list[StruckOut] = []
        messages = customer_messages(scene.persona, scene.past, scene.cue, natural=True)
        for attempt in range(TRIES):
            shown = ""
            sampling = Sampling(max_tokens=160, seed=scene.rng(f"write {attempt}").getrandbits(31))
            for sentence in _sentences(self.model.stream(messages, sampling)):
                fault = strike((shown + sentence).strip(), open_now, "model", scene.cue.directive.again)
                if fault is not None:
                    struck.append(StruckOut(sentence.strip(), "model", fault.reason, fault.detail))
                    break
                shown += sentence
                yield sentence
            if shown.strip():
                yield Answer(shown.strip(), "", "model", tuple(struck), (("model", attempt + 1),))
                return
        answer = self._choose(scene, open_now, tuple(struck))
        yield from _pieces(answer.text)
        yield answer

    def _choose(self, scene: Scene, open_now: Ledger, struck: tuple[StruckOut, ...]) -> Answer:
        refused = list(struck)
        proposed: list[Proposal] = []
        fit: list[Proposal] = []
        for tier in _proposals(scene):
            proposed += tier
            for proposal in tier:
                fault = strike(proposal.line.text, open_now, proposal.source, scene.cue.directive.again)
                if fault is None:
                    fit.append(proposal)
                else:
                    refused.append(StruckOut(proposal.line.text, proposal.source, fault.reason, fault.detail))
            if fit:
                break
        fit = fit or _last_resort(scene, open_now)
        chosen = self._likeliest(scene, fit)
        counts = _counts(proposed)
        return Answer(chosen.line.text, chosen.line.gloss, chosen.source, tuple(refused), counts)

    def _likeliest(self, scene: Scene, fit: Sequence[Proposal]) -> Proposal:
        """The proposal likeliest by the model and nearest to what was just said, with a little noise by seed.

        Length is taken out of the likelihood.
        """
        if len(fit) == 1:
            return fit[0]
        rng = scene.rng("choose")
        if self.writes:
            return rng.choice([each for each in fit if each.source == "own"] or list(fit))
        messages = customer_messages(scene.persona, scene.past, scene.cue, natural=False)
        weights = self.model.weigh(messages, [each.line.text for each in fit])
        scores = [
            weight / max(4, len(each.line.text))
            + ECHO * echo(scene.persona.language, each.line.gloss or each.line.text, scene.cue.heard)
            + NOISE * _gumbel(rng)
            for weight, each in zip(weights, fit, strict=True)
        ]
        return fit[scores.index(max(scores))]


def _counts(proposals: Sequence[Proposal]) -> tuple[tuple[Source, int], ...]:
    return tuple((source, sum(each.source == source for each in proposals)) for source in SOURCES)


def _gumbel(rng: random.Random) -> float:
    return -math.log(-math.log(rng.uniform(1e-9, 1 - 1e-9)))


def _proposals(scene: Scene) -> Iterator[list[Proposal]]:
    """Lines that might be said, in tiers; a later tier is asked only when the guard leaves nothing of the earlier.

    First the persona's own wordings of what the directive is about, then its own for the act, then the
    hand-written lines of the corpus that fit.
    """
    persona, directive = scene.persona, scene.cue.directive
    if directive.opening is not None:
        yield _own(scene, wordings(persona, directive))
    elif directive.why == "asked_to_repeat" and not directive.tell:
        yield _own(scene, [Line(text=scene.said[-1])])
    elif directive.tell:
        lines = _telling(scene, directive)
        yield _own(scene, [line for line in lines if _standard(scene, line).text not in scene.said])
        yield _own(scene, lines)
    elif directive.why in MOMENTS:
        yield _own(scene, moment_lines(persona, directive.why))
    else:
        yield _own(scene, wordings(persona, directive))
        yield _own(scene, persona.who.speech.lines.get(directive.act, ()))
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


def _own(scene: Scene, lines: Sequence[Line]) -> list[Proposal]:
    return [Proposal(_standard(scene, line), "own") for line in lines]


def _telling(scene: Scene, directive: Directive) -> list[Line]:
    """Lines that tell the facts due: each fact's own wordings, or its bare text; two facts as one line."""
    persona = scene.persona
    stop = "。" if persona.language == "zh-CN" else "."
    choices: list[list[Line]] = []
    for name in directive.tell:
        fact = persona.fact(name)
        lines = list(fact.say) or [Line(text=fact.text if fact.text[-1] in "。！？.!?" else fact.text + stop)]
        choices.append(lines)
    combined = choices[0]
    space = "" if persona.language == "zh-CN" else " "
    for more in choices[1:]:
        combined = [
            Line(text=f"{one.text}{space}{two.text}", gloss=f"{one.gloss}{space}{two.gloss}" if one.gloss else "")
            for one in combined
            for two in more
        ]
        if not any(len(line.text) <= persona.who.speech.max_chars for line in combined):
            return choices[0]
    return combined


def _standard(scene: Scene, line: Line) -> Line:
    """The line itself, or its gloss once the customer has changed to standard language."""
    changed = scene.state.standard or scene.cue.directive.act == "switch_mandarin"
    return Line(text=line.gloss) if changed and line.gloss else line


def _last_resort(scene: Scene, open_now: Ledger) -> list[Proposal]:
    """Short neutral lines when everything else was struck out; the least recently said of them."""
    said = list(scene.said)
    lines = [Line(text=text) for text in texts(scene.persona.language)["last_resort"]]
    own = [_standard(scene, line) for line in scene.persona.who.speech.lines.get("answer", ())]
    fresh = [line for line in (*own, *lines) if strike(line.text, open_now, "own") is None]
    if fresh:
        return [Proposal(line, "own") for line in fresh]
    longest_ago = min(lines, key=lambda line: said.count(line.text))
    return [Proposal(longest_ago, "own")]


def _pieces(text: str) -> Iterator[str]:
    """The words of a chosen line, a few characters at a time, as they are shown."""
    yield from re.findall(r".{1,6}", text, re.DOTALL)


def _sentences(pieces: Iterator[str]) -> Iterator[str]:
    """Whole sentences as soon as they are complete; what is left at the end counts as one."""
    waiting = ""
    for piece in pieces:
        waiting += piece
        while (found := SENTENCE.match(waiting)) and found.end() < len(waiting):
            yield waiting[: found.end()]
            waiting = waiting[found.end() :]
    if waiting.strip():
        yield waiting
