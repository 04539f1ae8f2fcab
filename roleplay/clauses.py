"""Sentences and clauses with their places, and what a piece of text is about.

One way of cutting for claims, moves and questions, in Chinese and English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SENTENCE = re.compile(r"[^。！？!?；;\n.…]*(?:\.(?=\S)[^。！？!?；;\n.…]*)*(?:[。！？!?；;\n…]+|\.+|$)[”’」\"']*")
_CLAUSE = re.compile(r"[^，,：:]*(?:[,:](?=\d)[^，,：:]*)*(?:[，,：:]+|$)")
# Words that make a clause a question of its own: two of them in one sentence ask for two things.
_ASKS = re.compile(
    r"几|多少|多大|多长|多久|哪|什么|啥|怎么|谁|吗|有没有|是不是|是否|能不能|会不会|为什么|还是|"
    r"\b(?:what|when|where|which|who|how|why|whether)\b|"
    r"\b(?:do|does|did|have|has|had|is|are|was|were|can|could|will|would) (?:you|it|there|that|this|the|your|any(?:one|body)|they|he|she)\b",
    re.IGNORECASE,
)
_OR_NOT = re.compile(r"(?<![还也都就才要先])[不没](?:有|得)?[，,。？?]*$")
_JOINED = re.compile(
    r"(?<=[,;，；]) *|\s+and\s+(?=(?:what|when|where|which|who|how|why|do|does|did|have|has|had|is|are|was|were|can|could)\b)",
    re.IGNORECASE,
)
_KINDS = {
    "when": re.compile(
        r"[什啥]么?时候|几点|哪天|多久|几号|多长时间|哪个月|\bwhen\b|what time|how long|which (?:day|month)",
        re.IGNORECASE,
    ),
    "where": re.compile(r"哪里|哪儿|什么地方|哪个(?:国家|城市|地方)|\bwhere\b|which (?:country|city)", re.IGNORECASE),
    "amount": re.compile(r"多少|几(?!点|号|位)|how (?:much|many)", re.IGNORECASE),
    "who": re.compile(r"谁|哪位|什么人|\bwho\b|anyone|anybody|someone|somebody", re.IGNORECASE),
    "why": re.compile(r"为什么|怎么会|什么原因|\bwhy\b|what for", re.IGNORECASE),
    "make": re.compile(r"牌子|品牌|型号|\bbrand\b|\bmodel\b|\bmake\b", re.IGNORECASE),
    "age": re.compile(r"多大|岁数|几岁|年纪|how old|your age", re.IGNORECASE),
}
_HANZI_RUN = re.compile(r"[\u4e00-\u9fff]+")
_ENGLISH_WORD = re.compile(r"[a-z][a-z']+", re.IGNORECASE)
# Characters and words that say nothing of the subject; measures do beside another character (日包, 月租).
_EMPTY = frozenset(
    "的了是在您我你们他她它请吗呢吧啊哦嗯就也都会可以为给和与及或者把被让到从对于这那个些什么怎样么要能不"
    "没有无须需将已经现再还又很太真好"
)
_MEASURES = frozenset("一二三四五六七八九十百千万两几零半元块钱天日月年号点分时小秒内外后前左右上下约每次个")
_STOP = frozenset(
    "the and for that this with you your yours our ours are was were will would can could may might must have has had "
    "not from they them their its it's any all one two three four five six seven eight nine ten per day days month "
    "months hour hours minute minutes week weeks year years working business within after before about into just "
    "there here then than what when where which who how why yes please thank thanks sorry i'll i'm i've you're you've "
    "that's don't let's does did done get got been being but only also still now today tomorrow each every more most "
    "such some very well make take back want like need know tell see say said give given pounds pound euro euros "
    "dollars dollar quid pence".split()
)


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` stands at [start:end] of the whole, without the blanks around it."""

    start: int
    end: int
    text: str


def sentences(text: str) -> tuple[Piece, ...]:
    """The sentences, their closing marks included. Everything but blanks belongs to exactly one."""
    return tuple(_pieces(_SENTENCE, text, 0))


def clauses(sentence: Piece) -> tuple[Piece, ...]:
    """The clauses of a sentence, places counted in the whole text. A comma inside a number cuts nothing."""
    return tuple(_pieces(_CLAUSE, sentence.text, sentence.start))


def _pieces(pattern: re.Pattern[str], text: str, offset: int) -> list[Piece]:
    found = []
    for match in pattern.finditer(text):
        piece = match[0].strip()
        if any(letter.isalnum() for letter in piece):
            start = offset + match.start() + len(match[0]) - len(match[0].lstrip())
            found.append(Piece(start, start + len(piece), piece))
    return found


@lru_cache(maxsize=4096)  # the same entries are held against reply after reply
def topics(text: str) -> frozenset[str]:
    """What a text is about: pairs of Chinese characters and stems of English words, without empty ones."""
    found: set[str] = set()
    for run in _HANZI_RUN.findall(text):
        for pair in (run[i : i + 2] for i in range(len(run) - 1)):
            if not _EMPTY & set(pair) and not set(pair) <= _MEASURES:
                found.add(pair)
    for word in _ENGLISH_WORD.findall(text.lower()):
        if len(word) > 2 and word not in _STOP:
            found.add(stem(word))
    return frozenset(found)


def units(text: str) -> frozenset[str]:
    """The single Chinese characters and English stems of a text that carry meaning, for short questions."""
    letters = {letter for run in _HANZI_RUN.findall(text) for letter in run if letter not in _EMPTY or letter in "谁哪"}
    words = {stem(word) for word in _ENGLISH_WORD.findall(text.lower()) if word not in _STOP or word in ("day", "days")}
    return frozenset(letters | words)


def stem(word: str) -> str:
    """An English word without its commonest endings: "called" and "calls" are both "call"."""
    for ending in ("'s", "ing", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def questions(text: str) -> tuple[str, ...]:
    """What a text asks, one thing at a time: its questions, those that ask twice cut into their parts."""
    found: list[str] = []
    for sentence in sentences(text):
        if is_question(sentence.text):
            parts = [part for part in _JOINED.split(sentence.text) if _ASKS.search(part)]
            found += parts if len(parts) > 1 else [sentence.text]
    return tuple(found)


@lru_cache(maxsize=8192)
def kinds_of(question: str) -> frozenset[str]:
    """What a question asks for, by its question words; empty where it has none of these."""
    return frozenset(kind for kind, pattern in _KINDS.items() if pattern.search(question))


def asks_in_passing(clause: str) -> bool:
    """Whether a clause asks, if only by a word that need not: "几点出摊", "用得多不". Its sentence may tell something."""
    return is_question(clause) or bool(_ASKS.search(clause) or _OR_NOT.search(clause))


def is_question(text: str) -> bool:
    """Whether a sentence asks: by its mark, its last particle or its form as a request."""
    text = text.strip("”’」\"' 　")
    return bool(
        re.search(
            r"[？?]$|[吗呢么][。！!，,]*$|[\u4e00-\u9fff](?:了|到|有|好|完|通|号|卡|网|人|过|证)没[。！!，,]*$|(?:是不是|能不能|可不可以|有没有|方便告诉|请问|(?:请|麻烦)您?(?:提供|告诉|说|讲|报|描述|评价|打个?分|回答))",
            text,
        )
    ) or bool(
        re.match(
            r"(?:may|could|can|would|shall|do|does|did|is|are|what|when|where|which|who|how|why|have)\b.*\?", text, re.I
        )
    )
