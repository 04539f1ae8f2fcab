"""What the results of a run hang on: data, subject, code, libraries, and the machine that it ran on."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import roleplay
from eval.suites import Live
from roleplay.errors import Fault, FileFault

ROOT = Path(roleplay.__file__).parents[1]
SOURCES = (".py", ".yaml", ".txt", ".html", ".md")
LIBRARIES = (
    "torch", "transformers", "tokenizers", "sentence-transformers", "chromadb", "bm25s", "jieba", "pypinyin", "cn2an",
    "opencc", "rapidfuzz", "scikit-learn", "scipy", "numpy", "pydantic", "openai",
)  # fmt: skip


def describe(name: str, live: Live) -> dict[str, Any]:
    """The whole specification as JSON has it. Everything but `commit` and `machine` decides whether a run goes on."""
    ids = "\n".join(case.id for case in live.cases)
    return {
        "suite": name,
        "data": {"cases": len(live.cases), "case_ids": sha256(ids.encode()), **live.data},
        "subject": dict(live.subject()),
        "code": _code(),
        "commit": _commit(),
        "libraries": {library: _version(library) for library in LIBRARIES},
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": os.environ.get("OMP_NUM_THREADS"),
        },
    }


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def files_hash(paths: Iterable[Path], suffixes: Sequence[str] = ()) -> str:
    """One hash of the content of files, and of all files of folders, whatever their place on this machine.

    Raises FileFault for a path that is not there.
    """
    whole = hashlib.sha256()
    for root in paths:
        found = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        for path in found:
            if (suffixes and path.suffix not in suffixes) or "__pycache__" in path.parts:
                continue
            try:
                content = path.read_bytes()
            except OSError as error:
                raise FileFault(path, [Fault(f"cannot be read: {error.strerror}")]) from error
            name = path.relative_to(root).as_posix() if root.is_dir() else path.name
            whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


def differences(one: Mapping[str, Any], other: Mapping[str, Any], parts: Iterable[str]) -> list[str]:
    """Where two specifications differ in these parts, as "part.name: ONE / OTHER"."""
    first, second = (flat({part: spec.get(part) for part in parts}) for spec in (one, other))
    names = [*first, *(name for name in second if name not in first)]
    absent = "not there"
    pairs = [(name, first.get(name, absent), second.get(name, absent)) for name in names]
    return [f"{name}: {was} / {now}" for name, was, now in pairs if was != now]


def flat(data: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted names."""
    if not isinstance(data, Mapping):
        return {name: data}
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= flat(value, f"{name}.{key}" if name else str(key))
    return found


@lru_cache(maxsize=1)
def _code() -> dict[str, Any]:
    """The code that this process has loaded, whatever happens to the files meanwhile."""
    source = files_hash([ROOT / "roleplay", ROOT / "eval"], SOURCES)
    return {"version": roleplay.__version__, "source": source}


@lru_cache(maxsize=1)
def _commit() -> str | None:
    """The commit of the checkout; None outside of one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
