"""What the customer does next: one act, the facts to tell now, and whether the call ends with it.

Pure: the same persona, state and seed give the same directive. Rules stand in the order in which they
are asked; the first that applies decides, and its name is kept as `why` for those who read transcripts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from roleplay.dialogue import Act, Ending
from roleplay.persona import Fact, Line, Objection, Persona
from roleplay.state import HOSTILE, SOLUTION, State, holds, outcome

OFFER = ("propose", "alternative", "act", "pitch")
QUESTION = ("ask_open", "ask_closed")


@dataclass(frozen=True, slots=True)
class Directive:
    """The customer's next turn as an order to whatever puts it into words.

    `tell` are facts to tell now, `again` that they were told before. `ends` closes the call.
    """

    act: Act
    why: str
    tell: tuple[str, ...] = ()
    again: bool = False
    belief: str = ""
    objection: str = ""
    goal: str = ""
    opening: int | None = None
    ends: Ending | None = None


def next_directive(persona: Persona, state: State, seed: int) -> Directive:
    """The directive for the customer's turn that follows the trainee's last reply."""
    for rule in RULES:
        if (directive := rule(persona, state, random.Random(f"{seed}/{state.turn}"))) is not None:
            return directive
    return Directive("answer", "nothing_else")


def spoken(state: State, directive: Directive) -> State:
    """The state once the customer has said what the directive orders."""
    return replace(
        state,
        acts=(*state.acts, directive.act),
        facts=tuple(dict.fromkeys((*state.facts, *directive.tell))),
        stated=tuple(dict.fromkeys((*state.stated, directive.belief))) if directive.belief else state.stated,
        raised=(*state.raised, (directive.objection, state.turn))
        if directive.objection and directive.objection not in dict(state.raised)
        else state.raised,
        named=tuple(dict.fromkeys((*state.named, directive.goal))) if directive.goal else state.named,
        verified=state.verified or "identity" in directive.tell,
        standard=state.standard or directive.act == "switch_mandarin",
        ending=directive.ends or state.ending,
    )


def wordings(persona: Persona, directive: Directive) -> tuple[Line, ...]:
    """The persona's own lines for what this directive is about, or for its act when it is about nothing named."""
    call = persona.call
    if directive.opening is not None:
        return (call.openings[directive.opening],)
    for name, items in (
        (directive.belief, call.beliefs),
        (directive.objection, call.objections),
        (directive.goal, call.goals),
    ):
        if name:
            return next(item.say for item in items if item.id == name)
    return persona.who.speech.lines.get(directive.act, ())


def due(persona: Persona, state: State, told: str) -> list[Fact]:
    """Facts of one rule that may be told now and have not been."""
    return [
        fact
        for fact in persona.call.facts
        if fact.told == told and fact.id not in state.facts and (fact.needs is None or holds(fact.needs, state))
    ]


def _musts_met(persona: Persona, state: State) -> bool:
    return all(goal.id in state.met for goal in persona.call.goals if goal.kind == "must")


def _breaks_off(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    silences = sum(done.silent for done in state.done[-3:])
    if state.patience > 0 and state.insults < 2 and silences < 3:
        return None
    ends = persona.call.ends.when_upset if silences < 3 else "hung_up"
    return Directive("demand_supervisor" if ends == "escalated" else "hang_up", "out_of_patience", ends=ends)


def _declines(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    declines = persona.call.ends.declines
    if declines is None or not state.acts or not holds(declines, state):
        return None
    if state.hostile >= 2:  # driven away, which is no decision about the offer
        return Directive("hang_up", "driven_away", ends="hung_up")
    return Directive("decline", "declines", ends="declined")


def _silence(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    return Directive("ask_repeat", "silence") if state.last.silent else None


def _opens(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if any(act != "ask_repeat" for act in state.acts):
        return None
    openings = persona.call.openings
    fit = list(range(len(openings)))
    if state.last.did("consent"):  # asked whether it is convenient: an opening that answers, where there is one
        fit = [number for number in fit if openings[number].act in ("busy", "agree_to_talk")] or fit
    number = rng.choice(fit)
    return Directive(openings[number].act, "opening", tell=openings[number].tells, opening=number)


def _consents(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Outbound: asked whether it is convenient, a busy customer says so once, others agree."""
    if persona.call.direction == "inbound" or not state.last.did("consent"):
        return None
    if {"busy", "agree_to_talk"} & set(state.acts):
        return None
    return Directive("busy" if persona.who.speech.temper == "busy" else "agree_to_talk", "asked_whether_convenient")


def _limit(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if state.turn < persona.call.ends.turn_limit:
        return None
    ends = outcome(persona, state)
    if ends == "unresolved":
        return Directive("hang_up", "turn_limit", ends="hung_up")
    return Directive("close", "turn_limit", ends=ends)


def _closed(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """The trainee says goodbye: a satisfied customer does too, another one holds on once."""
    if not state.last.did("close"):
        return None
    ends = outcome(persona, state)
    just_raised = [name for name, turn in state.raised if turn == state.turn - 1 and name not in state.broken]
    if just_raised and ends == "resolved":
        return Directive("object", "objection_passed_over", objection=just_raised[0])
    if ends != "unresolved":
        thanks = ends == "resolved" and "thank" not in state.acts[-2:]
        return Directive("thank" if thanks else "close", "closing", ends=ends)
    held_on = any(done.did("close") for done in state.done[:-1])
    if held_on or state.last.did(*HOSTILE):
        return Directive("hang_up", "closing_unresolved", ends="unresolved")
    return Directive("press", "not_done_yet", goal=_open_goal(persona, state))


def _insulted(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if not state.last.did(*HOSTILE):
        return None
    if "demand_supervisor" not in state.acts and state.hostile >= 2:
        return Directive("demand_supervisor", "treated_badly")
    return Directive("threaten" if state.acts[-1:] == ("vent",) else "vent", "treated_badly")


def _language(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    speech = persona.who.speech
    told = state.facts[-1:] if state.acts[-1:] in (("answer",), ("volunteer",)) else ()
    if state.last.did("ask_mandarin") and speech.dialect != "none" and not state.standard and speech.mandarin != "none":
        return Directive("switch_mandarin", "asked_for_standard_language", tell=told, again=True)
    if state.last.did("ask_repeat", "ask_mandarin") and state.acts:
        return Directive("answer", "asked_to_repeat", tell=told, again=True)
    return None


def _asked(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Facts that the reply asked for: told when their time has come, else refused; asked twice, said so."""
    call, asked = persona.call, state.last.asked
    hidden = [
        goal.id for goal in call.goals if goal.kind == "hidden" and goal.id in asked and goal.id not in state.named
    ]
    fresh = [fact for fact in due(persona, state, "asked") + due(persona, state, "volunteered") if fact.id in asked]
    if fresh:
        return Directive("answer", "asked", tell=tuple(fact.id for fact in fresh[:2]))
    if hidden:
        return Directive("ask", "asked", goal=hidden[0])
    if withheld := [fact for fact in call.facts if fact.id in asked and fact.id not in state.facts]:
        return Directive("answer" if withheld[0].told == "never" else "refuse_info", "not_told_yet")
    if known := [name for name in asked if name in state.facts]:
        return Directive("answer", "asked_again", tell=tuple(known[:1]), again=True)
    return None


def _doubts(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if state.last.wrong:
        return Directive("challenge", "wrong_fact")
    if state.last.did("meta"):
        return Directive("ask_explain", "strange_words")
    if state.last.did("off_topic") and not state.last.asked:
        return Directive("answer", "does_not_know")
    if state.last.did("jargon") and persona.who.literacy != "high":
        return Directive("ask_explain", "jargon")
    return None


def _believes(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    for belief in persona.call.beliefs:
        if belief.id not in state.stated and belief.id not in state.corrected:
            return Directive("believe", "wrong_belief", belief=belief.id)
    return None


def _objects(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    raised = dict(state.raised)
    for objection in persona.call.objections:
        if objection.id in state.broken:
            continue
        if objection.id not in raised:
            if _comes_up(objection, state):
                return Directive("object", "objection", objection=objection.id)
        elif state.last.did(*OFFER) and state.turn - raised[objection.id] == 1:
            return Directive("object", "objection_stands", objection=objection.id)
    return None


def _comes_up(objection: Objection, state: State) -> bool:
    if objection.raised_when is not None:
        return holds(objection.raised_when, state)
    return state.last.did(*OFFER)


def _satisfied(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if not _musts_met(persona, state) or state.feeling.anger >= 3:
        return None
    nice = [goal.id for goal in persona.call.goals if goal.kind == "nice" and goal.id not in (*state.met, *state.named)]
    if nice and not state.last.did("check_satisfied"):
        return Directive("ask", "something_else", goal=nice[0])
    if "accept" not in state.acts:
        return Directive("accept", "satisfied")
    return Directive("thank", "satisfied")


def _vents(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if state.feeling.anger < 2.8 or state.last.good or "vent" in state.acts[-2:]:
        return None
    if state.patience < 1.5 and "threaten" not in state.acts:
        return Directive("threaten", "angry")
    return Directive("vent", "angry")


def _volunteers(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Something told unasked; the harder the persona, the rarer."""
    facts = due(persona, state, "volunteered")
    if not facts or rng.random() > 1.15 - 0.15 * persona.difficulty:
        return None
    return Directive("volunteer", "on_its_mind", tell=(facts[0].id,))


def _wants(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    goal = _open_goal(persona, state)
    last = state.last
    if last.did("hold"):
        return Directive("answer", "waits")
    if goal and goal not in state.named and (last.did(*SOLUTION, "explain", "inform", "refuse") or state.turn >= 3):
        return Directive("ask", "wants", goal=goal)
    if last.did("check_satisfied") and goal:
        return Directive("press", "not_satisfied", goal=goal)
    if last.asks_leave and not last.did("ask_open", "pitch"):
        return Directive("answer", "gives_leave")
    if last.did("ask_open") and goal and goal not in state.named:
        return Directive("ask", "asked_what_it_wants", goal=goal)
    if last.did(*QUESTION) and not last.asked:
        return Directive("answer", "does_not_know")
    if last.good and "soften" not in state.acts:
        return Directive("soften", "taken_seriously")
    if last.did(*SOLUTION):
        return Directive("soften" if "soften" not in state.acts[-2:] else "ask", "something_is_done", goal="")
    return Directive("press", "still_open", goal=goal if rng.random() < 0.5 else "")


def _open_goal(persona: Persona, state: State) -> str:
    open_goals = [goal for goal in persona.call.goals if goal.kind == "must" and goal.id not in state.met]
    fresh = [goal for goal in open_goals if goal.id not in state.named]
    return (fresh or open_goals)[0].id if open_goals else ""


RULES: tuple[Callable[[Persona, State, random.Random], Directive | None], ...] = (
    _breaks_off, _declines, _silence, _opens, _limit, _closed, _consents, _insulted, _language, _asked, _doubts, _objects,
    _vents, _believes, _satisfied, _volunteers, _wants,
)  # fmt: skip
