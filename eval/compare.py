"""Figures of two or more runs side by side, with their differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from roleplay.errors import Fault, FileFault
from roleplay.terminal import clear_errors


def main(
    runs: Annotated[list[Path], typer.Argument(help="files that --json wrote, two or more of the same suite")],
) -> None:
    """What changed between runs? Prints every figure of each run and the last run's difference to the first."""
    with clear_errors():
        figures = [dict(_flat(_read(path))) for path in runs]
        names = [name for name in figures[0] if all(name in each for each in figures)]
        if not names:
            raise FileFault(runs[-1], [Fault("holds no figure that the first file holds; are both of the same suite?")])
        width = max(map(len, names))
        typer.echo("".ljust(width) + "".join(path.stem[:14].rjust(16) for path in runs) + "difference".rjust(16))
        for name in names:
            values = [each[name] for each in figures]
            cells = "".join(f"{value:16.4g}" for value in values)
            typer.echo(name.ljust(width) + cells + f"{values[-1] - values[0]:+16.4g}")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFault(path, [Fault(error.strerror or str(error))]) from error
    except ValueError as error:
        raise FileFault(path, [Fault(f"not JSON: {error}")]) from error


def _flat(data: Any, name: str = "") -> list[tuple[str, float]]:
    if isinstance(data, bool) or data is None:
        return []
    if isinstance(data, int | float):
        return [(name, float(data))]
    if isinstance(data, dict):
        parts = [(f"{name}.{key}" if name else key, value) for key, value in data.items() if key != "calls"]
        return [pair for key, value in parts for pair in _flat(value, key)]
    return []
