"""What the bundled customer decoder reads while it learns: the project's texts as token sequences.

A call is one sequence: the card, then for each turn what the trainee said with the directive, and the
customer's line. Everything else (lines with slots filled, graded replies, the knowledge base, queries)
is there to learn language from. Held out by `split_of`: calls and replies, and lines too, so that a
measurement can use them as rivals that the model has never seen.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from roleplay.prompts import compact_card, compact_turn
from roleplay.training.corpus import AnnotatedCall, Split, full_width, load_calls, load_replies, split_of

ROOT = Path(__file__).parents[2]
SYSTEM, TRAINEE, CUSTOMER, END, PAD = "<|system|>", "<|trainee|>", "<|customer|>", "<|end|>", "<|pad|>"
SPECIALS = (PAD, END, SYSTEM, TRAINEE, CUSTOMER)
MARKS = {"system": SYSTEM, "user": TRAINEE, "assistant": CUSTOMER}
ENGLISH_TOKENS = 2600
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'system' -%}<|system|>{%- elif message['role'] == 'user' -%}<|trainee|>"
    "{%- elif message['role'] == 'assistant' -%}<|customer|>"
    "{%- else -%}{{ raise_exception('roles are system, user and assistant') }}{%- endif -%}"
    "{{ message['content'] }}<|end|>"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|customer|>{%- endif -%}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of roleplay/lines with its slots still in braces."""

    id: str
    language: str
    act: str
    temper: str
    dialect: str
    strength: int
    feeling: tuple[int, int, int]
    after: tuple[str, ...]
    text: str


Spoken = tuple[str, str]  # chat role and text


def load_lines() -> tuple[Line, ...]:
    lines = []
    for path in sorted((ROOT / "roleplay" / "lines").glob("*.jsonl")):
        language = "en" if path.stem.startswith("en") else "zh-CN"
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            feeling = (row["anger"], row["confusion"], row["trust"])
            text = full_width(row["text"]) if language == "zh-CN" else row["text"]
            kind = (row["act"], row["temper"], row["dialect"], row["strength"])
            lines.append(Line(row["id"], language, *kind, feeling, tuple(row["after"]), text))
    return tuple(lines)


def call_messages(call: AnnotatedCall, gloss: bool = False) -> list[Spoken]:
    """A whole call as chat messages; with `gloss` the same call as a speaker of the standard language."""
    dialect, strength = ("none", 0) if gloss else (call.dialect, call.strength)
    messages = [
        ("system", compact_card(call.language, call.direction, call.temper, dialect, strength, call.name, call.age))
    ]
    for heard, said in zip(call.turns[::2], call.turns[1::2], strict=False):
        if said.feeling is None or said.act is None:
            raise ValueError(f"{call.id}: a customer turn without act or feeling")
        tell = [call.facts[name] for name in said.reveals]
        messages.append(("user", compact_turn(heard.text, said.act, said.feeling.rounded(), tell)))
        messages.append(("assistant", said.gloss if gloss and said.gloss else said.text))
    return messages


# ---- slots ----

_SLOT = re.compile(r"\{(\w+)\}")
_ZH = {
    "days": lambda r: f"{r.randint(2, 15)}天",
    "plan": lambda r: f"{r.choice((19, 39, 59, 79, 99, 129, 159))}元套餐",
    "percent": lambda r: f"百分之{r.choice('二三五八')}十",
    "agent": lambda r: f"{r.randint(1000, 9999)}号",
    "time": lambda r: f"{r.choice(('早上', '下午', '晚上'))}{r.choice('六七八九十')}点",
}
_EN = {
    "amount": lambda r: f"${r.randint(5, 400)}",
    "days": lambda r: f"{r.choice(('two', 'three', 'four', 'six', 'ten'))} days",
    "plan": lambda r: f"the ${r.choice((20, 30, 40, 55, 70))} plan",
    "percent": lambda r: f"{r.choice((10, 15, 20, 30))} percent",
    "date": lambda r: f"{r.choice(('March', 'May', 'July', 'October'))} {r.randint(1, 28)}",
    "time": lambda r: f"{r.choice(('six', 'eight', 'nine', 'ten'))} {r.choice(('in the morning', 'at night'))}",
}
_WORDS = {
    "zh-CN": {
        "place": "泰国 日本 韩国 新加坡 香港 澳门 法国 德国 美国 老家 菜市场 火车站",
        "name": "王桂兰 李建国 陈小满 周敏 赵德顺 何丽华 刘洋 孙玉梅",
        "device": "手机 平板 路由器 光猫 电视 手表",
    },
    "en": {
        "place": "Spain Japan Canada Italy Mexico Dublin Leeds Ohio",
        "name": "Maria Okafor|Tom Brennan|Priya Nair|Dot Walker|Sam Reyes|Helen Ash",
        "agent": "Kyler Stacey 3021 4417 Nadia Ben",
        "device": "phone tablet router hub watch laptop",
    },
}  # fmt: skip


def fill(text: str, language: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """Put plausible values into a line's slots: the line, and the values in order of appearance."""
    values: dict[str, str] = {}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            values[name] = _value(name, language, rng)
        return values[name]

    return _SLOT.sub(value, text), tuple(values.values())


def _value(name: str, language: str, rng: random.Random) -> str:
    if language == "zh-CN" and name == "amount":
        return f"{rng.choice((rng.randint(3, 60), rng.randint(60, 1500)))}{rng.choice(('元', '元', '块', '块钱'))}"
    if language == "zh-CN" and name == "date":
        return rng.choice((f"{rng.randint(1, 12)}月{rng.randint(1, 28)}号", "上个礼拜三", "这个月初", "昨天下午"))
    if name in ("id_tail", "phone_tail"):
        return f"{rng.randint(0, 9999):04d}"
    made = (_ZH if language == "zh-CN" else _EN).get(name)
    if made:
        return made(rng)
    words = _WORDS[language].get(name)
    if words is None:
        raise ValueError(f"a slot that the recipe does not know: {{{name}}}")
    return rng.choice(words.split("|") if "|" in words else words.split(" "))


# ---- what is learnt from ----


class Texts:
    """The training texts of a split, and one epoch of them as messages."""

    def __init__(self, split: Split = "train") -> None:
        self.calls = tuple(call for call in load_calls() if split_of(call.id) == split)
        self.lines = tuple(line for line in load_lines() if split_of(line.id) == split)
        self.replies = tuple(row for row in load_replies() if split_of(row.group) == split)
        self.heard: dict[tuple[str, str], list[str]] = {}
        for call in self.calls:
            for turn in call.turns[::2]:
                for move in turn.moves:
                    self.heard.setdefault((call.language, move), []).append(turn.text)

    def line_messages(self, line: Line, rng: random.Random) -> list[Spoken]:
        """A line as a call of one turn, now and then after what a trainee said with a fitting move."""
        text, tell = fill(line.text, line.language, rng)
        said = [text for move in line.after for text in self.heard.get((line.language, move), ())]
        name = _value("name", line.language, rng)
        outbound = line.act in ("agree_to_talk", "decline", "busy")
        direction = "outbound" if outbound else "inbound"
        age = rng.randint(18, 80)
        card = compact_card(line.language, direction, line.temper, line.dialect, line.strength, name, age)
        heard = compact_turn(rng.choice(said) if said and rng.random() < 0.3 else "", line.act, line.feeling, tell)
        return [("system", card), ("user", heard), ("assistant", text)]

    def epoch(self, rng: random.Random) -> Iterator[list[Spoken]]:
        """Every text once, in order of kind; lines with new values, a part of dialect calls in standard language too."""
        for call in self.calls:
            messages = call_messages(call)
            yield messages
            if any(turn.gloss for turn in call.turns):
                yield call_messages(part(call, rng), gloss=True)
        yield from self.lines_alone(rng)
        yield from self._other(rng)

    def lines_alone(self, rng: random.Random) -> Iterator[list[Spoken]]:
        """Every line once, and one line of each call with nothing before it but the language."""
        for line in self.lines:
            yield self.line_messages(line, rng)
        for call in self.calls:
            text = rng.choice([turn.text for turn in call.turns[1::2]])
            yield [("system", call.language), ("assistant", text)]

    def _other(self, rng: random.Random) -> Iterator[list[Spoken]]:
        groups: dict[str, list[list[Spoken]]] = {}
        for row in self.replies:
            spoken = [("assistant" if t.speaker == "customer" else "user", t.text) for t in row.exchange.context]
            messages = [("system", row.exchange.language), *spoken, ("user", row.exchange.reply)]
            groups.setdefault(row.group, []).append(messages)
        yield from (rng.choice(group) for group in groups.values())
        for entry in _entries():
            tidy = full_width if entry["language"] == "zh-CN" else str
            questions = [tidy(text) for text in (entry["question"], *entry.get("also_asked", ()))]
            rng.shuffle(questions)
            asked = [("assistant", text) for text in questions]
            yield [("system", entry["language"]), *asked, ("user", tidy(entry["answer"]))]


def _entries() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "knowledge_base").glob("*.yaml")):
        yield from yaml.safe_load(path.read_text("utf-8"))["entries"]


_TELL = re.compile(r"(\n\[\w+ \d{3}\]).*\Z", re.DOTALL)


def untold(messages: list[Spoken], share: float, rng: random.Random) -> list[Spoken]:
    """The same call with the facts struck from a share of its directives, so that the talk alone must tell."""
    return [
        (role, _TELL.sub(r"\1", text) if role == "user" and rng.random() < share else text) for role, text in messages
    ]


def part(call: AnnotatedCall, rng: random.Random, most: int = 3) -> AnnotatedCall:
    """The call with at most `most` pairs of turns in a row, now and then the whole call."""
    pairs = len(call.turns) // 2
    if rng.random() < 0.2:
        return call
    start = rng.randrange(max(1, pairs - 1))
    return replace(call, turns=call.turns[2 * start : 2 * (start + most)])


# ---- tokens ----


def train_tokenizer(texts: Iterable[Sequence[Spoken]]) -> Tokenizer:
    """Every Chinese character one token, digits and marks alone, English by byte pairs; bytes for the rest."""
    said = [text.replace(" ", "▁") for messages in texts for _, text in messages]
    counts = Counter(character for text in said for character in text)
    alphabet = sorted(character for character, n in counts.items() if n >= 2 and character != "\n")
    words = Counter(word for text in said for word in re.findall(r"▁?[A-Za-z_]+(?:['’][a-z]+)?", text))
    learner = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=ENGLISH_TOKENS + len(alphabet), initial_alphabet=alphabet, show_progress=False
    )
    learner.train_from_iterator((word for word, n in sorted(words.items()) for _ in range(n)), trainer)
    learnt = json.loads(learner.to_str())["model"]
    names = [*SPECIALS, *(f"<0x{byte:02X}>" for byte in range(256)), *sorted(learnt["vocab"], key=learnt["vocab"].get)]
    vocab = {name: index for index, name in enumerate(dict.fromkeys(names))}
    merges = [tuple(pair) for pair in learnt["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, byte_fallback=True, fuse_unk=False))
    tokenizer.add_special_tokens(list(SPECIALS))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    pieces = r"▁?[A-Za-z_]+(?:['’][a-z]+)?|[\s\S]"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pieces), behavior="isolated")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def special(tokenizer: Tokenizer, name: str) -> int:
    """The id of one of SPECIALS."""
    found = tokenizer.token_to_id(name)
    if found is None:
        raise ValueError(f"the tokenizer has no token {name}")
    return int(found)


def encode(tokenizer: Tokenizer, messages: Sequence[Spoken]) -> tuple[list[int], list[bool]]:
    """Token ids exactly as the chat template makes them, and which of them are the customer's words.

    The mark that ends a customer's line counts as its last word.
    """
    ids: list[int] = []
    own: list[bool] = []
    for role, text in messages:
        words = tokenizer.encode(text, add_special_tokens=False).ids
        piece = [special(tokenizer, MARKS[role]), *words, special(tokenizer, END)]
        ids += piece
        own += [False, *([role == "assistant"] * (len(words) + 1))]
    return ids, own
