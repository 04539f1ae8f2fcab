"""The customer puts directives into words, whatever the model says; nothing that must stay secret is sent to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from roleplay.acts import next_directive
from roleplay.customer import Answer, Customer, Scene
from roleplay.directive import Directive, spoken
from roleplay.lines import echo
from roleplay.models.scripted import ScriptedModel
from roleplay.persona import Fact, load_library
from roleplay.prompts import FOLDER, Cue, customer_messages, texts
from roleplay.proposals import lighter
from roleplay.reaction import react
from roleplay.rehearsal import curious_trainee, good_trainee, reading
from roleplay.state import start
from roleplay.wording import Line

LIBRARY = load_library([Path(__file__).parent.parent / "personas"])
ANGRY = LIBRARY.personas["zh-deduction-video-pack"]
SICHUAN = LIBRARY.personas["zh-sichuan-data-gone"]


@pytest.fixture
def scripted(tmp_path):
    def make(*answers: str, writes: bool = True) -> ScriptedModel:
        path = tmp_path / "answers.yaml"
        path.write_text(yaml.safe_dump(list(answers), allow_unicode=True), encoding="utf-8")
        return ScriptedModel(path, writes=writes)

    return make


def scene(persona=ANGRY, moves=("greet",), seed=0, directive=None, heard="您好，星桥客服，请讲。") -> Scene:
    state = react(persona, start(persona), reading(moves, 4.0))
    directive = directive or next_directive(persona, state, seed)
    return Scene(persona, state, Cue(heard, directive, state.feeling), (), seed)


def speak(customer: Customer, at: Scene) -> tuple[str, Answer]:
    *pieces, answer = customer.speak(at)
    return "".join(pieces), answer


def test_a_model_that_writes_is_shown_sentence_by_sentence(scripted):
    words, answer = speak(
        Customer(scripted("我这话费不对！每个月多扣十五块。")), scene(directive=Directive("answer", "t", ("amount",)))
    )
    assert words == answer.text == "我这话费不对！每个月多扣十五块。"
    assert answer.source == "model"


def test_a_model_that_falls_out_of_its_part_is_asked_again(scripted):
    at = scene(directive=Directive("vent", "t"))
    model = scripted("请问还有什么可以帮您？", "说白了就是欺负人！")
    words, answer = speak(Customer(model), at)
    assert words == "说白了就是欺负人！"
    assert [each.reason for each in answer.struck] == ["role_flip"]
    assert len(model.asked) == 2


def test_a_model_that_never_behaves_gives_way_to_the_personas_own_words(scripted):
    own = {line.text for line in ANGRY.who.speech.lines["vent"]}
    words, answer = speak(Customer(scripted(*["感谢您的来电。"] * 9)), scene(directive=Directive("vent", "t")))
    assert words in own
    assert answer.source == "own"


def test_a_sentence_after_a_good_one_that_is_struck_out_is_not_shown(scripted):
    model = scripted("说白了就是欺负人！请问还有什么可以帮您？")
    words, _ = speak(Customer(model), scene(directive=Directive("vent", "t")))
    assert words == "说白了就是欺负人！"


@pytest.mark.parametrize("natural", [True, False])
@pytest.mark.parametrize("persona", LIBRARY.personas.values(), ids=lambda persona: persona.id)
def test_nothing_of_the_graders_and_no_fact_that_is_not_due_is_in_the_prompt(persona, natural):
    """Canaries are planted in every text that the customer's model must not see yet."""
    canary = "XQ7"
    planted = json.loads(persona.model_dump_json(by_alias=True, exclude_unset=True))
    planted["grading"] = json.loads(json.dumps(planted["grading"]).replace('"text": "', f'"text": "{canary}-grading '))
    for record in (planted.get("account") or {"records": []})["records"]:
        record["text"] = f"{canary}-of-the-account {record['text']}"
    for fact in planted["call"]["facts"]:
        fact["text"] = f"{canary}-{fact['id']} {fact['text']}"
    planted = type(persona).model_validate(planted | {"grading": planted["grading"]})
    for trainee in (good_trainee, curious_trainee):
        state, past = start(planted), []
        while state.ending is None and state.turn < planted.call.ends.turn_limit:
            state = react(planted, state, trainee(planted, state))
            directive = next_directive(planted, state, 1)
            cue = Cue("好的。", directive, state.feeling)
            prompt = json.dumps(customer_messages(planted, past, cue, natural), ensure_ascii=False)
            due = {*state.facts, *directive.tell}
            assert f"{canary}-grading" not in prompt
            assert f"{canary}-of-the-account" not in prompt
            for fact in planted.call.facts:
                assert fact.id in due or f"{canary}-{fact.id} " not in prompt
            past.append((cue, "嗯。"))
            state = spoken(state, directive)


@pytest.mark.parametrize("natural", [True, False])
def test_what_was_sent_for_one_turn_is_a_prefix_of_what_is_sent_for_the_next(natural):
    first = scene()
    before = customer_messages(ANGRY, (), first.cue, natural)
    state = spoken(first.state, first.cue.directive)
    state = react(ANGRY, state, reading(("acknowledge", "ask_closed"), 4.5, asked=("months",)))
    cue = Cue("扣了几个月了？", next_directive(ANGRY, state, 0), state.feeling)
    after = customer_messages(ANGRY, [(first.cue, "多扣了十五块！")], cue, natural)
    assert after[: len(before)] == before
    assert after[len(before)] == {"role": "assistant", "content": "多扣了十五块！"}


def test_a_fact_is_told_in_the_personas_own_words_or_in_its_bare_text(scripted):
    chooser = Customer(scripted("嗯。", writes=False), "choose")
    at = scene(directive=Directive("answer", "asked", ("months",)))
    chooser.model.weigh = lambda messages, options: [0.0] * len(options)
    _, answer = speak(chooser, at)
    assert answer.text in {line.text for line in ANGRY.fact("months").say}
    bare = Fact(id="months", text="已经扣了三个月", asked_by=("几个月了",))
    facts = tuple(bare if fact.id == "months" else fact for fact in ANGRY.call.facts)
    plain = ANGRY.model_copy(update={"call": ANGRY.call.model_copy(update={"facts": facts})})
    _, answer = speak(chooser, replace(at, persona=plain))
    assert answer.text == "已经扣了三个月。"


@pytest.mark.parametrize("able", ["fluent", "partly"])
def test_asked_for_mandarin_a_dialect_speaker_changes_as_far_as_it_is_able(scripted, able):
    chooser = Customer(scripted("嗯。", writes=False), "choose")
    chooser.model.weigh = lambda messages, options: [0.0] * len(options)
    speech = SICHUAN.who.speech.model_copy(update={"mandarin": able})
    persona = SICHUAN.model_copy(update={"who": SICHUAN.who.model_copy(update={"speech": speech})})
    name = next(fact.id for fact in persona.call.facts if fact.say and fact.say[0].gloss)
    _, answer = speak(chooser, scene(persona, directive=Directive("switch_mandarin", "t", (name,), again=True)))
    glosses = {line.gloss for line in persona.fact(name).say}
    assert (answer.text if able == "fluent" else answer.gloss) in glosses


def test_part_of_the_way_to_mandarin_the_short_words_stay_as_they_were():
    line = Line(text="要得，我屋头昨晚上就没得网了。", gloss="行，我家里昨晚上就没有网了。")
    assert lighter(line).text == "要得，我家里昨晚上就没有网了。"
    assert lighter(line).gloss == line.gloss


def test_a_line_is_always_found_even_when_everything_has_been_said(scripted):
    chooser = Customer(scripted("嗯。", writes=False), "choose")
    chooser.model.weigh = lambda messages, options: [0.0] * len(options)
    chooser.model.stream = lambda messages, sampling: iter(())
    at = scene(directive=Directive("vent", "t"))
    past = []
    for _ in range(40):
        words, _ = speak(chooser, replace(at, past=tuple(past)))
        assert words
        past.append((at.cue, words))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_model_that_writes_is_told_of_every_moment_and_every_dialect_has_its_lines(language):
    lists = yaml.safe_load((FOLDER / "moments.yaml").read_text(encoding="utf-8"))
    assert set(lists[language]) - {"holds_to_it"} == set(texts(language)["moments"])
    for voice, moments in lists.items():
        assert set(moments) == set(lists[language]), voice
        assert voice in ("zh-CN", "en") or all(" | " in line for lines in moments.values() for line in lines)


def test_of_lines_that_are_equally_likely_the_one_that_takes_up_what_was_said_is_nearer():
    heard = "押金500元，退回来要7个工作日。"
    assert echo("zh-CN", "退押金要这么久啊？", heard) > echo("zh-CN", "那好吧，就这样。", heard) == 0
    assert echo("en", "Why is the deposit so high?", "The deposit is 500 yuan.") > echo("en", "Fine.", "The deposit.")
