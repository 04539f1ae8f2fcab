"""What the remarks and claims of a call rest on, to be read where they stand: entries, records, rules, the scale.

An entry or record stands as the call was held against it; a rule as it is in force now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from roleplay.call import Call
from roleplay.dialogue import Evidence
from roleplay.knowledge.entries import Entry
from roleplay.knowledge.search import Knowledge
from roleplay.persona_grading import PhraseRule
from roleplay.rubric import Grade
from roleplay.standards import Rule, Standards


@dataclass(frozen=True, slots=True)
class Ground:
    """What an id stands for; fields that its kind has not are empty.

    `title` is an entry's question or a rule's advice, `text` the entry's answer; `variants` other ways in which the
    question is asked, or the words that a rule looks for. `entries` are those that a rule rests on. `changed`: what
    is in force now says something else than what the call was held against. `gone`: nothing is known of it any more.
    """

    id: str
    kind: Literal["entry", "account", "must_say", "must_not_say", "scale", "gone"]
    title: str = ""
    text: str = ""
    variants: tuple[str, ...] = ()
    right: str = ""
    wrong: str = ""
    source: str = ""
    entries: tuple[str, ...] = ()
    changed: bool = False


def grounds(call: Call, grades: Mapping[int, Grade], knowledge: Knowledge, standards: Standards) -> dict[str, Ground]:
    """Everything that the remarks of these grades and the claims of the call name, by id.

    A record of the account has its text only once the customer's identity has been checked.
    """
    entries = knowledge.entries_by_id()
    held = {one.id: one for each in call.exchanges for one in each.evidence}
    found: dict[str, Ground] = {}
    for name in dict.fromkeys(_named_entries(call, grades, standards)):
        found[name] = _entry(name, held.get(name), entries.get(name), call.state.verified)
    own = {f"persona.{rule.id}": rule for rule in (*call.persona.grading.must_say, *call.persona.grading.must_not_say)}
    for grade in grades.values():
        changed = bool(grade.basis) and grade.basis.get("rules") != standards.hash(call.persona.language)
        for name in (remark.rule for remark in grade.remarks if remark.rule):
            if name in own:
                found[name] = _own(name, own[name], own[name] in call.persona.grading.must_say)
            elif name in standards.rules:
                found[name] = _rule(standards.rules[name], changed)
            else:
                scale = name == "content" or name.startswith("rubric.")
                found[name] = Ground(name, "scale" if scale else "gone")
    return found


def _named_entries(call: Call, grades: Mapping[int, Grade], standards: Standards) -> Iterator[str]:
    for grade in grades.values():
        for remark in grade.remarks:
            yield from (remark.entry,) if remark.entry else ()
            yield from standards.rules[remark.rule].entries if remark.rule in standards.rules else ()
    for each in call.exchanges:
        yield from (claim.evidence_id for claim in each.reading.claims if claim.evidence_id)


def _entry(name: str, then: Evidence | None, now: Entry | None, verified: bool) -> Ground:
    """An entry or record as it was `then`, where the call was held against it, else as it is `now`."""
    if then is not None and then.of_account:
        return Ground(name, "account", text=then.text if verified else "")
    known = then or (now.evidence() if now else None)
    if known is None:
        return Ground(name, "gone")
    variants, source = (now.also_asked, now.source) if now else ((), "")
    changed = now is None or now.answer != known.text
    return Ground(name, "entry", known.question, known.text, variants, source=source, changed=changed)


def _rule(rule: Rule, changed: bool) -> Ground:
    return Ground(
        rule.id, rule.kind, rule.advice, variants=rule.words, right=rule.right, wrong=rule.wrong, source=rule.source,
        entries=rule.entries, changed=changed,
    )  # fmt: skip


def _own(name: str, rule: PhraseRule, required: bool) -> Ground:
    kind: Literal["must_say", "must_not_say"] = "must_say" if required else "must_not_say"
    return Ground(name, kind, rule.advice, variants=rule.any, right=rule.right)
