"""What a remark rests on can be read where it stands: on the page, in the file, on paper and in the terminal."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from made_class import grade, persona, play, quiet_room

from roleplay.call import GRADE, kept_call, kept_grades
from roleplay.dialogue import Evidence
from roleplay.grounds import Ground, grounds
from roleplay.records import GradeRow, Records
from roleplay.report_words import as_markdown
from roleplay.reports import Report, make_report
from roleplay.room import Room
from roleplay.rubric import Remark
from roleplay.settings import load_settings
from roleplay.texts import texts
from roleplay.web import views

RULE = Remark("phrasing", -1, "不用“喂”开头", rule="zh-hey")
OWN = Remark("phrasing", -1, "不承诺", rule="persona.own")
SCALE = Remark("empathy", -1, "没有回应", rule="rubric.empathy")
EMPTY = Remark("accuracy", -4, "没有内容", rule="content")
OLD = Remark("phrasing", -1, "从前的规定", rule="zh-no-longer-there")
ENTRY = Remark("accuracy", -1, "没有说到", entry="vas-refund", entry_quote="退还")
RECORD = Remark("accuracy", 1, "说得对", entry="account.plan")
CLOSED = Remark("accuracy", -1, "没有这一条", entry="gone-entry")


@pytest.fixture
def room(records: Records, tmp_path: Path) -> Room:
    return quiet_room(records, load_settings(data=str(tmp_path), port=0))


def told(room: Room, *remarks: Remark, good: bool = True) -> tuple[Report, dict[str, Ground]]:
    """A call whose first reply got these remarks, and what they rest on."""
    play(room.records, "a", "anna", good=good)
    first = replace(GRADE.validate_python(grade(True)), remarks=remarks, basis={"model": "m", "rules": "old"})
    room.records.keep_grade("a", GradeRow(1, "bundled", GRADE.dump_python(first, mode="json"), "scored"))
    call, grades = kept_call(room.records, "a"), kept_grades(room.records, "a")
    held = Evidence("vas-refund", "从前的答复，退还6个月。", "从前的问法？")
    record = Evidence("account.plan", "套餐: 59元畅享套餐")
    exchanges = (replace(call.exchanges[0], evidence=(held, record)), *call.exchanges[1:])
    call = replace(call, exchanges=exchanges)
    found = grounds(call, grades, room.knowledge, room.grader.standards)
    return replace(make_report(call, grades), grounds=found), found


def test_an_entry_is_shown_as_the_call_was_held_against_it_with_what_is_known_of_it_now(room: Room) -> None:
    found = told(room, ENTRY, CLOSED)[1]
    entry = room.knowledge.entries_by_id()["vas-refund"]
    one = found["vas-refund"]
    assert (one.kind, one.title, one.text) == ("entry", "从前的问法？", "从前的答复，退还6个月。")
    assert one.changed and one.source == entry.source and one.variants == entry.also_asked
    assert found["gone-entry"].kind == "gone"


def test_a_rule_is_shown_as_it_is_now_and_one_that_has_gone_is_said_to_be(room: Room) -> None:
    found = told(room, RULE, OLD, SCALE, EMPTY)[1]
    rule = room.grader.standards.rules["zh-hey"]
    one = found["zh-hey"]
    assert (one.kind, one.title, one.right, one.wrong, one.source) == (
        "must_not_say", rule.advice, rule.right, rule.wrong, rule.source,
    )  # fmt: skip
    assert one.changed, "this grade was given under other rules"
    assert [found[name].kind for name in ("zh-no-longer-there", "rubric.empathy", "content")] == [
        "gone", "scale", "scale",
    ]  # fmt: skip


def test_a_record_of_the_account_stays_closed_until_the_customer_was_verified(room: Room, tmp_path: Path) -> None:
    assert told(room, RECORD)[1]["account.plan"].text == "套餐: 59元畅享套餐"
    other = quiet_room(Records(f"sqlite:///{tmp_path}/other.db"), load_settings(data=str(tmp_path), port=0))
    made, found = told(other, RECORD, good=False)
    assert found["account.plan"].text == "" and "59元畅享套餐" not in views.report(made, "zh-CN")
    other.records.close()


def test_everything_named_in_a_report_is_readable_in_it_in_both_languages_and_forms(room: Room) -> None:
    made, found = told(room, RULE, ENTRY, RECORD, SCALE, OLD, EMPTY)
    rule, entry = room.grader.standards.rules["zh-hey"], room.knowledge.entries_by_id()["vas-refund"]
    both = (rule.right, rule.wrong, rule.source, "从前的答复，退还6个月。", entry.also_asked[0], "59元畅享套餐")
    for language, own in (("zh-CN", "这一条后来改过"), ("en", "has been changed since")):
        words = texts(language)
        more = (
            own,
            words["grounds"]["gone"],
            words["page"]["anchors"]["empathy"]["worst"],
            words["grounds"]["content"],
        )
        page, file = unescape(views.report(made, language)), unescape(views.report_file(made, language))
        plain = as_markdown(made, language)
        for text in (*both, *more):
            assert all(text in shown for shown in (page, file, plain)), text
        assert page.count('<details class="ground') == file.count('<details class="ground') >= len(found)
        assert " open><summary>" not in page and file.count('first" open><summary>') == len(found), "each once on paper"
        feedback = views.feedback(made.call, made.grades, found, language)
        assert rule.right in feedback and "从前的答复" in feedback


def test_an_entry_that_a_rule_rests_on_can_be_read_there_too(room: Room) -> None:
    rules = room.grader.standards.rules
    rule = next(rule for rule in rules.values() if rule.entries and rule.id.startswith("zh"))
    made, found = told(room, replace(RULE, rule=rule.id))
    assert found[rule.id].entries == rule.entries and set(rule.entries) < set(found)
    entry = room.knowledge.entries_by_id()[rule.entries[0]]
    assert entry.answer in views.report(made, "zh-CN")


def test_what_this_customers_call_requires_is_readable_too(room: Room) -> None:
    own = persona().grading.must_not_say or persona().grading.must_say
    name = f"persona.{own[0].id}"
    made, found = told(room, replace(OWN, rule=name))
    assert found[name].title == own[0].advice and own[0].advice in views.report(made, "zh-CN")
