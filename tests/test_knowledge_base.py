"""The shipped knowledge base says one thing everywhere: entries, twins and the price sheet agree."""

from __future__ import annotations

import re
from pathlib import Path

from roleplay.knowledge.entries import contradictions, load_entries

FOLDER = Path(__file__).parents[1] / "knowledge_base"
UNIT = (
    r"个工作日|个国家|个月|个号|个城市|个|元|小时|分钟|秒|天|年|日|号|条|张|次|台|份|分|折|位|期|岁|米|页|档|类|级|部"
    r"|%|GB|MB|Mbps|Kbps|M|毫安时"
)
ENTRIES = load_entries(FOLDER)
SHEET = re.sub(r"\s|\*", "", (FOLDER / "README.md").read_text("utf-8"))


def test_entries_links_and_twins_agree():
    assert not list(map(str, contradictions(ENTRIES)))


def test_every_number_with_a_unit_stands_in_the_price_sheet():
    token = re.compile(rf"\d+(?:\.\d+)?(?:{UNIT})(?:/(?:天|月|分钟|条|MB|GB|\d+GB|台|张|份|次|人|号|个))*")
    lost = [
        (entry.id, number)
        for entry in ENTRIES
        if entry.language == "zh-CN"
        for number in token.findall(entry.answer)
        if not re.search(r"(?<![\d.])" + re.escape(number), SHEET)
    ]
    assert not lost


def test_each_file_holds_the_product_that_the_sheet_names():
    rows = re.findall(r"^\| `([a-z-]+\.yaml)` \| (.+?) \| (.+?) \|$", (FOLDER / "README.md").read_text("utf-8"), re.M)
    products = {file: {"zh-CN": chinese, "en": english} for file, chinese, english in rows}
    wrong = [e.id for e in ENTRIES if products[e.source.split(":")[0]][e.language] != e.product]
    assert not wrong and {path.name for path in FOLDER.glob("*.yaml")} == set(products)


def test_a_chinese_entry_is_short_and_in_full_width_marks():
    for entry in (entry for entry in ENTRIES if entry.language == "zh-CN"):
        assert 40 <= len(entry.answer) <= 180 and 2 <= len(entry.facts) <= 5 and 2 <= len(entry.also_asked) <= 5, entry
        for text in (entry.question, entry.answer, *(fact for _, fact in entry.facts)):
            assert not re.search(r"[,;?!()\"']|:(?!\d)|(?<!\d)\.(?!\d)", text), entry


def test_internal_rules_are_internal_and_nothing_else_is():
    assert all((entry.audience == "internal") == entry.source.startswith("internal.yaml") for entry in ENTRIES)


def test_an_english_entry_has_a_chinese_twin_and_is_short():
    english = [entry for entry in ENTRIES if entry.language == "en"]
    assert all(entry.twin and 25 <= len(entry.answer.split()) <= 80 for entry in english)
    assert len({entry.twin for entry in english}) == len(english)
