"""The bundled grader's small model: features of a reply in, raw scores out.

For each language and dimension a ridge regression, whose parts can be shown feature by feature, small boosted
trees, which see what features mean together, and a kernel ridge regression, which goes by the scored replies that
are most alike; then a linear map to the raters' spread. Plain arrays, no library that has to match the one it was
trained with.
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

SHARES = (0.25, 0.25, 0.5)  # of ridge, trees and examples: on unseen replies these are as good as the others together
EDGE = 6.0  # standard deviations at which a feature is cut off where likeness is measured


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
class Examples:
    """The scored replies of one language: standardised features (examples, features), cut off at EDGE.

    `width` is the squared distance at which two replies are 1/e alike.
    """

    rows: np.ndarray
    width: float

    def alike(self, standard: np.ndarray) -> np.ndarray:
        """How much each example is like one reply, or like each of several: (examples,) or (replies, examples)."""
        return np.asarray(np.exp(-squared_distances(np.clip(standard, -EDGE, EDGE), self.rows) / self.width))


def squared_distances(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """The squared distances of one row, or of each of several, from each of `many`."""
    return np.maximum((one**2).sum(-1)[..., None] + (many**2).sum(-1) - 2 * one @ many.T, 0)


@dataclass(frozen=True, slots=True)
class Column:
    """What is learnt for one language and one target."""

    weights: np.ndarray  # (features,) on standardised features
    bias: float
    trees: Trees
    shares: np.ndarray  # (examples,) what each example adds where a reply is like it
    level: float  # what is said of a reply that is like none of them
    slope: float
    shift: float

    def opinion(self, row: np.ndarray, standard: np.ndarray, alike: np.ndarray) -> Opinion:
        """`alike` is how much each example is like the reply."""
        parts = (
            float(standard @ self.weights) + self.bias,
            self.trees.predict(row),
            float(alike @ self.shares) + self.level,
        )
        said = [self.slope * part + self.shift for part in parts]
        return Opinion(float(np.dot(SHARES, said)), said[0], said[1], float(odd(standard)))


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
        examples: Mapping[str, Examples],
        doubts: Mapping[str, Doubt],
        strangers: Mapping[str, Stranger],
        mark: str = "",
    ) -> None:
        """`columns` by "LANGUAGE TARGET"; targets are the dimensions and fact_due. `doubts` by "LANGUAGE DIMENSION",
        `examples` and `strangers` by language."""
        self.names, self.mean, self.scale, self.columns = tuple(names), mean, scale, columns
        self.examples, self.doubts, self.strangers, self.fingerprint = examples, doubts, strangers, mark

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
        prefix, alike = f"{language} ", self.examples[language].alike(standard)
        return {
            key.removeprefix(prefix): column.opinion(row, standard, alike)
            for key, column in self.columns.items()
            if key.startswith(prefix)
        }

    def save(self, path: str | Path) -> None:
        from safetensors.numpy import save_file

        arrays: dict[str, np.ndarray] = {"mean": self.mean, "scale": self.scale}
        plain = {}
        for key, column in self.columns.items():
            trees = column.trees
            plain[key] = [column.bias, column.level, column.slope, column.shift, trees.base, trees.depth]
            arrays[f"{key} weights"], arrays[f"{key} shares"] = column.weights, column.shares
            for part in ("roots", "feature", "threshold", "left", "right", "value"):
                arrays[f"{key} {part}"] = getattr(trees, part)
        widths = {}
        for language, known in self.examples.items():
            arrays[f"{language} examples"], widths[language] = known.rows.astype(np.float16), known.width
        strangers = {}
        for language, own in self.strangers.items():
            arrays[f"{language} stranger"] = own.weights
            strangers[language] = [own.bias, own.bar]
        doubts = {key: [*doubt.weights, doubt.bias, doubt.bar] for key, doubt in self.doubts.items()}
        metadata = {"names": json.dumps(list(self.names)), "columns": json.dumps(plain), "doubts": json.dumps(doubts),
                    "strangers": json.dumps(strangers), "widths": json.dumps(widths)}  # fmt: skip
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
            for key, (bias, level, slope, shift, base, depth) in plain.items():
                arrays = {p: file.get_tensor(f"{key} {p}") for p in Trees.__slots__ if p not in ("base", "depth")}
                trees = Trees(base=base, depth=int(depth), **arrays)
                weights, shares = file.get_tensor(f"{key} weights"), file.get_tensor(f"{key} shares")
                columns[key] = Column(weights, bias, trees, shares, level, slope, shift)
            names = json.loads(file.metadata()["names"])
            doubts = {
                key: Doubt(tuple(values[: len(SIGNS)]), *values[len(SIGNS) :])
                for key, values in json.loads(file.metadata()["doubts"]).items()
            }
            strangers = {
                language: Stranger(file.get_tensor(f"{language} stranger"), *values)
                for language, values in json.loads(file.metadata()["strangers"]).items()
            }
            examples = {
                language: Examples(file.get_tensor(f"{language} examples").astype(np.float64), width)
                for language, width in json.loads(file.metadata()["widths"]).items()
            }
            mark = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
            mean, scale = file.get_tensor("mean"), file.get_tensor("scale")
            return cls(names, mean, scale, columns, examples, doubts, strangers, mark)
