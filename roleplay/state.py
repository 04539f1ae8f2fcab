"""What the customer feels, knows and still wants: plain, deterministic, no words and no models.

`react` moves the state by what a reply did; `heard` by what the customer then said. Courtesy words
alone do not calm: anger stays above a floor until something is done about the matter.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, replace

from roleplay.conditions import Condition
from roleplay.dialogue import SILENCE, Ending, Feeling
from roleplay.persona import Persona
from roleplay.reading import Reading, Told

HOSTILE = ("rude", "blame", "dismiss", "argue")
SOLUTION = ("propose", "alternative", "act", "timeframe", "transfer", "reschedule")
PROGRESS = (
    *SOLUTION, "ask_open", "ask_closed", "verify", "restate", "explain", "inform", "hold", "consent", "greet",
    "identify", "offer_help", "pitch", "ask_repeat", "ask_mandarin", "check_satisfied", "close",
)  # fmt: skip

# Change of anger, confusion and trust by what the reply did. Sizes were set by playing calls: an insult
# is not mended by one apology, and only an act on the spot calms a point at once.
EFFECTS: dict[str, tuple[float, float, float]] = {
    "rude": (1.6, 0.0, -1.2),
    "blame": (0.8, 0.0, -0.7),
    "dismiss": (0.8, 0.0, -0.5),
    "argue": (0.6, 0.2, -0.5),
    "off_topic": (0.4, 0.4, -0.3),
    "meta": (0.3, 0.6, -0.4),
    "filler": (0.2, 0.0, -0.1),
    "jargon": (0.1, 0.9, -0.1),
    "disclose": (0.4, 0.0, -1.2),
    "refuse": (0.6, 0.0, -0.2),
    "act": (-0.9, -0.3, 0.6),
    "propose": (-0.4, -0.2, 0.3),
    "alternative": (-0.3, -0.1, 0.3),
    "timeframe": (-0.3, -0.1, 0.3),
    "transfer": (-0.1, 0.0, 0.1),
    "explain": (0.0, -0.8, 0.2),
    "inform": (0.0, -0.6, 0.2),
    "restate": (0.0, -0.3, 0.2),
    "wrong_fact": (0.5, 0.6, -0.9),
    "asked_again": (0.5, 0.0, -0.3),
    "cold": (0.4, 0.0, -0.3),
    "silence": (0.5, 0.3, -0.3),
    "nothing_new": (0.3, 0.0, -0.1),
}
SOOTHING: dict[str, tuple[float, float, float]] = {  # at full quality; halved each time it is said again
    "acknowledge": (-0.6, -0.1, 0.4),
    "apologise": (-0.5, 0.0, 0.2),
    "reassure": (-0.3, -0.2, 0.3),
}
PATIENCE_LOST = {
    "rude": 2.0, "blame": 1.0, "dismiss": 1.0, "argue": 0.7, "off_topic": 0.8, "meta": 0.8, "silence": 1.0,
    "nothing_new": 0.6, "asked_again": 0.3, "filler": 0.3,
}  # fmt: skip
TOLD_SHARE = 0.5  # of an entry's facts that a reply must tell before the entry counts as told
GOOD = 3.5  # empathy from which a reply counts as having taken up the feeling
# An angry customer does not listen until the feeling is taken up: from anger 3.9 at difficulty 1, 2.7 at 5.
LISTENS_BELOW, LESS_PER_DIFFICULTY = 4.2, 0.3
# A question whose answer is yes or no to something being done.
LEAVE = re.compile(
    r"(?:可以|好|行|方便|同意|需要|要|愿意)[^，。？?]{0,8}[吗么][？?]|您看[^。？?]{0,12}[？?]|要不要|"
    r"\b(?:shall i|would you like|is that (?:all right|okay|ok)|would that|may i go ahead|do you want me)\b",
    re.IGNORECASE,
)
# What is said when a call is closed; without any of it, a reply does not close, whatever the reading thinks.
GOODBYE = re.compile(
    r"再见|拜拜|祝您|祝你|挂机|挂断|挂了|感谢您的(?:来电|接听|支持)|谢谢您的来电|回访结束|到此结束|"
    r"\b(?:good)?bye\b|\bhave a (?:nice|good|lovely|pleasant|great|safe)|\bwish you\b|\btake care\b|"
    r"\bthank(?:s| you) for (?:calling|ringing|your (?:call|time|patience))|\bclosing this\b|\bhanging up\b",
    re.IGNORECASE,
)
ASKS_NAME = re.compile(
    r"贵姓|怎么称呼|您的姓名|您叫什么|您的名字|\byour (?:full )?name\b|\bwho am i (?:speaking|talking)", re.IGNORECASE
)
OPERATORS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Done:
    """What one reply of the trainee did, as far as conditions ask.

    `good`: it took up the feeling. `wrong`: it said something untrue. `lost`: the customer was too angry
    to listen. What is wrong or lost counts for no condition.
    """

    moves: tuple[str, ...]
    good: bool = False
    wrong: bool = False
    lost: bool = False
    asked: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    silent: bool = False
    asks_leave: bool = False  # asks whether something may be done

    def did(self, *moves: str) -> bool:
        return any(move in moves for move in self.moves)

    @property
    def counts(self) -> bool:
        return not (self.wrong or self.lost)


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
    hostile: int = 0
    insults: int = 0
    ending: Ending | None = None

    @property
    def turn(self) -> int:
        return len(self.done)

    @property
    def last(self) -> Done:
        return self.done[-1]

    def ever(self, *moves: str) -> bool:
        return any(done.did(*moves) and done.counts for done in self.done)


def start(persona: Persona) -> State:
    """The state before anything is said."""
    feelings = persona.call.feelings
    patience = {1: 5.0, 2: 4.5, 3: 4.0, 4: 3.5, 5: 3.0}[persona.difficulty]
    return State(Feeling(feelings.anger, feelings.confusion, feelings.trust), patience)


def bounded(value: float, bound: str) -> bool:
    """Whether `value` keeps a bound such as ">=2"."""
    return OPERATORS[bound[:2]](value, float(bound[2:]))


def is_silent(reply: str) -> bool:
    """Whether a reply was said without a word, such as `……`."""
    return reply.strip() == SILENCE or (bool(reply) and not any(char.isalnum() for char in reply))


def holds(condition: Condition, state: State, since: int = 0) -> bool:
    """Whether a condition holds, looking only at the trainee's replies after the first `since`."""
    done = state.done[since:]
    checks: list[bool] = []
    if condition.move is not None:
        moves = (condition.move,) if isinstance(condition.move, str) else condition.move
        right = [each for each in done if each.did(*moves) and each.counts and (each.good or not condition.good)]
        checks.append(len(right) >= condition.times)
    if condition.asked is not None:
        checks.append(any(condition.asked in each.asked for each in done))
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


def react(persona: Persona, state: State, reading: Reading, reply: str = "") -> State:
    """The state after a reply: feelings with their causes, patience, goals met, beliefs corrected.

    Of the words themselves only what is exact counts: silence, goodbye, asking for a name or for leave.
    """
    moves = tuple(dict.fromkeys(seen.move for seen in reading.moves))
    if reply and not GOODBYE.search(reply):
        moves = tuple(move for move in moves if move != "close")
    asked = reading.asked
    if ("verify" in moves or ASKS_NAME.search(reply)) and any(fact.id == "identity" for fact in persona.call.facts):
        asked = tuple(dict.fromkeys((*asked, "identity")))
    good = reading.estimates.empathy >= GOOD
    lost = not good and state.feeling.anger >= LISTENS_BELOW - LESS_PER_DIFFICULTY * persona.difficulty
    silent, leave = is_silent(reply), bool(LEAVE.search(reply))
    done = Done(moves, good, bool(reading.contradicted), lost, asked, reading.told, silent, leave)
    causes = _causes(persona, state, done, reading.estimates.empathy)
    hostile = done.did(*HOSTILE)
    state = replace(
        state,
        done=(*state.done, done),
        asked_for=tuple(dict.fromkeys((*state.asked_for, *asked))),
        hostile=state.hostile + hostile,
        insults=state.insults + done.did("rude"),
        patience=state.patience - sum(PATIENCE_LOST.get(cause.why, 0.0) for cause in causes),
        causes=tuple(causes),
    )
    state = replace(state, feeling=_felt(persona, state, done, causes, reading.estimates.empathy))
    return _settle(persona, state)


def _causes(persona: Persona, state: State, done: Done, empathy: float) -> list[Cause]:
    upset = state.feeling.anger >= 1.5 or state.feeling.confusion >= 2.5
    whys = [move for move in done.moves if move in EFFECTS]
    if done.did("alternative", "transfer") and "refuse" in whys:
        whys.remove("refuse")
    if done.wrong:
        whys = [why for why in whys if EFFECTS[why][0] >= 0 and why not in ("explain", "inform", "restate")]
        whys.append("wrong_fact")
    if done.silent:
        whys = ["silence"]
    elif state.turn and not done.did(*PROGRESS, "acknowledge", "apologise", "thank") and not done.asked:
        whys.append("nothing_new")
    if set(done.asked) & set(state.facts) - {"identity"} and not done.did("restate"):
        whys.append("asked_again")
    if upset and empathy < 2.4 and state.turn:
        whys.append("cold")
    causes = [Cause(why, *EFFECTS[why]) for why in whys]
    quality = min(1.0, max(0.0, (empathy - 2.4) / 1.8))
    for move in done.moves:
        if move in SOOTHING and quality > 0 and not done.did(*HOSTILE):
            worn = 0.5 ** sum(move in each.moves for each in state.done)
            causes.append(Cause(move, *(size * quality * worn for size in SOOTHING[move])))
    return causes


def _felt(persona: Persona, state: State, done: Done, causes: list[Cause], empathy: float) -> Feeling:
    """Feelings after the causes: with inertia against calming, at most a point a turn, and a floor."""
    begin, now = persona.call.feelings, state.feeling
    ease = 1 - begin.inertia / 2
    anger, confusion, trust = (
        sum(getattr(cause, name) for cause in causes) for name in ("anger", "confusion", "trust")
    )
    anger, confusion, trust = (
        anger if anger > 0 else anger * ease,
        confusion if confusion > 0 else confusion * ease,
        trust if trust < 0 else trust * ease,
    )
    if empathy < 2.4 and not done.did("act"):
        anger = max(0.0, anger)  # a cold reply never calms
    most_up, most_down = (2.0 if done.did("rude") else 1.0), (2.0 if done.did("act") and not done.wrong else 1.0)
    anger = min(most_up, max(-most_down, anger))
    musts = [goal.id for goal in persona.call.goals if goal.kind == "must"]
    if all(goal in state.met for goal in musts):
        floor = 0.0
    elif state.ever(*SOLUTION):
        floor = max(0.0, begin.anger - 2.5)
    else:
        floor = max(0.0, begin.anger - 1.5)
    calmed = max(min(floor, now.anger), now.anger + anger) if anger < 0 else now.anger + anger
    clip = lambda value: round(min(4.0, max(0.0, value)), 3)  # noqa: E731
    return Feeling(
        clip(calmed),
        clip(now.confusion + min(1.0, max(-1.0, confusion))),
        clip(now.trust + min(1.0, max(-2.0 if done.did("rude") else -1.0, trust))),
    )


def _settle(persona: Persona, state: State) -> State:
    """Goals met, beliefs corrected and objections broken by now; each stays so."""
    call = persona.call
    corrected = [item.id for item in call.beliefs if item.id in state.corrected or holds(item.corrected_by, state)]
    state = replace(state, corrected=tuple(corrected))
    raised = dict(state.raised)
    broken = [
        item.id
        for item in call.objections
        if item.id in state.broken or (item.id in raised and holds(item.broken_by, state, raised[item.id]))
    ]
    state = replace(state, broken=tuple(broken))
    met = [item.id for item in call.goals if item.id in state.met or holds(item.met_by, state)]
    return replace(state, met=tuple(met))


def outcome(persona: Persona, state: State) -> Ending:
    """How the call ends if it ends now and nobody breaks it off."""
    musts = [goal.id for goal in persona.call.goals if goal.kind == "must"]
    met = [goal for goal in musts if goal in state.met]
    badly = state.insults > 0 or state.hostile >= 2
    if badly and state.feeling.trust < 2:
        return "unresolved"
    if len(met) == len(musts):
        return "resolved" if state.feeling.anger < 2.5 else "partly"
    if state.ever("reschedule") or (state.ever("timeframe") and state.ever("act", "transfer", "propose")):
        return "callback"
    return "partly" if met and state.feeling.anger < 2.5 else "unresolved"
