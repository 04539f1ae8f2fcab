"""The encoder and the linear model as one: the weighted mean of what both think of a reply.

They fail in different places: the linear model knows turns of phrase by heart, the encoder what
follows what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from roleplay.errors import Unavailable
from roleplay.models.encoder import BUNDLED, ReplyEncoder
from roleplay.models.ngrams import NgramModel

ENCODER_SHARE = 0.25  # the linear model alone agrees better with the raters than the encoder alone


class ReplyModel:
    """`thresholds` holds, by move, the probability from which the move counts as made."""

    def __init__(self, encoder: ReplyEncoder, ngrams: NgramModel, thresholds: Mapping[str, float]) -> None:
        self.encoder, self.ngrams, self.thresholds = encoder, ngrams, thresholds
        self.labels, self.fingerprint = encoder.labels, encoder.fingerprint

    def outputs(self, heard: str, texts: Sequence[str], language: str) -> np.ndarray:
        """(texts, labels) float32: probabilities, and scores from 1 to 5."""
        encoded = self.encoder.outputs(heard, texts)
        linear = np.stack([self.ngrams.outputs(text, heard, language) for text in texts])
        return blend(encoded, linear, self.labels)


def blend(encoded: np.ndarray, linear: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Both models' mean by ENCODER_SHARE; `linear` holds log-odds for moves and `fact_due`, points for scores."""
    scores = np.array([label.startswith("score:") for label in labels])
    plain = np.where(scores, np.clip(linear, 1, 5), 1 / (1 + np.exp(-np.clip(linear, -30, 30))))
    return (ENCODER_SHARE * encoded + (1 - ENCODER_SHARE) * plain).astype(np.float32)


def load_reply_model(folder: str | Path = BUNDLED) -> ReplyModel:
    """The bundled models. Raises Unavailable when a file is missing."""
    folder = Path(folder)
    for name in ("thresholds.json", "ngrams.safetensors"):
        if not (folder / name).is_file():
            raise Unavailable("the reading model", f"{folder / name} does not exist", "Reinstall the package.")
    thresholds = json.loads((folder / "thresholds.json").read_text("utf-8"))
    return ReplyModel(ReplyEncoder(folder), NgramModel.load(folder / "ngrams.safetensors"), thresholds)
