import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from roleplay.errors import Rejected, Unavailable
from roleplay.models import Sampling
from roleplay.models.making import make_model

CHAT = [{"role": "user", "content": "你好"}]


class Server(ThreadingHTTPServer):
    """An OpenAI-compatible server that answers with what the test puts into it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.delay, self.kind, self.asked = 200, b"", 0.0, "text/event-stream", []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def spec(self):
        return f"openai:http://127.0.0.1:{self.server_port}/v1#m"

    def streams(self, *pieces):
        chunks = [{"id": "1", "object": "x", "choices": [{"index": 0, "delta": {"content": text}}]} for text in pieces]
        self.body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"

    def weighs(self, tokens):
        top = [{"token": token, "logprob": weight, "bytes": None} for token, weight in tokens.items()]
        logs = {"content": [{**top[0], "top_logprobs": top}]} if top else None
        message = {"role": "assistant", "content": "3"}
        choice = {"index": 0, "finish_reason": "length", "message": message, "logprobs": logs}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        self.body, self.kind = json.dumps(answer).encode(), "application/json"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.server.delay)
        try:
            self.send_response(self.server.status)
            self.send_header("Content-Type", self.server.kind)
            self.end_headers()
            self.wfile.write(self.server.body)
        except BrokenPipeError:
            return  # the client gave up waiting, as the test wants

    def log_message(self, *_):
        return


@pytest.fixture
def server():
    running = Server()
    yield running
    running.shutdown()
    running.server_close()


def _said(model):
    return "".join(model.stream(CHAT, Sampling(max_tokens=8, seed=4, stop=("END",))))


def test_an_answer_is_streamed_without_its_thinking(server):
    server.streams("<thi", "nk>he is angry</think>", "\n我的", "话费EN", "D ignored")
    assert _said(make_model(server.spec)) == "我的话费"
    asked = server.asked[0]
    assert asked["messages"] == CHAT and asked["seed"] == 4 and asked["max_tokens"] == 8 and asked["stop"] == ["END"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>It works!</html>"),
        ("text/event-stream", b"data: {not json}\n\n"),
        ("text/event-stream", b'data: {"choices": "none"}\n\n'),
        ("text/event-stream", b'data: {"error": {"message": "model crashed"}}\n\n'),
        ("text/event-stream", b"data: [DONE]\n\n"),
    ],
)
def test_nonsense_is_told_with_the_address(server, kind, body):
    server.kind, server.body = kind, body
    with pytest.raises(Unavailable, match=f"127.0.0.1:{server.server_port}"):
        _said(make_model(server.spec))


def test_a_refused_request_is_told_with_its_status(server):
    server.status, server.body, server.kind = 404, b'{"error": {"message": "no model m"}}', "application/json"
    with pytest.raises(Unavailable, match=r"404.*no model m"):
        _said(make_model(server.spec))


def test_a_slow_server_is_told(server):
    server.delay = 0.6
    with pytest.raises(Unavailable, match="too slow"):
        _said(make_model(server.spec, timeout=0.2))


def test_a_server_that_is_down_is_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match=f"no connection.*127.0.0.1:{port}"):
        _said(make_model(f"openai:http://127.0.0.1:{port}/v1#m"))


def test_options_are_weighed_by_their_first_token(server):
    server.weighs({"3": -0.5, " 3": -2.5, "4": -1.5, "the": -4.0})
    weights = make_model(server.spec).weigh(CHAT, ["2", "3", "4"])
    assert weights[1] == pytest.approx(-0.373, abs=0.001) and weights[2] == -1.5 and weights[0] <= -4.0
    assert server.asked[0]["logprobs"] is True


def test_options_that_begin_alike_are_rejected(server):
    server.weighs({"re": -0.5})
    with pytest.raises(Rejected, match="begin alike"):
        make_model(server.spec).weigh(CHAT, ["refuse", "repeat"])


def test_a_server_without_log_probabilities_says_so(server):
    server.weighs({})
    with pytest.raises(Unavailable, match="no log-probabilities"):
        make_model(server.spec).weigh(CHAT, ["1", "2"])


def test_options_far_from_the_answer_are_not_made_up(server):
    server.weighs({"hello": -0.1})
    with pytest.raises(Unavailable, match="none of the options"):
        make_model(server.spec).weigh(CHAT, ["1", "2"])


@pytest.mark.slow
def test_a_real_server_speaks_through_the_seam(tmp_path):
    from test_models import _save

    program = Path(sys.executable).with_name("transformers")
    if not program.exists() and shutil.which("transformers") is None:
        pytest.skip("the command `transformers` is not installed")
    folder = _save(tmp_path / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(program), "serve", str(folder), "--device", "cpu", "--port", str(port)]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, env=quiet, stdout=log, stderr=log) as process,
    ):
        try:
            for _ in range(100):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/health", timeout=1)
                    break
                except httpx.HTTPError:
                    time.sleep(1)
            model = make_model(f"openai:http://127.0.0.1:{port}/v1#{folder}")
            assert _said(model), (tmp_path / "log").read_text()
            with pytest.raises(Unavailable, match="log-probabilities"):
                model.weigh(CHAT, ["1", "2"])
        finally:
            process.terminate()
