"""What one trainee has reached over all calls: best results, growth per dimension, what costs points again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roleplay.persona import Persona, kept_persona
from roleplay.records import CallRow, Records
from roleplay.results import Fault, Result, Results

CALLS = 60  # the newest that are looked at
WEAKEST = 6


@dataclass(frozen=True, slots=True)
class Weakness:
    """A fault that came up more than once, and the newest call in which it did."""

    fault: Fault
    times: int
    call_id: str


@dataclass(frozen=True)
class Progress:
    """`results` and `unfinished` newest first, retries among them; `best` by persona, retries left out.

    Scores on different bases are not set against each other: of a persona the calls on its newest basis count.

    `stages` are the stages missed in calls of their own, most often first.
    """

    results: tuple[Result, ...]
    unfinished: tuple[tuple[CallRow, Persona], ...]
    best: Mapping[str, Result]
    weakest: tuple[Weakness, ...]
    stages: tuple[tuple[str, int], ...]

    def tries(self, persona_id: str) -> int:
        return sum(made.persona_id == persona_id and not made.retried for made in self.results)


def make_progress(records: Records, results: Results, trainee: str) -> Progress:
    """The progress of one trainee, over the newest CALLS calls."""
    rows = records.calls(trainee=trainee, limit=CALLS)
    done = [made for made in results.of([row for row in rows if row.ending is not None]) if made.replies]
    own = [made for made in done if not made.retried]
    best: dict[str, Result] = {}
    for made in own:  # the newest first
        held = best.get(made.persona_id)
        if made.total is not None and (held is None or (made.basis == held.basis and made.total > (held.total or 0.0))):
            best[made.persona_id] = made
    missed = Counter(
        name.removeprefix("stage.")
        for made in own
        for name, passed in made.checks.items()
        if name.startswith("stage.") and not passed
    )
    return Progress(
        results=tuple(done),
        unfinished=tuple((row, kept_persona(row.persona_yaml)) for row in rows if row.ending is None),
        best=best,
        weakest=weakest(done),
        stages=tuple(missed.most_common(WEAKEST)),
    )


def weakest(results: Iterable[Result]) -> tuple[Weakness, ...]:
    """What cost points most often; the same rule or entry counts as the same fault, whatever words it was told in."""
    found: dict[tuple[str, str], list[Weakness]] = {}
    for made in results:
        for fault in made.faults:
            key = (fault.dimension, fault.basis or fault.text)
            found.setdefault(key, []).append(Weakness(fault, 1, made.call_id))
    often = sorted((cases for cases in found.values() if len(cases) > 1), key=lambda cases: -len(cases))
    return tuple(Weakness(cases[0].fault, len(cases), cases[0].call_id) for cases in often[:WEAKEST])
