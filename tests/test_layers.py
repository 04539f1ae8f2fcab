"""Imports point down (docs/design.md): who may know whom, and what a light start must not load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "transformers", "chromadb", "gradio", "sentence_transformers")

# Lowest first. A module may import from its own layer and from lower ones. A name stands for a module
# `roleplay.NAME` or for a package with all that is in it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "dialogue"),
    ("yaml_files", "reading", "rubric", "settings", "persona", "conditions", "standards", "graded"),
    ("models", "knowledge", "records", "migrations", "calibration", "claims", "numbers", "words"),
    ("reader", "state", "directive", "prompts", "lines", "bundled"),
    ("customer", "grading", "coaching", "reports"),
    ("room",),
    ("build", "training"),
    ("eval", "web", "cli"),
    ("__main__", "app"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
SOURCES = sorted([*ROOT.glob("roleplay/**/*.py"), *ROOT.glob("eval/**/*.py"), *ROOT.glob("app.py")])


def place(module: str) -> str | None:
    """The name in LAYERS of a dotted module; None for what is not ours and for the bare package."""
    first, _, rest = module.partition(".")
    if first in ("eval", "app"):
        return first
    return (rest.partition(".")[0] or None) if first == "roleplay" else None


def imports(path: Path, *, only_on_load: bool = False) -> set[str]:
    """Dotted names of modules that a file imports; `only_on_load` leaves out those inside functions."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif only_on_load and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ):
            continue
        nodes.extend(ast.iter_child_nodes(node))
    return found


def own_name(path: Path) -> str | None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return place(".".join(part for part in parts if part != "__init__"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = own_name(path)
    if own is None:  # roleplay/__init__.py itself
        return
    assert own in RANK, f"{own} has no layer yet: give it one in LAYERS"
    for module in imports(path):
        other = place(module)
        if other is not None and other in RANK:
            assert RANK[other] <= RANK[own], f"{own} imports {module}, which is above it"


LIGHT = {*LAYERS[0], *LAYERS[1], "state", "directive", "prompts", "records"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_light_modules_name_no_heavy_library(path: Path) -> None:
    if own_name(path) not in {None, *LIGHT}:
        return
    assert not {module.partition(".")[0] for module in imports(path)} & set(HEAVY)


@pytest.mark.parametrize("module", ["roleplay", "roleplay.cli"])
def test_a_light_start_loads_no_heavy_library(module: str) -> None:
    if not list(ROOT.glob(module.replace(".", "/") + "*")):
        pytest.skip(f"{module} is not there")
    program = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {re.split(r"[^\w.-]", requirement)[0].lower() for part in requirements for requirement in part}
    owners = packages_distributions()
    used = {module.partition(".")[0] for path in SOURCES for module in imports(path)}
    for library in used - set(sys.stdlib_module_names) - {"roleplay", "eval", "app"}:
        names = {name.lower().replace("_", "-") for name in owners.get(library, [library])}
        assert names & declared, f"{library} is imported but not declared in pyproject.toml"
