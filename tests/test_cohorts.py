"""Classes: rosters, assignments with due date and attempts, exam windows, training plans and certificates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from made_class import MONDAY, play

from roleplay.errors import FileFault, Rejected
from roleplay.plans import TEMPLATE, allow_exam, parse_plan, progress_of, standing, tasks
from roleplay.results import Results
from roleplay.rosters import parse_roster, read_roster

DAY = timedelta(days=1)
PERSONA = "zh-deduction-video-pack"
PLAN = f"""\
id: basics
title: 新人上岗
modules:
  - {{title: 第一周, personas: [{PERSONA}], pass_mark: 60}}
exam: {{personas: [{PERSONA}], pass_mark: 70, attempts: 2}}
certificate: 可以上线
"""


@pytest.fixture
def school(records):
    records.cohorts.add("三月班")
    records.cohorts.enrol("三月班", ["anna", "ben"])
    return records


def test_a_class_has_people_and_settings_and_goes_with_its_assignments(school):
    assert school.cohorts.enrol("三月班", ["ben", "carla"]) == 1
    school.cohorts.keep_plan("basics", PLAN)
    school.cohorts.change("三月班", plan="basics", compare=True)
    school.cohorts.leave("三月班", "ben")
    (cohort,) = school.cohorts.all()
    assert (cohort.people, cohort.plan, cohort.compare) == (("anna", "carla"), "basics", True)
    assert [each.name for each in school.cohorts.of_person("carla")] == ["三月班"]
    school.cohorts.assign("三月班", PERSONA, "practice", MONDAY, MONDAY + DAY)
    school.cohorts.drop_plan("basics")
    assert school.cohorts.all()[0].plan == ""
    school.cohorts.remove("三月班")
    assert (school.cohorts.all(), school.cohorts.assignments()) == ([], [])


def test_what_makes_no_sense_is_refused(school):
    cohorts = school.cohorts
    for ask, why in (
        (lambda: cohorts.add("三月班"), "there is a class 三月班 already"),
        (lambda: cohorts.add(" "), "1 to 64 characters"),
        (lambda: cohorts.enrol("x", ["anna"]), "there is no class x"),
        (lambda: cohorts.remove("x"), "there is no class x"),
        (lambda: cohorts.change("三月班", plan="x", compare=False), "no training plan x"),
        (lambda: cohorts.assign("三月班", PERSONA, "practice", MONDAY, MONDAY), "due after it opens"),
        (
            lambda: cohorts.assign("三月班", PERSONA, "practice", MONDAY, MONDAY + DAY, pass_mark=120),
            "between 0 and 100",
        ),
        (lambda: cohorts.assign("x", PERSONA, "practice", MONDAY, MONDAY + DAY), "there is no class x"),
        (lambda: cohorts.withdraw(9), "there is no assignment 9"),
        (lambda: cohorts.drop_plan("x"), "there is no plan x"),
    ):
        with pytest.raises(Rejected, match=why):
            ask()


def test_an_assignment_counts_only_calls_of_its_persona_mode_and_time(school):
    school.cohorts.assign("三月班", PERSONA, "practice", MONDAY, MONDAY + 7 * DAY, attempts=2, pass_mark=60)
    play(school, "early", "anna", at=MONDAY - DAY)
    play(school, "exam", "anna", at=MONDAY + DAY, mode="exam")
    play(school, "bad", "anna", good=False, at=MONDAY + DAY)

    def seen(person="anna", now=MONDAY + 2 * DAY):
        (task,) = tasks(school, Results(school), person, now)
        return task.state, task.tries, task.left

    assert seen(now=MONDAY - DAY)[0] == "upcoming"
    assert seen() == ("open", 1, 1)
    assert seen("ben") == ("open", 0, 2)
    assert seen(now=MONDAY + 8 * DAY)[0] == "missed"
    play(school, "bad again", "anna", good=False, at=MONDAY + DAY)
    assert seen() == ("used_up", 2, 0)
    play(school, "too late", "anna", at=MONDAY + 2 * DAY)  # a third one does not count
    assert seen()[0] == "used_up"
    play(school, "good", "ben", at=MONDAY + DAY)
    assert seen("ben") == ("done", 1, 1)
    school.cohorts.enrol("三月班", ["cara"])
    play(school, "begun", "cara", good=False, ended=False, at=MONDAY + DAY)
    assert seen("cara") == ("open", 1, 1)
    play(school, "begun too", "cara", good=False, at=MONDAY + 2 * DAY)
    (task,) = tasks(school, Results(school), "cara", MONDAY + 3 * DAY)
    assert (task.state, task.left, task.running) == ("running", 0, "begun")
    assert seen("cara", MONDAY + 8 * DAY)[0] == "missed"
    school.end_call("begun", "unresolved")
    assert seen("cara") == ("used_up", 2, 0)
    assert tasks(school, Results(school), "somebody else", MONDAY) == []


def test_an_exam_is_sat_only_by_whom_it_was_assigned_to_in_its_window_and_with_attempts_left(school):
    school.cohorts.assign("三月班", PERSONA, "exam", MONDAY, MONDAY + DAY, attempts=1)

    def ask(person, now):
        allow_exam(school, Results(school), person, PERSONA, now)

    ask("anna", MONDAY)
    for person, now, why in (
        ("carla", MONDAY, "no exam with this customer"),
        ("anna", MONDAY - DAY, "opens at"),
        ("anna", MONDAY + DAY, "closed at"),
    ):
        with pytest.raises(Rejected, match=why):
            ask(person, now)
    play(school, "exam", "anna", mode="exam", good=False)
    with pytest.raises(Rejected, match="all attempts"):
        ask("anna", MONDAY)


def test_a_plan_leads_over_its_modules_and_the_exam_to_one_certificate(school):
    school.cohorts.keep_plan("basics", PLAN)
    school.cohorts.change("三月班", plan="basics", compare=False)
    made = Results(school)
    with pytest.raises(Rejected, match="modules of the training plan come before"):
        allow_exam(school, made, "anna", PERSONA, MONDAY)
    play(school, "p1", "anna")
    allow_exam(school, made, "anna", PERSONA, MONDAY)
    (seen,) = progress_of(school, made, "anna")
    assert (seen.ready, seen.complete, seen.share) == (True, False, 0.5)
    play(school, "e1", "anna", mode="exam", good=False, at=MONDAY + DAY)
    assert not progress_of(school, made, "anna")[0].complete
    play(school, "e2", "anna", mode="exam", at=MONDAY + 2 * DAY)
    assert progress_of(school, made, "anna")[0].complete
    (certificate,) = school.cohorts.certificates("anna")
    assert (certificate.title, certificate.earned_at) == ("可以上线", MONDAY + 2 * DAY)
    with pytest.raises(Rejected, match="all attempts"):
        allow_exam(school, made, "anna", PERSONA, MONDAY)
    school.forget_calls(MONDAY + 90 * DAY)
    assert school.cohorts.certificates("anna") == [certificate]  # earned is earned
    assert school.cohorts.certificates("ben") == []


def test_a_plan_is_read_with_the_line_of_everything_wrong():
    assert (
        parse_plan(TEMPLATE.format(one="a", two="b", title="x", first="y", second="z", certificate="c"), ["a", "b"]).id
        == "first-weeks"
    )
    for text, line, why in (
        (PLAN.replace("title: 新人上岗", "titel: 新人上岗"), 2, "unknown key"),
        (PLAN, 4, "there is no persona"),
        (PLAN.replace("pass_mark: 70", "pass_mark: 700"), 5, "from 0 to 100"),
        ("id: [", 2, "not YAML"),
    ):
        with pytest.raises(FileFault) as caught:
            parse_plan(text, ["x"])
        assert any(fault.line == line and why in fault.message for fault in caught.value.faults), str(caught.value)


def test_a_place_in_the_class_is_told_by_mean_total(school):
    play(school, "a", "anna")
    play(school, "b", "ben", good=False)
    results = {name: Results(school).find(name) for name in ("anna", "ben", "carla")}
    anna, ben = standing(results, "anna"), standing(results, "ben")
    assert anna and ben and (anna.place, anna.of, ben.place) == (1, 2, 2)
    assert anna.everybody["total"] == pytest.approx((anna.own["total"] + ben.own["total"]) / 2)
    assert standing(results, "carla") is None


def test_a_roster_is_read_in_either_language_and_coding(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes("姓名,部门,角色\n小林,一组,\n\n小王,一组,质检\n".encode("gb18030"))
    assert [(each.name, each.role) for each in read_roster(path)] == [("小林", "trainee"), ("小王", "checker")]
    assert [each.name for each in parse_roster("\ufeffName;x\nanna;1\n".lstrip("\ufeff"), path)] == ["anna"]


def test_every_wrong_line_of_a_roster_is_named():
    text = "name,role\nanna,\nanna,trainee\n,trainee\nben,boss\n" + "x" * 65 + ",\n"
    with pytest.raises(FileFault) as caught:
        parse_roster(text, "roster.csv")
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [
        (3, "name"), (4, "name"), (5, "role"), (6, "name"),
    ]  # fmt: skip
    for text, why in (("who,what\n", "one of them is: name"), ("name\n\n", "names nobody"), ("", "one of them is")):
        with pytest.raises(FileFault, match=why):
            parse_roster(text, "roster.csv")
