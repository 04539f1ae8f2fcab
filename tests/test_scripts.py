"""Files of scripted trainees: what is read, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from roleplay.errors import FileFault
from roleplay.scripts import load_scripts, script_lines

SHIPPED = Path(__file__).parent.parent / "eval" / "data" / "scripts.yaml"
POLICIES = {
    "excellent", "average", "cold", "rude", "wrong_facts", "overpromise", "silent", "injection", "offtopic",
    "breaks_confidentiality",
}  # fmt: skip


def test_the_shipped_scripts_cover_every_policy_and_both_languages():
    scripts = load_scripts(SHIPPED)
    assert {script.policy for script in scripts} == POLICIES
    assert {script.language for script in scripts} == {"zh-CN", "en"}


def test_a_turn_without_a_word_is_a_silent_one(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text('- {id: a, language: en, policy: silent, turns: ["Hello.", "", "  "]}\n', encoding="utf-8")
    assert load_scripts(path)[0].turns == ("Hello.", "……", "……")


def test_lines_are_read_from_text_and_from_yaml(tmp_path):
    text, data = tmp_path / "s.txt", tmp_path / "s.yaml"
    text.write_bytes("\ufeff您好。\r\n\r\n再见。\r\n".encode())
    data.write_text("- 您好。\n- 再见。\n", encoding="utf-8")
    assert script_lines(text) == script_lines(data) == ("您好。", "再见。")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- {id: a, language: en, policy: kind, turns: [x]}\n", "policy"),
        ("- {id: a, language: en, policy: cold, turns: []}\n", "turns"),
        ("- {id: a, language: fr, policy: cold, turns: [x]}\n", "language"),
        ("- {id: a, language: en, policy: cold, turn: [x]}\n", "turn"),
        ("- {id: a, language: en, policy: cold, turns: [x]}\n" * 2, "twice"),
    ],
)
def test_a_wrong_script_file_is_told_by_field(tmp_path, content, told):
    path = tmp_path / "s.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileFault, match=told):
        load_scripts(path)


def test_a_text_file_that_is_not_utf_8_is_said_to_be_so(tmp_path):
    path = tmp_path / "s.txt"
    path.write_bytes("您好。".encode("gb18030"))
    with pytest.raises(FileFault, match="UTF-8"):
        script_lines(path)
