"""Scores, and how they add up.

A score that is missing is None and says why; it is never 0 and never a default. Totals are computed
here from what there is, by the scale of docs/rubric.md: dimension means from 1…5 to 0…100, weighted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

Dimension = Literal["empathy", "accuracy", "phrasing"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
Status = Literal["scored", "not_due", "pending", "failed"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What was good (`points` >= 0) or cost points (`points` < 0), with its proof.

    `quote` is verbatim `reply[start:end]`, or empty when something is missing; then `entry` or `rule`
    names what it rests on. `text` is for the trainee, in the call's language.
    """

    dimension: Dimension
    points: float
    text: str
    quote: str = ""
    start: int = 0
    end: int = 0
    entry: str = ""  # id of the evidence
    entry_quote: str = ""
    rule: str = ""  # id in the standards


@dataclass(frozen=True, slots=True)
class Score:
    """One dimension of one reply. `value` is 1 to 5, or None with `status` saying why there is none."""

    value: float | None
    status: Status = "scored"
    why: str = ""
    confidence: float | None = None  # that a person would give the same point, 0 to 1; None where nothing is measured
    unsure: bool = False  # so little confidence that a person should be asked

    def __post_init__(self) -> None:
        if (self.value is None) == (self.status == "scored"):
            raise ValueError(f"a score has a value exactly when it is scored: {self}")
        if self.value is not None and not 1 <= self.value <= 5:
            raise ValueError(f"a score lies between 1 and 5: {self}")


@dataclass(frozen=True, slots=True)
class Grade:
    """All three dimensions of one reply. `grader` identifies what made it (spec and fingerprint).

    `basis` holds, by part, a hash of everything that the scores rest on: model, calibration, rules, prompts, and the
    persona's grading block. Scores are comparable where these are equal.
    """

    scores: Mapping[Dimension, Score]
    remarks: tuple[Remark, ...] = ()
    grader: str = ""
    basis: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def missing(cls, status: Status, why: str, grader: str = "") -> Grade:
        """A grade without any score, for instance because the grader failed."""
        return cls({name: Score(None, status, why) for name in DIMENSIONS}, (), grader)


def changed(one: Mapping[str, str], other: Mapping[str, str], apart_from: Sequence[str] = ()) -> tuple[str, ...]:
    """The parts in which two bases differ. A basis of an earlier version, which kept none, differs as a whole."""
    names = dict.fromkeys((*one, *other))
    return tuple(name for name in names if name not in apart_from and one.get(name) != other.get(name))


@dataclass(frozen=True, slots=True)
class Totals:
    """A call's result. `mean` is 1 to 5 per dimension, `total` 0 to 100; None where nothing was scored.

    `coverage` is the share of replies per dimension that have a score or were not due.
    """

    mean: Mapping[Dimension, float | None]
    coverage: Mapping[Dimension, float]
    total: float | None
    passed: bool | None
    caps: tuple[str, ...] = field(default=())


def total(
    grades: Sequence[Grade],
    weights: Mapping[Dimension, float],
    pass_mark: float,
    caps: Mapping[str, float] | None = None,
    costs: float = 0.0,
) -> Totals:
    """Add up a call. `caps` maps the reason of a cap to the highest total it still allows (0…100).

    `costs` are points taken off before the caps, for what belongs to the call and not to one reply.
    """
    mean: dict[Dimension, float | None] = {}
    coverage: dict[Dimension, float] = {}
    for name in DIMENSIONS:
        scores = [grade.scores[name] for grade in grades]
        values = [score.value for score in scores if score.value is not None]
        mean[name] = sum(values) / len(values) if values else None
        settled = sum(score.status in ("scored", "not_due") for score in scores)
        coverage[name] = settled / len(scores) if scores else 0.0
    there = {name: value for name, value in mean.items() if value is not None and weights.get(name, 0) > 0}
    if not there:
        return Totals(mean, coverage, None, None)
    weight = sum(weights[name] for name in there)
    points = max(0.0, sum(weights[name] * (value - 1) * 25 for name, value in there.items()) / weight - costs)
    hit = tuple(reason for reason, highest in (caps or {}).items() if points > highest)
    points = min([points, *(caps or {}).values()])
    return Totals(mean, coverage, points, points >= pass_mark, hit)
