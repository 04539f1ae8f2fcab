"""How the customer answers what was just said: questions and offers, slights and promises, doubts and steps to take.

Rules like those of `acts`, which asks them in this order before anything of the customer's own comes up.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from roleplay.clauses import kinds_of
from roleplay.dialogue import ASKING, Aim
from roleplay.directive import Directive, due
from roleplay.noticed import NOTHING, TELLS
from roleplay.persona import Fact, Goal, Objection, Persona
from roleplay.state import HOSTILE, SOLUTION, TRUSTING, State, musts_met, won

Rule = Callable[[Persona, State, random.Random], Directive | None]
OFFER = ("propose", "alternative", "act", "pitch")
QUESTION = ("ask_open", "ask_closed")
HURRIED = ("impatient", "angry", "busy", "entitled")  # tempers that cut long speeches short
# What asks for a secret.
PRIES: tuple[Aim, ...] = ("fact", "care", "story", "secret", "wish", "reproach", "outcome", "confirm", "choice")
CONFIDES = 3.0  # trust from which "anything else?" is enough to bring out what nobody asked for
SHARP = ("angry", "suspicious", "impatient", "sarcastic", "entitled", "terse")  # tempers that fend a question off
UPSET = 2.5  # anger from which anybody does
WANTED_TO_KNOW = (("ask",), ("ask_explain",), ("challenge",))  # acts after which no answer is too long
REPAIRED = {"broadband", "outage", "sim", "wifi", "porting"}  # topics in which something can work again
HELD_FOR = 3  # replies after which a question that was not answered is forgotten
STILL_TELLING = 4  # turns in which a question that it cannot place has it go on with its story
OFTEN_UNCLEAR = 2  # how often in a call it asks what a question means
OFTEN_ELSEWHERE = 3  # how often that the agent speaks of another matter
MOST_EXPLAINED = 3  # terms that are asked about in one call


def _consents(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Outbound: asked whether it is convenient, a busy customer says so once, others agree."""
    if persona.call.direction == "inbound" or not state.last.did("consent"):
        return None
    if {"busy", "agree_to_talk"} & set(state.acts) or state.last.noticed.wants("time_set", "time_open"):
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
    again = state.last.did("ask_mandarin") or (state.last.did("ask_repeat") and not state.last.asked)
    if again and state.acts:
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
    if state.last.noticed.wants(*ASKING, *TELLS) and not state.last.noticed.long:
        return None  # that is to the point
    if state.turn > occupied.replies and "no_time" not in state.moments[-2:] and not musts_met(persona, state):
        return Directive("busy", "no_time")
    return None


def _asked(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Facts that the reply asked for: told when their time has come, else refused; asked twice, said so."""
    call, asked, noticed = persona.call, state.last.asked, state.last.noticed
    # What an opening only touched upon is told in full when it is asked for.
    hinted = {name for opening in call.openings for name in opening.tells if name in state.facts}
    hinted -= {name for done in state.done[1:-1] for name in done.asked}  # asked since, and so told
    now = {fact.id for fact in due(persona, state, "asked", "volunteered")} | hinted
    fresh = [name for name in asked if name in now and name != "identity"]
    identity = ("identity",) if "identity" in asked and "identity" in now else ()
    if identity and noticed.asks_name:
        only_name = Directive("answer", "gives_name", about=persona.who.name)
        return replace(only_name, why="asked", tell=tuple(fresh[:3]), first="gives_name") if fresh else only_name
    if fresh or identity:
        return Directive("answer", "asked", tell=(*fresh[:3], *identity))
    wished = (
        goal.id
        for goal in call.goals
        if goal.id in asked and goal.id not in state.named and not (goal.kind == "hidden" and goal.id in state.met)
    )
    if goal := next(wished, ""):
        return Directive("ask", "asked", goal=goal)
    withheld = [fact for fact in call.facts if fact.id in asked and fact.id not in state.facts]
    before = {part.knows for fact in withheld if fact.needs is not None for part in fact.needs.parts()}
    # "how did you pay?": first that it has paid at all
    if lead := next((fact.id for fact in call.facts if fact.id in now & before), ""):
        return Directive("answer", "asked", tell=(lead,))
    if belief := next((name for fact in withheld if (name := _in_the_way(fact, persona, state))), ""):
        return Directive("believe", "wrong_belief", belief=belief)
    if withheld and not set(asked) & set(state.facts) and (noticed.wants(*PRIES) or not noticed.aims):
        sharp = persona.who.speech.temper in SHARP or state.feeling.anger >= UPSET
        why = "fends_off" if sharp and not noticed.wants("care", "warm") else "holds_back"
        return Directive("answer" if withheld[0].told == "never" else "refuse_info", why)
    if wrong := noticed.misstates:
        return Directive("answer", "puts_right", tell=(wrong,), again=True, first="not_so")
    return None


def _in_the_way(fact: Fact, persona: Persona, state: State) -> str:
    """A wrong belief that keeps it from telling this fact, not said aloud yet."""
    parts = fact.needs.parts() if fact.needs is not None else ()
    names = [part.belief for part in parts if part.belief is not None]
    return next((name for name in names if name not in (*state.stated, *state.corrected)), "")


def _told_before(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Asked for what it has told by now. That it has said so it says only where nothing has been done since."""
    known = [name for name in state.last.asked if name in state.facts]
    noticed = state.last.noticed
    if not known or not (noticed.insists or noticed.wants("fact", "identity", "satisfied") or not noticed.aims):
        return None
    before = [place for place, done in enumerate(state.done[:-1]) if known[0] in done.asked]
    alike = [place for place in before if state.done[place].noticed.kinds == noticed.kinds]
    same = any(state.done[place].asked == state.last.asked for place in alike)
    since = state.done[before[-1] + 1 : -1] if before else ()
    again = (
        same
        and not noticed.insists
        and not persona.call.line
        and not any(done.did(*SOLUTION) or done.noticed.wants("step") for done in since)
    )
    a_moment_ago = bool(before) and before[-1] == len(state.done) - 2
    another = a_moment_ago and noticed.kinds and not alike and not _asks_for(persona, known[0], noticed.kinds)
    if another and not noticed.insists and "does_not_know" not in state.moments[-4:]:
        return Directive("answer", "does_not_know")
    return Directive("answer", "asked_again" if again else "asked_about_it", tell=tuple(known[:1]), again=True)


def _asks_for(persona: Persona, name: str, kinds: frozenset[str]) -> bool:
    """Whether a fact's own questions are of all these kinds: when, where, how much."""
    questions = next(fact.asked_by for fact in persona.call.facts if fact.id == name)
    return kinds <= frozenset(kind for question in questions for kind in kinds_of(question))


def _doubts(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    last = state.last
    if last.doubted:
        return Directive("challenge", "wrong_fact", about=last.doubted)
    if last.did("meta") or last.noticed.to_a_machine or (last.did("off_topic") and not (last.asked or last.heard)):
        if "strange_words" in state.moments[-2:]:
            return Directive("press", "back_to_it", goal=open_goal(persona, state), first="off_the_point")
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
    if not last.noticed.long or last.noticed.asks or musts_met(persona, state) or state.acts[-1:] in WANTED_TO_KNOW:
        return None
    if (who.speech.temper in HURRIED or state.feeling.anger >= 2.5) and "too_long" not in state.moments:
        return Directive("press", "too_long")
    if who.literacy == "low" and "writes_down" not in state.moments:
        return Directive("ask_repeat", "writes_down")
    return None


def _elsewhere(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """What was said is another customer's matter: it says so, and comes back to its own."""
    last = state.last
    if not last.elsewhere or last.heard or not state.acts or musts_met(persona, state) or last.did("close", "verify"):
        return None
    if persona.call.direction == "outbound":
        return Directive("answer", "not_me") if state.moments.count("not_me") < OFTEN_ELSEWHERE else None
    if state.moments.count("other_matter") >= OFTEN_ELSEWHERE:
        return None
    wanted = [goal.id for goal in persona.call.goals if goal.kind == "must" and goal.id not in state.met]
    return Directive("press", "still_open", goal=wanted[0], first="other_matter")


def _steps(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Asked to do something at once it does; asked how that went, or what shows now, it says so."""
    noticed = state.last.noticed
    if noticed.dictates and not state.last.asked:
        return Directive("answer", "reads_back", about=noticed.dictates)
    reached = not {"sim", "outage", "emergency"} & set(persona.topics)  # whose phone is lost or dead gets no message
    if noticed.text_due and reached and state.acts and not state.last.asked and "text_here" not in state.moments:
        return Directive("answer", "text_here")
    if noticed.wants("outcome"):
        if taken := _step_taken(persona, state):
            return Directive("answer", "reports", outcome=taken)
        if state.last.asked and not (state.reported and musts_met(persona, state) and not noticed.wants("fact")):
            return None
        tried = any(done.noticed.wants("step") for done in state.done[-3:-1]) or "tries_it" in state.moments[-4:]
        repaired = musts_met(persona, state) and set(persona.topics) & REPAIRED
        if tried or repaired:
            return Directive("answer", "did_it" if tried else "works_now")
        return Directive("answer", "still_same") if persona.call.direction == "inbound" else None
    if noticed.wants("step") and not (state.last.asked or state.last.did("verify")):
        return Directive("answer", "did_it" if "tries_it" in state.moments[-2:] else "tries_it")
    return None


def _step_taken(persona: Persona, state: State) -> str:
    """The response to the last step that was taken, of which it can tell the outcome; told already, as long as nothing
    has been settled since."""
    with_outcome = {each.id for each in persona.call.responses if each.outcome}
    taken = [name for name in state.responded if name in with_outcome]
    return taken[-1] if taken and not (taken[-1] in state.reported and musts_met(persona, state)) else ""


def _story(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Asked openly what has happened, it tells the first things that are on its mind, or what it wants."""
    if not state.last.noticed.wants("story"):
        return None
    if facts := _on_its_mind(persona, state):
        return Directive("answer", "tells_its_story", tell=facts[:2])
    goal = open_goal(persona, state)
    return Directive("ask", "asked_what_it_wants", goal=goal) if goal and goal not in state.named else None


def _on_its_mind(persona: Persona, state: State) -> tuple[str, ...]:
    """The facts that it could tell now of itself, in the order of its file."""
    facts = due(persona, state, "asked", "volunteered")
    return tuple(fact.id for fact in facts if fact.needs is None and fact.id != "identity")


def _about_the_talk(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Whether it can hear, whether that was clear, whether it would hear it again, and how it is."""
    noticed = state.last.noticed
    if noticed.repeats and noticed.wants("offer", "understood"):
        return Directive("answer", "no_need_again")
    if noticed.wants("hear") and state.acts:
        return Directive("answer", "hears")
    if noticed.wants("care") and state.moments.count("cared_for") < 2:
        return Directive("answer", "cared_for")
    if noticed.checks_who and not state.last.asked:
        return Directive("answer", "thats_me")
    checks = noticed.sums_up and noticed.wants("fact") and not (state.last.asked or noticed.kinds)
    if noticed.wants("confirm") or checks:
        more = (checks or noticed.questions > 1) and not state.last.asked and open_goal(persona, state)
        return Directive("ask", "asked_what_it_wants", goal=more) if more else Directive("answer", "confirms")
    objects = any(still_open(item, state) for item in persona.call.objections)
    if noticed.wants("understood") and not (noticed.wants("rest") or (objects and state.last.did(*OFFER))):
        return Directive("answer", "follows")
    return None


def _rest(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """Asked whether that was all: first what was held back when it was asked for, then what is still wanted."""
    if state.last.noticed.invites_worries and (worry := _worry(persona, state)):
        return worry
    if not state.last.noticed.wants("rest"):
        return None
    lately = {name for done in state.done[-HELD_FOR:] for name in done.asked}
    held = [fact.id for fact in due(persona, state, "asked") if fact.needs is not None and fact.id in lately]
    if held:
        return Directive("answer", "asked", tell=(held[0],))
    if (goal := open_goal(persona, state)) and state.turn > 2:
        return Directive("press", "not_satisfied", goal=goal)
    nice = [goal.id for goal in persona.call.goals if goal.kind == "nice" and goal.id not in (*state.named, *state.met)]
    if nice and musts_met(persona, state) and won(state) and not state.last.did("close"):
        return Directive("ask", "something_else", goal=nice[0])
    hidden = [
        goal.id for goal in persona.call.goals if goal.kind == "hidden" and goal.id not in (*state.named, *state.met)
    ]
    if hidden and musts_met(persona, state) and state.feeling.trust >= CONFIDES:
        return Directive("ask", "asked", goal=hidden[0])
    return None


def _worry(persona: Persona, state: State) -> Directive | None:
    """What it has on its mind against the matter and has not said, as long as nothing is settled."""
    if musts_met(persona, state) or "accept" in state.acts:
        return None
    if objection := next((item for item in persona.call.objections if still_open(item, state)), None):
        return Directive("object", "objection", objection=objection.id)
    unsaid = (item.id for item in persona.call.beliefs if item.id not in (*state.stated, *state.corrected))
    if belief := next(unsaid, ""):
        return Directive("believe", "wrong_belief", belief=belief)
    goals = persona.call.goals if state.feeling.trust >= TRUSTING else ()
    secret = (item.id for item in goals if item.kind == "hidden" and item.id not in (*state.named, *state.met))
    return Directive("ask", "asked", goal=goal) if (goal := next(secret, "")) else None


def _offered(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """An offer, a time or a choice is answered before anything of its own comes up."""
    last, noticed = state.last, state.last.noticed
    if noticed.wants("time_open", "time_set"):
        own = [fact for fact in due(persona, state, "asked") if fact.says_when]
        if own:
            return Directive("answer", "asked", tell=(own[0].id,))
        told = [fact.id for fact in persona.call.facts if fact.says_when and fact.id in state.facts]
        if told and noticed.wants("time_open"):
            return Directive("answer", "asked_about_it", tell=(told[0],), again=True)
        if noticed.wants("time_set"):
            return Directive("answer", "time_agreed" if noticed.by_when else "gives_leave", about=noticed.by_when)
        return Directive("answer", "any_time")
    proposed = last.did(*OFFER) and not last.did("hold")
    worry = next((item for item in persona.call.objections if proposed and still_open(item, state)), None)
    if noticed.wants("choice") and not noticed.options and state.moments[-1:] == ("gives_leave",):
        return Directive("answer", "keeps_to_it")
    if noticed.wants("choice") and (noticed.options or (worry is None and not last.asked)):
        return Directive(
            "answer", "chooses" if noticed.options else "either", about=rng.choice(noticed.options or ("",))
        )
    if noticed.wants("permission") and not noticed.wants("offer") and not last.did("hold", "consent"):
        return Directive("answer", "gives_leave")
    if (
        not noticed.wants("offer", "time_set", "choice")
        or musts_met(persona, state)
        or (last.did("consent") and state.turn <= 2)
    ):
        return None
    if worry is not None:
        return Directive("object", "objection", objection=worry.id)
    goal = open_goal(persona, state)
    if goal and goal not in state.named:
        return Directive("ask", "wants", goal=goal, first="gives_leave")
    return Directive("answer", "gives_leave")


def _unanswered(persona: Persona, state: State, rng: random.Random) -> Directive | None:
    """A wish that was asked for, or a plain question to which nothing in the file is the answer."""
    last, noticed = state.last, state.last.noticed
    if noticed.wants("wish") and (goal := open_goal(persona, state)):
        return Directive("ask", "asked_what_it_wants", goal=goal)
    vague = noticed.wants("fact", "choice") and not (noticed.kinds or noticed.options or last.asked)
    begun = persona.call.direction == "inbound" and 0 < len(state.acts) < STILL_TELLING
    if vague and begun and (facts := _on_its_mind(persona, state)):
        return Directive("answer", "tells_its_story", tell=facts[:1])
    if noticed.unclear and not (last.asked or noticed.wants(*TELLS)) and state.moments.count("unclear") < OFTEN_UNCLEAR:
        return Directive("ask_explain", "unclear")
    plain = noticed.wants("fact", "secret") or (noticed is NOTHING and last.did(*QUESTION))
    beside = last.did(*SOLUTION) and noticed.aims[-1:] != ("fact",)  # more was done than asked
    if plain and not last.asked and not beside and "does_not_know" not in state.moments[-4:]:
        return Directive("answer", "does_not_know")
    return None


def questioned(state: State) -> bool:
    """Whether the reply wants something back; where it has no words, by the moves that were read."""
    noticed = state.last.noticed
    return noticed.asks or (not noticed.aims and state.last.did(*QUESTION))


def still_open(objection: Objection, state: State) -> bool:
    """Whether it could still come up against any offer."""
    settled = objection.id in state.broken or objection.id in dict(state.raised)
    return not settled and objection.raised_when is None and "accept" not in state.acts


def open_goal(persona: Persona, state: State) -> str:
    """What is still wanted and was not asked for yet; nobody asks for what he has just been told, or told when."""
    to_the_matter = [done for done in state.done if not done.elsewhere]
    told_when = any(done.noticed.by_when for done in to_the_matter)
    spoken_of = {name for done in to_the_matter if done.counts for name in done.noticed.speaks_to}
    if not state.last.elsewhere and state.last.did("inform", "explain", *SOLUTION):
        spoken_of.update(state.last.noticed.touches)
    open_goals = [
        goal.id
        for goal in persona.call.goals
        if goal.kind == "must" and goal.id not in (*state.met, *spoken_of) and not (told_when and _asks_when(goal))
    ]
    fresh = [name for name in open_goals if name not in state.named]
    return (fresh or open_goals or [""])[0]


def _asks_when(goal: Goal) -> bool:
    return any("when" in kinds_of(line.gloss or line.text) for line in goal.say)


ANSWERS: tuple[Rule, ...] = (
    _consents, _insulted, _wary, _language, _occupied, _elsewhere, _steps, _asked, _doubts, _takes_in, _story, _told_before,
    _about_the_talk, _rest, _offered, _unanswered,
)  # fmt: skip
