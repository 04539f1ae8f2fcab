"""Pictures of the page for the README: `make screenshots`, or `python tests/screenshots.py OUT_FOLDER`.

Plays a short call in a real browser, with the bundled models and records of its own that are thrown away.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from conftest import CHROMIUM, FLAGS
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from roleplay.build import build_room
from roleplay.settings import load_settings
from roleplay.web.page import serve

SHOWN = ".card:not([hidden])"
SCORED = """(number) => document.querySelectorAll('#feedback .reply').length === number
  && !document.querySelector('#feedback .pending')"""
CHINESE = (
    "您好，星桥移动客服0826号，很高兴为您服务，请问有什么可以帮您？",
    "平白多扣了钱，您跑车还得操心这个，换谁都生气，实在对不起。请问账单上写的是哪一项，扣了几个月了？",
    "嗯，为了保护您的资料，查账单前需要核对一下，请您说一下机主姓名和证件后四位，好吗？",
    "马先生，我查到了，系统里没有您回复“Y”的确认记录，按规定退还最近6个月已收的费用，3个工作日内退到您话费账户，业务我现在就为您退订。",
)
SHEET = {
    "holder": "马建军",
    "number": "尾号2086",
    "matter": "连续三个月每月多扣15元视频会员费",
    "promised": "3个工作日内退到话费账户",
}
ENGLISH = (
    "Good morning, Starbridge Mobile, this is Anna, how can I help you?",
    "I'm so sorry, that is a shock of a bill. Which country were you in?",
)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        settings = load_settings(data=data, port=0)
        opened: list[str] = []
        there = threading.Event()
        room = build_room(settings)
        page = threading.Thread(
            target=serve, args=(room, settings, lambda address: (opened.append(address), there.set())), daemon=True
        )
        page.start()
        there.wait(60)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        desk = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 880}).new_page()
        desk.goto(opened[0])
        desk.locator(SHOWN).first.wait_for()
        take(desk, folder / "choose.png")
        desk.locator("[data-go='?start=zh-deduction-video-pack']").click()
        desk.locator(".ringcard").wait_for()
        take(desk, folder / "ring.png")
        call(desk, "zh-deduction-video-pack", CHINESE)
        take(desk, folder / "call.png")
        desk.get_by_role("tab", name="工单").click()
        for name, written in SHEET.items():
            desk.locator(f"#sheet [name={name}]").fill(written)
        desk.locator("#sheet [name=holder]").focus()
        desk.locator("#sheet_saved .hint").wait_for()
        desk.locator("#hang_up").click()
        desk.locator(".report").wait_for()
        take(desk, folder / "report.png")
        desk.goto(f"{opened[0]}/desk/zh/?view=personas&persona=zh-deduction-video-pack")
        desk.locator(".personaform").wait_for()
        desk.locator("[data-keep=facts] summary").first.click()
        take(desk, folder / "form.png")
        phone = browser.new_context(
            locale="en-GB", viewport={"width": 390, "height": 844}, is_mobile=True, color_scheme="dark"
        ).new_page()
        phone.goto(opened[0])
        phone.locator(SHOWN).first.wait_for()
        phone.locator("[data-go='?start=en-roaming-bill']").click()
        call(phone, "en-roaming-bill", ENGLISH)
        take(phone, folder / "phone.png")
        browser.close()


def call(page: Page, persona: str, lines: tuple[str, ...]) -> None:
    page.locator(f"[data-go='start={persona}']").click()
    for number, line in enumerate(lines, 1):
        page.locator("#box textarea:enabled").fill(line)
        page.keyboard.press("Enter")
        page.wait_for_function(SCORED, arg=number)


def take(page: Page, path: Path) -> None:
    """A picture of what is in the window, in 256 colours, which these pages do not exceed by much."""
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(700)
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256)
    small.save(path, optimize=True)
    print(path, path.stat().st_size // 1024, "KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
