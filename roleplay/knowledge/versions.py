"""Versions of the knowledge base: what its files held at each publication, kept whole, compared, brought back.

A version is a folder `versions/000007` with `manifest.json` (when, why, how many, the hash), `entries.jsonl`
(the entries, for people and programs) and `files/` (the YAML files to the byte, which a restore brings back).
It is made beside its place and renamed, so that a version is there whole or not at all.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roleplay.errors import Rejected, Unavailable
from roleplay.knowledge.entries import Entry, entry_files, fingerprint, load_entries
from roleplay.knowledge.journal import alone, replace_files, write_synced

Paths = Sequence[Path]
EMPTY = b"entries: []\n"


@dataclass(frozen=True)
class Version:
    """One publication. `hash` is the content's, `searched_as` the search versions made of it, as calls name them."""

    number: int
    hash: str
    at: str  # UTC, ISO 8601
    why: str
    count: int
    folders: tuple[str, ...]  # where the files lay, absolute
    searched_as: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"version {self.number} ({self.hash[:8]}, {self.count} entries)"


def list_versions(folder: Path) -> list[Version]:
    """All versions, oldest first. Raises Unavailable for one that cannot be read."""
    found = []
    for manifest in sorted(folder.glob("[0-9]*/manifest.json")):
        try:
            data = json.loads(manifest.read_text("utf-8"))
            data |= {"folders": tuple(data["folders"]), "searched_as": tuple(data["searched_as"])}
            found.append(Version(**data))
        except (OSError, ValueError, TypeError, KeyError) as error:
            remedy = f"Remove the folder {manifest.parent} if this version is not needed."
            raise Unavailable(f"the kept version {manifest.parent.name}", f"its manifest: {error}", remedy) from error
    return sorted(found, key=lambda version: version.number)


def find_version(folder: Path, name: str) -> Version:
    """The version of that number, or the newest whose hash (or search version) begins so; raises Rejected."""
    versions = list_versions(folder)
    for version in reversed(versions):
        if name == str(version.number):
            return version
    for version in reversed(versions):
        if len(name) >= 4 and any(each.startswith(name) for each in (version.hash, *version.searched_as)):
            return version
    there = ", ".join(str(version.number) for version in versions[-10:]) or "none"
    raise Rejected(f"there is no version {name!r}; there are: {there}")


def version_entries(folder: Path, version: Version) -> list[Entry]:
    """What a version held. Raises FileFault if its files are not as they were kept."""
    return load_entries(_file_folders(folder, version))


def keep_version(paths: Paths, folder: Path, why: str, searched_as: str | None = None) -> Version:
    """The newest version if it is what the files hold now, else a new one made of them.

    Raises FileFault for wrong files, Unavailable if the folder cannot be written; then there is no new version.
    """
    newest = next(reversed(list_versions(folder)), None)
    known = newest is not None and (searched_as is None or searched_as in newest.searched_as)
    if known and newest and newest.hash == fingerprint(load_entries(paths)):
        return newest
    with alone(folder):
        try:
            return _keep(paths, folder, why, searched_as)
        except OSError as error:
            raise Unavailable(
                f"a version of the knowledge base cannot be kept in {folder}",
                error.strerror or str(error),
                "Check that the data folder can be written and has space, or name another.",
            ) from error


def restore(version: Version, paths: Paths, folder: Path) -> Version:
    """Bring the files back as that version had them, and keep the result as a new version.

    What is there now is kept first. Raises Rejected if the version's folders are not those of `paths`.
    """
    with alone(folder.parent):
        texts = _texts(version, paths, folder)
        keep_version(paths, folder, "before a restore")
        for place, files in texts.items():
            replace_files(place, files)
        return keep_version(paths, folder, f"restore of version {version.number}")


def _keep(paths: Paths, folder: Path, why: str, searched_as: str | None) -> Version:
    for leftover in folder.glob(".new-*"):
        shutil.rmtree(leftover)
    versions = list_versions(folder)
    stage = folder / f".new-{uuid.uuid4().hex[:8]}"
    try:
        places = _folders(paths)
        for file in entry_files(paths):
            copy = stage / "files" / str(places.index(file.parent.absolute())) / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_synced(copy, file.read_bytes())
        kept = [stage / "files" / str(number) for number in range(len(places))]
        entries = load_entries(kept)
        hash = fingerprint(entries)
        if versions and versions[-1].hash == hash:
            return _searched(versions[-1], folder, searched_as)
        version = Version(
            versions[-1].number + 1 if versions else 1,
            hash,
            datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            why,
            len(entries),
            tuple(map(str, places)),
            (searched_as,) if searched_as else (),
        )
        lines = [json.dumps(dataclasses.asdict(entry), ensure_ascii=False, default=str) + "\n" for entry in entries]
        write_synced(stage / "entries.jsonl", "".join(lines).encode())
        write_synced(stage / "manifest.json", _manifest(version))
        stage.rename(folder / f"{version.number:06d}")
        return version
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _searched(version: Version, folder: Path, searched_as: str | None) -> Version:
    if searched_as is None or searched_as in version.searched_as:
        return version
    named = dataclasses.replace(version, searched_as=(*version.searched_as, searched_as))
    replace_files(folder / f"{version.number:06d}", {"manifest.json": _manifest(named)})
    return named


def _manifest(version: Version) -> bytes:
    return json.dumps(dataclasses.asdict(version), ensure_ascii=False, indent=1).encode()


def _texts(version: Version, paths: Paths, folder: Path) -> dict[Path, dict[str, bytes | None]]:
    """By folder of the knowledge base: the files that the version has there, and None for those that it has not."""
    here, there = _folders(paths), [Path(name) for name in version.folders]
    if not set(there) <= set(here):
        if len(there) != len(here):
            names = ", ".join(map(str, there))
            raise Rejected(f"{version} was made of files in {names}, which the settings do not name as knowledge now")
        there = here  # the knowledge base has been moved as a whole
    texts: dict[Path, dict[str, Any]] = {place: {} for place in here}
    for file in entry_files(paths):
        alone_there = file in paths
        texts[file.parent.absolute()][file.name] = EMPTY if alone_there else None
    for place, kept in zip(there, _file_folders(folder, version), strict=True):
        for file in kept.iterdir():
            if place not in paths and place / file.name not in [path.absolute() for path in paths]:
                raise Rejected(f"{version} has a file {file.name}, which the settings do not name as knowledge now")
            texts[place][file.name] = file.read_bytes()
    for files in texts.values():
        if files and not any(files.values()):  # a folder of knowledge without a file would be a fault
            files[min(files)] = EMPTY
    return texts


def _file_folders(folder: Path, version: Version) -> list[Path]:
    files = folder / f"{version.number:06d}" / "files"
    return [files / str(number) for number in range(len(version.folders))]


def _folders(paths: Paths) -> list[Path]:
    """The folders that hold the files of `paths`, absolute, each once, in order."""
    return list(dict.fromkeys((path if path.is_dir() else path.parent).absolute() for path in paths))
