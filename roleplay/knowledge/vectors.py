"""The vectors of a published knowledge base, in Chroma: in this process, or on a Chroma server.

A version is never changed: other entries, another embedder or another layout make another collection in
another folder. The folder is a cache: when it is missing, half-written or broken, it is made anew from
the entries. Built beside its place and renamed when whole, so that a crash leaves no half version.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from roleplay.errors import Rejected, Unavailable

log = logging.getLogger(__name__)

KEPT_VERSIONS = 3
BATCH = 2000

Build = Callable[[], tuple[list[str], np.ndarray, list[dict[str, Any]]]]


class VectorStore:
    """One collection of vectors. Made by `open_vectors`."""

    def __init__(self, collection: Any, client: Any) -> None:
        self._collection, self._client = collection, client
        self.size: int = collection.count()

    def nearest(self, vector: np.ndarray, count: int) -> list[tuple[str, float]]:
        """The nearest entries (ids) and their cosine similarities, nearest first."""
        try:
            answer = self._collection.query(
                query_embeddings=[vector],
                n_results=min(count, self.size),
                include=["distances"],  # metadata would take four times as long
            )
        except Exception as error:  # Chroma raises its Rust errors, HTTP errors and plain ones alike
            raise _unavailable("the search in the knowledge base failed", error) from error
        return [(name, 1.0 - distance) for name, distance in zip(answer["ids"][0], answer["distances"][0], strict=True)]


def open_vectors(name: str, size: int, build: Build, *, folder: Path, server: str | None = None) -> VectorStore:
    """The collection `name` with `size` vectors, made by `build` if it is not there whole.

    `build` gives ids, vectors (n, dim) and metadata. `server` is a Chroma server's address, "http://host:port";
    without one the collection lives in `folder`. Raises Unavailable if neither opening nor making succeeds.
    """
    if server is not None:
        return _on_server(name, size, build, server)
    place = folder / name
    if place.exists():
        store = _open_folder(place, name, size)
        if store is not None:
            return store
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make_folder(place, name, build)
        _forget_old(folder, place)
    except Exception as error:  # as above; OSError for a folder that cannot be written
        raise _unavailable(f"the knowledge base cannot be stored in {folder}", error) from error
    store = _open_folder(place, name, size)
    if store is None:
        raise Unavailable(
            f"the knowledge base in {place}",
            "it cannot be read right after it was made",
            "Check the disk and its space.",
        )
    return store


def _local_client(place: Path) -> Any:
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb

    return chromadb.PersistentClient(str(place), chromadb.Settings(anonymized_telemetry=False))


def _close(place: Path) -> None:
    """Chroma keeps one system per path alive; without this a folder made anew would be seen with old eyes."""
    from chromadb.api.shared_system_client import SharedSystemClient

    system = SharedSystemClient._identifier_to_system.pop(str(place), None)
    if system is not None:
        with contextlib.suppress(AttributeError):  # one that failed while it started has nothing to stop
            system.stop()


def _open_folder(place: Path, name: str, size: int) -> VectorStore | None:
    """The store in a folder; None if it is not whole, and then the folder is gone."""
    try:
        client = _local_client(place)
        store = VectorStore(client.get_collection(name, embedding_function=None), client)
        if store.size == size and (size == 0 or store.nearest(_probe(store), 1)):
            return store
    except Exception as error:  # any fault of the cache has one answer: make it anew, which reports its own faults
        log.info("the search index in %s cannot be used and is made anew: %s", place, error)
    _close(place)
    shutil.rmtree(place, ignore_errors=True)
    return None


def _probe(store: VectorStore) -> np.ndarray:
    return np.asarray(store._collection.peek(1)["embeddings"][0], dtype=np.float32)


def _make_folder(place: Path, name: str, build: Build) -> None:
    beside = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}")
    try:
        client = _local_client(beside)
        _fill(client, name, build)
        _close(beside)
        if not place.exists():  # another process may have made the same version meanwhile
            beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(client: Any, name: str, build: Build) -> Any:
    # sync_threshold: vectors stay in SQLite and the index is made at opening; Chroma's own index files
    # can be destroyed by a kill while they are written
    settings = {"hnsw": {"space": "cosine", "sync_threshold": 1_000_000}}
    collection = client.create_collection(name, embedding_function=None, configuration=settings)
    ids, vectors, metadata = build()
    for start in range(0, len(ids), BATCH):
        part = slice(start, start + BATCH)
        collection.add(ids=ids[part], embeddings=vectors[part], metadatas=metadata[part])
    return collection


def _forget_old(folder: Path, place: Path) -> None:
    """Keep the newest versions only; one that is in use elsewhere is among them."""
    versions = sorted((path for path in folder.glob("kb-*") if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in versions[:-KEPT_VERSIONS]:
        if old != place:
            shutil.rmtree(old, ignore_errors=True)


def _on_server(name: str, size: int, build: Build, server: str) -> VectorStore:
    address = urlsplit(server)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise Rejected(f"{server!r} is no address of a Chroma server; write http://HOST:PORT")
    try:
        import chromadb

        port = address.port or (443 if address.scheme == "https" else 8000)
        settings = chromadb.Settings(anonymized_telemetry=False)
        client = chromadb.HttpClient(address.hostname, port, ssl=address.scheme == "https", settings=settings)
        if name in {collection.name for collection in client.list_collections()}:
            collection = client.get_collection(name, embedding_function=None)
            if collection.count() == size:
                return VectorStore(collection, client)
            client.delete_collection(name)
        return VectorStore(_fill(client, name, build), client)
    except Exception as error:  # httpx errors, Chroma's own, plain ValueError for a server that is not there
        raise Unavailable(
            f"the Chroma server {server}",
            _why(error),
            "Start it with `chroma run`, or unset the server to use a local folder.",
        ) from error


def _unavailable(what: str, error: Exception) -> Unavailable:
    return Unavailable(what, _why(error), "Check that the data folder can be written and has space, or name another.")


def _why(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].strip() or type(error).__name__
