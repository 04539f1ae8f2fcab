"""What the reader makes of plain questions, with the bundled models."""

from __future__ import annotations

import pytest

from roleplay.dialogue import Exchange, Turn
from roleplay.errors import Unavailable
from roleplay.knowledge.embedding import load_embedder
from roleplay.matching import BUNDLED, FEATURES, Matcher
from roleplay.models.aims import AimModel
from roleplay.models.ranker import Ranker
from roleplay.models.tone import ToneModel
from roleplay.reader import Reader, load_reader
from roleplay.reading import Subject
from roleplay.standards import load_standards


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader(load_embedder("bundled"))


@pytest.mark.parametrize(
    ("language", "reply"),
    [
        ("zh-CN", "您的手机是什么牌子？"),
        ("zh-CN", "您几点方便接电话？"),
        ("zh-CN", "您还有什么要求？"),
        ("zh-CN", "您家里有几口人？"),
        ("en", "How many people are in your house?"),
        ("en", "Do you have any kids?"),
        ("en", "When would be a good time to call you back?"),
        ("en", "Which country were you in?"),
    ],
)
def test_a_plain_question_neither_hurts_nor_informs(reader, language, reply):
    heard = Turn("customer", "我这话费不对！" if language == "zh-CN" else "My bill is wrong!")
    reading = reader.read(Exchange(language, (heard,), reply))
    assert not reading.did("rude", "blame", "dismiss", "argue", "inform", "explain", "act", "acknowledge")


def test_a_long_polite_request_is_no_brush_off(reader):
    heard = Turn("customer", "It has been off since Tuesday, and nobody came.")
    reply = "Could you please unplug the modem and the router and switch them on again?"
    assert not reader.read(Exchange("en", (heard,), reply)).did("blame", "dismiss", "argue")


def test_a_question_that_blames_is_still_heard_as_blame(reader):
    heard = Turn("customer", "我没订过这个！")
    reading = reader.read(Exchange("zh-CN", (heard,), "你自己点的你不知道？"))
    assert reading.did("blame", "rude")


SUBJECTS = {
    "since": Subject(("从什么时候开始扣的？", "扣了几个月了？"), ("三个月前就开始扣了。",)),
    "place": Subject(("您当时在哪里？", "是在什么地方办的？"), ("在火车站旁边的厅里办的。",)),
    "amount": Subject(("扣了多少钱？", "每次扣几块？"), ("每个月扣十五块。",)),
}


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        ("请问这笔钱是什么时候开始扣的？", ("since",)),
        ("您是在哪里办的呢？", ("place",)),
        ("一共扣了您多少钱？", ("amount",)),
        ("今天天气真不错，是吧？", ()),
        ("我马上为您登记。", ()),
    ],
)
def test_a_fact_is_asked_for_by_meaning_and_by_the_kind_of_question(reader, reply, asked):
    assert reader.read(Exchange("zh-CN", (), reply), SUBJECTS).asked == asked


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        ("为了查每次扣的钱，请您报一下机主姓名。", ()),
        ("请您报一下机主姓名，还有是在哪里办的。", ("place",)),
        ("在哪里办的，您的姓名也说一下。", ("place",)),
        ("姓名，证件后四位，报一下。", ()),
        ("您的姓名报一下，我马上查一查扣了多少次钱。", ()),
    ],
)
def test_beside_a_name_that_is_asked_for_a_reason_is_no_question(reader, reply, asked):
    assert reader.read(Exchange("zh-CN", (), reply), SUBJECTS).asked == asked


def test_thanks_in_passing_warm_nobody(reader):
    kind = (
        "谢谢您这么理解我们。",
        "您说得真好，谢谢您。",
        "听您这么讲我很感动。",
        "您太体谅人了。",
        "真感谢您肯等我们。",
        "谢谢您。",
    )
    subjects = {"kind": Subject(kind, ("哪里。",), asked=False), "refunded": RESPONSES["refunded"]}
    said = lambda reply: [up.response for up in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]  # noqa: E731
    assert said("您这么体谅我们，真的很感谢您。") == ["kind"]
    assert not any(map(said, ("好的，谢谢您。", "谢谢马先生。", "马先生，感谢您的来电。")))


@pytest.mark.parametrize("reply", ["扣了多少钱，什么时候开始扣的，在哪里办的？", "请问是在哪里办的，扣了多少？"])
def test_each_of_several_things_that_a_question_lists_is_asked_for(reader, reply):
    wanted = {"place", "amount", "since"} if "什么时候" in reply else {"place", "amount"}
    assert set(reader.read(Exchange("zh-CN", (), reply), SUBJECTS).asked) == wanted


def test_an_apology_that_goes_with_a_refusal_is_a_manner_of_speaking(reader):
    sorry = ("实在对不起。", "给您道歉了。", "是我们的错，非常抱歉。", "真对不住您。", "抱歉，让您受累了。")
    subjects = {"sorry": Subject(sorry, ("没关系。",), asked=False), "refunded": RESPONSES["refunded"]}
    said = lambda reply: [up.response for up in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]  # noqa: E731
    assert said("真是对不起，是我们的错。") == ["sorry"]
    assert not said("很抱歉，这个真的办不了。")


def test_a_goodbye_brings_up_wishes_and_no_business(reader):
    wishes = ("祝您一路顺风，再见。", "路上小心，再见！", "祝您旅途愉快，再见。", "一路平安，拜拜。")
    subjects = {"journey": Subject(wishes, ("托您的福。",), asked=False), "refunded": RESPONSES["refunded"]}
    said = lambda reply: [up.response for up in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]  # noqa: E731
    assert said("那祝您一路顺风，再见！") == ["journey"]
    assert "refunded" not in said("祝您的退费早日到账，再见！")


def test_a_question_in_passing_is_heard(reader):
    assert reader.read(Exchange("zh-CN", (), "好的我记下了，扣了多少钱，我给您登记。"), SUBJECTS).asked == ("amount",)


def test_two_questions_in_one_reply_ask_for_two_facts(reader):
    reply = "从什么时候起扣的呢？每次又扣了多少钱？"
    assert reader.read(Exchange("zh-CN", (), reply), SUBJECTS).asked == ("since", "amount")


RESPONSES = {
    "refunded": Subject(
        ("我给您把这笔钱退回去，三天到账。", "多扣的费用我们全额退给您。", "已经为您申请退费了。"),
        ("退了就好。",),
        asked=False,
    ),
    "branch": Subject(
        ("这个要请您带身份证到营业厅办。", "线上改不了，得您本人跑一趟营业厅。", "麻烦您去就近的厅里办理。"),
        ("我哪有空跑营业厅。",),
        asked=False,
    ),
}


def test_words_like_the_examples_with_another_figure_mean_something_else(reader):
    subjects = {
        "back": Subject(
            ("我给您退45元。", "45块钱退回您的话费账户。", "三个工作日内退您45元。"), ("好。",), asked=False
        ),
        "shop": RESPONSES["branch"],
    }

    def read(reply):
        return [each.response for each in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]

    assert read("我给您把45元退回话费账户。") == ["back"]
    assert read("我给您把300元退回话费账户。") == []


@pytest.mark.parametrize(
    ("reply", "brought_up", "asked"),
    [
        ("好的，我马上把多扣的钱退给您。", ["refunded"], ()),
        ("不好意思，这个得您本人带证件去营业厅办理。", ["branch"], ()),
        ("多扣的钱退给您了。另外一共扣了您多少钱？", ["refunded"], ("amount",)),
        ("您好，请问有什么可以帮您？", [], ()),
    ],
)
def test_what_a_reply_brings_up_is_known_by_examples(reader, reply, brought_up, asked):
    reading = reader.read(Exchange("zh-CN", (), reply), SUBJECTS | RESPONSES)
    assert [each.response for each in reading.brought_up] == brought_up
    assert reading.asked == asked


def test_the_words_of_the_matter_count_and_the_form_of_the_question_does_not(reader):
    subjects = SUBJECTS | {
        "days": Subject(("请问您去几天？", "您打算待多久？"), ("去五天。",)),
        "phone": Subject(("您的手机是什么型号？", "请问您用的哪款手机？"), ("用的是旧手机，三年前买的。",)),
    }
    assert reader.read(Exchange("zh-CN", (), "请问您这次打算去几天？"), subjects).asked == ("days",)
    for courtesy in ("请问还有什么可以帮您的吗？", "您先别挂，我查一下好吗？", "我给您登记一份，您看可以吗？"):
        assert reader.read(Exchange("zh-CN", (), courtesy), subjects).asked == ()


@pytest.mark.parametrize(
    ("heard", "reply", "aims"),
    [
        ("", "您好，请问有什么可以帮您？", ["story"]),
        ("我的流量一天就没了！", "请问您是哪一天发现流量没了的？", ["fact"]),
        ("我的流量一天就没了！", "请问机主姓名和证件后四位是多少？", ["identity"]),
        ("那怎么办啊？", "我帮您把这个包退订了，可以吗？", ["offer"]),
        ("这个包多少钱？", "这个包每个月三十元，含十个G。", ["tell"]),
        ("你查一下吧。", "好的，请您稍等一下，我去查询。", ["hold"]),
        ("都弄坏我一单生意了！", "真的很抱歉，给您添了这么大的麻烦。您是哪天办的？", ["warm", "fact"]),
        ("好的，谢谢。", "请问还有其他可以帮您的吗？", ["rest"]),
        ("没有了。", "好的，再见，祝您生活愉快。", ["bye"]),
        ("", "Good morning, how can I help you today?", ["story"]),
        ("My data was gone in a day!", "When did you notice that it was gone?", ["fact"]),
        ("It's my data.", "Could I have your full name and the last four digits of your ID, please?", ["identity"]),
        ("So what can you do?", "Would you like me to cancel that pack for you?", ["offer"]),
        ("How much is it?", "The pack costs thirty a month and holds ten gigabytes.", ["tell"]),
        ("Have a look then.", "Please hold on a moment while I look into it.", ["hold"]),
        ("It lost me a customer!", "I'm really sorry about all this trouble. When did you sign up?", ["warm", "fact"]),
        ("All right.", "Is there anything else I can do for you today?", ["rest"]),
        ("No, that's it.", "Thank you for calling, goodbye.", ["bye"]),
    ],
)
def test_what_a_plain_sentence_wants_of_the_customer_is_read(reader, heard, reply, aims):
    language = "en" if reply.isascii() else "zh-CN"
    context = (Turn("customer", heard),) if heard else ()
    assert [seen.aim for seen in reader.read(Exchange(language, context, reply)).aims] == aims


def test_a_ranking_model_learnt_from_other_features_is_refused():
    with pytest.raises(Unavailable, match="other features"):
        Ranker.load(BUNDLED, FEATURES[:-1])


class Counting:
    """The bundled embedder, which counts the texts that it is given."""

    def __init__(self) -> None:
        self.embedder, self.texts = load_embedder("bundled"), 0

    def encode(self, texts):
        self.texts += len(texts)
        return self.embedder.encode(texts)


def test_once_a_persona_is_ready_a_reply_is_all_that_has_to_be_encoded():
    counting = Counting()
    reader = Reader(
        load_reader(None).encoder,
        Matcher(counting, AimModel.load()),
        load_standards(),
        AimModel.load(),
        ToneModel.load(),
    )
    reader.get_ready(SUBJECTS, "zh-CN")
    before = counting.texts
    reader.get_ready(SUBJECTS, "zh-CN")
    assert counting.texts == before
    assert reader.read(Exchange("zh-CN", (), "请问您是从哪个月开始扣的？"), SUBJECTS).asked == ("since",)
    assert counting.texts - before == 3  # as it is, without the form of a question, and as it may stand in the file


def test_what_sounds_like_a_response_and_is_written_down_as_none_brings_nothing_up(reader):
    deferred = ("我给您登记延期，可以延5天。", "延期办好了，28号交来得及。", "给您往后挪五天，不停机。")
    unlike = ("能不能延期，我得先看看您的记录。", "您是想延到28号，对吧？", "延期还没给您登上，系统有点慢。")

    def read(reply, unlike):
        subjects = SUBJECTS | {"deferred": Subject(deferred, ("太好了。",), False, unlike)}
        return [each.response for each in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]

    assert read("好的，延期给您登记好了，5天内不停机。", unlike) == ["deferred"]
    assert read("延期能不能办，我先查一下您的记录。", unlike) == []
    assert read(deferred[0], (*unlike, "我给您登记延期，可以延5天吗。")) == ["deferred"]
    assert read("我给您登记延期，可以延5天。", ("我给您登记延期，可以延5天。",)) == ["deferred"]


def test_what_is_written_down_as_a_near_miss_is_never_taken_for_the_response(reader):
    deferred = ("延期给您登记好了。", "已经给您延了五天。", "给您往后挪五天，不停机。", "好了，延期办成了。")
    subjects = SUBJECTS | {"deferred": Subject(deferred, ("太好了。",), False, ())}
    said = lambda reply: [up.response for up in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]  # noqa: E731
    miss = "给您往后挪五天，明天再停机。"
    assert said(miss) == ["deferred"]
    subjects["deferred"] = Subject(deferred, ("太好了。",), False, (miss,))
    assert not said(miss)


def test_several_things_said_in_one_sentence_are_answered_in_their_order(reader):
    free = ("开通不收钱。", "这个是免费的。", "不用您花钱。", "一分钱不要。", "开通是免费的。", "不收您任何费用。")
    works = ("一小时内生效。", "一个小时就能用。", "一小时以后就通了。", "最多一小时生效。", "过一小时就好。")
    subjects = {"free": Subject(free, ("好。",), False), "works": Subject(works, ("等得起。",), False)}
    said = lambda reply: [up.response for up in reader.read(Exchange("zh-CN", (), reply), subjects).brought_up]  # noqa: E731
    assert said("给您开好了，一小时内生效，开通是不收钱的。") == ["works", "free"]
    assert said("给您开好了，开通是不收钱的，一小时内生效。") == ["free", "works"]


@pytest.mark.parametrize(
    ("language", "kind", "hurtful"),
    [
        ("zh-CN", "您守了老人家一夜，先喝口水，后面的事我来跑。", "一把年纪了连个短信都看不懂，怪得了谁。"),
        (
            "en",
            "Don't you worry about your mum, I'm staying on the line.",
            "Perhaps if you'd bothered to read it you wouldn't be wasting my time.",
        ),
    ],
)
def test_how_a_sentence_treats_the_customer_is_read_sentence_by_sentence(reader, language, kind, hurtful):
    first, second = reader.read(Exchange(language, (), f"{kind} {hurtful}")).tones
    assert first.heart > 0.5 > -0.5 > second.heart


def test_a_question_of_the_file_asks_for_its_fact_whatever_it_sounds_like(reader):
    questions = ("您母亲要不要一起办？", "您母亲也想换一个吗？", "老太太那边要不要跟着换？", "您母亲的号打算怎么办？")
    subjects = SUBJECTS | {"mother": Subject(questions, ("她先不换。",))}
    reading = reader.read(Exchange("zh-CN", (), "您母亲要不要一起办？"), subjects)
    assert reading.asked == ("mother",)
    assert [seen.aim for seen in reading.aims] == ["fact"]


def test_two_questions_of_which_neither_is_clear_by_itself_may_be_clear_together(reader):
    questions = ("修好以后还断过吗？", "用着稳不稳，断不断？", "现在网稳当吗，还断不断？", "这几天有没有时断时续？")
    subjects = SUBJECTS | {"breaks": Subject(questions, ("晚上八点断一次。",))}
    assert reader.read(Exchange("zh-CN", (), "网到现在用着还稳当吗，有没有再断过？"), subjects).asked == ("breaks",)
