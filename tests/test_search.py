"""The search over a published knowledge base, with the bundled embedder and a real Chroma folder."""

from __future__ import annotations

import datetime
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from roleplay.errors import FileFault, Rejected, Unavailable
from roleplay.knowledge.embedding import load_embedder
from roleplay.knowledge.store import open_knowledge

FOLDER = Path(__file__).parents[1] / "knowledge_base"
SMALL = """entries:
- {id: lost, language: zh-CN, product: 号卡, question: 手机卡丢了怎么挂失, answer: 拨打热线免费挂失。, valid_to: 2026-06-30}
- {id: refund, language: zh-CN, product: 账单, question: 多扣的费用怎么退, answer: 三个工作日内退到话费。}
- {id: limit, language: zh-CN, product: 内部, question: 客服当场能退多少, answer: 五十元以内。, audience: internal}
- {id: en-lost, language: en, product: SIM, question: How do I report a lost SIM, answer: Call the hotline. It is free.}
"""


class Letters:
    """An embedder of its own: which characters a text has. Changes its fingerprint with its salt."""

    spec, dim = "letters", 64

    def __init__(self, salt: int = 0) -> None:
        self.fingerprint, self.calls = f"letters{salt}", 0

    def encode(self, texts):
        self.calls += 1
        rows = np.array([np.bincount([ord(c) % 64 for c in text], minlength=64) for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory):
    return open_knowledge(FOLDER, tmp_path_factory.mktemp("kb"), load_embedder("bundled"))


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, "utf-8")
    return path


def found(knowledge, query, **options):
    return [hit.entry.id for hit in knowledge.search(query, **options).hits]


@pytest.mark.parametrize(
    ("query", "entry"),
    [
        ("话费账单怎么看", "bill-read"),
        ("慢游功能在那里开痛", "roam-activate"),  # misheard throughout
        ("点解呢个月話費貴咗咁多", "bill-higher"),  # Cantonese, traditional characters
        ("咋个这个月话费恁多嘛", "bill-higher"),
        ("已经land在Bangkok了，出发前忘记开roaming，还能activate吗", "roam-activate-abroad"),
        ("my bill is much higher than last month", "en-bill-higher"),
    ],
)
def test_a_question_in_many_manners_finds_its_entry(knowledge, query, entry):
    assert entry in found(knowledge, query)


def test_a_chinese_question_finds_the_english_entry_and_the_other_way_round(knowledge):
    assert "en-roam-activate" in found(knowledge, "出国前怎么开通国际漫游", language="en")
    assert "roam-activate" in found(knowledge, "how do I turn on international roaming", language="zh-CN")


def test_of_twins_the_one_in_the_language_of_the_question_stands_first(knowledge):
    assert found(knowledge, "how do I turn on international roaming")[0] == "en-roam-activate"
    assert found(knowledge, "怎么开通国际漫游")[0] == "roam-activate"


def test_small_talk_and_another_trade_are_answered_with_nothing_fits(knowledge):
    for query in ("今天天气怎么样", "给我讲个笑话听听", "how are you today", "信用卡年费怎么才能免掉"):
        assert knowledge.search(query).nothing_fits
    assert not knowledge.search("怎么开通国际漫游").nothing_fits


def test_an_entry_is_compared_by_the_middle_of_its_texts(knowledge):
    entry, embedder = knowledge.entry("bill-read"), load_embedder("bundled")
    texts = embedder.encode([entry.question, *entry.also_asked, entry.answer])
    middle = texts.mean(axis=0) / np.linalg.norm(texts.mean(axis=0))
    hit = next(hit for hit in knowledge.search("话费账单怎么看").hits if hit.entry == entry)
    assert np.isclose(hit.similarity, embedder.encode(["话费账单怎么看"])[0] @ middle, atol=1e-3)


def test_an_empty_query_finds_nothing(knowledge):
    result = knowledge.search("  ")
    assert result.hits == () and result.nothing_fits


def test_internal_entries_are_found_only_when_asked_for(knowledge):
    assert not any(name.startswith("int-") for name in found(knowledge, "善意减免规则", limit=50))
    assert found(knowledge, "善意减免规则", audience=("internal",))[0] == "int-authority-goodwill"


def test_a_hit_says_which_words_it_rests_on(knowledge):
    hit = knowledge.search("怎么开通国际漫游").hits[0]
    assert "漫游" in hit.words and 0 < hit.similarity <= 1.0001


def test_an_entry_is_found_on_the_days_on_which_it_is_valid(small, tmp_path):
    knowledge = open_knowledge(small, tmp_path / "data", Letters())
    assert "lost" in found(knowledge, "手机卡丢了")
    assert "lost" in found(knowledge, "手机卡丢了", on=datetime.date(2026, 6, 30))
    assert "lost" not in found(knowledge, "手机卡丢了", on=datetime.date(2026, 7, 1))


def test_an_unknown_entry_is_rejected(small, tmp_path):
    knowledge = open_knowledge(small, tmp_path / "data", Letters())
    assert knowledge.entry("refund").product == "账单"
    with pytest.raises(Rejected, match="nobody"):
        knowledge.entry("nobody")


def test_the_same_version_is_opened_without_embedding_anything(small, tmp_path):
    told: list[str] = []
    first = open_knowledge(small, tmp_path / "data", Letters(), progress=told.append)
    again = Letters()
    second = open_knowledge(small, tmp_path / "data", again, progress=told.append)
    assert second.version == first.version and again.calls == 0 and len(told) == 1


def test_changed_entries_or_another_embedder_make_another_version(small, tmp_path):
    first = open_knowledge(small, tmp_path / "data", Letters())
    other = open_knowledge(small, tmp_path / "data", Letters(salt=1))
    small.write_text(SMALL.replace("三个工作日", "五个工作日"), "utf-8")
    changed = open_knowledge(small, tmp_path / "data", Letters())
    assert len({first.version, other.version, changed.version}) == 3
    assert "lost" in found(first, "手机卡丢了")  # the older one still answers


@pytest.mark.parametrize("harm", ["nothing", "garbage", "cut"])
def test_a_broken_folder_is_made_anew(small, tmp_path, harm):
    version = open_knowledge(small, tmp_path / "data", Letters()).version
    copy = tmp_path / "copy"  # a place that this process has not opened before
    shutil.copytree(tmp_path / "data", copy)
    database = copy / f"kb-{version}" / "chroma.sqlite3"
    if harm == "nothing":
        database.unlink()
    elif harm == "garbage":
        database.write_bytes(b"no database" * 1000)
    else:
        database.write_bytes(database.read_bytes()[:5000])
    knowledge = open_knowledge(small, copy, Letters())
    assert knowledge.version == version and found(knowledge, "多扣的费用怎么退")[0] == "refund"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_unavailable(small, tmp_path):
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(Unavailable, match="data folder"):
        open_knowledge(small, tmp_path / "data", Letters())


def test_a_data_folder_that_is_a_file_is_unavailable(small, tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(Unavailable, match="data folder"):
        open_knowledge(small, tmp_path / "data", Letters())


def test_a_server_that_is_not_there_is_unavailable_and_a_wrong_address_rejected(small, tmp_path):
    with pytest.raises(Unavailable, match="chroma run"):
        open_knowledge(small, tmp_path / "data", Letters(), server="http://127.0.0.1:9")
    with pytest.raises(Rejected, match="http://HOST:PORT"):
        open_knowledge(small, tmp_path / "data", Letters(), server="somewhere")


def test_files_without_entries_are_a_fault(tmp_path):
    (tmp_path / "none.yaml").write_text("entries: []\n")
    with pytest.raises((FileFault, Unavailable)):
        open_knowledge(tmp_path / "none.yaml", tmp_path / "data", Letters())


def test_the_bundled_embedder_gives_vectors_of_length_one_and_a_stable_fingerprint():
    first, second = load_embedder("bundled"), load_embedder("bundled")
    vectors = first.encode(["漫游怎么开通", "", "…"])
    assert vectors.shape == (3, first.dim) and vectors.dtype == np.float32
    assert np.isclose(np.linalg.norm(vectors[0]), 1, atol=1e-3) and np.isfinite(vectors).all()
    assert first.fingerprint == second.fingerprint and len(first.fingerprint) == 16


def test_a_missing_embedder_is_unavailable_and_a_wrong_name_rejected(tmp_path):
    with pytest.raises(Unavailable):
        load_embedder(f"st:{tmp_path}")
    with pytest.raises(Rejected, match="bundled"):
        load_embedder("word2vec")
