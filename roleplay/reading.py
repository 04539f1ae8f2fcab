"""What a trainee's reply did: read once, used by the customer's reaction and by the score alike.

Values only; `reader` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from roleplay.dialogue import Aim, Move, Stage

Verdict = Literal["supported", "contradicted", "not_covered", "opinion"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that a trainee may ask for or, not `asked`, say: examples of that, and what is said in answer.

    `unlike` are sentences that sound like the examples and mean something else.
    """

    examples: tuple[str, ...]
    answers: tuple[str, ...] = ()
    asked: bool = True
    unlike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoveSeen:
    """A move and the place in the reply that it rests on: `reply[start:end]`."""

    move: Move
    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AimSeen:
    """What the sentence `reply[start:end]` wants of the customer, and how sure that is."""

    aim: Aim
    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tone:
    """How the sentence `reply[start:end]` treats the customer, -2 to 2, and how it is put, -2 to 1. See `models.tone`."""

    heart: float
    form: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """What the sentence `reply[start:end]` brings up, by the id of the persona's response to it.

    Not `answered`: the sentence asks something besides, which the response is no answer to.
    """

    response: str
    start: int
    end: int
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of fact in the reply, `reply[start:end]`, and what the evidence says of it.

    `opinion` covers the speaker's own undertakings, restating and courtesy as well.
    `quote` is the piece of the evidence that decided, empty where nothing covers the claim.
    """

    start: int
    end: int
    text: str
    verdict: Verdict
    evidence_id: str = ""
    quote: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule of the standards that the reply keeps (`kept`) or breaks, at `reply[start:end]`.

    A rule about something missing has start == end == 0.
    """

    rule: str
    kept: bool
    start: int
    end: int
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the evidence whose content the reply told rightly, and which of its named facts."""

    evidence_id: str
    facts: tuple[str, ...] = ()
    share: float = 1.0  # how much of the entry was told, 0 to 1


@dataclass(frozen=True, slots=True)
class Estimates:
    """The models' own fast scores, 1 to 5 and not yet calibrated; `fact_due` is a probability.

    `moves` is how likely they find each move of the whole reply, before any threshold or rule.
    """

    empathy: float = 3.0
    accuracy: float = 3.0
    phrasing: float = 3.0
    fact_due: float = 0.0
    moves: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    moves: tuple[MoveSeen, ...] = ()
    aims: tuple[AimSeen, ...] = ()  # one of each sentence, in their order
    tones: tuple[Tone, ...] = ()  # one of each sentence
    asked: tuple[str, ...] = ()  # ids of the persona's facts that the reply asks for
    brought_up: tuple[BroughtUp, ...] = ()  # in the order of its sentences
    told: tuple[Told, ...] = ()
    elsewhere: bool = False  # what it tells, asks or offers belongs to another matter than this customer's
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()
    stage: Stage = "solving"
    estimates: Estimates = field(default_factory=Estimates)

    def did(self, *moves: str) -> bool:
        """Whether the reply made at least one of these moves."""
        return any(seen.move in moves for seen in self.moves)

    @property
    def contradicted(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.verdict == "contradicted")
