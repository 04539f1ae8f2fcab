"""`roleplay user`: people who may log in when the page is open to the network."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from roleplay.settings import load_settings
from roleplay.terminal import DataOption, clear_errors

users = typer.Typer(no_args_is_help=True, help="People who may log in when the page is open to the network.")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument()],
    role: Annotated[Literal["trainee", "trainer", "evaluator"], typer.Option(help="what they may do")] = "trainee",
    data: DataOption = None,
) -> None:
    """Add somebody who may log in; asks for the password, or reads it from a pipe."""
    with clear_errors():
        password = _password()
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


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _records(data: str | None) -> Any:
    from roleplay.records import Records

    return Records(load_settings(data=data).database_url)
