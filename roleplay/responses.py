"""What a customer answers in its own words to what a reply brought up, and how that joins what else it has to say."""

from __future__ import annotations

from dataclasses import replace

from roleplay.directive import Directive
from roleplay.persona import Persona, Response
from roleplay.state import State, holds, musts_met

# Acts and rules that stand whatever else the reply has brought up.
UNMOVED = {
    "hang_up", "vent", "threaten", "demand_supervisor", "challenge", "decline", "object", "ask_repeat", "ask_explain",
    "switch_mandarin", "busy", "silent", "open_direct", "open_vague", "agree_to_talk", "refuse_info",
}  # fmt: skip
WARM = ("thank", "soften")  # what nobody answers to cold or wrong words
ABOVE_ALL = {"asked_to_repeat", "opening", "too_good_believed"}


def own_responses(persona: Persona, state: State) -> tuple[Response, ...]:
    """What its file has it answer to what the reply brought up, and it has not said yet."""
    return tuple(
        each
        for name in state.last.heard
        for each in persona.call.responses
        if each.id == name
        and name not in state.responded
        and (each.when is None or holds(each.when, state))
        and (each.act not in WARM or (state.last.counts and not state.last.cold))
    )


def without_answered(state: State) -> State:
    """The state as if only the rest of the reply had been said."""
    last = state.last
    rest = replace(last.noticed, aims=last.noticed.open_aims or ("other",))
    return replace(state, done=(*state.done[:-1], replace(last, noticed=rest)))


def with_responses(persona: Persona, state: State, directive: Directive, responses: tuple[Response, ...]) -> Directive:
    """The responses in place of a turn that would say nothing of its own, or before what else is to be said."""
    if directive.ends or directive.act in UNMOVED or directive.why in ABOVE_ALL:
        return directive
    names = tuple(each.id for each in responses[-2:])
    act = responses[-1].act
    agrees = act in ("accept", "thank", "soften") and directive.act == "accept"
    if (
        directive.tell
        or directive.goal
        or directive.why == "nothing_else"
        or (directive.act == "accept" and not agrees)
    ):
        return replace(directive, responses=names, first="")
    if act in ("accept", "thank") and not musts_met(persona, state):
        act = "answer"  # nothing is agreed to for good before its matter is done
    return Directive(directive.act if agrees else act, "responds", responses=names)
