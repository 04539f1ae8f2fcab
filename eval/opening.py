"""The live parts that suites measure, made from settings, and what a specification says of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eval.specification import ROOT, files_hash, sha256
from roleplay.dialogue import Exchange
from roleplay.reading import Reading
from roleplay.rubric import Grade
from roleplay.settings import Settings, load_settings

if TYPE_CHECKING:
    from roleplay.grading import Grader
    from roleplay.models import LanguageModel
    from roleplay.reader import Reader
    from roleplay.room import Room


class Named(Protocol):
    @property
    def spec(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


def identity(part: Named) -> str:
    """A model or grader as a specification names it: how the user did, and what changes with its weights."""
    return f"{part.spec} {part.fingerprint}"


@dataclass(frozen=True)
class Judging:
    """A reader and a grader: what scores a reply."""

    settings: Settings
    reader: Reader
    grader: Grader

    @classmethod
    def load(cls, grader: str | None, standards: Sequence[Path] = ()) -> Judging:
        """Raises RoleplayError when a part cannot be had."""
        from roleplay.build import build_embedder, build_grader, build_reader

        settings = load_settings(grader=grader, standards=[str(path) for path in standards] or None)
        return cls(settings, build_reader(settings, build_embedder(settings)), build_grader(settings))

    def grade(self, exchange: Exchange) -> Grade:
        return self.score(exchange, self.reader.read(exchange))

    def score(self, exchange: Exchange, reading: Reading) -> Grade:
        """A grader that follows a script begins it anew, so that no case hangs on another."""
        if self.settings.grader.startswith("scripted:"):
            from roleplay.build import build_grader

            return build_grader(self.settings).grade(exchange, reading)
        return self.grader.grade(exchange, reading)

    def subject(self) -> dict[str, Any]:
        return judging_subject(self.settings, self.grader)


def judging_subject(settings: Settings, grader: Grader) -> dict[str, Any]:
    """What scores hang on: the grader's weights and calibration, the reader's, standards, prompts."""
    rules = list(settings.standards) or [ROOT / "roleplay" / "rules"]
    return {
        "grader": identity(grader),
        "calibration": sha256(repr(asdict(grader.calibration)).encode()) if grader.calibration else None,
        "reader": files_hash([ROOT / "roleplay" / "bundled" / "reader"], (".safetensors", ".json")),
        "standards": files_hash(rules, (".yaml",)),
        "prompts": files_hash([ROOT / "roleplay" / "prompts"], (".yaml",)),
    }


@contextmanager
def throw_away_room(
    model: str | None = None, grader: str | None = None, personas: Sequence[Path] | None = None
) -> Iterator[Room]:
    """The room of the settings, but with records and search index of its own, which go when it closes.

    A Chroma folder belongs to one process; so a run disturbs no page that is open, and several workers
    do not disturb each other.
    """
    from roleplay.build import build_room

    settings = load_settings(
        model=model, grader=grader, personas=[str(path) for path in personas] if personas else None
    )
    with tempfile.TemporaryDirectory(prefix="roleplay-eval-", ignore_cleanup_errors=True) as folder:
        if (calibrations := settings.data / "calibrations").is_dir():
            shutil.copytree(calibrations, Path(folder, "calibrations"))
        own = {"data": Path(folder), "database": f"sqlite:///{folder}/records.db"}
        room = build_room(settings.model_copy(update=own))
        try:
            yield room
        finally:
            room.records.close()


def room_subject(room: Room, settings: Settings) -> dict[str, Any]:
    """What calls hang on: the customer, its way, the knowledge base, and what scores hang on."""
    return {
        "customer": identity(room.customer.model),
        "customer_way": "write" if room.customer.writes else "choose",
        "customer_lines": files_hash([ROOT / "roleplay" / "lines"], (".jsonl", ".yaml")),
        "knowledge_base": room.knowledge.version,
        **judging_subject(settings, room.grader),
    }


def fresh_model(settings: Settings, spec: str, model: LanguageModel, timeout: float) -> LanguageModel:
    """The same model; one that follows a script begins it anew, so that no case hangs on another."""
    from roleplay.build import build_model

    return build_model(settings, spec, timeout) if spec.startswith("scripted:") else model
