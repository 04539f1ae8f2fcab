"""Whether a reply says anything, and which part of it is said to the customer at all.

Words addressed to the scorer, sentences said twice, asides and mere strings of civil words earn nothing: they
are blanked out, so that all places in the reply stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from roleplay.clauses import Piece, sentences, topics
from roleplay.dialogue import Exchange
from roleplay.models.fluency import fluent
from roleplay.plain_text import plain_text
from roleplay.reading import Finding
from roleplay.standards import Rule

_LETTER = re.compile(r"[\u4e00-\u9fff]|[A-Za-z]+|\d+")
_CIVIL = re.compile(
    r"[您你]好|请|谢谢您?|感谢.{0,6}|对不起|(?:很|非常)?抱歉|不好意思|(?:很|非常)?理解您?|(?:请)?您?放心|(?:请)?稍[候等]|"
    r"(?:马上|立即)?为您(?:处理|服务)|祝您.{0,4}|再见|没关系|不客气|"
    r"hello|hi|please|thank you|thanks|(?:so |very )?sorry|i(?: fully| completely)? understand|rest assured|right away|of course|"
    r"(?:just )?(?:one|a) moment|have a (?:nice|good|lovely) day|goodbye|bye|welcome|certainly",
    re.IGNORECASE,
)
_ADVERTISES = re.compile(
    r"致力于|竭诚|最大的追求|满意是我们|成立(?:多年|以来|至今)|欢迎您(?:继续)?(?:支持|关注)|"
    r"\bsatisfaction is (?:what|our)|\bserving (?:its|our|your) |\bcommitted to (?:providing|excellence|serving)|"
    r"\bwe (?:value|pride)\b|\bfor many years\b|\bwhat we work for\b",
    re.IGNORECASE,
)
_CHATS = re.compile(
    r"天气|菊花|桂花|赏花|公园|郊游|电视剧|电影|星座|足球|篮球|彩票|股票|追剧|午饭|晚饭|周末.{0,8}玩|"
    r"\b(?:weather|park|flowers|football|movie|film|weekend plans|lottery|lunch|dinner|holiday plans)\b",
    re.IGNORECASE,
)
STRING = 6  # civil words in a row, and little else, are no sentence that anybody says
_CHINESE, _LATIN = re.compile("[\u4e00-\u9fff]"), re.compile("[A-Za-z]{2,}")
FEW = 3  # words, or Chinese characters, from which a text is in a language
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)


def is_speech(reply: str) -> bool:
    """Whether the text could be spoken words: no blank, no lone marks, no keyboard noise or characters at random, no endless repeat."""
    text = plain_text(reply).text
    words = _LETTER.findall(text)
    if not words or (len(words) == 1 and len(words[0]) == 1 and words[0].isascii()):
        return False
    letters = "".join(words)
    if len(letters) >= 8 and len(set(letters.lower())) <= 3:
        return False
    if len(words) >= 12 and len(set(words)) <= len(words) / 6:
        return False
    return not _mashed(words) and fluent(text)


def reaches(exchange: Exchange) -> bool:
    """Whether the reply says something to this customer: it is speech, in a language that the customer knows."""
    return not foreign(exchange) and is_speech(exchange.reply)


def foreign(exchange: Exchange) -> bool:
    """Whether the reply is wholly in another language than the call, and the customer has not just spoken it."""
    heard = exchange.heard_text
    if exchange.language == "zh-CN":
        return not _CHINESE.search(exchange.reply) and len(_LATIN.findall(exchange.reply)) >= FEW > len(
            _LATIN.findall(heard)
        )
    return len(_CHINESE.findall(exchange.reply)) >= FEW and not (
        _LATIN.search(exchange.reply) or _CHINESE.search(heard)
    )


def _mashed(words: Sequence[str]) -> bool:
    """Keys struck at random: no Chinese, no figures, and most words are none."""
    latin = [word for word in words if word.isascii() and word.isalpha()]
    if not latin or len(latin) < len(words):
        return False
    odd = sum(
        len(word) > 3
        and (not _VOWEL.search(word) or bool(re.search(r"[bcdfghjklmnpqrstvwxz]{5,}", word, re.IGNORECASE)))
        for word in latin
    )
    return odd >= max(1, len(latin) / 2)


def asides(exchange: Exchange) -> tuple[Piece, ...]:
    """Sentences that advertise the company, or chat about what nobody on this call has spoken of."""
    matter = " ".join([*(turn.text for turn in exchange.context), *(entry.text for entry in exchange.evidence)])
    about = topics(matter)

    def beside(piece: Piece) -> bool:
        if topics(piece.text) & about:
            return False
        chat = _CHATS.search(piece.text)
        return bool(_ADVERTISES.search(piece.text)) or (chat is not None and chat[0].lower() not in matter.lower())

    return tuple(piece for piece in sentences(exchange.reply) if beside(piece))


def spoken(exchange: Exchange, findings: Sequence[Finding], rules: Mapping[str, Rule]) -> Exchange:
    """The exchange with the sentences that the customer was not meant to hear, or has heard, blanked out."""
    reply = list(exchange.reply)
    meta = [(f.start, f.end) for f in findings if f.end and not f.kept and rules[f.rule].topic == "meta"]
    meta += [(piece.start, piece.end) for piece in asides(exchange)]
    said: set[str] = set()
    for piece in sentences(exchange.reply):
        bare = "".join(_LETTER.findall(piece.text))
        aside = any(start < piece.end and end > piece.start for start, end in meta)
        if aside or _strung(piece.text) or (len(bare) >= 4 and bare in said):
            reply[piece.start : piece.end] = " " * (piece.end - piece.start)
        said.add(bare)
    text = "".join(reply)
    return exchange if text == exchange.reply else replace(exchange, reply=text)


def _strung(sentence: str) -> bool:
    """Whether a sentence is a string of civil words and nothing else: "您好，请，谢谢，对不起，放心，稍候"."""
    parts = [part.strip(" .!?。！？…") for part in re.split(r"[，,、；;]", sentence)]
    civil = sum(bool(_CIVIL.fullmatch(part)) for part in parts)
    return civil >= STRING and civil >= len(parts) - 1
