"""The bundled encoder: what a reply did and how it sounds, from its words and the line it answers.

A BERT-shaped classifier with one output for each move, score and stage; `config.json` names the
outputs (`move:greet`, `score:empathy`, `fact_due`, `stage:opening`). It knows nothing of facts: those
are read by `claims`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roleplay.errors import Unavailable

BUNDLED = Path(__file__).parents[1] / "bundled" / "reader"
MAX_HEARD, MAX_REPLY = 48, 160  # tokens of the customer's line and of the reply that are looked at


class ReplyEncoder:
    """Loaded once, used by all threads; inference changes nothing.

    `fingerprint` changes when the weights do. Raises Unavailable when the folder holds no such model.
    """

    def __init__(self, folder: str | Path = BUNDLED) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        folder = Path(folder).resolve()
        weights = folder / "model.safetensors"
        if not weights.is_file():
            raise Unavailable("the reading model", f"{weights} does not exist", "Reinstall the package.")
        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
        names: Mapping[int, str] = self._model.config.id2label
        self.labels = tuple(names[index] for index in range(len(names)))
        self.fingerprint = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]

    def outputs(self, heard: str, replies: Sequence[str]) -> np.ndarray:
        """One row for each reply (or part of one) to the customer's line `heard`: (n, labels), float32.

        Moves and `fact_due` are probabilities, scores run from 1 to 5, stages are probabilities that
        add up to 1.
        """
        batch = pair(self._tokenizer, [heard] * len(replies), list(replies))
        with self._torch.inference_mode():
            raw = self._model(**batch).logits.numpy()
        return squash(raw, self.labels)


def pair(tokenizer: Any, heard: Sequence[str], replies: Sequence[str]) -> Any:
    """Token ids of `[CLS] heard [SEP] reply [SEP]`, both cut to length, padded to the longest of the batch."""
    first = tokenizer(list(heard), add_special_tokens=False, truncation=True, max_length=MAX_HEARD)["input_ids"]
    second = tokenizer(list(replies), add_special_tokens=False, truncation=True, max_length=MAX_REPLY)["input_ids"]
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows = [
        {"input_ids": [cls, *a, sep, *b, sep], "token_type_ids": [0] * (len(a) + 2) + [1] * (len(b) + 1)}
        for a, b in zip(first, second, strict=True)
    ]
    return tokenizer.pad(rows, return_tensors="pt")


def squash(raw: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Logits as probabilities and scores, column by column."""
    out = 1 / (1 + np.exp(-raw.astype(np.float64)))
    stages = [index for index, label in enumerate(labels) if label.startswith("stage:")]
    scores = [index for index, label in enumerate(labels) if label.startswith("score:")]
    powers = np.exp(raw[:, stages] - raw[:, stages].max(axis=1, keepdims=True))
    out[:, stages] = powers / powers.sum(axis=1, keepdims=True)
    out[:, scores] = np.clip(3 + 2 * raw[:, scores], 1, 5)
    return out.astype(np.float32)
