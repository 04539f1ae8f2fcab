"""The customer's next turn as an order to whatever puts it into words, and what stays of it once it is said.

`acts` makes directives from the state, `proposals` and `prompts` turn them into words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from roleplay.dialogue import Act, Ending
from roleplay.persona import Fact, Persona
from roleplay.state import State, holds
from roleplay.wording import Line


@dataclass(frozen=True, slots=True)
class Directive:
    """One turn. `why` is the rule that decided, or the moment (prompts/moments.yaml) that the turn is.

    `tell` are facts to tell now, `again` that they were told before. `responses` come before what is told or
    asked, `outcome` is the response whose step it tells the outcome of. `first` is a moment to be
    taken up before anything else, `about` what of the reply the turn takes up, word for word. `cut`: the line
    drops in the middle of it. `ends` closes the call.
    """

    act: Act
    why: str
    tell: tuple[str, ...] = ()
    again: bool = False
    belief: str = ""
    objection: str = ""
    goal: str = ""
    aside: str = ""
    sore: str = ""
    responses: tuple[str, ...] = ()
    outcome: str = ""
    opening: int | None = None
    first: str = ""
    about: str = ""
    cut: bool = False
    ends: Ending | None = None


def spoken(state: State, directive: Directive) -> State:
    """The state once the customer has said what the directive orders; what the line swallowed is not said."""
    moments = tuple(name for name in (directive.why, directive.first) if name)
    state = replace(state, acts=(*state.acts, directive.act), moments=(*state.moments, *moments))
    if directive.cut:
        return replace(state, cut=state.turn)
    new_objection = directive.objection and directive.objection not in dict(state.raised)
    return replace(
        state,
        facts=_with(state.facts, *directive.tell),
        stated=_with(state.stated, directive.belief),
        raised=(*state.raised, (directive.objection, state.turn)) if new_objection else state.raised,
        named=_with(state.named, directive.goal),
        asides=_with(state.asides, directive.aside),
        responded=(*state.responded, *directive.responses),
        reported=_with(state.reported, directive.outcome),
        verified=state.verified or "identity" in directive.tell,
        standard=state.standard or directive.act == "switch_mandarin",
        ending=directive.ends or state.ending,
    )


def _with(there: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*there, *(name for name in more if name))))


def wordings(persona: Persona, directive: Directive) -> tuple[Line, ...]:
    """The persona's own lines for what this directive is about, or for its act when it is about nothing named."""
    call = persona.call
    if directive.opening is not None:
        return (call.openings[directive.opening],)
    for name, items in (
        (directive.belief, call.beliefs),
        (directive.objection, call.objections),
        (directive.goal, call.goals),
        (directive.aside, call.asides),
        (directive.sore, call.sore_points),
    ):
        if name:
            return next(item.say for item in items if item.id == name)
    if directive.outcome:
        return next(each.outcome for each in call.responses if each.id == directive.outcome)
    if directive.why == "responds":
        return ()
    return persona.who.speech.lines.get(directive.act, ())


def due(persona: Persona, state: State, *told: str) -> list[Fact]:
    """Facts of these rules that may be told now and have not been, in the order of the file."""
    return [
        fact
        for fact in persona.call.facts
        if fact.told in told and fact.id not in state.facts and (fact.needs is None or holds(fact.needs, state))
    ]
