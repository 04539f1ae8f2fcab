"""What can come between two people on the telephone, as persona files say it: the line itself, a customer who
is driving or in a meeting, things said beside the matter, words that must not be said to this person.

One closed vocabulary for all personas; docs/personas.md describes it, `state`, `directive` and `telephone` play it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from roleplay.conditions import Condition, Strict
from roleplay.dialogue import Act
from roleplay.wording import Id, Wording

Trouble = Literal["gaps", "noise", "whisper", "speaker", "cannot_hear", "drops"]
Busy = Literal["driving", "meeting", "work", "family", "travel"]


class LineTrouble(Strict):
    """Something wrong with the line. `turns` are the customer's turns in which it shows; none named: all of them.

    gaps: the customer's words arrive with holes, until they are asked for again. noise: `sounds` are heard between
    the words. whisper: the customer cannot speak up. speaker: hands-free, with echo. cannot_hear: the customer does
    not hear the agent, who has to speak up. drops: the line is cut in the middle of the turn, and the call goes on
    once the agent has rung back. `until` ends the trouble for good.
    """

    kind: Trouble
    turns: tuple[int, ...] = ()
    until: Condition | None = None
    sounds: tuple[str, ...] = ()


class Occupied(Strict):
    """The customer has no time: after `replies` replies it says so and loses patience with each further one.

    `another_time`: what happens when the agent offers to ring at another time.
    """

    by: Busy
    replies: int = Field(3, ge=1, le=10)
    another_time: Literal["agreed", "refused"] = "agreed"


class Aside(Strict):
    """Said once, beside the matter: a question about the agent's own life, praise, a suggestion, a silence.

    `when` must hold; by default the call has come to its third reply.
    """

    id: Id
    act: Act = "digress"
    when: Condition = Condition(turn=">=3")
    say: tuple[Wording, ...] = Field(min_length=1)


class SorePoint(Strict):
    """Words that hurt this person, out of custom, faith, or what has happened to it; `say` is what it answers."""

    id: Id
    words: tuple[str, ...] = Field(min_length=1)
    say: tuple[Wording, ...] = Field(min_length=1)
