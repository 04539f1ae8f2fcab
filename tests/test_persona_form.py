"""A persona's form and its YAML are the same thing, seen twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roleplay.condition_words import condition_of, condition_text
from roleplay.errors import Fault, FileFault
from roleplay.persona_files import parse_persona
from roleplay.persona_form import NEW, added, applied, by_field, fields, items, raised, shown, without
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
        title="多扣的钱", who__age="45", call__facts__1__say="三个月了\r\n仨月 | 三个月", call__facts__4__needs="3"
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


def test_conditions_stand_in_words_and_what_words_cannot_say_is_left_alone() -> None:
    said = {
        "any": [
            {"told": "a", "facts": ["b", "c"]},
            {"all": [{"move": ["act", "propose"]}, {"move": "timeframe", "times": 2, "good": True}]},
        ]
    }
    assert condition_text(said, "zh-CN") == "说对 a (b, c)\n当场办理 / 提出办法 + 说明时间 ×2 !"
    for language in ("zh-CN", "en"):
        assert condition_of(condition_text(said, language)) == said
    assert condition_of("told: vas-refund\n propose ＋ 说明时间 x3 次！") == {
        "any": [{"told": "vas-refund"}, {"all": [{"move": "propose"}, {"move": "timeframe", "times": 3, "good": True}]}]
    }
    assert condition_of("whistles") == {"move": "whistles"} and condition_of(" ") is None
    for more in ({"move": "act", "turn": ">=2"}, {"not": {"move": "rude"}}, {"knows": "b"}, "x"):
        assert condition_text(more, "en") is None
    made = applied(data(), typed(call__beliefs__0__corrected_by="说对 vas-refund\n解释原因"), "zh-CN")
    assert made["call"]["beliefs"][0]["corrected_by"] == {"any": [{"told": "vas-refund"}, {"move": "explain"}]}
    with pytest.raises(FileFault) as caught:
        parse_persona(patched(TEXT, applied(data(), typed(call__goals__0__met_by="whistles"))))
    assert set(by_field(caught.value.faults, data())[0]) == {"call.goals.0.met_by"}


def test_most_conditions_of_the_shipped_customers_can_be_said_in_words() -> None:
    there = [
        condition_text(item[name], "zh-CN")
        for path in (ROOT / "personas").rglob("*.yaml")
        for kind, name in (("beliefs", "corrected_by"), ("goals", "met_by"), ("objections", "broken_by"))
        for item in data(path.read_text("utf-8"))["call"].get(kind, ())
    ]
    assert sum(text is not None for text in there) / len(there) > 0.9


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
