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


def test_how_many_pieces_a_sum_is_reckoned_for_is_no_claim() -> None:
    passes = Evidence("passes", "The Asia Day Pass is 28 yuan a day. The long pass is 268 yuan and lasts 15 days.")
    assert "contradicted" not in verdicts("28 yuan a day, so twelve days would come to 336 yuan.", passes)
    assert "contradicted" in verdicts("The long pass lasts twelve days.", passes)


def test_permission_turned_round_is_contradicted() -> None:
    entry = Evidence("a", "副卡不可以单独携号转网。")
    assert "contradicted" in verdicts("副卡可以单独携号转网。", entry)
    assert "contradicted" not in verdicts("副卡不能单独携号转网。", entry)


def test_told_names_the_facts_that_were_told_rightly() -> None:
    assert told("日包一天三十块。", [ROAMING])[0].facts == ("price",)
    assert set(told("日包每天30元，含1GB流量。", [ROAMING])[0].facts) == {"price", "data"}
    assert told("日包每天39元。", [ROAMING]) == ()


PLAN = Evidence("plan", "星享129套餐每月129元，含30GB流量、200分钟国内通话，不足1分钟按1分钟计。", "129套餐有什么？")
BILL = Evidence("bill", "有疑问可登记核查，48小时内答复；每月25日前缴费不停机，套外流量3元/GB。", "账单有疑问怎么办？")
DAY = Evidence(
    "roam",
    "亚洲随行日包28元/天，含1GB高速流量，用完降速、不断网，不自动续订。接听和拨打都是0.99元/分钟。",
    "亚洲日包怎么收费？",
)
RENT = Evidence("rent", "随身路由押金500元/台，遗失赔500元，屏幕损坏赔200元。", "路由丢了赔多少？")


@pytest.mark.parametrize(
    ("reply", "entry"),
    [
        ("占用您两分钟，跟您核对一下。", PLAN), ("耽误您两分钟可以吗？", BILL), ("您这个月已经打了80分钟。", PLAN),
        ("您的号码用了5个月了。", Evidence("a", "审核需5个工作日。", "审核多久？")),
        ("师傅说约五天会有消息。", Evidence("a", "远程检测约20分钟。", "检测要多久？")),
        ("我现在就为您免费关闭套外流量。", BILL), ("还有一款学子卡是39元一个月。", PLAN),
        ("我当天就给您登记。", Evidence("a", "变更套餐下月生效。", "什么时候生效？")),
        ("您换一部支持4G的手机就可以。", Evidence("a", "仅支持2G的手机无法通话。")),
    ],
)  # fmt: skip
def test_an_amount_of_something_else_is_no_contradiction(reply: str, entry: Evidence) -> None:
    assert "contradicted" not in verdicts(reply, entry)


@pytest.mark.parametrize(
    ("reply", "entry"),
    [
        ("亚洲随行日包38元一天，每天3GB。", DAY), ("登记核查以后，30个工作日给您答复。", BILL), ("套外流量是1元/MB。", BILL),
        ("押金300元。", RENT), ("遗失赔800元。", RENT), ("日包到期会自动续订。", DAY), ("在那边接电话是免费的。", DAY),
        ("日包用完就断网。", DAY),
    ],
)  # fmt: skip
def test_what_the_entry_denies_is_contradicted(reply: str, entry: Evidence) -> None:
    assert "contradicted" in verdicts(reply, entry, PLAN)


def test_sums_follow_only_from_what_was_said_or_named() -> None:
    assert "contradicted" not in verdicts("两台一共1000元押金。", RENT)
    assert "contradicted" not in verdicts("三天一共84元。", DAY, said="我去三天")


def test_a_question_tells_nothing() -> None:
    puk = Evidence("account.puk", "PUK码: 已试6次，还可试4次。")
    assert told("PUK码您试过几次？", [puk]) == ()
    assert told("我给您查一下PUK码。", [puk]) == ()
    assert told("PUK码已经试了6次，还可以试4次。", [puk])


@given(st.text(max_size=300))
def test_any_reply_is_checked_and_places_are_true(reply: str) -> None:
    for claim in check(reply, [ROAMING, PASS]):
        assert reply[claim.start : claim.end] == claim.text


@pytest.mark.parametrize(
    ("reply", "evidence"),
    [
        ("我帮您看看合不合适。", "用得少的客户选59元更合适。"),
        ("您不确认我们不会自动续签。", "没有您的确认，我们不会续签。"),
        ("比现在多10GB流量、100分钟通话。", "星享79每月79元，30GB国内流量、300分钟国内通话。"),
        ("流量从20G变成30G。", "星享79每月79元，30GB国内流量、300分钟国内通话。"),
        ("Star 79 gives 30 GB and 300 minutes.", "39 yuan gives 10 GB and 100 minutes, 79 yuan 30 GB and 300."),
    ],
)
def test_a_difference_a_change_or_an_amount_without_its_unit_is_no_contradiction(reply, evidence):
    assert not any(claim.verdict == "contradicted" for claim in check(reply, [Evidence("given.1", evidence)]))


@pytest.mark.parametrize(
    ("reply", "evidence"),
    [
        ("不满1个G也按1个G算。", Evidence("pack", "需要时买10元5GB的加油包即可。", "加油包多少钱？")),
        ("套外流量5块钱1个G。", Evidence("cap", "套外费满100元自动暂停国内上网。", "套外费有上限吗？")),
        ("核查期间有争议的这部分不会让您停机。", Evidence("dispute", "核查期间这笔争议费用不停机、不收违约金。", "")),
        ("星桥移动7093，请讲。", Evidence("texts", "星桥的短信只由10910发出。", "怎么认出真的短信？")),
        ("明白，钱扣得不明不白，谁都不放心。", Evidence("read", "看不明白的可以请客服逐项说明。", "账单怎么看？")),
        ("金额我就不在电话里念了。", Evidence("codes", "客服在电话里不会要您的银行卡号和验证码。", "")),
    ],
)
def test_a_unit_a_name_and_what_is_left_undone_contradict_nothing(reply: str, evidence: Evidence) -> None:
    assert "contradicted" not in verdicts(reply, evidence)
