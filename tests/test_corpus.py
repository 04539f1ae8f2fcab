"""The hand-written texts: varied, and nobody who is measured on is learnt from."""

from __future__ import annotations

import pytest

from roleplay.lines import corpus_lines
from roleplay.training.corpus import load_calls
from roleplay.training.variety import near_repetitions, split_people, variety


def test_a_line_that_only_changes_a_word_is_a_near_repetition():
    lines = [
        "你们这个月到底扣了我多少钱，给我说清楚。",
        "你们上个月到底扣了我多少钱，给我说清楚。",
        "今天先这样吧，我还要去接孩子放学呢。",
    ]
    assert list(near_repetitions(lines, "zh-CN")) == [(lines[1], lines[0])]


def test_texts_that_say_the_same_again_and_again_are_less_varied():
    same, different = (
        ["I want my money back now."] * 3,
        ["I want my money back.", "Who signed this?", "Not on a Sunday."],
    )
    assert variety(same, "en").pairs < variety(different, "en").pairs == 1.0


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_customer_line_nearly_repeats_another(language):
    assert list(near_repetitions([line.text for line in corpus_lines(language)], language)) == []


def test_people_of_test_calls_are_in_no_other_split():
    people = split_people(load_calls())
    assert not people["test"] & (people["train"] | people["validation"])
