"""Points of the plots on the page, in SVG units: feelings over a call, a call's radar, growth over calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from roleplay.dialogue import Feeling
from roleplay.reports import Report
from roleplay.results import Result
from roleplay.rubric import DIMENSIONS, changed

FEELINGS = ("anger", "confusion", "trust")
WIDTH, HEIGHT = 640, 190  # of the plotting area of curves
RADIUS = 100  # of the radar
NEWEST = 20  # calls whose growth is drawn

Points = list[tuple[float, float, int, float]]  # x, y, number, value


@dataclass(frozen=True, slots=True)
class Spoke:
    """One axis of the radar. `share` is 0 to 1, None where nothing was measured; `x`, `y` its point, `end` the rim."""

    name: str
    share: float | None
    x: float
    y: float
    end: tuple[float, float]
    label: tuple[float, float]


def curve(made: Report) -> list[tuple[str, Points]]:
    """For each feeling its points over the call."""
    steps = max(1, len(made.moods) - 1)

    def points(name: str) -> Points:
        feelings: list[tuple[int, Feeling]] = [(mood.number, mood.feeling) for mood in made.moods]
        return [
            (WIDTH * place / steps, HEIGHT * (1 - getattr(feeling, name) / 4), number, getattr(feeling, name))
            for place, (number, feeling) in enumerate(feelings)
        ]

    return [(name, points(name)) for name in FEELINGS]


def radar(made: Report) -> list[Spoke]:
    """Six sides of a call: the three dimensions, facts found out, stages done, and where the feelings went."""
    found = sum(fact.how != "missed" for fact in made.facts)
    stages = len(made.stages_done) + len(made.stages_missed)
    shares: list[tuple[str, float | None]] = [
        *((name, None if made.totals.mean[name] is None else (made.totals.mean[name] - 1) / 4) for name in DIMENSIONS),  # type: ignore[operator]
        ("facts", found / len(made.facts) if made.facts else None),
        ("stages", len(made.stages_done) / stages if stages else None),
        ("mood", _eased(made)),
    ]
    return [_spoke(name, share, number, len(shares)) for number, (name, share) in enumerate(shares)]


@dataclass(frozen=True)
class Growth:
    """`lines` as (name, points), cut wherever the basis of the scores changed; `breaks` say where, and in what.

    `shown` is the number of calls that are drawn.
    """

    lines: list[tuple[str, Points]]
    breaks: list[tuple[float, tuple[str, ...]]]
    shown: int


def growth(results: Sequence[Result]) -> Growth:
    """For the total and each dimension its points over the newest calls, oldest first; all on 0 to 100.

    Scores on different bases are never joined by a line.
    """
    shown = [made for made in reversed(results[:NEWEST]) if made.total is not None]
    steps = max(1, len(shown) - 1)
    cuts = [n for n in range(1, len(shown)) if shown[n].scale != shown[n - 1].scale]
    lines: list[tuple[str, Points]] = []
    for start, end in zip([0, *cuts], [*cuts, len(shown)], strict=True):
        part = range(start, end)

        def at(place: int, value: float) -> tuple[float, float, int, float]:
            return (WIDTH * place / steps, HEIGHT * (1 - value / 100), place, value)

        lines.append(("total", [at(n, shown[n].total or 0.0) for n in part]))
        for name in DIMENSIONS:
            means = [(n, shown[n].mean[name]) for n in part]
            lines.append((name, [at(n, (mean - 1) * 25) for n, mean in means if mean is not None]))
    breaks = [(WIDTH * (n - 0.5) / steps, changed(shown[n - 1].basis, shown[n].basis, ("persona",))) for n in cuts]
    return Growth(lines, breaks, len(shown))


def _eased(made: Report) -> float | None:
    """How the customer felt at the end, from 0 (as upset as can be) to 1."""
    if len(made.moods) < 2:
        return None
    last = made.moods[-1].feeling
    return (4 - last.anger + 4 - last.confusion + last.trust) / 12


def _spoke(name: str, share: float | None, number: int, of: int) -> Spoke:
    angle = 2 * math.pi * number / of - math.pi / 2
    along = math.cos(angle), math.sin(angle)
    reach = RADIUS * (share or 0.0)
    rim, label = RADIUS, RADIUS + 16
    return Spoke(
        name, share, along[0] * reach, along[1] * reach,
        (along[0] * rim, along[1] * rim), (along[0] * label, along[1] * label + 4),
    )  # fmt: skip
