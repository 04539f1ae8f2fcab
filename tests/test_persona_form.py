"""A persona's form and its YAML are the same thing, seen twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from roleplay.condition_words import condition_of, condition_text
from roleplay.conditions import Condition
from roleplay.errors import Fault, FileFault
from roleplay.persona import Persona
from roleplay.persona_fields import NEW, SECTIONS
from roleplay.persona_files import parse_persona
from roleplay.persona_form import added, applied, by_field, fields, items, raised, shown, value_at, without
from roleplay.persona_ids import pointers, renames
from roleplay.texts import texts, translated
from roleplay.wording import Line
from roleplay.yaml_files import parse_yaml
from roleplay.yaml_patch import patched, same

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "personas" / "zh" / "deduction-video-pack.yaml").read_text("utf-8")


def data(text: str = TEXT) -> Any:
    return parse_yaml(text, "x")[0]


def typed(**changes: str) -> dict[str, str]:
    form = shown(data())
    for name, value in changes.items():
        form[name.replace("__", ".")] = value
    return form


@pytest.mark.parametrize("path", sorted((ROOT / "personas").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_form_that_nobody_touched_changes_nothing(path: Path) -> None:
    there = data(path.read_text("utf-8"))
    assert same(applied(there, shown(there)), there)
    assert same(applied(there, {}), there)


def test_what_was_typed_is_in_the_file_and_the_rest_stands_as_it_was() -> None:
    form = typed(
        title="多扣的钱",
        who__age="45",
        call__facts__1__say="三个月了\r\n仨月 | 三个月",
        call__facts__4__needs="trust >=3",
    )
    form["topics=plan"] = "on"
    del form["topics=refund"]
    made = patched(TEXT, applied(data(), form))
    persona = parse_persona(made)
    assert (persona.title, persona.who.age, persona.topics) == ("多扣的钱", 45, ("bill", "deduction", "plan"))
    assert [(line.text, line.gloss) for line in persona.fact("months").say] == [("三个月了", ""), ("仨月", "三个月")]
    assert persona.fact("other-hands").needs.feeling == {"trust": ">=3"}
    assert len(set(TEXT.splitlines()) - set(made.splitlines())) <= 8


def test_an_emptied_field_is_gone_and_a_word_for_a_number_is_left_to_the_loader() -> None:
    made = applied(data(), typed(who__about="", who__age="old", title=""))
    assert "about" not in made["who"] and made["who"]["age"] == "old" and "title" not in made
    with pytest.raises(FileFault) as caught:
        parse_persona(patched(TEXT, made))
    at, rest = by_field(caught.value.faults, made)
    assert set(at) == {"title", "who.age"} and rest == []


def test_what_points_to_an_id_follows_it_when_it_is_changed() -> None:
    there = data()
    names = {kind: [item["id"] for item in there["call"].get(kind, ())] for kind in ("facts", "goals", "beliefs")}
    at, old = names["facts"].index("amount"), names["beliefs"][0]
    there["call"]["ends"]["declines"] = {
        "any": [{"goal": names["goals"][0]}, {"not": {"belief": old}}, {"told": "account.plan"}]
    }
    there["call"]["facts"][2]["needs"] = {"all": [{"knows": "amount"}, {"asked": "amount"}]}
    there["grading"]["form"] = [
        {"id": "sum", "label": "每月金额", "fact": "amount"},
        {"id": "p", "label": "套餐", "record": "plan"},
    ]
    record = next(n for n, item in enumerate(there["account"]["records"]) if item["id"] == "plan")
    form = shown(there) | {
        f"call.facts.{at}.id": "monthly", "call.goals.0.id": "money-back", "call.beliefs.0.id": "thought",
        f"account.records.{record}.id": "tariff",
    }  # fmt: skip
    made = applied(there, form)
    assert made["call"]["ends"]["declines"]["any"] == [
        {"goal": "money-back"}, {"not": {"belief": "thought"}}, {"told": "account.tariff"},
    ]  # fmt: skip
    assert made["call"]["facts"][2]["needs"] == {"all": [{"knows": "monthly"}, {"asked": "monthly"}]}
    assert [opening.get("tells") for opening in made["call"]["openings"]].count(["monthly"]) == 2
    assert (made["grading"]["form"][0]["fact"], made["grading"]["form"][1]["record"]) == ("monthly", "tariff")
    text = yaml.safe_dump(there, allow_unicode=True, sort_keys=False)
    assert parse_persona(patched(text, made)).fact("monthly").value
    assert renames(there, made)["call.facts", "amount"] == "monthly" and pointers(made, "call.facts", "monthly") == 5


def test_an_id_that_is_taken_or_an_item_that_moves_changes_no_pointer() -> None:
    at = [item["id"] for item in data()["call"]["facts"]].index("amount")
    taken = applied(data(), typed(**{f"call__facts__{at}__id": "months"}))
    assert taken["call"]["openings"] == data()["call"]["openings"]
    assert renames(data(), without(data(), "call.facts", 0)) == renames(data(), raised(data(), "call.facts", 1)) == {}


def places(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every place that a file of this model may write to; of a list of parts those of one item, without its number."""
    for name, info in model.model_fields.items():
        place, models = prefix + (info.alias or name), list(models_in(info.annotation))
        if place in NEW or (models and not issubclass(models[0], Line | Condition)):
            yield from places(models[0], place + ".")
        else:
            yield place


def models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind) if get_origin(kind) is not Mapping else ():
        yield from models_in(part)


def test_the_form_has_a_field_for_everything_that_a_persona_file_may_hold() -> None:
    there = {f"{section.items}.{field.name}".lstrip(".") for section in SECTIONS for field in section.fields}
    refused = {"grading.must_not_say.moves", "grading.must_not_say.told"}  # the loader wants them nowhere
    for place in set(places(Persona)) - refused:
        assert place in there or any(name.startswith(place + ".") for name in there), place
    assert {section.items for section in SECTIONS} - {""} == set(NEW)


def test_rare_parts_are_written_from_the_form_and_emptied_again() -> None:
    more = added(added(without(data(), "grading.must_say", 0), "call.sore_points"), "call.line")
    more = added(more, "grading.must_say")
    form = shown(more) | {
        "grading.must_say.0.any": "三个工作日\n3个工作日", "grading.must_say.0.advice": "说清几天到账",
        "grading.must_say.0.moves": "说明时间 / propose", "grading.must_say.0.patterns": "三|3个", "grading.caps.unsaid": "70",
        "grading.weights.empathy": "2", "call.sore_points.0.words": "小题大做", "call.sore_points.0.say": "什么叫小题大做？",
        "call.line.0.turns": "1, 3", "call.line.0.sounds": "喇叭声", "call.occupied.by": "driving",
        "who.speech.lexicon": "啥子 = 什么", "ring.waited": "320", "ring.menu": "1 查话费", "extensions": "pair: b",
        "call.ends.declines": "介绍产品 ×3 + 没有 已满足 refund",
    }  # fmt: skip
    form["call.ends.good=resolved"] = "on"
    made = patched(TEXT, applied(more, form, "zh-CN"))
    persona = parse_persona(made)
    (rule,) = persona.grading.must_say
    assert (rule.any, rule.moves, rule.patterns) == (("三个工作日", "3个工作日"), ("timeframe", "propose"), ("三|3个",))
    assert persona.grading.caps["unsaid"] == 70 and persona.grading.weights["empathy"] == 2
    assert persona.call.sore_points[0].words == ("小题大做",) and persona.call.line[0].turns == (1, 3)
    assert persona.call.occupied.by == "driving" and persona.who.speech.lexicon == {"啥子": "什么"}
    assert persona.ring.waited == 320 and persona.extensions == {"pair": "b"} and persona.good_endings == ("resolved",)
    assert persona.call.ends.declines.all[1].not_.goal == "refund"
    form = shown(data(made)) | {"call.occupied.by": "", "who.speech.lexicon": "", "extensions": ""}
    emptied = applied(data(made), form)
    assert (
        "occupied" not in emptied["call"] and "lexicon" not in emptied["who"]["speech"] and "extensions" not in emptied
    )


def test_a_pattern_with_a_bar_is_no_wording_with_a_gloss() -> None:
    there = {"grading": {"must_say": [{"id": "a", "patterns": ["x"]}]}}
    made = applied(there, shown(there) | {"grading.must_say.0.patterns": "a | b"})
    assert made["grading"]["must_say"][0]["patterns"] == ["a | b"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_field_and_section_has_its_words(language: str) -> None:
    say = texts(language)["desk"]["form"]
    for section in SECTIONS:
        assert section.name in say["sections"] and section.name in say["leads"], section.name
        assert not section.items or section.name in say["add"]
    assert set(say["groups"]) | set(say["mores"]) | set(say["more_leads"]) <= {section.name for section in SECTIONS}


def test_conditions_stand_in_words_and_what_words_cannot_say_stands_as_in_the_file() -> None:
    said = {
        "any": [
            {"told": "a", "facts": ["b", "c"]},
            {"all": [{"move": ["act", "propose"]}, {"move": "timeframe", "times": 2, "good": True}]},
            {"all": [{"feeling": {"trust": ">=2.5"}}, {"not": {"asked": "item"}}, {"verified": True}, {"turn": "<=4"}]},
        ]
    }
    assert condition_text(said, "zh-CN") == (
        "说对 a (b, c)\n当场办理 / 提出办法 + 说明时间 ×2 !\n信任 >=2.5 + 没有 问到 item + 已核对身份 + 句数 <=4"
    )
    for language in ("zh-CN", "en"):
        assert condition_of(condition_text(said, language)) == said
    assert condition_of("told: vas-refund\n propose ＋ 说明时间 x3 次！") == {
        "any": [{"told": "vas-refund"}, {"all": [{"move": "propose"}, {"move": "timeframe", "times": 3, "good": True}]}]
    }
    assert condition_of("信任 ≥ 3") == {"feeling": {"trust": ">=3"}}
    assert condition_of("没有 核对身份") == {"not": {"move": "verify"}}
    assert condition_of("whistles") == {"move": "whistles"} and condition_of(" ") is None
    for more in (
        {"move": "act", "turn": ">=2"}, {"feeling": {"trust": ">=1", "anger": "<=2"}}, {"any": [{"move": "act"}]},
        {"any": [{"all": [{"knows": "b"}, {"any": [{"turn": ">=3"}, {"goal": "c"}]}]}, {"move": "act"}]}, "x", {},
    ):  # fmt: skip
        assert "{" in condition_text(more, "en") or more == "x"
        assert condition_of(condition_text(more, "en")) == ({"move": "x"} if more == "x" else more)
    assert condition_of("{any: [") == "{any: ["
    made = applied(data(), typed(call__beliefs__0__corrected_by="说对 vas-refund\n解释原因"), "zh-CN")
    assert made["call"]["beliefs"][0]["corrected_by"] == {"any": [{"told": "vas-refund"}, {"move": "explain"}]}
    with pytest.raises(FileFault) as caught:
        parse_persona(patched(TEXT, applied(data(), typed(call__goals__0__met_by="whistles"))))
    assert set(by_field(caught.value.faults, data())[0]) == {"call.goals.0.met_by"}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_all_conditions_of_the_shipped_customers_are_read_back_and_most_stand_in_words(language: str) -> None:
    said = []
    for path in (ROOT / "personas").rglob("*.yaml"):
        there = data(path.read_text("utf-8"))
        form = shown(there, language)
        for place, field in fields(there):
            if field.kind == "condition" and (value := value_at(there, place)) is not None:
                assert condition_of(form[place]) == value, (path, place)
                said.append(form[place])
    assert sum("{" not in text for text in said) / len(said) > 0.98


def test_items_come_go_and_move() -> None:
    for place in NEW:
        more = added(added(data(), place), place)
        assert len(items(more, place)) == len(items(data(), place)) + 2
        ids = [item.get("id") for item in items(more, place)]
        assert None in ids or len(set(ids)) == len(ids)
        back = without(without(more, place, len(items(more, place)) - 1), place, len(items(more, place)) - 2)
        assert same(back, data())
        assert same(parse_yaml(patched(TEXT, more), "x")[0], more)
    moved = raised(data(), "call.facts", 2)
    assert [fact["id"] for fact in moved["call"]["facts"]][1:3] == ["item", "months"]
    assert same(parse_yaml(patched(TEXT, moved), "x")[0], moved)


def test_an_opening_that_is_a_plain_text_can_be_given_more() -> None:
    there = {"call": {"openings": ["喂？"]}}
    form = shown(there) | {"call.openings.0.tells": "amount, months"}
    assert applied(there, form) == {"call": {"openings": [{"text": "喂？", "tells": ["amount", "months"]}]}}
    assert applied(there, shown(there) | {"call.openings.0.text": "喂喂？"}) == {
        "call": {"openings": [{"text": "喂喂？"}]}
    }


def test_every_fault_stands_at_a_field_or_above_all() -> None:
    faults = tuple(
        Fault("x", None, place)
        for place in ("call.facts.1.say.0.text", "call.facts.months", "call.goals", "difficulty", "nothing.like.it")
    )
    at, rest = by_field(faults, data())
    assert set(at) == {"call.facts.1.say", "call.facts.1.text", "difficulty"}
    assert [fault.field for fault in rest] == ["call.goals", "nothing.like.it"]
    assert len({place for place, _ in fields(data())}) == len(list(fields(data())))


def test_what_is_wrong_with_a_part_as_a_whole_stands_at_the_field_that_is_meant() -> None:
    there = data()
    there["call"]["facts"][0].pop("slot")
    there["call"]["facts"][1].pop("asked_by")
    there["call"]["goals"][0]["met_by"] = {"told": "vas-refund", "times": 2}
    there["grading"]["form"] = [{"id": "notes", "label": "x", "fact": "amount"}, {"id": "a", "label": "x"}]
    text = patched(TEXT, there)
    with pytest.raises(FileFault) as caught:
        parse_persona(text)
    assert {fault.field: fault.message for fault in caught.value.faults} == {
        "call.facts.0.value": "slot and value belong together",
        "call.facts.1.asked_by": "give the questions that ask for it, or told: volunteered",
        "call.goals.0.met_by.move": "times and good belong to move",
        "grading.form.0.id": "every sheet has a field of this id; choose another one",
        "grading.form.1.fact": "give a fact or a record, one of them",
    }
    assert all(fault.line and translated(fault.message, "zh-CN") for fault in caught.value.faults)
    at, rest = by_field(caught.value.faults, there)
    assert set(at) == {
        "call.facts.0.value", "call.facts.1.asked_by", "call.goals.0.met_by", "grading.form.0.id", "grading.form.1.fact",
    } and not rest  # fmt: skip


def test_an_unknown_id_stands_at_the_field_that_names_it() -> None:
    there = data()
    there["call"]["openings"][0]["tells"] = ["nothing"]
    there["grading"]["form"] = [{"id": "a", "label": "x", "record": "none"}]
    with pytest.raises(FileFault) as caught:
        parse_persona(patched(TEXT, there))
    assert set(by_field(caught.value.faults, there)[0]) == {"call.openings.0.tells", "grading.form.0.record"}
