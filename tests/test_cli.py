"""The commands, as a newcomer types them: what they print, their exit status, and what they say of bad input."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roleplay.cli import app

ROOT = Path(__file__).parent.parent
PERSONA = ROOT / "personas" / "zh" / "deduction-video-pack.yaml"


def run(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    return Path(shutil.copy(PERSONA, tmp_path))


def test_the_command_also_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "roleplay", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "check" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "chat",
        "call",
        "check",
        "index",
        "search",
        "doctor",
        "models",
        "grade",
        "calibrate",
        "export",
        "user",
        "kb",
    ],
)
def test_every_command_explains_itself(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.split()) > 15


def test_a_whole_call_runs_from_a_file_of_lines(tmp_path):
    script = tmp_path / "lines.txt"
    script.write_text("您好，星桥移动客服，请问有什么可以帮您？\n您别着急，请问扣了几个月了？\n", encoding="utf-8")
    result = run("call", "zh-deduction-video-pack", "--script", script, "--seed", 1, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["persona"] == "zh-deduction-video-pack"
    assert [turn["number"] for turn in report["turns"]] == [1, 2]
    assert set(report["turns"][0]["grade"]["scores"]) == {"empathy", "accuracy", "phrasing"}


def test_a_call_can_be_had_in_the_terminal():
    result = run("chat", "en-visitor-sim", stdin="Good morning, Starbridge Mobile, how can I help you?\n\n")
    assert result.exit_code == 0, result.output
    assert "anger" in result.output
    assert "Report" in result.output


def test_the_doctor_says_what_is_wrong_with_the_settings(monkeypatch):
    monkeypatch.setenv("ROLEPLAY_PORT", "abc")
    result = run("doctor")
    assert result.exit_code == 1
    assert "wrong settings: ROLEPLAY_PORT" in result.output
    assert isinstance(result.exception, SystemExit)  # told, not thrown


def test_chat_without_a_persona_lists_them():
    result = run("chat")
    assert "zh-deduction-video-pack" in result.output


def test_the_knowledge_base_is_searched():
    result = run("search", "漫游怎么开通", "--json")
    assert json.loads(result.stdout)["hits"][0]["id"] == "roam-activate"


def test_a_persona_that_can_be_published_is_checked_without_complaint(persona):
    result = run("check", persona)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("difficulty: 3", "difficulty: 9", "line 5: difficulty"),
        ("summary:", "sumary:", "sumary"),
        ("name: 马建军", "name: [1, 2]", "who.name"),
        ("{told: vas-lock}", "{told: no-such-entry}", "no-such-entry"),
        ("tells: [amount]", "tells: [nothing]", "nothing"),
        ("language: zh-CN", "language: zh-CN\nlanguage: en", "language"),
        ("who:", "who: &anchor", "anchor"),
        ("  direction: inbound", "  direction: [inbound", "line"),
        ("goals:", "goalz:", "goalz"),
    ],
)
def test_a_wrong_persona_file_is_told_by_path_line_and_field(persona, old, new, told):
    text = persona.read_text(encoding="utf-8")
    assert old in text
    persona.write_text(text.replace(old, new, 1), encoding="utf-8")
    result = run("check", persona)
    assert result.exit_code == 3
    assert str(persona) in result.output
    assert told in result.output
    assert "Traceback" not in result.output


def test_an_unsolvable_persona_does_not_pass(persona):
    text = persona.read_text(encoding="utf-8")
    start, end = text.index("      met_by:\n        any:\n          - {told: vas-refund}"), text.index("    - id: stop")
    persona.write_text(text[:start] + '      met_by: {turn: ">=40"}\n' + text[end:], encoding="utf-8")
    result = run("check", persona)
    assert result.exit_code == 3
    assert "refund" in result.output


def test_a_file_of_ten_megabytes_is_refused(persona):
    persona.write_text("a: " + "x" * 10_000_000, encoding="utf-8")
    result = run("check", persona)
    assert result.exit_code == 3
    assert "10,000,003 bytes" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("call", "nobody", "--script", "SCRIPT"), "no persona 'nobody'"),
        (("call", "zh-deduction-video-pack", "--script", "missing.txt"), "missing.txt"),
        (("call", "zh-deduction-video-pack", "--script", "SCRIPT", "--model", "nonsense"), "nonsense"),
        (("call", "zh-deduction-video-pack", "--script", "SCRIPT", "--model", "hf:./no/such/folder"), "no/such/folder"),
        (
            ("call", "zh-deduction-video-pack", "--script", "SCRIPT", "--model", "openai:http://127.0.0.1:9/v1#m"),
            "127.0.0.1:9",
        ),
        (("grade", "missing.jsonl"), "missing.jsonl"),
        (("export", "/no/such/folder/calls.jsonl"), "/no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_one_clear_message_and_exit_status_1(tmp_path, arguments, told):
    script = tmp_path / "lines.txt"
    script.write_text("您好。\n", encoding="utf-8")
    result = run(*(script if argument == "SCRIPT" else argument for argument in arguments))
    assert result.exit_code == 1, result.output
    assert told in result.output
    assert "Traceback" not in result.output


def test_replies_of_a_file_are_graded(tmp_path):
    row = {
        "id": "r-1", "language": "zh-CN", "stage": "solving",
        "context": [{"role": "customer", "content": "日包多少钱一天？"}],
        "evidence": ["日本随行日包28元/天，含1GB。"],
        "reply": "您好，日本随行日包是38元一天。",
        "scores": {"empathy": 3, "accuracy": 1, "phrasing": 4},
    }  # fmt: skip
    path = tmp_path / "replies.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    result = run("grade", path, "--json")
    assert result.exit_code == 0, result.output
    graded = json.loads(result.stdout)
    assert graded["scores"]["accuracy"] <= 2
    path.write_text('{"id": "r-1"}\n', encoding="utf-8")
    result = run("grade", path)
    assert result.exit_code == 1
    assert "line 1" in result.output


def test_calls_are_exported_and_users_added_listed_and_removed(tmp_path):
    data = ("--data", tmp_path / "data")
    script = tmp_path / "lines.txt"
    script.write_text("您好。\n", encoding="utf-8")
    assert run("call", "zh-deduction-video-pack", "--script", script, *data).exit_code == 0
    assert run("export", tmp_path / "calls.jsonl", *data).exit_code == 0
    assert len((tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert run("user", "add", "li", *data, stdin="long enough pw\nlong enough pw\n").exit_code == 0
    assert "li  trainee" in run("user", "list", *data).output
    assert run("user", "remove", "li", *data).exit_code == 0
    assert "li  trainee" not in run("user", "list", *data).output
