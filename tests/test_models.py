import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from made_model import TEMPLATE, make_tiny
from transformers import AutoModelForCausalLM, AutoTokenizer

from roleplay.errors import FileFault, Rejected, Unavailable
from roleplay.models import Sampling, prefixes, together
from roleplay.models.making import make_model
from roleplay.models.together import AT_ONCE, Batch
from roleplay.models.transformers_model import TransformersModel
from roleplay.models.visible import opened_thinking, shown_pieces, visible

NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TEMPLATE
GREEDY = Sampling(max_tokens=24, temperature=0.0)
CHAT = [{"role": "system", "content": "你是客户 Wang"}, {"role": "user", "content": "您好，请问有什么可以帮您？"}]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folders of small real models with random weights, by kind."""
    return {kind: make_tiny(tmp_path_factory.mktemp(kind), kind=kind) for kind in ("llama", "qwen3")}


def _said(model, messages, sampling=GREEDY):
    return "".join(model.stream(messages, sampling))


def _plain_generation(folder, messages, tokens):
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
    out = model.generate(ids, do_sample=False, max_new_tokens=tokens)[0, ids.shape[1] :]
    return tokenizer.decode(out, skip_special_tokens=True).lstrip()


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_a_greedy_stream_says_what_plain_generation_says(tiny, kind):
    said = _said(TransformersModel(str(tiny[kind])), CHAT)
    assert said and said == _plain_generation(tiny[kind], CHAT, GREEDY.max_tokens)


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_a_reused_cache_changes_nothing(tiny, kind):
    model, prefills = TransformersModel(str(tiny[kind])), []
    read = model._together.read
    model._together.read = lambda ids, cache: prefills.append(len(ids)) or read(ids, cache)
    chat = list(CHAT)
    for heard in ("话费多了？", "hello there", "好的 you"):
        said = _said(model, chat)
        assert said == _said(TransformersModel(str(tiny[kind])), chat)
        chat += [{"role": "assistant", "content": said}, {"role": "user", "content": heard}]
    assert len(prefills) == 3 and sum(prefills) < len(model._tokens(model._loaded.render(chat)))


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_weighing_equals_the_plain_sum_of_log_probabilities(tiny, kind):
    options = ["好", "hello there", "您好，有什么", "1", *(f"you {n}" * (n % 5 + 1) for n in range(40))]
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny[kind]), AutoTokenizer.from_pretrained(tiny[kind])
    prompt = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    plain = []
    for option in options:
        before = tokenizer(prompt, add_special_tokens=False).input_ids
        ids = torch.tensor([before + tokenizer(option, add_special_tokens=False).input_ids + [0]])
        with torch.inference_mode():
            logs = model(ids).logits.log_softmax(-1)[0, :-1].gather(-1, ids[0, 1:, None])[:, 0]
        plain.append(float(logs[len(before) - 1 :].sum()))
    ours = TransformersModel(str(tiny[kind]))
    assert ours.weigh(CHAT, options) == pytest.approx(plain, abs=1e-3)
    _said(ours, CHAT)
    assert ours.weigh(CHAT, options) == pytest.approx(plain, abs=1e-3)  # also from a cache that holds the whole prompt


def test_the_same_seed_says_the_same_and_leaves_the_global_chance_alone(tiny):
    model = TransformersModel(str(tiny["llama"]))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (_said(model, CHAT, Sampling(temperature=1.0, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert torch.equal(before, torch.get_rng_state())


def test_a_template_without_system_role_gets_it_in_the_first_user_message(tmp_path, caplog):
    caplog.set_level("INFO")
    model = TransformersModel(str(make_tiny(tmp_path, NO_SYSTEM)))
    prompt = model._loaded.render(CHAT)
    assert prompt == "<|user|>你是客户 Wang\n\n您好，请问有什么可以帮您？<|end|><|assistant|>"
    assert "first user message" in caplog.text


def test_a_model_without_a_template_gets_a_plain_form_and_stops_at_the_next_speaker(tmp_path):
    folder = make_tiny(tmp_path, None)
    model = TransformersModel(str(folder))
    assert model._loaded.render(CHAT) == "你是客户 Wang\nUser: 您好，请问有什么可以帮您？\nAssistant:"
    assert model._loaded.stop == ("\nUser:",)
    assert isinstance(_said(model, CHAT), str) and model.weigh(CHAT, ["好", "no"])[0] < 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_thinking_is_stripped_however_the_pieces_are_cut(size):
    raw = "<think>He is\nangry</think>\n\n您好，<thinking>x</thinking>再见 < 3 <b>"
    pieces = ["".join(piece) for piece in itertools.batched(raw, size)] if hasattr(itertools, "batched") else [
        raw[start : start + size] for start in range(0, len(raw), size)
    ]  # fmt: skip
    assert "".join(shown_pieces(pieces, "m")) == "您好，再见 < 3 <b>"
    assert "".join(shown_pieces(["plan</think>\n", "好的"], "m", opened=opened_thinking("…<think>\n"))) == "好的"


@pytest.mark.parametrize("size", [1, 4, 100])
def test_nothing_from_a_stop_string_on_is_shown(size):
    raw = "hello there\nUser: more"
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    assert "".join(shown_pieces(pieces, "m", ("\nUser:",))) == "hello there"
    assert visible("hello\nUs", ("\nUser:",)) == ("hello", False)


def test_an_answer_of_thoughts_alone_is_an_error():
    with pytest.raises(Unavailable, match="thinking"):
        list(shown_pieces(["<think>on and on"], "m"))


@contextmanager
def _each_step(model, before):
    """While this lasts, `before` is called before every step that makes a token."""
    step = Batch.step

    def changed(batch):
        before()
        return step(batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batch, "step", changed)
        yield


def _breaks():
    raise RuntimeError("out of memory")


def test_a_failing_generation_is_told_and_the_next_one_runs(tiny):
    model = TransformersModel(str(tiny["llama"]))
    expected = _said(model, CHAT)
    with _each_step(model, _breaks), pytest.raises(Unavailable, match="out of memory"):
        _said(model, [*CHAT[:1], {"role": "user", "content": "other"}])
    assert _said(model, CHAT) == expected


def test_a_reader_who_goes_away_stops_the_generation(tiny):
    model, run = TransformersModel(str(tiny["llama"])), []
    with _each_step(model, lambda: (run.append(1), time.sleep(0.02))):
        stream = model.stream(CHAT, Sampling(max_tokens=500, temperature=0.0))
        next(stream)
        stream.close()
        model.weigh(CHAT, ["a"])  # the thread lets go of the answer within a token
        time.sleep(0.1)
        after = len(run)
        time.sleep(0.1)
        assert len(run) == after < 100


def test_a_model_slower_than_its_limit_is_unavailable(tiny):
    model, go_on = TransformersModel(str(tiny["llama"]), timeout=0.05), threading.Event()
    blocked = model._together.do(go_on.wait)
    with pytest.raises(Unavailable, match=r"0\.05 seconds"):
        _said(model, CHAT)
    with pytest.raises(Unavailable, match=r"0\.05 seconds"):
        model.weigh(CHAT, ["a"])
    go_on.set()
    blocked.result(5)
    model._timeout = 60.0  # asked here is whether it answers again; 50 ms for that are too few on a busy machine
    assert _said(model, CHAT)


def _at_once(work, given):
    """What `work` gives for each, all of them run at once."""
    with ThreadPoolExecutor(len(given)) as pool:
        return list(pool.map(work, given))


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_many_at_once_get_what_each_would_get_alone(tiny, kind):
    model, alone = TransformersModel(str(tiny[kind])), TransformersModel(str(tiny[kind]))
    words, rows = "请问有什么可以帮您 hello there you" * 40, []
    asked = [
        ([*CHAT[:1], {"role": "user", "content": words[: 1 + 37 * place]}],
         Sampling(max_tokens=5 + 7 * (place % 6), temperature=place % 3 * 0.6, seed=place))
        for place in range(24)
    ]  # fmt: skip
    with _each_step(model, lambda: rows.append(sum(len(batch.answers) for batch in model._together._batches))):
        said = _at_once(lambda each: _said(model, *each), asked)
    assert said == [_said(alone, *each) for each in asked]
    again = [
        ([*chat, {"role": "assistant", "content": text}, CHAT[1]], GREEDY)
        for (chat, _), text in zip(asked, said, strict=True)
    ]
    assert _at_once(lambda each: _said(model, *each), again[:8]) == [_said(alone, *each) for each in again[:8]]
    assert AT_ONCE // 2 < max(rows) <= AT_ONCE


def test_a_long_prompt_does_not_hold_up_an_answer_under_way(tiny, monkeypatch):
    monkeypatch.setattr(together, "READ", 8)
    model, order = TransformersModel(str(tiny["llama"])), []
    read = model._together.read
    model._together.read = lambda ids, cache: order.append("read") or read(ids, cache)
    with _each_step(model, lambda: (order.append("step"), time.sleep(0.002))):
        first = model.stream(CHAT, Sampling(max_tokens=200, temperature=0.0))
        next(first)
        _said(model, [{"role": "user", "content": "hello there " * 20}], Sampling(max_tokens=1, temperature=0.0))
        first.close()
    reads = [place for place, what in enumerate(order) if what == "read"][-20:]
    assert len(reads) == 20 and all("step" in order[one:other] for one, other in itertools.pairwise(reads))


def test_options_are_weighed_while_others_are_answered(tiny):
    model, alone = TransformersModel(str(tiny["llama"])), TransformersModel(str(tiny["llama"]))
    chats = [[*CHAT[:1], {"role": "user", "content": text}] for text in ("好", "hello", "you there", "a")]

    def both(chat):
        return _said(model, chat), model.weigh(chat, ["好", "hello there"])

    for (said, weights), chat in zip(_at_once(both, chats), chats, strict=True):
        assert said == _said(alone, chat)
        assert weights == pytest.approx(alone.weigh(chat, ["好", "hello there"]), abs=1e-3)


def test_answers_that_are_too_many_for_the_memory_become_fewer(tiny):
    model, given = TransformersModel(str(tiny["llama"])), 4

    def cramped():
        if any(len(batch.answers) > 2 for batch in model._together._batches):
            raise RuntimeError("out of memory")
        time.sleep(0.002)

    def tried(seed):
        chat = [*CHAT[:1], {"role": "user", "content": "a" * (seed + 1)}]
        try:
            return _said(model, chat, Sampling(max_tokens=60, temperature=0.0, seed=seed))
        except Unavailable:
            return ""

    with _each_step(model, cramped):
        _at_once(tried, range(given))
        assert all(_at_once(tried, range(given)))


def test_caches_are_kept_up_to_a_size(tiny, monkeypatch):
    model = TransformersModel(str(tiny["llama"]))
    for text in ("好", "hello", "you"):
        _said(model, [{"role": "user", "content": text}])
    kept = model._together.prefixes._kept
    assert len(kept) == 3
    monkeypatch.setattr(prefixes, "KEPT_BYTES", 1)
    _said(model, [{"role": "user", "content": "there"}])
    assert len(kept) == 1


def test_a_fingerprint_changes_with_the_weights(tiny, tmp_path):
    assert TransformersModel(str(tiny["llama"])).fingerprint != TransformersModel(str(tiny["qwen3"])).fingerprint


def test_missing_and_broken_models_say_what_to_do(tiny, tmp_path):
    with pytest.raises(Unavailable, match=r"config\.json is missing"):
        make_model(f"hf:{tmp_path}")
    folder = make_tiny(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(Unavailable, match="cannot be loaded"):
        make_model(f"hf:{folder}")
    with pytest.raises(Unavailable, match="no-such-model"):
        make_model("hf:nobody/no-such-model")


def test_weights_that_lack_a_part_are_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = make_tiny(tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Unavailable, match="lack"):
        make_model(f"hf:{folder}")


@pytest.mark.parametrize("spec", ["", "gpt", "hf:", "openai:localhost", "openai:http://127.0.0.1:1/v1", "scripted:"])
def test_a_wrong_spec_is_told_what_would_do(spec):
    with pytest.raises(Rejected, match="openai:http"):
        make_model(spec)


def test_a_small_model_does_not_write_unless_told_to(tiny):
    assert not make_model(f"hf:{tiny['llama']}").writes
    assert make_model(f"hf:{tiny['llama']}", writes=True, dtype="bfloat16").writes
    with pytest.raises(Rejected, match="float32"):
        make_model(f"hf:{tiny['llama']}", dtype="int3")


def test_a_script_answers_in_order_or_by_what_was_said(tmp_path):
    ordered = tmp_path / "list.yaml"
    ordered.write_text("- 你好\n- bye\n", "utf-8")
    model = make_model(f"scripted:{ordered}")
    assert [_said(model, CHAT), _said(model, CHAT)] == ["你好", "bye"]
    assert len(model.asked) == 2 and model.asked[0].messages == tuple(CHAT)
    with pytest.raises(Unavailable, match="used up"):
        _said(model, CHAT)
    keyed = tmp_path / "keyed.yaml"
    keyed.write_text("帮您: [一, 二]\n'.': other\n", "utf-8")
    model = make_model(f"scripted:{keyed}")
    assert [_said(model, CHAT) for _ in range(3)] == ["一", "二", "二"]
    assert model.weigh([{"role": "user", "content": "x"}], ["other", "b"])[0] > -0.2


def test_a_wrong_script_names_the_line(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("- good\n- 5\n", "utf-8")
    with pytest.raises(FileFault, match="line 2"):
        make_model(f"scripted:{path}")
