"""The `roleplay` command. Each command says in its help what it does, what it needs, and its exit status.

Exit status: 0 done; 1 what was asked for could not be done (one message says why); 2 the command line is
wrong; `check` and `call --fail-under` say 3 when what they checked is not good enough.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roleplay import __version__
from roleplay.cli_cards import cards
from roleplay.cli_knowledge import kb
from roleplay.cli_users import users
from roleplay.dialogue import Language
from roleplay.errors import RoleplayError
from roleplay.settings import Settings, load_settings
from roleplay.terminal import (
    DataOption,
    GraderOption,
    JsonOption,
    ModelOption,
    PersonasOption,
    SeedOption,
    clear_errors,
    print_report,
    say,
    tell,
    written,
)

if TYPE_CHECKING:
    pass

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
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
    with clear_errors():
        settings = load_settings(host=host, port=port, model=model, grader=grader, personas=personas, data=data)
        from roleplay.web.page import LOOPBACK, listen
        from roleplay.web.page import serve as serve_page

        listening = listen(settings.host, settings.port)  # before the long steps: the port may be in use
        from roleplay.build import build_room, warm_up
        from roleplay.records import now

        room = build_room(settings, tell)
        if settings.keep_days and (gone := room.records.forget_calls(now() - timedelta(days=settings.keep_days))):
            tell(f"deleted {gone} calls older than {settings.keep_days} days")
        if settings.host not in LOOPBACK and (first := room.records.people.add_first_admin()):
            typer.echo(f"First start on a network: log in as {first[0]} with the one-time password {first[1]}")
        if all(spec.startswith(("bundled", "hf:")) for spec in (settings.model, settings.grader)):  # no server is asked
            threading.Thread(target=warm_up, args=(room,), daemon=True).start()
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
    with clear_errors():
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
    with clear_errors():
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
    with clear_errors():
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
    with clear_errors():
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
    with clear_errors():
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
def doctor(data: DataOption = None) -> None:
    """Look at this installation: versions, settings, models, folders; says what is wrong and what to do."""
    import importlib.metadata as metadata
    import platform

    typer.echo(f"roleplay {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in ("torch", "transformers", "sentence-transformers", "chromadb", "gradio", "sqlalchemy", "openai"):
        try:
            typer.echo(f"  {name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            typer.echo(f"  {name} is not installed" + (" (needed for openai: models)" if name == "openai" else ""))
    failed = False
    for what, step in _doctor_steps(data):
        try:
            typer.echo(f"ok    {what}: {step()}")
        except RoleplayError as error:
            failed = True
            typer.echo(f"wrong {what}: {error}")
    if failed:
        raise typer.Exit(1)


def _doctor_steps(data: str | None) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "settings", lambda: load_settings(data=data) and "read"
    settings = load_settings(data=data)
    from roleplay import build

    yield "personas", lambda: f"{len(build.build_library(settings).personas)} can be played"
    yield "embedder", lambda: build.build_embedder(settings).fingerprint
    yield "knowledge base", lambda: build.build_knowledge(settings, build.build_embedder(settings)).version
    yield "customer's model", lambda: build.build_model(settings, settings.model, settings.answer_timeout).fingerprint
    yield "grader", lambda: build.build_grader(settings).fingerprint
    yield "records", lambda: build.Records(settings.database_url) and "can be written"


@app.command()
def models() -> None:
    """Show the models in use, what they are, and how to name others."""
    with clear_errors():
        settings = load_settings()
        bundled = Path(__file__).parent / "bundled"
        for role, spec in (("customer", settings.model), ("grader", settings.grader), ("embedder", settings.embedder)):
            typer.echo(f"{role}: {spec}")
        for folder in sorted(path for path in bundled.iterdir() if path.is_dir()):
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            typer.echo(f"  bundled/{folder.name}: {size / 1e6:.1f} MB, model card {folder / 'README.md'}")
        typer.echo(
            "others: hf:NAME-OR-FOLDER (a Hugging Face model), openai:http://HOST:PORT/v1#NAME (a server),\n"
            "set with --model, ROLEPLAY_MODEL, or model = … in roleplay.toml"
        )


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="replies in the graded-data format, one JSON object a line")],
    grader: GraderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score replies of a file, offline. The scores in the file, if any, are not looked at."""
    with clear_errors():
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
    with clear_errors():
        settings = load_settings(grader=grader, data=data)
        from roleplay.build import build_embedder, build_grader, build_reader
        from roleplay.calibration import calibrate as fit
        from roleplay.graded import read_graded

        made = fit(build_grader(settings), build_reader(settings, build_embedder(settings)), read_graded(file))
        typer.echo(f"kept in {made.save(settings.data)}")
        typer.echo(made.summary())


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="file to write: .jsonl")],
    trainee: Annotated[str | None, typer.Option(help="only this person's calls")] = None,
    data: DataOption = None,
) -> None:
    """Write the kept calls with their reports, one JSON object a line."""
    with clear_errors():
        from roleplay.call import kept_call, kept_grades
        from roleplay.records import Records
        from roleplay.reports import as_data, make_report

        records = Records(load_settings(data=data).database_url)
        rows = records.calls(trainee, limit=None)
        with written(out) as stream:
            for row in rows:
                report = make_report(kept_call(records, row.id), kept_grades(records, row.id))
                stream.write(json.dumps(as_data(report), ensure_ascii=False) + "\n")
        typer.echo(f"{len(rows)} calls in {out}")


@app.command("backup")
def make_backup(
    out: Annotated[Path, typer.Argument(help="file to write, such as practice-room.zip")], data: DataOption = None
) -> None:
    """Keep records, knowledge versions, personas, knowledge and standards files in one file; the page may be running."""
    with clear_errors():
        from roleplay.backup import back_up

        typer.echo(f"{back_up(load_settings(data=data), out)} files kept in {out}")


@app.command("restore")
def restore_backup(
    file: Annotated[Path, typer.Argument(help="a file made by `roleplay backup`")], data: DataOption = None
) -> None:
    """Bring back what a backup holds. Stop the page first; what is there now is moved aside, not lost."""
    with clear_errors():
        from roleplay.backup import restore

        aside = restore(load_settings(data=data), file)
        typer.echo(f"{file} is back in place" + (f"; what was there before lies in {aside}" if aside else ""))


def _print_proofs(proofs: list[Any]) -> None:
    rows = [
        (
            "persona",
            "solvable",
            "replies",
            "good moves",
            "objections",
            "unasked",
            "difficulty",
            "when rude",
            "facts",
            "leaks",
        )
    ]
    for proof in proofs:
        rows.append(
            (
                proof.persona,
                "yes" if proof.solvable else "NO",
                str(proof.turns),
                str(proof.good_moves),
                str(proof.objections),
                f"{proof.unasked:.0%}",
                f"{proof.stated} ({proof.derived})",
                proof.rude_ending,
                f"{proof.facts_told}/{proof.facts}",
                str(proof.leaks),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _list_personas(settings: Settings) -> None:
    from roleplay.persona import load_library

    library = load_library(settings.personas)
    for persona in library.personas.values():
        typer.echo(f"{persona.id}  {persona.title}: {persona.summary}")
    for fault in library.faults:
        tell(str(fault))


def main() -> None:
    """Entry point; a closed pipe or Ctrl+C ends quietly."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
