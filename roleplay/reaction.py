"""How a reply moves the customer: feelings with named causes, patience, goals met, beliefs corrected.

Courtesy words alone do not calm: anger stays above a floor until something is done about the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace

from roleplay.dialogue import ASKING, Aim, Feeling, Move
from roleplay.facts import Quantity, quantities
from roleplay.noticed import BEYOND_DOUBT, PLAIN, TELLS, Noticed, notice
from roleplay.persona import Goal, Objection, Persona
from roleplay.reading import AimSeen, Claim, MoveSeen, Reading
from roleplay.state import HOSTILE, LONG_WAIT, SOLUTION, TRUSTING, Cause, Done, State, holds, musts_met
from roleplay.telephone import inaudible, mended
from roleplay.waiting import Wait, annoys

PROGRESS = (
    *SOLUTION, "ask_open", "ask_closed", "verify", "restate", "explain", "inform", "hold", "consent", "greet",
    "identify", "offer_help", "pitch", "ask_repeat", "ask_mandarin", "check_satisfied", "close",
)  # fmt: skip

OF_A_MATTER = ("explain", "inform", "restate", "pitch")  # moves that do nothing where it is another customer's matter
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
    "settled": (-0.4, -0.3, 0.3),
    "explain": (0.0, -0.8, 0.2),
    "inform": (0.0, -0.6, 0.2),
    "restate": (0.0, -0.3, 0.2),
    "wrong_fact": (0.5, 0.6, -0.9),
    "asked_again": (0.5, 0.0, -0.3),
    "cold": (0.4, 0.0, -0.3),
    "silence": (0.5, 0.3, -0.3),
    "curt": (0.25, 0.0, -0.2),
    "nothing_new": (0.3, 0.0, -0.1),
    "private_data": (0.7, 0.0, -1.3),
    "others_data": (0.4, 0.0, -1.0),
    "asks_secret": (0.5, 0.2, -1.2),
    "too_good": (0.1, 0.1, -0.5),
    "too_good_believed": (-0.2, 0.0, 0.2),
    "let_down": (0.9, 0.2, -0.8),
    "kept_waiting": (0.3, 0.0, -0.1),
    "held_too_long": (0.6, 0.1, -0.3),
    "cut_short": (0.6, 0.0, -0.3),
    "wrong_name": (0.3, 0.1, -0.2),
    "too_much": (0.1, 0.6, 0.0),
    "sore_point": (0.9, 0.0, -0.5),
    "waited_long": (0.4, 0.0, -0.2),
    "line_cut": (0.4, 0.1, -0.2),
    "inaudible": (0.2, 0.3, -0.1),
    "no_time": (0.2, 0.0, -0.1),
}
SOOTHING: dict[str, tuple[float, float, float]] = {  # at full quality; halved each time it is said again
    "acknowledge": (-0.6, -0.1, 0.4),
    "apologise": (-0.5, 0.0, 0.2),
    "reassure": (-0.3, -0.2, 0.3),
}
PATIENCE_LOST = {
    "rude": 2.0, "blame": 1.0, "dismiss": 1.0, "argue": 0.7, "off_topic": 0.8, "meta": 0.8, "silence": 1.0,
    "nothing_new": 0.6, "asked_again": 0.3, "filler": 0.3, "private_data": 1.4, "others_data": 1.0, "asks_secret": 1.2,
    "let_down": 0.6, "kept_waiting": 0.2, "held_too_long": 0.6, "cut_short": 0.4, "wrong_fact": 0.4, "cold": 0.2, "sore_point": 0.5,
    "too_good": 0.3, "no_time": 0.6,
}  # fmt: skip
PLAIN_OFFENCE = 0.25  # probability from which a customer minds blame, a brush-off or words that are not for it
KINDLY = 3.2  # empathy from which nothing is heard as an insult
HURTS = -0.8  # tone of a sentence below which a question for a fact is a reproach
KIND, KINDER = 0.6, 1.0  # tone of a sentence, -2 to 2, in which no offence is heard, and which takes up a feeling
GOOD = 3.5  # empathy from which a reply takes up the feeling
# Below the first a feeling that is plain to hear was passed over, below the second anybody feels the cold.
COLD = {"zh-CN": (2.6, 2.1), "en": (2.4, 2.0)}
BUSINESS = ("verify", "close", "check_satisfied", "hold", "restate", "consent", "ask_repeat")  # need no warmth
UPSET = 2.5  # anger from which the first questions are taken amiss when nothing was said of it
# An angry customer does not listen until the feeling is taken up: from anger 3.9 at difficulty 1, 2.7 at 5.
LISTENS_BELOW, LESS_PER_DIFFICULTY = 4.2, 0.3
# Moves that go with certain aims: with which one a move that was read is believed, and which one is the move itself.
BY_AIM: dict[str, tuple[tuple[Aim, ...], tuple[Aim, ...]]] = {
    "hold": (("hold", "permission", "do"), ("hold",)),
    "check_satisfied": (("rest", "satisfied"), ("rest", "satisfied")),
    "consent": (("convenient", "permission"), ("convenient",)),
    "verify": (("identity", "secret"), ("identity",)),
    "refuse": (("refuse",), ("refuse",)),
}
# What a sentence beyond doubt does, unless one of the moves is read already: the first of them.
MOVES_OF: dict[Aim, tuple[Move, ...]] = {
    "warm": ("acknowledge", "apologise", "reassure", "thank", "greet", "close"),
    "do": ("propose", "act", "alternative", "timeframe", "transfer", "reschedule", "hold", "verify"),
    "tell": ("inform", "explain", "act", "propose", "refuse", "restate", "timeframe", "alternative"),
}
# Aims beside which nobody is asked to say something again: "I did not follow, is it this or that?"
REPEATS_NOTHING: tuple[Aim, ...] = ("fact", "identity", "offer", "outcome", "understood", "story", "choice", "wish")
OFFENCES: dict[Aim, Move] = {"insult": "dismiss", "reproach": "blame", "stray": "off_topic"}
OFFENDS = 0.7  # how likely such a sentence must be to be minded
LATELY = 3  # replies
EMPTY = {"ack", "greet", "stray", "insult", "other"}  # aims of sentences that bring nothing new
DOUBTED = ("money", "data", "duration")  # kinds of figures that a customer doubts; nobody knows a code by heart
DOUBTERS = ("suspicious", "sarcastic", "bargaining", "angry")  # tempers that take no promise on trust


def react(persona: Persona, state: State, reading: Reading, reply: str = "", wait: Wait | None = None) -> State:
    """The state after a reply: feelings with their causes, patience, goals met, beliefs corrected.

    Of the words themselves only what is exact counts, see `noticed`. `wait` is the time on hold before the reply.
    """
    noticed = notice(
        persona,
        reply,
        state.facts,
        state.verified,
        reading.aims,
        reading.brought_up,
        given=(*state.responded, *state.reported),
        busy=_busy(persona, state),
    )
    done = _done(persona, state, reading, noticed, bool(reply))
    done = replace(done, waited=annoys(wait, reply))
    causes = _causes(persona, state, done, reading.estimates.empathy)
    whys = [cause.why for cause in causes]
    state = replace(
        state,
        done=(*state.done, done),
        asked_for=tuple(dict.fromkeys((*state.asked_for, *done.asked))),
        hostile=state.hostile + done.did(*HOSTILE),
        insults=state.insults + done.did("rude"),
        alarms=state.alarms + bool(noticed.alarm),
        believed=(*state.believed, state.turn + 1) if "too_good_believed" in whys else state.believed,
        let_down=state.let_down or "let_down" in whys,
        patience=state.patience - sum(PATIENCE_LOST.get(why, 0.0) for why in whys),
        causes=tuple(causes),
    )
    state = replace(state, feeling=_felt(persona, state, done, causes))
    return _settle(persona, replace(state, mended=mended(persona, state)))


def _busy(persona: Persona, state: State) -> bool:
    """Whether it was told lately to do something of which it can be asked how that went."""
    steps = {each.id for each in persona.call.responses if each.outcome}
    return any(done.noticed.wants("step") or steps & set(done.heard) for done in state.done[-LATELY:])


def _done(persona: Persona, state: State, reading: Reading, noticed: Noticed, words: bool) -> Done:
    moves = _moves(reading, noticed, words)
    asked = reading.asked
    if ("verify" in moves and not words) or noticed.wants("identity"):
        asked = tuple(dict.fromkeys((*asked, "identity")))
    if not any(fact.id == "identity" for fact in persona.call.facts):
        asked = tuple(name for name in asked if name != "identity")
    if (picked := _about_times(noticed)) is not None:
        beside = {fact.id for fact in persona.call.facts if fact.says_when != picked}
        asked = tuple(name for name in asked if name not in beside)
    if noticed.that_all and set(ASKING) & set(noticed.aims) == {"rest"}:
        # "any other questions?" asks for no fact, but may bring out a wish
        asked = tuple(name for name in asked if all(fact.id != name for fact in persona.call.facts))
    astray = reading.elsewhere or _still_astray(state, reading, noticed)
    elsewhere = astray and set(asked) <= {"identity"}
    if elsewhere:
        moves = tuple(move for move in moves if move not in (*SOLUTION, *OF_A_MATTER))
    empathy, feeling = reading.estimates.empathy, state.feeling
    good = empathy >= GOOD
    wrong = [claim for claim in reading.contradicted if _untrue(persona, claim)]
    if reading.contradicted and not wrong:
        moves = tuple(move for move in moves if move != "timeframe")
    deaf = (
        not (good or _settles(persona, state, _heard(reading)))
        and feeling.anger >= LISTENS_BELOW - LESS_PER_DIFFICULTY * persona.difficulty
    )
    cold, icy = COLD[persona.language]
    plain_to_hear = feeling.anger >= 1.5 or feeling.confusion >= 2.5 or feeling.trust < TRUSTING
    plain_question = noticed.asks and not noticed.wants(*OFFENCES) and (feeling.anger < UPSET or state.turn >= 2)
    business = plain_question or noticed.wants("warm") or set(moves) & set(BUSINESS)
    kind = any(tone.heart >= KINDER for tone in reading.tones)
    parting = "close" in moves and noticed.wishes_well and not {*HOSTILE, "refuse"} & set(moves)  # short, no affront
    passed_over = empathy < cold and plain_to_hear and not business and not kind
    return Done(
        moves,
        empathy=empathy,
        good=good,
        cold=bool(state.turn) and (passed_over or (empathy < icy and not parting)),
        wrong=bool(wrong),
        doubted=next((figure.text for claim in wrong for figure in _doubted(persona, claim)), ""),
        lost=deaf or inaudible(persona, state, noticed),
        asked=asked,
        heard=_heard(reading),
        told=() if elsewhere else reading.told,
        noticed=noticed,
        elsewhere=elsewhere,
    )


def _about_times(noticed: Noticed) -> bool | None:
    """Whether all that it asks is which time would suit, so that no other fact answers it, or on the contrary to choose
    something else; None where neither is so."""
    asks = set(ASKING) & set(noticed.aims)
    if (asks == {"time_open"} and noticed.asks_when) or (asks == {"choice"} and noticed.between_times):
        return True
    return False if asks == {"choice"} and not noticed.asks_when else None


def _still_astray(state: State, reading: Reading, noticed: Noticed) -> bool:
    """Whether it goes on to tell, or says that it is done, right after speaking of another customer's matter."""
    if not state.done or not state.last.elsewhere or reading.brought_up or noticed.speaks_to or reading.did("hold"):
        return False
    return noticed.wants("tell", "later") or (noticed.wants("rest") and reading.did(*SOLUTION))


def _heard(reading: Reading) -> tuple[str, ...]:
    """The responses that it brings on, in the order of the reply; those to its questions last, which are never dropped."""
    asking = {seen.start for seen in reading.aims if seen.aim in ASKING}
    brought_up = sorted(reading.brought_up, key=lambda up: up.start in asking)
    return tuple(dict.fromkeys(each.response for each in brought_up))


def _settles(persona: Persona, state: State, heard: Iterable[str]) -> bool:
    """Whether these responses settle something, and did not before in a reply that got through."""
    known = {name for done in state.done if done.counts and not done.cold for name in done.heard}
    return bool(persona.settling() & set(heard) - known)


def _moves(reading: Reading, noticed: Noticed, words: bool) -> tuple[str, ...]:
    """The moves that were read; those that cannot be made without certain words are held against the words."""
    moves = tuple(dict.fromkeys(seen.move for seen in reading.moves if not _misheard(seen, reading, noticed)))
    if not words:
        return moves
    said = {"close": (noticed.goodbye, noticed.farewell), "ask_mandarin": (noticed.asks_mandarin,) * 2}
    if noticed.aims:
        said |= {move: (noticed.wants(*may), noticed.wants(*surely)) for move, (may, surely) in BY_AIM.items()}
        said |= {move: (move in moves, True) for move in _offences(reading)}
        again = noticed.wants("repeat") and not noticed.wants(*REPEATS_NOTHING)
        said |= {"ask_repeat": (again, again)}
    kept = tuple(move for move in moves if move not in said or said[move][0])
    sure = {seen.aim for seen in reading.aims if seen.probability >= BEYOND_DOUBT}
    passed_over = (move for aim, (move, *others) in MOVES_OF.items() if aim in sure and not {move, *others} & set(kept))
    return (*kept, *(move for move, (_, surely) in said.items() if surely and move not in kept), *passed_over)


def _offences(reading: Reading) -> Iterator[Move]:
    """What sentences offend by beyond doubt, whatever the moves that were read."""
    to_the_point = any(seen.aim in (*ASKING, *TELLS) for seen in reading.aims)
    for seen in reading.aims:
        mild = any(tone.start <= seen.start < tone.end and tone.heart > HURTS for tone in reading.tones)
        only_asks = seen.aim == "reproach" and reading.asked and mild  # "does it ever drop by itself?"
        beside = seen.aim == "stray" and to_the_point
        if seen.aim in OFFENCES and seen.probability >= OFFENDS and not (only_asks or beside):
            yield OFFENCES[seen.aim]


def _misheard(seen: MoveSeen, reading: Reading, noticed: Noticed) -> bool:
    """Whether an offence was read where none was meant: beside words of care, a deed, or that nobody is to blame."""
    if seen.move == "blame" and noticed.spares:
        return True
    kindly = any(tone.start <= seen.start < tone.end and tone.heart >= KIND for tone in reading.tones)
    if seen.move in HOSTILE and seen.probability < 1.0 and kindly:
        return True
    if seen.move in (*HOSTILE, "meta", "off_topic") and seen.probability < 1.0 and _to_the_matter(seen, reading):
        return True
    if seen.move == "overpromise":
        unlikely = not noticed.wants("do", "offer") or _to_the_matter(seen, reading)
        return not noticed.too_good and bool(noticed.aims) and unlikely
    if seen.move not in (*HOSTILE, "meta", "off_topic"):
        return False
    if seen.probability == 1.0:  # by a rule, which may take "what do you want changed?" for an affront
        meant_well = any(_meant_well(each) and each.start <= seen.start < each.end for each in reading.aims)
        return seen.move in HOSTILE and meant_well
    if noticed.aims and not noticed.wants("insult", "reproach", "stray", "refuse"):
        return True
    if seen.move != "rude" and seen.probability < PLAIN_OFFENCE:
        return True
    return reading.estimates.empathy >= KINDLY or reading.did(*SOLUTION, *SOOTHING, "restate")


def _to_the_matter(seen: MoveSeen, reading: Reading) -> bool:
    """Whether an offence was read in a sentence that says what this persona's call is about."""
    return any(each.start <= seen.start < each.end for each in reading.brought_up)


def _meant_well(seen: AimSeen) -> bool:
    """Whether a sentence is likely something else than an offence."""
    return seen.aim not in (*OFFENCES, "refuse", "other") and seen.probability >= PLAIN


def _doubted(persona: Persona, claim: Claim) -> Sequence[Quantity]:
    """The figures that a customer would doubt aloud: sums and spans of its own matter."""
    own_matter = claim.evidence_id in persona.grading.entries
    return [figure for figure in quantities(claim.text) if own_matter and figure.kind in DOUBTED]


def _untrue(persona: Persona, claim: Claim) -> bool:
    """Whether a claim that the evidence contradicts is false for this customer, who knows some figures itself."""
    if _too_soon(claim):
        return False
    records = (record.text for record in persona.account.records) if persona.account else ()
    own = [figure for text in (*records, *(fact.text for fact in persona.call.facts)) for figure in quantities(text)]
    said, right = quantities(claim.text), quantities(claim.quote)
    if said and all(any(figure.agrees(each) for each in own) for figure in said):
        return False
    counts = {each.value for each in own}
    return not any(_worked_out(one, other, counts) for one in said for other in right)


def _worked_out(said: Quantity, right: Quantity, counts: Set[float | str]) -> bool:
    """Whether a sum is the other one as often as something is counted: its six cards at 5 yuan are 30."""
    if said.kind != right.kind or isinstance(said.value, str) or isinstance(right.value, str) or not right.value:
        return False
    return said.value > right.value and said.value / right.value in counts


def _too_soon(claim: Claim) -> bool:
    """Whether all that is wrong is a time that is shorter than the one on record, which no customer doubts."""
    said, right = quantities(claim.text), quantities(claim.quote)
    times = [each for each in said if each.kind == "duration" and isinstance(each.value, float | int)]
    longest = max((_days(each) for each in right if each.kind == "duration"), default=0.0)
    return bool(times) and len(times) == len(said) and all(_days(each) <= longest for each in times)


def _days(time: Quantity) -> float:
    value = float(time.value)
    return value if time.unit == "workday" else value * 30 if time.unit == "month" else value / 86400


def _causes(persona: Persona, state: State, done: Done, empathy: float) -> list[Cause]:
    if inaudible(persona, state, done.noticed):
        return [Cause("inaudible", *EFFECTS["inaudible"])]
    whys = list(dict.fromkeys((*_by_moves(state, done), *_by_words(persona, state, done))))
    if persona.call.line:
        whys = [why for why in whys if why != "asked_again"]  # words get lost on a bad line, and it knows
    if done.counts and not done.cold and _settles(persona, state, done.heard):
        whys.append("settled")
    causes = [Cause(why, *EFFECTS[why]) for why in whys]
    quality = min(1.0, max(0.0, (empathy - 2.4) / 1.8))
    for move in done.moves:
        if move in SOOTHING and quality > 0 and not done.did(*HOSTILE) and not done.noticed.alarm:
            worn = 0.5 ** sum(move in each.moves for each in state.done)
            causes.append(Cause(move, *(size * quality * worn for size in SOOTHING[move])))
    return causes


def _by_moves(state: State, done: Done) -> list[str]:
    """What the reading found that moves feelings."""
    whys = [move for move in done.moves if move in EFFECTS]
    if done.noticed.goodbye and "filler" in whys:
        whys.remove("filler")
    if done.did("alternative", "transfer") and "refuse" in whys:
        whys.remove("refuse")
    if done.doubted:
        whys.append("wrong_fact")
    if not done.counts:
        whys = [why for why in whys if EFFECTS[why][0] >= 0 and why not in ("explain", "inform", "restate")]
    elif done.cold:
        whys = [why for why in whys if why not in SOLUTION]
    if done.noticed.silent:
        return ["silence"]
    empty = set(done.noticed.aims) <= EMPTY and not (done.asked or done.heard)
    if state.turn and empty and not done.did(*PROGRESS, "acknowledge", "apologise", "thank"):
        whys.append("nothing_new")
    if _asked_again(state, done) and not done.did("restate", "ask_repeat"):
        whys.append("asked_again")
    if done.cold:
        upset = state.feeling.anger >= 1.5 or state.feeling.confusion >= 2.5
        whys.append("cold" if upset else "curt")
    return whys


def _asked_again(state: State, done: Done) -> bool:
    """Whether it asks in the same way for what it was told by now; who checks or asks further does not."""
    known = set(done.asked) & set(state.facts)
    plain = not done.noticed.aims or done.noticed.wants("fact", "identity", "story")
    return plain and any(known & set(each.asked) and each.noticed.kinds == done.noticed.kinds for each in state.done)


def _by_words(persona: Persona, state: State, done: Done) -> Iterator[str]:
    """What the very words show: see `noticed`."""
    noticed = done.noticed
    if noticed.alarm:
        yield noticed.alarm
    if noticed.too_good or done.did("overpromise"):
        trusts = state.feeling.trust >= 1.5 and persona.who.literacy != "high"
        taken = trusts and persona.who.speech.temper not in DOUBTERS and not state.believed
        yield "too_good_believed" if taken else "too_good"
    elif state.believed and not state.let_down and done.did("refuse"):
        yield "let_down"
    if done.leaves_waiting and state.turn:
        yield "kept_waiting"
    if done.waited:
        yield done.waited
    if noticed.interrupts:
        yield "cut_short"
    if noticed.wrong_name:
        yield "wrong_name"
    if noticed.long and (persona.who.literacy == "low" or state.feeling.confusion >= 2):
        yield "too_much"
    if noticed.sore:
        yield "sore_point"
    if noticed.term:
        yield "jargon"
    if (
        state.turn == 1
        and persona.ring.waited >= LONG_WAIT
        and not done.did("apologise")
        and not state.ever("apologise")
    ):
        yield "waited_long"
    if state.cut and state.cut == state.turn and not noticed.reconnects and not done.did("apologise"):
        yield "line_cut"
    occupied = persona.call.occupied
    if occupied and state.turn >= occupied.replies and not done.did("reschedule", "close"):
        yield "no_time"


def _felt(persona: Persona, state: State, done: Done, causes: list[Cause]) -> Feeling:
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
    if done.cold:
        anger = max(0.0, anger)  # a cold reply never calms
    most_up, most_down = (2.0 if done.did("rude") else 1.0), (2.0 if done.did("act") and not done.wrong else 1.0)
    anger = min(most_up, max(-most_down, anger))
    if musts_met(persona, state):
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
    broken = [item.id for item in call.objections if item.id in state.broken or _broken(item, state)]
    state = replace(state, broken=tuple(broken))
    met = [
        item.id for item in call.goals if item.id in state.met or holds(item.met_by, state) or _answered(item, state)
    ]
    return replace(state, met=tuple(met))


def _answered(goal: Goal, state: State) -> bool:
    """Whether what it asked for was answered in other words than its file foresees: told or done, and not coldly."""
    last = state.last
    wanted = goal.kind != "must" or goal.id in state.named or last.did(*SOLUTION)
    return wanted and goal.id in last.noticed.speaks_to and last.counts and not (last.cold or last.elsewhere)


def _broken(objection: Objection, state: State) -> bool:
    """Whether it was met since it was raised, or before it could be: by its very answer, or taken up with care."""
    raised = dict(state.raised).get(objection.id)
    if raised is None:
        answers = {part.heard for part in objection.broken_by.parts()}
        if state.last.counts and not state.last.cold and answers & set(state.last.heard):
            return True
        foreseen = state.last.good and objection.id in state.last.noticed.touches
        return foreseen and holds(objection.broken_by, state, state.turn - 1)
    return holds(objection.broken_by, state, raised)
