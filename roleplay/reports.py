"""A call's report: what the trainee reached, where points were lost, what was never found out.

Computed from the kept call and its grades alone, so it can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from roleplay.call import Call, kept_call, kept_grades
from roleplay.coaching import Better
from roleplay.conduct import Conduct, Transfer, conduct, transfer
from roleplay.dialogue import Ending, Feeling, Stage
from roleplay.grounds import Ground
from roleplay.persona_grading import ModelAnswer
from roleplay.phrases import PhraseSeen, in_call
from roleplay.records import Records
from roleplay.rubric import Grade, Totals, changed, total
from roleplay.sheet import Sheet, sheet
from roleplay.state import Cause

LOW = 4.0  # mean of a reply from which it is not among the lowest
LOWEST = 3  # replies of a call that are shown as the lowest

How = Literal["asked", "volunteered", "missed"]


@dataclass(frozen=True, slots=True)
class FactHeard:
    """A fact of the persona and how it came out."""

    text: str
    how: How


@dataclass(frozen=True, slots=True)
class Mood:
    """The customer's feelings after the reply `number`, and why they moved."""

    number: int
    feeling: Feeling
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Report:
    call: Call
    ending: Ending | None
    ended_well: bool
    totals: Totals
    pass_mark: float
    grades: Mapping[int, Grade]
    moods: tuple[Mood, ...]
    facts: tuple[FactHeard, ...]
    stages_done: tuple[Stage, ...]
    stages_missed: tuple[Stage, ...]
    faults: tuple[str, ...]  # reasons for a cap that this call gave, whether or not one is set
    basis: Mapping[str, str]  # what the newest grade rests on; see `Grade.basis`
    mixed: tuple[str, ...]  # the parts of it in which other grades of this call differ
    better: Mapping[int, Better | None]  # by number, of the lowest, where they were asked for
    lowest: tuple[int, ...]  # numbers of the replies with the lowest mean, worst first
    phrases: tuple[PhraseSeen, ...]  # what this call required or forbade to be said
    model_answers: tuple[ModelAnswer, ...]
    conduct: Conduct
    transfer: Transfer | None
    hints: int
    hint_cost: float  # points that the hints took off the total
    sheet: Sheet | None  # what the trainee wrote down, held against the call
    grounds: Mapping[str, Ground]  # by id, what remarks and claims rest on, where that was asked for


def kept_report(records: Records, call_id: str) -> Report:
    """The report of a call with the grades that are kept. Raises Rejected for an unknown call."""
    return make_report(kept_call(records, call_id), kept_grades(records, call_id))


def make_report(call: Call, grades: Mapping[int, Grade]) -> Report:
    """The report of a call, finished or not."""
    persona, grading = call.persona, call.persona.grading
    phrases = in_call(grading, [(each.reply.text, each.reading) for each in call.exchanges])
    faults = _faults(call, phrases)
    caps: dict[str, float] = {reason: highest for reason, highest in grading.caps.items() if reason in faults}
    done = tuple(stage for stage in grading.stages if call.did_stage(stage))
    start = persona.call.feelings
    moods = (
        Mood(0, Feeling(start.anger, start.confusion, start.trust), ()),
        *(Mood(each.number, each.before.feeling, each.before.causes) for each in call.exchanges),
    )
    graded = [grades[number] for number in sorted(grades)]
    bases = [grade.basis for grade in graded]
    basis = bases[-1] if bases else {}
    hint_costs = [float(event.detail.get("cost", 0)) for event in call.events if event.kind == "hint"]
    costs = sum(phrase.cost for phrase in phrases) + sum(hint_costs)
    return Report(
        call=call,
        ending=call.ending,
        ended_well=call.ending in persona.good_endings,
        totals=total(graded, grading.weights, grading.pass_mark, caps, costs),
        pass_mark=grading.pass_mark,
        grades=grades,
        moods=moods,
        facts=tuple(FactHeard(fact.text, _how(call, fact.id)) for fact in persona.call.facts),
        stages_done=done,
        stages_missed=tuple(stage for stage in grading.stages if stage not in done),
        faults=faults,
        basis=basis,
        mixed=tuple(dict.fromkeys(part for other in bases for part in changed(other, basis))),
        better={},
        lowest=_lowest(grades),
        phrases=phrases,
        model_answers=grading.model_answers,
        conduct=conduct(call),
        transfer=transfer(call),
        hints=len(hint_costs),
        hint_cost=sum(hint_costs),
        sheet=sheet(call),
        grounds={},
    )


def _faults(call: Call, phrases: Iterable[PhraseSeen]) -> tuple[str, ...]:
    """Reasons for a cap that this call gave."""
    readings = [each.reading for each in call.exchanges]
    broken = {phrase.kind for phrase in phrases if not phrase.kept}
    given = {
        "not_verified": call.persona.account is not None and not call.state.verified,
        "rude": any(reading.did("rude") for reading in readings),
        "wrong_fact": any(reading.contradicted for reading in readings),
        "disclosed": any(reading.did("disclose") for reading in readings),
        "unsaid": "must_say" in broken,
        "forbidden_words": "must_not_say" in broken,
    }
    return tuple(reason for reason, is_given in given.items() if is_given)


def _how(call: Call, fact: str) -> How:
    for each in call.exchanges:
        if fact in each.directive.tell:
            return "asked" if each.directive.act in ("answer", "switch_mandarin") else "volunteered"
    return "missed"


def _lowest(grades: Mapping[int, Grade]) -> tuple[int, ...]:
    means = {}
    for number, grade in grades.items():
        values = [score.value for score in grade.scores.values() if score.value is not None]
        if values and (mean := sum(values) / len(values)) < LOW:
            means[number] = mean
    return tuple(sorted(means, key=lambda number: means[number])[:LOWEST])
