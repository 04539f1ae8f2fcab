"""Knowledge-base files: what is wrong in them is named with its place."""

from __future__ import annotations

import datetime

import pytest

from roleplay.dialogue import Evidence
from roleplay.errors import FileFault
from roleplay.knowledge.entries import contradictions, fingerprint, load_entries

ENTRY = """- id: {id}
  language: zh-CN
  product: 漫游
  question: {id}怎么开通？
  answer: 发送短信到10910，10分钟内生效。
  facts: {{time: 10分钟内}}
"""


def write(tmp_path, text, name="a.yaml"):
    path = tmp_path / name
    path.write_text("entries:\n" + text, "utf-8")
    return path


def test_an_entry_becomes_evidence_with_its_facts(tmp_path):
    (entry,) = load_entries(write(tmp_path, ENTRY.format(id="one")))
    assert entry.evidence() == Evidence("one", entry.answer, "one怎么开通？", (("time", "10分钟内"),))
    assert entry.source == "a.yaml:2" and entry.audience == "public"


def test_every_wrong_field_of_an_entry_is_named_with_its_line(tmp_path):
    text = "- id: a b\n  language: fr\n  product: x\n  question: q\n  anwser: y\n  valid_from: soon\n"
    with pytest.raises(FileFault) as caught:
        load_entries(write(tmp_path, text))
    found = {(fault.line, fault.field.removeprefix("entries.0.")) for fault in caught.value.faults}
    assert found == {(2, "id"), (3, "language"), (2, "answer"), (6, "anwser"), (7, "valid_from")}


def test_an_id_used_in_two_files_is_a_fault_that_names_both_places(tmp_path):
    write(tmp_path, ENTRY.format(id="one"), "a.yaml")
    write(tmp_path, ENTRY.format(id="two") + ENTRY.format(id="one"), "b.yaml")
    with pytest.raises(FileFault, match=r"b\.yaml: line 8: .*a\.yaml, line 2"):
        load_entries(tmp_path)


def test_dates_the_wrong_way_round_are_a_fault(tmp_path):
    with pytest.raises(FileFault, match="valid_to is before valid_from"):
        load_entries(write(tmp_path, ENTRY.format(id="one") + "  valid_from: 2026-02-01\n  valid_to: 2026-01-01\n"))


def test_an_entry_is_valid_from_its_first_to_its_last_day(tmp_path):
    text = ENTRY.format(id="one") + "  valid_from: 2026-02-01\n  valid_to: 2026-02-28\n"
    (entry,) = load_entries(write(tmp_path, text))
    days = [datetime.date(2026, month, day) for month, day in ((1, 31), (2, 1), (2, 28), (3, 1))]
    assert [entry.valid_on(day) for day in days] == [False, True, True, False]


def test_a_folder_without_entries_and_a_file_that_is_none_are_faults(tmp_path):
    with pytest.raises(FileFault, match=r"no \.yaml file"):
        load_entries(tmp_path)
    with pytest.raises(FileFault, match="cannot be read"):
        load_entries(tmp_path / "none.yaml")


def test_the_fingerprint_changes_with_a_fact_but_not_with_the_place_of_an_entry(tmp_path):
    one, two = ENTRY.format(id="one"), ENTRY.format(id="two")
    first = fingerprint(load_entries(write(tmp_path, one + two)))
    assert fingerprint(load_entries(write(tmp_path, two + one))) == first
    assert fingerprint(load_entries(write(tmp_path, one + two.replace("time: 10", "time: 20")))) != first


def test_a_fact_that_the_answer_does_not_give_and_a_link_to_nowhere_are_found(tmp_path):
    text = ENTRY.format(id="one").replace("time: 10", "time: 20") + "  related: [two]\n  twin: three\n"
    faults = " ".join(map(str, contradictions(load_entries(write(tmp_path, text)))))
    assert "20" in faults and "'two'" in faults and "'three'" in faults
