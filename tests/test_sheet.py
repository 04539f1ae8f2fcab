"""What a trainee writes down is held against what was said: names, digits, dates and amounts exactly, text by its words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from made_class import ROOT, persona, play, quiet_room

from roleplay.errors import FileFault, Rejected
from roleplay.persona import Persona
from roleplay.persona_files import parse_persona
from roleplay.records import Records
from roleplay.report_words import as_markdown
from roleplay.reports import make_report
from roleplay.settings import load_settings
from roleplay.sheet import Heard, compare, sheet

WHO = persona()
SAID = Heard(
    holder="马建军",
    numbers=("2086",),
    facts=(("每个月被多扣15元", "15元"), ("账单上写的是视频会员包", "")),
    offers="我现在就为您退订视频会员包，45元3个工作日内退到您话费账户。",
    all="每个月被多扣15元 账单上写的是视频会员包 马建军 尾号2086 5317 我现在就为您退订视频会员包，45元3个工作日内退到您话费账户。",
)


def verdict(name: str, text: str, said: Heard = SAID) -> str:
    lines = {line.name: line for line in compare({name: text}, WHO, said).lines}
    return lines[name].verdict if name in lines else "blank"


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("holder", "马建军", "matches"), ("holder", "马建军先生", "matches"), ("holder", "马先生", "partly"),
    ("holder", "马健军", "differs"), ("holder", "", "empty"),
    ("number", "13900002086", "matches"), ("number", "尾号二零八六", "matches"), ("number", "2068", "differs"),
    ("number", "86", "differs"),
    ("matter", "多扣15元视频会员", "matches"), ("matter", "每月多扣十五块的视频会员包", "matches"),
    ("matter", "多扣18元视频会员", "differs"), ("matter", "宽带断线", "differs"),
    ("promised", "3个工作日内退45元", "matches"), ("promised", "退48元到话费", "differs"),
    ("due", "三个工作日", "matches"), ("due", "5个工作日", "differs"), ("due", "尽快", "differs"),
    ("todo", "退订视频会员包，退45元", "matches"), ("notes", "", "blank"),
])  # fmt: skip
def test_each_field_is_held_against_what_was_said(name: str, text: str, expected: str) -> None:
    assert verdict(name, text) == expected


def test_an_english_holder_by_last_name_is_a_match_in_part() -> None:
    said = replace(SAID, holder="Fiona Hughes")
    assert [verdict("holder", text, said) for text in ("fiona hughes", "Mrs Hughes", "Mrs Huge")] == [
        "matches", "partly", "differs",
    ]  # fmt: skip


def test_where_nothing_was_said_nothing_is_judged() -> None:
    for name in ("holder", "number", "matter", "promised", "due"):
        assert verdict(name, "马建军 2086 15元 明天", Heard()) == "not_said"
        assert verdict(name, "", Heard()) == "blank"


def test_facts_told_are_noted_or_left_out_and_what_nobody_said_stands_out() -> None:
    made = compare({"notes": "每月多收15块，客户说退88元，5月3日前"}, WHO, SAID)
    assert (made.noted, made.left_out) == (("每个月被多扣15元",), ("账单上写的是视频会员包",))
    (notes,) = (line for line in made.lines if line.name == "notes")
    assert notes.unheard == ("88元", "5月3日")
    assert compare({"notes": "四十五块，尾号2086"}, WHO, SAID).lines[-1].unheard == ()


def test_lists_are_joined_with_the_marks_of_their_language() -> None:
    wrong = {"number": "1234", "matter": "宽带断线", "due": "尽快"}
    two = replace(SAID, numbers=("2086", "5317"), offers="3个工作日内退款，24小时内给您回电。")

    def expected(who: Persona) -> list[str]:
        return [line.expected for line in compare(wrong, who, two).lines if line.name in wrong]

    chinese, english = expected(WHO), expected(persona("en-roaming-bill"))
    assert chinese == ["2086、5317", "每个月被多扣15元；账单上写的是视频会员包", "3个工作日、24小时"]
    assert english == ["2086, 5317", "每个月被多扣15元; 账单上写的是视频会员包", "3个工作日, 24小时"]


def test_a_persona_says_what_its_form_should_hold() -> None:
    text = """
  form:
    - {id: item, label: 扣费项目, fact: item}
    - {id: amount, label: 每月金额, fact: amount}
    - {id: plan, label: 套餐, record: plan}
"""
    source = (ROOT / "personas/zh/deduction-video-pack.yaml").read_text("utf-8").rstrip("\n") + text
    who = parse_persona(source)
    said = replace(SAID, own={"item": "账单上写的是视频会员包", "amount": "15元"})
    lines = {
        line.name: line for line in compare({"item": "视频会员包", "amount": "15块", "plan": "59"}, who, said).lines
    }
    assert [(lines[name].label, lines[name].verdict) for name in ("item", "amount", "plan")] == [
        ("扣费项目", "matches"), ("每月金额", "matches"), ("套餐", "not_said"),
    ]  # fmt: skip
    for wrong in ("fact: nothing", "fact: item, record: plan", "record: nothing"):
        with pytest.raises(FileFault):
            parse_persona(source.replace("fact: item", wrong))
    with pytest.raises(FileFault, match="another one"):
        parse_persona(source.replace("id: item, label", "id: holder, label"))


def test_the_sheet_is_kept_with_the_call_and_stands_in_its_report(records: Records, tmp_path) -> None:
    play(records, "a1", "anna", ended=False, at=datetime.now(UTC))
    room = quiet_room(records, load_settings(data=str(tmp_path), port=0))
    with pytest.raises(Rejected, match="shoe size"):
        room.write("a1", {"shoe size": "44"})
    with pytest.raises(Rejected, match="at most"):
        room.write("a1", {"notes": "很长" * 600})
    assert sheet(room.call("a1")) is None
    room.write("a1", {"holder": "马", "notes": "  "})
    room.write("a1", {"holder": "马建军", "matter": "每月多扣15元", "notes": "我的手机13912345678"})
    made = make_report(room.call("a1"), room.grades("a1"))
    written = {line.name: line.written for line in made.sheet.lines}
    assert written["holder"] == "马建军" and "[PHONE]" in written["notes"]
    assert not made.sheet.late
    shown = as_markdown(made, "zh-CN")
    assert "工单和记录" in shown and "马建军" in shown
    room.write("a1", {"urgency": "urgent"})
    made = make_report(room.call("a1"), room.grades("a1"))
    assert "- 缓急: 加急\n" in as_markdown(made, "zh-CN") and "- Urgency: urgent\n" in as_markdown(made, "en")
    room.finish("a1")
    assert room.write("a1", {"holder": "马建军"}).ending
    assert sheet(room.call("a1")).late
