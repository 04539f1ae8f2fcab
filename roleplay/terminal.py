"""What the commands share: options, messages, and a call as the terminal shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from roleplay.errors import Rejected, RoleplayError

if TYPE_CHECKING:
    from roleplay.call import Call
    from roleplay.room import Room

PersonasOption = Annotated[
    str | None, typer.Option("--personas", help="persona files or folders, instead of the shipped")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="the customer's model: bundled, hf:…, openai:…#…, scripted:…")
]
GraderOption = Annotated[str | None, typer.Option("--grader", help="the grader's model, named as for --model")]
DataOption = Annotated[str | None, typer.Option("--data", help="folder for records and the search index")]
JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON on standard output")]
SeedOption = Annotated[int, typer.Option("--seed", help="the same seed and replies give the same call")]


class Commands(TyperGroup):
    """A program's commands: what one of them raises on purpose is one message on standard error and exit status 1."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except RoleplayError as error:
            tell(f"roleplay: {error}")
            raise typer.Exit(1) from error


def tell(message: str) -> None:
    typer.echo(message, err=True)


def say(room: Room, call: Call, text: str, echo: bool = True) -> Call:
    """One turn in the terminal: the words as they come, the scores after them."""
    from roleplay.room import Kept

    for piece in room.say(call.id, text):
        if isinstance(piece, Kept):
            call = piece.call
        elif echo:
            typer.echo(piece, nl=False)
    grade = room.grade(call.id, len(call.exchanges))
    if echo:
        last = call.exchanges[-1]
        gloss = f"  （{last.answer.gloss}）" if last.answer.gloss else ""
        anger, confusion, trust = last.before.feeling.rounded()
        scores = "  ".join(
            f"{name} {'–' if each.value is None else round(each.value)}" for name, each in grade.scores.items()
        )
        typer.echo(f"{gloss}\n   [anger {anger} confusion {confusion} trust {trust}]  [{scores}]")
    return call


def print_report(room: Room, call: Call, as_json: bool) -> None:
    from roleplay.exports import as_data
    from roleplay.grounds import grounds
    from roleplay.report_words import as_markdown
    from roleplay.reports import make_report

    call = room.finish(call.id)
    grades = room.grades(call.id)
    report = make_report(call, grades)
    better = {number: room.better(call, number, grades[number]) for number in report.lowest}
    held = grounds(call, grades, room.knowledge, room.grader.standards)
    report = replace(report, better=better, grounds=held)
    if as_json:
        typer.echo(json.dumps(as_data(report), ensure_ascii=False, indent=1))
    else:
        typer.echo("\n" + as_markdown(report, call.persona.language))


@contextmanager
def written(path: Path) -> Iterator[Any]:
    try:
        with path.open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise Rejected(f"{path} cannot be written: {error.strerror}. Name another file") from error
