"""Runs of the evaluation: kept, carried on, repeated, refused, compared, reported. With the detectors' suite, which is quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from eval import detectors
from eval.__main__ import app
from eval.calls import feeling_plots
from eval.command import Bar, judge
from eval.grader import _plots as grader_plots
from eval.plots import bars
from eval.regrade import _plots as gap_plots
from eval.reports import page_of, render
from eval.runs import carry_out, read_run
from eval.suites import Case, Live, Result, Story
from roleplay.errors import FileFault, Rejected
from roleplay.rubric import DIMENSIONS

LINES = """
- detector: role_flip
  language: zh-CN
  find: [请问有什么可以帮您？, '<script>alert(1)</script>很高兴为您服务']
  spare: [我话费怎么多了, 你帮我查一下]
- detector: unsupported
  language: zh-CN
  known: [扣了39元]
  find: [你们扣了我128元]
  spare: [你们扣了我39元, 三十九块也是钱]
"""

FELT = {"policy": "cold", "feelings": [[2.0, 1.0, 2.0], [3.0, 1.0, 1.0]]}
MOVED = {"replies": [], "total": {"old": 60.0, "new": 70.0}}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.yaml"
    path.write_text(LINES, encoding="utf-8")
    return path


@pytest.fixture
def suite(lines: Path) -> detectors.Suite:
    return detectors.Suite(lines)


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("times.jsonl", ".lock")}


@dataclass(frozen=True)
class Slow:
    """A suite of the test's own: cases that take a while, one of which may fail. Its reports are those of the detectors."""

    seconds: float = 0.0
    fails: str = ""
    name: str = "detectors"

    @contextmanager
    def open(self) -> Iterator[Live]:
        def measure(case: Case) -> dict[str, Any]:
            time.sleep(self.seconds)
            if case.id == self.fails:
                raise ValueError("this one cannot be measured")
            right = {"detector": "leak", "language": "en", "line": case.id, "label": True, "found": "x"}
            return right | {"context": [], "secret": [], "values": {"leak_right": 1 / 3}}

        cases = tuple(Case(f"case {number}", None, str(number // 2)) for number in range(12))
        yield Live(cases, {"seed": 0}, lambda: {"model": "none"}, measure, {"leak": {"all": None, "en": None}})

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        return detectors.Suite.figures(results)

    @staticmethod
    def story(figures: dict[str, Any], results: Sequence[Result]) -> Story:
        return detectors.Suite.story(figures, results)


def test_two_runs_are_equal_byte_for_byte_except_times(suite, tmp_path: Path):
    carry_out(suite, tmp_path / "one")
    carry_out(suite, tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert {"specification.json", "results.jsonl", "summary.json"} <= set(files(tmp_path / "one"))


def test_several_workers_give_what_one_process_gives(tmp_path: Path):
    carry_out(Slow(0.01), tmp_path / "one")
    carry_out(Slow(0.01), tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_run_that_was_cut_off_in_the_middle_of_a_line_is_carried_on(suite, tmp_path: Path):
    carry_out(suite, tmp_path / "whole")
    carry_out(suite, tmp_path / "cut")
    results = tmp_path / "cut" / "results.jsonl"
    kept = results.read_bytes()[:-70]
    results.write_bytes(kept)
    (tmp_path / "cut" / "summary.json").unlink()
    with pytest.raises(FileFault, match="not finished"):
        read_run(tmp_path / "cut")
    carry_out(suite, tmp_path / "cut")
    assert files(tmp_path / "whole") == files(tmp_path / "cut")
    assert len((tmp_path / "cut" / "times.jsonl").read_text().splitlines()) == 7 + 1  # only the lost case again


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_loses_at_most_the_cases_in_hand(tmp_path: Path, workers: int):
    script, here = tmp_path / "program.py", Path(__file__).parent
    script.write_text(
        "import sys; from pathlib import Path; from test_eval_runs import Slow; from eval.runs import carry_out\n"
        "import eval.specification; eval.specification._code = dict  # it may be edited between the two runs\n"
        "if __name__ == '__main__': carry_out(Slow(float(sys.argv[1])), Path('run'), workers=int(sys.argv[2]))"
    )
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}

    def start(seconds: float) -> subprocess.Popen:
        command = [sys.executable, script.name, str(seconds), str(workers)]
        return subprocess.Popen(command, env=surroundings, cwd=tmp_path)

    process = start(0.3)
    times = tmp_path / "run" / "times.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (times.exists() and times.read_text().count("\n") >= 3):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    before = (tmp_path / "run" / "results.jsonl").read_text().splitlines()
    assert 3 <= len(before) < 12
    assert start(0.0).wait(60) == 0
    assert [result.case for result in read_run(tmp_path / "run").results] == [f"case {number}" for number in range(12)]
    assert len(times.read_text().splitlines()) <= 12 + workers


def test_a_run_under_other_settings_is_refused_with_the_reasons(suite, lines: Path, tmp_path: Path):
    carry_out(suite, tmp_path / "run")
    lines.write_text(LINES + "  heard: 再见\n", encoding="utf-8")
    with pytest.raises(Rejected, match=r"other settings.*\n\s+data\.lines: "):
        carry_out(suite, tmp_path / "run")


def test_a_folder_with_other_files_is_no_place_for_a_run(suite, tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    with pytest.raises(Rejected, match=r"dear\.txt"):
        carry_out(suite, tmp_path / "letters")


def test_two_processes_do_not_write_one_run(tmp_path: Path):
    @contextmanager
    def busy() -> Iterator[Live]:
        with Slow().open() as live:
            with pytest.raises(Rejected, match="another process"):
                carry_out(Slow(), tmp_path / "run")
            yield live

    from eval.runs import _begun
    from eval.specification import describe

    with Slow().open() as live, _begun(tmp_path / "run", describe("detectors", live)), busy():
        pass


def test_a_failing_case_is_a_result_with_a_reason_and_no_score(tmp_path: Path):
    run = carry_out(Slow(fails="case 5"), tmp_path / "run")
    assert [(each.case, each.why) for each in run.failed] == [("case 5", "ValueError: this one cannot be measured")]
    assert run.figures["leak"]["all"]["n"] == 11
    assert "this one cannot be measured" in render(page_of(run, "en"), "html")
    assert len(carry_out(Slow(fails="case 5"), tmp_path / "run").failed) == 1
    # the suite's options are no part of this specification, so the mended suite may go on
    assert not carry_out(Slow(), tmp_path / "run", retry=True).failed


def test_the_exit_status_says_how_it_went(lines: Path, tmp_path: Path):
    run = ("detectors", "--lines", lines, "--out", tmp_path / "run")
    assert invoke(*run).exit_code == 0
    assert invoke(*run, "--fail-under", "role_flip.all.recall=0.5", "--fail-over", "role_flip.all.fp=0").exit_code == 0
    assert invoke(*run, "--fail-under", "role_flip.all.n=5").exit_code == 1
    assert invoke(*run, "--fail-under", "role_flip.all.recall").exit_code == 2
    assert invoke("detectors", "--lines", tmp_path / "nothing.yaml", "--out", tmp_path / "other").exit_code == 2
    assert invoke("detectors", "--nonsense").exit_code == 2


def test_a_bar_on_a_figure_that_there_is_not_is_refused_before_the_run_begins(lines: Path, tmp_path: Path):
    unknown = invoke("detectors", "--lines", lines, "--out", tmp_path / "run", "--fail-under", "role_flip.recall=0.5")
    assert unknown.exit_code == 2 and "role_flip.all.recall" in unknown.output
    assert not (tmp_path / "run").exists()


def test_a_figure_that_was_not_measured_misses_its_bar():
    assert judge({"qwk": None}, [Bar("qwk", True, 0.1)]) == {"qwk >= 0.1": "qwk >= 0.1: was not measured"}
    assert judge({}, [Bar("qwk", True, 0.1)]) == {"qwk >= 0.1": "qwk >= 0.1: was not measured"}


def test_junit_holds_every_bar_and_every_case(lines: Path, tmp_path: Path):
    junit = tmp_path / "junit.xml"
    invoke(
        "detectors", "--lines", lines, "--out", tmp_path / "run", "--junit", junit, "--fail-under", "role_flip.all.n=9"
    )
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("8", "1", "0")
    assert "is 4" in suite.find("testcase/failure").get("message")


def test_the_figures_alone_are_there_for_other_programs(lines: Path, tmp_path: Path):
    invoke("detectors", "--lines", lines, "--out", tmp_path / "run", "--json", tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text())["role_flip"]["all"]["recall"] == 1.0


def test_the_report_opens_offline_and_shows_no_text_of_others_as_html(suite, tmp_path: Path):
    invoke("detectors", "--lines", suite.lines, "--out", tmp_path / "run")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "") and "https://" not in html
    for part in ("What cannot be concluded", "<svg", "How much of what", "What the results hang on"):
        assert part in html
    run = read_run(tmp_path / "run")
    missed = [Result("<b>x", "1", {**run.results[1].data, "found": ""})]  # a worst case whose line holds a script
    page = page_of(run, "en")
    shown = type(page)(page.kind, "en", "<i>", suite.story(suite.figures(missed), missed), {}, {}, 1, (("<u>", "<s>"),))
    for form in ("html", "md"):
        text = render(shown, form)
        assert "alert(1)" in text and not any(tag in text for tag in ("<script>", "<b>", "<i>", "<u>", "<s>"))


def test_the_words_in_tables_and_pictures_are_the_readers(suite, tmp_path: Path):
    run = carry_out(suite, tmp_path / "run")
    scored = {
        "language": "en", "reply": "x", "truth": dict.fromkeys(DIMENSIONS, 3.0),
        "given": {name: {"value": 4.0} for name in DIMENSIONS},
    }  # fmt: skip
    pictures = [
        *grader_plots([Result("a", "a", scored)]),
        *feeling_plots([FELT]),
        *gap_plots([Result("a", "a", MOVED)]),
    ]
    for language, drawn, axes in (
        ("zh-CN", ("角色错乱 召回率", "<td>角色错乱</td>", "没有测量"),
         ("模型给的分", "人给的平均分", "共情", "第几句", "平均，0 到 4", "怒气", "新总分减旧总分")),
        ("en", ("role flip recall", "<td>role flip</td>", "not measured"),
         ("grader", "raters&#x27; mean", "empathy", "reply", "mean, 0 to 4", "anger", "new total minus old")),
    ):  # fmt: skip
        page = page_of(run, language)
        html = (
            render(page, "html")
            + page.story.plots[0].draw(page.heading)
            + bars([(("x",), None, None, None)], 0, 1, page.heading)
        )
        assert all(word in html for word in drawn)
        svg = "".join(plot.draw(page.heading) for plot in pictures)
        assert all(f">{word}<" in svg for word in axes)
    assert page_of(run, "zh-CN").cell("right", True) == "是" and page_of(run, "en").cell("right", False) == "NO"


def test_reports_are_made_anew_from_the_run_alone(suite, lines: Path, tmp_path: Path):
    carry_out(suite, tmp_path / "run")
    lines.unlink()
    assert (
        invoke("report", tmp_path / "run", "--html", tmp_path / "r.html", "--markdown", tmp_path / "r.md").exit_code
        == 0
    )
    assert (tmp_path / "r.html").stat().st_size > 5000 and "| role flip | all | 4 |" in (tmp_path / "r.md").read_text()


def test_equal_runs_do_not_differ_and_changed_ones_do(tmp_path: Path):
    carry_out(Slow(), tmp_path / "one")
    carry_out(Slow(), tmp_path / "two")
    assert "none of 1 values differs" in invoke("compare", tmp_path / "one", tmp_path / "two").output
    results = tmp_path / "two" / "results.jsonl"
    results.write_text(results.read_text().replace("0.333333", "0.9"))
    found = invoke("compare", tmp_path / "one", tmp_path / "two", "--markdown", tmp_path / "c.md")
    assert found.exit_code == 0 and "1 of 1 values differ" in found.output and "0.567" in found.output
    assert "leak right" in (tmp_path / "c.md").read_text()


def test_runs_that_asked_different_things_are_not_compared(suite, lines: Path, tmp_path: Path):
    carry_out(suite, tmp_path / "one")
    lines.write_text(LINES + "  heard: 再见\n", encoding="utf-8")
    carry_out(suite, tmp_path / "two")
    refused = invoke("compare", tmp_path / "one", tmp_path / "two")
    assert refused.exit_code == 2 and "data.lines" in refused.output
    assert invoke("compare", tmp_path / "one").exit_code == 2
    assert invoke("compare", tmp_path / "one", tmp_path).exit_code == 2


def test_every_suite_tells_its_question_and_an_example():
    import yaml

    from eval.reports import TEMPLATES
    from eval.suites import SUITES

    texts = yaml.safe_load((TEMPLATES / "texts.en.yaml").read_text(encoding="utf-8"))
    for name in SUITES:
        assert f"python -m eval {name}" in " ".join(invoke(name, "--help").output.split()) or name == "retrieval"
        assert texts[name]["question"].endswith("?") and texts[name]["limits"] and texts[name]["reading"]


def test_reports_say_the_same_in_both_languages(suite, tmp_path: Path):
    import re

    import yaml

    from eval.reports import TEMPLATES
    from eval.specification import flat

    english, chinese = (
        flat(yaml.safe_load((TEMPLATES / f"texts.{language}.yaml").read_text(encoding="utf-8")))
        for language in ("en", "zh-CN")
    )
    assert set(english) <= set(chinese) and {key.split(".")[0] for key in set(chinese) - set(english)} <= {"columns"}
    for key, text in english.items():
        if ".answers." in key or key.startswith("common.speed"):
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", chinese[key])), key
        if isinstance(text, list):
            assert len(text) == len(chinese[key]), key
    carry_out(suite, tmp_path / "run")
    assert "检测器看得见多少" in invoke("report", tmp_path / "run", "--language", "zh-CN").output
    assert invoke("report", tmp_path / "run", "--language", "fr").exit_code == 2
