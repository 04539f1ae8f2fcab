"""What a trainee could do next in a running call: from a nudge to an example, the cheapest first.

Made from the persona's grading block, its facts, the standards and the knowledge base; no model. There is
always at least one hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from roleplay.call import Call
from roleplay.dialogue import Evidence, Stage
from roleplay.standards import Standards
from roleplay.state import holds

MOST = 4  # pieces of advice at once
UPSET = 2.0  # anger from which the feeling comes before the matter
COSTS = {"free": 0.0, "costly": 3.0, "none": 0.0}  # points off the total for each hint, by the persona's policy

HintKind = Literal["feeling", "stage", "ask", "entry", "words"]


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint. `text` is in the call's language and may be empty for `feeling` and `stage`, which speak for themselves.

    `entry` is the id of the knowledge-base entry or account record that the text comes from.
    """

    kind: HintKind
    stage: Stage
    text: str = ""
    entry: str = ""


def hints(call: Call, standards: Standards, entries: Mapping[str, Evidence]) -> tuple[Hint, ...]:
    """All hints for the reply that is due now, in the order in which they are given."""
    return tuple(_hints(call, next_stage(call), standards, entries))


def _hints(call: Call, stage: Stage, standards: Standards, entries: Mapping[str, Evidence]) -> Iterator[Hint]:
    if call.exchanges and call.state.feeling.anger >= UPSET and not call.state.last.good:
        yield Hint("feeling", stage)
    yield Hint("stage", stage, " ".join(_advice(call, stage, standards)))
    if stage == "finding_out" and (question := _question(call)):
        yield Hint("ask", stage, question)
    if stage in ("solving", "complaint"):
        yield from _entry(call, stage, entries)
    for answer in call.persona.grading.model_answers:
        if answer.stage == stage:
            yield Hint("words", stage, answer.text)


def next_stage(call: Call) -> Stage:
    """The stage that is due: the first that this call wants and has not had, in the order of its persona."""
    persona, state = call.persona, call.state
    if not call.exchanges:
        return "opening"
    musts = [goal.id for goal in persona.call.goals if goal.kind == "must"]
    if musts and all(goal in state.met for goal in musts):
        return "closing"
    if persona.account and not state.verified and len(call.exchanges) > 1:
        return "verification"
    wanted = persona.grading.stages or ("opening", "finding_out", "solving", "closing")
    left = [stage for stage in wanted if stage != "closing" and not call.did_stage(stage)]
    if left:
        return left[0]
    return "finding_out" if _question(call) and not any(goal in state.met for goal in musts) else "solving"


def _advice(call: Call, stage: Stage, standards: Standards) -> list[str]:
    """What the service standard asks for at this moment: whatever a reply without a word would miss."""
    moment = call.next_exchange("")
    return [finding.advice for finding in standards.find(moment, stage) if not finding.kept and not finding.end][:MOST]


def _question(call: Call) -> str:
    """An example question for the next fact that the customer tells only when asked."""
    for fact in call.persona.call.facts:
        open_now = fact.needs is None or holds(fact.needs, call.state)
        if fact.told == "asked" and fact.asked_by and fact.id not in call.state.facts and open_now:
            return fact.asked_by[0]
    return ""


def _entry(call: Call, stage: Stage, entries: Mapping[str, Evidence]) -> Iterator[Hint]:
    """The first entry that an open goal or objection, else the grading block, asks to be told."""
    state, block = call.state, call.persona.call
    conditions = [goal.met_by for goal in block.goals if goal.id not in state.met]
    conditions += [item.broken_by for item in block.objections if item.id in dict(state.raised)]
    named = [part.told for condition in conditions for part in condition.parts() if part.told]
    told = {one.evidence_id for done in state.done for one in done.told}
    known = dict(entries) | {item.id: item for item in call.persona.account_evidence() if state.verified}
    for name in (*named, *call.persona.grading.entries):
        if name in known and name not in told:
            yield Hint("entry", stage, known[name].text, name)
            return
