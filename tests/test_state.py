"""The state machine, by random sequences of moves and by the rulings that it has to keep."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roleplay.acts import next_directive
from roleplay.conditions import Condition
from roleplay.dialogue import ENDINGS, MOVES
from roleplay.directive import spoken
from roleplay.persona import Persona, load_library
from roleplay.reaction import react
from roleplay.reading import AimSeen, Claim, Reading, Told
from roleplay.rehearsal import SEEDS, good_trainee, play, reading, rehearse, rude_trainee
from roleplay.state import State, holds, outcome, start

LIBRARY = load_library([Path(__file__).parent.parent / "personas"])
PERSONAS = [LIBRARY.personas[name] for name in sorted(LIBRARY.personas)]
ANGRY = LIBRARY.personas["zh-deduction-video-pack"]
WRONG = Claim(0, 3, "30元", "contradicted", "vas-refund", "15元")

replies = st.builds(
    lambda moves, empathy, wrong: replace(reading(frozenset(moves), empathy), claims=(WRONG,) if wrong else ()),
    st.sets(st.sampled_from(MOVES), max_size=4),
    st.floats(1, 5),
    st.booleans(),
)


def play_out(persona: Persona, said: list[Reading], seed: int = 0) -> list[State]:
    states = [start(persona)]
    for each in said:
        if states[-1].ending:
            break
        state = react(persona, states[-1], each)
        states.append(spoken(state, next_directive(persona, state, seed)))
    return states


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PERSONAS), st.lists(replies, min_size=45, max_size=45), st.integers(0, 5))
def test_whatever_is_said_feelings_stay_in_range_and_the_call_ends(persona, said, seed):
    states = play_out(persona, said, seed)
    for before, after in pairwise(states):
        for name in ("anger", "confusion", "trust"):
            now = getattr(after.feeling, name)
            assert 0 <= now <= 4
            step = 2 if name != "confusion" else 1
            assert abs(now - getattr(before.feeling, name)) <= step + 1e-6
    assert states[-1].ending in ENDINGS
    assert states[-1].turn <= persona.call.ends.turn_limit


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PERSONAS), st.lists(replies, min_size=20, max_size=20))
def test_what_was_told_or_reached_stays_so(persona, said):
    states = play_out(persona, said)
    for before, after in pairwise(states):
        for name in ("facts", "met", "corrected", "broken", "stated", "named"):
            assert set(getattr(before, name)) <= set(getattr(after, name))
        assert after.verified >= before.verified


@settings(max_examples=60, deadline=None)
@given(st.lists(replies, min_size=12, max_size=12), st.integers(0, 9))
def test_the_same_seed_gives_the_same_call(said, seed):
    assert play_out(ANGRY, said, seed) == play_out(ANGRY, said, seed)


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.id)
def test_a_persona_of_the_library_can_be_published(persona):
    proof = rehearse(persona)
    assert proof.publishable, "\n".join(map(str, proof.faults))


def test_every_persona_file_can_be_read():
    assert LIBRARY.faults == ()


def test_two_kind_words_do_not_calm_an_angry_customer():
    kind = reading(("acknowledge", "apologise"), 5.0)
    states = play_out(ANGRY, [reading(("greet",), 4.0), kind, kind, kind, kind])
    assert all(state.feeling.anger >= ANGRY.call.feelings.anger - 1.5 for state in states)


def test_a_cold_reply_never_calms():
    opened = play_out(ANGRY, [reading(("greet",), 4.0)])[-1]
    for moves in (("inform",), ("explain",), ("ask_closed",), ("filler",), ("propose",)):
        assert react(ANGRY, opened, reading(moves, 2.0)).feeling.anger >= opened.feeling.anger


def test_an_insult_is_felt_at_once_and_two_end_the_call():
    opened = play_out(ANGRY, [reading(("greet",), 4.0)])[-1]
    insulted = react(ANGRY, opened, reading(("rude",), 1.0))
    assert insulted.feeling.anger > opened.feeling.anger
    assert insulted.feeling.trust < opened.feeling.trust
    states = play_out(ANGRY, [reading(("greet",), 4.0), reading(("rude",), 1.0), reading(("rude",), 1.0)])
    assert states[-1].ending == ANGRY.call.ends.when_upset


def test_a_wrong_fact_is_doubted_and_resolves_nothing():
    opened = play_out(ANGRY, [reading(("greet",), 4.0)])[-1]
    wrong = replace(reading(("act", "inform"), 4.5, told=(Told("vas-refund"),)), claims=(WRONG,))
    state = react(ANGRY, opened, wrong)
    assert state.feeling.trust < opened.feeling.trust
    assert next_directive(ANGRY, state, 0).act == "challenge"
    assert not holds(Condition(move="act"), state)


def test_a_fact_that_needs_trust_is_refused_until_there_is_trust():
    asks = reading(("ask_closed",), 3.0, asked=("other-hands",))
    wary = react(ANGRY, play_out(ANGRY, [reading(("greet",), 3.0)])[-1], asks)
    assert next_directive(ANGRY, wary, 0).act == "refuse_info"
    trusting = replace(wary, feeling=replace(wary.feeling, trust=3.0))
    assert next_directive(ANGRY, trusting, 0).tell == ("other-hands",)


def test_being_asked_twice_for_the_same_thing_annoys():
    asks = reading(("ask_closed",), 3.5, asked=("months",))
    once = play_out(ANGRY, [reading(("greet",), 4.0), asks])[-1]
    twice = react(ANGRY, once, asks)
    assert any(cause.why == "asked_again" for cause in twice.causes)
    assert next_directive(ANGRY, twice, 0).again


def test_a_customer_whose_matter_is_open_holds_on_once_when_the_agent_says_goodbye():
    bye = reading(("close",), 3.0)
    states = play_out(ANGRY, [reading(("greet",), 4.0), bye, bye])
    assert states[-2].ending is None
    assert states[-1].ending == "unresolved"


def test_silence_is_asked_about_and_then_ends_the_call():
    state = start(ANGRY)
    for _ in range(3):
        state = react(ANGRY, state, Reading(), "……")
        directive = next_directive(ANGRY, state, 0)
        state = spoken(state, directive)
    assert directive.ends == "hung_up"


def test_a_good_trainee_solves_it_and_a_rude_one_does_not():
    for seed in SEEDS:
        assert play(ANGRY, good_trainee, seed).ending == "resolved"
        assert play(ANGRY, rude_trainee, seed).ending not in ANGRY.good_endings


def test_a_promise_to_call_back_ends_as_a_callback():
    promise = reading(("acknowledge", "transfer", "timeframe", "close"), 4.0)
    state = play_out(ANGRY, [reading(("greet",), 4.0), promise])[-1]
    assert outcome(ANGRY, state) == "callback"


def test_an_objection_that_was_just_raised_is_not_forgotten_at_goodbye():
    solved = replace(reading(("act", "acknowledge"), 4.6, told=(Told("vas-refund"), Told("vas-lock"))))
    states = play_out(ANGRY, [reading(("greet",), 4.0), solved, reading(("check_satisfied", "close"), 3.0)])
    assert states[2].acts[-1] == "object"
    assert states[3].ending is None
    assert states[3].acts[-1] == "object"


@pytest.mark.parametrize(
    ("reply", "closes"),
    [("请问还有其他可以帮您的吗？", False), ("感谢您的来电，再见。", True), ("Thanks for calling, goodbye.", True)],
)
def test_only_a_goodbye_closes_a_call(reply, closes):
    opened = play_out(ANGRY, [reading(("greet",), 4.0)])[-1]
    assert react(ANGRY, opened, reading(("check_satisfied", "close"), 4.0), reply).last.did("close") is closes


def test_asked_for_the_name_alone_a_customer_says_its_name_and_no_number():
    opened = play_out(ANGRY, [reading(("greet",), 4.0)])[-1]
    state = react(ANGRY, opened, reading(("ask_closed",), 3.0, aims=(AimSeen("identity", 0.9, 0, 6),)), "请问您贵姓？")
    directive = next_directive(ANGRY, state, 0)
    assert directive.tell == ()
    assert directive.about == ANGRY.who.name


def test_asked_for_name_and_number_a_customer_says_who_it_is():
    opened = play_out(ANGRY, [reading(("greet",), 4.0)])[-1]
    words = "请您说一下机主姓名和证件后四位。"
    state = react(ANGRY, opened, reading(("verify",), 3.0, aims=(AimSeen("identity", 0.9, 0, len(words)),)), words)
    assert next_directive(ANGRY, state, 0).tell == ("identity",)


def test_asked_for_standard_language_a_customer_repeats_what_it_just_said_and_nothing_else():
    sichuan = LIBRARY.personas["zh-sichuan-data-gone"]
    opened = play_out(sichuan, [reading(("greet",), 4.0)])[-1]
    vented = replace(opened, acts=(*opened.acts, "vent"))
    asked = react(sichuan, vented, reading(("ask_mandarin",), 4.0))
    assert next_directive(sichuan, asked, 0).tell == ()
