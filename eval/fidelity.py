"""How faithful a customer was to its part, line by line: judged with its own guard, held against the ledger of that turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from rapidfuzz import fuzz

from eval.intervals import mean
from roleplay.agreement import spearman
from roleplay.call import Call
from roleplay.guard import lacks_dialect, leak, ledger, repeats, role_flip, unsupported

NEAR = 80  # percent of characters from which two lines are nearly the same
FAULTS = ("role_flip", "leak", "unsupported", "repeat_in_call", "over_length")


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What one customer line did wrong; `dialect_heard` is None where none had to be heard.

    `length` is the line's share of what this customer says at most.
    """

    role_flip: bool
    leak: bool
    unsupported: bool
    repeat_in_call: bool
    over_length: bool
    dialect_heard: bool | None
    length: float

    def as_data(self) -> dict[str, float | None]:
        return asdict(self)


def line_figures(call: Call) -> list[LineFigures]:
    """One row for each customer line of a call."""
    rows: list[LineFigures] = []
    said: list[str] = []
    heard: list[str] = []
    for each in call.exchanges:
        heard.append(each.reply.text)
        text, source = each.answer.text, each.detail["source"]
        own = len(each.meant)  # what is heard beside its words on a bad line is none of its length
        open_then = ledger(call.persona, each.before, each.directive.tell, said, heard)
        rows.append(
            LineFigures(
                role_flip=bool(role_flip(text, call.persona.language, source)),
                leak=bool(leak(text, open_then, source)),
                unsupported=bool(unsupported(text, open_then, source == "own")),
                repeat_in_call=not each.directive.again and bool(repeats(text, open_then)),
                over_length=own > open_then.max_chars,
                dialect_heard=not lacks_dialect(text, open_then) if open_then.markers and len(text) > 6 else None,
                length=own / open_then.max_chars,
            )
        )
        said.append(text)
    return rows


# Over the data of played calls (`playing.call_data`); rates from 0 to 1, None where there was nothing to measure.


def rates(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    lines = [line for call in calls for line in call["lines"]]
    found = {name: mean([line[name] for line in lines]) for name in FAULTS}
    dialect = [line["dialect_heard"] for line in lines if line["dialect_heard"] is not None]
    length = mean([line["length"] for line in lines])
    return {"n_calls": len(calls), "n_lines": len(lines), **found, "dialect_heard": mean(dialect), "length": length}


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


def variety(calls: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """How much a customer repeats itself over a call and over seeds.

    `distinct_2`: the share of different pairs (of characters; of words in English) among all of a call.
    `shared_across_seeds`: the mean share of lines that two calls of one script and persona with different
    seeds have in common; `near_across_seeds`: nearly so.
    """
    groups: dict[tuple[Any, ...], list[set[str]]] = defaultdict(list)
    for call in calls:
        same = tuple(call.get(name) for name in ("script", "persona", "customer", "trainee"))
        groups[same].append({turn["customer"] for turn in call["turns"]})
    pairs = [pair for lines in groups.values() for pair in combinations(lines, 2)]
    near = [mean([_is_near(line, two) for line in one]) for one, two in pairs]
    return {
        "distinct_2": mean([share for call in calls if (share := _distinct_pairs(call)) is not None]),
        "shared_across_seeds": mean([len(one & two) / max(1, min(len(one), len(two))) for one, two in pairs]),
        "near_across_seeds": mean([share for share in near if share is not None]),
    }


def _is_near(line: str, others: Iterable[str]) -> bool:
    return any(fuzz.ratio(line, other) >= NEAR for other in others)


def _distinct_pairs(call: Mapping[str, Any]) -> float | None:
    pairs: list[tuple[str, str]] = []
    for turn in call["turns"]:
        pieces = list(turn["customer"]) if call["language"] == "zh-CN" else turn["customer"].lower().split()
        pairs += pairwise(pieces)
    return len(set(pairs)) / len(pairs) if pairs else None


def disclosure(calls: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """How the personas' facts came out: shares asked for, told unasked, never told."""
    hows = [fact["how"] for call in calls for fact in call["facts"]]
    return {how: mean([each == how for each in hows]) for how in ("asked", "volunteered", "missed")}


def reactions(calls: Sequence[Mapping[str, Any]]) -> dict[str, float | int | None]:
    """Feelings against what the trainee did: replies and how they read, with the change that followed.

    `calmed_by_cold`: of replies that read as cold (empathy 2 or less), the share after which anger fell;
    `angered_by_warm`: of those that read as warm (4 or more) and stated nothing wrong, the share after which
    it rose; `follows`: rank correlation of empathy with the move of trust minus that of anger.
    """
    seen: list[tuple[float, float, float, bool]] = []  # empathy, change of anger, change of trust, wrong claim
    for call in calls:
        for number, turn in enumerate(call["turns"]):
            before, after = call["feelings"][number], call["feelings"][number + 1]
            wrong = any(claim["verdict"] == "contradicted" for claim in turn["reading"]["claims"])
            empathy = turn["reading"]["estimates"]["empathy"]
            seen.append((empathy, after[0] - before[0], after[2] - before[2], wrong))
    cold = [anger < 0 for empathy, anger, _, _ in seen if empathy <= 2]
    warm = [anger > 0 for empathy, anger, _, wrong in seen if empathy >= 4 and not wrong]
    follows = None
    if len(seen) > 2:
        moves = np.array([(empathy, trust - anger) for empathy, anger, trust, _ in seen])
        follows = spearman(moves[:, 0], moves[:, 1])
    return {"n_cold": len(cold), "calmed_by_cold": mean(cold), "n_warm": len(warm), "angered_by_warm": mean(warm),
            "follows": follows}  # fmt: skip


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
