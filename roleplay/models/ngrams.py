"""A linear model over pieces of the reply: the plain reader beside the encoder.

Chinese is read in runs of one to four characters, English in words, pairs of words and runs of three
to five letters. Each piece is hashed to one of 2**17 columns, and counts the more the fewer texts have
it; a label is a weighted sum of them.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from roleplay.plain_text import plain_text

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WIDTH = 1 << 17


def rarity(pairs: Iterable[tuple[str, str]]) -> np.ndarray:
    """What each column counts, from replies with the lines they answer: nothing if one text alone has it. (WIDTH,)"""
    texts, having = 0, np.zeros(WIDTH)
    for reply, heard in pairs:
        texts += 1
        having[list(_counts(reply, "r").keys() | _counts(heard, "h").keys())] += 1
    return np.where(having > 1, np.log((1 + texts) / (1 + having)) + 1, 0).astype(np.float32)


def columns(reply: str, heard: str, rare: np.ndarray) -> dict[int, float]:
    """The columns that a reply and the customer's line fill, and how far: logarithmic counts by rarity, of length 1."""
    found = _scaled(_counts(reply, "r"), rare, 1.0)
    for column, value in _scaled(_counts(heard, "h"), rare, 0.3).items():
        found[column] = found.get(column, 0.0) + value
    return found


def stacked(filled: Sequence[Mapping[int, float]], width: int = WIDTH) -> csr_matrix:
    """The columns that several texts fill, as one table: (texts, width)."""
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0, *map(len, filled)])
    values = np.concatenate([np.fromiter(one.values(), np.float32, len(one)) for one in filled])
    places = np.concatenate([np.fromiter(one.keys(), np.int32, len(one)) for one in filled])
    table = csr_matrix((values, places, ends), shape=(len(filled), width))
    table.sort_indices()
    return table


def _counts(text: str, mark: str) -> Counter[int]:
    return Counter(zlib.crc32(piece.encode()) % WIDTH for piece in pieces(text, mark))


def _scaled(counts: Counter[int], rare: np.ndarray, length: float) -> dict[int, float]:
    logs = {column: (1 + math.log(count)) * float(rare[column]) for column, count in counts.items()}
    norm = math.sqrt(sum(value * value for value in logs.values())) or 1.0
    return {column: length * value / norm for column, value in logs.items() if value}


def pieces(text: str, mark: str) -> list[str]:
    """The pieces of a text, each with `mark` before it, as often as they occur."""
    text = plain_text(text).text.lower().strip()
    if any("\u4e00" <= letter <= "\u9fff" for letter in text):
        padded = f"^{text}$"
        return [mark + padded[i : i + n] for n in (1, 2, 3, 4) for i in range(len(padded) - n + 1)]
    words = text.split()
    found = [f"{mark}w{word}" for word in words]
    found += [f"{mark}w{first} {second}" for first, second in zip(["^", *words], [*words, "$"], strict=True)]
    for word in words:
        padded = f" {word} "
        found += [mark + padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1)]
    return found


class NgramModel:
    """Weights of every label. `outputs` gives log-odds for moves and `fact_due`, points for scores."""

    def __init__(self, labels: tuple[str, ...], weights: np.ndarray, bias: np.ndarray, rare: np.ndarray) -> None:
        """`weights` is (WIDTH, labels), `bias` (2, labels): Chinese first, then English; `rare` as from `rarity`."""
        self.labels, self.weights, self.bias, self.rare = labels, weights, bias, rare

    @classmethod
    def load(cls, path: str | Path) -> NgramModel:
        from safetensors import safe_open

        with safe_open(str(path), "np") as file:
            labels = tuple(file.metadata()["labels"].split(" "))
            return cls(labels, *(file.get_tensor(name) for name in ("weights", "bias", "rare")))

    def outputs(self, reply: str, heard: str, language: str) -> np.ndarray:
        """(labels,) float32."""
        found = columns(reply, heard, self.rare)
        bias = self.bias[0 if language == "zh-CN" else 1]
        if not found:
            return bias.astype(np.float32)
        rows = self.weights[list(found)].astype(np.float32)
        return np.array(list(found.values()), np.float32) @ rows + bias
