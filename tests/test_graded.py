from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from roleplay.errors import FileFault
from roleplay.graded import read_graded

ROW: dict[str, Any] = {
    "id": "r-1", "language": "zh-CN", "stage": "finding out", "context": [{"role": "customer", "content": "喂？"}],
    "evidence": ["日包30元/天。"], "reply": "您好。", "scores": {"empathy": 3, "accuracy": None, "phrasing": 4},
}  # fmt: skip


def write(path: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_row_becomes_an_exchange(tmp_path: Path) -> None:
    (row,) = read_graded(write(tmp_path / "a.jsonl", ROW))
    assert row.exchange.stage == "finding_out"
    assert row.exchange.evidence[0].id == "given.1"
    assert row.scores["accuracy"] is None
    assert row.exchange.heard is not None and row.exchange.heard.text == "喂？"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"language": "fr"}, "language"), ({"reply": None}, "reply"), ({"stage": "lunch"}, "stage"), ({"context": [{"role": "user"}]}, "context.0"),
        ({"scores": {"empathy": 6}}, "scores.empathy"), ({"scores": {"charm": 3}}, "scores.charm"), ({"evidence": "text"}, "evidence"),
        ({"scores": {"empathy": None}}, "scores.empathy"), ({"moves": ["dance"]}, "moves"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    path = write(tmp_path / "a.jsonl", ROW, {**ROW, "id": "r-2", **change})
    with pytest.raises(FileFault) as caught:
        read_graded(path)
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [(2, field)]


def test_every_wrong_line_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileFault) as caught:
        read_graded(write(tmp_path / "a.jsonl", "{", ROW, ROW, "[]"))
    assert [fault.line for fault in caught.value.faults] == [1, 3, 4]


def test_a_file_without_replies_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(FileFault, match="no reply"):
        read_graded(write(tmp_path / "a.jsonl", ""))
