"""A better reply: from the trainee's own words, for this customer, never below what it is to better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from roleplay.coaching import Coach, Moment
from roleplay.dialogue import Evidence, Exchange, Turn
from roleplay.grading import BundledGrader
from roleplay.models import Message, Sampling
from roleplay.persona_grading import Grading, ModelAnswer
from roleplay.pieces import own_parts
from roleplay.reader import Reader, load_reader
from roleplay.rubric import DIMENSIONS

ENTRY = Evidence(
    "roam-asia-day",
    "亚洲方向随行日包28元/天，含1GB，用完降到256Kbps，不另收费。",
    "去泰国流量怎么收费？",
    (("price", "28元/天"),),
)
INSIDE = Evidence("int-goodwill", "首次境外上网费用过高的，可以减免到150元。", "泰国流量费能不能减免？")
HEARD = "我在泰国五天，你们扣了我三百块上网费，抢钱啊！流量到底怎么收费？"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader(None)


@pytest.fixture(scope="module")
def coach(reader: Reader) -> Coach:
    return Coach(reader, BundledGrader.load())


def moment(coach: Coach, reply: str, heard: str = HEARD, language: str = "zh-CN", **more: object) -> Moment:
    exchange = Exchange(language, (Turn("customer", heard),), reply, (ENTRY,))  # type: ignore[arg-type]
    reading = coach.reader.read(exchange)
    return Moment(exchange, reading, coach.grader.grade(exchange, reading), **more)  # type: ignore[arg-type]


def test_a_better_reply_meets_this_customer_and_tells_what_the_entry_says(coach: Coach) -> None:
    cold = moment(coach, "这个您自己去App里看。")
    better = coach.better(cold)
    assert better is not None and better.kind == "built"
    assert "28元/天" in better.text and ("着急" in better.text or "理解" in better.text)
    assert all((better.scores[name] or 5) >= (cold.grade.scores[name].value or 1) for name in DIMENSIONS)
    assert any((better.scores[name] or 0) > (cold.grade.scores[name].value or 5) for name in DIMENSIONS)


def test_what_the_trainee_said_well_is_kept_and_the_wrong_number_is_set_right(coach: Coach) -> None:
    wrong = moment(coach, "亚洲方向随行日包是18元/天，含1GB。我现在就为您订，好吗？")
    kept = [
        part.text for part in own_parts(wrong.exchange, wrong.reading, coach.reader.standards.rules, wrong.grade.scores)
    ]
    assert any("28元" in text and "含1GB" in text for text in kept)
    better = coach.better(wrong)
    assert better is not None and "28元" in better.text and "18元" not in better.text


def test_a_hurtful_sentence_is_not_kept(coach: Coach) -> None:
    rude = moment(coach, "喂，大声一点！日包28元一天。")
    kept = " ".join(
        part.text for part in own_parts(rude.exchange, rude.reading, coach.reader.standards.rules, rude.grade.scores)
    )
    assert "大声" not in kept and "28元" in kept


def test_what_is_for_the_house_alone_is_told_to_no_customer(coach: Coach) -> None:
    plain = moment(coach, "不知道。", "泰国的流量费这么高，能不能减免？", private=frozenset({"int-goodwill"}))
    inside = replace(plain, exchange=replace(plain.exchange, evidence=(INSIDE,)))
    better = coach.better(inside)
    assert better is None or "150元" not in better.text


def test_the_model_answer_is_shown_by_its_name_where_nothing_better_can_be_made(coach: Coach) -> None:
    good = coach.better(moment(coach, "这个您自己去App里看。"))
    assert good is not None
    answer = Grading(model_answers=(ModelAnswer(stage="solving", text="示范说法。"),))
    best = moment(coach, good.text, grading=answer)
    full = replace(
        best.grade, scores={name: replace(best.grade.scores[name], value=5.0, status="scored") for name in DIMENSIONS}
    )
    shown = coach.better(replace(best, grade=full, reading=replace(best.reading, stage="solving")))
    assert shown is not None and (shown.kind, shown.text) == ("model_answer", "示范说法。")
    assert coach.better(replace(best, grade=full, grading=Grading())) is None


class Writer:
    """A language model that always writes the same."""

    spec, fingerprint, writes = "writer", "1", True

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, ""

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[str]:
        self.asked = messages[-1]["content"]
        yield self.text

    def weigh(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        raise NotImplementedError


WRITTEN = "平白扣了三百块，换了谁都会着急，您的心情我理解。亚洲方向的随行日包是28元/天，含1GB，用完降速，不另收费。我现在就为您核对这笔费用，您看可以吗？"


def test_a_model_that_writes_is_held_to_the_entries_and_the_standard(coach: Coach) -> None:
    cold = moment(coach, "这个您自己去App里看。")
    writer = Writer(WRITTEN)
    written = Coach(coach.reader, coach.grader, writer).better(cold)
    assert written is not None and (written.kind, written.text) == ("written", WRITTEN)
    assert "28元/天" in writer.asked and "自己去App" in writer.asked
    for bad in (WRITTEN.replace("28元", "8元"), WRITTEN.replace("您看可以吗", "保证全退给您"), ""):
        other = Coach(coach.reader, coach.grader, Writer(bad)).better(cold)
        assert other is not None and other.kind == "built"
