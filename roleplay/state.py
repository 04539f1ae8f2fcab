"""What the customer feels, knows and still wants: values, what holds in them, and how a call would end now.

Deterministic, no words and no models. `reaction.react` moves the state by what a reply did,
`directive.spoken` by what the customer then said.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from statistics import mean

from roleplay.conditions import Condition
from roleplay.dialogue import Ending, Feeling
from roleplay.noticed import NOTHING, Noticed
from roleplay.persona import Persona
from roleplay.reading import Told

HOSTILE = ("rude", "blame", "dismiss", "argue")
SOLUTION = ("propose", "alternative", "act", "timeframe", "transfer", "reschedule")
# What wins a customer only when it is not said coldly.
WINNING = frozenset({*SOLUTION, "acknowledge", "apologise", "reassure", "explain"})
TOLD_SHARE = 0.5  # of an entry's facts that a reply must tell before the entry counts as told
LONG_WAIT = 300  # seconds in the queue that ask for a word of apology
LUKEWARM = 2.45  # mean empathy below which a call as a whole is felt as cold
CALM, TRUSTING = 2.5, 1.0  # anger below and trust from which a customer lets itself be won
OPERATORS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Done:
    """What one reply of the trainee did, as far as conditions ask.

    `good`: it took up the feeling. `cold`: it passed over a feeling that was plain to hear. `wrong`: it said
    something untrue; where the customer would notice, it is `doubted` in these words. `lost`: the customer was
    too angry to listen, or could not hear. What is wrong, lost or too good to be true counts for no condition.
    """

    moves: tuple[str, ...]
    empathy: float = 3.0
    good: bool = False
    cold: bool = False
    wrong: bool = False
    doubted: str = ""
    lost: bool = False
    asked: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()  # responses that it brings on
    told: tuple[Told, ...] = ()
    noticed: Noticed = NOTHING
    waited: str = ""  # why the wait on hold before it is minded, see `waiting`
    elsewhere: bool = False  # what it told, asked or offered is no matter of this customer's, and does nothing for it

    def did(self, *moves: str) -> bool:
        return any(move in moves for move in self.moves)

    @property
    def counts(self) -> bool:
        return not (self.wrong or self.lost or self.noticed.too_good or self.noticed.alarm)

    def wins(self, *moves: str) -> bool:
        """Whether one of the moves was made so that the customer takes it."""
        made = [move for move in moves if move in self.moves]
        return self.counts and any(not (self.cold and move in WINNING) for move in made)

    @property
    def leaves_waiting(self) -> bool:
        """Has the customer wait without asking or saying please."""
        return self.did("hold") and not (self.noticed.wants("permission") or self.noticed.polite)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why feelings moved: a key of EFFECTS or SOOTHING, and by how much."""

    why: str
    anger: float
    confusion: float
    trust: float


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the customer carries from turn to turn. Turns are counted by the trainee's replies."""

    feeling: Feeling
    patience: float
    done: tuple[Done, ...] = ()
    causes: tuple[Cause, ...] = ()  # of the last reply
    acts: tuple[str, ...] = ()  # what the customer's turns did, oldest first
    moments: tuple[str, ...] = ()  # why it did so, and what it took up first
    facts: tuple[str, ...] = ()  # told to the trainee
    asked_for: tuple[str, ...] = ()  # facts that the trainee asked for
    corrected: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()  # beliefs said aloud
    raised: tuple[tuple[str, int], ...] = ()  # objections and the turn in which they were raised
    broken: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    named: tuple[str, ...] = ()  # goals that the customer has asked for
    verified: bool = False
    standard: bool = False  # speaks standard language because the trainee asked for it
    asides: tuple[str, ...] = ()  # said by now
    responded: tuple[str, ...] = ()  # responses given by now
    reported: tuple[str, ...] = ()  # responses to a step whose outcome was told
    believed: tuple[int, ...] = ()  # replies whose promise, too good to be true, was taken for true
    let_down: bool = False  # such a promise was taken back
    alarms: int = 0  # replies that made it wary: private data given away or asked for
    hostile: int = 0
    insults: int = 0
    cut: int = 0  # the turn in which the line was cut
    mended: tuple[str, ...] = ()  # troubles of the line that are over for good
    ending: Ending | None = None

    @property
    def turn(self) -> int:
        return len(self.done)

    @property
    def last(self) -> Done:
        return self.done[-1]

    def ever(self, *moves: str) -> bool:
        return any(done.wins(*moves) for done in self.done)


def start(persona: Persona) -> State:
    """The state before anything is said."""
    feelings = persona.call.feelings
    patience = {1: 5.0, 2: 4.5, 3: 4.0, 4: 3.5, 5: 3.0}[persona.difficulty]
    return State(Feeling(feelings.anger, feelings.confusion, feelings.trust), patience)


def bounded(value: float, bound: str) -> bool:
    """Whether `value` keeps a bound such as ">=2"."""
    return OPERATORS[bound[:2]](value, float(bound[2:]))


def holds(condition: Condition, state: State, since: int = 0) -> bool:
    """Whether a condition holds, looking only at the trainee's replies after the first `since`."""
    done = state.done[since:]
    checks: list[bool] = []
    if condition.move is not None:
        moves = (condition.move,) if isinstance(condition.move, str) else condition.move
        right = [each for each in done if each.wins(*moves) and (each.good or not condition.good)]
        checks.append(len(right) >= condition.times)
    if condition.asked is not None:
        checks.append(any(condition.asked in each.asked for each in done))
    if condition.heard is not None:
        checks.append(any(condition.heard in each.heard and each.counts for each in done))
    if condition.told is not None:
        needed = set(condition.facts)
        told = [
            fact
            for each in done
            if each.counts
            for fact in each.told
            if fact.evidence_id == condition.told and fact.share >= TOLD_SHARE
        ]
        checks.append(bool(told) and needed <= {name for fact in told for name in fact.facts})
    if condition.feeling is not None:
        checks.extend(bounded(getattr(state.feeling, name), bound) for name, bound in condition.feeling.items())
    if condition.turn is not None:
        checks.append(bounded(state.turn, condition.turn))
    if condition.verified is not None:
        checks.append(state.verified == condition.verified)
    for name, there in (
        (condition.knows, state.facts),
        (condition.goal, state.met),
        (condition.belief, state.corrected),
        (condition.objection, state.broken),
    ):
        if name is not None:
            checks.append(name in there)
    checks.extend(holds(part, state, since) for part in condition.all)
    if condition.any:
        checks.append(any(holds(part, state, since) for part in condition.any))
    if condition.not_:
        checks.append(not holds(condition.not_, state, since))
    return all(checks)


def musts_met(persona: Persona, state: State) -> bool:
    return all(goal.id in state.met for goal in persona.call.goals if goal.kind == "must")


def won(state: State) -> bool:
    """Whether the customer would take a solution: calm, with some trust, and not put off by coldness."""
    return state.feeling.anger < CALM and state.feeling.trust >= TRUSTING and not chilled(state)


def chilled(state: State) -> bool:
    """Whether the replies since the greeting were cold: half of them plainly, or all of them somewhat."""
    later = state.done[1:]
    half = 2 * sum(done.cold for done in later) >= len(later)
    return len(later) >= 2 and (half or mean(done.empathy for done in later) < LUKEWARM)


def driven_off(state: State) -> bool:
    """Whether insults, data given away, empty promises or untruths have cost the agent the customer."""
    too_good = sum(done.noticed.too_good for done in state.done)
    wrong = sum(bool(done.doubted) for done in state.done)
    grave = state.insults > 0 or state.hostile >= 2 or state.alarms > 0 or too_good >= 2 or wrong >= 2
    return grave and state.feeling.trust < 2


def outcome(persona: Persona, state: State) -> Ending:
    """How the call ends if it ends now and nobody breaks it off."""
    if driven_off(state) or chilled(state):
        return "unresolved"
    if musts_met(persona, state):
        return "resolved" if won(state) else "partly"
    promised = state.ever("timeframe") and state.ever("act", "transfer", "propose")
    if won(state) and (promised or state.ever("reschedule")):
        return "callback"
    some = any(goal.id in state.met for goal in persona.call.goals if goal.kind == "must")
    return "partly" if some and won(state) else "unresolved"
