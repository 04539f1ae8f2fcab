"""Load a causal model and its tokenizer, and say how it is to be spoken to.

Knows transformers; nothing here runs the model. A folder is read without any look at the network, a
hub name may download, because the user has asked for it by name.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jinja2
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from roleplay.errors import Rejected, Unavailable
from roleplay.models import Message

log = logging.getLogger(__name__)

WHOLE_FILE = 64 * 2**20  # weights up to this size are hashed whole, larger ones at three places
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Loaded:
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    render: Callable[[Sequence[Message]], str]  # messages to the prompt's text, up to where the answer begins
    ends: frozenset[int]  # tokens that end an answer
    end: int | None  # the one of them that ends a whole answer when it is weighed
    stop: tuple[str, ...]  # strings that end an answer because of the prompt's form
    fingerprint: str
    parameters: int


def load(name: str, device: str | None, dtype: str | None) -> Loaded:
    """The model at `name`, a folder or a hub name; raises Unavailable when it cannot be had."""
    folder = Path(name).expanduser()
    local = folder.exists() or name.startswith((".", "/", "~"))
    if local and not (folder / "config.json").is_file():
        what = f"the language model in {folder}"
        raise Unavailable(
            what, "there is no model there: config.json is missing", "Name a folder saved by transformers"
        )
    place = str(folder.resolve()) if local else name
    chosen_device, chosen_dtype = choose_device(device), choose_dtype(dtype, choose_device(device))
    model, tokenizer = _read(place, local, chosen_dtype)
    try:
        model = model.to(chosen_device).eval()  # type: ignore[arg-type]
    except (RuntimeError, AssertionError) as error:
        raise Unavailable(
            f"the language model {name}",
            f"it does not run on {chosen_device}: {_first(error)}",
            "Set the device to cpu",
        ) from error
    ends = _ends(model, tokenizer)
    own = tokenizer.eos_token_id
    render, stop = choose_form(tokenizer, name)
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        render=render,
        ends=ends,
        end=own if own is not None else min(ends, default=None),
        stop=stop,
        fingerprint=_fingerprint(folder.resolve()) if local else f"{name}@{model.config._commit_hash}",
        parameters=sum(p.numel() for p in model.parameters()),
    )


def _read(place: str, local: bool, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    what = f"the language model {place}"
    remedy = "Save it again, or name another" if local else "Check name and connection, or name a local folder"
    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=local)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            place, local_files_only=local, dtype=dtype, output_loading_info=True
        )
        model, found = loaded
    except Exception as error:  # transformers, safetensors, tokenizers and the hub each raise their own kinds
        raise Unavailable(what, f"it cannot be loaded: {_first(error)}", remedy) from error
    if found["missing_keys"] or found["mismatched_keys"]:
        lacking = sorted(str(key) for key in (*found["missing_keys"], *found["mismatched_keys"]))
        raise Unavailable(what, f"its weights lack or do not fit {len(lacking)} parts, first {lacking[0]}", remedy)
    return model, tokenizer


def _first(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def choose_device(wanted: str | None) -> str:
    """`wanted`, else the fastest that is there; the reason is logged."""
    if wanted:
        chosen, why = wanted, "set by hand"
    elif torch.cuda.is_available():
        chosen, why = "cuda", "a CUDA device is there"
    elif torch.backends.mps.is_available():
        chosen, why = "mps", "an Apple GPU is there"
    else:
        chosen, why = "cpu", "no GPU is there"
    log.info("device %s: %s", chosen, why)
    return chosen


def choose_dtype(wanted: str | None, device: str) -> torch.dtype:
    """`wanted` by name, else bfloat16 on a GPU and float32 on a CPU, where half precision is often slower."""
    if wanted and wanted not in _DTYPES:
        raise Rejected(f"no number type {wanted!r} for a language model; one of: {', '.join(_DTYPES)}")
    chosen = _DTYPES[wanted] if wanted else torch.float32 if device == "cpu" else torch.bfloat16
    log.info("dtype %s: %s", chosen, "set by hand" if wanted else f"usual on {device}")
    return chosen


def _ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    settings = model.generation_config.eos_token_id if model.generation_config else None
    listed = [settings] if isinstance(settings, int) else list(settings or ())
    return frozenset(end for end in (*listed, tokenizer.eos_token_id) if end is not None)


# ---- the prompt's form ----


def choose_form(
    tokenizer: PreTrainedTokenizerBase, name: str
) -> tuple[Callable[[Sequence[Message]], str], tuple[str, ...]]:
    """How messages become a prompt: by the chat template, by one without system role, or plainly; it is logged."""
    if not tokenizer.chat_template:
        log.info("%s has no chat template: plain form with names of speakers", name)
        return plain_form, ("\nUser:",)

    def templated(messages: Sequence[Message]) -> str:
        text = tokenizer.apply_chat_template(
            cast(list[dict[str, str]], messages), tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return str(text)

    probe: list[Message] = [{"role": "system", "content": "PROBE"}, {"role": "user", "content": "."}]
    try:
        if "PROBE" in templated(probe):
            log.info("%s: its own chat template", name)
            return templated, ()
        why = "leaves it out"
    except jinja2.TemplateError as error:
        why = f"refuses it ({_first(error)})"
    log.info("%s: the chat template %s, so the system message goes into the first user message", name, why)
    return lambda messages: templated(merge_system(messages)), ()


def merge_system(messages: Sequence[Message]) -> list[Message]:
    """The same messages without system roles: their text stands before the first user message's."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    rest = [message for message in messages if message["role"] != "system"]
    if not system:
        return rest
    if rest and rest[0]["role"] == "user":
        return [{"role": "user", "content": f"{system}\n\n{rest[0]['content']}"}, *rest[1:]]
    return [{"role": "user", "content": system}, *rest]


def plain_form(messages: Sequence[Message]) -> str:
    """A prompt for models that know no chat: the system text, then who says what."""
    names = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    said = [names[message["role"]] + message["content"] for message in messages]
    return "\n".join([*said, "Assistant:"])


# ---- which weights these are ----


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    kinds = ("*.json", "*.jinja", "*.safetensors", "*.bin", "*.model")
    for path in sorted(path for kind in kinds for path in folder.glob(kind)):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            if size <= WHOLE_FILE:
                digest.update(file.read())
                continue
            for place in (0, size // 2, size - 2**20):
                file.seek(place)
                digest.update(file.read(2**20))
    return f"{folder.name}@{digest.hexdigest()[:16]}"
