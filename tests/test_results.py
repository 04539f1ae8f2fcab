"""What calls came to: one line each, tables over many, samples, corrections by people, files for other programs."""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import timedelta

import pytest
from made_class import MONDAY, persona, play
from openpyxl import load_workbook

from roleplay import exports, results, reviews
from roleplay.call import kept_call, kept_grades
from roleplay.errors import Rejected
from roleplay.graded import read_graded
from roleplay.records import GradeRow, ReviewRow
from roleplay.results import BY, Results, draw_sample, group, heat_map

WEEK = timedelta(days=7)


@pytest.fixture
def school(records):
    play(records, "a1", "anna")
    play(records, "a2", "anna", at=MONDAY + WEEK)
    play(records, "b1", "ben", good=False)
    play(records, "b2", "ben", good=False, at=MONDAY + WEEK, who=persona("en-roaming-bill"))
    play(records, "c1", "carla", ended=False)
    return records


def test_a_good_call_and_a_rude_one_come_to_what_they_were(school):
    good, rude = (Results(school).find(name)[-1] for name in ("anna", "ben"))
    assert good.passed and good.ended_well and good.checks["fault.rude"]
    assert not rude.passed and not rude.ended_well and not rude.checks["fault.rude"]
    assert (good.week, good.pace, good.unscored) == ("2026-W10", 6.0, 0)
    assert rude.rules == ("zh-hey",) * rude.replies
    assert good.last.trust > rude.last.trust


def test_a_result_is_computed_again_when_something_of_its_call_changes(school, monkeypatch):
    made = Results(school)
    before = made.find("anna")
    monkeypatch.setattr(results, "kept_report", None)  # nothing is computed without need
    assert made.find("anna") == before
    monkeypatch.undo()
    reviews.correct(school, "a1", 1, {"empathy": 1, "accuracy": None, "phrasing": 1}, "念稿子", "berta")
    after = made.find("anna")
    assert after[0] == before[0]
    assert after[1].corrected and after[1].total < before[1].total


def test_calls_are_found_by_person_persona_and_time(school):
    made = Results(school)
    assert [each.call_id for each in made.find(persona_id="en-roaming-bill")] == ["b2"]
    assert {each.call_id for each in made.find(since=MONDAY + WEEK)} == {"a2", "b2"}
    assert {each.call_id for each in made.find(until=MONDAY + WEEK)} == {"a1", "b1", "c1"}


def test_tables_count_what_there_is_and_leave_empty_what_there_is_not(school):
    play(school, "d1", "dora", scored=False)
    tables = {key: group(Results(school).find(), BY[key]) for key in BY}
    people = {each.key: each for each in tables["person"]}
    assert (people["anna"].calls, people["anna"].passed, people["ben"].passed) == (2, 1.0, 0.0)
    assert people["dora"].total is None and people["dora"].scored == 0
    assert people["carla"].ended_well is None
    assert [each.key for each in tables["week"]] == ["2026-W10", "2026-W11"]
    assert people["ben"].calmer < people["anna"].calmer
    assert sum(each.calls for each in tables["persona"]) == 6


def test_the_heat_map_says_who_misses_what(school):
    rows = heat_map(Results(school).find())
    assert rows["ben"]["fault.rude"].share == 1
    assert rows["anna"]["fault.rude"].share == 0
    assert "carla" not in rows  # her call is still on


def test_a_sample_is_drawn_alike_from_the_same_seed_and_for_each_person_alone(school):
    for number in range(6):
        play(school, f"m{number}", "mia", at=MONDAY + timedelta(hours=number))
    made = Results(school)
    drawn = draw_sample(made.find(), 2, seed=7)
    assert drawn == draw_sample(reversed(made.find()), 2, seed=7)
    mine = [each for each in drawn if each.trainee == "mia"]
    assert len(mine) == 2
    assert draw_sample(made.find("mia"), 2, seed=7) == mine
    assert any(draw_sample(made.find("mia"), 2, seed=seed) != mine for seed in range(5))
    assert {each.trainee for each in drawn} == {"anna", "ben", "mia"}  # a call that is still on is not drawn


def test_a_corrected_grade_counts_and_the_machines_stays_beside_it(school):
    reviews.correct(school, "a1", 2, {"empathy": 3, "accuracy": None, "phrasing": 4}, "套话", "berta")
    school.keep_grade(
        "a1",
        GradeRow(
            3, "bundled 2", reviews.GRADE.dump_python(reviews.machine_grade(school, "a1", 2), mode="json"), "scored"
        ),
    )
    counted = kept_grades(school, "a1")[2]
    assert counted.scores["empathy"].value == 3 and counted.scores["accuracy"].status == "not_due"
    assert counted.scores["empathy"].why == "套话" and counted.grader == "person berta"
    assert reviews.machine_grade(school, "a1", 2).scores["empathy"].value == 5


@pytest.mark.parametrize(
    ("reply", "scores", "reason", "why"),
    [
        (1, {"empathy": 3, "accuracy": 3, "phrasing": 3}, "  ", "a correction needs a reason"),
        (1, {"empathy": None, "accuracy": 3, "phrasing": 3}, "why", "empathy: a score is"),
        (1, {"empathy": 6, "accuracy": 3, "phrasing": 3}, "why", "empathy: a score is"),
        (99, {"empathy": 3, "accuracy": 3, "phrasing": 3}, "why", "has no reply 99"),
        (0, {"empathy": 3, "accuracy": 3, "phrasing": 3}, "why", "has no reply 0"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(school, reply, scores, reason, why):
    with pytest.raises(Rejected, match=why):
        reviews.correct(school, "a1", reply, scores, reason, "berta")
    assert not any(row.by_person for row in school.grades("a1"))


def test_corrections_are_graded_data_that_a_grader_can_be_calibrated_with(school, tmp_path):
    reviews.correct(school, "b1", 1, {"empathy": 1, "accuracy": None, "phrasing": 1}, "开口就吼", "berta")
    reviews.correct(school, "a1", 2, {"empathy": 4, "accuracy": 5, "phrasing": 3}, "少了称呼", "berta")
    path = tmp_path / "graded.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in reviews.graded_rows(school)), "utf-8")
    rows = {row.id: row for row in read_graded(path)}
    assert rows["b1.1"].scores == {"empathy": 1, "accuracy": None, "phrasing": 1}
    said = [turn.text for turn in kept_call(school, "a1").turns]
    assert [turn.text for turn in rows["a1.2"].exchange.context] == said[:2]
    assert rows["a1.2"].exchange.reply == said[2]
    assert json.loads(path.read_text("utf-8").splitlines()[0])["machine"]["empathy"] == 5


def test_a_request_for_a_review_waits_until_it_is_answered(school):
    for name in ("a1", "b1"):
        school.keep_review(ReviewRow(name, 1, "asked", "anna", "我觉得不对"))
    assert [row.call_id for row in reviews.waiting(school)] == ["a1", "b1"]
    reviews.correct(school, "a1", 1, {"empathy": 4, "accuracy": 4, "phrasing": 4}, "看过了", "berta")
    assert [row.call_id for row in reviews.waiting(school)] == ["b1"]
    school.keep_review(ReviewRow("b1", 0, "made", "berta", "评分没有问题"))
    assert reviews.waiting(school) == []
    with pytest.raises(Rejected, match="there is no call x"):
        school.keep_review(ReviewRow("x", 1, "asked", "anna", ""))


def test_files_are_opened_again_by_the_libraries_of_their_formats(school):
    play(school, "f1", "=cmd|' /C calc'!A0")
    found = Results(school).find()
    sheet = load_workbook(io.BytesIO(exports.as_xlsx(found))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == exports.COLUMNS and len(rows) == len(found) + 1
    person = rows[0].index("person")
    assert {row[person] for row in rows[1:]} == {each.trainee for each in found}
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    read = list(csv.DictReader(io.StringIO(exports.as_csv(found).decode("utf-8-sig"))))
    assert [float(row["total"]) for row in read] == [round(each.total, 1) for each in found]
    assert "'=cmd|' /C calc'!A0" in {row["person"] for row in read}
    whole = [json.loads(line) for line in exports.as_jsonl(school, found).decode().splitlines()]
    assert [each["call"] for each in whole] == [each.call_id for each in found]
    assert whole[0]["turns"] and whole[0]["person"]


def test_xapi_statements_say_who_passed_what_with_which_score(school):
    found = Results(school).find()
    statements = json.loads(exports.as_xapi(found))
    assert len(statements) == len(found) - 1  # the one that is still on has come to nothing yet
    by_person = {each["actor"]["account"]["name"]: each for each in statements}
    assert by_person["anna"]["verb"]["id"].endswith("/passed")
    assert by_person["ben"]["verb"]["id"].endswith("/failed")
    for each in statements:
        assert uuid.UUID(each["id"])
        assert 0 <= each["result"]["score"]["scaled"] <= 1
        assert each["result"]["duration"].startswith("PT") and each["timestamp"].endswith("+00:00")
    assert json.loads(exports.as_xapi(found)) == statements  # the same call is the same statement


def test_nothing_at_all_is_exported_as_empty_files(records):
    assert load_workbook(io.BytesIO(exports.as_xlsx([]))).active.max_row == 1
    assert len(exports.as_csv([]).splitlines()) == 1
    assert exports.as_jsonl(records, []) == b"" and json.loads(exports.as_xapi([])) == []
