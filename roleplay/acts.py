"""What the customer does next: one act, the facts to tell now, and whether the call ends with it.

Pure: the same persona, state and seed give the same directive. Rules stand in the order in which they
are asked; the first that applies decides, and its name is kept as `why` for those who read transcripts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from roleplay import telephone
from roleplay.clauses import kinds_of
from roleplay.directive import Directive, due
from roleplay.noticed import ASKS_WHEN, NOTHING
from roleplay.persona import Goal, Objection, Persona
from roleplay.state import HOSTILE, LONG_WAIT, SOLUTION, State, holds, musts_met, outcome, won

OFFER = ("propose", "alternative", "act", "pitch")
QUESTION = ("ask_open", "ask_closed")
SETTLES = ("act", "alternative", "timeframe", "transfer")  # moves to which there is more to say than that it will
HURRIED = ("impatient", "angry", "busy", "entitled")  # tempers that cut long speeches short
BELIEFS_UNTIL = 6  # the reply after which no wrong belief comes up any more
WARNS = {
    "vent",
    "threaten",
    "challenge",
    "press",
    "demand_supervisor",
    "refuse_info",
}  # acts that show that it has had enough
MOST_EXPLAINED = 3  # terms that are asked about in one call


def next_directive(persona: Persona, state: State, seed: int) -> Directive:
    """The directive for the customer's turn that follows the trainee's last reply."""
    directive = Directive("answer", "noted")
    for rule in RULES:
        if (found := rule(persona, state, random.Random(f"{seed}/{state.turn}"))) is not None:
            directive = found
            break
    directive = replace(directive, first=directive.first or _first(persona, state, directive))
    if not directive.ends and not state.cut and telephone.has(persona, state, "drops"):
        directive = replace(directive, cut=True)
    return directive


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
    if directive.ends or why == noticed.alarm:
        return ""
    if noticed.wrong_name and "wrong_name" not in state.moments[-4:]:
        return "wrong_name"
    if why == "not_done_yet":
        return "not_yet"
    if why == "gives_name" and why in state.moments:
        return "said_already"
    if why == "satisfied" and directive.act == "thank" and state.last.did("check_satisfied"):
        return "nothing_else"
    return ""


def _questioned(state: State) -> bool:
    """Whether the reply asks something; a move of asking that no words bear out is none."""
    return state.last.did(*QUESTION) and (state.last.noticed.asks or state.last.noticed is NOTHING)


def _unanswered(state: State) -> bool:
    """Whether a plain question was asked to which nothing in the file is the answer."""
    last, noticed = state.last, state.last.noticed
    plain = _questioned(state) and not last.asked and not (noticed.asks_leave or noticed.asks_story)
    return plain and not last.did("check_satisfied", *SOLUTION) and "does_not_know" not in state.moments[-4:]


def _breaks_off(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    silences = sum(done.noticed.silent for done in state.done[-3:])
    spent = (state.patience <= 0 or state.insults >= 2) and not state.last.noticed.silent
    hurt = any(cause.anger > 0 or cause.trust < 0 for cause in state.causes)
    if silences < 3 and not (spent and hurt):
        return None
    if silences < 3 and not WARNS & set(state.acts[-3:]):  # nobody rings off without having said why
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
    if state.last.did("consent"):  # asked whether it is convenient: an opening that answers, where there is one
        fit = [number for number in fit if openings[number].act in ("busy", "agree_to_talk")] or fit
    number = rng.choice(fit)
    return Directive(openings[number].act, "opening", tell=openings[number].tells, opening=number)


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
        thanks = ends == "resolved" and "thank" not in state.acts
        return Directive("thank" if thanks else "close", "closing", ends=ends)
    held_on = any(done.did("close") for done in state.done[:-1])
    if held_on or state.last.did(*HOSTILE):
        return Directive("hang_up", "closing_unresolved", ends="unresolved")
    if musts_met(persona, state):
        return Directive("vent", "not_won")
    return Directive("press", "not_done_yet", goal=_open_goal(persona, state))


def _consents(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Outbound: asked whether it is convenient, a busy customer says so once, others agree."""
    if persona.call.direction == "inbound" or not state.last.did("consent"):
        return None
    if {"busy", "agree_to_talk"} & set(state.acts) or state.last.noticed.by_when:
        return None
    return Directive("busy" if persona.who.speech.temper == "busy" else "agree_to_talk", "asked_whether_convenient")


def _insulted(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if not state.last.did(*HOSTILE):
        return None
    if "demand_supervisor" not in state.acts and state.hostile >= 2:
        return Directive("demand_supervisor", "treated_badly")
    return Directive("threaten" if state.acts[-1:] == ("vent",) else "vent", "treated_badly")


def _wary(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Data given away or asked for, a sore point, a promise that is too good or was not kept."""
    noticed = state.last.noticed
    whys = {cause.why for cause in state.causes}
    if noticed.alarm:
        return Directive("refuse_info" if noticed.alarm == "asks_secret" else "challenge", noticed.alarm)
    if noticed.sore:
        return Directive("vent", "sore_point", sore=noticed.sore)
    if "let_down" in whys:
        return Directive("vent", "let_down")
    if "too_good_believed" in whys:
        return Directive("ask", "too_good_believed")
    if "too_good" in whys and noticed.too_good and state.moments[-2:].count("too_good") == 0:
        return Directive("challenge", "too_good")
    if noticed.interrupts and "cut_short" not in state.moments[-2:]:
        return Directive("vent", "cut_short")
    return None


def _language(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    speech = persona.who.speech
    told = state.facts[-1:] if state.acts[-1:] in (("answer",), ("volunteer",)) else ()
    if state.last.did("ask_mandarin") and speech.dialect != "none" and not state.standard and speech.mandarin != "none":
        return Directive("switch_mandarin", "asked_for_standard_language", tell=told, again=True)
    if state.last.did("ask_repeat", "ask_mandarin") and state.acts:
        return Directive("answer", "asked_to_repeat", tell=told, again=True)
    return None


def _occupied(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """No time: glad of another time or not, and shorter with every reply."""
    occupied = persona.call.occupied
    if occupied is None or not state.acts:
        return None
    if state.last.did("reschedule"):
        if occupied.another_time == "agreed":
            return Directive("accept", "another_time", ends="callback")
        if "no_other_time" not in state.moments:
            return Directive("object", "no_other_time")
    if state.turn > occupied.replies and "no_time" not in state.moments[-2:] and not musts_met(persona, state):
        return Directive("busy", "no_time")
    return None


def _asked(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Facts that the reply asked for: told when their time has come, else refused; asked twice, said so."""
    call, asked = persona.call, state.last.asked
    noticed = state.last.noticed
    if (noticed.offers or noticed.instructs) and set(asked) <= set(state.facts):
        return None  # asks for a yes, or for something to be done, not again for what it knows
    if noticed.asks_name and "identity" in asked and "identity" not in state.facts:
        return Directive("answer", "gives_name", about=persona.who.name)
    hidden = [
        goal.id for goal in call.goals if goal.kind == "hidden" and goal.id in asked and goal.id not in state.named
    ]
    fresh = [fact for fact in due(persona, state, "asked") + due(persona, state, "volunteered") if fact.id in asked]
    if noticed.asks_when and not (fresh or asked):
        own = [fact for fact in due(persona, state, "asked") if any(ASKS_WHEN.search(each) for each in fact.asked_by)]
        return Directive("answer", "asked", tell=(own[0].id,)) if own else Directive("answer", "any_time")
    if fresh:
        fresh.sort(key=lambda fact: asked.index(fact.id))
        return Directive("answer", "asked", tell=tuple(fact.id for fact in fresh[:2]))
    if hidden:
        return Directive("ask", "asked", goal=hidden[0])
    if withheld := [fact for fact in call.facts if fact.id in asked and fact.id not in state.facts]:
        return Directive("answer" if withheld[0].told == "never" else "refuse_info", "holds_back")
    if noticed.asks_how_it_went and any(done.noticed.instructs for done in state.done[-3:-1]):
        return Directive("answer", "did_it")
    if wrong := noticed.misstates:
        return Directive("answer", "puts_right", tell=(wrong,), again=True, first="not_so")
    if noticed.confirms:
        return Directive("answer", "confirms")
    if noticed.insists:
        return None  # what it was taken to ask for was not it
    if known := [name for name in asked if name in state.facts]:
        before = [done.noticed.kinds for done in state.done[:-1] if known[0] in done.asked]
        same = any(kinds == noticed.kinds for kinds in before if kinds)
        why = "asked_again" if same else "asked_about_it"
        return Directive("answer", why, tell=tuple(known[:1]), again=True)
    return None


def _doubts(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    last = state.last
    if last.wrong:
        return Directive("challenge", "wrong_fact", about=last.doubted)
    if (
        last.did("meta")
        or last.noticed.to_a_machine
        or ((last.did("off_topic") or last.noticed.small_talk) and not last.asked)
    ):
        if "strange_words" in state.moments[-2:]:
            return Directive("press", "back_to_it", goal=_open_goal(persona, state), first="off_the_point")
        return Directive("ask_explain", "strange_words")
    asked_before = {done.noticed.term for done in state.done[:-1]}
    if last.noticed.term not in {"", *asked_before} and state.acts.count("ask_explain") < MOST_EXPLAINED:
        return Directive("ask_explain", "jargon", about=last.noticed.term)
    if last.did("jargon") and persona.who.literacy != "high" and "ask_explain" not in state.acts[-1:]:
        return Directive("ask_explain", "jargon")
    return None


def _takes_in(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """More was said than can be taken in: somebody in a hurry cuts it short, somebody old takes notes."""
    last, who = state.last, persona.who
    if not last.noticed.long or last.did(*QUESTION, "verify"):
        return None
    if (who.speech.temper in HURRIED or state.feeling.anger >= 2.5) and "too_long" not in state.moments:
        return Directive("press", "too_long")
    if who.literacy == "low" and "writes_down" not in state.moments:
        return Directive("ask_repeat", "writes_down")
    return None


def _instructed(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Asked to do something at once, it says that it will."""
    last = state.last
    if not last.noticed.instructs or last.did("verify", "close", *SETTLES):
        return None
    return None if "tries_it" in state.moments[-2:] else Directive("answer", "tries_it")


def _replies(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """A question or an offer is answered before anything of its own comes up."""
    last = state.last
    opening = last.did("consent") and state.turn <= 2
    if last.noticed.offers and not (opening or musts_met(persona, state) or last.did("check_satisfied")):
        worry = next((item for item in persona.call.objections if _new(item, state) and last.did(*OFFER)), None)
        if worry is not None:
            return Directive("object", "objection", objection=worry.id)
        return Directive("answer", "gives_leave")
    if last.noticed.asks_which and not last.asked:
        return Directive("answer", "either")
    return Directive("answer", "does_not_know") if _unanswered(state) else None


def _new(objection: Objection, state: State) -> bool:
    """Whether it could still come up against any offer."""
    settled = objection.id in state.broken or objection.id in dict(state.raised)
    return not settled and objection.raised_when is None and "accept" not in state.acts


def _story(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Asked openly what has happened, it tells the first things that are on its mind."""
    if not state.last.noticed.asks_story or state.last.did("check_satisfied"):
        return None
    facts = due(persona, state, "volunteered") or [
        fact for fact in due(persona, state, "asked") if fact.needs is None and fact.id != "identity"
    ]
    return Directive("answer", "tells_its_story", tell=tuple(fact.id for fact in facts[:2])) if facts else None


def _believes(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """A wrong belief comes up early, and not when nothing is left to be done."""
    if state.turn > BELIEFS_UNTIL or musts_met(persona, state) or state.last.did("check_satisfied"):
        return None
    if not state.facts and state.turn < 3:
        return None  # first what has happened, then what it makes of it
    if state.last.did("act", "timeframe") or state.last.noticed.by_when:
        return None  # there is news to take in
    denied = {name for done in state.done if done.did("inform", "explain") for name in done.noticed.touches}
    for belief in persona.call.beliefs:
        if belief.id not in (*state.stated, *state.corrected, *denied):
            return Directive("believe", "wrong_belief", belief=belief.id)
    return None


def _objects(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    raised = dict(state.raised)
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
    if objection.raised_when is not None:
        return holds(objection.raised_when, state)
    if not state.last.did(*OFFER):
        return False
    said = state.last.noticed is not NOTHING
    return not said or objection.id in state.last.noticed.touches or any(done.did(*OFFER) for done in state.done[:-1])


def _satisfied(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Everything that had to be done is done; somebody who was treated coldly does not come round for that."""
    last = state.last
    if not musts_met(persona, state):
        return None
    if not won(state):
        if last.good:
            return Directive("answer", "noted")
        mild = not (last.cold or last.did(*HOSTILE)) or "not_won" in state.moments[-2:]
        return Directive("answer", "noted_coolly") if mild else Directive("vent", "not_won")
    nice = [goal.id for goal in persona.call.goals if goal.kind == "nice" and goal.id not in (*state.met, *state.named)]
    if nice and not last.did("check_satisfied"):
        first = "gives_leave" if last.noticed.offers else ""
        return Directive("ask", "something_else", goal=rng.choice(nice), first=first)
    if "accept" not in state.acts:
        worry = next((item for item in persona.call.objections if _new(item, state)), None)  # the last moment for it
        if worry is not None and state.ever(*OFFER):
            return Directive("object", "objection", objection=worry.id)
        if "thank" in state.acts or any(
            done.did(*SOLUTION, "pitch") or done.noticed.offers for done in state.done[-2:]
        ):
            return Directive("accept", "satisfied", about="" if last.noticed.duty else last.noticed.by_when)
    if "thank" not in state.acts:
        return Directive("thank", "satisfied")
    if last.did("check_satisfied"):
        return Directive("answer", "nothing_else")
    if last.did("hold") or _questioned(state) or last.noticed.asks_leave:
        return None
    return Directive("answer", "noted")


def _asides(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Something beside the matter; not by somebody in a rage, and not instead of an answer."""
    if state.feeling.anger >= 3 or state.last.did(*QUESTION, "verify"):
        return None
    for aside in persona.call.asides:
        if aside.id not in state.asides and holds(aside.when, state):
            return Directive(aside.act, "aside", aside=aside.id)
    return None


def _vents(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if state.feeling.anger < 2.8 or state.last.good or "vent" in state.acts[-2:] or _questioned(state):
        return None
    if state.patience < 1.5 and "threaten" not in state.acts:
        return Directive("threaten", "angry")
    return Directive("vent", "angry")


def _volunteers(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Something told unasked; the harder the persona, the rarer. Of two facts either may come first."""
    facts = due(persona, state, "volunteered")
    if not facts or rng.random() > 1.15 - 0.15 * persona.difficulty:
        return None
    return Directive("volunteer", "on_its_mind", tell=(rng.choice(facts[:2]).id,))


def _waits(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    if not state.last.did("hold") or state.last.did("inform", "explain", "timeframe"):
        return None
    again = any(done.did("hold") for done in state.done[:-1])
    unwilling = (state.last.leaves_waiting and state.feeling.anger >= 1.5) or (again and state.feeling.trust < 2)
    return Directive("answer", "waits_unwillingly" if unwilling else "waits")


def _wants(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    goal = _open_goal(persona, state)
    last = state.last
    if goal and goal not in state.named and (last.did(*SOLUTION, "explain", "inform", "refuse") or state.turn >= 3):
        return Directive("ask", "wants", goal=goal)
    if last.did("check_satisfied"):
        unmet = [goal.id for goal in persona.call.goals if goal.kind == "must" and goal.id not in state.met]
        return (
            Directive("press", "not_satisfied", goal=goal or unmet[0]) if unmet else Directive("answer", "nothing_else")
        )
    if last.noticed.asks_leave and not last.did("ask_open", "pitch"):
        return Directive("answer", "gives_leave")
    if last.did("ask_open") and goal and goal not in state.named:
        return Directive("ask", "asked_what_it_wants", goal=goal)
    if _questioned(state) and not last.asked:
        return Directive("answer", "does_not_know")
    if last.good and "soften" not in state.acts:
        return Directive("soften", "taken_seriously")
    if last.did(*SOLUTION) and not last.cold:
        return Directive("soften" if "soften" not in state.acts[-2:] else "ask", "something_is_done", goal="")
    if last.did("inform", "explain") and not (last.cold or goal):
        return Directive("answer", "noted")
    return Directive("press", "still_open", goal=goal if rng.random() < 0.5 else "")


def _open_goal(persona: Persona, state: State) -> str:
    """What is still wanted and was not asked for yet; nobody asks for what he has just been told, or told when."""
    told_when = any(done.noticed.by_when for done in state.done)
    spoken_of = state.last.noticed.touches if state.last.did("inform", "explain", *SOLUTION) else ()
    open_goals = [
        goal.id
        for goal in persona.call.goals
        if goal.kind == "must" and goal.id not in (*state.met, *spoken_of) and not (told_when and _asks_when(goal))
    ]
    fresh = [name for name in open_goals if name not in state.named]
    return (fresh or open_goals or [""])[0]


def _asks_when(goal: Goal) -> bool:
    return any("when" in kinds_of(line.gloss or line.text) for line in goal.say)


RULES: tuple[Callable[[Persona, State, random.Random], Directive | None], ...] = (
    _breaks_off, _declines, _line, _opens, _limit, _closed, _consents, _insulted, _wary, _language, _occupied, _asked,
    _doubts, _takes_in, _instructed, _story, _replies, _vents, _waits, _objects, _believes, _satisfied, _asides, _volunteers, _wants,
)  # fmt: skip
