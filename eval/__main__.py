"""`python -m eval SUITE`: what the customer, the grader and the search are worth, measured offline."""

from __future__ import annotations

import os

import typer

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from eval import attack, bench, compare, customer, grader, held_out, ladder, retrieval

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for name, suite in (
    ("grader", grader),
    ("retrieval", retrieval),
    ("held-out", held_out),
    ("customer", customer),
    ("ladder", ladder),
    ("attack", attack),
    ("bench", bench),
    ("compare", compare),
):
    app.command(name)(suite.main)

if __name__ == "__main__":
    app()
