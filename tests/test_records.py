from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from made_call import CALL, PAIR
from sqlalchemy.exc import StatementError

from roleplay.errors import Rejected
from roleplay.records import GradeRow


def test_a_call_comes_back_as_it_was_kept(records):
    records.open_call(CALL)
    records.keep_turns("c1", 1, PAIR)
    verdict = GradeRow(1, "bundled y", {"scores": {"empathy": 3.5, "accuracy": None}}, "scored")
    records.keep_grade("c1", verdict)
    assert records.call("c1") == CALL
    assert records.turns("c1") == list(PAIR)
    assert records.grades("c1") == [verdict]


def test_a_turn_whose_number_is_taken_is_refused_and_changes_nothing(records):
    records.open_call(CALL)
    records.keep_turns("c1", 1, PAIR)
    with pytest.raises(Rejected, match="this call went on elsewhere"):
        records.keep_turns("c1", 2, PAIR, ending="resolved")
    assert records.turns("c1") == list(PAIR)
    assert records.call("c1").ending is None


def test_a_turn_may_not_leave_a_gap(records):
    records.open_call(CALL)
    with pytest.raises(Rejected, match="this call went on elsewhere"):
        records.keep_turns("c1", 3, PAIR)


def test_of_two_turns_of_which_one_cannot_be_kept_none_is_kept(records):
    records.open_call(CALL)
    with pytest.raises(StatementError, match="not JSON compliant"):
        records.keep_turns("c1", 1, [PAIR[0], replace(PAIR[1], detail={"doubt": float("nan")})])
    with pytest.raises(Rejected, match="cannot be recorded"):
        records.keep_turns("c1", 1, [PAIR[0], replace(PAIR[1], text="\ud800")])
    assert records.turns("c1") == []


def test_the_last_turns_can_end_a_call_and_then_it_is_over(records):
    records.open_call(CALL)
    records.keep_turns("c1", 1, PAIR, ending="hung_up")
    ended = records.call("c1")
    assert ended.ending == "hung_up"
    assert ended.ended_at is not None
    assert ended.ended_at >= CALL.started_at
    with pytest.raises(Rejected, match="this call is over"):
        records.keep_turns("c1", 3, PAIR)


def test_ending_a_call_twice_keeps_the_first_ending(records):
    records.open_call(CALL)
    records.end_call("c1", "callback")
    first = records.call("c1")
    records.end_call("c1", "callback")
    with pytest.raises(Rejected, match="this call is over: callback"):
        records.end_call("c1", "resolved")
    assert records.call("c1") == first


def test_a_later_verdict_of_the_same_grader_takes_the_place_of_the_earlier(records):
    records.open_call(CALL)
    records.keep_turns("c1", 1, PAIR)
    records.keep_grade("c1", GradeRow(1, "large", {}, "pending"))
    records.keep_grade("c1", GradeRow(1, "bundled", {"empathy": 3}, "scored"))
    records.keep_grade("c1", GradeRow(1, "large", {"empathy": 2}, "scored"))
    assert [(row.grader, row.grade, row.status) for row in records.grades("c1")] == [
        ("bundled", {"empathy": 3}, "scored"),
        ("large", {"empathy": 2}, "scored"),
    ]


def test_what_is_not_there_is_refused_by_name(records):
    for ask in (
        lambda: records.call("c9"),
        lambda: records.end_call("c9", "resolved"),
        lambda: records.keep_turns("c9", 1, PAIR),
    ):
        with pytest.raises(Rejected, match="there is no call c9"):
            ask()
    records.open_call(CALL)
    with pytest.raises(Rejected, match="call c1 has no turn 1"):
        records.keep_grade("c1", GradeRow(1, "bundled", {}, "pending"))
    with pytest.raises(Rejected, match="there is a call c1 already"):
        records.open_call(CALL)


def test_calls_come_newest_first_and_by_trainee(records):
    for day, trainee in enumerate(["anna", "ben", "anna"]):
        start = CALL.started_at + timedelta(days=day)
        records.open_call(replace(CALL, id=f"c{day}", trainee=trainee, started_at=start))
    assert [call.id for call in records.calls()] == ["c2", "c1", "c0"]
    assert [call.id for call in records.calls("anna", limit=1)] == ["c2"]
    assert [call.id for call in records.calls("anna", limit=None)] == ["c2", "c0"]


def test_a_moment_is_the_same_moment_whatever_its_zone(records):
    peking = datetime(2026, 3, 1, 7, 30, tzinfo=timezone(timedelta(hours=8)))
    records.open_call(replace(CALL, started_at=peking))
    kept = records.call("c1").started_at
    assert kept == peking
    assert kept.utcoffset() == timedelta(0)


def test_a_person_is_deleted_with_every_word(records, url):
    records.people.add("小林", "trainee", "open sesame")
    for name, trainee in (("c1", "小林"), ("c2", "小王")):
        records.open_call(replace(CALL, id=name, trainee=trainee))
        records.keep_turns(name, 1, [replace(PAIR[0], text=f"the words of {name}"), PAIR[1]])
        records.keep_grade(name, GradeRow(1, "bundled", {}, "scored"))
    assert records.delete_person("小林") == 1
    assert (records.people.all(), records.turns("c1"), records.grades("c1")) == ([], [], [])
    assert [call.id for call in records.calls()] == ["c2"]
    folder = Path(url.removeprefix("sqlite:///")).parent
    left = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"the words of c2" in left
    assert b"the words of c1" not in left


def test_calls_that_ended_long_ago_are_forgotten_and_unfinished_ones_are_not(records):
    for name in ("over", "going-on"):
        records.open_call(replace(CALL, id=name))
        records.keep_turns(name, 1, PAIR, ending="resolved" if name == "over" else None)
    assert records.forget_calls(datetime.now(UTC) - timedelta(days=1)) == 0
    assert records.forget_calls(datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert [call.id for call in records.calls()] == ["going-on"]
