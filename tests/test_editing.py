"""An entry edited as text: only its lines change, mistakes are told with their line, every change is a version."""

from __future__ import annotations

from pathlib import Path

import pytest

from roleplay.errors import FileFault, Rejected
from roleplay.knowledge.editing import apply_edit, find_block, plan_edit
from roleplay.knowledge.entries import load_entries
from roleplay.knowledge.versions import find_version, list_versions, restore

FILE = """\
# 漫游
entries:
  - id: roam-price
    language: zh-CN
    product: 国际漫游
    question: 漫游日包多少钱？
    answer: 漫游日包每天28元。
    facts: {price: 28元/天}

  # 开通
  - id: roam-open
    language: zh-CN
    product: 国际漫游
    question: 怎么开通漫游？
    answer: 发送KTMY到10910。
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "roaming.yaml").write_text(FILE, "utf-8")
    return folder


def test_only_the_lines_of_the_entry_change(base, tmp_path):
    block = find_block([base], "roam-price")
    assert block.text.startswith("  - id: roam-price") and block.text.endswith("facts: {price: 28元/天}")
    edit = plan_edit([base], block, block.text.replace("28元", "38元"))
    (changed,) = edit.changes.changed
    assert changed.fields == ("answer", "facts")
    assert (base / "roaming.yaml").read_text("utf-8") == FILE  # looking changes nothing
    assert str(apply_edit(edit, [base], tmp_path / "data")).startswith("version 2")
    assert (base / "roaming.yaml").read_text("utf-8") == FILE.replace("28元", "38元")
    versions = tmp_path / "data" / "versions"
    assert [each.why for each in list_versions(versions)] == ["before an edit", "edit of roam-price"]
    restore(find_version(versions, "1"), [base], versions)
    assert (base / "roaming.yaml").read_text("utf-8") == FILE


def test_an_entry_is_added_at_the_end_and_removed_again(base, tmp_path):
    new = "  - {id: roam-stop, language: zh-CN, product: 国际漫游, question: 怎么取消漫游？, answer: 发送QXMY。}\n"
    apply_edit(plan_edit([base], base / "roaming.yaml", new), [base], tmp_path / "data")
    assert [entry.id for entry in load_entries([base])] == ["roam-price", "roam-open", "roam-stop"]
    edit = plan_edit([base], find_block([base], "roam-stop"), "  ")
    assert [entry.id for entry in edit.changes.removed] == ["roam-stop"]
    apply_edit(edit, [base], tmp_path / "data")
    assert (base / "roaming.yaml").read_text("utf-8") == FILE


def test_a_mistake_is_told_with_its_line_in_the_entry(base):
    block = find_block([base], "roam-open")
    for text, line, why in (
        (block.text.replace("question:", "qestion:"), 4, "unknown key"),
        (block.text.replace("roam-open", "roam-price"), 1, "also used"),
        (block.text.replace("answer: ", "answer: ["), None, "not YAML"),
    ):
        with pytest.raises(FileFault, match=why) as caught:
            plan_edit([base], block, text)
        assert line is None or line in [fault.line for fault in caught.value.faults]
    with pytest.raises(Rejected, match="no entry 'roam'"):
        find_block([base], "roam")


def test_what_no_longer_fits_is_named_and_an_overtaken_edit_is_refused(base, tmp_path):
    block = find_block([base], "roam-price")
    edit = plan_edit([base], block, block.text.replace("每天28元", "每天38元"))
    assert any("28" in text for text in edit.warnings)  # the fact says what the answer no longer does
    (base / "roaming.yaml").write_text(FILE.replace("10910", "10911"), "utf-8")
    with pytest.raises(Rejected, match="changed meanwhile"):
        apply_edit(edit, [base], tmp_path / "data")
    assert apply_edit(plan_edit([base], find_block([base], "roam-price"), block.text), [base], tmp_path) is None
