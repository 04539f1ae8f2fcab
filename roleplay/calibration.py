"""Brings a grader's raw scores to the scale that a company's own raters use.

The map is monotone: it never turns the order of two replies round. It is stored beside the agreement
that was measured, under the identity of the grader it was made for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from roleplay.agreement import Agreement, agreement
from roleplay.errors import Rejected
from roleplay.rubric import DIMENSIONS, Dimension

FEWEST = 30  # replies of one language that a map is made from


@dataclass(frozen=True, slots=True)
class Calibration:
    """`maps` holds, by "LANGUAGE DIMENSION", points (raw, calibrated) in rising order."""

    grader: str
    maps: Mapping[str, tuple[tuple[float, float], ...]]
    agreement: Mapping[str, Agreement]

    def apply(self, value: float, language: str, dimension: Dimension) -> float:
        """The calibrated score; the value itself where nothing was measured."""
        points = self.maps.get(f"{language} {dimension}")
        if not points:
            return value
        raw, scale = zip(*points, strict=True)
        return float(np.interp(value, raw, scale))


def calibrate(
    grader: str, given: Sequence[tuple[str, Mapping[Dimension, float | None], Mapping[Dimension, float | None]]]
) -> Calibration:
    """Make the map from rows of (language, raw scores, raters' scores).

    Each whole point is given as often as the raters give it; `agreement` is measured by cross-validation
    in five parts. Raises Rejected when no language has FEWEST replies scored on a dimension.
    """
    maps: dict[str, tuple[tuple[float, float], ...]] = {}
    measured: dict[str, Agreement] = {}
    for language in sorted({row[0] for row in given}):
        for name in DIMENSIONS:
            pairs = np.array(
                [
                    (raw[name], true[name])
                    for row, raw, true in given
                    if row == language and raw.get(name) is not None and true.get(name) is not None
                ],
                dtype=float,
            )
            if len(pairs) < FEWEST:
                continue
            key = f"{language} {name}"
            maps[key] = _points(pairs)
            parts = np.arange(len(pairs)) % 5
            unseen = [_apply(_points(pairs[parts != part]), pairs[parts == part, 0]) for part in range(5)]
            order = np.concatenate([np.flatnonzero(parts == part) for part in range(5)])
            measured[key] = agreement(pairs[order, 1], np.concatenate(unseen))
    if not maps:
        raise Rejected(f"to calibrate a grader takes at least {FEWEST} scored replies of one language")
    return Calibration(grader, maps, measured)


def _points(pairs: np.ndarray) -> tuple[tuple[float, float], ...]:
    """The raw values at which the raters' next whole point begins, by equal shares."""
    raw, true = np.sort(pairs[:, 0]), np.round(pairs[:, 1])
    points = [(float(raw[0]) - 0.5, 1.0)]
    for point in (1, 2, 3, 4):
        share = float(np.mean(true <= point))
        if 0 < share < 1:
            points.append((float(np.quantile(raw, share)), point + 0.5))
    points.append((float(raw[-1]) + 0.5, 5.0))
    rising = [points[0]]
    for place, value in points[1:]:
        rising.append((max(place, rising[-1][0] + 1e-6), value))
    return tuple(rising)


def _apply(points: tuple[tuple[float, float], ...], values: np.ndarray) -> np.ndarray:
    raw, scale = zip(*points, strict=True)
    return np.clip(np.round(np.interp(values, raw, scale)), 1, 5)


def path_of(folder: str | Path, grader: str) -> Path:
    """Where the calibration of this grader is kept."""
    return Path(folder) / "calibrations" / (re.sub(r"[^A-Za-z0-9._-]+", "-", grader)[:120] + ".json")


def save_calibration(calibration: Calibration, folder: str | Path) -> Path:
    path = path_of(folder, calibration.grader)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(calibration), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def find_calibration(folder: str | Path, grader: str) -> Calibration | None:
    """The stored calibration of exactly this grader, or None."""
    path = path_of(folder, grader)
    if not path.is_file():
        return None
    data = json.loads(path.read_text("utf-8"))
    maps = {key: tuple((float(a), float(b)) for a, b in points) for key, points in data["maps"].items()}
    return Calibration(data["grader"], maps, {key: Agreement(**value) for key, value in data["agreement"].items()})
