"""How sure a score is: the chance that a person would give exactly this point, as measured on unseen replies.

The signs were chosen because each goes with error; how much each weighs is learnt from what models said of
replies that they had not seen (`training.grader`). No sign looks at the true score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SIGNS = ("edge", "apart", "estimate", "level", "middle", "overruled", "odd", "length")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the parts of the grader's small model say of one dimension, on the scale of 1 to 5, not cut off there.

    `odd`: how far the reply lies from those that were learnt from (mean distance in standard deviations).
    """

    value: float
    linear: float
    trees: float
    odd: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """A logistic model over SIGNS. Below the chance `bar` a trainer should be asked."""

    weights: tuple[float, ...]
    bias: float
    bar: float

    def chance(self, signs: Sequence[float]) -> float:
        """That a person would give the same point, 0 to 1."""
        total = self.bias + sum(weight * sign for weight, sign in zip(self.weights, signs, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def signs(opinion: Opinion, given: float, top: float, estimate: float, length: float) -> tuple[float, ...]:
    """SIGNS of a score. `given` is the value after calibration, `top` the ceiling of the exact checks.

    `estimate` is what the reader's models think of the same dimension, `length` the logarithm of the words.
    """
    final = max(1.0, min(5.0, given, top))
    return (
        abs(final - math.floor(final) - 0.5),  # 0 on the border between two points, 0.5 in the middle of one
        min(abs(opinion.linear - opinion.trees), 3.0),
        min(abs(estimate - given), 3.0),
        final,
        abs(final - 3),
        max(0.0, min(given, 5.0) - top),
        min(opinion.odd, 3.0),
        length,
    )
