"""Small real language models with random weights, made on the spot."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def _tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    specials = ["<|end|>", "<|unknown|>", "<|system|>", "<|user|>", "<|assistant|>"]
    letters = sorted({*map(chr, range(32, 127)), *"你是客户您好，请问有什么可以帮您？话费多了的我再见\n"})
    vocab = {name: index for index, name in enumerate([*specials, *letters])}
    made = Tokenizer(models.WordLevel(vocab, unk_token="<|unknown|>"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Split("", behavior="isolated"), decoders.Fuse()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>", extra_special_tokens=specials[2:])
    wrapped.chat_template = template
    return wrapped


def make_tiny(folder: Path, template: str | None = TEMPLATE, kind: str = "llama") -> Path:
    torch.manual_seed(3)
    tokenizer = _tokenizer(template)
    sizes = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    ends = {"eos_token_id": 0, "bos_token_id": None, "pad_token_id": 0, "initializer_range": 0.4}
    config = {"llama": LlamaConfig, "qwen3": Qwen3Config}[kind](**sizes, **heads, **ends)
    {"llama": LlamaForCausalLM, "qwen3": Qwen3ForCausalLM}[kind](config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
