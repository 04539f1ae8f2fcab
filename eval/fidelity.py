"""How faithful a customer was to its part, line by line: judged with its own guard, held against the ledger of that turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from eval.intervals import mean
from roleplay.guard import lacks_dialect, leak, ledger, repeats, role_flip, unsupported
from roleplay.room import Call

FAULTS = ("role_flip", "leak", "unsupported", "repeat_in_call", "over_length")


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What one customer line did wrong; `dialect_heard` is None where none had to be heard."""

    role_flip: bool
    leak: bool
    unsupported: bool
    repeat_in_call: bool
    over_length: bool
    dialect_heard: bool | None

    def as_data(self) -> dict[str, bool | None]:
        return asdict(self)


def line_figures(call: Call) -> list[LineFigures]:
    """One row for each customer line of a call."""
    rows: list[LineFigures] = []
    said: list[str] = []
    heard: list[str] = []
    for each in call.exchanges:
        heard.append(each.reply.text)
        text, own = each.answer.text, each.detail["source"] == "own"
        open_then = ledger(call.persona, each.before, each.directive.tell, said, heard)
        rows.append(
            LineFigures(
                role_flip=bool(role_flip(text, call.persona.language)),
                leak=bool(leak(text, open_then)),
                unsupported=bool(unsupported(text, open_then, own)),
                repeat_in_call=not each.directive.again and bool(repeats(text, open_then)),
                over_length=len(text) > open_then.max_chars,
                dialect_heard=not lacks_dialect(text, open_then) if open_then.markers and len(text) > 6 else None,
            )
        )
        said.append(text)
    return rows


# Over the data of played calls (`playing.call_data`); rates from 0 to 1, None where there was nothing to measure.


def rates(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    lines = [line for call in calls for line in call["lines"]]
    found = {name: mean([line[name] for line in lines]) for name in FAULTS}
    dialect = [line["dialect_heard"] for line in lines if line["dialect_heard"] is not None]
    return {"n_calls": len(calls), "n_lines": len(lines), **found, "dialect_heard": mean(dialect)}


def endings(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    well = mean([call["ended_well"] for call in calls])
    turns = mean([len(call["turns"]) for call in calls])
    return {"ended_well": well, "ended_badly": None if well is None else 1 - well, "turns": turns}


def grouped(calls: Sequence[Mapping[str, Any]], *names: str) -> dict[str, list[Mapping[str, Any]]]:
    """The calls by what they were played with, such as their policy; several names joined by " · "."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for call in calls:
        groups[" · ".join(str(call[name]) for name in names)].append(call)
    return dict(sorted(groups.items()))


def shared_across_seeds(calls: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean share of lines that two calls of one script and persona with different seeds have in common."""
    groups: dict[tuple[Any, ...], list[set[str]]] = defaultdict(list)
    for call in calls:
        same = tuple(call.get(name) for name in ("script", "persona", "customer", "trainee"))
        groups[same].append({turn["customer"] for turn in call["turns"]})
    pairs = [pair for lines in groups.values() for pair in combinations(lines, 2)]
    return mean([len(one & two) / max(1, min(len(one), len(two))) for one, two in pairs])


def sources(calls: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """By where lines came from: how many were proposed, struck out by the guard, chosen."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"proposed": 0, "struck_out": 0, "chosen": 0})
    for call in calls:
        for turn in call["turns"]:
            guard = turn["guard"]
            counts[guard["source"]]["chosen"] += 1
            for source, number in guard["proposed"].items():
                counts[source]["proposed"] += number
            for source, *_ in guard["struck"]:
                counts[source]["struck_out"] += 1
    return dict(counts)


def feelings(calls: Sequence[Mapping[str, Any]], longest: int = 20) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Anger, confusion and trust as curves of (reply's number, mean over the calls that came so far)."""
    for place, name in enumerate(("anger", "confusion", "trust")):
        points: list[tuple[float, float]] = []
        for number in range(longest):
            there = [call["feelings"][number][place] for call in calls if number < len(call["feelings"])]
            if len(there) * 4 >= len(calls) and there:  # a mean over the last few calls would say little
                points.append((float(number), sum(there) / len(there)))
        yield name, points
