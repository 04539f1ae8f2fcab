from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from roleplay.persona_grading import Grading, PhraseRule
from roleplay.phrases import forbidden, in_call, judged, required
from roleplay.reading import MoveSeen, Reading, Told
from roleplay.rubric import DIMENSIONS, Grade, Score, total

READING = Reading()
GOOD = Grade({name: Score(5.0) for name in DIMENSIONS})


def rule(**given: object) -> PhraseRule:
    return PhraseRule(id="x", advice="先劝停。", **given)  # type: ignore[arg-type]


def test_a_rule_needs_something_to_look_for() -> None:
    with pytest.raises(ValidationError, match="any, patterns, moves or told"):
        rule()


def test_what_must_be_said_is_found_by_its_words() -> None:
    assert required(rule(any=["110"]), "请您马上拨打110。", READING) == (6, 9)
    assert required(rule(any=["110"]), "一共1100元。", READING) is None
    assert required(rule(any=["ring"]), "I will bring it.", READING) is None


def test_what_must_be_said_is_found_by_its_meaning() -> None:
    reading = Reading(moves=(MoveSeen("reassure", 0.9, 0, 4),), told=(Told("fraud-stop"),))
    assert required(rule(moves=["reassure"]), "您别怕，我在。", reading) == (0, 4)
    assert required(rule(told=["fraud-stop"]), "您别怕，我在。", reading) == (0, 7)
    assert required(rule(told=["other"]), "您别怕，我在。", reading) is None


@pytest.mark.parametrize("reply", ["我不能保证退。", "I can't promise a full refund."])
def test_forbidden_words_that_are_denied_do_not_count(reply: str) -> None:
    assert forbidden(rule(any=["保证退", "promise a full refund"]), reply, READING) is None


def test_a_denial_in_another_clause_excuses_nothing() -> None:
    assert forbidden(rule(any=["保证退"]), "您不用急，保证退。", READING) == (5, 8)


def test_forbidden_words_with_a_stage_count_only_there() -> None:
    given = rule(any=["合约"], stage="opening")
    assert forbidden(given, "您的合约", Reading(stage="solving")) is None
    assert forbidden(given, "您的合约", Reading(stage="opening")) is not None


@pytest.mark.parametrize(("severity", "highest"), [("lapse", 3.0), ("forbidden", 1.0)])
def test_a_reply_with_a_forbidden_phrase_is_capped_and_told_why(severity: str, highest: float) -> None:
    grading = Grading(must_not_say=[rule(any=["保证退"], severity=severity, right="结果出来我告诉您。")])
    grade = judged(GOOD, grading, "保证退。", READING)
    assert grade.scores["phrasing"].value == highest and grade.scores["empathy"].value == 5
    (remark,) = grade.remarks
    assert remark.quote == "保证退" and remark.rule == "persona.x" and "结果出来我告诉您" in remark.text


def test_a_grade_without_a_score_stays_as_it_is() -> None:
    grading = Grading(must_not_say=[rule(any=["保证退"])])
    missing = Grade.missing("failed", "no answer")
    assert judged(missing, grading, "保证退。", READING) is missing


def test_a_call_is_charged_once_for_what_was_never_said_and_for_what_was() -> None:
    grading = Grading(
        must_say=[rule(any=["节哀"], cost=8), rule(any=["退还"])],
        must_not_say=[rule(any=["必须本人来"], cost=3)],
    )
    replies = [("请您说一下，必须本人来。", READING), ("月租退还给您。必须本人来。", READING)]
    seen = in_call(grading, replies)
    assert [(each.kept, each.number, each.cost) for each in seen] == [(False, None, 8), (True, 2, 0), (False, 1, 3)]
    assert seen[2].quote == "必须本人来"


def test_costs_come_off_the_total_and_not_below_nothing() -> None:
    weights = dict.fromkeys(DIMENSIONS, 1.0)
    assert total([GOOD], weights, 60, None, 12.0).total == 88
    low = replace(GOOD, scores={name: Score(1.0) for name in DIMENSIONS})
    assert total([low], weights, 60, None, 12.0).total == 0
