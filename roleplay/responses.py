"""What a customer answers in its own words to what a reply brought up, and how that joins what else it has to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from roleplay.clauses import is_question
from roleplay.dialogue import ASKING
from roleplay.directive import Directive, wordings
from roleplay.persona import Persona, Response
from roleplay.signs import ASKS_WHEN, ASSENT
from roleplay.state import State, holds, musts_met
from roleplay.wording import Line

# Acts and rules that stand whatever else the reply has brought up.
UNMOVED = {
    "hang_up", "threaten", "demand_supervisor", "challenge", "decline", "ask_repeat", "switch_mandarin", "busy",
    "silent", "open_direct", "open_vague", "agree_to_talk", "refuse_info",
}  # fmt: skip
WARM = ("thank", "soften")  # what nobody answers to cold or wrong words, or in a rage
RAGE = 2.8  # anger
MOST_AT_ONCE = 3  # facts and responses in one turn
TWICE, LATELY = 2, 1  # how often a response is given at most, and how many others must lie between
AGREES = ("accept", "thank")
PARTS = ("close", "thank")  # acts with which it says goodbye in peace
BACK = {"challenge", "object", "ask", "refuse_info", "press"}  # acts that leave nothing agreed
# Moments that answer a question, which is not left without its word because something else was said beside it.
REPLIES = {
    "gives_leave", "keeps_to_it", "follows", "cared_for", "no_need_again", "nothing_else", "time_agreed", "any_time", "chooses",
    "either", "confirms", "thats_me", "hears", "did_it", "reports", "still_same", "works_now", "waits", "text_here",
}  # fmt: skip
OF_NO_STEP = ("still_same", "text_here")  # what it says of itself where its file has nothing to say
SHORT = ("confirms", "hears", "gives_name")  # those that come before anything else
ABOVE_ALL = {
    "asked_to_repeat", "opening", "too_good_believed", "strange_words", "treated_badly", "last_warning", "sore_point",
    "let_down", "cut_short", "not_won", "reads_back",
}  # fmt: skip


# Reasons for such acts that give way to a response, and those for which the act comes after it.
GIVES_WAY = {"no_time", "aside", "angry"}
PUTS_OFF = {"holds_back", "fends_off"}


def own_responses(persona: Persona, state: State) -> tuple[Response, ...]:
    """What its file has it answer to what the reply brought up, as far as it may be said now."""
    settling = persona.settling()
    found = [
        each
        for name in state.last.heard
        for each in persona.call.responses
        if each.id == name
        and _still_worth_saying(each, state, name in settling)
        and (each.when is None or holds(each.when, state))
        and (each.act not in WARM or _takes_kindly(state))
        and (name in settling or not state.last.noticed.sums_up)
    ]
    once = [
        "soften",
        *(["accept"] if state.last.noticed.wants("choice") else []),
    ]  # in a turn; of two offers one is taken
    spare = [each for act in once for each in [other for other in found if other.act == act][:-1]]
    return tuple(each for each in found if each not in spare)


def _still_worth_saying(response: Response, state: State, settles: bool) -> bool:
    """Whether it has not been given yet, or long enough ago and with words left: it may have been called forth by mistake.

    What settles something is no news a second time, unless the customer has asked back or objected in its last turn.
    """
    given = state.responded.count(response.id)
    asked_back = given == 1 and bool(BACK & set(state.acts[-1:]))
    return given == 0 or (
        (asked_back or not settles)
        and (given < min(TWICE, len(response.say)) and response.id not in state.responded[-LATELY:])
    )


def _takes_kindly(state: State) -> bool:
    return state.last.counts and not state.last.cold and (state.last.good or state.feeling.anger < RAGE)


def without_answered(state: State) -> State:
    """The state as if only the rest of the reply had been said."""
    last = state.last
    rest = replace(last.noticed, aims=last.noticed.open_aims or ("other",))
    return replace(state, done=(*state.done[:-1], replace(last, noticed=rest)))


def with_responses(persona: Persona, state: State, directive: Directive, responses: tuple[Response, ...]) -> Directive:
    """The responses in place of a turn that would say nothing of its own, or before what else is to be said.

    `directive` is what the rest of the reply calls for, see `without_answered`.
    """
    if directive.ends and directive.act in PARTS:
        kind = [each.id for each in responses if each.act not in BACK]
        return replace(directive, responses=tuple(kind[-1:]))
    if (
        directive.ends
        or (directive.act in UNMOVED and directive.why not in GIVES_WAY | PUTS_OFF)
        or directive.why in ABOVE_ALL
    ):
        return directive
    if _objects_rightly(persona, state, directive, responses):
        news = [each.id for each in responses[:-1] if each.act not in BACK]  # the last is what it objects to
        return replace(directive, responses=tuple(news[-1:]))
    if directive.goal and _just_spoken_of(persona, state, directive.goal):
        directive = Directive("answer", "noted")
    if directive.outcome:  # it answers already what these would answer
        responses = tuple(each for each in responses if not _asked_by_most(each))
        if not responses:
            return directive
    names, act = tuple(each.id for each in responses), responses[-1].act
    if directive.why in PUTS_OFF:
        return replace(directive, responses=names[-1:])
    rest = set(state.last.noticed.open_aims)
    if any(each.act == "accept" and (_asked_by_most(each) or _says_yes(each)) for each in responses):
        rest -= {"offer", "permission"}
        directive = Directive("answer", "noted") if directive.why == "gives_leave" else directive
    if directive.why == "any_time" and any(ASKS_WHEN.search(text) for each in responses for text in each.heard):
        return Directive(act, "responds", responses=names)
    if (directive.why == "follows" and any(map(_asks_back, responses))) or directive.why in OF_NO_STEP:
        return Directive(act, "responds", responses=names)
    if directive.why in SHORT:
        return Directive(act, "responds", responses=names, first=directive.why, about=directive.about)
    if "rest" in rest and musts_met(persona, state) and act not in BACK and not directive.goal and not directive.tell:
        return Directive("answer", "nothing_else", responses=names[-1:])
    agrees = directive.act in AGREES or directive.first == "gives_leave"
    if rest & {"offer", "permission"} and agrees and not any(each.act in BACK for each in responses):
        return Directive("answer", "gives_leave", responses=names)
    asked = rest & set(ASKING) and directive.why in REPLIES
    if (directive.tell and directive.act != "volunteer") or directive.goal or asked:
        return replace(directive, responses=names, first=directive.first if directive.first in SHORT else "")
    agreed = directive.act in AGREES and act not in BACK
    return Directive(directive.act if agreed else act, "responds", responses=names)


def _just_spoken_of(persona: Persona, state: State, wanted: str) -> bool:
    """Whether the reply has just granted or named what it would ask for, in words that do not count or do not suffice."""
    goal = next(each for each in persona.call.goals if each.id == wanted)
    return wanted in state.last.noticed.touches or any(part.heard in state.last.heard for part in goal.met_by.parts())


def _asked_by_most(response: Response) -> bool:
    """Whether most of what brings it up are questions."""
    return 2 * sum(map(is_question, response.heard)) > len(response.heard)


def _says_yes(response: Response) -> bool:
    """Whether most of its wordings hold a yes."""
    return 2 * sum(bool(ASSENT.search(line.gloss or line.text)) for line in response.say) > len(response.say)


def _asks_back(response: Response) -> bool:
    """Whether most of its wordings ask something."""
    return 2 * sum(is_question(line.gloss or line.text) for line in response.say) > len(response.say)


def with_room(persona: Persona, directive: Directive) -> Directive:
    """The directive with as many of its facts and responses as can be said at once, three at most, in their order.

    First come the first fact and who it is, then what settles something, the last response, and what else still fits.
    """
    names = (*directive.tell, *directive.responses)
    if len(names) < 2:
        return directive
    settling = persona.settling()
    weight = {
        name: (
            name not in (*directive.tell[:1], "identity"),
            name not in settling,
            name not in directive.responses[-1:],
        )
        for name in names
    }
    room = persona.who.speech.max_chars - (0 if directive.tell else shortest(wordings(persona, directive)))
    kept: set[str] = set()
    for name in sorted(names, key=weight.__getitem__):
        own = shortest(_lines(persona, name, name in directive.tell)) + 1
        if len(kept) < MOST_AT_ONCE and (not kept or own - 1 <= room):
            kept.add(name)
            room -= own
    return replace(
        directive,
        tell=tuple(name for name in directive.tell if name in kept),
        responses=tuple(name for name in directive.responses if name in kept),
    )


def _lines(persona: Persona, name: str, is_fact: bool) -> tuple[Line, ...]:
    if is_fact:
        fact = persona.fact(name)
        return fact.say or (Line(text=fact.text),)
    return next(each.say for each in persona.call.responses if each.id == name)


def shortest(lines: Iterable[Line]) -> int:
    """Characters of the shortest line; 0 without any."""
    return min((len(line.text) for line in lines), default=0)


def _objects_rightly(persona: Persona, state: State, directive: Directive, responses: tuple[Response, ...]) -> bool:
    """Whether it objects to what the reply speaks of, and neither does the reply break the objection at once nor
    has the customer an answer that agrees."""
    if any(each.act in AGREES for each in responses):
        return False
    for objection in persona.call.objections:
        if objection.id == directive.objection and objection.id in state.last.noticed.touches:
            return not holds(objection.broken_by, state, state.turn - 1)
    return False
