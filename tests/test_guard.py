"""The guard strikes out what a customer must not say, and lets ordinary lines through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from roleplay.guard import Ledger, leak, ledger, role_flip, strike, too_abusive
from roleplay.lines import corpus_lines
from roleplay.persona import load_library
from roleplay.state import start
from roleplay.training.corpus import load_calls

LIBRARY = load_library([Path(__file__).parent.parent / "personas"])
ANGRY = LIBRARY.personas["zh-deduction-video-pack"]
SICHUAN = LIBRARY.personas["zh-sichuan-data-gone"]
ENGLISH = LIBRARY.personas["en-roaming-bill"]


def now(persona=ANGRY, tell=(), said=(), heard=("您好，请讲。",)) -> Ledger:
    return ledger(persona, start(persona), tell, said, heard)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("请问还有什么可以帮您的吗？", "role_flip"),
        ("感谢您的来电。", "role_flip"),
        ("我这就为您办理退订。", "role_flip"),
        ("客户：我要退钱。", "machine"),
        ("**退钱**！", "machine"),
        ("作为一个AI语言模型，我不能回答。", "machine"),
        ("I want my money back right now, okay?", "language"),
        ("退我一百二十块钱！", "unsupported"),
        ("退钱", "unfinished"),
        ("", "garbage"),
        ("\ufffd\ufffd退钱。", "garbage"),
        ("你们" + "真是" * 60 + "！", "too_long"),
        ("三个月前服务区有个小伙子帮我装过导航。", "leak"),
        ("已经连着扣了三个月了。", "leak"),
    ],
)
def test_a_line_that_a_customer_must_not_say_is_struck_out(line, reason):
    assert strike(line, now()).reason == reason


@pytest.mark.parametrize("line", ["到底退不退？", "每个月扣我十五块，凭啥？", "行吧，你说。", "一句话，退钱！"])
def test_an_ordinary_line_passes(line):
    assert strike(line, now(tell=("amount",))) is None


@pytest.mark.parametrize("line", ["他妈哭得不行。", "娃他妈在家等着呢。", "是他妈打来的电话。", "我妈的手机也没网。"])
def test_somebodys_mother_is_no_swearing(line):
    assert too_abusive(line, replace(now(), abuse=1)) == ""


@pytest.mark.parametrize("line", ["你他妈到底管不管！", "真他妈烦人。", "他妈的！", "妈的，又断了。"])
def test_swearing_goes_further_than_a_low_ceiling(line):
    assert too_abusive(line, replace(now(), abuse=1))


def test_a_fact_that_is_due_is_no_leak():
    assert strike("已经连着扣了三个月了。", now(tell=("months",))) is None


def test_a_canary_in_the_grading_block_never_passes():
    canary = "暗号芝麻开门七八九"
    answer = ANGRY.grading.model_answers[0].model_copy(update={"text": f"您好，{canary}。"})
    planted = ANGRY.model_copy(update={"grading": ANGRY.grading.model_copy(update={"model_answers": (answer,)})})
    assert strike(f"听说{canary}。", now(planted)).reason == "leak"
    assert strike(f"听说{canary}。", now()) is None


def test_its_own_earlier_line_and_the_trainees_words_are_not_said_again():
    said = ("那我这钱到底退不退啊？",)
    assert strike("那我这钱到底退不退？", now(said=said)).reason == "repetition"
    assert strike("那我这钱到底退不退？", now(said=said), again=True) is None
    assert strike("请您先不要着急好吗？", now(heard=("请您先不要着急，好吗？",))) is not None


def test_a_sample_without_dialect_does_not_pass_for_a_strong_dialect():
    assert strike("你们到底什么时候给我弄好？", now(SICHUAN)).reason == "dialect"
    assert strike("你们到底好久给我搞巴适嘛？", now(SICHUAN)) is None
    standard = replace(start(SICHUAN), standard=True)
    assert strike("你们到底什么时候给我弄好？", ledger(SICHUAN, standard, (), (), ("好",))) is None


def test_english_customers_speak_english_and_never_like_an_agent():
    assert strike("Is there anything else I can help you with?", now(ENGLISH)).reason == "role_flip"
    assert strike("这是什么意思？", now(ENGLISH)).reason == "language"
    assert strike("You owe me £950, that's all I know.", now(ENGLISH)).reason == "unsupported"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_hardly_any_hand_written_line_is_taken_for_an_agents(language):
    lines = corpus_lines(language)
    struck = [line.text for line in lines if strike(line.text, Ledger(language, line.text, (), (), (), "", 400))]
    assert len(struck) / len(lines) < 0.01, struck


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("zh-CN", "您反映的情况我都记好了，三天之内一定有同事跟您联系。"),
        ("zh-CN", "麻烦您报一下登记时留的姓名，我核对好就给您开通。"),
        ("zh-CN", "您这张卡还在合约期里，提前解约要付违约金。"),
        ("en", "Good afternoon, Starbridge Mobile, Tom speaking."),
        ("en", "We can send an engineer on Thursday between eight and twelve."),
    ],
)
def test_an_agents_sentence_is_heard_in_other_words_than_the_patterns(language, line):
    assert role_flip(line, language)
    assert not role_flip(line, language, "own")  # an author's line is not guessed at


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("zh-CN", "上回你们那位就跟我讲“您的问题已经登记，请您耐心等待”，等到今天。"),
        ("zh-CN", "谢谢你啊，讲得这么仔细，我回去跟老伴说。"),
        ("en", 'He told me "I can process that refund for you now", and then nothing came.'),
        ("en", "Could you check it again, please? I'm sorry to be a nuisance."),
    ],
)
def test_a_customer_may_quote_an_agent_and_be_polite(language, line):
    assert role_flip(line, language) == ""


def test_a_fact_told_in_other_words_is_a_leak_until_it_is_due():
    line = "在服务区歇脚，有个小伙子说帮我弄导航来着。"
    assert leak(line, now()) == ANGRY.fact("other-hands").text
    assert leak(line, now(), "own") == ""
    assert leak(line, now(tell=("other-hands",))) == ""
    assert leak(line, now(heard=("是不是在服务区，有个小伙子帮您装过导航？",))) == ""


def test_the_librarys_facts_are_leaks_while_withheld_and_none_once_told():
    wordings = missed = wrong = 0
    for persona in LIBRARY.personas.values():
        withheld = now(persona)
        for fact in persona.call.facts:
            told = now(persona, tell=(fact.id,))
            for line in fact.say:
                wordings += 1
                missed += not leak(line.text, withheld)
                wrong += bool(leak(line.text, told))
    assert missed / wordings < 0.005 and wrong == 0


def test_what_a_persona_says_out_of_habit_gives_no_fact_away():
    lines = [(line.text, now(each)) for each in LIBRARY.personas.values() for line in habits(each)]
    struck = [text for text, open_now in lines if leak(text, open_now)]
    assert len(struck) / len(lines) < 1 / 300, struck


def habits(persona):
    call = persona.call
    yield from (line for lines in persona.who.speech.lines.values() for line in lines)
    yield from (line for item in (*call.beliefs, *call.goals, *call.objections) for line in item.say)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_hardly_any_turn_of_a_customer_sounds_like_an_agent(language):
    said = [t.text for c in load_calls() if c.language == language for t in c.turns if t.speaker == "customer"]
    struck = [text for text in said if role_flip(text, language)]
    assert len(struck) / len(said) < 1 / 300, struck
