"""Imports point down, a heavy library has one owner, and a light start loads none (docs/design.md)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("roleplay/**/*.py"), *ROOT.glob("eval/**/*.py"), *ROOT.glob("app.py")])

# Lowest first. A module may import from its own layer and from lower ones. A name stands for a module
# `roleplay.NAME` or for a package with all that is in it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "dialogue", "plain_text", "numerals", "clauses", "redaction", "passwords", "roles", "tables", "signs"),
    (
        "reading",
        "rubric",
        "agreement",
        "fault_words",
        "yaml_files",
        "yaml_patch",
        "settings",
        "texts",
        "conditions",
        "wording",
        "situations",
    ),
    ("persona", "persona_grading", "standards", "graded", "scripts", "rosters", "confidence", "bases"),
    ("models", "knowledge", "records", "people", "cohorts", "unpublished", "events", "database", "migrations"),
    (
        "character_card",
        "noticed",
        "state",
        "telephone",
        "waiting",
        "reaction",
        "directive",
        "answers",
        "responses",
        "acts",
        "prompts",
        "lines",
        "facts",
        "attributes",
        "sums",
        "polarity",
        "formulas",
        "claims",
        "content",
        "speakers",
        "withheld",
        "guard",
        "relevance",
        "features",
        "promises",
        "remarks",
        "pieces",
        "matching",
        "reader",
        "phrases",
        "calibration",
    ),
    ("proposals", "customer", "grading", "model_grader", "coaching", "rehearsal"),
    ("call",),
    ("room",),
    ("conduct", "sheet", "grounds"),
    ("reports", "report_words", "lessons", "hints", "published", "build", "training", "checking"),
    ("results", "reviews", "progress"),
    (
        "plans",
        "exports",
        "persona_files",
        "persona_fields",
        "field_texts",
        "persona_form",
        "persona_ids",
        "condition_words",
        "rule_files",
        "backup",
    ),
    ("drafting",),
    ("terminal",),
    ("cli_users", "cli_cards", "cli_knowledge", "cli_installation"),
    ("cli", "web", "eval"),
    ("app", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
HEAVY = ("torch", "transformers", "chromadb", "gradio", "sentence_transformers")
OWNERS = {"models", "knowledge", "training", "web", "eval"}  # who may name a heavy library


def place(module: str) -> str | None:
    """The name in LAYERS of a dotted module; None for what is not ours and for the bare package."""
    first, _, rest = module.partition(".")
    if first in ("eval", "app"):
        return first
    return (rest.partition(".")[0] or None) if first == "roleplay" else None


def imports(path: Path) -> set[str]:
    """Dotted names of all that a file imports, at its top or inside functions; not what only types name."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))
    return found


def own_name(path: Path) -> str | None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return place(".".join(part for part in parts if part != "__init__"))


each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


@each_source
def test_imports_point_down(path: Path) -> None:
    own = own_name(path)
    if own is None:  # roleplay/__init__.py itself
        return
    assert own in RANK, f"{own} has no layer yet: give it one in LAYERS"
    above = {module for module in imports(path) if RANK.get(place(module) or "", -1) > RANK[own]}
    assert not above, f"{own} imports what is above it"


def test_no_two_modules_need_each_other() -> None:
    needs: dict[str, set[str]] = {}
    for path in SOURCES:
        if own := own_name(path):
            others = {other for module in imports(path) if (other := place(module)) in RANK and other != own}
            needs.setdefault(own, set()).update(others)
    TopologicalSorter(needs).prepare()  # raises CycleError, with the circle


@each_source
def test_only_its_owner_names_a_heavy_library(path: Path) -> None:
    named = {module.partition(".")[0] for module in imports(path)} & set(HEAVY)
    assert not named or own_name(path) in OWNERS


@pytest.mark.parametrize("module", ["roleplay", "roleplay.cli"])
def test_a_light_start_loads_no_heavy_library(module: str) -> None:
    program = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {re.split(r"[^\w.-]", requirement)[0].lower() for part in requirements for requirement in part}
    owners = packages_distributions()
    used = {module.partition(".")[0] for path in SOURCES for module in imports(path)}
    for library in used - set(sys.stdlib_module_names) - {"roleplay", "eval", "app"}:
        names = {name.lower().replace("_", "-") for name in owners.get(library, [library])}
        assert names & declared, f"{library} is imported but not declared in pyproject.toml"


def test_every_declared_library_is_pinned_and_torch_exactly() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    pinned = set(re.findall(r"^([\w.-]+)==\S+$", pins, re.MULTILINE))
    for part in (project["dependencies"], *project["optional-dependencies"].values()):
        for requirement in part:
            name = re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
            assert name in pinned | {project["name"]}, f"{name} is declared but not pinned: make constraints"
    assert re.search(r"^torch==2\.13\.0$", pins, re.MULTILINE)
