from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roleplay.claims import check, told
from roleplay.dialogue import Evidence, Turn

ROAMING = Evidence(
    "roam-day",
    "国际漫游日包30元/天，含1GB，须出境前开通，当日不用不收费。",
    "日包怎么收费？",
    (("price", "30元/天"), ("data", "1GB")),
)
PASS = Evidence("pass", "Day pass for Europe: £3 a day, 1 GB, to be added before leaving.")


def verdicts(reply: str, *evidence: Evidence, said: str = "") -> set[str]:
    return {claim.verdict for claim in check(reply, evidence, [Turn("customer", said)] if said else [])}


@pytest.mark.parametrize("reply", ["日包每天30元。", "日包三十块钱一天。", "日包一天是¥30。"])
def test_a_right_price_is_supported_in_any_spelling(reply: str) -> None:
    assert verdicts(reply, ROAMING) <= {"supported", "opinion"} and "supported" in verdicts(reply, ROAMING)


@pytest.mark.parametrize("reply", ["日包每天39元。", "日包三十块一个月。", "日包是免费的，您放心。", "日包含2GB流量。"])
def test_a_wrong_price_is_contradicted(reply: str) -> None:
    assert "contradicted" in verdicts(reply, ROAMING)


def test_a_contradiction_names_entry_quote_and_place() -> None:
    reply = "您好，日包每天39元。"
    claim = next(claim for claim in check(reply, [ROAMING]) if claim.verdict == "contradicted")
    assert (claim.evidence_id, reply[claim.start : claim.end]) == ("roam-day", "39元")
    assert claim.quote in ROAMING.text


def test_a_wrong_price_is_contradicted_in_english() -> None:
    assert "contradicted" in verdicts("The day pass is £5 a day.", PASS)
    assert "contradicted" not in verdicts("The day pass is three pounds a day.", PASS)


def test_what_the_evidence_does_not_speak_of_is_not_covered() -> None:
    assert verdicts("国内宽带每月120元。") == {"not_covered"}


def test_the_customers_own_number_is_no_claim() -> None:
    assert "contradicted" not in verdicts("您上次是扣了823元，对吗？", ROAMING, said="扣了我823块！")


def test_the_speakers_own_undertaking_is_no_claim() -> None:
    other = Evidence("a", "投诉受理后24小时内回复。")
    assert "contradicted" not in verdicts("我六点前给您回电，请您稍等两分钟。", other)


def test_a_product_of_known_numbers_is_no_contradiction() -> None:
    assert "contradicted" not in verdicts("日包每天30元，六天一共180元。", ROAMING, said="我去六天")


def test_permission_turned_round_is_contradicted() -> None:
    entry = Evidence("a", "副卡不可以单独携号转网。")
    assert "contradicted" in verdicts("副卡可以单独携号转网。", entry)
    assert "contradicted" not in verdicts("副卡不能单独携号转网。", entry)


def test_told_names_the_facts_that_were_told_rightly() -> None:
    assert told("日包一天三十块。", [ROAMING])[0].facts == ("price",)
    assert set(told("日包每天30元，含1GB流量。", [ROAMING])[0].facts) == {"price", "data"}
    assert told("日包每天39元。", [ROAMING]) == ()


@given(st.text(max_size=300))
def test_any_reply_is_checked_and_places_are_true(reply: str) -> None:
    for claim in check(reply, [ROAMING, PASS]):
        assert reply[claim.start : claim.end] == claim.text
