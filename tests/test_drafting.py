"""A customer is drafted by a model that writes, checked by the loader, and shown with what is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from roleplay.drafting import as_file, draft, faults_of
from roleplay.errors import Rejected
from roleplay.models.scripted import ScriptedModel
from roleplay.persona_files import check_persona
from roleplay.prompts import frame

SITUATION = "一位退休教师发现电视机顶盒每个月多收十元，她从来不看点播，想退掉。"
GOOD = frame("zh-CN").replace("title: 月费比以前多", "title: 机顶盒的十块钱")


def scripted(folder: Path, *answers: str, writes: bool = True) -> ScriptedModel:
    path = folder / "answers.yaml"
    path.write_text(yaml.safe_dump(list(answers), allow_unicode=True), encoding="utf-8")
    return ScriptedModel(path, writes=writes)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_plainest_customer_can_be_published(language: str) -> None:
    proof = check_persona(frame(language), ())
    assert proof.faults == () and proof.facts_told == proof.facts


def test_a_draft_is_taken_out_of_what_stands_around_it_and_gets_an_id_of_its_own(tmp_path: Path) -> None:
    model = scripted(tmp_path, f"好的，这是文件：\n```yaml\n{GOOD}```\n希望有用。")
    text = draft(
        model, SITUATION, "zh-CN", [("tv-refund", "点播怎么退？")], {"tv-refund"}, {"zh-ji-ding-he-de-shi-kuai-qian"}
    )
    assert text.startswith("id: zh-ji-ding-he-de-shi-kuai-qian-2\n") and faults_of(text, ()) == ()
    asked = model.asked[0].messages[-1]["content"]
    assert SITUATION in asked and "tv-refund: 点播怎么退？" in asked and len(model.asked) == 1


def test_faults_are_told_to_the_model_once_and_the_better_draft_stays(tmp_path: Path) -> None:
    bad = GOOD.replace("difficulty: 2", "difficulty: 9")
    worse = bad.replace("age: 35", "age: old")
    model = scripted(tmp_path, bad, worse)
    text = draft(model, SITUATION, "zh-CN", [], (), ())
    assert "difficulty: 9" in text and "age: 35" in text
    assert "difficulty" in model.asked[1].messages[-1]["content"]
    assert [fault.field for fault in faults_of(text, ())] == ["difficulty"]
    assert faults_of(draft(scripted(tmp_path, bad, GOOD), SITUATION, "zh-CN", [], (), ()), ()) == ()


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="larger model"):
        draft(scripted(tmp_path, GOOD, writes=False), SITUATION, "zh-CN", [], (), ())
    with pytest.raises(Rejected, match="20 to 2000"):
        draft(scripted(tmp_path, GOOD), "太短", "zh-CN", [], (), ())
    with pytest.raises(Rejected, match="nothing that could be"):
        draft(scripted(tmp_path, "对不起。", "我不会。"), SITUATION, "zh-CN", [], (), ())
    assert as_file("没有 YAML", ()) == ""
