"""`roleplay user`: people who may log in when the page is open to the network."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from roleplay.roles import Role
from roleplay.settings import load_settings
from roleplay.terminal import DataOption

users = typer.Typer(no_args_is_help=True, help="People who may log in when the page is open to the network.")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument()],
    role: Annotated[Role, typer.Option(help="what they may do")] = "trainee",
    once: Annotated[bool, typer.Option("--once", help="the password must be changed at the first login")] = False,
    data: DataOption = None,
) -> None:
    """Add somebody who may log in; asks for the password, or reads it from a pipe.

    A trainee practises; a checker also reads and corrects grades; a trainer also runs classes and edits personas,
    knowledge and standards; an admin also decides who may log in and what is deleted.
    """
    _records(data).people.add(name, role, _password(), must_change=once)
    typer.echo(f"{name} may log in as {role}")


@users.command("list")
def list_users(data: DataOption = None) -> None:
    """List who may log in."""
    for user in _records(data).people.all():
        first = "  has not changed the first password yet" if user.must_change else ""
        typer.echo(f"{user.name}  {user.role}  since {user.created_at:%Y-%m-%d}{first}")


@users.command("role")
def change_role(
    name: Annotated[str, typer.Argument()], role: Annotated[Role, typer.Argument()], data: DataOption = None
) -> None:
    """Give somebody another role."""
    _records(data).people.set_role(name, role)
    typer.echo(f"{name} is {role} now")


@users.command("password")
def change_password(name: Annotated[str, typer.Argument()], data: DataOption = None) -> None:
    """Set a new password for somebody who has lost theirs; they choose their own at the next login."""
    _records(data).people.set_password(name, _password(), must_change=True)
    typer.echo(f"{name} may log in with it, and chooses another one then")


@users.command("log")
def show_log(
    name: Annotated[str | None, typer.Argument(help="whose data; without it, everybody's")] = None,
    data: DataOption = None,
) -> None:
    """Show who read or changed what of whom, the newest first."""
    for line in _records(data).people.noted(name):
        whose = f" of {line.person}" if line.person else ""
        typer.echo(
            f"{line.at:%Y-%m-%d %H:%M}  {line.who or '(this machine)'}  {line.did}{whose}  {line.detail}".rstrip()
        )


@users.command("remove")
def remove_user(name: Annotated[str, typer.Argument()], data: DataOption = None) -> None:
    """Remove a login. The person's calls stay."""
    _records(data).people.remove(name)
    typer.echo(f"{name} can no longer log in")


@users.command("forget")
def forget_user(name: Annotated[str, typer.Argument()], data: DataOption = None) -> None:
    """Delete everything that is kept of a person: the login, and all calls with their grades."""
    gone = _records(data).delete_person(name)
    typer.echo(f"{gone} calls of {name} deleted")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _records(data: str | None) -> Any:
    from roleplay.records import Records

    return Records(load_settings(data=data).database_url)
