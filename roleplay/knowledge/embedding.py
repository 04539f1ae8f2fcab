"""Embedders: texts in, vectors out. The bundled one and any other sentence-transformers model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from roleplay.errors import Rejected, Unavailable
from roleplay.knowledge.words import pieces

if TYPE_CHECKING:
    import numpy as np

BUNDLED = Path(__file__).parents[1] / "bundled" / "embedder"


class Embedder(Protocol):
    """What search needs of a model. `fingerprint` changes with the weights, `spec` is how it was named."""

    spec: str
    dim: int

    @property
    def fingerprint(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One row of length 1 for each text: (n, dim), float32."""
        ...


def load_embedder(spec: str = "bundled") -> Embedder:
    """`bundled`, or `st:FOLDER` or `st:NAME` (`hf:` means the same) for a sentence-transformers model.

    A name that is not a folder is looked up among the models that were downloaded before; nothing is
    downloaded. Raises Unavailable where the model is missing or broken, Rejected for another spec.
    """
    if spec == "bundled":
        return SentenceEmbedder(spec, str(BUNDLED), bundled=True)
    if spec.startswith(("st:", "hf:")) and spec[3:].strip():
        return SentenceEmbedder(spec, spec[3:].strip())
    raise Rejected(f"{spec!r} names no embedder; use bundled, st:FOLDER or st:NAME")


class SentenceEmbedder:
    """A sentence-transformers model on the CPU. The bundled one reads texts as the pieces of `words`."""

    def __init__(self, spec: str, name: str, *, bundled: bool = False) -> None:
        self.spec, self._bundled = spec, bundled
        self._at_once = 1024 if bundled else 32  # texts; a sum of vectors needs next to no memory, a transformer does
        folder = Path(name).expanduser()
        # an absolute path: a relative one would be asked for at a model hub first
        self._model = _load(spec, str(folder.resolve()) if folder.is_dir() else name)
        self._model.float()  # stored in half precision, which the CPU is slow and coarse in
        self.dim = int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        given = [" ".join(pieces(text)) for text in texts] if self._bundled else list(texts)
        vectors = self._model.encode(
            given, batch_size=self._at_once, normalize_embeddings=True, show_progress_bar=False
        )
        vectors = np.nan_to_num(np.asarray(vectors, dtype=np.float32))
        # a text without a known piece has no direction of its own; it gets one that is near to nothing
        vectors[~vectors.any(axis=1)] = self.dim**-0.5
        return vectors

    @cached_property
    def fingerprint(self) -> str:
        """Of the weights and of what they make of a probe text: another tokenizer is another embedder."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode() + str(tuple(tensor.shape)).encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        digest.update(self.encode(["漫游流量 roaming data 28元"]).round(3).tobytes())
        return digest.hexdigest()[:16]


def _load(spec: str, name: str):
    try:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(name, device="cpu", local_files_only=True)
    except Exception as error:  # whatever a missing, half-written or foreign model makes the library raise
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = (
            "Install the package anew, or make the model with `python -m roleplay.training.matching`."
            if spec == "bundled"
            else "Name the folder of a sentence-transformers model, or download the model first."
        )
        raise Unavailable(f"the embedder {spec}", why, remedy) from error
