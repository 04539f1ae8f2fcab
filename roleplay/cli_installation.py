"""Commands that look after an installation: is it well, what is it made of, take its data along and bring it back."""

from __future__ import annotations

import importlib.metadata as metadata
import json
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from roleplay import __version__
from roleplay.errors import RoleplayError
from roleplay.settings import Settings, load_settings
from roleplay.terminal import DataOption, written

installation = typer.Typer()
LIBRARIES = ("torch", "transformers", "sentence-transformers", "chromadb", "gradio", "sqlalchemy", "openai")


@installation.command()
def doctor(data: DataOption = None) -> None:
    """Look at this installation: versions, settings, models, folders; says what is wrong and what to do."""
    typer.echo(f"roleplay {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in LIBRARIES:
        try:
            typer.echo(f"  {name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            typer.echo(f"  {name} is not installed" + (" (needed for openai: models)" if name == "openai" else ""))
    if not _well("settings", lambda: load_settings(data=data) and "read"):
        raise typer.Exit(1)
    if [what for what, step in _parts(load_settings(data=data)) if not _well(what, step)]:
        raise typer.Exit(1)


def _well(what: str, step: Callable[[], object]) -> bool:
    try:
        typer.echo(f"ok    {what}: {step()}")
    except RoleplayError as error:
        typer.echo(f"wrong {what}: {error}")
        return False
    return True


def _parts(settings: Settings) -> Iterator[tuple[str, Callable[[], object]]]:
    from roleplay import build

    yield "personas", lambda: f"{len(build.build_library(settings).personas)} can be played"
    yield "embedder", lambda: build.build_embedder(settings).fingerprint
    yield "knowledge base", lambda: build.build_knowledge(settings, build.build_embedder(settings)).version
    yield "customer's model", lambda: build.build_model(settings, settings.model, settings.answer_timeout).fingerprint
    yield "grader", lambda: build.build_grader(settings).fingerprint
    yield "records", lambda: build.Records(settings.database_url) and "can be written"


@installation.command()
def models() -> None:
    """Show the models in use, what they are, and how to name others."""
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


@installation.command()
def export(
    out: Annotated[Path, typer.Argument(help="file to write: .jsonl")],
    trainee: Annotated[str | None, typer.Option(help="only this person's calls")] = None,
    data: DataOption = None,
) -> None:
    """Write the kept calls with their reports, one JSON object a line."""
    from roleplay.exports import as_data
    from roleplay.records import Records
    from roleplay.reports import kept_report

    records = Records(load_settings(data=data).database_url)
    rows = records.calls(trainee, limit=None)
    with written(out) as stream:
        for row in rows:
            stream.write(json.dumps(as_data(kept_report(records, row.id)), ensure_ascii=False) + "\n")
    typer.echo(f"{len(rows)} calls in {out}")


@installation.command("backup")
def make_backup(
    out: Annotated[Path, typer.Argument(help="file to write, such as practice-room.zip")], data: DataOption = None
) -> None:
    """Keep records, knowledge versions, personas, knowledge and standards files in one file; the page may be running."""
    from roleplay.backup import back_up

    typer.echo(f"{back_up(load_settings(data=data), out)} files kept in {out}")


@installation.command("restore")
def restore_backup(
    file: Annotated[Path, typer.Argument(help="a file made by `roleplay backup`")], data: DataOption = None
) -> None:
    """Bring back what a backup holds. Stop the page first; what is there now is moved aside, not lost."""
    from roleplay.backup import restore

    aside = restore(load_settings(data=data), file)
    typer.echo(f"{file} is back in place" + (f"; what was there before lies in {aside}" if aside else ""))
