"""What the customer does next: one act, the facts to tell now, and whether the call ends with it.

Pure: the same persona, state and seed give the same directive. Rules stand in the order in which they
are asked; the first that applies decides, and its name is kept as `why` for those who read transcripts.
"""

from __future__ import annotations

import random
from dataclasses import replace

from roleplay import telephone
from roleplay.answers import ANSWERS, OFFER, Rule, open_goal, questioned, still_open
from roleplay.dialogue import ASKING
from roleplay.directive import Directive, due
from roleplay.noticed import NOTHING, TELLS
from roleplay.persona import Objection, Persona
from roleplay.responses import SHORT, own_responses, shortest, with_responses, with_room, without_answered
from roleplay.state import CALM, HOSTILE, LONG_WAIT, SOLUTION, State, holds, musts_met, outcome, won

BELIEFS_UNTIL = 6  # the reply after which no wrong belief comes up any more
LAPSES = ("was_left", "line_back", "wrong_name")  # first words that no news makes it forget
# Acts that show that it has had enough.
WARNS = {"vent", "threaten", "challenge", "press", "demand_supervisor", "refuse_info"}


def next_directive(persona: Persona, state: State, seed: int) -> Directive:
    """The directive for the customer's turn that follows the trainee's last reply."""
    responses = own_responses(persona, state)
    directive = _decided(persona, without_answered(state) if responses else state, seed)
    if responses:
        directive = with_responses(persona, state, directive, responses)
    first = directive.first or _first(persona, state, directive)
    directive = replace(directive, first=first if first in (*LAPSES, *SHORT) or not directive.responses else "")
    if directive.opening is None:
        directive = with_room(persona, directive)
    if not directive.ends and not state.cut and telephone.has(persona, state, "drops"):
        directive = replace(directive, cut=True)
    return directive


def _decided(persona: Persona, state: State, seed: int) -> Directive:
    for rule in RULES:
        if (found := rule(persona, state, random.Random(f"{seed}/{state.turn}"))) is not None:
            return found
    return Directive("answer", "noted")


def _first(persona: Persona, state: State, directive: Directive) -> str:
    """What is taken up before anything else is said."""
    noticed, why = state.last.noticed, directive.why
    if why == "opening" and persona.ring.waited >= LONG_WAIT and persona.call.direction == "inbound":
        return "waited_long"
    if state.cut and state.cut == state.turn - 1:
        return "line_back"
    if state.last.waited and why != "opening":
        return "was_left"
    if why == "asked_again":
        return "said_already"
    if directive.ends and directive.act == "close" and noticed.wishes_well and not state.last.did(*HOSTILE):
        return "wished_well"
    if directive.ends or why == noticed.alarm:
        return ""
    if noticed.wrong_name and "wrong_name" not in state.moments[-4:]:
        return "wrong_name"
    if why == "not_done_yet":
        return "not_yet"
    if why == "gives_name" and why in state.moments:
        return "said_already"
    done = state.last.did(*SOLUTION) and not noticed.wants("refuse")
    news = done and state.turn > 1 and state.feeling.anger < 2 and "relieved" not in state.moments
    if news and why == "something_else" and just_met(persona, state):
        return "relieved"
    if why == "satisfied" and directive.act == "thank":
        if noticed.wants("offer", "permission"):
            return "gives_leave"
        return "nothing_else" if state.last.did("check_satisfied") or noticed.wants("rest") else ""
    return ""


def _breaks_off(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if state.last.did("close") and not state.last.did(*HOSTILE):
        return None  # who says goodbye is not told off
    silences = sum(done.noticed.silent for done in state.done[-3:])
    spent = (state.patience <= 0 or state.insults >= 2) and not state.last.noticed.silent
    hurt = any(cause.anger > 0 or cause.trust < 0 for cause in state.causes)
    if silences < 3 and not (spent and hurt):
        return None
    warned = WARNS & set(state.acts[-3:]) or state.turn >= persona.call.ends.turn_limit
    if silences < 3 and not warned:  # nobody rings off without having said why
        return Directive("threaten" if state.patience < -1 else "vent", "last_warning")
    ends = persona.call.ends.when_upset if silences < 3 else "hung_up"
    return Directive("demand_supervisor" if ends == "escalated" else "hang_up", "out_of_patience", ends=ends)


def _declines(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    declines = persona.call.ends.declines
    if declines is None or not state.acts or not holds(declines, state):
        return None
    if state.hostile >= 2:  # driven away, which is no decision about the offer
        return Directive("hang_up", "driven_away", ends="hung_up")
    return Directive("decline", "declines", ends="declined")


def _line(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Nothing was heard, or not enough of it."""
    if state.last.noticed.silent:
        return Directive("ask_repeat", "silence")
    if any(cause.why == "inaudible" for cause in state.causes):
        return Directive("ask_repeat", "cannot_hear")
    return None


def _opens(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if any(act != "ask_repeat" for act in state.acts):
        return None
    openings = persona.call.openings
    fit = list(range(len(openings)))
    asked = [number for number in fit if set(openings[number].tells) & set(state.last.asked)]
    fit = asked or fit
    if state.last.did("consent"):  # asked whether it is convenient: an opening that answers, where there is one
        fit = [number for number in fit if openings[number].act in ("busy", "agree_to_talk")] or fit
    number = rng.choice(fit)
    opening, room = openings[number], persona.who.speech.max_chars - len(openings[number].text) - 1
    invited = set(state.last.noticed.aims) & set(ASKING) == {"story"}  # to say what it is about, as the opening does
    more = [
        fact.id
        for fact in due(persona, state, "asked")
        if fact.id in state.last.asked and fact.id not in opening.tells and fact.say and shortest(fact.say) <= room
    ]
    return Directive(opening.act, "opening", tell=(*opening.tells, *(() if invited else more[:1])), opening=number)


def _limit(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if state.turn < persona.call.ends.turn_limit:
        return None
    ends = outcome(persona, state)
    if ends == "unresolved" and not state.last.did("close"):
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
        thanks = ends == "resolved" and "thank" not in state.acts
        return Directive("thank" if thanks else "close", "closing", ends=ends)
    content = "accept" in state.acts[-3:] or "nothing_else" in state.moments[-3:]
    if content and state.feeling.anger < CALM and not state.last.did(*HOSTILE):
        return Directive("close", "closing", ends=ends)  # it has said that this was all
    held_on = any(done.did("close") for done in state.done[:-1])
    if held_on and won(state) and not state.last.did(*HOSTILE):
        return Directive("close", "closing", ends="unresolved")  # nobody slams down the phone on kind words
    if held_on or state.last.did(*HOSTILE):
        return Directive("hang_up", "closing_unresolved", ends="unresolved")
    if musts_met(persona, state):
        return Directive("vent", "not_won")
    return Directive("press", "not_done_yet", goal=open_goal(persona, state))


def _believes(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """A wrong belief comes up early, and not when nothing is left to be done."""
    if state.turn > BELIEFS_UNTIL or musts_met(persona, state) or state.last.did("check_satisfied"):
        return None
    untold = not state.facts and state.turn < 3 and persona.call.direction == "inbound"
    if untold or state.last.noticed.asks:
        return None  # first what has happened and what was asked, then what it makes of it
    if state.last.did("act", "timeframe", "apologise") or state.last.noticed.by_when or state.last.noticed.wants("do"):
        return None  # there is news to take in
    denied = {name for done in state.done if done.did("inform", "explain") for name in done.noticed.touches}
    for belief in persona.call.beliefs:
        if belief.id not in (*state.stated, *state.corrected, *denied):
            return Directive("believe", "wrong_belief", belief=belief.id)
    return None


def _objects(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    raised = dict(state.raised)
    if state.last.noticed.asks and not state.last.noticed.wants(
        "offer", "choice", "time_set", "understood", "satisfied"
    ):
        return None  # asked something else, it answers
    for objection in persona.call.objections:
        if objection.id in state.broken:
            continue
        if objection.id not in raised:
            if "accept" not in state.acts and _comes_up(objection, state):
                return Directive("object", "objection", objection=objection.id)
        elif state.last.did(*OFFER) and state.turn - raised[objection.id] == 1:
            return Directive("object", "objection_stands", objection=objection.id)
    return None


def _comes_up(objection: Objection, state: State) -> bool:
    if holds(objection.broken_by, state, state.turn - 1):
        return False  # nobody objects to words that have just taken the ground from it
    if objection.raised_when is not None:
        return holds(objection.raised_when, state)
    if not state.last.did(*OFFER):
        return False
    noticed = state.last.noticed
    if noticed.aims and not noticed.wants("offer", "choice", "time_set", "understood", "satisfied"):
        return objection.id in noticed.touches  # nobody finds fault with what is done already
    said = noticed is not NOTHING
    return not said or objection.id in state.last.noticed.touches or any(done.did(*OFFER) for done in state.done[:-1])


def _satisfied(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Everything that had to be done is done; somebody who was treated coldly does not come round for that."""
    last = state.last
    if not musts_met(persona, state):
        return None
    if not won(state):
        if last.good:
            return Directive("answer", "noted")
        if last.noticed.wants("offer", "permission") and not last.did(*HOSTILE):
            return Directive("answer", "gives_leave")
        if not (last.cold or last.did(*HOSTILE)):
            return Directive("answer", "nothing_else" if last.did("check_satisfied") else "noted")
        return Directive("answer", "noted_coolly") if "not_won" in state.moments[-2:] else Directive("vent", "not_won")
    if last.noticed.wants("refuse") and not last.did("alternative", "act") and "dismayed" not in state.moments:
        return Directive("answer", "dismayed")
    nice = [goal.id for goal in persona.call.goals if goal.kind == "nice" and goal.id not in (*state.met, *state.named)]
    if nice and not last.did("check_satisfied"):
        first = "gives_leave" if last.noticed.wants("offer", "permission") else ""
        return Directive("ask", "something_else", goal=rng.choice(nice), first=first)
    if "accept" not in state.acts:
        asked_for_more = last.did("check_satisfied") or last.noticed.wants("rest")
        # the last moment for it
        worry = next((item for item in persona.call.objections if still_open(item, state)), None)
        if worry is not None and state.ever(*OFFER) and not asked_for_more:
            return Directive("object", "objection", objection=worry.id)
        if not asked_for_more and (
            "thank" in state.acts
            or any(done.did(*SOLUTION, "pitch") or done.noticed.wants("offer") for done in state.done[-2:])
        ):
            return Directive("accept", "satisfied", about="" if last.noticed.wants("later") else last.noticed.by_when)
    if _nod(state) == "warmed" and not questioned(state):
        return Directive("answer", "warmed")
    if "thank" not in state.acts:
        return Directive("thank", "satisfied")
    if last.did("check_satisfied") or last.noticed.wants("rest"):
        return Directive("answer", "nothing_else")
    if last.did("hold") or questioned(state):
        return None
    return Directive("answer", _nod(state))


def _asides(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Something beside the matter; not by somebody in a rage, and not instead of an answer."""
    news = (
        state.last.noticed.wants(*TELLS, "refuse", "step") or state.last.did("verify") or state.last.noticed.questions
    )
    if state.feeling.anger >= 3 or questioned(state) or news:
        return None
    for aside in persona.call.asides:
        if aside.id not in state.asides and holds(aside.when, state):
            return Directive(aside.act, "aside", aside=aside.id)
    return None


def _vents(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    last = state.last
    told = last.did("explain", "inform", *SOLUTION) or last.noticed.wants("do", "offer", "time_set")
    heard_out = last.counts and not last.cold and told
    if state.feeling.anger < 2.8 or last.good or heard_out or "vent" in state.acts[-2:] or questioned(state):
        return None
    if state.patience < 1.5 and "threaten" not in state.acts:
        return Directive("threaten", "angry")
    return Directive("vent", "angry")


def _volunteers(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Something told unasked; the harder the persona, the rarer. Of two facts either may come first."""
    facts = due(persona, state, "volunteered")
    if state.last.noticed.wants(*ASKING, *TELLS, "refuse"):
        return None  # there is something to answer, or news to take in
    if not facts or rng.random() > 1.15 - 0.15 * persona.difficulty:
        return None
    return Directive("volunteer", "on_its_mind", tell=(rng.choice(facts[:2]).id,))


def _waits(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    leave = state.last.noticed.wants("permission", "hold")
    if not state.last.did("hold") or state.last.did("inform", "explain", *(() if leave else ("timeframe",))):
        return None
    again = any(done.did("hold") for done in state.done[:-1])
    unwilling = (state.last.leaves_waiting and state.feeling.anger >= 1.5) or (again and state.feeling.trust < 2)
    return Directive("answer", "waits_unwillingly" if unwilling else "waits")


def _wants(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    goal = open_goal(persona, state)
    last = state.last
    to_ask = last.did(*SOLUTION, "explain", "inform", "refuse") or state.turn >= 3
    if persona.call.direction == "outbound":  # who was rung up first has to hear what it is about
        to_ask = to_ask and any(done.told or done.did(*SOLUTION, "pitch") for done in state.done)
    if goal and goal not in state.named and to_ask:
        return Directive("ask", "wants", goal=goal)
    if last.did("check_satisfied"):
        unmet = [goal.id for goal in persona.call.goals if goal.kind == "must" and goal.id not in state.met]
        return (
            Directive("press", "not_satisfied", goal=goal or unmet[0]) if unmet else Directive("answer", "nothing_else")
        )
    if last.noticed.wants("permission", "offer"):
        return Directive("answer", "gives_leave")
    if last.did("ask_open") and goal and goal not in state.named:
        return Directive("ask", "asked_what_it_wants", goal=goal)
    if last.noticed.wants("refuse") and "dismayed" not in state.moments:
        return Directive("press", "still_open", goal=goal, first="dismayed")
    if questioned(state) and not last.asked:
        return Directive("answer", "does_not_know")
    if last.good and "soften" not in state.acts and (last.noticed.wants("warm") or not last.noticed.aims):
        return Directive("soften", "taken_seriously")
    if last.did(*SOLUTION) and not last.cold:
        warms = last.good and "soften" not in state.acts[-2:]
        return Directive("soften" if warms else "ask", "something_is_done", goal="")
    if last.noticed.wants("later") or (last.did("inform", "explain") and not (last.cold or goal)):
        return Directive("answer", _nod(state))
    return Directive("press", "still_open", goal=goal if rng.random() < 0.5 else "")


def _nod(state: State) -> str:
    """The moment in which it shows that it has heard: what it is to do, kind words, or news."""
    noticed = state.last.noticed
    if noticed.wants("later") and "will_do" not in state.moments[-4:]:
        return "will_do"
    kind = noticed.wants("warm") and not noticed.wants("tell", "do", "refuse") and state.last.good
    return "warmed" if kind and "warmed" not in state.moments[-4:] else "noted"


def just_met(persona: Persona, state: State) -> bool:
    """Whether the last reply has met a goal that it must have."""
    before = replace(state, done=state.done[:-1])
    return any(
        goal.kind == "must" and goal.id in state.met and not holds(goal.met_by, before) for goal in persona.call.goals
    )


RULES: tuple[Rule, ...] = (
    _breaks_off, _declines, _line, _opens, _limit, _closed, *ANSWERS,
    _vents, _waits, _objects, _believes, _satisfied, _asides, _volunteers, _wants,
)  # fmt: skip
