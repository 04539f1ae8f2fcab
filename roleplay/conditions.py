"""When something happens in a call: one small closed vocabulary for persona files. `state.holds` looks it up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from roleplay.dialogue import Move


def fits(pattern: str, what: str) -> AfterValidator:
    """For a text that fits a pattern as a whole; `what` says in plain words what it must be."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(what)
        return text

    return AfterValidator(check)


Bound = Annotated[str, fits(r"(<=|>=)\s*\d+(\.\d+)?", "must be a bound such as >=2 or <=1")]


class Strict(BaseModel):
    """Unknown keys are errors; values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _compile(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no pattern: {error}") from error
    return patterns


Patterns = Annotated[tuple[str, ...], AfterValidator(_compile)]  # regular expressions that people write


class Condition(Strict):
    """One small closed vocabulary for everything that depends on what happened. All given keys must hold.

    `move`: the trainee made this move, or one of these, without saying anything wrong in that reply;
    `times` asks for that many replies with it, `good` for one that also took up the customer's feeling.
    `asked`: the trainee asked for this fact. `told`: the trainee told the content of this entry rightly,
    `facts` names which of its facts must be among it. `knows`: the customer has told this fact.
    `feeling`: bounds such as {trust: ">=2"}. `turn`: a bound on the number of the trainee's replies.
    `goal`, `belief`, `objection`: it is met, corrected, broken. `heard`: the trainee said, without anything
    wrong beside it, what this response answers. `verified`: identity has been checked.
    """

    move: Move | tuple[Move, ...] | None = None
    times: int = Field(1, ge=1, le=10)
    good: bool = False
    asked: str | None = None
    told: str | None = None
    facts: tuple[str, ...] = ()
    knows: str | None = None
    feeling: Mapping[Literal["anger", "confusion", "trust"], Bound] | None = None
    turn: Bound | None = None
    goal: str | None = None
    belief: str | None = None
    objection: str | None = None
    heard: str | None = None
    verified: bool | None = None
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    not_: Condition | None = Field(None, alias="not")

    @model_validator(mode="after")
    def says_something(self) -> Condition:
        if not self.model_fields_set - {"times", "good", "facts"}:
            raise ValueError(
                "an empty condition; give move, asked, told, knows, feeling, turn, goal, heard, all, any or not"
            )
        if (self.good or self.times > 1) and not self.move:
            raise ValueError("move: times and good belong to move")
        if self.facts and not self.told:
            raise ValueError("facts: facts belongs to told")
        return self

    def parts(self) -> Iterator[Condition]:
        """This condition and all conditions inside it."""
        yield self
        for part in (*self.all, *self.any, *((self.not_,) if self.not_ else ())):
            yield from part.parts()
