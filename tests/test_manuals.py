"""Manuals in DOCX, PPTX and PDF, made on the spot, become entries with their places; tables stay tables."""

from __future__ import annotations

from pathlib import Path

import docx
import pptx
import pytest
from pptx.util import Cm

from roleplay.errors import FileFault
from roleplay.knowledge.ingest import read_source
from roleplay.knowledge.sources import Source


def rows(source: Source) -> dict[str, tuple[str, str]]:
    return {row.fields["question"]: (row.fields["answer"], row.place) for row in source.rows}


def fill(table, *lines: tuple[str, ...]) -> None:
    for number, line in enumerate(lines):
        for column, text in enumerate(line):
            table.cell(number, column).text = text


def test_a_word_manual_is_cut_along_headings_questions_and_question_tables(tmp_path):
    document = docx.Document()
    document.add_heading("国际漫游手册", 0)
    document.add_heading("二、开通_办法说明", 1)
    document.add_paragraph("发短信KTMY*到10910。")
    fill(document.add_table(3, 2), ("地区", "日包"), ("一区", "28元"), ("二区", "38元"))
    document.add_paragraph().add_run("问：").bold = True
    document.paragraphs[-1].add_run("几分钟生效？")
    document.add_paragraph("答：10分钟内。")
    document.add_heading("常见问题", 2)
    fill(document.add_table(2, 2), ("问题", "答案"), ("能退吗？", "当天可以退。"))
    document.save(str(tmp_path / "手册.docx"))
    found = rows(read_source(tmp_path / "手册.docx"))
    table = "| 地区 | 日包 |\n| --- | --- |\n| 一区 | 28元 |\n| 二区 | 38元 |"
    assert found == {
        "开通_办法说明": (f"发短信KTMY*到10910。\n\n{table}", "section 二、开通_办法说明"),
        "几分钟生效？": ("10分钟内。", "section 二、开通_办法说明"),
        "能退吗？": ("当天可以退。", "section 常见问题, table row 2"),
    }


def test_slides_become_entries_and_their_notes_are_for_staff_only(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "漫游日包", "每天28元\n可以叠加"
    slide.notes_slide.notes_text_frame.text = "投诉时最多减免两天"
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "各区价格表"
    fill(slide.shapes.add_table(2, 2, Cm(1), Cm(8), Cm(9), Cm(2)).table, ("地区", "价格"), ("一区", "28元"))
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(2)).text_frame.text = "价格含税。"
    deck.save(str(tmp_path / "培训.pptx"))
    source = read_source(tmp_path / "培训.pptx")
    assert rows(source) == {
        "漫游日包": ("每天28元\n可以叠加", "slide 1"),
        "漫游日包（备注）": ("投诉时最多减免两天", "slide 1"),
        "各区价格表": ("| 地区 | 价格 |\n| --- | --- |\n| 一区 | 28元 |\n\n价格含税。", "slide 2"),
    }
    assert [row.fields.get("audience") for row in source.rows] == [None, "internal", None]


def test_bold_lines_are_headings_where_a_manual_has_no_others_and_nothing_is_lost_in_silence(tmp_path):
    document = docx.Document()
    for text, bold in [("一、怎么销户", True), ("带证件到营业厅。", False), ("二、空的一节", True), ("三、退费规则", True),
                       ("余额退到原账户。", False), ("注意事项", True), ("三天内到账。", False)]:  # fmt: skip
        document.add_paragraph().add_run(text).bold = bold
    document.save(str(tmp_path / "a.docx"))
    source = read_source(tmp_path / "a.docx")
    found = {question: answer for question, (answer, _) in rows(source).items()}
    assert found == {"怎么销户": "带证件到营业厅。", "退费规则": "余额退到原账户。", "注意事项": "三天内到账。"}
    assert source.notes == ["headings and questions without text are left out: 空的一节 (section 二、空的一节)"]


class Page:
    """A page of a PDF written by hand: texts at places, and ruled tables."""

    def __init__(self) -> None:
        self.marks: list[str] = []

    def text(self, x: float, y: float, size: float, text: str) -> Page:
        self.marks.append(f"BT /F1 {size} Tf {x} {y} Td <{text.encode('utf-16-be').hex()}> Tj ET")
        return self

    def table(self, x: float, y: float, lines: list[tuple[str, ...]]) -> Page:
        for number in range(len(lines) + 1):
            self.marks.append(f"{x} {y - 20 * number} m {x + 100 * len(lines[0])} {y - 20 * number} l S")
        for column in range(len(lines[0]) + 1):
            self.marks.append(f"{x + 100 * column} {y} m {x + 100 * column} {y - 20 * len(lines)} l S")
        for number, line in enumerate(lines):
            for column, text in enumerate(line):
                self.text(x + 100 * column + 5, y - 20 * number - 15, 10, text)
        return self


def write_pdf(path: Path, pages: list[Page]) -> Path:
    """A PDF with a Chinese font that every reader has its own of."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /CIDSystemInfo"
        " << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
    ]
    for number, page in enumerate(pages):
        marks = "\n".join(page.marks)
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
            f" /Contents {6 + 2 * number} 0 R >>",
            f"<< /Length {len(marks)} >>\nstream\n{marks}\nendstream",
        ]
    text, places = "%PDF-1.4\n", []
    for number, thing in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{thing}\nendobj\n"
    index = "".join(f"{place:010} 00000 n \n" for place in places)
    text += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{index}"
    text += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{text.index('xref')}\n%%EOF"
    path.write_bytes(text.encode("latin-1"))
    return path


def test_a_pdf_manual_keeps_pages_headings_and_tables_and_loses_running_heads(tmp_path):
    pages = [Page().text(60, 810, 9, "星桥移动内部资料").text(290, 30, 9, str(number)) for number in (1, 2, 3)]
    pages[0].text(60, 740, 18, "国际漫游服务手册").text(60, 700, 14, "一、漫游的开通办法")
    pages[0].text(60, 670, 10, "国际漫游默认是关闭的，开通免费，十分钟内生效，您可以在星桥应用里打开，也可以发短信")
    pages[0].text(60, 655, 10, "到客服热线。")
    pages[1].text(60, 740, 14, "二、各区价格是多少").table(60, 700, [("地区", "日包"), ("一区", "28元")])
    pages[1].text(60, 600, 10, "以上价格含税。")
    pages[2].text(60, 700, 10, "问：能退吗？").text(60, 680, 10, "答：当天可以退。")
    source = read_source(write_pdf(tmp_path / "手册.pdf", pages))
    assert rows(source) == {
        "漫游的开通办法": (
            "国际漫游默认是关闭的，开通免费，十分钟内生效，您可以在星桥应用里打开，也可以发短信到客服热线。",
            "page 1",
        ),
        "各区价格是多少": ("| 地区 | 日包 |\n| --- | --- |\n| 一区 | 28元 |\n\n以上价格含税。", "page 2"),
        "能退吗？": ("当天可以退。", "page 3"),
    }
    assert source.notes == ["repeated at the edges of pages, left out: 星桥移动内部资料"]


def test_a_pdf_without_text_says_that_it_must_be_recognised_first(tmp_path):
    with pytest.raises(FileFault, match="OCR"):
        read_source(write_pdf(tmp_path / "scan.pdf", [Page()]))


@pytest.mark.parametrize("suffix", [".docx", ".pptx", ".pdf"])
def test_a_broken_manual_is_one_clear_fault(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"PK\x03\x04 or %PDF, but no more")
    with pytest.raises(FileFault) as caught:
        read_source(path)
    assert len(caught.value.faults) == 1 and len(str(caught.value)) < 300
