"""What all tests share: nothing reaches the network or the user's own data, and there is one browser."""

from __future__ import annotations

import os
import shutil
import tempfile

# Before any library is imported: each reads these once, on import.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
for name in [name for name in os.environ if name.startswith("ROLEPLAY_")]:
    del os.environ[name]
os.environ["ROLEPLAY_DATA"] = tempfile.mkdtemp(prefix="roleplay-tests-")

import atexit
from collections.abc import Iterator
from pathlib import Path

import pytest

from roleplay.records import Records

atexit.register(shutil.rmtree, os.environ["ROLEPLAY_DATA"], ignore_errors=True)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the browser carries its marker, so that `-m "not browser"` leaves it out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium through Playwright; a test opens its own context: `browser.new_context(locale="zh-CN")`."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium): the page is not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database of records that is not there yet."""
    return f"sqlite:///{tmp_path / 'data' / 'records.db'}"


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    """Empty records, at `url`."""
    opened = Records(url)
    yield opened
    opened.close()
