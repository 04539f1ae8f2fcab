"""From files to a knowledge base that can be searched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from roleplay.errors import Unavailable
from roleplay.knowledge.embedding import Embedder
from roleplay.knowledge.entries import fingerprint, load_entries
from roleplay.knowledge.search import Knowledge
from roleplay.knowledge.vectors import open_vectors

LAYOUT = "1"  # goes into the version: raise it when the stored texts or their metadata change


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
    texts = [
        (at, text) for at, entry in enumerate(entries) for text in (entry.question, *entry.also_asked, entry.answer)
    ]

    def build() -> tuple[list[str], np.ndarray, list[dict[str, Any]]]:
        if progress is not None:
            progress(f"Publishing {len(entries)} entries as version {version}.")
        metadata = [
            {"entry": entries[at].id, "language": entries[at].language, "audience": entries[at].audience}
            for at, _ in texts
        ]
        return [str(number) for number in range(len(texts))], embedder.encode([text for _, text in texts]), metadata

    store = open_vectors(f"kb-{version}", len(texts), build, folder=Path(data_dir), server=server)
    return Knowledge(entries, embedder, store, version)
