"""Brings a grader's raw scores to the scale that a company's own raters use.

The map is monotone: it never turns the order of two replies round. It is stored beside the agreement
that was measured, under the identity of the grader it was made for.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from roleplay.agreement import Agreement, agreement
from roleplay.dialogue import Exchange
from roleplay.errors import Rejected
from roleplay.graded import GradedReply
from roleplay.reading import Reading
from roleplay.rubric import DIMENSIONS, Dimension

FEWEST = 30  # replies of one language that a map is made from


class RawGrader(Protocol):
    """What a calibration is fitted to. `spec` and `fingerprint` together say exactly which grader it is."""

    @property
    def spec(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def raw(self, exchange: Exchange, reading: Reading) -> Mapping[Dimension, float | None]:
        """Scores before calibration and ceilings, not rounded; accuracy None when no fact was due.

        Raises Unavailable when a model fails.
        """
        ...


class ReplyReader(Protocol):
    def read(self, exchange: Exchange) -> Reading: ...


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

    def save(self, folder: str | Path) -> Path:
        """Keep it in the data folder, under the identity of its grader; says where."""
        path = _path(folder, self.grader)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", "utf-8")
        return path

    @classmethod
    def find(cls, folder: str | Path, grader: str) -> Calibration | None:
        """The one kept for exactly this grader ("SPEC:FINGERPRINT"), or None."""
        path = _path(folder, grader)
        if not path.is_file():
            return None
        data = json.loads(path.read_text("utf-8"))
        maps = {key: tuple((float(a), float(b)) for a, b in points) for key, points in data["maps"].items()}
        return cls(data["grader"], maps, {key: Agreement(**value) for key, value in data["agreement"].items()})

    def summary(self) -> str:
        """One line for each language and dimension: how far the calibrated scores agree with the raters'."""
        lines = []
        for key, found in self.agreement.items():
            kappa = "–" if found.qwk is None else f"{found.qwk:.2f} ({found.low:.2f} to {found.high:.2f})"
            lines.append(f"{key}: {found.n} replies, weighted kappa {kappa}, exact {found.exact:.0%}")
        return "\n".join(lines)


def calibrate(grader: RawGrader, reader: ReplyReader, rows: Sequence[GradedReply]) -> Calibration:
    """Fit the grader's raw scores to scored replies, so that each whole point is given as often as the raters give it.

    `agreement` is measured by cross-validation in five parts, replies to one context kept together.
    Raises Rejected when no language has FEWEST replies scored on a dimension, Unavailable when the
    grader's model fails.
    """
    given = [(row, grader.raw(row.exchange, reader.read(row.exchange))) for row in rows]
    maps: dict[str, tuple[tuple[float, float], ...]] = {}
    measured: dict[str, Agreement] = {}
    for language in sorted({row.exchange.language for row in rows}):
        for name in DIMENSIONS:
            pairs = np.array(
                [
                    (raw[name], row.scores[name], zlib.crc32(row.group.encode()) % 5)
                    for row, raw in given
                    if row.exchange.language == language and raw[name] is not None and row.scores.get(name) is not None
                ],
                dtype=float,
            )
            if len(pairs) < FEWEST:
                continue
            maps[f"{language} {name}"] = _points(pairs)
            measured[f"{language} {name}"] = _measure(pairs)
    if not maps:
        raise Rejected(f"to calibrate a grader takes at least {FEWEST} scored replies of one language")
    return Calibration(f"{grader.spec}:{grader.fingerprint}", maps, measured)


def _measure(pairs: np.ndarray) -> Agreement:
    """Agreement on each fifth with the map made from the others; `pairs` is (rows, raw, true and part)."""
    unseen = np.zeros(len(pairs))
    for part in np.unique(pairs[:, 2]):
        own = pairs[:, 2] == part
        unseen[own] = _apply(_points(pairs if own.all() else pairs[~own]), pairs[own, 0])
    return agreement(pairs[:, 1].tolist(), unseen.tolist())


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


def _path(folder: str | Path, grader: str) -> Path:
    return Path(folder) / "calibrations" / (re.sub(r"[^A-Za-z0-9._-]+", "-", grader)[:120] + ".json")
