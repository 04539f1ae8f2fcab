"""What one call teaches: the moments that mattered, one thing to practise next, and how it stands to the targets.

Computed from the kept call and its grades alone, by plain rules; texts are keys into the words of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from roleplay.call import Exchanged
from roleplay.facts import quantities
from roleplay.persona import Persona
from roleplay.reports import Report
from roleplay.rubric import DIMENSIONS, Dimension

MOST = 3  # moments
ANGRY, CALMED = 2.5, 0.5  # anger that is shouting, and the fall of it that is a recovery
WATCHED = 2  # replies after the shouting that are looked at
SHOUTS = ("vent", "threaten", "demand_supervisor")
TAKES_UP = ("acknowledge", "apologise", "reassure", "act", "alternative", "timeframe")
HANDLING = (240.0, 360.0)  # seconds
RING = 20.0
FIRST_CALL, SATISFIED = 0.75, 0.9  # shares of calls
CONTENT = (1.5, 2.0)  # anger up to which and trust from which a customer is content at the end

Sign = Literal["goal_met", "objection_broken", "calmed", "trusted", "angered", "distrusted", "wrong_fact", "ended_badly", "lowest"]  # fmt: skip
GOOD: frozenset[str] = frozenset({"goal_met", "objection_broken", "calmed", "trusted"})


@dataclass(frozen=True, slots=True)
class Turning:
    """A reply after which the call went another way; `signs` say how, the weightiest first."""

    number: int
    signs: tuple[Sign, ...]
    weight: float

    @property
    def good(self) -> bool:
        return self.signs[0] in GOOD


@dataclass(frozen=True, slots=True)
class Quoted:
    """A price that the trainee named, and whether the knowledge base or the agent's screen was looked at before."""

    number: int
    text: str
    looked_up: bool


@dataclass(frozen=True, slots=True)
class Recovery:
    """The customer shouted before the reply `number`; `moves` met it, and anger went from one value to the other."""

    number: int
    moves: tuple[str, ...]
    before: float
    after: float

    @property
    def recovered(self) -> bool:
        return self.before - self.after >= CALMED


@dataclass(frozen=True, slots=True)
class Practise:
    """The one thing to practise next. `what`: a reason for a cap, a stage or a dimension; `rule` the advice, if one."""

    kind: Literal["fault", "stage", "rule", "dimension"]
    what: str
    advice: str = ""
    number: int = 0  # the reply that shows it


KpiName = Literal["first_call", "handling", "content", "ring"]
KPIS: tuple[KpiName, ...] = get_args(KpiName)


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of a call beside its target. `value` is seconds, or 1 and 0 for yes and no; `met` None when open."""

    name: KpiName
    value: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Lessons:
    turnings: tuple[Turning, ...]
    quoted: tuple[Quoted, ...]
    recovery: Recovery | None
    practise: Practise | None
    kpis: tuple[Kpi, ...]


def lessons(report: Report) -> Lessons:
    """What a call teaches, finished or not."""
    return Lessons(turnings(report), quoted(report), recovery(report), practise(report), kpis(report))


def turnings(report: Report) -> tuple[Turning, ...]:
    """The replies that mattered most, in the order in which they were said; at least one good one where there is any."""
    exchanges = report.call.exchanges
    found = [turning for each in exchanges if (turning := _turning(report, each)) is not None]
    ranked = sorted(found, key=lambda turning: -turning.weight)
    best = ranked[:MOST]
    if best and not any(turning.good for turning in best):
        good = next((turning for turning in ranked if turning.good), None)
        best = [*best[: MOST - 1], good] if good else best
    return tuple(sorted(best, key=lambda turning: turning.number))


def _turning(report: Report, each: Exchanged) -> Turning | None:
    place = each.number
    was, now = report.moods[place - 1].feeling, report.moods[place].feeling
    past = report.call.exchanges[place - 2].after if place > 1 else None
    anger, trust = now.anger - was.anger, now.trust - was.trust
    weights: dict[Sign, float] = {
        "calmed": -anger,
        "angered": 1.2 * anger,
        "trusted": trust,
        "distrusted": -1.2 * trust,
        "goal_met": 1.5 * len(set(each.before.met) - set(past.met if past else ())),
        "objection_broken": 1.0 * len(set(each.before.broken) - set(past.broken if past else ())),
        "wrong_fact": 1.5 * bool(each.reading.contradicted),
        "ended_badly": 2.0 * (each.after.ending is not None and not report.ended_well),
        "lowest": 0.6 * (place in report.lowest[:1]),
    }
    signs = sorted((sign for sign, weight in weights.items() if weight >= 0.4), key=lambda sign: -weights[sign])
    return Turning(place, tuple(signs), sum(weights[sign] for sign in signs)) if signs else None


def quoted(report: Report) -> tuple[Quoted, ...]:
    """Every price that was named, the first time that it was."""
    call = report.call
    searched = [event.reply for event in call.events if event.kind == "search"]
    found: dict[object, Quoted] = {}
    for each in call.exchanges:
        heard = {fact.value for turn in call.turns[: 2 * each.number - 2] for fact in quantities(turn.text)}
        for claim in each.reading.claims:
            money = [fact for fact in quantities(claim.text) if fact.kind == "money" and fact.value]
            if claim.verdict == "opinion" or not money or money[0].value in heard or money[0].value in found:
                continue
            seen = claim.evidence_id.startswith("account.") or any(reply < each.number for reply in searched)
            found[money[0].value] = Quoted(each.number, claim.text, seen)
    return tuple(found.values())


def recovery(report: Report) -> Recovery | None:
    """How the trainee met the first shouting; None when nobody shouted, or the call ended with it."""
    exchanges = report.call.exchanges
    for each, then in pairwise(exchanges):
        angry = report.moods[each.number].feeling.anger
        if angry >= ANGRY or (each.directive.act in SHOUTS and angry >= ANGRY - 1):
            later = min(then.number + WATCHED - 1, len(exchanges))
            moves = tuple(seen.move for seen in then.reading.moves if seen.move in TAKES_UP)
            return Recovery(then.number, moves, angry, min(report.moods[n].feeling.anger for n in range(then.number, later + 1)))  # fmt: skip
    return None


def practise(report: Report) -> Practise | None:
    """What most needs practice: a fault that caps the call, a rule broken again and again, a missed stage, the weakest dimension."""
    call = report.call
    for fault in ("rude", "disclosed", "wrong_fact", "not_verified"):
        if fault in report.faults:
            return Practise("fault", fault, number=_shows(call.exchanges, fault))
    broken: dict[str, list[tuple[int, str]]] = {}
    for number, grade in report.grades.items():
        for mark in grade.remarks:
            if mark.rule and mark.points <= -1:
                broken.setdefault(mark.rule, []).append((number, mark.text))
    often = max(broken.values(), key=len, default=[])
    if len(often) >= 2:
        return Practise("rule", "", often[0][1], often[0][0])
    if report.stages_missed:
        return Practise("stage", report.stages_missed[0])
    means = {name: value for name in DIMENSIONS if (value := report.totals.mean[name]) is not None}
    weak = min(means, key=lambda name: means[name], default=None)
    if weak is None or means[weak] >= 4.5:
        return None
    return Practise("dimension", weak, number=_lowest(report, weak))


def _shows(exchanges: Iterable[Exchanged], fault: str) -> int:
    """The first reply that shows a fault; 0 for one that is an omission."""
    for each in exchanges:
        reading = each.reading
        if {"rude": reading.did("rude"), "disclosed": reading.did("disclose"), "wrong_fact": bool(reading.contradicted)}.get(fault):  # fmt: skip
            return each.number
    return 0


def _lowest(report: Report, name: Dimension) -> int:
    scored = {number: grade.scores[name].value for number, grade in report.grades.items()}
    there = {number: value for number, value in scored.items() if value is not None}
    return min(there, key=lambda number: there[number], default=0)


def kpis(report: Report) -> tuple[Kpi, ...]:
    """The call beside the targets. What is still open, or was never measured, is neither met nor missed."""
    call, over = report.call, report.call.ending is not None
    found: list[Kpi] = []
    if call.persona.call.direction == "inbound":
        solved = call.ending == "resolved"
        found.append(Kpi("first_call", float(solved) if over else None, solved if over else None))
        found.append(Kpi("ring", call.rung, None if call.rung is None else call.rung <= RING))
    length = report.conduct.length if over else None
    within = None if length is None else HANDLING[0] <= length <= HANDLING[1]
    found.append(Kpi("handling", length, within))
    last = report.moods[-1].feeling
    content = last.anger <= CONTENT[0] and last.trust >= CONTENT[1]
    found.append(Kpi("content", float(content) if over else None, content if over else None))
    return tuple(found)


def over_calls(calls: Sequence[Mapping[str, float | None]]) -> tuple[Kpi, ...]:
    """Each figure over many calls: a share of them, or mean seconds, beside its target; without those never measured."""
    found: list[Kpi] = []
    for name in KPIS:
        values = [value for one in calls if (value := one.get(name)) is not None]
        if values:
            mean = sum(values) / len(values)
            met = {
                "first_call": mean >= FIRST_CALL,
                "content": mean >= SATISFIED,
                "handling": HANDLING[0] <= mean <= HANDLING[1],
                "ring": mean <= RING,
            }[name]
            found.append(Kpi(name, mean, met))
    return tuple(found)


def partners(report: Report, personas: Iterable[Persona], made: Practise | None, most: int = 2) -> list[Persona]:
    """Personas to practise it with, in the same language: those that ask for it, the nearest in difficulty first."""
    done = report.call.persona
    others = [each for each in personas if each.id != done.id and each.language == done.language]

    def rank(each: Persona) -> tuple[bool, bool, int, str]:
        shared = bool(set(each.topics) & set(done.topics))
        return (not _asks_for(each, made), not shared, abs(each.difficulty - done.difficulty), each.title)

    return sorted(others, key=rank)[:most]


def _asks_for(persona: Persona, made: Practise | None) -> bool:
    """Whether a call with this persona gives occasion for what is to be practised."""
    if made is None:
        return True
    if made.kind == "stage":
        return made.what in persona.grading.stages
    if made.what in ("rude", "empathy"):
        return persona.call.feelings.anger >= 2
    if made.what in ("not_verified", "disclosed"):
        return persona.account is not None
    if made.what in ("wrong_fact", "accuracy"):
        return bool(persona.grading.entries)
    return True
