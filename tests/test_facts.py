from __future__ import annotations

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roleplay.facts import Quantity, quantities


def only(text: str) -> Quantity:
    found = quantities(text)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("text", ["30元", "三十块", "¥30", "三十元", "30块钱", "三十块钱", "30 yuan", "30.00元"])
def test_one_amount_in_any_spelling_agrees(text: str) -> None:
    assert only(text).agrees(only("30元"))


@pytest.mark.parametrize("text", ["£2.50", "two pounds fifty", "£2.5", "250p"])
def test_one_amount_in_english_agrees(text: str) -> None:
    assert only(text).agrees(only("£2.50"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("30元/天", "30元/月"), ("每月30元", "每天30元"), ("30元", "39元"), ("£3", "€3"), ("48小时", "48天"), ("2GB", "2M"),
        ("免费", "5元"), ("3 working days", "3 hours"), ("$75 a year", "$75 a month"), ("八折", "85%"), ("18:00", "早上六点"),
    ],
)  # fmt: skip
def test_another_unit_value_or_period_disagrees(one: str, other: str) -> None:
    first = next(q for q in quantities(one) if q.kind != "duration" or "元" not in one)
    second = next(q for q in quantities(other) if q.kind != "duration" or "元" not in other)
    assert not first.agrees(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("48小时", "2天"), ("三个工作日", "3 working days"), ("半个小时", "30分钟"), ("half an hour", "30 minutes"), ("1GB", "1024MB"),
        ("下午六点", "18:00"), ("6 pm", "18:00"), ("6月9日", "June 9"), ("9 June", "六月九日"), ("百分之八十", "80%"), ("八五折", "85%"),
        ("免费", "不收费"), ("free", "免费"), ("两个半小时", "150分钟"), ("##002#", "##002#"), ("一万二千元", "12,000元"),
        ("八块五", "8.5元"), ("两毛九", "0.29元"), ("二十一点", "21:00"), ("500M", "500兆"), ("每月1日", "每月一号"),
    ],
)  # fmt: skip
def test_one_fact_in_two_spellings_agrees(one: str, other: str) -> None:
    assert only(one).agrees(only(other)), (only(one), only(other))


@pytest.mark.parametrize(
    "text", ["请稍等一下", "千万别急", "我们一直在", "第一步", "三十来块", "一两分钟", "不是免费", "not free"]
)
def test_words_that_only_look_like_numbers_are_none(text: str) -> None:
    assert quantities(text) == ()


def test_the_name_of_a_plan_is_no_amount() -> None:
    assert [q.kind for q in quantities("59元套餐")] == ["plan"]
    assert [q.kind for q in quantities("星享59")] == ["plan"]


def test_a_period_is_read_on_either_side_of_the_amount() -> None:
    for text in ("30元/月", "每月30元", "30元每月", "一个月30块", "30块钱一个月", "£30 a month", "£30 per month"):
        assert next(q for q in quantities(text) if q.kind == "money").per == "month", text


@given(st.integers(1, 99_999))
def test_every_amount_agrees_with_itself_in_chinese_characters(amount: int) -> None:
    assert only(f"{amount}元").agrees(only(f"{cn2an.an2cn(amount)}元"))


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_two_amounts_agree_exactly_when_they_are_equal(one: int, other: int) -> None:
    assert only(f"{one}元").agrees(only(f"{other}块")) == (one == other)


@given(st.text(max_size=200))
def test_any_text_is_read_and_places_are_true(text: str) -> None:
    for quantity in quantities(text):
        assert text[quantity.start : quantity.end] == quantity.text
