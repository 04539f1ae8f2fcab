"""How faithful the simulated customer is: role flips, leaks, invented facts, repetition, dialect, endings.

Judged line by line with the customer's own guard, held against the ledger as it stood at that turn.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer

from eval.playing import DATA, Played, play_all, throw_away_room
from roleplay.guard import lacks_dialect, leak, ledger, repeats, role_flip, unsupported
from roleplay.reports import as_data, make_report
from roleplay.scripts import load_scripts
from roleplay.terminal import clear_errors, tell


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What one customer line did wrong; `dialect` is None where none had to be heard."""

    role_flip: bool
    leak: bool
    unsupported: bool
    repeat: bool
    over_length: bool
    dialect: bool | None


def main(
    scripts: Annotated[Path, typer.Option(help="scripted trainees, a YAML list")] = DATA / "scripts.yaml",
    personas: Annotated[
        list[Path] | None, typer.Option(help="persona files or folders; default: those of the settings")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="calls of each script with each persona")] = 1,
    model: Annotated[
        str | None, typer.Option(help="the customer's model: bundled, hf:…, openai:…#…, scripted:…")
    ] = None,
    out: Annotated[Path | None, typer.Option("--json", help="file for all figures and transcripts")] = None,
) -> None:
    """How faithful is the simulated customer, over scripted trainees of every kind?"""
    with clear_errors():
        loaded = load_scripts(scripts)
        with throw_away_room(model=model, personas=personas) as room:
            played = play_all(room, loaded, seeds, tell)
        figures = measure(played)
    if out is not None:
        out.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    _print(figures)


def measure(played: Sequence[Played]) -> dict[str, Any]:
    """All figures of DESIGN's format; rates from 0 to 1, None where there was nothing to measure."""
    by_policy: dict[str, list[Played]] = defaultdict(list)
    for each in played:
        by_policy[each.script.policy].append(each)
    return {
        "all": _rates(played) | {"shared_across_seeds": _shared(played)},
        "sources": _sources(played),
        "by_policy": {name: _rates(calls) | _endings(calls) for name, calls in sorted(by_policy.items())},
        "calls": [
            {"script": each.script.id, "policy": each.script.policy, "seed": each.seed}
            | as_data(make_report(each.call, {}))
            for each in played
        ],
    }


def line_figures(played: Played) -> list[LineFigures]:
    """One row for each customer line of a call."""
    rows: list[LineFigures] = []
    said: list[str] = []
    heard: list[str] = []
    call = played.call
    for each in call.exchanges:
        heard.append(each.reply.text)
        text, own = each.answer.text, each.detail["source"] == "own"
        open_then = ledger(call.persona, each.before, each.directive.tell, said, heard)
        rows.append(
            LineFigures(
                role_flip=bool(role_flip(text, call.persona.language)),
                leak=bool(leak(text, open_then)),
                unsupported=bool(unsupported(text, open_then, own)),
                repeat=not each.directive.again and bool(repeats(text, open_then)),
                over_length=len(text) > open_then.max_chars,
                dialect=not lacks_dialect(text, open_then) if open_then.markers and len(text) > 6 else None,
            )
        )
        said.append(text)
    return rows


def _rates(played: Sequence[Played]) -> dict[str, Any]:
    rows = [row for each in played for row in line_figures(each)]
    dialect = [row.dialect for row in rows if row.dialect is not None]

    def share(values: Sequence[bool]) -> float | None:
        return round(mean(values), 4) if values else None

    return {
        "n_calls": len(played),
        "n_lines": len(rows),
        "role_flip": share([row.role_flip for row in rows]),
        "leak": share([row.leak for row in rows]),
        "unsupported": share([row.unsupported for row in rows]),
        "repeat_in_call": share([row.repeat for row in rows]),
        "over_length": share([row.over_length for row in rows]),
        "dialect_heard": share(dialect),
    }


def _endings(played: Sequence[Played]) -> dict[str, Any]:
    well = [each.call.ending in each.call.persona.good_endings for each in played]
    return {
        "ended_well": round(mean(well), 4),
        "ended_badly": round(1 - mean(well), 4),
        "turns": round(mean(len(each.call.exchanges) for each in played), 2),
    }


def _shared(played: Sequence[Played]) -> float | None:
    """Mean share of lines that two calls of one script and persona with different seeds have in common."""
    groups: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
    for each in played:
        groups[each.script.id, each.call.persona.id].append({turn.answer.text for turn in each.call.exchanges})
    shares = [
        len(one & two) / max(1, min(len(one), len(two)))
        for calls in groups.values()
        for one, two in combinations(calls, 2)
    ]
    return round(mean(shares), 4) if shares else None


def _sources(played: Sequence[Played]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"proposed": 0, "struck_out": 0, "chosen": 0})
    for each in played:
        for turn in each.call.exchanges:
            counts[turn.detail["source"]]["chosen"] += 1
            for source, number in turn.detail["proposed"].items():
                counts[source]["proposed"] += number
            for source, *_ in turn.detail["struck"]:
                counts[source]["struck_out"] += 1
    return dict(counts)


def _print(figures: dict[str, Any]) -> None:
    rows = {"all": figures["all"], **figures["by_policy"]}
    names = ["n_calls", "n_lines", "role_flip", "leak", "unsupported", "repeat_in_call", "dialect_heard", "over_length"]
    names += ["ended_well", "turns"]
    typer.echo("".ljust(24) + "".join(name.rjust(15) for name in names))
    for label, row in rows.items():
        cells = ("–" if row.get(name) is None else str(row[name]) for name in names)
        typer.echo(label.ljust(24) + "".join(cell.rjust(15) for cell in cells))
    typer.echo(f"shared across seeds: {figures['all']['shared_across_seeds']}")
    for source, counts in figures["sources"].items():
        typer.echo(f"{source}: " + ", ".join(f"{name} {number}" for name, number in counts.items()))
