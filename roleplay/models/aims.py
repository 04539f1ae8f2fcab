"""What each sentence of a reply wants of the customer: a linear model over its pieces and those beside it.

The same words ask for a yes, for something to be done or for how it went ("restart it"), and what stands
before and after tells which. Pieces as in `ngrams`, each hashed to one of 2**15 columns.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from roleplay.clauses import Piece, clauses, is_question, sentences
from roleplay.dialogue import AIMS, ASKING, Language
from roleplay.errors import Unavailable
from roleplay.models.encoder import BUNDLED
from roleplay.models.ngrams import pieces
from roleplay.reading import AimSeen

WIDTH = 1 << 15
FILE = BUNDLED / "aims.safetensors"
BESIDE = 40  # characters of the neighbouring sentences that are looked at, and of the customer's line
ENDS = {"zh-CN": 6, "en": 24}  # characters at the end of a Chinese question, at the head of an English one


class AimModel:
    """One for all calls and threads; it changes nothing."""

    def __init__(self, weights: dict[str, np.ndarray], bias: dict[str, np.ndarray]) -> None:
        """By language: `weights` (WIDTH, AIMS) and `bias` (AIMS,) of a softmax."""
        self.weights, self.bias = weights, bias

    @classmethod
    def load(cls, path: str | Path = FILE) -> AimModel:
        """Raises Unavailable when the file is missing or was learnt for other aims."""
        from safetensors import safe_open

        path = Path(path)
        if not path.is_file():
            raise Unavailable("the model of aims", f"{path} does not exist", "Reinstall the package.")
        with safe_open(str(path), "np") as kept:
            if (kept.metadata() or {}).get("aims", "").split() != list(AIMS):
                why = f"{path} was learnt for other aims than this version knows"
                raise Unavailable("the model of aims", why, "Reinstall the package.")
            tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
        languages = ("zh-CN", "en")
        return cls(
            {language: tensors[f"{language}.weights"] for language in languages},
            {language: tensors[f"{language}.bias"] for language in languages},
        )

    def aims(self, reply: str, heard: str, language: Language) -> tuple[AimSeen, ...]:
        """The likeliest aim of each sentence of `reply`, which answers the customer's `heard`.

        A question that begins with something else, "sorry about that, when did it start?", is two pieces.
        """
        parts = sentences(reply)
        found = self._likeliest(parts, heard, language)
        for place, (part, seen) in enumerate(zip(parts, found, strict=True)):
            if seen.aim in ASKING or not is_question(part.text) or len(clauses(part)) < 2:
                continue
            last = clauses(part)[-1]
            begun = Piece(part.start, last.start, reply[part.start : last.start])
            cut = [*parts[:place], begun, last, *parts[place + 1 :]]
            first, second = self._likeliest(cut, heard, language)[place : place + 2]
            if second.aim in ASKING:
                return (*found[:place], first, second, *found[place + 1 :])
        return found

    def _likeliest(self, parts: Sequence[Piece], heard: str, language: Language) -> tuple[AimSeen, ...]:
        return tuple(
            AimSeen(AIMS[int(chances.argmax())], float(chances.max()), part.start, part.end)
            for part, chances in zip(parts, self.chances(parts, heard, language), strict=True)
        )

    def chances(self, parts: Sequence[Piece], heard: str, language: Language) -> np.ndarray:
        """How likely each sentence of a reply has each aim: (parts, AIMS)."""
        return self._chances(columns([part.text for part in parts], heard, language), language)

    def chances_alone(self, texts: Iterable[str], language: Language) -> np.ndarray:
        """How likely each text has each aim as a whole reply to nothing: (texts, AIMS)."""
        return self._chances((found for text in texts for found in columns([text], "", language)), language)

    def _chances(self, filled: Iterable[dict[int, float]], language: Language) -> np.ndarray:
        weights, bias = self.weights[language], self.bias[language]
        rows = [
            np.fromiter(found.values(), np.float32, len(found)) @ weights[list(found)].astype(np.float32) + bias
            for found in filled
        ]
        powers = np.array(rows, np.float32).reshape(-1, len(AIMS))
        powers = np.exp(powers - powers.max(axis=1, keepdims=True, initial=0))
        return powers / powers.sum(axis=1, keepdims=True)


def columns(parts: Sequence[str], heard: str, language: Language) -> Iterator[dict[int, float]]:
    """The columns that each sentence of a reply fills, and how far."""
    for place, text in enumerate(parts):
        before = parts[place - 1][-BESIDE:] if place else ""
        after = parts[place + 1][:BESIDE] if place + 1 < len(parts) else ""
        asks = is_question(text)
        found: defaultdict[int, float] = defaultdict(float)
        for part, mark, length in (
            (text, "s", 1.0),
            (before, "b", 0.3),
            (after, "a", 0.3),
            (heard[-BESIDE:], "h", 0.25),
        ):
            if part:
                _add(found, pieces(part, mark), length)
        if asks:
            edge = text[-ENDS["zh-CN"] :] if language == "zh-CN" else text[: ENDS["en"]]
            _add(found, pieces(edge, "e"), 0.5)
        signs = {
            "asks": asks, "mark": text.rstrip("”’」\"' ").endswith(("?", "？")), "first": not place, "last": not after,
            "alone": len(parts) == 1, "opens": not heard, "short": len(text) < 8, "long": len(text) > 40,
        }  # fmt: skip
        for name, there in signs.items():
            if there:
                found[_column(f"#{name}")] += 0.35
        yield dict(found)


def _add(found: defaultdict[int, float], said: Sequence[str], length: float) -> None:
    logs = {piece: 1 + math.log(count) if count > 1 else 1.0 for piece, count in Counter(said).items()}
    scale = length / (math.hypot(*logs.values()) or 1.0)
    for piece, value in logs.items():
        found[_column(piece)] += value * scale


@lru_cache(maxsize=1 << 16)
def _column(piece: str) -> int:
    return zlib.crc32(piece.encode()) % WIDTH
