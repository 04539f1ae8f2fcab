"""The button that puts a customer on hold is felt like the words for it: told before, why, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from made_class import persona

from roleplay.acts import next_directive
from roleplay.directive import spoken
from roleplay.events import Event
from roleplay.prompts import moment_lines
from roleplay.reaction import react
from roleplay.reading import Reading
from roleplay.rehearsal import good_trainee
from roleplay.state import State, start
from roleplay.waiting import annoys, waited

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAIN, ASKED = "您的账单是15元。", "我帮您查一下扣费记录，需要大约一分钟，请您稍等，好吗？"
BARE, ENGLISH = "请稍等。", "Let me check that in the system, could you hold on for two minutes?"


def gone(seconds: float, kind: str = "hold", reply: int = 1) -> tuple[Event, ...]:
    return (Event(kind, reply, {}, NOON), Event("back", reply, {}, NOON + timedelta(seconds=seconds)))


@pytest.mark.parametrize(("before", "seconds", "after", "why"), [
    (ASKED, 50, "查到了。", ""), (ASKED, 70, "查到了。", ""), (ASKED, 100, "查到了。", "held_too_long"),
    (ASKED, 100, "让您久等了，查到了。", ""), (ASKED, 300, "让您久等了。", "held_too_long"),
    (BARE, 25, "好了。", ""), (BARE, 45, "好了。", "held_too_long"),
    (PLAIN, 2, "好了。", ""), (PLAIN, 10, "不好意思。", "kept_waiting"), (PLAIN, 50, "不好意思。", "held_too_long"),
    (ENGLISH, 140, "Right.", ""), (ENGLISH, 200, "Right.", "held_too_long"),
    (ENGLISH, 200, "Thank you for waiting.", ""),
])  # fmt: skip
def test_a_wait_that_was_told_is_tolerated_and_one_without_leave_or_too_long_is_not(
    before: str, seconds: float, after: str, why: str
) -> None:
    assert annoys(waited(gone(seconds), 1, before, NOON), after) == why


def test_a_pause_and_a_wait_before_the_last_reply_are_none() -> None:
    assert waited(gone(500, "pause"), 1, PLAIN, NOON) is None
    assert waited(gone(500, reply=0), 1, PLAIN, NOON) is None
    assert waited((), 1, PLAIN, NOON) is None
    assert waited(gone(10, "mute"), 1, PLAIN, NOON) is not None


def after_first_reply() -> State:
    who = persona()
    state = react(who, start(who), good_trainee(who, start(who)), "")
    return spoken(state, next_directive(who, state, 1))


def test_a_customer_who_was_left_says_so_and_is_angrier() -> None:
    who, before = persona(), after_first_reply()
    reading = Reading(moves=(), asked=(), claims=(), told=())
    kept = react(who, before, reading, "查到了。", waited(gone(200), 1, PLAIN, NOON))
    calm = react(who, before, reading, "查到了。", waited(gone(50), 1, ASKED, NOON))
    assert "held_too_long" in {cause.why for cause in kept.causes}
    assert kept.feeling.anger > calm.feeling.anger and kept.patience < calm.patience
    assert next_directive(who, kept, 1).first == "was_left" != next_directive(who, calm, 1).first
    assert moment_lines(who, "was_left")
