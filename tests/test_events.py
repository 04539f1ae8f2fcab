"""What happens beside what is said: kept with the call, and what it forbids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from roleplay.build import build_room
from roleplay.call import Call
from roleplay.errors import Rejected
from roleplay.events import Event, absences, away, paused
from roleplay.hints import hints
from roleplay.reports import make_report
from roleplay.room import Room
from roleplay.settings import load_settings
from roleplay.standards import load_standards

LINES = (
    "您好，星桥移动客服0826号，很高兴为您服务，请问有什么可以帮您？",
    "平白多扣了钱，您跑车还得操心这个，换谁都生气，实在对不起。请问账单上写的是哪一项，扣了几个月了？",
    "为了保护您的资料，查账单前需要核对一下，请您说一下机主姓名和证件后四位，好吗？",
)
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    made = build_room(load_settings(data=str(tmp_path_factory.mktemp("events"))))
    yield made
    made.records.close()


def have(room: Room, lines: tuple[str, ...] = LINES, **more) -> Call:
    call = room.open("zh-deduction-video-pack", seed=7, **more)
    for line in lines:
        list(room.say(call.id, line))
        room.grade(call.id, len(room.call(call.id).exchanges))
    return room.call(call.id)


def test_a_pause_stops_the_clock_and_a_hold_does_not():
    events = (
        Event("hold", 1, at=at(10)), Event("back", 1, at=at(40)),
        Event("pause", 2, at=at(50)), Event("back", 2, at=at(65)), Event("pause", 3, at=at(80)),
    )  # fmt: skip
    assert paused(events, at(0), at(90)) == 15 + 10
    assert paused(events, at(60), at(70)) == 5
    assert away(events) == "pause"
    assert away(events[:-1]) is None
    assert [absence.kind for absence in absences(events)] == ["hold", "pause", "pause"]


def test_a_customer_on_hold_hears_nothing_until_the_trainee_is_back(room):
    call = have(room, LINES[:1])
    room.note(call.id, "hold")
    with pytest.raises(Rejected, match="cannot hear"):
        list(room.say(call.id, LINES[1]))
    with pytest.raises(Rejected, match="waiting already"):
        room.note(call.id, "mute")
    assert away(room.note(call.id, "back").events) is None
    with pytest.raises(Rejected, match="already"):
        room.note(call.id, "back")
    list(room.say(call.id, LINES[1]))


def test_an_exam_has_no_pause_and_no_hint(room):
    call = have(room, LINES[:1], mode="exam")
    for kind in ("pause", "hint"):
        with pytest.raises(Rejected, match="exam"):
            room.note(call.id, kind)
    with pytest.raises(Rejected, match="exam"):
        room.retry(call.id, 1, "")
    room.note(call.id, "hold")


def test_a_call_tried_again_stands_where_the_first_one_stood(room):
    first = have(room)
    room.finish(first.id)
    again = room.retry(first.id, 3, "anna")
    assert again.exchanges == first.exchanges[:2]
    assert again.ending is None and again.retried == (first.id, 3) and again.row.trainee == "anna"
    assert room.grades(again.id) == {number: room.grades(first.id)[number] for number in (1, 2)}
    list(room.say(again.id, LINES[2]))
    same = room.call(again.id).exchanges[2]
    assert (same.answer, same.after) == (first.exchanges[2].answer, first.exchanges[2].after)
    with pytest.raises(Rejected, match="no reply 9"):
        room.retry(first.id, 9, "")


def test_a_transfer_ends_the_call_and_keeps_the_briefing(room):
    call = have(room)
    for to, briefing in (("", "马先生"), ("投诉组", " ")):
        with pytest.raises(Rejected):
            room.transfer(call.id, to, briefing)
    done = room.transfer(call.id, " 投诉组 ", "马建军先生，每月扣15元视频会员费，扣了三个月，要求退费。")
    assert done.ending is not None
    report = make_report(done, room.grades(call.id))
    assert report.transfer is not None and report.transfer.to == "投诉组"
    assert report.transfer.passed_on and not report.transfer.announced
    with pytest.raises(Rejected, match="ended"):
        room.note(call.id, "hold")


def test_there_is_always_a_hint_and_the_first_asks_for_what_the_opening_needs(room):
    call = room.open("zh-deduction-video-pack", seed=1)
    standards, entries = load_standards(), {}
    first = hints(call, standards, entries)
    assert first[0].kind == "stage" and first[0].stage == "opening" and first[0].text
    for number in range(3):
        list(room.say(call.id, LINES[number]))
        assert hints(room.call(call.id), standards, entries)


def test_a_costly_hint_lowers_the_total(room):
    call = have(room)
    free = make_report(call, room.grades(call.id))
    room.note(call.id, "hint", {"kind": "words", "cost": 3})
    costly = make_report(room.call(call.id), room.grades(call.id))
    assert costly.totals.total == pytest.approx(free.totals.total - 3)
    assert costly.hints == 1 and costly.hint_cost == 3
