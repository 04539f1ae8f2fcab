"""Drafts that nobody has published yet: kept for their trainer, given up, taken back."""

from __future__ import annotations

from roleplay.records import Records


def test_a_draft_is_kept_for_its_trainer_alone_and_remembers_what_it_began_with(records: Records) -> None:
    drafts = records.unpublished
    drafts.keep("tina", "zh-a", "one", "base 1")
    drafts.keep("tina", "zh-a", "two", "base 2")
    drafts.keep("tina", "zh-b", "other", "")
    there = drafts.find("tina", "zh-a")
    assert (there.text, there.before, there.base) == ("two", None, "base 1")
    assert [draft.persona for draft in drafts.all("tina")] == ["zh-b", "zh-a"]
    assert drafts.find("tom", "zh-a") is None and drafts.all("tom") == []


def test_what_is_replaced_or_given_up_can_be_taken_back_once(records: Records) -> None:
    drafts = records.unpublished
    drafts.keep("tina", "zh-a", "mine", "b")
    drafts.replace("tina", "zh-a", "a version", "b")
    assert drafts.find("tina", "zh-a").before == "mine"
    assert drafts.restore("tina", "zh-a") == "mine"
    assert drafts.find("tina", "zh-a").before == "a version"
    drafts.replace("tina", "zh-a", None, "b")
    assert drafts.all("tina") == [] and drafts.find("tina", "zh-a").before == "mine"
    drafts.keep("tina", "zh-a", "begun anew", "c")
    there = drafts.find("tina", "zh-a")
    assert (there.text, there.before, there.base) == ("begun anew", "mine", "c")
    drafts.forget("tina", "zh-a")
    assert drafts.find("tina", "zh-a") is None and drafts.restore("tina", "zh-a") is None


def test_drafts_outlive_the_program_and_go_with_their_trainer(records: Records, url: str) -> None:
    records.people.add("tina", "trainer", "long enough")
    records.unpublished.keep("tina", "zh-a", "mine", "b")
    again = Records(url)
    assert again.unpublished.find("tina", "zh-a").text == "mine"
    again.delete_person("tina")
    assert again.unpublished.find("tina", "zh-a") is None
    again.close()
