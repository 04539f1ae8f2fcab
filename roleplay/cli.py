"""The `roleplay` command. Each command says in its help what it does, what it needs, and its exit status.

Exit status: 0 done; 1 what was asked for could not be done (one message says why); 2 the command line is
wrong; `check` and `call --fail-under` say 3 when what they checked is not good enough.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from roleplay import __version__
from roleplay.dialogue import Language
from roleplay.errors import Rejected, RoleplayError
from roleplay.settings import Settings, load_settings

if TYPE_CHECKING:
    from roleplay.room import Call, Room

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
users = typer.Typer(no_args_is_help=True, help="People who may log in when the page is open to the network.")
app.add_typer(users, name="user")

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


@contextmanager
def clear_errors() -> Iterator[None]:
    """One message on standard error and exit status 1 for everything that the program raises on purpose."""
    try:
        yield
    except RoleplayError as error:
        typer.echo(f"roleplay: {error}", err=True)
        raise typer.Exit(1) from error


def tell(message: str) -> None:
    typer.echo(message, err=True)


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
        from roleplay.build import build_room
        from roleplay.records import now
        from roleplay.web.page import serve as serve_page

        room = build_room(settings, tell)
        if settings.keep_days and (gone := room.records.forget_calls(now() - timedelta(days=settings.keep_days))):
            tell(f"deleted {gone} calls older than {settings.keep_days} days")
        serve_page(room, settings, lambda address: typer.echo(f"The practice room is open: {address}"))


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
            call = _say(room, call, text)
        _print_report(room, call, as_json=False)


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
            call = _say(room, call, line, echo=not as_json)
        _print_report(room, call, as_json)


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="persona files or folders; default: those of the settings")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that personas can be published: schema, references, solvable, ends badly when treated badly.

    Also checks the knowledge base and the standards. Exit status 3 when anything is wrong.
    """
    with clear_errors():
        settings = load_settings(personas=[str(path) for path in paths] if paths else None)
        from roleplay.knowledge.entries import load_entries
        from roleplay.persona import load_library
        from roleplay.rehearsal import rehearse

        entries = load_entries(settings.knowledge)
        library = load_library(settings.personas, [entry.id for entry in entries])
        proofs = [rehearse(persona) for persona in library.personas.values()]
        if as_json:
            from dataclasses import asdict

            typer.echo(json.dumps([asdict(proof) for proof in proofs], ensure_ascii=False, indent=1, default=str))
        else:
            _print_proofs(proofs)
        for fault in library.faults:
            tell(str(fault))
        for proof in proofs:
            for each in proof.faults:
                tell(f"{library.paths[proof.persona]}: {each}")
        if library.faults or any(proof.faults for proof in proofs):
            raise typer.Exit(3)


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
def doctor() -> None:
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
    for what, step in _doctor_steps():
        try:
            typer.echo(f"ok    {what}: {step()}")
        except RoleplayError as error:
            failed = True
            typer.echo(f"wrong {what}: {error}")
    if failed:
        raise typer.Exit(1)


def _doctor_steps() -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "settings", lambda: load_settings() and "read"
    settings = load_settings()
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
        from roleplay.records import Records
        from roleplay.reports import as_data, make_report
        from roleplay.room import kept_call, kept_grades

        records = Records(load_settings(data=data).database_url)
        rows = records.calls(trainee, limit=None)
        with _written(out) as stream:
            for row in rows:
                report = make_report(kept_call(records, row.id), kept_grades(records, row.id))
                stream.write(json.dumps(as_data(report), ensure_ascii=False) + "\n")
        typer.echo(f"{len(rows)} calls in {out}")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument()],
    role: Annotated[Literal["trainee", "trainer", "evaluator"], typer.Option(help="what they may do")] = "trainee",
    data: DataOption = None,
) -> None:
    """Add somebody who may log in; asks for the password."""
    with clear_errors():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        _records(data).add_user(name, role, password)
        typer.echo(f"{name} may log in as {role}")


@users.command("list")
def list_users(data: DataOption = None) -> None:
    """List who may log in."""
    with clear_errors():
        for row in _records(data).users():
            typer.echo(f"{row.name}  {row.role}  since {row.created_at:%Y-%m-%d}")


@users.command("remove")
def remove_user(name: Annotated[str, typer.Argument()], data: DataOption = None) -> None:
    """Remove a login. The person's calls stay."""
    with clear_errors():
        _records(data).remove_user(name)
        typer.echo(f"{name} can no longer log in")


@users.command("forget")
def forget_user(name: Annotated[str, typer.Argument()], data: DataOption = None) -> None:
    """Delete everything that is kept of a person: the login, and all calls with their grades."""
    with clear_errors():
        gone = _records(data).delete_person(name)
        typer.echo(f"{gone} calls of {name} deleted")


def _records(data: str | None) -> Any:
    from roleplay.records import Records

    return Records(load_settings(data=data).database_url)


def _say(room: Room, call: Call, text: str, echo: bool = True) -> Call:
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


def _print_report(room: Room, call: Call, as_json: bool) -> None:
    from roleplay.reports import as_data, as_markdown, make_report

    call = room.finish(call.id)
    report = make_report(call, room.grades(call.id))
    if as_json:
        typer.echo(json.dumps(as_data(report), ensure_ascii=False, indent=1))
    else:
        typer.echo("\n" + as_markdown(report, call.persona.language))


def _print_proofs(proofs: list[Any]) -> None:
    rows = [("persona", "solvable", "replies", "good moves", "when rude", "facts")]
    for proof in proofs:
        solvable = "yes" if proof.solvable else "NO"
        facts = f"{proof.facts_told}/{proof.facts}"
        rows.append((proof.persona, solvable, str(proof.turns), str(proof.good_moves), proof.rude_ending, facts))
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


@contextmanager
def _written(path: Path) -> Iterator[Any]:
    try:
        with path.open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise Rejected(f"{path} cannot be written: {error.strerror}. Name another file") from error


def main() -> None:
    """Entry point; a closed pipe or Ctrl+C ends quietly."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
