"""`roleplay card`: personas from character cards, and character cards from personas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from roleplay.character_card import Spec, card_of, persona_of, read_card
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.settings import load_settings
from roleplay.terminal import PersonasOption, tell, written

cards = typer.Typer(no_args_is_help=True, help="Character cards, V2 and V3 as JSON.")


@cards.command("import")
def import_card(
    file: Annotated[Path, typer.Argument(help="a character card: JSON, chara_card_v2 or chara_card_v3")],
    out: Annotated[Path, typer.Option(help="folder for the persona file")] = Path(),
) -> None:
    """Begin a persona file from a card, say what was lost, and name what is still missing.

    A card has no facts with rules, no goals and no grading: fill them in, then run: roleplay check FILE.
    """
    made = persona_of(*read_card(file))
    path = out / f"{made.data['id']}.yaml"
    if path.exists():
        raise Rejected(f"{path} is there already; give another folder with --out")
    with written(path) as stream:
        stream.write(made.as_yaml())
    for line in made.lost:
        tell(f"lost: {line}")
    for fault in _missing(path):
        tell(f"missing: {fault}")
    typer.echo(str(path))


def _missing(path: Path) -> tuple[Fault, ...]:
    from roleplay.persona import load_persona

    try:
        load_persona(path)
    except FileFault as fault:
        return tuple(fault.faults)
    return ()


@cards.command("export")
def export_card(
    persona: Annotated[str, typer.Argument(help="id of a persona")],
    version: Annotated[Literal["v2", "v3"], typer.Option(help="which character card")] = "v3",
    out: Annotated[Path | None, typer.Option(help="file to write; default: ID.json")] = None,
    personas: PersonasOption = None,
) -> None:
    """Write a persona as a character card. What is for the agent and the grader stays at home."""
    from roleplay.persona import load_library

    found = load_library(load_settings(personas=personas).personas).get(persona)
    spec: Spec = "chara_card_v3" if version == "v3" else "chara_card_v2"
    card, left = card_of(found, spec)
    path = out or Path(f"{persona}.json")
    with written(path) as stream:
        stream.write(json.dumps(card, ensure_ascii=False, indent=1) + "\n")
    for line in left:
        tell(f"left out: {line}")
    typer.echo(str(path))
