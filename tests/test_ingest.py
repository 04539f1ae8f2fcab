"""Files of the wild become entries: formats, encodings, places, ids, and what is wrong named with its place."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roleplay.errors import FileFault, Rejected
from roleplay.knowledge.drafts import Defaults, make_entries
from roleplay.knowledge.entries import Entry, load_entries
from roleplay.knowledge.ingest import FilePlan, Plan, apply, plan_import, read_source, render
from roleplay.knowledge.sources import Row, Source, clean

HEAD = "问题,答案,其他问法,产品,受众,生效,失效\n"
ROAM = "漫游怎么开通？,发短信KTMY到10910。,开漫游；咋开漫游,国际漫游,公开,2026/3/1,长期\n"
LIMIT = "当场能退多少？,五十元以内。,,账单,内部,,2026年12月31日\n"


class Base:
    """A knowledge base in a folder of its own, as the commands use it."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder, self.data = root, root / "kb", root / "data"
        self.folder.mkdir()

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.root / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def plan(self, *files: Path, **defaults) -> Plan:
        return plan_import(files, [self.folder], self.folder, Defaults(**defaults))

    def bring(self, *files: Path, skip_bad: bool = False, **defaults):
        return apply(self.plan(*files, **defaults), [self.folder], self.data, skip_bad)

    def entries(self) -> dict[str, Entry]:
        return {entry.question: entry for entry in load_entries(self.folder)}


@pytest.fixture
def base(tmp_path):
    return Base(tmp_path)


def texts(plan: Plan) -> list[str]:
    return [str(fault) for each in plan.files for fault in each.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_chinese_table_is_read_in_the_encodings_of_the_wild(base, encoding):
    base.bring(base.file("faq.csv", (HEAD + ROAM + LIMIT).encode(encoding)))
    roam, limit = base.entries().values()
    assert (roam.question, roam.answer, roam.product) == ("漫游怎么开通？", "发短信KTMY到10910。", "国际漫游")
    assert roam.also_asked == ("开漫游", "咋开漫游") and roam.audience == "public" and roam.language == "zh-CN"
    assert (roam.valid_from, roam.valid_to) == (datetime.date(2026, 3, 1), None)
    assert limit.audience == "internal" and limit.valid_to == datetime.date(2026, 12, 31)
    assert (roam.source, limit.source) == ("faq.csv, line 2", "faq.csv, line 3")


@pytest.mark.parametrize(
    "content", ["問題,答案\n漫遊,開通\n".encode("big5"), "Question,Réponse\né,à\n".encode("latin-1")]
)
def test_bytes_of_another_encoding_are_a_fault_and_not_guessed(base, content):
    assert "not UTF-8" in texts(base.plan(base.file("faq.csv", content), product="x"))[0]


def test_a_workbook_is_read_by_sheets_with_merged_cells_and_title_rows(base):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active["A1"] = "本表由业务部维护"
    sheet = book.create_sheet("资费")
    for row in [["资费问答"], ["产品", "问题（必填）", "答案", "生效日期", "事实:price", "相似问1", "相似问2", "备注"],
                ["漫游", "日包多少钱？", "28元一天。", datetime.datetime(2026, 3, 1), "28元/天"],
                [None, "热线是多少？", 10910.0, None, None, "打哪个电话", "客服电话；热线"]]:  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    book.save(base.root / "价格.xlsx")
    plan = base.plan(base.root / "价格.xlsx")
    apply(plan, [base.folder], base.data)
    price, line = base.entries().values()
    assert price.product == line.product == "漫游" and line.answer == "10910"
    assert price.valid_from == datetime.date(2026, 3, 1) and price.facts == (("price", "28元/天"),)
    assert price.source == "价格.xlsx, sheet 资费, row 3" and line.also_asked == ("打哪个电话", "客服电话", "热线")
    assert "sheet 说明 is left out" in plan.files[0].notes[0]
    assert plan.files[0].notes[1] == "sheet 资费, row 2: columns that are not read: 备注"


def test_a_formula_that_has_no_result_is_named_by_its_cell(base):
    book = openpyxl.Workbook()
    for row in [["问题", "答案"], ["多少钱？", "=1+1"]]:
        book.active.append(row)
    book.save(base.root / "a.xlsx")
    assert any("cell B2" in text for text in texts(base.plan(base.root / "a.xlsx", product="x")))


def test_json_lines_bring_lists_and_facts_and_name_unknown_keys(base):
    good = {
        "问题": "热线几点开？",
        "答案": "全天。",
        "其他问法": ["几点上班"],
        "facts": {"hours": "24小时"},
        "产品": "服务",
    }
    lines = [json.dumps(good, ensure_ascii=False), "{broken", json.dumps({**good, "问题": "二？", "颜色": "红"})]
    path = base.file("faq.jsonl", "\n".join(lines))
    found = texts(base.plan(path))
    assert found[0].startswith("line 2: not JSON") and "line 3: 颜色: unknown key" in found[1]
    base.bring(path, skip_bad=True)
    (entry,) = base.entries().values()
    assert entry.also_asked == ("几点上班",) and entry.facts == (("hours", "24小时"),)


def test_a_knowledge_base_file_is_taken_as_it_is(base):
    text = "entries:\n- {id: a, language: en, product: SIM, question: Lost?, answer: Call us., source: Handbook p. 3}\n"
    base.bring(base.file("sim.yaml", text))
    (entry,) = base.entries().values()
    assert entry.id == "a" and entry.source == "Handbook p. 3" and (base.folder / "sim.yaml").exists()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40).filter(clean), min_size=2, max_size=6), st.dates())
def test_whatever_is_imported_is_read_back_as_it_was(tmp_path_factory, words, day):
    fields = {
        "id": "one",
        "product": "x",
        "question": words[0],
        "answer": words[1],
        "also_asked": words,
        "valid_from": day,
    }
    source = Source(Path("a.jsonl"), [Row(fields, "line 1"), Row(fields | {"id": "two"}, "line 2")])
    entries, faults = make_entries(source, Defaults())
    path = tmp_path_factory.mktemp("back") / "a.yaml"
    path.write_text(render(FilePlan(source.path, path, entries)), "utf-8")
    assert not faults and load_entries(path) == entries


def test_the_same_file_again_changes_nothing(base):
    path = base.file("faq.csv", HEAD + ROAM)
    assert base.bring(path).number == 1
    written = (base.folder / "faq.csv.yaml").stat().st_mtime_ns
    assert not base.plan(path).changes and base.bring(path) is None
    assert (base.folder / "faq.csv.yaml").stat().st_mtime_ns == written


def test_a_preview_says_what_is_added_changed_and_removed(base):
    base.bring(base.file("faq.csv", HEAD + ROAM + LIMIT))
    new = HEAD + ROAM.replace("10910", "10911") + "怎么销户？,请到营业厅。,,号卡,,,\n"
    changes = base.plan(base.file("faq.csv", new)).changes
    assert [entry.question for entry in changes.added] == ["怎么销户？"]
    assert [(each.after.question, each.fields) for each in changes.changed] == [("漫游怎么开通？", ("answer",))]
    assert [entry.question for entry in changes.removed] == ["当场能退多少？"]


def test_a_question_whose_wording_was_mended_keeps_its_id(base):
    base.bring(base.file("faq.csv", HEAD + ROAM.replace("怎么开通", "怎麽开通")))
    before = base.entries()["漫游怎麽开通？"].id
    for _ in range(2):
        base.bring(base.file("faq.csv", HEAD + ROAM))
        assert base.entries()["漫游怎么开通？"].id == before


def test_every_bad_row_is_named_and_nothing_is_imported_unless_asked(base):
    rows = "有问没答？,,,漫游,,,\n日期不对？,答。,,漫游,,下个月,\n受众不对？,答。,,漫游,大家,,\n漫游开通,发短信,到10910,漫游,,,,多\n"
    path = base.file("faq.csv", HEAD + ROAM + rows)
    found = texts(base.plan(path))
    assert [text.split(":")[0] for text in sorted(found)] == ["line 3", "line 4", "line 5", "line 6"]
    with pytest.raises(Rejected, match="nothing was imported"):
        base.bring(path)
    assert not list(base.folder.iterdir())
    base.bring(path, skip_bad=True)
    assert list(base.entries()) == ["漫游怎么开通？"]


def test_a_row_that_has_become_wrong_leaves_the_entry_of_last_time(base):
    base.bring(base.file("faq.csv", HEAD + ROAM + LIMIT))
    worse = base.file("faq.csv", HEAD + ROAM.replace("2026/3/1", "三月") + LIMIT.replace("五十", "六十"))
    base.bring(worse, skip_bad=True)
    assert [entry.answer for entry in base.entries().values()] == ["发短信KTMY到10910。", "六十元以内。"]
    broken = base.file("faq.csv", HEAD.replace("产品", "物品") + LIMIT)
    assert base.bring(broken, skip_bad=True) is None and len(base.entries()) == 2


def test_of_two_imports_that_were_looked_at_together_the_second_must_be_looked_at_again(base):
    one, two = base.plan(base.file("a.csv", HEAD + ROAM)), base.plan(base.file("b.csv", HEAD + LIMIT))
    apply(one, [base.folder], base.data)
    with pytest.raises(Rejected, match="changed meanwhile"):
        apply(two, [base.folder], base.data)
    assert list(base.entries()) == ["漫游怎么开通？"]


def test_a_bad_file_does_not_stop_the_others_when_asked(base):
    good, bad = base.file("a.csv", HEAD + ROAM), base.file("b.xlsx", b"not a workbook")
    with pytest.raises(Rejected, match=r"b\.xlsx"):
        base.bring(good, bad)
    base.bring(good, bad, skip_bad=True)
    assert list(base.entries()) == ["漫游怎么开通？"]


def test_doubles_are_left_out_and_other_answers_to_the_same_question_are_faults(base):
    base.bring(base.file("a.csv", HEAD + ROAM))
    plan = base.plan(
        base.file(
            "b.csv", HEAD + ROAM + "漫游 怎么开通,打电话。,,国际漫游,,,\n漫游怎么样开通？,发短信。,,国际漫游,,,\n"
        )
    )
    (file,) = plan.files
    assert "line 2: left out, the same as" in file.duplicates[0] and "is nearly" in file.duplicates[1]
    assert "has another answer" in texts(plan)[0] and len(file.entries) == 1


def test_the_same_question_may_have_one_answer_after_the_other(base):
    rows = "多少钱？,28元。,,漫游,,2026-01-01,2026-06-30\n多少钱？,25元。,,漫游,,2026-07-01,\n"
    plan = base.plan(base.file("a.csv", "id," + HEAD + "old," + rows.replace("\n", "\nnew,", 1)))
    assert not texts(plan) and len(plan.files[0].entries) == 2


def test_an_id_of_another_file_is_a_fault(base):
    base.bring(base.file("a.csv", "id,question,answer,product\none,How?,So.,SIM\n"))
    assert "'one' is also used in a.csv, line 2" in texts(
        base.plan(base.file("b.csv", "id,question,answer,product\none,Why?,Thus.,SIM\n"))
    )[0]  # fmt: skip


def test_a_file_without_a_product_asks_for_one(base):
    path = base.file("a.csv", "question,answer\nHow?,So.\n")
    assert texts(base.plan(path)) == ["no product is given: add a column product (产品), or name one with --product"]
    assert not texts(base.plan(path, product="SIM"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.doc", b"x", "save the file as .docx"),
        ("a.exe", b"x", "is not read"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x,y\n1,2\n", "question"),
        ("a.csv", b'question,answer\n"open', "not a CSV table"),
        ("a.xlsx", b"PK nonsense", "broken"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(base, name, content, reason):
    with pytest.raises(FileFault, match=reason):
        read_source(base.file(name, content))


MANUAL = """前言不属于任何标题。

# 国际漫游手册

## 一、开通
发短信到10910。

| 地区 | 日包 |
| --- | --- |
| 一区 | 28元 |

## 二、常见问题
**问：** 漫游几分钟生效？
**答：** 10分钟内。
重启一次即可。

Q2: 副卡能开吗？ A: 可以。

| 问题 | 答案 |
|---|---|
| 能用多少天？ | 不限。 |
"""


def test_a_markdown_manual_is_cut_along_headings_and_questions(base):
    plan = base.plan(base.file("手册.md", MANUAL), product="国际漫游")
    found = {entry.question: entry for entry in plan.files[0].entries}
    assert set(found) == {"国际漫游手册：开通", "漫游几分钟生效？", "副卡能开吗？", "能用多少天？"}
    assert found["国际漫游手册：开通"].answer.endswith("| 地区 | 日包 |\n| --- | --- |\n| 一区 | 28元 |")
    assert found["漫游几分钟生效？"].answer == "10分钟内。\n重启一次即可。"
    assert found["副卡能开吗？"].answer == "可以。" and found["副卡能开吗？"].source == "手册.md, line 17"
    assert plan.files[0].notes == ["text above the first heading is left out: line 1"]


def test_a_long_section_becomes_entries_that_repeat_the_table_head(base):
    rows = "\n".join(f"| 国家{number} | {number}元/天 |" for number in range(200))
    text = f"# 漫游资费表\n| 国家 | 价格 |\n|---|---|\n{rows}\n"
    entries = base.plan(base.file("a.md", text), product="漫游").files[0].entries
    assert [entry.question for entry in entries[:2]] == ["漫游资费表", "漫游资费表（2）"]
    assert all(entry.answer.startswith("| 国家 | 价格 |\n|---|---|") for entry in entries)
    assert sum(entry.answer.count("元/天") for entry in entries) == 200
