"""How much the detectors of a customer's faults see: `python -m eval detectors [--lines FILE]`.

The suite customer counts what the customer's own guard finds; this measures that guard on lines labelled by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import Field, RootModel

from eval import plots
from eval.command import suite_command
from eval.intervals import wilson
from eval.playing import DATA
from eval.specification import ROOT, files_hash
from eval.suites import Case, Live, Plot, Result, Said, Story, Table, Worst
from roleplay.conditions import Strict
from roleplay.dialogue import Dialect, Language
from roleplay.errors import Fault, FileFault
from roleplay.guard import Ledger, dialect_markers, lacks_dialect, leak, role_flip, unsupported
from roleplay.speakers import BUNDLED as SPEAKERS
from roleplay.yaml_files import read_yaml, validate

LONGEST = 1000  # characters; length is not what is tested here


class Block(Strict):
    """Lines for one detector in one context; `find` are to be found, `spare` to be let pass."""

    detector: Literal["role_flip", "leak", "unsupported", "dialect"]
    language: Language
    known: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    heard: str = ""
    dialect: Dialect = "none"
    find: tuple[str, ...] = Field(min_length=1)
    spare: tuple[str, ...] = Field(min_length=1)

    def found(self, line: str) -> str:
        """The words that the detector finds, or nothing; for dialect the name of the dialect heard."""
        markers = dialect_markers().get(self.dialect, ())
        ledger = Ledger(
            language=self.language,
            open="\n".join((*self.known, self.heard)),
            untold=self.secret,
            secret=self.secret,
            said=(),
            heard=self.heard,
            max_chars=LONGEST,
            markers=markers,
        )
        if self.detector == "role_flip":
            return role_flip(line, self.language)
        if self.detector == "leak":
            return leak(line, ledger)
        if self.detector == "unsupported":
            return unsupported(line, ledger, own=False)
        return "" if lacks_dialect(line, ledger) else self.dialect


class Blocks(RootModel[tuple[Block, ...]]):
    """A file of labelled lines."""


def load_blocks(path: Path) -> tuple[Block, ...]:
    """Raises FileFault with line and name of every wrong field."""
    data, lines = read_yaml(path)
    blocks = validate(Blocks, data, lines, path).root
    faults = []
    for number, block in enumerate(blocks):
        if block.detector == "leak" and not block.secret:
            faults.append(Fault("a leak needs something secret", lines.get(str(number)), f"{number}.secret"))
        if block.detector == "dialect" and block.dialect == "none":
            faults.append(Fault("names no dialect", lines.get(str(number)), f"{number}.dialect"))
    if faults:
        raise FileFault(path, faults)
    return blocks


@dataclass(frozen=True)
class Suite:
    """How much do the detectors of the customer's faults see?"""

    lines: Path = DATA / "detectors.yaml"
    name: str = "detectors"

    @contextmanager
    def open(self) -> Iterator[Live]:
        blocks = load_blocks(self.lines)
        cases = tuple(
            Case(f"{block.detector} {number} {'find' if label else 'spare'} {at}", (block, label, line), str(number))
            for number, block in enumerate(blocks, 1)
            for label, lines in ((True, block.find), (False, block.spare))
            for at, line in enumerate(lines, 1)
        )

        def measure(case: Case) -> dict[str, Any]:
            block, label, line = case.given
            found = block.found(line)
            return {
                "detector": block.detector,
                "language": block.language,
                "line": line,
                "label": label,
                "found": found,
                "context": [*block.known, block.heard] if block.heard else list(block.known),
                "secret": list(block.secret),
                "values": {f"{block.detector}_right": float(bool(found) == label)},
            }

        prompts = ROOT / "roleplay" / "prompts"
        code = [ROOT / "roleplay" / f"{name}.py" for name in ("guard", "speakers", "withheld")]
        rules = [prompts / "guard.yaml", prompts / "dialects.yaml", *code, SPEAKERS]
        figures: dict[str, dict[str, Any]] = {}
        for block in blocks:
            figures.setdefault(block.detector, {"all": _counts([])})[block.language] = _counts([])
        subject = {"guard": files_hash(rules)}
        yield Live(cases, {"lines": files_hash([self.lines])}, lambda: subject, measure, figures)

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for result in results:
            if result.data is not None:
                by_language = groups.setdefault(result.data["detector"], {"all": []})
                by_language["all"].append(result.data)
                by_language.setdefault(result.data["language"], []).append(result.data)
        return {name: {language: _counts(rows) for language, rows in each.items()} for name, each in groups.items()}

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        columns = ("n", "tp", "fp", "fn", "tn", "precision", "precision_low", "precision_high", "recall", "recall_low",
                   "recall_high")  # fmt: skip
        rows = [
            (name, language, *(row[c] for c in columns))
            for name, each in figures.items()
            for language, row in each.items()
        ]
        table = Table("detectors", ("detector", "language", *columns), tuple(rows))
        if not figures:
            return Story("nothing", {}, (table,))
        recalls, precisions = (
            ", ".join(f"{name.replace('_', ' ')} {_percent(each['all'][share])}" for name, each in figures.items())
            for share in ("recall", "precision")
        )
        bars = [
            ((name, share), row[share], row[f"{share}_low"], row[f"{share}_high"])
            for name, each in figures.items()
            for share, row in (("recall", each["all"]), ("precision", each["all"]))
        ]
        fields = {"n": str(len(results)), "recalls": recalls, "precisions": precisions}
        return Story(
            "measured", fields, (table,), (Plot("shares", partial(plots.bars, bars, 0, 1)),), tuple(_wrong(results))
        )


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Precision and recall with their 95 % intervals; None where nothing was found, or nothing was to be found."""
    pairs = [(row["label"], bool(row["found"])) for row in rows]
    tp, fp, fn, tn = (pairs.count(pair) for pair in ((True, True), (False, True), (True, False), (False, False)))
    figures: dict[str, Any] = {"n": len(rows), "tp": tp, "fp": fp, "fn": fn, "tn": tn}
    for name, total in (("precision", tp + fp), ("recall", tp + fn)):
        figures[name] = tp / total if total else None
        figures[f"{name}_low"], figures[f"{name}_high"] = wilson(tp, total)
    return figures


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _wrong(results: Sequence[Result]) -> Iterator[Worst]:
    """Every line that was judged wrongly."""
    for result in results:
        data = result.data
        if data is not None and bool(data["found"]) != data["label"]:
            why = "missed" if data["label"] else f"wrongly found: {data['found']}"
            lines = [Said("customer", data["line"])]
            lines += [Said("known", text) for text in data["context"]]
            lines += [Said("secret", text) for text in data["secret"]]
            yield Worst(result.case, why, tuple(lines))


@suite_command
def main(
    lines: Annotated[Path, typer.Option(help="labelled lines, YAML; docs/evaluation.md shows the format")] = DATA
    / "detectors.yaml",
) -> Suite:
    """How much of what a customer must not say do the detectors see, and how often do they cry wolf?

    The rates of the suite customer count what the customer's own guard finds. Here that guard is measured on lines
    labelled by hand: role flips, leaks, invented numbers, dialect.

    Example: python -m eval detectors --fail-under role_flip.all.recall=0.8
    """
    return Suite(lines)
