"""Personas published from an editor: every mistake with its line, nothing half done, every version there to go back to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_class import ROOT

from roleplay.errors import FileFault, Rejected
from roleplay.persona import load_library
from roleplay.persona_files import KIND, check_persona, difference, parse_persona, publish, template, withdraw

NAME = "zh-deduction-video-pack"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "personas" / "zh").mkdir(parents=True)
    shutil.copy(ROOT / "personas" / "zh" / "deduction-video-pack.yaml", tmp_path / "personas" / "zh")
    return tmp_path / "personas"


def put(records, folder, text, why=""):
    return publish(records, load_library([folder]), [folder], text, None, "tina", why)


def test_a_change_is_published_and_the_way_back_is_kept(records, folder):
    path = folder / "zh" / "deduction-video-pack.yaml"
    before = path.read_text("utf-8")
    after = before.replace("difficulty: ", "difficulty: ", 1).replace(
        next(line for line in before.splitlines() if line.startswith("summary:")), "summary: 换了一句话"
    )
    assert put(records, folder, after, "短一点").summary == "换了一句话"
    assert load_library([folder]).get(NAME).summary == "换了一句话"
    newest, first = records.file_versions(KIND, NAME)
    assert (newest.text, newest.why, newest.who) == (after, "短一点", "tina")
    assert first.text == before
    assert any(line == "+summary: 换了一句话" for line in difference(first.text, newest.text))
    put(records, folder, first.text, "zurück")
    assert path.read_text("utf-8") == before
    put(records, folder, before)  # the same again is no version of its own
    assert len(records.file_versions(KIND, NAME)) == 3


def test_a_mistake_changes_nothing_and_is_told_with_its_line(records, folder):
    path = folder / "zh" / "deduction-video-pack.yaml"
    before = path.read_text("utf-8")
    for wrong, why in (
        (before.replace("difficulty:", "dificulty:", 1), "unknown key"),
        (before.replace("language: zh-CN", "language: fr", 1), "language"),
        ("a: [", "not YAML"),
        ("x" * 300_000, "more than"),
    ):
        with pytest.raises(FileFault, match=why) as caught:
            put(records, folder, wrong)
        assert why == "more than" or any(fault.line for fault in caught.value.faults)
    assert path.read_text("utf-8") == before
    assert records.file_versions(KIND, NAME) == []


def test_a_persona_that_cannot_be_solved_is_not_published(records, folder):
    text = (folder / "zh" / "deduction-video-pack.yaml").read_text("utf-8")
    persona = parse_persona(text)
    assert check_persona(text).publishable
    unsolvable = text.replace("turn_limit: " + str(persona.call.ends.turn_limit), "turn_limit: 4")
    if unsolvable == text:
        unsolvable = text.replace("  ends:", "  ends:\n    turn_limit: 4", 1)
    assert not check_persona(unsolvable).publishable
    with pytest.raises(FileFault):
        put(records, folder, unsolvable)


def test_a_new_persona_is_made_of_another_one_and_can_be_withdrawn(records, folder):
    text = (folder / "zh" / "deduction-video-pack.yaml").read_text("utf-8")
    made = template(text, "zh-new-one", '他说："不行"')
    assert parse_persona(made).title == '他说："不行"'
    put(records, folder, made)
    assert set(load_library([folder]).personas) == {NAME, "zh-new-one"}
    assert (folder / "zh" / "zh-new-one.yaml").exists()
    withdraw(records, load_library([folder]), "zh-new-one", "tina")
    assert set(load_library([folder]).personas) == {NAME}
    assert records.file_versions(KIND, "zh-new-one")[0].text == made
    with pytest.raises(Rejected, match="there is no persona"):
        withdraw(records, load_library([folder]), "zh-new-one", "tina")
    with pytest.raises(Rejected, match="no line that begins with"):
        template("x: 1", "a", "b")
