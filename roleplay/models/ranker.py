"""A small network that ranks a handful of candidates by features of each; which, its makers know.

Several nets of one hidden layer, learnt from different starts, are averaged: on data as small as ours
that is worth more than a larger net.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roleplay.errors import Unavailable

ARRAYS = ("mean", "scale", "inner", "bias", "outer")


@dataclass(frozen=True, slots=True)
class Ranker:
    """Used by all threads; ranking changes nothing. `fingerprint` changes when the weights do.

    `mean` and `scale` are (features,), `inner` (nets, features, hidden), `bias` and `outer` (nets, hidden).
    """

    mean: np.ndarray
    scale: np.ndarray
    inner: np.ndarray
    bias: np.ndarray
    outer: np.ndarray
    fingerprint: str = ""

    @classmethod
    def load(cls, path: str | Path, features: Sequence[str]) -> Ranker:
        """`features` are the names of the columns that will be given, in order.

        Raises Unavailable when there is no such file, or when it was learnt from other features.
        """
        from safetensors import safe_open

        path = Path(path)
        if not path.is_file():
            raise Unavailable("a ranking model", f"{path} does not exist", "Reinstall the package.")
        with safe_open(path, "numpy") as kept:
            names = (kept.metadata() or {}).get("features", "")
            arrays = {name: kept.get_tensor(name) for name in ARRAYS}
        if names.split() != list(features) or len(arrays["mean"]) != len(features):
            why = f"{path} was learnt from other features than this version computes"
            raise Unavailable("a ranking model", why, "Train it anew, or reinstall the package.")
        return cls(**arrays, fingerprint=hashlib.sha256(path.read_bytes()).hexdigest()[:12])

    def shares(self, rows: np.ndarray) -> np.ndarray:
        """How likely each candidate is the one: (candidates, features) in, probabilities that add up to 1 out."""
        scaled = (rows - self.mean) / self.scale
        hidden = np.maximum(np.einsum("cf,nfh->nch", scaled, self.inner) + self.bias[:, None], 0)
        scores = np.einsum("nch,nh->nc", hidden, self.outer)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)
