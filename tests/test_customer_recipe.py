"""The recipe of the bundled customer on a few texts: what is learnt from, and how lines are scored."""

import random

import pytest
import torch

from roleplay.models.making import BUNDLED
from roleplay.training.choosing import Alone, Pool, line_scores, make_exam
from roleplay.training.corpus import split_of
from roleplay.training.customer import Progress, Stage, batches, make_model, save, train_choosing
from roleplay.training.customer_texts import Texts, call_messages, encode, fill, part, train_tokenizer, untold


@pytest.fixture(scope="module")
def texts():
    return Texts("train")


@pytest.fixture(scope="module")
def tokenizer(texts):
    return train_tokenizer([call_messages(call) for call in texts.calls[:200:9]])


@pytest.fixture(scope="module")
def few(texts):
    """A training split of a few calls and lines."""
    small = Texts("train")
    small.calls, small.lines, small.replies = texts.calls[:2], texts.lines[:6], ()
    return small


def test_nothing_that_is_held_out_is_learnt_from(texts):
    assert {split_of(call.id) for call in texts.calls} == {split_of(line.id) for line in texts.lines} == {"train"}
    assert {split_of(row.group) for row in texts.replies} == {"train"}


def test_every_slot_of_every_line_is_filled(texts):
    rng = random.Random(1)
    filled = [fill(line.text, line.language, rng)[0] for line in texts.lines]
    assert not [text for text in filled if "{" in text]


def test_any_text_survives_the_tokenizer(tokenizer):
    text = "喂，扣了823.5元！？ I don't know㍿ it's $45, naïve 龘\n[answer 112] <0x41>"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_own_words_are_the_customers_and_their_end(tokenizer):
    ids, own = encode(tokenizer, [("system", "en"), ("user", "hi"), ("assistant", "你好")])
    assert (
        tokenizer.decode([t for t, mine in zip(ids, own, strict=True) if mine], skip_special_tokens=False)
        == "你好<|end|>"
    )


def test_a_part_of_a_call_is_whole_pairs_in_a_row(texts):
    call = texts.calls[0]
    for seed in range(8):
        cut = part(call, random.Random(seed)).turns
        start = call.turns.index(cut[0])
        assert start % 2 == 0 and cut == call.turns[start : start + len(cut)] and len(cut) >= 2


def test_untold_strikes_only_the_facts():
    told = [("user", "您好\n[answer 112] 账单823元"), ("assistant", "八百多")]
    assert untold(told, 1.0, random.Random(0)) == [("user", "您好\n[answer 112]"), ("assistant", "八百多")]


def test_batches_hold_every_row_once(tokenizer, texts):
    rows = [encode(tokenizer, call_messages(call)) for call in texts.calls[:7]]
    made = list(batches(rows, 2000, 0, random.Random(0)))
    assert sum(len(ids) for ids, _ in made) == 7
    assert sum(int(own.sum()) for _, own in made) == sum(sum(own) for _, own in rows)


def test_lines_scored_in_one_row_get_what_each_would_get_alone(tokenizer, texts):
    model, pool, rng = make_model(tokenizer).eval(), Pool(tokenizer, ("train",)), random.Random(2)
    call = texts.calls[1]
    exam = make_exam(tokenizer, pool, call, call_messages(call), 3, rng)
    with torch.no_grad():
        scores, _ = line_scores(model, exam)
        choice = exam.choices[2]
        for words, score in zip((choice.truth, *choice.rivals), scores[2], strict=True):
            ids = torch.tensor([[*exam.ids[: choice.place + 1], *words]])
            logs = model(ids).logits.log_softmax(-1)[0, :-1].gather(-1, ids[0, 1:, None])[:, 0]
            assert float(score) == pytest.approx(float(logs[choice.place :].sum()), rel=1e-4)


def test_the_measured_score_is_what_the_product_weighs(tokenizer, texts, tmp_path):
    from roleplay.models.transformers_model import TransformersModel

    model = make_model(tokenizer).bfloat16().float().eval()
    save(model, tokenizer, tmp_path)
    product = TransformersModel(str(tmp_path), writes=False)
    line = "我的话费怎么多了？"
    words = (*tokenizer.encode(line).ids, tokenizer.token_to_id("<|end|>"))
    alone = Alone(model.float(), tokenizer).scores("zh-CN", [words])
    assert product.weigh([{"role": "system", "content": "zh-CN"}], [line]) == pytest.approx(alone.tolist(), abs=0.05)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tokenizer, few, tmp_path, monkeypatch):
    monkeypatch.setattr("roleplay.training.customer.Texts", lambda split: few)
    stage = Stage("choosing", epochs=3, rate=1e-3, rest=0.3, tokens=100)
    whole, halved, again = make_model(tokenizer), make_model(tokenizer), make_model(tokenizer, seed=9)
    for name in "ab":
        (tmp_path / name).mkdir()
    train_choosing(whole, tokenizer, stage, tmp_path / "a")
    update = Progress.update

    def stops(self, loss, total):
        update(self, loss, total)
        if self.step == 2:
            self.save()
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", stops)
    with pytest.raises(KeyboardInterrupt):
        train_choosing(halved, tokenizer, stage, tmp_path / "b")
    monkeypatch.setattr(Progress, "update", update)
    train_choosing(again, tokenizer, stage, tmp_path / "b")
    assert torch.equal(whole.lm_head.weight, again.lm_head.weight)


def test_the_bundled_weights_are_small_and_half_precision():
    from safetensors.torch import load_file

    path = BUNDLED / "model.safetensors"
    assert path.stat().st_size < 40e6 and {str(t.dtype) for t in load_file(path).values()} == {"torch.bfloat16"}
