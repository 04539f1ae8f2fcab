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
from dataclasses import dataclass, replace
from typing import Literal, get_args

from roleplay.dialogue import SILENCE
from roleplay.guard import Ledger, Source, ledger, strike
from roleplay.lines import echo
from roleplay.models import LanguageModel, Sampling
from roleplay.prompts import customer_messages, texts
from roleplay.proposals import Proposal, Scene, last_resort, proposals
from roleplay.telephone import arriving

Way = Literal["auto", "write", "choose"]
SENTENCE = re.compile(r"[^。！？…!?.]*[。！？…!?.]+[”’』」\")）]*\s*")
TRIES = 3  # a writing model speaks at most this often before the proposals take over
SOURCES: tuple[Source, ...] = get_args(Source)
ECHO = 0.15  # how much taking up the trainee's words weighs beside the model's likelihood
NOISE = 1.5  # Gumbel noise on the choice, so that seeds differ


@dataclass(frozen=True, slots=True)
class StruckOut:
    """A proposal that the guard refused."""

    text: str
    source: Source
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the customer says, as it arrives; `meant` is the same as it was spoken, where the line is bad.

    `struck` and `proposed` (counts by source) are for those who evaluate.
    """

    text: str
    gloss: str
    source: Source
    struck: tuple[StruckOut, ...] = ()
    proposed: tuple[tuple[Source, int], ...] = ()
    meant: str = ""


class Customer:
    """Speaks for any persona with one model. Holds no call, so one serves all."""

    def __init__(self, model: LanguageModel, way: Way = "auto", abuse: int = 3) -> None:
        """`abuse` is how far any customer may go: 0 civil, 1 coarse, 2 swears, 3 insults."""
        self.model, self.abuse = model, abuse
        self.writes = model.writes if way == "auto" else way == "write"

    def speak(self, scene: Scene) -> Iterator[str | Answer]:
        """Yield the words piece by piece, then the whole `Answer`, which is the same text.

        Raises Unavailable when the model fails; nothing has been kept then.
        """
        if not (scene.persona.call.line or scene.cue.directive.cut):
            yield from self._spoken(scene)
            return
        *_, answer = self._spoken(scene)
        assert isinstance(answer, Answer)
        answer = _arrived(scene, answer)
        yield from _pieces(answer.text)
        yield answer

    def _spoken(self, scene: Scene) -> Iterator[str | Answer]:
        directive = scene.cue.directive
        open_now = ledger(scene.persona, scene.state, directive.tell, scene.said, scene.heard, self.abuse)
        if directive.act == "silent":
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
        for tier in proposals(scene):
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


def _last_resort(scene: Scene, open_now: Ledger) -> list[Proposal]:
    """What can still be said when everything fitting was struck out; else the line said longest ago."""
    lines = last_resort(scene, texts(scene.persona.language)["last_resort"])
    if fresh := [each for each in lines if strike(each.line.text, open_now, "own") is None]:
        return fresh
    said = list(scene.said)
    return [min(lines, key=lambda each: said.count(each.line.text))]


def _arrived(scene: Scene, answer: Answer) -> Answer:
    """The answer as it comes out of the telephone."""
    directive = scene.cue.directive
    text, gloss = (
        arriving(scene.persona, scene.state, words, directive.again, directive.cut, scene.rng("line"))
        for words in (answer.text, answer.gloss or answer.text)
    )
    return replace(answer, text=text, gloss=gloss if answer.gloss else "", meant=answer.text)


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
