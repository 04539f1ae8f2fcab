"""What a suite is: cases that do not hang on each other, a way to measure one, and what is said of all.

Light: imports no model. `runs` carries a suite out, `reports` writes what it found.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

# Name on the command line to module; each module holds a class `Suite` and a command `main`.
SUITES: Mapping[str, str] = {
    "grader": "eval.grader",
    "regrade": "eval.regrade",
    "attack": "eval.attack",
    "ladder": "eval.ladder",
    "customer": "eval.customer",
    "trainee": "eval.trainee",
    "matrix": "eval.matrix",
    "detectors": "eval.detectors",
    "reading": "eval.reading",
    "retrieval": "eval.retrieval",
    "held-out": "eval.held_out",
    "bench": "eval.bench",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. Cases of one `group` (a context, a persona) are alike and drawn together."""

    id: str
    given: Any = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one case gave: `data` as JSON has it, or None and `why` there is none.

    `data["values"]` holds the case's own figures by name, which `compare` pairs between runs.
    """

    case: str
    group: str
    data: dict[str, Any] | None
    why: str = ""


@dataclass(frozen=True)
class Live:
    """A suite that is ready to run. `data` says what is asked (equal in runs that can be compared),
    `subject` what is asked of: models, prompts, standards, personas, knowledge base. `figures` holds the names of
    all figures that these cases can give, nested as `Suite.figures` does; its values mean nothing."""

    cases: tuple[Case, ...]
    data: Mapping[str, Any]
    subject: Callable[[], Mapping[str, Any]]  # called in one process only: it may load all models
    measure: Callable[[Case], dict[str, Any]]
    figures: Mapping[str, Any]


TOO_FEW = "too_few"  # stands in a cell in place of a number that so few cases cannot give; the report says why


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns; `key` names its heading and note in the texts."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture; `key` names its heading and note in the texts, `label` what it shows of several.

    `draw` gives it as SVG, with the words that it is given for names.
    """

    key: str
    draw: Callable[[Callable[[str], str]], str]
    label: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a transcript, and what is to be seen in it."""

    speaker: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Worst:
    """A case that a reader should look at, and why."""

    case: str
    why: str
    lines: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """What a report says: which of the texts' answers, its fields, and what stands behind it.

    A field of several parts is shown with the reader's words for names among them.
    """

    answer: str
    fields: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    worst: tuple[Worst, ...] = ()


class Suite(Protocol):
    """A question that can be asked again. A frozen dataclass of its options, so that it can go to another process."""

    @property
    def name(self) -> str: ...

    def open(self) -> AbstractContextManager[Live]:
        """Load what is needed and lay out the cases, the same in every process.

        Raises RoleplayError when a file is wrong or something cannot be had: then nothing has been measured.
        """
        ...

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        """All figures, from the results that have data; None where nothing was there to measure."""
        ...

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story: ...


def suite_class(name: str) -> type[Suite]:
    """The suite that a run's specification names; KeyError for an unknown name."""
    found: type[Suite] = importlib.import_module(SUITES[name]).Suite
    return found
