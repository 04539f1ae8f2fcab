"""`python -m eval SUITE`: what the customer, the grader and the search are worth, measured offline.

Every run keeps its results in a folder (--out, or one below runs/), goes on where it was stopped, and writes a
report there: report.html opens offline, report.md suits a pull request. Exit status: 0 all is well; 1 a bar was
missed; 2 wrong usage or file, or something cannot be had; 3 some cases failed.
"""

from __future__ import annotations

import importlib
import os

import typer

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from eval import command, compare
from eval.suites import SUITES

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for name, module in SUITES.items():
    app.command(name)(importlib.import_module(module).main)
app.command("report")(command.report)
app.command("compare")(compare.main)

if __name__ == "__main__":
    app()
