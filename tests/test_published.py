"""What another process publishes is taken up by a room that is open, at the next reply."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from roleplay.build import build_room
from roleplay.call import Call
from roleplay.published import Published
from roleplay.room import Kept, Room
from roleplay.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
FILE, PERSONA = "international-calls.yaml", "zh-minnan-tea-calls"  # who rests on nothing else
ENTRY = """entries:
  - id: kb-moon-pass
    language: zh-CN
    product: 漫游
    question: 月球漫游日包多少钱一天？
    answer: 月球漫游日包每天77元，每天1GB。
"""
ASKED = "您要办月球漫游日包是吗？月球漫游日包每天77元。"
RULE = """  - id: zh-never-moonlight
    topic: courtesy
    kind: must_not_say
    words: [月光宝盒]
    advice: 不要提月光宝盒。
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small knowledge base and rules of its own, in folders that a test may change."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "kb").mkdir()
    shutil.copy(ROOT / "knowledge_base" / FILE, folder / "kb")
    shutil.copytree(ROOT / "roleplay" / "rules", folder / "data" / "standards")
    return load_settings(data=str(folder / "data"), knowledge=str(folder / "kb"))


@pytest.fixture(scope="module")
def room(settings: Settings) -> Iterator[Room]:
    made = build_room(settings)
    yield made
    made.records.close()


def _said(room: Room, call: Call, text: str) -> Kept:
    *_, kept = room.say(call.id, text)
    assert isinstance(kept, Kept)
    return kept


def _elsewhere(settings: Settings, *command: str) -> None:
    places = {"ROLEPLAY_DATA": str(settings.data), "ROLEPLAY_KNOWLEDGE": str(settings.knowledge[0])}
    subprocess.run([sys.executable, *command], check=True, env=places, cwd=ROOT, capture_output=True, timeout=120)


def _evidence(kept: Kept) -> set[str]:
    return {each.id for each in kept.exchanged.evidence}


def test_knowledge_imported_by_a_command_is_used_from_the_next_reply(room, settings, tmp_path):
    call, before = room.open(PERSONA, seed=1), room.knowledge.version
    assert "kb-moon-pass" not in _evidence(_said(room, call, ASKED))
    new = tmp_path / "moon.yaml"
    new.write_text(ENTRY, "utf-8")
    _elsewhere(settings, "-c", "from roleplay.cli import app; app()", "kb", "import", "--apply", str(new))
    assert "kb-moon-pass" in _evidence(_said(room, call, ASKED))
    assert room.knowledge.version != before
    assert room.open(PERSONA, seed=2).row.knowledge_version == room.knowledge.version


def test_a_rule_published_by_another_process_counts_from_the_next_reply(room, settings):
    call, text = room.open(PERSONA, seed=1), "月光宝盒给您留着，请问还有什么可以帮您？"
    rules = lambda kept: {finding.rule for finding in kept.exchanged.reading.findings}  # noqa: E731
    assert "zh-never-moonlight" not in rules(_said(room, call, text))
    publish = (
        "from roleplay.records import Records; from roleplay.rule_files import draft, publish, rule_files\n"
        "from roleplay.settings import load_settings\n"
        "settings = load_settings()\n"
        "place = next(path for path in rule_files(settings) if path.name.startswith('zh'))\n"
        f"publish(Records(settings.database_url), settings, draft(settings, place, {RULE!r}), 'anna')\n"
    )
    _elsewhere(settings, "-c", publish)
    kept = _said(room, call, text)
    assert "zh-never-moonlight" in rules(kept)
    grade = room.grade(call.id, kept.exchanged.number)
    assert any(remark.rule == "zh-never-moonlight" for remark in grade.remarks)


def test_a_file_with_a_fault_changes_nothing_until_it_is_mended(room, settings, caplog):
    file, call = settings.knowledge[0] / FILE, room.open(PERSONA, seed=1)
    good, version = file.read_text("utf-8"), room.knowledge.version
    file.write_text(good.replace("language:", "langage:", 1), "utf-8")
    _said(room, call, "您好，请问有什么可以帮您？")
    _said(room, call, "您好，请问您怎么称呼？")
    assert room.knowledge.version == version
    assert [record.message for record in caplog.records if "cannot be used" in record.message] != []
    assert caplog.text.count("cannot be used") == 1
    file.write_text(good.replace("元", " 元"), "utf-8")
    _said(room, call, "好的，我帮您看看。")
    assert room.knowledge.version != version


def test_while_one_thread_takes_something_up_the_others_go_on(tmp_path):
    file, begun, go_on, taken = tmp_path / "a.yaml", threading.Event(), threading.Event(), []

    def take() -> None:
        begun.set()
        go_on.wait(10)
        taken.append(1)

    file.write_text("a: 1", "utf-8")
    published = Published((lambda: [tmp_path], take))
    published.look()
    assert not begun.is_set()
    file.write_text("a: 23", "utf-8")
    first = threading.Thread(target=published.look)
    first.start()
    assert begun.wait(5)
    published.look()
    assert not taken
    go_on.set()
    first.join()
    published.look()
    assert taken == [1]
