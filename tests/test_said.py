"""Whatever a trainer or trainee can be told is told in the language of the page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from roleplay.texts import HAN, said, translated

ROOT = Path(__file__).parent.parent / "roleplay"
# Modules whose messages stand on the page; those for the terminal alone are left out.
SHOWN = [
    *(ROOT / f"{name}.py" for name in (
        "records", "events", "room", "persona", "persona_files", "conditions", "rehearsal", "yaml_files", "cohorts", "plans",
        "rosters", "people", "reviews", "rule_files", "standards", "drafting", "wording",
    )),
    *(ROOT / "knowledge" / f"{name}.py" for name in (
        "entries", "drafts", "tables", "sources", "documents", "pdf", "editing", "ingest", "versions", "search",
    )),
    *(path for path in (ROOT / "web").rglob("*.py") if path.stem != "blocks"),
]  # fmt: skip
RAISED = ("Rejected", "NotYours", "NotAllowed", "Fault", "ValueError", "fault", "fits")


def messages(path: Path) -> list[str]:
    """What the module says when it refuses something, with X for whatever differs from case to case."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in RAISED:
            continue
        place = 1 if node.func.id in ("fault", "fits") else 0
        message = node.args[place] if len(node.args) > place else None
        if isinstance(message, ast.Constant) and isinstance(message.value, str):
            found.append(message.value)
        elif isinstance(message, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "X" for part in message.values)
            found.append("".join(parts))
    return found


@pytest.mark.parametrize("path", [path for path in SHOWN if path.exists()], ids=lambda path: path.stem)
def test_every_refusal_has_a_chinese_form(path: Path) -> None:
    # a name before a colon says which field of a part is meant, and is told as the fault's place
    told = [message for message in messages(path) if message.strip("X:; ()")]
    alone = [re.sub(r"^\w+: ", "", message) for message in told]
    assert [one for one in zip(told, alone, strict=True) if not any(translated(each, "zh-CN") for each in one)] == []


def test_a_message_keeps_what_it_names_and_an_unknown_one_stays_as_it_is() -> None:
    assert said("there is no class 春季班", "zh-CN") == "没有这个班级：春季班"
    assert said("must be a whole number from 1 to 5 (found 9)", "zh-CN") == "要填整数，1 到 5（现在是 9）"
    assert said("must be one of a, b (found 'bb'; is b meant?)", "zh-CN") == "只能是 a, b（现在是 'bb'，是不是 b？）"
    assert said("there is no class spring", "en") == "There is no class spring"
    assert translated("something that nobody has foreseen", "zh-CN") is None
    assert said("something that nobody has foreseen", "zh-CN") == "something that nobody has foreseen"
    assert HAN.search(said("is missing\nunknown key", "zh-CN"))
