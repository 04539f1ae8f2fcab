"""The README shows every file of the program with one line each. `python tests/test_readme.py` writes that part anew."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BEGIN, END = "## The tree\n", "\n## Troubleshooting"
# What is no Python module, or a folder that is named as one.
OTHERS = {
    "app.py": "opens the practice room, as `roleplay serve` does",
    "personas/": "one YAML file for each customer: zh/ and en/",
    "knowledge_base/": "the FAQ of the invented operator; its README is the price sheet",
    "docs/": "design, rubric, vocabulary of calls, settings, lab notes",
    "tests/": "tests; names are sentences",
    "eval/data/": "scripted trainees and the reference sets of search, grader, reading and detectors, with their data card",
    "roleplay/bundled/": "the bundled models: customer/, reader/, embedder/, guard/, each with its card",
    "roleplay/lines/": "hand-written customer lines, and which of them this customer could say now",
    "roleplay/prompts/": "prompt texts, guard patterns, dialect words, and the messages made from them",
    "roleplay/rules/": "the service standard as rules: wording, stages and special situations, in Chinese and English",
    "roleplay/texts/": "what page, terminal and reports say to people: zh-CN.yaml, en.yaml",
    "roleplay/migrations/": "steps from one version of the database to the next",
    "roleplay/training/corpus/": "hand-written calls, replies and queries that the bundled models learn from",
}


def tree() -> str:
    """A line for each module: its path and the first line of what it says of itself."""
    lines = dict(OTHERS)
    for path in [*ROOT.glob("roleplay/**/*.py"), *ROOT.glob("eval/**/*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if path.name == "__init__.py" or "migrations" in path.parts:
            continue
        lines[name] = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    width = max(map(len, lines))
    rows = [f"{name.ljust(width)}  {lines[name]}" for name in sorted(lines)]
    return BEGIN + "\n```\n" + "\n".join(rows) + "\n```\n"


def test_the_readme_shows_every_file_of_the_program():
    text = README.read_text(encoding="utf-8")
    assert tree() in text, "run: python tests/test_readme.py"


def test_what_the_readme_points_to_is_there():
    for readme in (README, ROOT / "README.zh-CN.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", readme.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{readme.name} points to {target}"


def test_every_module_says_what_it_is():
    for path in [*ROOT.glob("roleplay/**/*.py"), *ROOT.glob("eval/*.py")]:
        source = path.read_text(encoding="utf-8")
        assert not source.strip() or ast.get_docstring(ast.parse(source)), path


if __name__ == "__main__":
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(before + tree() + END + rest.partition(END)[2], encoding="utf-8")
