"""The page: in a real browser on real calls, and its handlers and addresses without one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace

import gradio as gr
import pdfplumber
import pytest
import uvicorn
from fastapi.testclient import TestClient
from made_model import make_tiny

from eval.crowd import crowd, parts, verdict
from roleplay import people
from roleplay.build import build_room
from roleplay.customer import Customer
from roleplay.errors import Rejected, Unavailable
from roleplay.events import Event
from roleplay.models.together import Batch
from roleplay.models.transformers_model import TransformersModel
from roleplay.persona import Library, load_library
from roleplay.room import Room
from roleplay.settings import Settings, load_settings
from roleplay.sheet import written
from roleplay.texts import texts
from roleplay.web import handlers, login, views
from roleplay.web.asking import COOKIE, language_of
from roleplay.web.layout import Layout
from roleplay.web.page import listen, make_app, serve
from roleplay.web.portraits import portrait

# Gradio counts its events with pandas in ways that pandas will give up.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

CHINESE = (
    "您好，星桥移动客服0826号，很高兴为您服务，请问有什么可以帮您？",
    "平白多扣了钱，您跑车还得操心这个，换谁都生气，实在对不起。请问账单上写的是哪一项，扣了几个月了？",
    "为了保护您的资料，查账单前需要核对一下，请您说一下机主姓名和证件后四位，好吗？",
)
ENGLISH = (
    "Good morning, Starbridge Mobile, this is Anna, how can I help you?",
    "I'm so sorry, that is a shock of a bill. Which country were you in?",
)
SCORED = """(number) => document.querySelectorAll('#feedback .reply').length === number
  && !document.querySelector('#feedback .pending') && !document.querySelector('#box textarea').disabled"""
TYPE_AT_ONCE = """(words) => new MutationObserver((seen, watch) => {
  const box = document.querySelector('#query textarea');
  if (!box) return;
  watch.disconnect();
  box.value = words;
  box.dispatchEvent(new Event('input', { bubbles: true }));
}).observe(document.body, { childList: true, subtree: true })"""
UNLABELLED = """() => [...document.querySelectorAll('button, a, input, textarea, select')].filter((part) =>
  part.checkVisibility() && !part.innerText?.trim() && !part.getAttribute('aria-label') && !part.title && !part.labels?.length
).map((part) => part.outerHTML.slice(0, 200))"""

# On a phone the window itself grows with what is too wide for it, so the screen's width is what counts.
TOO_WIDE = """() => [...document.querySelectorAll('button, a, input, textarea, h1, h2, h3, p, li, .panel, .card')].filter(
  (part) => !part.matches('[role=tablist] ~ * *, .visually-hidden *') // where gradio measures its tabs
    && part.checkVisibility({ visibilityProperty: true }) && part.getBoundingClientRect().right > screen.width + 1
).map((part) => part.outerHTML.slice(0, 200))"""


class FailingModel:
    spec, fingerprint, writes = "failing", "failing", True

    def stream(self, messages, sampling):
        raise Unavailable("the model", "it went away", "Start it again")

    weigh = stream


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(data=str(tmp_path_factory.mktemp("page")), port=0)


@pytest.fixture(scope="module")
def room(settings: Settings) -> Iterator[Room]:
    made = build_room(settings)
    yield made
    made.records.close()


@contextmanager
def served(room: Room, settings: Settings) -> Iterator[str]:
    """The page on a free port, as `serve` has it, with a way to stop it."""
    listening = listen(settings.host, 0)
    server = uvicorn.Server(uvicorn.Config(make_app(room, settings), log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def site(room: Room, settings: Settings) -> Iterator[str]:
    with served(room, settings) as address:
        yield address


class Seen:
    """A browser window, and everything in it that should not happen."""

    def __init__(self, browser, site: str, locale: str, **more) -> None:
        self.context = browser.new_context(locale=locale, **more)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url, site))
        self.page.goto(site)
        self.page.locator(".card:not([hidden])").first.wait_for()

    def _asked(self, url: str, site: str) -> None:
        if not url.startswith((site, "data:", "blob:")):
            self.wrong.append(f"asked for {url}")

    @property
    def box(self):
        return self.page.locator("#box textarea")

    def start(self, persona: str, how: str = "start") -> str:
        self.page.locator(f"[data-go='?start={persona}']").click()
        self.page.locator(f"[data-go='{how}={persona}']").click()
        self.page.wait_for_url("**/?call=*")
        self.box.wait_for()
        return self.page.url.rpartition("=")[2]

    def say(self, *lines: str) -> None:
        for line in lines:
            number = self.page.locator("#feedback .reply").count() + 1
            self.box.fill(line)
            self.box.press("Enter")
            self.page.wait_for_function(SCORED, arg=number)

    def too_wide(self) -> list[str]:
        return self.page.evaluate(TOO_WIDE)

    def close(self) -> None:
        self.context.close()
        assert self.wrong == []


def test_a_chinese_call_is_had_reloaded_and_reported(browser, site, room):
    seen = Seen(browser, site, "zh-CN", viewport={"width": 1280, "height": 860})
    page = seen.page
    assert page.locator(".bar").get_attribute("lang") == "zh-CN"
    call_id = seen.start("zh-deduction-video-pack")
    seen.say(CHINESE[0])
    # A quick machine plays both turns within the first second, when both clocks would show 0:00.
    page.wait_for_function("document.querySelector('#head .time').textContent >= '0:03'")
    seen.say(CHINESE[1])
    assert room.call(call_id).exchanges[1].reply.text == CHINESE[1]
    page.wait_for_timeout(600)
    whole, answer = page.locator("#head .time").all_inner_texts()
    assert answer < whole, "the clock of the reply begins anew when the customer has spoken"
    page.reload()
    seen.box.wait_for()
    page.get_by_text(CHINESE[1]).first.wait_for()
    assert page.locator("#send").inner_text() == "发送"
    page.get_by_role("tab", name="客户资料").click()
    assert page.locator("#screen .locked").is_visible()
    seen.say(CHINESE[2])
    assert room.call(call_id).state.verified
    assert "马建军" in page.locator("#screen").inner_text()
    page.get_by_role("tab", name="知识库").click()
    page.locator("#query input, #query textarea").fill("视频会员怎么退订")
    page.locator("#query input, #query textarea").press("Enter")
    page.locator(".hits li").first.wait_for()
    page.get_by_role("tab", name="工单").click()
    page.locator("#sheet [name=holder]").fill("马建军")
    page.locator("#sheet [name=matter]").fill("每月多扣18元")
    page.locator("#sheet [name=notes]").fill("要退钱")
    page.locator("#sheet [name=holder]").focus()
    page.get_by_text("✓ 已保存").wait_for()  # of any field that was left; the last is on its way
    until = time.monotonic() + 20
    while written(room.call(call_id)).get("notes") != "要退钱" and time.monotonic() < until:
        page.wait_for_timeout(50)
    page.reload()
    page.get_by_role("tab", name="工单").click()
    page.wait_for_function("document.querySelector('#sheet [name=notes]')?.value === '要退钱'")
    page.locator("#hang_up").click()
    page.locator(".report").wait_for()
    assert "对得上" in page.locator(".sheet-report tr", has_text="机主").inner_text()
    assert "没有人说过" in page.locator(".sheet-report tr", has_text="18元").inner_text()
    assert page.url.endswith(f"?report={call_id}")
    page.reload()
    page.locator(".report").wait_for()
    assert set(room.grades(call_id)) == {1, 2, 3}
    assert page.locator(".transcript > li").count() == 3
    page.locator(".contents [href='#replies']").click()
    assert page.evaluate("scrollY") > 500 and page.url.endswith(f"?report={call_id}"), "one jumps within the report"
    page.locator("[data-theme]").click()
    with pdfplumber.open(BytesIO(page.pdf())) as paper:
        assert "评分模型" in "".join(sheet.extract_text() for sheet in paper.pages), "paper ends where the report does"
    assert page.evaluate("document.body.classList.contains('dark')"), "only paper is always light"
    with page.expect_download() as download:
        page.get_by_text("下载网页").first.click()
    assert download.value.suggested_filename.endswith(".html")
    assert page.evaluate(UNLABELLED) == []
    page.locator(".brand").click()
    page.locator(".card .best.good, .card .best.low").first.wait_for()
    seen.close()


def test_what_is_typed_into_the_search_box_as_it_opens_stays_there(browser, site, room):
    seen = Seen(browser, site, "zh-CN", viewport={"width": 1280, "height": 860})
    seen.start("zh-deduction-video-pack")
    seen.page.evaluate(TYPE_AT_ONCE, "视频会员怎么退订")
    seen.page.get_by_role("tab", name="知识库").click()
    query = seen.page.locator("#query input, #query textarea")
    query.wait_for()
    seen.page.wait_for_timeout(500)
    assert query.input_value() == "视频会员怎么退订"
    seen.close()


def test_the_ring_is_measured_through_a_reload_and_begins_anew_with_another_card(browser, site, room):
    seen = Seen(browser, site, "zh-CN", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page, taken = seen.page, "[data-go='start=zh-deduction-video-pack']"
    page.locator("[data-go='?start=zh-deduction-video-pack']").click()
    page.locator(taken).wait_for()
    clock = page.locator(".rung [role=timer][aria-live=off]")  # quiet: a screen reader reads it when asked
    page.wait_for_function("document.querySelector('.rung b').textContent === '0:03'")
    assert "20秒内接听" in page.locator(".rung").inner_text() and seen.too_wide() == []
    page.reload()
    page.locator(taken).wait_for()
    page.wait_for_timeout(500)
    assert clock.inner_text() >= "0:03"
    page.evaluate("sessionStorage.setItem('rung', `zh-deduction-video-pack ${Date.now() - 25000}`)")
    page.locator(".rung.late").get_by_text("超过20秒了").wait_for()
    assert "20秒内接听" not in page.locator(".rung").inner_text() and seen.too_wide() == []
    page.locator(taken).click()
    page.wait_for_url("**/?call=*")
    assert 25 <= room.call(page.url.rpartition("=")[2]).rung < 60
    page.locator(".brand").click()
    again = room.call(seen.start("zh-deduction-video-pack")).rung
    assert again is None or again < 3
    seen.close()


def test_an_english_call_on_a_phone_fits_the_screen(browser, site, room):
    seen = Seen(browser, site, "en-GB", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    assert seen.page.locator(".bar").get_attribute("lang") == "en"
    assert seen.too_wide() == []
    call_id = seen.start("en-roaming-bill")
    seen.say(*ENGLISH)
    seen.page.locator(".transfer summary").click()
    assert seen.too_wide() == []
    assert seen.page.evaluate(UNLABELLED) == []
    seen.page.locator(".transfer summary").click()
    seen.page.locator("#hang_up").click()
    seen.page.locator(".report").wait_for()
    assert seen.too_wide() == []
    assert room.call(call_id).ending is not None
    seen.page.get_by_text("My progress").click()
    seen.page.locator(".past li").first.wait_for()
    assert seen.too_wide() == []
    seen.close()


def test_a_reply_is_tried_again_and_both_answers_stand_side_by_side(browser, site, room):
    seen = Seen(browser, site, "zh-CN")
    page = seen.page
    first = seen.start("zh-deduction-video-pack")
    seen.say(CHINESE[0], "你自己点的，怪谁啊？")
    page.locator("[data-go='act=hint']").click()
    page.locator(".hintcard").first.wait_for()
    page.locator("[data-go='act=hold']").click()
    page.locator(".notice.away").wait_for()
    assert page.locator("#box textarea").is_disabled()
    page.reload()
    page.locator(".notice.away [data-go='act=back']").click()
    page.locator("#box textarea:enabled").wait_for()
    page.locator("#hang_up").click()
    page.locator(f"[data-go='retry={first}:2']").last.click()
    page.locator(".aside.now").wait_for()
    again = page.url.rpartition("=")[2]
    assert room.call(again).retried == (first, 2)
    seen.say(CHINESE[1])
    page.locator("#hang_up").click()
    page.locator(".compare .side").nth(1).wait_for()
    before, now = page.locator(".compare .side").all_inner_texts()
    assert "怪谁" in before and CHINESE[1] in now
    seen.close()


def test_cards_are_filtered_and_the_language_is_switched_in_the_middle_of_a_call(browser, site, room):
    seen = Seen(browser, site, "zh-CN")
    page, cards = seen.page, seen.page.locator(".card:not([hidden])")
    page.locator("[name=text]").fill("货车 视频")
    assert cards.count() == 1
    page.reload()
    cards.first.wait_for()
    assert cards.count() == 1 and page.locator("[name=text]").input_value() == "货车 视频"
    page.locator("[name=dialect]").select_option("cantonese")
    assert "没有符合条件" in page.locator(".count").inner_text()
    page.locator("[name=text]").fill("")
    assert {card.get_attribute("data-dialect") for card in cards.all()} == {"cantonese"}
    page.locator("[data-surprise]").click()
    page.locator(".ringcard").wait_for()
    page.locator("[data-go^='start=']").click()
    page.wait_for_url("**/?call=*")
    page.locator("button[data-language=en]").click()
    page.locator("#send", has_text="Send").wait_for()
    assert "Scores after each reply" in page.locator("#coach").inner_text()
    assert "?call=" in page.url
    seen.close()


def test_an_error_is_shown_and_the_words_stay_in_the_box(browser, site, room, monkeypatch):
    seen = Seen(browser, site, "zh-CN")
    call_id = seen.start("zh-deduction-video-pack")
    with monkeypatch.context() as patched:
        patched.setattr(room, "customer", Customer(FailingModel()))
        seen.box.fill(CHINESE[0])
        seen.box.press("Enter")
        seen.page.locator("#banner .error").wait_for()
    assert seen.box.input_value() == CHINESE[0]
    assert room.call(call_id).exchanges == ()
    seen.page.locator("#send:enabled").click()
    seen.page.wait_for_function(SCORED, arg=1)
    assert seen.box.input_value() == ""
    seen.close()


def test_what_was_written_outlives_a_reload(browser, site):
    seen = Seen(browser, site, "zh-CN")
    seen.start("zh-deduction-video-pack")
    seen.page.wait_for_timeout(700)
    seen.box.fill("还没说完")
    seen.page.wait_for_timeout(700)
    seen.page.reload()
    seen.page.wait_for_function("document.querySelector('#box textarea')?.value === '还没说完'")
    seen.close()


def test_whoever_looks_something_up_while_the_customer_speaks_goes_on_typing_there(browser, site):
    seen = Seen(browser, site, "zh-CN", viewport={"width": 1280, "height": 860})
    seen.start("zh-deduction-video-pack")
    query = seen.page.locator("#query input, #query textarea")
    seen.page.get_by_role("tab", name="知识库").click()
    query.wait_for()
    seen.box.fill(CHINESE[0])
    seen.box.press("Enter")
    query.focus()
    seen.page.wait_for_function(SCORED, arg=1)
    seen.page.wait_for_timeout(300)
    seen.page.keyboard.type("视频会员怎么退订")
    seen.page.keyboard.press("Enter")
    seen.page.locator(".hits li").first.wait_for()
    assert (query.input_value(), seen.box.input_value()) == ("视频会员怎么退订", "")
    seen.close()


def test_words_are_never_taken_for_markup(browser, site):
    seen = Seen(browser, site, "zh-CN")
    seen.start("zh-deduction-video-pack")
    seen.say(
        "<b>您好</b><img src='http://elsewhere.example/a.png'><script>alert(1)</script>，请讲 <img src=x onerror=alert(1)"
    )
    said = seen.page.locator("#chat").inner_text()
    assert "您好，请讲 <img src=x" in said and "elsewhere" not in said and "<b>" not in said
    assert seen.page.locator("#chat img").count() == 0
    seen.close()


# Without a browser

ZH = "zh-CN"


def asking(user: str = "", where: str = "") -> SimpleNamespace:
    return SimpleNamespace(username=user or None, query_params=where, headers={"accept-language": "zh"})


def pressed(where: str, **form: str) -> SimpleNamespace:
    return SimpleNamespace(go=where, form=form)


@pytest.fixture(scope="module")
def page(room: Room) -> handlers.Handlers:
    with gr.Blocks():
        return handlers.Handlers(room, Layout())


def test_nobody_gets_at_the_call_of_another(page, room):
    call = room.open("zh-deduction-video-pack", seed=1, trainee="anna")
    list(room.say(call.id, CHINESE[0]))
    ben = asking("ben")
    on, talk, kept = page.on, page.talk, room.call(call.id)
    acts = [pressed(f"act={kind}", to="主管", briefing="急") for kind in ("hold", "hint", "transfer")]
    links = [pressed(f"{name}={call.id}{rest}", why="不对") for name, rest in (
        ("?report", ""), ("?call", ""), ("retry", ":1"), ("review", ":1"))]  # fmt: skip
    for updates in (
        list(talk.say(ZH, "您好", call.id, True, ben))[-1],
        list(page.hang_up(ZH, call.id, ben))[-1],
        talk.grade(ZH, 1, call.id, True, ben),
        talk.show_feedback(ZH, call.id, True, ben),
        talk.search(ZH, "套餐", call.id, ben),
        *(list(page.go(ZH, call.id, True, event, ben))[-1] for event in (*acts, *links)),
        page.load(asking("ben", f"call={call.id}")),
    ):
        shown = "".join(str(value) for value in updates.values())
        assert "不是您的" in shown or "没有接上话" in shown
        assert CHINESE[0] not in shown
    assert room.call(call.id) == kept
    assert room.grades(call.id) == {}
    assert CHINESE[0] in str(page.load(asking("anna", f"call={call.id}"))[on.chat])


def test_a_reply_left_without_a_score_gets_one_when_the_call_is_opened_again(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    list(room.say(call.id, CHINESE[0]))
    shown = page.load(asking(where=f"call={call.id}"))
    assert "正在评分" in shown[page.on.feedback]
    graded = page.talk.grade(ZH, shown[page.on.to_grade], call.id, True, asking())
    assert "正在评分" not in graded[page.on.feedback]
    assert page.load(asking(where=f"call={call.id}"))[page.on.to_grade] == 0


def test_a_link_rings_and_does_not_start_a_call(page, room):
    before = len(room.records.calls(trainee="link"))
    shown = page.load(asking("link", "start=zh-deduction-video-pack"))
    assert len(room.records.calls(trainee="link")) == before
    assert "3:10" in shown[page.on.ring] and "增值业务扣费" in shown[page.on.ring]
    assert 'name="rung"' in shown[page.on.ring]
    assert 'name="rung"' not in page.load(asking("link", "start=zh-outbound-plan-upgrade"))[page.on.ring], "one dials"


@pytest.mark.parametrize(("told", "kept"), [
    ({"rung": "7.4"}, 7.4), ({"rung": "0.0"}, 0.0), ({}, None), ({"rung": ""}, None), ({"rung": "-1"}, None),
    ({"rung": "nan"}, None), ({"rung": "inf"}, None), ({"rung": "soon"}, None),
])  # fmt: skip
def test_how_long_it_rang_is_kept_where_it_was_measured(page, room, told, kept):
    (taken,) = page.go(ZH, "", True, pressed("start=zh-deduction-video-pack", **told), asking("link"))
    call = room.call(taken[page.on.call_id])
    assert call.rung == kept
    list(room.say(call.id, CHINESE[0]))
    assert room.retry(call.id, 1, "link").rung is None, "what is tried again did not ring"


def test_empty_and_overlong_replies_are_answered_on_the_page(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    for text, answer in (("  \n", "先写一句"), ("啊" * 2001, "2001")):
        (update,) = page.talk.say(ZH, text, call.id, True, asking())
        assert answer in update[page.on.banner]
        assert page.on.box not in update


def test_silence_leaves_the_box_alone(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    last = list(page.talk.say_nothing(ZH, call.id, True, asking()))[-1]
    assert "value" not in last[page.on.box]
    assert room.call(call.id).exchanges[0].reply.text == "……"


def test_scores_can_wait_until_the_end(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    last = list(page.talk.say(ZH, CHINESE[0], call.id, False, asking()))[-1]
    graded = page.talk.grade(ZH, last[page.on.to_grade], call.id, False, asking())
    assert "报告" in graded[page.on.feedback]
    assert "共情" not in graded[page.on.feedback] + graded[page.on.chat]
    assert 1 in room.grades(call.id)


def test_an_exam_shows_no_scores_whatever_the_browser_asks_for(page, room):
    (shown,) = page.go(ZH, "", True, pressed("exam=zh-deduction-video-pack"), asking())
    call_id = shown[page.on.call_id]
    assert room.call(call_id).is_exam
    assert "act=hint" not in shown[page.on.controls] and "act=pause" not in shown[page.on.controls]
    list(page.talk.say(ZH, CHINESE[0], call_id, True, asking()))
    graded = page.talk.grade(ZH, 1, call_id, True, asking())
    assert "共情" not in graded[page.on.feedback] + graded[page.on.chat]
    (hinted,) = page.go(ZH, call_id, True, pressed("act=hint"), asking())
    assert page.on.hints not in hinted


def test_a_reply_is_not_sent_to_a_customer_who_is_on_hold(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    (held,) = page.go(ZH, call.id, True, pressed("act=hold"), asking())
    assert "等候音" in held[page.on.banner]
    assert held[page.on.box]["interactive"] is False
    (update,) = page.talk.say(ZH, CHINESE[0], call.id, True, asking())
    assert "等候音" in update[page.on.banner]
    assert "等候音" in page.load(asking(where=f"call={call.id}"))[page.on.banner]
    assert room.call(call.id).exchanges == ()


def test_a_wait_without_a_word_is_minded_by_whoever_pressed_hold(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    list(room.say(call.id, CHINESE[0]))
    back = datetime.now(UTC)
    room.records.events.keep(call.id, Event("hold", 1, {}, back - timedelta(seconds=200)))
    assert 'data-limit="30"' in page.load(asking(where=f"call={call.id}"))[page.on.banner]
    room.records.events.keep(call.id, Event("back", 1, {}, back))
    list(room.say(call.id, CHINESE[1]))
    minded = room.call(call.id).exchanges[1]
    assert "held_too_long" in {cause.why for cause in minded.before.causes} and minded.directive.first == "was_left"
    assert "等得太久" in page.load(asking(where=f"call={call.id}"))[page.on.mood]


def test_a_draft_that_is_tried_is_played_and_counts_for_nothing(page, room):
    draft = room.library().get("zh-deduction-video-pack").model_copy(update={"id": "zh-draft", "title": "还是草稿"})
    call = room.try_draft(draft, seed=1, trainee="tina")
    assert "还是草稿" in page.load(asking("tina", f"call={call.id}"))[page.on.head]
    list(room.say(call.id, CHINESE[0]))
    room.finish(call.id)
    assert room.records.calls(trainee="tina") == [] and page.results.find("tina") == []
    assert "还是草稿" in page.load(asking("tina", f"report={call.id}"))[page.on.report]


def test_markup_is_taken_off_and_what_is_nothing_else_is_refused(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    list(page.talk.say(ZH, "<p>您好，<b>请讲</b></p><script>x</script> 3<5", call.id, True, asking()))
    assert room.call(call.id).exchanges[0].reply.text == "您好，请讲  3<5"
    last = list(page.talk.say(ZH, "<br><img src=x>", call.id, True, asking()))[-1]
    assert "只有标记" in last[page.on.banner] and len(room.call(call.id).exchanges) == 1


def test_the_window_that_lost_is_told_and_shows_the_call_as_it_stands(page, room, monkeypatch):
    call = room.open("zh-deduction-video-pack", seed=1)
    elsewhere = Rejected("this call went on elsewhere: this reply was not counted; shown is how the call stands now, "
                         "and your words are still in the box")  # fmt: skip

    def lost(*_):
        raise elsewhere

    list(room.say(call.id, CHINESE[0]))
    monkeypatch.setattr(room, "say", lost)
    last = list(page.talk.say(ZH, "您好", call.id, True, asking()))[-1]
    assert "另一个窗口" in last[page.on.banner] and CHINESE[0] in last[page.on.chat]
    assert page.on.box not in last or "value" not in last[page.on.box]


def test_hints_go_from_a_nudge_to_an_example(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    list(room.say(call.id, CHINESE[0]))
    shown = [next(page.go(ZH, call.id, True, pressed("act=hint"), asking()))[page.on.hints] for _ in range(6)]
    assert shown[0].count("hintcard") == 1 < shown[1].count("hintcard")
    assert "都在这里了" in shown[-1]
    assert sum(event.kind == "hint" for event in room.call(call.id).events) == shown[-1].count("hintcard")


def test_a_person_can_be_asked_to_look_at_a_grade(page, room):
    call = room.open("zh-deduction-video-pack", seed=1)
    list(room.say(call.id, CHINESE[0]))
    room.finish(call.id)
    (asked,) = page.go(ZH, "", True, pressed(f"review={call.id}:1", why="<b>已经问候了"), asking())
    assert "&lt;b&gt;已经问候了" in asked[page.on.report]
    (wrong,) = page.go(ZH, "", True, pressed(f"review={call.id}:7", why="x"), asking())
    assert page.on.report not in wrong


def test_what_a_trainer_assigned_stands_first_and_an_exam_needs_an_assignment(page, room):
    now = datetime.now(UTC)
    room.records.people.add("dora", "trainee", "a fourth password")
    room.records.cohorts.add("autumn")
    room.records.cohorts.enrol("autumn", ["dora"])
    (refused,) = page.go(ZH, "", True, pressed("exam=zh-roaming-bill-shock"), asking("dora"))
    assert page.on.call_id not in refused
    assert "exam=" not in page.load(asking("dora", "start=zh-roaming-bill-shock"))[page.on.ring]
    opens, due = now - timedelta(hours=1), now + timedelta(hours=1)
    room.records.cohorts.assign("autumn", "zh-roaming-bill-shock", "exam", opens, due, attempts=1)
    shown = page.load(asking("dora"))[page.on.pick]
    assert "布置给您的" in shown and "还可以打 1 次" in shown
    (sat,) = page.go(ZH, "", True, pressed("exam=zh-roaming-bill-shock"), asking("dora"))
    sitting = sat[page.on.call_id]
    assert room.call(sitting).is_exam and "结束后的报告里" in sat[page.on.feedback]
    shown = page.load(asking("dora"))[page.on.pick]
    assert "最后一次正在进行" in shown and "还可以打 0 次" not in shown
    assert f'data-go="?call={sitting}"' in shown.partition("最后一次正在进行")[2].partition("</li>")[0]
    list(room.say(sitting, CHINESE[1]))
    assert "考试中不说明原因" in page.load(asking("dora", f"call={sitting}"))[page.on.mood]
    room.grade(sitting, 1)
    room.finish(sitting)
    assert "在班里第" not in page.load(asking("dora", "view=progress"))[page.on.progress]
    room.records.cohorts.change("autumn", plan="", compare=True)
    assert "在班里第 1，共 1 人" in page.load(asking("dora", "view=progress"))[page.on.progress]


def test_the_language_is_the_chosen_one_else_the_browsers():
    assert language_of({"accept-language": "en-GB,zh;q=0.8"}) == "en"
    assert language_of({"accept-language": "zh-TW"}) == "zh-CN"
    assert language_of({"accept-language": "zh", "cookie": f"a=b; {COOKIE}=en"}) == "en"
    assert language_of({"cookie": f"{COOKIE}=klingon"}) == "en"
    assert language_of({"accept-language": "zh"}, ("en",)) == "en"


def test_a_wrong_persona_file_is_named_beside_the_others(room, tmp_path):
    (tmp_path / "broken.yaml").write_text("id: broken\ntitle: [<b>", encoding="utf-8")
    library = load_library([tmp_path])
    shown = views.pick(Library(room.library().personas, {}, library.faults), {}, (), (), "en")
    assert "broken.yaml" in shown and "roleplay check" in shown
    assert "<b>" not in shown.partition("filters")[0].replace("<b>Customer", "")
    assert shown.count('class="card"') == len(room.library().personas)


def test_the_same_persona_always_looks_the_same(room):
    personas = list(room.library().personas.values())
    assert [portrait(persona) for persona in personas] == [portrait(persona) for persona in personas]
    assert len({str(portrait(persona)) for persona in personas}) > len(personas) / 2


def test_both_languages_say_the_same_things():
    def keys(part: object, place: str = "") -> set[str]:
        if not isinstance(part, dict):
            return {place}
        return {key for name, value in part.items() for key in keys(value, f"{place}.{name}")}

    assert keys(texts("zh-CN")) == keys(texts("en"))


def test_a_port_in_use_is_said_with_what_to_do(room, settings):
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    with pytest.raises(Unavailable, match=f"port {port} is in use") as caught:
        serve(room, settings.model_copy(update={"port": port}), print)
    assert f"--port {port + 1}" in caught.value.remedy
    listening.close()


def test_only_this_machine_is_answered_without_a_login(room, settings):
    with TestClient(make_app(room, settings), base_url="http://127.0.0.1") as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert (
            client.get("/", headers={"Accept-Language": "en"}, follow_redirects=False).headers["location"]
            == "/practice/"
        )
        assert client.get("/practice/").status_code == 200
        assert client.get("/practice/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_the_network_needs_a_login_that_cannot_be_guessed(room, settings, tmp_path):
    opened = settings.model_copy(update={"host": "0.0.0.0", "data": tmp_path})
    room.records.people.add("anna", "trainee", "a long password")
    room.records.people.add("ben", "trainee", "another password")
    call = room.open("zh-deduction-video-pack", seed=1, trainee="anna")
    app = make_app(room, opened)
    with TestClient(app, base_url="http://192.0.2.1", follow_redirects=False) as client:
        assert client.get("/practice/").headers["location"] == "/login"
        assert client.get("/practice/config").status_code == 401
        assert client.get(f"/report/{call.id}.md").status_code == 401
        assert client.post("/login", data={"name": "anna", "password": "wrong"}).status_code == 401
        assert client.post("/login", data={"name": "anna", "password": "a long password"}).status_code == 303
        assert client.get("/practice/").status_code == 200
        assert client.get(f"/report/{call.id}.md").status_code == 200
        assert client.get("/logout").status_code == 303
        assert client.get("/practice/").status_code == 303
        client.post("/login", data={"name": "ben", "password": "another password"})
        assert client.get(f"/report/{call.id}.md").status_code == 404
        room.records.people.remove("ben")
        assert client.get("/practice/").status_code == 303
        for _ in range(people.TRIES):
            client.post("/login", data={"name": "anna", "password": "guess"})
        assert client.post("/login", data={"name": "anna", "password": "a long password"}).status_code == 429


def test_the_language_is_switched_where_one_logs_in(browser, room, settings, tmp_path):
    opened = settings.model_copy(update={"host": "0.0.0.0", "data": tmp_path})
    with served(room, opened) as site:
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{site}/practice/")
        page.get_by_label("User name").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Enter").click()
        page.get_by_role("alert").wait_for()
        page.get_by_role("button", name="中文").click()
        page.get_by_label("用户名").wait_for()
        assert page.locator("html").get_attribute("lang") == "zh-CN" and page.url.endswith("/login")
        context.close()
    one = opened.model_copy(update={"language": "en"})
    with TestClient(make_app(room, one), base_url="http://192.0.2.1") as client:
        assert "中文" not in client.get("/login").text, "there is no other one"


def test_a_forged_or_old_cookie_is_nobody(room, monkeypatch):
    room.records.people.add("carla", "trainee", "a third password")
    carla = room.records.people.user("carla")
    logins = login.Logins(room.records.people, b"key")
    cookie = logins.cookie(carla)
    assert logins.user(cookie) == "carla"
    other = login.Logins(room.records.people, b"other").cookie(carla)
    for forged in (None, "", "a.b.c", "..", "x.1.y", cookie[:-1], other):
        assert logins.user(forged) is None
    room.records.people.set_password("carla", "a newer password")
    assert logins.user(cookie) is None
    cookie = logins.cookie(room.records.people.user("carla"))
    assert logins.user(cookie) == "carla"
    monkeypatch.setattr(time, "time", lambda now=time.time(): now + login.HOURS * 3600 + 1)
    assert logins.user(cookie) is None


def test_people_at_once_lose_nothing_and_hear_their_own_customer(site, room):
    """Each has a browser's part over HTTP, in two languages; alone, every customer would say the same."""
    done = crowd(site, parts(4, 2, 0.2, 3, list(room.library().personas.values())))
    assert [each.fault for each in done] == [""] * 4
    found = verdict(room.records, done, room)
    assert (found.sent, found.lost, found.mixed) == (8, 0, 0)
    done[0].call_id, done[2].call_id = done[2].call_id, done[0].call_id  # as it would be if two calls were mixed up
    assert verdict(room.records, done[:3], room).mixed == 2


@pytest.mark.slow
def test_a_model_that_writes_answers_people_at_once_as_it_does_alone(site, room, monkeypatch, tmp_path):
    alone, at_once = (TransformersModel(str(make_tiny(tmp_path / name)), writes=True) for name in ("a", "b"))
    rows: list[int] = []
    step = Batch.step
    monkeypatch.setattr(
        Batch, "step", lambda batch: (rows.append(len(batch.answers)), time.sleep(0.002), step(batch))[2]
    )
    monkeypatch.setattr(room, "customer", Customer(at_once))
    done = crowd(site, parts(4, 1, 0.1, 3, list(room.library().personas.values())))
    monkeypatch.setattr(room, "customer", Customer(alone))
    found = verdict(room.records, done, room)
    assert [each.fault for each in done] == [""] * 4
    assert (found.sent, found.lost, found.mixed) == (4, 0, 0)
    assert max(rows) > 1
