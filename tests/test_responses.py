"""What a customer answers in its own words to news, offers, refusals and advice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from roleplay.acts import next_directive
from roleplay.conditions import Condition
from roleplay.dialogue import Feeling
from roleplay.directive import Directive, spoken
from roleplay.models.aims import AimModel
from roleplay.persona import (
    Belief,
    Fact,
    Goal,
    Objection,
    Persona,
    Response,
    load_library,
    load_persona,
    persona_faults,
)
from roleplay.prompts import Cue
from roleplay.proposals import Scene, proposals
from roleplay.reaction import react
from roleplay.reading import AimSeen, BroughtUp
from roleplay.rehearsal import reading
from roleplay.state import State, start
from roleplay.wording import Line

LIBRARY = load_library([Path(__file__).parent.parent / "personas"])
PLAIN = LIBRARY.personas["zh-deduction-video-pack"]
AIMS = AimModel.load()
NEWS, ADVICE = "这笔钱是视频会员扣的。", "以后您可以把免密支付关掉。"
EXPLAINED = Response(
    id="explained", heard=(NEWS, "是会员费。"), say=(Line(text="会员？我可没点过。"), Line(text="哦，是那个会员。"))
)
ADVISED = Response(id="advised", heard=(ADVICE, "关掉免密就行。"), say=(Line(text="行，回头我让孩子关。"),))
WHY = Goal(id="why", text="弄明白", say=(Line(text="这钱怎么扣的？"),), met_by=Condition(heard="explained"))


def person(*responses: Response, **more: object) -> Persona:
    call = {"responses": responses, "goals": (WHY,), "beliefs": (), "objections": (), "asides": ()} | more
    return PLAIN.model_copy(update={"call": PLAIN.call.model_copy(update=call)})


def told(
    persona: Persona, words: str, *names: str, empathy: float = 3.6, moves: tuple[str, ...] = ("inform",)
) -> State:
    """The state after an opened call in which `words` brought up the responses of these names."""
    state = react(persona, start(persona), reading(("greet",), 4.0), "您好，请讲。")
    state = replace(spoken(state, Directive("open_vague", "opening")), feeling=Feeling(1.0, 0.0, 2.5))
    said = reading(moves, empathy, aims=AIMS.aims(words, "", "zh-CN"))
    spans = [(seen.start, seen.end) for seen in said.aims]
    up = tuple(BroughtUp(name, *span) for name, span in zip(names, spans, strict=False))
    return react(persona, state, replace(said, brought_up=up), words)


def test_news_is_answered_in_the_persona_s_own_words():
    persona = person(EXPLAINED)
    directive = next_directive(persona, told(persona, NEWS, "explained"), 0)
    assert (directive.why, directive.responses) == ("responds", ("explained",))


def test_what_the_persona_has_no_answer_to_is_answered_as_ever():
    persona = person(EXPLAINED)
    assert not next_directive(persona, told(persona, ADVICE), 0).responses


def test_an_answer_is_given_once():
    persona = person(EXPLAINED)
    state = spoken(told(persona, NEWS, "explained"), Directive("answer", "responds", responses=("explained",)))
    assert not next_directive(persona, state, 0).responses


def test_nobody_objects_to_what_has_been_answered_before():
    stays = Objection(
        id="stays",
        text="怕关不掉",
        say=(Line(text="关得掉吗？"),),
        broken_by=Condition(any=[Condition(heard="advised")]),
    )
    persona = person(ADVISED, objections=(stays,))
    assert told(persona, ADVICE, "advised").broken == ("stays",)
    assert not told(persona, ADVICE).broken


def test_what_settled_something_is_said_again_to_who_has_asked_back():
    persona = person(EXPLAINED)
    state = spoken(told(persona, NEWS, "explained"), Directive("answer", "responds", responses=("explained",)))
    again = replace(state, acts=(*state.acts, "challenge"), done=(*state.done, state.last))
    others = replace(again, responded=("explained", "advised"))
    assert next_directive(persona, others, 0).responses == ("explained",)
    assert not next_directive(persona, replace(others, acts=(*state.acts, "answer")), 0).responses


def test_as_much_is_answered_as_fits_and_the_rest_is_not_counted_as_said():
    persona = person(EXPLAINED, ADVISED)
    state = told(persona, NEWS + ADVICE, "explained", "advised")
    assert next_directive(persona, state, 0).responses == ("explained", "advised")
    speech = persona.who.speech.model_copy(update={"max_chars": 12})
    short = persona.model_copy(update={"who": persona.who.model_copy(update={"speech": speech})})
    assert next_directive(short, state, 0).responses == ("explained",), "what settles something comes first"


def test_lines_that_would_grow_too_long_together_are_not_joined():
    long = tuple(Line(text="话" * 160 + mark + "。") for mark in "一二")
    persona = person(EXPLAINED.model_copy(update={"say": long}), ADVISED.model_copy(update={"say": long}))
    state = told(persona, NEWS + ADVICE, "explained", "advised")
    directive = Directive("answer", "responds", responses=("explained", "advised"))
    tiers = list(proposals(Scene(persona, state, Cue(NEWS, directive, state.feeling), (), 0)))
    assert any(each.line.text == long[0].text for tier in tiers for each in tier)


def test_a_goodbye_answers_what_came_with_it():
    persona = person(EXPLAINED, ADVISED)
    state = told(persona, ADVICE + "再见！", "advised", moves=("inform", "close"))
    directive = next_directive(persona, replace(state, met=("why",)), 0)
    assert (directive.ends, directive.responses) == ("resolved", ("advised",))


def test_an_answer_waits_until_its_condition_holds():
    persona = person(EXPLAINED.model_copy(update={"when": Condition(turn=">=9")}))
    assert not next_directive(persona, told(persona, NEWS, "explained"), 0).responses


@pytest.mark.parametrize(("words", "met"), [(NEWS, ("why",)), (NEWS + "您说多少就赔多少。", ())])
def test_what_was_heard_meets_a_goal_unless_what_was_said_beside_it_is_too_good_to_be_true(words, met):
    persona = person(EXPLAINED)
    assert told(persona, words, "explained").met == met


@pytest.mark.parametrize(
    ("question", "why"), [("还有什么可以帮您的吗？", "nothing_else"), ("我说清楚了吗？", "follows")]
)
def test_a_question_at_the_end_is_answered_after_the_response(question, why):
    persona = person(EXPLAINED)
    directive = next_directive(persona, told(persona, NEWS + question, "explained"), 0)
    assert (directive.why, directive.responses) == (why, ("explained",))


def test_an_objection_is_not_raised_against_words_that_break_it():
    objection = Objection(
        id="doubts", text="不信", say=(Line(text="会员费？我不信。"),), broken_by=Condition(heard="explained")
    )
    persona = person(EXPLAINED, objections=(objection,))
    state = told(persona, NEWS, "explained", moves=("inform", "act"))
    assert next_directive(persona, state, 0).responses == ("explained",)


def test_a_fact_that_is_asked_for_follows_the_answer_to_the_news():
    persona = person(EXPLAINED)
    state = told(persona, NEWS + "这个月扣了您多少钱？", "explained")
    state = replace(state, done=(*state.done[:-1], replace(state.last, asked=("amount",))))
    fact = next(fact for fact in persona.call.facts if fact.id == "amount")
    state = replace(state, facts=tuple(name for name in state.facts if name != "amount"))
    directive = next_directive(persona, state, 0)
    assert directive.tell == (fact.id,)
    assert directive.responses == ("explained",)


def lines(persona: Persona, directive: Directive) -> list[str]:
    scene = Scene(persona, told(persona, NEWS, "explained"), Cue(NEWS, directive, Feeling()), (), 0)
    return [each.line.text for tier in proposals(scene) for each in tier]


def test_two_answers_are_said_one_after_the_other_where_there_is_room():
    persona = person(EXPLAINED, ADVISED)
    both = lines(persona, Directive("answer", "responds", responses=("explained", "advised")))
    assert both[0].endswith("行，回头我让孩子关。")
    assert len(both[0]) > len("行，回头我让孩子关。")


def test_where_there_is_no_room_for_two_the_last_is_said():
    persona = person(EXPLAINED, ADVISED)
    speech = persona.who.speech.model_copy(update={"max_chars": 12})
    persona = persona.model_copy(update={"who": persona.who.model_copy(update={"speech": speech})})
    assert (
        lines(persona, Directive("answer", "responds", responses=("explained", "advised")))[0] == "行，回头我让孩子关。"
    )


def test_a_condition_that_names_no_response_is_a_fault():
    persona = person(ADVISED)
    assert [fault.message for fault in persona_faults(persona, {})] == [
        "heard: there is no 'explained' under call.responses"
    ]


def test_every_persona_of_the_library_answers_at_least_a_dozen_things_in_its_own_words():
    for path in LIBRARY.paths.values():
        assert len(load_persona(path).call.responses) >= 12, path


STEP = "您现在把机顶盒的电源拔下来，等十秒再插上。"
RESTART = Response(
    id="restart",
    heard=(STEP, "拔了电源重插一下。"),
    say=(Line(text="我去拔。"),),
    outcome=(Line(text="插回去了，灯亮了，还是没画面。"),),
)


def test_asked_how_a_step_went_it_says_what_came_of_it_and_stands_by_it():
    persona = person(RESTART)
    state = spoken(told(persona, STEP, "restart"), Directive("answer", "responds", responses=("restart",)))
    asks = "现在怎么样了？有画面了吗？"
    state = react(persona, state, reading((), 3.6, aims=AIMS.aims(asks, "我去拔。", "zh-CN")), asks)
    directive = next_directive(persona, state, 0)
    assert (directive.why, directive.outcome) == ("reports", "restart")
    first = next(tier for tier in proposals(Scene(persona, state, Cue(asks, directive, Feeling()), (), 0)) if tier)
    assert [each.line.text for each in first] == ["插回去了，灯亮了，还是没画面。"]
    again = react(persona, spoken(state, directive), reading((), 3.6, aims=AIMS.aims(asks, "", "zh-CN")), asks)
    assert next_directive(persona, again, 0).outcome == "restart"  # nothing has changed since


def test_what_an_offer_wants_is_still_said_beside_a_response_that_is_no_answer_to_it():
    persona = person(EXPLAINED)
    offer = "那我帮您把这个会员退订，可以吗？"
    state = told(persona, offer, "explained")
    heard = tuple(replace(each, answered=False) for each in (BroughtUp("explained", 0, len(offer)),))
    aims = AIMS.aims(offer, "", "zh-CN")
    state = react(
        persona, replace(state, done=state.done[:-1]), replace(reading((), 3.6, aims=aims), brought_up=heard), offer
    )
    assert next_directive(persona, state, 0).why == "gives_leave"


def test_a_belief_that_keeps_a_fact_back_is_said_when_the_fact_is_asked_for():
    belief = Belief(
        id="secret", text="以为要密码", say=(Line(text="密码可不能告诉你。"),), corrected_by=Condition(turn=">=9")
    )
    held = Fact(id="identity", text="马建军，后四位3312", needs=Condition(belief="secret"), say=())
    facts = (*(fact for fact in PLAIN.call.facts if fact.id != "identity"), held)
    persona = person(facts=facts, beliefs=(belief,))
    directive = next_directive(persona, told(persona, "请报一下您的姓名和证件后四位。", moves=("verify",)), 0)
    assert (directive.act, directive.belief) == ("believe", "secret")


def test_two_responses_do_not_begin_with_the_same_word():
    one = Response(id="one", heard=("a", "b"), say=(Line(text="行，会员就会员。"), Line(text="会员？晓得了。")))
    two = Response(id="two", heard=("c", "d"), say=(Line(text="行，我去关。"), Line(text="行，听你的。")))
    persona = person(one, two)
    found = lines(persona, Directive("answer", "responds", responses=("one", "two")))
    assert "会员？晓得了。行，我去关。" in found
    assert not any(text.startswith("行，会员就会员。行") for text in found)


def test_what_settles_a_matter_is_heard_in_a_rage_and_calms_while_other_news_is_not():
    persona = person(EXPLAINED, ADVISED, goals=(WHY,))
    raging = replace(start(persona), feeling=Feeling(3.9, 0.0, 1.0))

    def after(words: str, name: str) -> State:
        up = (BroughtUp(name, 0, len(words)),)
        said = replace(reading(("inform",), 2.8, aims=AIMS.aims(words, "", "zh-CN")), brought_up=up)
        return react(persona, raging, said, words)

    settled, advised = after(NEWS, "explained"), after(ADVICE, "advised")
    assert "why" in settled.met
    assert [cause.why for cause in settled.causes if cause.why == "settled"] == ["settled"]
    assert settled.feeling.anger < raging.feeling.anger
    assert advised.last.lost


def test_who_has_said_that_this_was_all_holds_nobody_on_the_line():
    persona = person(EXPLAINED)
    state = told(persona, ADVICE)
    state = replace(spoken(state, Directive("answer", "nothing_else")), feeling=Feeling(1.0, 0.0, 2.5))
    state = react(persona, state, reading(("close",), 3.6, aims=AIMS.aims("好的，再见！", "", "zh-CN")), "好的，再见！")
    directive = next_directive(persona, state, 0)
    assert (directive.act, directive.why) == ("close", "closing")


def test_asked_for_its_name_beside_a_fact_it_gives_no_digits():
    persona, words = person(), "请问您怎么称呼？是从哪个月开始扣的？"
    state = told(persona, "您好。")
    said = reading(("ask_closed",), 3.6, aims=AIMS.aims(words, "", "zh-CN"), asked=("identity", "months"))
    directive = next_directive(persona, react(persona, state, said, words), 0)
    assert (directive.tell, directive.first, directive.about) == (("months",), "gives_name", persona.who.name)


def test_what_it_has_an_answer_to_is_no_chat():
    persona, words = person(ADVISED), "给我讲个笑话吧。"
    chat = reading(("off_topic",), 3.6, aims=AIMS.aims(words, "", "zh-CN"))
    state = spoken(told(persona, "您好。"), Directive("answer", "noted"))
    assert next_directive(persona, react(persona, state, chat, words), 0).why == "strange_words"
    known = replace(chat, brought_up=(BroughtUp("advised", 0, len(words)),))
    assert "advised" in next_directive(persona, react(persona, state, known, words), 0).responses


def test_whoever_has_refused_or_agreed_in_its_own_words_is_asked_for_no_second_yes():
    words = "那我给您开一个自动缴费，可以吗？"
    for act in ("object", "accept"):
        answer = Response(
            id="autopay", heard=(words, "要不要绑卡？"), say=(Line(text="绑卡的事，我自有主张。"),), act=act
        )
        persona = person(answer)
        state = spoken(told(persona, "您好。"), Directive("answer", "noted"))
        said = reading(("propose", "ask_closed"), 3.6, aims=AIMS.aims(words, "", "zh-CN"))
        up = (BroughtUp("autopay", 0, len(words), answered=False),)
        directive = next_directive(persona, react(persona, state, replace(said, brought_up=up), words), 0)
        assert directive.responses == ("autopay",)
        assert "gives_leave" not in (directive.why, directive.first)


def test_of_two_offers_between_which_it_may_choose_it_takes_one():
    words = "您看是周四下午还是周六上午？"
    slots = [
        Response(id=name, heard=(words, f"{name}行吗？"), say=(Line(text=f"{name}行。"),), act="accept")
        for name in ("thursday", "saturday")
    ]
    persona = person(*slots)
    state = spoken(told(persona, "您好。"), Directive("answer", "noted"))
    said = reading(("ask_closed",), 3.6, aims=(AimSeen("choice", 0.9, 0, len(words)),))
    up = tuple(BroughtUp(each.id, 0, len(words)) for each in slots)
    assert len(next_directive(persona, react(persona, state, replace(said, brought_up=up), words), 0).responses) == 1
