"""What a trainee sees of scores that rest on different things: never joined, and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from made_class import persona, play

from roleplay.call import GRADE, kept_call, kept_grades
from roleplay.coaching import Better
from roleplay.persona import Library
from roleplay.plans import standing
from roleplay.progress import make_progress
from roleplay.records import GradeRow
from roleplay.report_words import as_markdown
from roleplay.reports import make_report
from roleplay.results import BY, Results, group
from roleplay.rubric import Grade, Score
from roleplay.texts import texts
from roleplay.web import views
from roleplay.web.charts import growth
from roleplay.web.desk.results import trend


def graded_by(records, call_id, rules):
    """Every reply of a call scored under these rules."""
    for number, grade in kept_grades(records, call_id).items():
        data = GRADE.dump_python(replace(grade, basis={"model": "bundled:1", "rules": rules}), mode="json")
        records.keep_grade(call_id, GradeRow(2 * number - 1, "bundled", data, "scored"))


def test_scores_on_different_bases_are_not_joined(records):
    for call_id, rules in (("a", "old"), ("b", "old"), ("c", "new")):
        play(records, call_id, "anna")
        graded_by(records, call_id, rules)
    made = growth(Results(records).find("anna"))
    totals = [points for name, points in made.lines if name == "total"]
    assert made.shown == 3 and sorted(map(len, totals)) == [1, 2]
    assert [parts for _, parts in made.breaks] == [("rules",)]
    for language, words in (
        ("zh-CN", ("虚线处评分依据有变", "与指标对照")),
        ("en", ("dashed line", "Beside the targets")),
    ):
        page = views.progress(
            make_progress(records, Results(records), "anna"), Library({}, {}, ()), (), (), None, language
        )
        assert all(word in page for word in words)


def on_two_bases(records):
    """Anna was scored before and after the rules changed, badly before; Ben before alone."""
    later = kept_call(records, play(records, "a1", "anna", good=False)).row.started_at + timedelta(weeks=1)
    play(records, "a2", "anna", at=later)
    play(records, "b1", "ben")
    for call_id, rules in (("a1", "old"), ("a2", "new"), ("b1", "old")):
        graded_by(records, call_id, rules)
    return Results(records).find()


def test_a_mean_is_never_over_scores_on_different_bases(records):
    found = on_two_bases(records)
    totals = {each.call_id: each.total for each in found}
    anna, ben = group(found, BY["person"])
    assert anna.total == totals["a2"] and (anna.older, anna.behind, anna.changed) == (1, False, ("rules",))
    assert anna.calls == anna.scored == 2 and anna.passed == 1.0 and anna.mean["empathy"] == 5.0
    assert ben.total == totals["b1"] and (ben.older, ben.behind, ben.changed) == (0, True, ("rules",))
    place = standing({name: [each for each in found if each.trainee == name] for name in ("anna", "ben")}, "anna")
    assert place is not None and (place.place, place.of) == (1, 1)
    assert standing({"anna": found[:1], "ben": found[1:]}, "ben") is None


def test_the_desk_names_what_is_left_out_and_cuts_the_line_of_weeks(records):
    found = on_two_bases(records)
    lines, breaks = trend(group(found, BY["week"]))
    assert [len(line) for line in lines] == [1, 1] and [parts for _, parts in breaks] == [("rules",)]
    given = {"kind": "person", "name": str, "lines": lines, "breaks": breaks, "groups": group(found, BY["person"])}
    for language, words in (
        ("zh-CN", ("另有 1 通按旧依据评分", "评分依据变动之前", "有变的是：规范", "虚线处评分依据有变")),
        ("en", ("1 scored on an older basis", "before the basis changed", "Different since: rules", "dashed line")),
    ):
        page = views.render("desk/groups.html", language, desk=texts(language)["desk"], **given)
        assert all(word in page for word in words)


def test_languages_have_rules_of_their_own_and_are_counted_together(records):
    play(records, "zh", "anna")
    play(records, "en", "anna", who=persona("en-roaming-bill"))
    graded_by(records, "zh", "chinese")
    graded_by(records, "en", "english")
    (anna,) = group(Results(records).find(), BY["person"])
    assert (anna.older, anna.changed) == (0, ())


def test_the_best_call_is_looked_for_on_the_newest_basis(records):
    play(records, "old", "anna")
    graded_by(records, "old", "old")
    play(records, "new", "anna", good=False, at=kept_call(records, "old").row.started_at.replace(year=2027))
    graded_by(records, "new", "new")
    assert make_progress(records, Results(records), "anna").best["zh-deduction-video-pack"].call_id == "new"


def test_the_report_says_what_it_rests_on_and_where_that_differs_within_the_call(records):
    play(records, "a", "anna", good=False)
    graded_by(records, "a", "old")
    first = kept_grades(records, "a")[1]
    unsure = {**first.scores, "empathy": Score(2, confidence=0.3, unsure=True)}
    data = GRADE.dump_python(replace(first, scores=unsure, basis={"model": "bundled:1", "rules": "new"}), mode="json")
    records.keep_grade("a", GradeRow(1, "bundled", data, "scored"))
    made = make_report(kept_call(records, "a"), kept_grades(records, "a"))
    assert made.mixed == ("rules",)
    better = {made.lowest[0]: Better("您先别急。", "built", {}), **dict.fromkeys(made.lowest[1:])}
    made = replace(made, better=better)
    for language, words in (
        ("zh-CN", ("没把握，请培训师看看", "您先别急", "评分依据", "没有找到")),
        ("en", ("unsure, ask a trainer", "rest on")),
    ):
        page = views.report(made, language, others=[persona()])
        assert all(word in page for word in words) and all(word in as_markdown(made, language) for word in words)


def test_a_grade_of_an_earlier_version_is_still_read():
    old = {"scores": {"empathy": {"value": 3.0}, "accuracy": {"value": 3.0}, "phrasing": {"value": 3.0}}}
    assert GRADE.validate_python(old) == Grade({name: Score(3.0) for name in ("empathy", "accuracy", "phrasing")})
