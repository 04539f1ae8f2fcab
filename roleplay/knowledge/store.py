"""From files to a knowledge base that can be searched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roleplay.errors import Unavailable
from roleplay.knowledge.embedding import Embedder
from roleplay.knowledge.entries import Entry, fingerprint, load_entries
from roleplay.knowledge.search import Knowledge
from roleplay.knowledge.vectors import open_vectors

LAYOUT = "3"  # goes into the version: raise it when the stored vectors or their metadata change


def open_knowledge(
    paths: str | Path | Iterable[str | Path],
    data_dir: str | Path,
    embedder: Embedder,
    *,
    server: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Knowledge:
    """The knowledge base of these YAML files and folders, its vectors kept in the folder `data_dir` or on a Chroma server.

    If the same version is there already, it is opened and nothing is made. `progress` is told in a sentence
    when something is. Raises FileFault for wrong files, Unavailable if the vectors can be neither read nor made.
    """
    entries = load_entries(paths)
    if not entries:
        raise Unavailable("the knowledge base", "its files hold no entries", "Add entries, or name other files.")
    layout = hashlib.sha256(f"{fingerprint(entries)} {embedder.fingerprint} {embedder.dim} {LAYOUT}".encode())
    version = layout.hexdigest()[:16]

    def build() -> tuple[list[str], np.ndarray, list[dict[str, Any]]]:
        if progress is not None:
            progress(f"Publishing {len(entries)} entries as version {version}.")
        metadata = [{"language": entry.language, "audience": entry.audience} for entry in entries]
        return [entry.id for entry in entries], centres(entries, embedder), metadata

    store = open_vectors(f"kb-{version}", len(entries), build, folder=Path(data_dir), server=server)
    return Knowledge(entries, embedder, store, version)


def centres(entries: Sequence[Entry], embedder: Embedder) -> np.ndarray:
    """The mean direction of each entry's question, other wordings and answer: (n, dim), rows of length 1.

    One text alone is often near by chance; their middle is what the entry is about, and finds more.
    """
    texts = [(entry.question, *entry.also_asked, entry.answer) for entry in entries]
    starts = np.cumsum([0, *map(len, texts)])[:-1]
    summed = np.add.reduceat(embedder.encode([text for of_one in texts for text in of_one]), starts, axis=0)
    return summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)
