"""Whether the grader puts scripted trainees in the right order: excellent above average above cold above rude."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer

from eval.playing import DATA, play_all, throw_away_room
from roleplay.reports import make_report
from roleplay.scripts import load_scripts
from roleplay.terminal import clear_errors, tell

STEPS = (
    ("excellent", "average"),
    ("average", "cold"),
    ("cold", "rude"),
    ("excellent", "wrong_facts"),
    ("average", "injection"),
)


def main(
    scripts: Annotated[Path, typer.Option(help="scripted trainees, a YAML list")] = DATA / "scripts.yaml",
    personas: Annotated[list[Path] | None, typer.Option(help="persona files or folders")] = None,
    model: Annotated[str | None, typer.Option(help="the customer's model")] = None,
    grader: Annotated[str | None, typer.Option(help="the grader's model")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="file for the figures")] = None,
) -> None:
    """Does the grader put scripted trainees in the right order?"""
    with clear_errors(), throw_away_room(model=model, grader=grader, personas=personas) as room:
        totals: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for played in play_all(room, load_scripts(scripts), 1, tell, grade=True):
            report = make_report(played.call, room.grades(played.call.id))
            if report.totals.total is not None:
                totals[played.script.language][played.script.policy].append(report.totals.total)
    figures = {language: _ladder(policies) for language, policies in totals.items()}
    if out is not None:
        out.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    for language, row in figures.items():
        typer.echo(f"{language}: " + "  ".join(f"{name} {value:.0f}" for name, value in row["mean_total"].items()))
        for step in row["steps"]:
            typer.echo(f"  {step['above']} above {step['below']}: {'yes' if step['right'] else 'NO'}")


def _ladder(policies: dict[str, list[float]]) -> dict[str, Any]:
    means = {name: round(mean(values), 1) for name, values in sorted(policies.items(), key=lambda item: -mean(item[1]))}
    steps = [
        {"above": above, "below": below, "right": means[above] > means[below]}
        for above, below in STEPS
        if above in means and below in means
    ]
    return {"mean_total": means, "steps": steps}
