"""The knowledge base on a real Chroma server, started from the package: found there, shared, and never mixed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from roleplay.errors import Unavailable
from roleplay.knowledge.store import open_knowledge

ENTRIES = """entries:
- {id: lost, language: zh-CN, product: 号卡, question: 手机卡丢了怎么挂失, answer: 拨打热线免费挂失。}
- {id: refund, language: zh-CN, product: 账单, question: 多扣的费用怎么退, answer: 三个工作日内退到话费。}
- {id: limit, language: zh-CN, product: 账单, question: 客服当场能退多少, answer: 五十元以内。, audience: internal}
"""


class Letters:
    """An embedder of its own: which characters a text has. Counts how often it is asked."""

    spec, dim, fingerprint = "letters", 64, "letters"

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, texts):
        self.calls += 1
        rows = np.array([np.bincount([ord(c) % 64 for c in text], minlength=64) for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, subprocess.Popen]]:
    program = str(Path(sys.executable).with_name("chroma"))
    command = [program, "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port"]
    for port in range(18000, 18100, 7):
        with subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                if _answers(process, port):
                    yield f"http://127.0.0.1:{port}", process
                    return
            finally:
                process.kill()
    pytest.fail("no Chroma server came up")


def _answers(process: subprocess.Popen, port: int) -> bool:
    """Waits for the server; False if it gave up, as for a port that is taken."""
    import httpx

    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat", trust_env=False).is_success
        except httpx.TransportError:
            time.sleep(0.1)
    return False


def test_a_chroma_server_holds_the_knowledge_base_for_several_rooms(server, tmp_path):
    address, process = server
    path = tmp_path / "a.yaml"
    path.write_text(ENTRIES, "utf-8")
    first, second = Letters(), Letters()
    made = open_knowledge(path, tmp_path / "one", first, server=address)
    again = open_knowledge(path, tmp_path / "two", second, server=address)
    assert made.version == again.version and (first.calls, second.calls) == (1, 0)  # the second found it there
    for knowledge in (made, again):
        assert knowledge.search("卡丢了怎么挂失").hits[0].entry.id == "lost"
        assert "limit" not in {hit.entry.id for hit in knowledge.search("当场能退多少").hits}
        assert "limit" in {hit.entry.id for hit in knowledge.search("当场能退多少", audience=("internal",)).hits}
    assert not (tmp_path / "one").exists() and not (tmp_path / "two").exists()
    path.write_text(ENTRIES.replace("五十", "六十"), "utf-8")
    changed = open_knowledge(path, tmp_path / "one", Letters(), server=address)
    assert changed.version != made.version and made.search("卡丢了").hits[0].entry.id == "lost"
    process.kill()
    process.wait()
    with pytest.raises(Unavailable, match="the search in the knowledge base failed"):
        made.search("卡丢了怎么挂失")
