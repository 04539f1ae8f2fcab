"""The `roleplay` command. Each command says in its help what it does, what it needs, and its exit status.

Exit status: 0 done; 1 what was asked for could not be done (one message says why); 2 the command line is
wrong; 3 `check` or `kb import` has looked at files and found something wrong in them.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roleplay import __version__
from roleplay.cli_cards import cards
from roleplay.cli_installation import installation
from roleplay.cli_knowledge import kb
from roleplay.cli_users import users
from roleplay.dialogue import Language
from roleplay.settings import Settings, load_settings
from roleplay.terminal import (
    Commands,
    DataOption,
    GraderOption,
    JsonOption,
    ModelOption,
    PersonasOption,
    SeedOption,
    print_report,
    say,
    tell,
)

if TYPE_CHECKING:
    from roleplay.rehearsal import Proof

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__, cls=Commands
)
app.add_typer(installation)
app.add_typer(users, name="user")
app.add_typer(kb, name="kb")
app.add_typer(cards, name="card")


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if version:
        typer.echo(f"roleplay {__version__}")
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on; 0.0.0.0 opens it to the network")] = None,
    port: Annotated[int | None, typer.Option(help="port of the page; 0 takes any free one")] = None,
    model: ModelOption = None,
    grader: GraderOption = None,
    personas: PersonasOption = None,
    data: DataOption = None,
) -> None:
    """Open the practice room as a web page and print its address. Stop it with Ctrl+C."""
    settings = load_settings(host=host, port=port, model=model, grader=grader, personas=personas, data=data)
    from roleplay.web.page import LOOPBACK, listen
    from roleplay.web.page import serve as serve_page

    listening = listen(settings.host, settings.port)  # before the long steps: the port may be in use
    from roleplay.build import build_room, read_ahead, warm_up
    from roleplay.records import now

    room = build_room(settings, tell)
    if settings.keep_days and (gone := room.records.forget_calls(now() - timedelta(days=settings.keep_days))):
        tell(f"deleted {gone} calls older than {settings.keep_days} days")
    if settings.host not in LOOPBACK and (first := room.records.people.add_first_admin()):
        typer.echo(f"First start on a network: log in as {first[0]} with the one-time password {first[1]}")
    if all(spec.startswith(("bundled", "hf:")) for spec in (settings.model, settings.grader)):  # no server is asked
        threading.Thread(target=warm_up, args=(room,), daemon=True).start()
    threading.Thread(target=read_ahead, args=(room,), daemon=True).start()
    serve_page(room, settings, lambda address: typer.echo(f"The practice room is open: {address}"), listening)


@app.command()
def chat(
    persona: Annotated[str | None, typer.Argument(help="id of a persona; without it, they are listed")] = None,
    seed: SeedOption = 0,
    model: ModelOption = None,
    grader: GraderOption = None,
    personas: PersonasOption = None,
    data: DataOption = None,
) -> None:
    """Have a call in the terminal. An empty line ends it and shows the report; …… stays silent."""
    settings = load_settings(model=model, grader=grader, personas=personas, data=data)
    if persona is None:
        _list_personas(settings)
        return
    from roleplay.build import build_room

    room = build_room(settings, tell)
    call = room.open(persona, seed=seed)
    typer.echo(f"{call.persona.title} · {call.persona.summary}\n")
    while call.ending is None:
        try:
            text = input("> ")
        except EOFError:
            text = ""
        if not text.strip():
            break
        call = say(room, call, text)
    print_report(room, call, as_json=False)


@app.command("call")
def unattended_call(
    persona: Annotated[str, typer.Argument(help="id of a persona")],
    script: Annotated[Path, typer.Option("--script", help="the trainee's lines: .txt, one a line, or .yaml")],
    seed: SeedOption = 0,
    model: ModelOption = None,
    grader: GraderOption = None,
    personas: PersonasOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play a whole call from a file of trainee lines and print the report.

    A YAML script is a list of lines, or a scripted trainee as `python -m eval customer` reads them (the first
    one counts). Lines left over after the end are not said.
    """
    settings = load_settings(model=model, grader=grader, personas=personas, data=data)
    from roleplay.build import build_room
    from roleplay.scripts import script_lines

    lines = script_lines(script)
    room = build_room(settings, tell)
    call = room.open(persona, seed=seed)
    for line in lines:
        if call.ending is not None:
            break
        call = say(room, call, line, echo=not as_json)
    print_report(room, call, as_json)


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="files or folders of personas, knowledge base or standards; default: all of the settings"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that files can be published, and name every fault with its line.

    Personas: schema, references, solvable by a good trainee, ends badly for a rude one, every fact reachable,
    wordings that may be said. Knowledge base: schema, references, numbers that contradict each other. Standards:
    schema. What a file is, is told from its content. Exit status 3 when anything is wrong.
    """
    settings = load_settings()
    from roleplay.checking import check_files

    result = check_files(settings, paths or [])
    if as_json:
        typer.echo(json.dumps(result.as_data(), ensure_ascii=False, indent=1))
    elif result.proofs:
        _print_proofs(result.proofs)
    for fault in result.faults:
        tell(str(fault))
    if result.faults:
        raise typer.Exit(3)
    if not as_json:
        typer.echo(f"{len(result.proofs)} personas, {result.entries} entries, {result.rules} rules: no faults")


@app.command()
def index(data: DataOption = None) -> None:
    """Build the search index of the knowledge base, if it is missing or its files have changed."""
    settings = load_settings(data=data)
    from roleplay.build import build_embedder, build_knowledge

    knowledge = build_knowledge(settings, build_embedder(settings), tell)
    typer.echo(f"{len(knowledge.entries())} entries, version {knowledge.version}")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="a question or a few words")],
    language: Annotated[Language | None, typer.Option(help="only entries in this language")] = None,
    internal: Annotated[bool, typer.Option(help="also entries for staff only")] = False,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search the knowledge base as trainees and the grader do."""
    settings = load_settings(data=data)
    from roleplay.build import build_embedder, build_knowledge

    knowledge = build_knowledge(settings, build_embedder(settings), tell)
    audience = ("public", "internal") if internal else ("public",)
    found = knowledge.search(query, language=language, audience=audience, limit=limit)
    if as_json:
        rows = [{"id": hit.entry.id, "score": hit.score, "question": hit.entry.question} for hit in found.hits]
        typer.echo(json.dumps({"nothing_fits": found.nothing_fits, "hits": rows}, ensure_ascii=False, indent=1))
        return
    if found.nothing_fits:
        typer.echo("nothing in the knowledge base fits; the nearest:")
    for hit in found.hits:
        typer.echo(f"{hit.score:.2f}  {hit.entry.id}  {hit.entry.question}\n      {hit.entry.answer}")


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="replies in the graded-data format, one JSON object a line")],
    grader: GraderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score replies of a file, offline. The scores in the file, if any, are not looked at."""
    settings = load_settings(grader=grader)
    from roleplay.build import build_embedder, build_grader, build_reader
    from roleplay.graded import read_graded

    rows = read_graded(file)
    reader, judge = build_reader(settings, build_embedder(settings)), build_grader(settings)
    for row in rows:
        given = judge.grade(row.exchange, reader.read(row.exchange))
        values = {name: score.value for name, score in given.scores.items()}
        if as_json:
            remarks = [
                {"dimension": each.dimension, "points": each.points, "quote": each.quote, "text": each.text}
                for each in given.remarks
            ]
            status = {name: score.status for name, score in given.scores.items()}
            data = {"id": row.id, "scores": values, "status": status, "remarks": remarks}
            typer.echo(json.dumps(data, ensure_ascii=False))
        else:
            shown = "  ".join(f"{name} {'–' if value is None else round(value)}" for name, value in values.items())
            typer.echo(f"{row.id}  {shown}")


@app.command()
def calibrate(
    file: Annotated[Path, typer.Argument(help="replies with scores, in the graded-data format")],
    grader: GraderOption = None,
    data: DataOption = None,
) -> None:
    """Fit a grader's scores to graded data and keep the mapping, with the agreement measured, for that grader."""
    settings = load_settings(grader=grader, data=data)
    from roleplay.build import build_embedder, build_grader, build_reader
    from roleplay.calibration import calibrate as fit
    from roleplay.graded import read_graded

    made = fit(build_grader(settings), build_reader(settings, build_embedder(settings)), read_graded(file))
    typer.echo(f"kept in {made.save(settings.data)}")
    typer.echo(made.summary())


def _print_proofs(proofs: Sequence[Proof]) -> None:
    rows = [_columns(proof) for proof in proofs]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for row in (dict(zip(widths, widths, strict=True)), *rows):
        typer.echo("  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip())


def _columns(proof: Proof) -> dict[str, str]:
    return {
        "persona": proof.persona,
        "solvable": "yes" if proof.solvable else "NO",
        "replies": str(proof.turns),
        "good moves": str(proof.good_moves),
        "objections": str(proof.objections),
        "unasked": f"{proof.unasked:.0%}",
        "difficulty": f"{proof.stated} ({proof.derived})",
        "when rude": proof.rude_ending,
        "facts": f"{proof.facts_told}/{proof.facts}",
        "leaks": str(proof.leaks),
    }


def _list_personas(settings: Settings) -> None:
    from roleplay.persona import load_library

    library = load_library(settings.personas)
    for persona in library.personas.values():
        typer.echo(f"{persona.id}  {persona.title}: {persona.summary}")
    for fault in library.faults:
        tell(str(fault))
