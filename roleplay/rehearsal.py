"""Proof that a persona can be published: played through by trainees made of readings, without any words.

A good trainee must bring the call to a good end, a rude one must not, a curious one must reach every fact
that can be told; and the persona's own wordings must pass the customer's guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from roleplay.acts import next_directive
from roleplay.conditions import Condition
from roleplay.dialogue import Ending
from roleplay.directive import due, spoken
from roleplay.errors import Fault
from roleplay.guard import ledger, strike
from roleplay.persona import NAMED, Line, Persona, Response
from roleplay.reaction import GOOD, react
from roleplay.reading import BroughtUp, Estimates, MoveSeen, Reading, Told
from roleplay.state import State, holds, outcome, start

SEEDS = range(3)
GROSS = 2.0  # how far the stated difficulty may lie from the one that follows from the file
# What the trainees of a rehearsal say aloud where the line is bad: that they speak up, and that the line was cut.
ALOUD = {
    "zh-CN": ("我大点声，刚才电话断了，不好意思。", "再见。"),
    "en": ("I am speaking up now, sorry, we were cut off.", " Goodbye."),
}
Trainee = Callable[[Persona, State], Reading]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the rehearsal of one persona showed, the most over the seeds.

    `turns` are the replies of a good trainee; `good_moves` those that a steady one needs, who does one thing at a
    time. `unasked` is the share of facts that are told without being asked for. `derived` is the difficulty that
    follows from all this, 1 to 5. `leaks` counts own wordings that give away what is for the grader or the agent.
    """

    persona: str
    solvable: bool
    turns: int
    good_moves: int
    objections: int
    unasked: float
    stated: int
    derived: float
    leaks: int
    rude_ending: Ending
    facts_told: int
    facts: int
    faults: tuple[Fault, ...]

    @property
    def publishable(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Steps:
    """What a trainee can do in one reply towards a condition."""

    moves: frozenset[str] = frozenset()
    told: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    asked: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()

    def __or__(self, other: Steps) -> Steps:
        return Steps(
            self.moves | other.moves, self.told | other.told, self.asked | other.asked, self.heard | other.heard
        )

    @property
    def size(self) -> int:
        return len(self.moves) + len(self.told) + len(self.asked) + len(self.heard)


def rehearse(persona: Persona) -> Proof:
    """Play a persona through with all trainees and seeds."""
    good = [play(persona, good_trainee, seed) for seed in SEEDS]
    rude = [play(persona, rude_trainee, seed) for seed in SEEDS]
    curious = [play(persona, trainee, seed) for seed in SEEDS for trainee in (curious_trainee, curious_from_the_end)]
    steady = [play(persona, steady_trainee, seed) for seed in SEEDS]
    good_moves = max(sum(done.good for done in state.done) for state in steady)
    reachable = {name for state in (*good, *curious) for name in state.facts}
    tellable = [fact for fact in persona.call.facts if fact.told != "never"]
    faults = list(wording_faults(persona))
    stuck = [state for state in good if state.ending not in persona.good_endings or _missing(persona, state)]
    if stuck:
        message = f"a good trainee ends with {stuck[0].ending} after {stuck[0].turn} replies; "
        faults.append(Fault(message + f"not met: {_missing(persona, stuck[0])}", None, "call.goals"))
    if well := next((state for state in rude if state.ending in persona.good_endings), None):
        faults.append(Fault(f"a rude trainee ends with {well.ending}", None, "call.ends"))
    for fact in tellable:
        if fact.id not in reachable:
            faults.append(Fault("no trainee ever gets to hear it", None, f"call.facts.{fact.id}"))
    derived = difficulty(persona, good_moves)
    if abs(derived - persona.difficulty) >= GROSS:
        message = f"stated {persona.difficulty}, but what the file asks of a trainee amounts to {derived:.1f}"
        faults.append(Fault(message, None, "difficulty"))
    return Proof(
        persona.id,
        not stuck,
        max(state.turn for state in good),
        good_moves,
        len(persona.call.objections),
        round(_unasked(persona), 2),
        persona.difficulty,
        round(derived, 1),
        sum("never be said: leak" in fault.message for fault in faults),
        rude[0].ending or "unresolved",
        sum(fact.id in reachable for fact in tellable),
        len(tellable),
        tuple(faults),
    )


def difficulty(persona: Persona, good_moves: int) -> float:
    """How hard a persona is, 1 to 5, from what has to be done and how the customer meets it.

    Weights were fitted to the difficulty that authors gave to fifty personas, and rounded.
    """
    call = persona.call
    withheld = sum(fact.needs is not None for fact in call.facts)
    points = 0.7 + 0.4 * len(call.objections) + 0.35 * len(call.beliefs) + 0.3 * min(2, withheld)
    points += 0.5 * (2 - call.feelings.trust) + 3 * call.feelings.inertia + 0.1 * call.feelings.anger
    points += 0.1 * (good_moves - 5) - 0.5 * _unasked(persona)
    return min(5.0, max(1.0, points))


def _unasked(persona: Persona) -> float:
    return sum(fact.told == "volunteered" for fact in persona.call.facts) / len(persona.call.facts)


def _missing(persona: Persona, state: State) -> list[str]:
    return [goal.id for goal in persona.call.goals if goal.kind == "must" and goal.id not in state.met]


def play(persona: Persona, trainee: Trainee, seed: int) -> State:
    """One rehearsal to its end; a trainee that never closes runs into the turn limit."""
    state = start(persona)
    while state.ending is None:
        reading = trainee(persona, state)
        state = react(persona, state, reading, _aloud(persona, reading))
        state = spoken(state, next_directive(persona, state, seed))
        if state.turn > persona.call.ends.turn_limit:
            state = replace(state, ending=outcome(persona, state))
    return state


def _aloud(persona: Persona, reading: Reading) -> str:
    """Words for a bad line; elsewhere these trainees are readings without words."""
    if not persona.call.line or reading.estimates.empathy < GOOD:
        return ""
    words, goodbye = ALOUD[persona.language]
    return words + (goodbye if reading.did("close") else "")


def reading(moves: frozenset[str] | tuple[str, ...], empathy: float, **more: object) -> Reading:
    """A reading without words, for rehearsals and tests."""
    seen = tuple(MoveSeen(move, 1.0, 0, 0) for move in sorted(moves))  # type: ignore[arg-type]
    return Reading(moves=seen, estimates=Estimates(empathy=empathy, phrasing=empathy), **more)  # type: ignore[arg-type]


def good_trainee(persona: Persona, state: State) -> Reading:
    """Greets, takes the customer seriously, verifies, asks, solves, and closes once all is settled."""
    if not state.acts:
        return reading(("greet", "identify", "offer_help", "consent"), 4.0)
    if state.turn == 1:
        return reading(("acknowledge", "apologise", "ask_open", "verify"), 4.6)
    conditions = _open(persona, state)
    if not conditions:
        return _closing(state)
    steps = Steps()
    for condition in conditions:
        steps |= towards(persona, state, condition)
    moves = steps.moves | {"acknowledge", "reassure", "explain"}
    told = tuple(Told(name, facts) for name, facts in sorted(steps.told))
    return reading(frozenset(moves), 4.6, asked=tuple(sorted(steps.asked)), told=told, brought_up=_said(steps.heard))


def steady_trainee(persona: Persona, state: State) -> Reading:
    """As good as the good one, but does one thing in each reply."""
    if not state.acts:
        return reading(("greet", "identify", "offer_help", "consent"), 4.0)
    if state.turn == 1:
        return reading(("acknowledge", "ask_open", "verify"), 4.6)
    conditions = _open(persona, state)
    if not conditions:
        return _closing(state)
    steps = towards(persona, state, conditions[0])
    moves = frozenset(sorted(steps.moves)[:1])
    told = () if moves else tuple(Told(name, facts) for name, facts in sorted(steps.told)[:1])
    asked = () if moves or told else tuple(sorted(steps.asked)[:1])
    heard = () if moves or told or asked else _said(steps.heard)[:1]
    return reading(moves | {"acknowledge"}, 4.4, told=told, asked=asked, brought_up=heard)


def _said(heard: frozenset[str]) -> tuple[BroughtUp, ...]:
    return tuple(BroughtUp(name, 0, 0) for name in sorted(heard))


def _open(persona: Persona, state: State) -> list[Condition]:
    """What is still to be done: objections to break, goals to meet, beliefs to correct."""
    call, raised = persona.call, dict(state.raised)
    conditions = [item.broken_by for item in call.objections if item.id in raised and item.id not in state.broken]
    conditions += [goal.met_by for goal in call.goals if goal.kind == "must" and goal.id not in state.met]
    conditions += [
        item.corrected_by for item in call.beliefs if item.id in state.stated and item.id not in state.corrected
    ]
    return conditions


def _closing(state: State) -> Reading:
    if "thank" in state.acts or state.acts[-1] == "accept":
        return reading(("check_satisfied", "thank", "close"), 4.4)
    return reading(("acknowledge", "check_satisfied"), 4.4)


def curious_trainee(persona: Persona, state: State) -> Reading:
    """Kind, and asks for one fact after the other."""
    if not state.acts:
        return reading(("greet", "identify", "offer_help", "consent"), 4.0)
    if state.turn == 1:
        return reading(("acknowledge", "apologise", "verify"), 4.6)
    wanted = _askable(persona, state)
    towards_needs = Steps()
    for fact in persona.call.facts:
        if fact.id not in state.facts and fact.needs is not None and not holds(fact.needs, state):
            towards_needs |= towards(persona, state, fact.needs)
    moves = towards_needs.moves | {"acknowledge", "reassure", "explain", "ask_closed"}
    told = tuple(Told(name, facts) for name, facts in sorted(towards_needs.told))
    return reading(frozenset(moves), 4.6, asked=tuple(wanted[:2]), told=told)


def _askable(persona: Persona, state: State) -> list[str]:
    """The facts that would be told now if somebody asked for them."""
    return [fact.id for fact in due(persona, state, "asked", "volunteered")]


def curious_from_the_end(persona: Persona, state: State) -> Reading:
    """As curious, but begins with the last facts: some calls are over before all can be asked for."""
    asked = curious_trainee(persona, state)
    return replace(asked, asked=tuple(reversed(_askable(persona, state)))[: len(asked.asked)])


def rude_trainee(persona: Persona, state: State) -> Reading:
    """Says what the rude scripts of any call centre say."""
    return reading(("greet",) if not state.acts else ("rude", "blame") if state.turn % 2 else ("dismiss",), 1.0)


def towards(persona: Persona, state: State, condition: Condition) -> Steps:
    """The cheapest steps that make a condition hold, as far as one reply can."""
    steps = Steps()
    if holds(condition, state):
        return steps
    if condition.move is not None:
        steps |= Steps(moves=frozenset({condition.move if isinstance(condition.move, str) else condition.move[0]}))
    if condition.told is not None:
        steps |= Steps(told=frozenset({(condition.told, condition.facts)}))
    for name in (condition.asked, condition.knows):
        if name is not None:
            steps |= Steps(asked=frozenset({name}))
    if condition.heard is not None:
        steps |= Steps(heard=frozenset({condition.heard}))
    for part in condition.all:
        steps |= towards(persona, state, part)
    if condition.any:
        steps |= min(
            (towards(persona, state, part) for part in condition.any), key=lambda way: (way.size == 0, way.size)
        )
    return steps


def wording_faults(persona: Persona) -> Iterator[Fault]:
    """Own wordings that the guard would strike out whatever happens, and dialect lines without a gloss."""
    everything = ledger(
        persona, replace(start(persona), facts=tuple(fact.id for fact in persona.call.facts)), (), (), ()
    )
    needs_gloss = persona.who.speech.dialect != "none" and persona.who.speech.strength >= 2
    for place, line in own_lines(persona):
        if fault := strike(line.text, everything, "own"):
            yield Fault(f"{line.text!r} would never be said: {fault.reason} {fault.detail}".rstrip(), None, place)
        if needs_gloss and not line.gloss and len(line.text) > 6:
            yield Fault(f"{line.text!r} is in dialect and has no gloss", None, place)


def own_lines(persona: Persona) -> Iterator[tuple[str, Line]]:
    call = persona.call
    for act, lines in persona.who.speech.lines.items():
        yield from ((f"who.speech.lines.{act}", line) for line in lines)
    for number, opening in enumerate(call.openings):
        yield f"call.openings.{number}", opening
    for kind in NAMED:
        for item in getattr(call, kind):
            said = (*item.say, *(item.outcome if isinstance(item, Response) else ()))
            yield from ((f"call.{kind}.{item.id}", line) for line in said)
