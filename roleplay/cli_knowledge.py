"""The `roleplay kb` commands: import files into the knowledge base, look at its versions, go back to one.

Exit status as for all commands; `kb import` without --apply says 3 when something in the files is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from roleplay.errors import Rejected
from roleplay.settings import Settings, load_settings
from roleplay.terminal import DataOption, tell

if TYPE_CHECKING:
    from roleplay.knowledge.changes import Changes
    from roleplay.knowledge.entries import Entry
    from roleplay.knowledge.ingest import FilePlan

SHOWN = 200  # characters of a value in a difference

kb = typer.Typer(no_args_is_help=True, help="The knowledge base: import files, compare versions, go back.")

KnowledgeOption = Annotated[
    str | None, typer.Option("--knowledge", help="knowledge-base files or folders, instead of the settings'")
]


@kb.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="yaml, csv, xlsx, jsonl, md, txt, docx, pptx, pdf")],
    product: Annotated[str | None, typer.Option(help="the product, where a file does not say it")] = None,
    audience: Annotated[
        Literal["public", "internal"], typer.Option(help="who may see it, where a file does not say")
    ] = "public",
    into: Annotated[
        Path | None, typer.Option(help="folder of the knowledge base; default: the first of the settings")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="do it; without this, only look")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="leave out what is wrong and import the rest")] = False,
    knowledge: KnowledgeOption = None,
    data: DataOption = None,
) -> None:
    """Show what importing files would change, and with --apply change it, all or nothing.

    A file imported again replaces what it brought last time. Exit status 3 if something is wrong with the files.
    """
    settings = load_settings(data=data, knowledge=knowledge)
    from roleplay.knowledge.drafts import Defaults
    from roleplay.knowledge.ingest import apply as apply_plan
    from roleplay.knowledge.ingest import plan_import

    folder = into.absolute() if into else _first_folder(settings)
    plan = plan_import(files, settings.knowledge, folder, Defaults(product, audience), tell)
    for each in plan.files:
        _print_plan(each)
    _print_warnings(plan.warnings, plan.changes, settings)
    if not apply:
        typer.echo("Nothing has been changed; with --apply it is.")
        if plan.faults and not skip_bad:
            raise typer.Exit(3)
        return
    version = apply_plan(plan, settings.knowledge, settings.data / "knowledge", skip_bad)
    typer.echo(f"Published as {version}." if version else "Nothing to change: all of it is there already.")
    if version:
        typer.echo("Calls use it from the next reply on, and so does a page that is open now.")


@kb.command()
def versions(data: DataOption = None) -> None:
    """List the published versions, the oldest first."""
    from roleplay.knowledge.versions import list_versions

    for each in list_versions(load_settings(data=data).data / "knowledge" / "versions"):
        typer.echo(f"{each.number:>4}  {each.at}  {each.hash}  {each.count:>5} entries  {each.why}")


@kb.command()
def diff(
    before: Annotated[str, typer.Argument(help="a version's number, or the beginning of its hash")],
    after: Annotated[str, typer.Argument(help="another, or `now` for the files as they are")] = "now",
    knowledge: KnowledgeOption = None,
    data: DataOption = None,
) -> None:
    """Show which entries were added, changed and removed between two versions, and which personas name them."""
    settings = load_settings(data=data, knowledge=knowledge)
    from roleplay.knowledge.changes import changes

    difference = changes(_entries(before, settings), _entries(after, settings))
    for line in _lines(difference):
        typer.echo(line)
    if not difference:
        typer.echo("no difference")
    _print_warnings((), difference, settings)


@kb.command("restore")
def restore_version(
    version: Annotated[str, typer.Argument(help="a version's number, or the beginning of its hash")],
    knowledge: KnowledgeOption = None,
    data: DataOption = None,
) -> None:
    """Bring the knowledge base's files back as a version had them. What is there now is kept as a version first."""
    settings = load_settings(data=data, knowledge=knowledge)
    from roleplay.knowledge.changes import changes
    from roleplay.knowledge.versions import find_version, restore, version_entries

    folder = settings.data / "knowledge" / "versions"
    wanted = find_version(folder, version)
    difference = changes(_entries("now", settings), version_entries(folder, wanted))
    made = restore(wanted, settings.knowledge, folder)
    typer.echo(f"The files are as in version {wanted.number} again; published as {made}.")
    _print_warnings((), difference, settings)


def _first_folder(settings: Settings) -> Path:
    for path in settings.knowledge:
        if not path.is_file():
            return path
    raise Rejected("the settings name only files as knowledge; name a folder there, which imports go to")


def _entries(name: str, settings: Settings) -> list[Entry]:
    from roleplay.knowledge.entries import load_entries
    from roleplay.knowledge.versions import find_version, version_entries

    if name == "now":
        return load_entries(settings.knowledge)
    folder = settings.data / "knowledge" / "versions"
    return version_entries(folder, find_version(folder, name))


def _print_plan(plan: FilePlan) -> None:
    counts = {
        "added": len(plan.changes.added),
        "changed": len(plan.changes.changed),
        "removed": len(plan.changes.removed),
        "duplicated": len(plan.duplicates),
        "wrong": len(plan.faults),
    }
    numbers = ", ".join(f"{number} {name}" for name, number in counts.items())
    typer.echo(f"{plan.path} -> {plan.target}: {len(plan.entries)} entries; {numbers}")
    for line in _lines(plan.changes):
        typer.echo(f"  {line}")
    for text in plan.duplicates:
        typer.echo(f"  = {text}")
    for text in plan.notes:
        typer.echo(f"  . {text}")
    for fault in plan.faults:
        typer.echo(f"  ! {fault}")


def _print_warnings(warnings: Iterable[str], difference: Changes, settings: Settings) -> None:
    from roleplay.knowledge.changes import stale_personas
    from roleplay.persona import load_library

    for text in warnings:
        typer.echo(f"look at: {text}")
    personas = load_library(settings.personas).personas.values() if difference else ()
    for persona, entries in stale_personas(personas, difference).items():
        typer.echo(f"look at: persona {persona} rests on {', '.join(entries)}")


def _lines(difference: Changes) -> Iterator[str]:
    for entry in difference.added:
        yield f"+ {entry.id}  {entry.question}"
    for each in difference.changed:
        yield f"~ {each.after.id}  {each.after.question}"
        for name in each.fields:
            yield f"    {name}: {_short(getattr(each.before, name))} -> {_short(getattr(each.after, name))}"
    for entry in difference.removed:
        yield f"- {entry.id}  {entry.question}"


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
