"""The bundled grader's small model: features of a reply in, raw scores out.

For each language and dimension the mean of a ridge regression, whose parts can be shown feature by
feature, and of small boosted trees, which see what features mean together; then a linear map to the
raters' spread. Plain arrays, no library that has to match the one it was trained with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roleplay.confidence import SIGNS, Doubt, Opinion
from roleplay.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted regression trees, all in flat arrays. Leaves point to themselves."""

    base: float
    roots: np.ndarray  # (trees,) node numbers
    feature: np.ndarray  # (nodes,)
    threshold: np.ndarray  # (nodes,) float64: a value goes left when it is not above
    left: np.ndarray  # (nodes,)
    right: np.ndarray  # (nodes,)
    value: np.ndarray  # (nodes,)
    depth: int

    def predict(self, row: np.ndarray) -> float:
        node = self.roots
        for _ in range(self.depth):
            go_left = row[self.feature[node]] <= self.threshold[node]
            node = np.where(go_left, self.left[node], self.right[node])
        return self.base + float(self.value[node].sum())


@dataclass(frozen=True, slots=True)
class Column:
    """What is learnt for one language and one target."""

    weights: np.ndarray  # (features,) on standardised features
    bias: float
    trees: Trees
    slope: float
    shift: float

    def opinion(self, row: np.ndarray, standard: np.ndarray) -> Opinion:
        linear = self.slope * (float(standard @ self.weights) + self.bias) + self.shift
        trees = self.slope * self.trees.predict(row) + self.shift
        return Opinion((linear + trees) / 2, linear, trees, float(odd(standard)))


@dataclass(frozen=True, slots=True)
class Stranger:
    """How likely a reply belongs to another call, by a logistic model; from `bar` on it is taken to."""

    weights: np.ndarray  # (features,) on standardised features
    bias: float
    bar: float


def odd(standard: np.ndarray) -> np.ndarray:
    """How far standardised features, of one reply or of each in a table, lie from the mean of what was learnt."""
    return np.asarray(np.minimum(np.abs(standard), 6).mean(-1))


class Scorer:
    """`names` are the features it expects, in order; others are left out of account."""

    def __init__(
        self,
        names: Sequence[str],
        mean: np.ndarray,
        scale: np.ndarray,
        columns: Mapping[str, Column],
        doubts: Mapping[str, Doubt],
        strangers: Mapping[str, Stranger],
        mark: str = "",
    ) -> None:
        """`columns` by "LANGUAGE TARGET"; targets are the dimensions and fact_due. `doubts` by "LANGUAGE DIMENSION",
        `strangers` by language."""
        self.names, self.mean, self.scale, self.columns = tuple(names), mean, scale, columns
        self.doubts, self.strangers, self.fingerprint = doubts, strangers, mark

    def is_stranger(self, features: Mapping[str, float], language: str) -> bool:
        """Whether the reply seems to belong to another call."""
        row = np.array([features.get(name, 0.0) for name in self.names])
        own = self.strangers[language]
        chance = 1 / (1 + np.exp(-float((row - self.mean) / self.scale @ own.weights) - own.bias))
        return bool(chance >= own.bar)

    def opinions(self, features: Mapping[str, float], language: str) -> dict[str, Opinion]:
        """Every target of the language."""
        row = np.array([features.get(name, 0.0) for name in self.names])
        standard = (row - self.mean) / self.scale
        prefix = f"{language} "
        return {
            key.removeprefix(prefix): column.opinion(row, standard)
            for key, column in self.columns.items()
            if key.startswith(prefix)
        }

    def save(self, path: str | Path) -> None:
        from safetensors.numpy import save_file

        arrays: dict[str, np.ndarray] = {"mean": self.mean, "scale": self.scale}
        plain = {}
        for key, column in self.columns.items():
            trees = column.trees
            plain[key] = [column.bias, column.slope, column.shift, trees.base, trees.depth]
            arrays[f"{key} weights"] = column.weights
            for part in ("roots", "feature", "threshold", "left", "right", "value"):
                arrays[f"{key} {part}"] = getattr(trees, part)
        strangers = {}
        for language, own in self.strangers.items():
            arrays[f"{language} stranger"] = own.weights
            strangers[language] = [own.bias, own.bar]
        doubts = {key: [*doubt.weights, doubt.bias, doubt.bar] for key, doubt in self.doubts.items()}
        metadata = {"names": json.dumps(list(self.names)), "columns": json.dumps(plain), "doubts": json.dumps(doubts),
                    "strangers": json.dumps(strangers)}  # fmt: skip
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, str(path), metadata)

    @classmethod
    def load(cls, path: str | Path) -> Scorer:
        """Raises Unavailable when there is no such file."""
        from safetensors import safe_open

        if not Path(path).is_file():
            raise Unavailable("the bundled grader", f"{path} does not exist", "Reinstall the package.")
        columns = {}
        with safe_open(str(path), "np") as file:
            plain = json.loads(file.metadata()["columns"])
            for key, (bias, slope, shift, base, depth) in plain.items():
                arrays = {p: file.get_tensor(f"{key} {p}") for p in Trees.__slots__ if p not in ("base", "depth")}
                trees = Trees(base=base, depth=int(depth), **arrays)
                columns[key] = Column(file.get_tensor(f"{key} weights"), bias, trees, slope, shift)
            names = json.loads(file.metadata()["names"])
            doubts = {
                key: Doubt(tuple(values[: len(SIGNS)]), *values[len(SIGNS) :])
                for key, values in json.loads(file.metadata()["doubts"]).items()
            }
            strangers = {
                language: Stranger(file.get_tensor(f"{language} stranger"), *values)
                for language, values in json.loads(file.metadata()["strangers"]).items()
            }
            mark = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
            return cls(names, file.get_tensor("mean"), file.get_tensor("scale"), columns, doubts, strangers, mark)
