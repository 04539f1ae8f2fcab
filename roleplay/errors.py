"""Every error that the program raises on purpose.

RoleplayError
├── FileFault     a file that a person wrote is wrong: its path and every wrong field
├── Unavailable   the world failed: a model, a server, a database, a disk, a port
└── Rejected      what was asked for cannot be done: an unknown persona, an empty reply, a closed call

A caller's mistake in code is none of these: it crashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class RoleplayError(Exception):
    """One clear message for the person who reads it; `str(error)` is that message."""


@dataclass(frozen=True)
class Fault:
    """One wrong place in a file."""

    message: str
    line: int | None = None  # 1-based, a row in a spreadsheet; None where the file has none or all of it is meant
    field: str = ""  # dotted path, "call.facts.0.told"

    def __str__(self) -> str:
        return self.counted("line")

    def counted(self, lines: str) -> str:
        """The fault in words; `lines` is what its file calls them."""
        place = f"{lines} {self.line}: " if self.line else ""
        return f"{place}{self.field + ': ' if self.field else ''}{self.message}"


class FileFault(RoleplayError):
    """A file is wrong. `faults` holds every wrong field, not only the first."""

    def __init__(self, path: str | Path, faults: Sequence[Fault]) -> None:
        self.path, self.faults = Path(path), tuple(faults)
        lines = "row" if self.path.suffix.lower() == ".xlsx" else "line"
        super().__init__("\n".join(f"{path}: {fault.counted(lines)}" for fault in self.faults))


class Unavailable(RoleplayError):
    """Something outside the program failed. Says what failed, why, and what to do about it."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(f"{what}: {why}. {remedy}")


class Rejected(RoleplayError):
    """A request that cannot be carried out; nothing has been changed."""
