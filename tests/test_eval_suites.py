"""Every suite of the evaluation with real parts: bundled models, or ones made on the spot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from eval import attack, customer, grader, ladder, matrix, reading, regrade, retrieval, runs, trainee
from eval.command import Bar, clear_faults, judge
from eval.playing import DATA, play, scripted
from eval.reports import page_of, render, terminal_report
from eval.runs import Run, read_run
from eval.specification import flat
from eval.suites import Live, Result, Suite
from roleplay.errors import FileFault, Rejected
from roleplay.persona import load_library
from roleplay.reading import AimSeen, Reading
from roleplay.scripts import Script, load_scripts

PERSONA_ID = "zh-deduction-video-pack"
PERSONA = Path(__file__).parent.parent / "personas" / "zh" / "deduction-video-pack.yaml"
REPLY = {
    "id": "r-1",
    "context_id": "c-1",
    "language": "zh-CN",
    "stage": "solving",
    "context": [{"role": "customer", "content": "新加坡的日包多少钱一天？都急死我了！"}],
    "evidence": ["新加坡漫游日包30元/天，含2GB高速流量，用完降速。"],
    "reply": "您好，请您别着急，新加坡日包是30元一天，含2GB高速流量，用完降速，不另收费。",
    "scores": {"empathy": 4, "accuracy": 5, "phrasing": 4},
}
STANDARDS = """
language: zh-CN
rules:
  - id: ours-no-asking
    situation: wording
    topic: ordering
    kind: must_not_say
    severity: forbidden
    patterns: [请问]
    advice: 不说“请问”。
"""
SAYS = '".*": ["您好，星桥移动客服0826号，请问有什么可以帮您？"]\n'


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The first lines of two trainees, one polite and one rude, to the same customer."""
    chosen = {script.policy: script for script in load_scripts(DATA / "scripts.yaml") if script.persona == PERSONA_ID}
    short = [
        {**chosen[policy].model_dump(mode="json"), "turns": list(chosen[policy].turns[:3])}
        for policy in ("excellent", "rude")
    ]
    path = tmp_path / "scripts.yaml"
    path.write_text(yaml.safe_dump(short, allow_unicode=True), encoding="utf-8")
    return path


def graded(path: Path, *rows: dict) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@dataclass
class Heard:
    """A suite as it is, and the names of the figures that it announced."""

    suite: Suite
    announced: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.suite, name)

    @contextmanager
    def open(self) -> Iterator[Live]:
        with self.suite.open() as live:
            self.announced |= set(flat(live.figures))
            yield live


def carry_out(suite: Suite, folder: Path) -> Run:
    """A run; every figure that it gives must have been announced before anything was measured."""
    heard = Heard(suite)
    run = runs.carry_out(heard, folder)
    assert set(flat(run.figures)) - heard.announced == set()
    return run


def reports(run: Run) -> str:
    from eval.reports import page_of, write_reports

    write_reports(run, page_of(run, "en"))
    return (run.folder / "report.html").read_text(encoding="utf-8") + (run.folder / "report.md").read_text("utf-8")


def test_a_grader_is_measured_against_its_raters_and_their_ceiling(tmp_path: Path):
    wrong = {
        **REPLY,
        "id": "r-2",
        "reply": "你自己看，不知道。",
        "scores": {"empathy": 1, "accuracy": 2, "phrasing": 1},
    }
    none = {**REPLY, "id": "r-3", "reply": "请您稍等。", "scores": {"empathy": 3, "accuracy": None, "phrasing": 4}}
    for number, row in enumerate((REPLY, wrong, none)):
        row["ratings"] = {"anna": {"empathy": 4 - number}, "bo": {"empathy": 4 - number}, "cai": {"empathy": 3}}
    rows = [{**row, "id": f"{row['id']}-{n}"} for n in range(20) for row in (REPLY, wrong, none)]
    run = carry_out(grader.Suite((graded(tmp_path / "rows.jsonl", *rows),)), tmp_path / "run")
    found = run.figures["zh-CN"]
    assert set(found) == {"empathy", "accuracy", "phrasing"} and found["empathy"]["n"] == 60
    assert found["phrasing"]["qwk"] > 0.5 and found["empathy"]["floor_qwk"] is None
    assert 0 < found["empathy"]["ceiling_qwk"] < 1
    assert "zh-CN 共情 " in page_of(run, "zh-CN").answer and "zh-CN empathy " in page_of(run, "en").answer
    assert "agrees" not in reports(run) and "raters among themselves" in reports(run)
    assert set(run.specification["subject"]) >= {"grader", "reader", "standards", "prompts"}


def test_of_a_handful_of_replies_no_kappa_is_given_and_the_report_says_why(tmp_path: Path):
    rows = [{**REPLY, "id": f"r-{n}"} for n in range(5)]
    run = carry_out(grader.Suite((graded(tmp_path / "rows.jsonl", *rows),)), tmp_path / "run")
    figures = run.figures["zh-CN"]["empathy"]
    assert (figures["n"], figures["qwk"], figures["low"]) == (5, None, None) and figures["exact"] is not None
    assert "Of 5 replies fewer than 20" in reports(run) and "<td>too few</td>" in reports(run)
    for language, words in (
        ("zh-CN", "太少：kappa 至少要 20 条回答"),
        ("en", "Too few: a kappa is given from 20 replies on"),
    ):
        page = page_of(run, language)
        assert words in terminal_report(page) and words in render(page, "html")


@pytest.mark.slow
def test_attacks_move_the_scores_of_one_reply_by_so_much(tmp_path: Path):
    rows = graded(tmp_path / "rows.jsonl", REPLY)
    run = carry_out(attack.Suite((rows,), number=2), tmp_path / "run")
    found = run.figures["zh-CN"]
    assert found["gibberish"]["empathy"]["mean_rise"] <= 0 and found["wrong_number"]["n"] <= 1
    assert set(attack.ATTACKS) < set(found)
    assert "Attacks on the grader" in reports(run)
    assert carry_out(attack.Suite((rows,), number=2), tmp_path / "again").results == run.results


def test_a_search_is_measured_beside_bm25(tmp_path: Path):
    entries = tmp_path / "entries.yaml"
    entry = {
        "id": "pass",
        "language": "en",
        "product": "roaming",
        "question": "What is a day pass?",
        "answer": "5 pounds.",
    }
    entries.write_text(yaml.safe_dump({"entries": [entry]}))
    query = {"id": "q", "language": "en", "query": "day pass price", "relevant": ["pass"], "style": "plain"}
    run = carry_out(retrieval.Suite((entries,), (graded(tmp_path / "q.jsonl", query),)), tmp_path / "run")
    assert run.figures["all"]["hit@1"] == 1.0 and run.figures["none"]["n"] == 0


ASKED = {
    "call": "zh-01",
    "persona": PERSONA_ID,
    "heard": "这个月怎么多扣了我的钱！",
    "reply": "非常抱歉，给您添麻烦了。请问一共扣了您多少钱？",
    "aims": "warm fact",
    "asked": [],
}


def test_what_is_read_of_replies_is_held_against_their_labels(tmp_path: Path):
    told = {**ASKED, "heard": "多少钱？", "reply": "这个包每个月三十元，含十个G。", "aims": "tell"}
    lie = {**told, "call": "zh-02", "aims": "story"}  # a label that nobody could read there
    rows = graded(tmp_path / "rows.jsonl", *([ASKED, told] * 3), lie)
    run = carry_out(reading.Suite(rows, (PERSONA,)), tmp_path / "run")
    found = run.figures["zh-CN"]
    assert (found["replies"], found["calls"]) == (7, 2)
    assert (found["right"]["n"], found["right"]["share"]) == (10, pytest.approx(0.9))
    assert (found["asking_right"]["n"], found["asking_right"]["share"]) == (4, pytest.approx(0.75))
    assert found["told_apart"]["share"] == pytest.approx(0.9) and found["right"]["low"] is None
    assert not found["aims"]  # of none are there five sentences
    assert [result.case for result in run.results][-2:] == ["zh-01.6", "zh-02.1"]
    assert "story → tell" in reports(run) and "<td>too few</td>" in reports(run)
    assert "zh-CN 90%" in page_of(run, "zh-CN").answer and "告知（tell）" not in page_of(run, "en").answer
    assert judge(run.figures, [Bar("zh-CN.right.share", True, 0.95)]) == {
        "zh-CN.right.share >= 0.95": "zh-CN.right.share >= 0.95: is 0.9"
    }


def test_a_sentence_that_does_two_things_may_be_read_as_either_and_identity_is_no_fact():
    persona = load_library([PERSONA]).get(PERSONA_ID)
    first, second, *_ = persona.subjects()

    def judged(call: str, aims: str, read: str, asked: tuple[str, ...], heard: str = "喂") -> Result:
        wanted = (first, second, reading.IDENTITY)
        row = reading.Labelled(call=call, persona=persona.id, heard=heard, reply="好的。", aims=aims, asked=wanted)
        seen = (AimSeen(read, 0.9, 0, 3),) if read else ()  # type: ignore[arg-type]
        return Result(call, call, reading.judged(row, persona, Reading(aims=seen, asked=asked)))

    results = [judged(f"zh-{number}", "tell+offer", "tell", (first,)) for number in range(9)]
    results.append(judged("zh-9", "tell+offer", "offer", (first, second, "other")))
    results.append(judged("zh-10", "tell", "", (), heard=""))
    found = reading.Suite.figures(results)["zh-CN"]
    assert (found["right"]["n"], found["right"]["share"]) == (11, pytest.approx(10 / 11))
    assert 0.5 < found["right"]["low"] < 10 / 11 < found["right"]["high"] <= 1
    assert found["asking_right"]["n"] == 0 and found["asking_right"]["share"] is None
    assert found["told_apart"]["share"] == pytest.approx(10 / 11)  # an offer is read where it mainly tells
    assert (found["facts"]["recall"]["n"], found["facts"]["recall"]["share"]) == (20, pytest.approx(11 / 20))
    assert (found["facts"]["precision"]["n"], found["facts"]["precision"]["share"]) == (12, pytest.approx(11 / 12))
    assert set(found["aims"]) == {"tell", "offer"}
    tell, offer = found["aims"]["tell"], found["aims"]["offer"]
    assert (tell["n"], tell["precision"]["share"], tell["recall"]["share"]) == (11, 1.0, pytest.approx(0.9))
    assert (offer["n"], offer["recall"]["n"], offer["recall"]["share"]) == (10, 1, 1.0)
    worst = reading.Suite.story({"zh-CN": found}, results).worst
    assert (worst[0].case, worst[0].why) == ("zh-9", "facts +other")
    assert {each.why for each in worst[1:]} == {f"facts -{second}", "tell → unread"}


def test_wrong_labels_of_replies_are_named_with_their_line_and_field(tmp_path: Path):
    wrong = {**ASKED, "aims": "warm sing tell", "asked": ["the-moon"], "persona": PERSONA_ID}
    unknown = {**ASKED, "persona": "zh-nobody"}
    path = graded(tmp_path / "rows.jsonl", ASKED, wrong, unknown, {**ASKED, "asked": None, "mood": 1})
    with pytest.raises(FileFault) as found:
        reading.load_labelled(path, load_library([PERSONA]))
    places = [(fault.line, fault.field) for fault in found.value.faults]
    assert places == [(2, "aims"), (2, "aims"), (2, "asked"), (3, "persona"), (4, "asked"), (4, "mood")]
    said = str(found.value)
    assert str(path) in said and "2 sentences, and here stand 3 labels" in said and "'sing' is no aim" in said
    path.write_text("\n{\n", encoding="utf-8")
    with pytest.raises(FileFault, match="line 2: is not JSON"):
        reading.load_labelled(path, load_library([PERSONA]))
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(FileFault, match="is empty"):
        reading.load_labelled(path, load_library([PERSONA]))


def test_calls_are_played_and_say_the_same_again(scripts: Path, tmp_path: Path):
    run = carry_out(customer.Suite(scripts, (PERSONA,)), tmp_path / "run")
    assert run.figures["all"]["n_calls"] == 2 and run.figures["all"]["role_flip"] == 0
    assert set(run.figures["by_policy"]) == {"excellent", "rude"}
    turn = run.results[0].data["turns"][0]
    assert {"directive", "state", "reading", "guard", "trainee", "customer"} <= set(turn) and "took" not in turn[
        "guard"
    ]
    assert run.results[0].data["turns"][0]["customer"] in reports(run)
    again = carry_out(customer.Suite(scripts, (PERSONA,)), tmp_path / "again")
    assert (tmp_path / "run" / "results.jsonl").read_bytes() == (tmp_path / "again" / "results.jsonl").read_bytes()
    assert again.figures == run.figures


@pytest.mark.slow
def test_a_polite_trainee_stands_above_a_rude_one(scripts: Path, tmp_path: Path):
    data = yaml.safe_load(scripts.read_text(encoding="utf-8"))
    data[1]["policy"] = "average"  # a lie that has to show
    scripts.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    run = carry_out(ladder.Suite(scripts, (PERSONA,)), tmp_path / "run")
    (step,) = run.figures["zh-CN"]["steps"]
    assert (step["above"], step["below"], step["right"], step["personas"]) == ("excellent", "average", True, 1)
    assert step["gap"] > 10 and "feelings" not in reports(run)


def test_a_model_plays_the_trainee_by_a_policy(tmp_path: Path):
    (tmp_path / "says.yaml").write_text(SAYS, encoding="utf-8")
    (tmp_path / "terse.zh-CN.txt").write_text("少说话。", encoding="utf-8")
    suite = trainee.Suite(f"scripted:{tmp_path / 'says.yaml'}", (tmp_path / "terse.zh-CN.txt",), (PERSONA,), turns=2)
    run = carry_out(suite, tmp_path / "run")
    (call,) = (result.data for result in run.results)
    assert len(call["turns"]) == 2 and call["policy"] == "terse" and call["values"]["total"] > 0
    assert run.figures["by_policy"]["terse"]["empty_replies"] == 0
    assert "scripted" in run.specification["subject"]["trainee"]


def test_the_trainees_model_hears_the_policy_what_it_can_look_up_and_the_customer(tmp_path: Path, played):
    from eval.policy import Policy, messages

    room, call, _ = played
    said = messages(Policy("terse", "zh-CN", "少说话。"), call, room)
    assert "少说话。" in said[0]["content"] and "二次确认" in said[0]["content"]
    assert [each["role"] for each in said[1:4]] == ["user", "assistant", "user"]
    assert said[-1]["content"] == call.turns[-1].text


def test_every_combination_of_a_matrix_is_one_call(scripts: Path, tmp_path: Path):
    (tmp_path / "says.yaml").write_text(SAYS, encoding="utf-8")
    (tmp_path / "terse.txt").write_text("少说话。", encoding="utf-8")
    configuration = tmp_path / "m.yaml"
    asked = {
        "personas": [PERSONA_ID],
        "scripts": [scripts.name],
        "policies": ["terse.txt"],
        "trainees": [f"scripted:{tmp_path / 'says.yaml'}"],
        "seeds": [3, 4],
        "turns": 1,
    }
    configuration.write_text(yaml.safe_dump(asked), encoding="utf-8")
    run = carry_out(matrix.Suite(configuration, (PERSONA,)), tmp_path / "run")
    assert len(run.results) == (2 + 1) * 2 and len(run.figures["cells"]) == 3
    assert "every combination" in reports(run)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory):
    """A room with records of its own, and a graded call of three replies in them."""
    from roleplay.build import build_room
    from roleplay.settings import load_settings

    data = tmp_path_factory.mktemp("stored")
    room = build_room(load_settings(data=str(data)))
    lines = (
        "您好，星桥移动客服，请问有什么可以帮您？",
        "嗯，你急也没用，自己看账单。",
        "好的，请您稍等，我帮您查一下。",
    )
    script = Script(id="s", language="zh-CN", policy="cold", turns=lines)
    call = play(room, PERSONA_ID, scripted(script), seed=1, grade=True)
    yield room, call, data
    room.records.close()


def test_stored_calls_under_the_same_grader_do_not_change(played, tmp_path: Path):
    _, call, data = played
    run = carry_out(regrade.Suite(data=data), tmp_path / "run")
    assert run.figures["replies"] == run.figures["graded_before"] == len(call.exchanges)
    assert run.figures["total"]["mean_change"] == 0 and run.figures["dimensions"]["phrasing"]["changed"] == 0
    with pytest.raises(Rejected, match="no stored call"):
        carry_out(regrade.Suite(data=data, person="nobody"), tmp_path / "none")


def test_stored_calls_under_other_standards_change_and_say_how(played, tmp_path: Path):
    _, _, data = played
    standards = tmp_path / "ours.yaml"
    standards.write_text(STANDARDS, encoding="utf-8")
    run = carry_out(regrade.Suite(data=data, standards=(standards,)), tmp_path / "run")
    assert run.figures["dimensions"]["phrasing"]["changed"] > 0
    assert "Stored calls" in reports(run)


def test_an_export_and_a_table_of_turns_are_graded_too(played, tmp_path: Path):
    from roleplay.exports import as_data
    from roleplay.reports import make_report

    room, call, _ = played
    export = graded(tmp_path / "calls.jsonl", as_data(make_report(call, room.grades(call.id))))
    table = tmp_path / "turns.csv"
    table.write_text("call,speaker,text\nT1,客服,您好，请问有什么可以帮您？\nT1,客户,话费不对\n", encoding="utf-8")
    run = carry_out(regrade.Suite((export, table)), tmp_path / "run")
    assert run.figures["calls"] == 2 and run.figures["graded_before"] == len(call.exchanges)
    assert [result.data["persona"] for result in run.results] == [PERSONA_ID, ""]


def test_what_cannot_be_had_ends_with_one_message_and_status_two(capsys, tmp_path: Path):
    import typer

    with pytest.raises(typer.Exit) as ended, clear_faults():
        carry_out(grader.Suite((graded(tmp_path / "r.jsonl", REPLY),), "hf:/no/such/folder"), tmp_path / "run")
    assert ended.value.exit_code == 2 and "/no/such/folder" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_command_gives_a_report_on_a_model_of_ones_own(tiny_model: Path, scripts: Path, tmp_path: Path):
    """A folder with weights of the user's own as the customer, then as the trainee."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "eval", "customer", "--model", f"hf:{tiny_model}", "--scripts", str(scripts)]
    done = subprocess.run([*command, "--personas", str(PERSONA), "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").exists() and "How faithful is this customer" in done.stdout
    suite = trainee.Suite(f"hf:{tiny_model}", personas=(PERSONA,), turns=1)
    assert not carry_out(suite, tmp_path / "trainee").failed
    assert read_run(out).specification["subject"]["customer"].startswith(f"hf:{tiny_model} ")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_workers_play_what_one_process_plays(scripts: Path, tmp_path: Path):
    command = [sys.executable, "-m", "eval", "ladder", "--scripts", str(scripts), "--personas", str(PERSONA)]
    for workers in ("1", "2"):
        subprocess.run(
            [*command, "--workers", workers, "--out", str(tmp_path / workers)], check=True, capture_output=True
        )
    for name in ("results.jsonl", "summary.json", "specification.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A small real model with random weights, saved as a folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    letters = sorted({*map(chr, range(32, 127)), *"您好请问有什么可以帮话费多了的我查一下，。？"})
    vocab = {name: index for index, name in enumerate(["<|end|>", "<|unknown|>", *letters])}
    made = Tokenizer(models.WordLevel(vocab, unk_token="<|unknown|>"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Split("", behavior="isolated"), decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>")
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}assistant: "
    sizes = {"vocab_size": len(vocab), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "eos_token_id": 0, "bos_token_id": None}
    Qwen3ForCausalLM(Qwen3Config(**sizes, **heads)).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"
