"""Graded data and transcripts that evaluators bring: the same from JSONL, CSV and XLSX, with the row of every fault."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from eval.detectors import load_blocks
from eval.inputs import read_replies, read_transcripts
from eval.intervals import interval, paired, statistic_interval, wilson
from eval.matrix import load_configuration
from eval.playing import DATA
from eval.policy import load_policies
from eval.reading import REFERENCE, load_labelled
from roleplay.agreement import agreement
from roleplay.errors import FileFault
from roleplay.persona import load_library
from roleplay.settings import load_settings

ROW = {
    "id": "a-1",
    "context_id": "a",
    "language": "zh-CN",
    "stage": "solving",
    "context": [{"role": "customer", "content": "日包多少钱？"}],
    "evidence": ["日包30元一天。", "须在出境前开通。"],
    "reply": "您好，日包30元一天。",
    "scores": {"empathy": 3, "accuracy": None, "phrasing": 4.5},
}
HEADING = [
    "id",
    "context_id",
    "language",
    "stage",
    "context",
    "evidence",
    "reply",
    "empathy",
    "accuracy",
    "phrasing",
    "note",
]
CELLS = [
    "a-1",
    "a",
    "zh-CN",
    "solving",
    "客户：日包多少钱？",
    "日包30元一天。\n须在出境前开通。",
    ROW["reply"],
    3,
    "不适用",
    "4.5",
    "x",
]


def workbook(path: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def table(path: Path, *rows: list[object]) -> Path:
    quoted = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in rows]
    path.write_text("\n".join(quoted), encoding="utf-8-sig")
    return path


def test_a_reply_is_the_same_from_all_three_formats(tmp_path: Path):
    lines = tmp_path / "rows.jsonl"
    lines.write_text(json.dumps(ROW), encoding="utf-8")
    found = [
        read_replies(path)[0]
        for path in (lines, table(tmp_path / "r.csv", HEADING, CELLS), workbook(tmp_path / "r.xlsx", HEADING, CELLS))
    ]
    assert found[0] == found[1] == found[2]
    assert found[0][0].scores == {"empathy": 3, "accuracy": None, "phrasing": 4.5}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_wrong_cell_is_named_with_its_row(tmp_path: Path, kind: str):
    wrong = [*CELLS[:2], "fr", "solving", "日包多少钱？", *CELLS[5:7], "seven", 9, 4]
    path = tmp_path / f"rows.{kind}"
    (table if kind == "csv" else workbook)(path, HEADING, CELLS, [], ["b-1", *wrong[1:]])
    with pytest.raises(FileFault) as found:
        read_replies(path)
    row = {"csv": 5, "xlsx": 4}[kind]  # a row of the CSV file before it takes two lines
    assert {fault.field for fault in found.value.faults} == {
        "language",
        "context.0",
        "scores.empathy",
        "scores.accuracy",
    }
    assert all(fault.line == row for fault in found.value.faults)
    called = {"csv": "line", "xlsx": "row"}[kind]
    assert all(text.startswith(f"{path}: {called} {row}: ") for text in str(found.value).split("\n"))


def test_a_table_without_the_needed_columns_names_them(tmp_path: Path):
    with pytest.raises(FileFault, match="no column 'reply'"):
        read_replies(table(tmp_path / "r.csv", ["id", "language"], ["1", "en"]))
    with pytest.raises(FileFault, match=r"\.docx is not read"):
        read_replies(tmp_path / "r.docx")


def test_scores_of_several_raters_are_kept_and_their_median_counts(tmp_path: Path):
    heading = ["language", "reply", "empathy@anna", "empathy@bo", "empathy@cai", "accuracy@anna", "accuracy@bo"]
    rows, ratings = read_replies(table(tmp_path / "r.csv", heading, ["en", "Hello.", 2, 5, 3, "n/a", "n/a"]))
    assert rows[0].id == "row-2" and rows[0].scores == {"empathy": 3, "accuracy": None}
    assert ratings["row-2"]["bo"] == {"empathy": 5, "accuracy": None}
    with pytest.raises(FileFault, match=r"line 2: ratings\.anna\.empathy"):
        read_replies(table(tmp_path / "r.csv", heading, ["en", "Hello.", 8, 5, 3, "n/a", "n/a"]))


def test_transcripts_are_read_turn_by_turn_and_their_faults_named(tmp_path: Path):
    heading = ["call", "speaker", "text", "evidence"]
    rows = [
        ["1", "客服", "您好"],
        ["2", "agent", "Hi"],
        ["1", "客户", "话费不对"],
        ["1", "客服", "我查一下", "月费59元。"],
    ]
    one, _ = read_transcripts(workbook(tmp_path / "t.xlsx", heading, *rows))
    assert [turn.speaker for turn in one.turns] == ["trainee", "customer", "trainee"]
    assert [entry.text for entry in one.evidence[2]] == ["月费59元。"] and one.evidence[0] == ()
    with pytest.raises(FileFault) as found:
        read_transcripts(table(tmp_path / "t.csv", heading, rows[0], ["", "robot", "x"]))
    assert [(fault.line, fault.field) for fault in found.value.faults] == [(3, "call"), (3, "speaker")]


def test_the_labelled_lines_are_enough_and_stand_on_one_side_only():
    blocks = load_blocks(DATA / "detectors.yaml")
    for name in ("role_flip", "leak", "unsupported", "dialect"):
        own = [block for block in blocks if block.detector == name]
        find = [line for block in own for line in block.find]
        spare = [line for block in own for line in block.spare]
        assert len(set(find)) >= 40 and len(set(spare)) >= 40 and not set(find) & set(spare)


def test_a_wrong_block_of_labelled_lines_is_named_with_its_line(tmp_path: Path):
    path = tmp_path / "lines.yaml"
    path.write_text("- {detector: leak, language: en, find: [a], spare: [b]}\n- {detector: smell, language: en}\n")
    with pytest.raises(FileFault, match="line 2"):
        load_blocks(path)
    path.write_text("- {detector: leak, language: en, find: [a], spare: [b]}\n")
    with pytest.raises(FileFault, match="something secret"):
        load_blocks(path)


def test_the_labelled_replies_fit_the_sentences_and_the_shipped_personas():
    rows = load_labelled(REFERENCE, load_library(load_settings().personas))
    assert len(rows) == 428 and len({row.call for row in rows}) == 45
    assert sum(len(row.labels) for row in rows) >= 800 and len({row.reply for row in rows}) > 400


def test_a_matrix_that_nobody_can_play_is_refused(tmp_path: Path):
    path = tmp_path / "m.yaml"
    path.write_text("customers: [bundled, bundled]\npolicies: [a.txt]\n")
    with pytest.raises(FileFault) as found:
        load_configuration(path)
    assert [(fault.line, fault.field) for fault in found.value.faults] == [(2, ""), (1, "customers")]
    path.write_text("customers: [gpt]\nscripts: [a.yaml]\n")
    with pytest.raises(FileFault, match="line 1"):
        load_configuration(path)


def test_a_policy_without_a_language_is_for_both(tmp_path: Path):
    (tmp_path / "terse.txt").write_text("Say little.")
    assert {(each.name, each.language) for each in load_policies([tmp_path])} == {("terse", "zh-CN"), ("terse", "en")}
    shipped = {(each.name, each.language) for each in load_policies()}
    assert {("excellent", "zh-CN"), ("rude", "en"), ("wrong_facts", "zh-CN")} <= shipped
    (tmp_path / "terse.fr.txt").write_text("Peu.")
    with pytest.raises(FileFault, match="fr"):
        load_policies([tmp_path])


def test_a_clear_difference_is_found_and_none_is_made_up():
    groups = [str(number // 2) for number in range(40)]
    draw = np.random.default_rng(0)
    before = draw.normal(3, 1, 40)
    same = paired(before, before + draw.normal(0, 0.5, 40), groups)
    more = paired(before, before + 0.6 + draw.normal(0, 0.5, 40), groups)
    assert same.p > 0.05 and same.low < 0 < same.high
    assert more.p < 0.001 and more.sign_p < 0.001 and 0 < more.low < 0.6 < more.high + 0.2 and more.groups == 20


def test_the_permutation_test_is_exact_for_few_groups():
    found = paired([0] * 5, [1] * 5, list("abcde"))
    assert found.p == pytest.approx(2 / 32) and found.sign_p == pytest.approx(2 / 32)
    assert paired([1, 2], [1, 2], ["a", "b"]).p == 1.0


def test_alike_cases_count_as_one():
    values = [0.0] * 50 + [1.0] * 50
    alone = interval(values, [str(number) for number in range(100)])
    together = interval(values, [str(number // 10) for number in range(100)])
    assert 0 < together[0] < alone[0] - 0.05 and 0.35 < alone[0] < alone[1] < 0.65 and alone[1] + 0.05 < together[1] < 1
    assert wilson(0, 0) == (None, None)
    low, high = statistic_interval(lambda places: float(np.mean(places)), [str(n) for n in range(30)])
    assert low < 14.5 < high
    assert wilson(20, 20)[0] > 0.8


def test_a_handful_of_groups_or_replies_gives_no_interval_and_no_kappa():
    few, enough = [str(n) for n in range(9)], [str(n) for n in range(10)]
    assert interval(list(range(9)), few) == interval([], []) == (None, None)
    assert statistic_interval(lambda places: 1.0, few) == (None, None) and None not in interval(list(range(10)), enough)
    made = agreement([1, 2, 3, 4, 5] * 3, [1, 2, 3, 4, 4] * 3)
    assert (made.n, made.qwk, made.low, made.high, made.spearman) == (15, None, None, None, None)
    assert made.exact == 0.8 and made.bias == pytest.approx(-0.2)
    assert agreement([1, 2, 3, 4, 5] * 4, [1, 2, 3, 4, 4] * 4).qwk > 0.9


def test_a_misspelt_column_is_named_with_what_may_be_meant(tmp_path):
    path = tmp_path / "replies.csv"
    path.write_text("language,reply,empaty,team\nzh-CN,您好,4,north\n", "utf-8")
    with pytest.raises(FileFault, match="'empaty'; is empathy meant"):
        read_replies(path)
