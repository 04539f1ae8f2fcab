"""Numbers in running text, in digits, Chinese characters or English words, each with its place.

Knows nothing of units: `facts` reads those around the numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import cn2an

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CHINESE = r"[零〇一二两三四五六七八九十百千万亿廿卅]+(?:点[零〇一二三四五六七八九]+)?"
_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD = "|".join(sorted([*_SMALL, *_TENS, *_SCALES], key=len, reverse=True))
_ENGLISH = rf"(?:(?:a|an)\s+(?=(?:hundred|thousand|million)\b))?(?:{_WORD})\b(?:[\s-]+(?:and\s+)?(?:{_WORD})\b)*"
_NUMBER = re.compile(rf"(?<![\w.])(?:{_ENGLISH})|{_DIGITS}|{_CHINESE}", re.IGNORECASE)

# Words in which a numeral is no number: 一下, 一样, 一直, 一定, 一起, 一块看 ...
_NO_NUMBER = re.compile(
    r"(?<![零〇一二两三四五六七八九十百千万])一(?:下|样|直|定|起|般|些|切|律|旦|会|共|边|致|并|概|时|再|向|点(?!半|[零〇一二三四五六七八九十])|方面|步步|声|路|度"
    r"|场|心|生|家|片|番|同|遍遍|线|流|带|手|气|头|句话|块(?=儿|[看去来坐办过弄说走聊玩想做住查商听解处]))|(?<![零〇一二两三四五六七八九十百千])万一|第一时间|统一|唯一|之一|进一步|专一|单一|周[一二三四五六]|星期[一二三四五六]"
    r"|礼拜[一二三四五六]|三番|四川|乱七八糟|千万(?=[别不要记])|百姓|(?<![二三四五六七八九])十分(?!钟)|七上八下|五花八门|两口|百(?=分之)|百(?=分百)|万分"
)


@dataclass(frozen=True, slots=True)
class Number:
    """`text[start:end]` means `value`. `written` says how: digits, chinese or english."""

    value: float
    start: int
    end: int
    written: str


def numbers(text: str) -> tuple[Number, ...]:
    """Every number in the text, left to right. Positions are those of `text` itself."""
    barred = [found.span() for found in _NO_NUMBER.finditer(text)]
    found = []
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        if any(start < last and end > first for first, last in barred):
            continue
        number = _read(match[0], start, end)
        if number is not None:
            found.append(number)
    return tuple(found)


def _read(piece: str, start: int, end: int) -> Number | None:
    if piece[0].isdigit():
        return Number(float(piece.replace(",", "")), start, end, "digits")
    if piece[0].isascii():
        return _english(piece, start)
    try:
        return Number(float(cn2an.cn2an(piece, "smart")), start, end, "chinese")
    except ValueError:  # a row of numeral characters that is no number, 三三两两
        return None


def _english(piece: str, start: int) -> Number:
    """Add up number words. "two fifty" is two numbers to a speaker; only the first is taken here."""
    total, current = 0.0, 0.0
    end = 0
    for match in re.finditer(r"[a-z]+", piece.lower()):
        word = match[0]
        if word in ("and", "a", "an"):
            continue
        if word in _SCALES:
            scale = _SCALES[word]
            current = max(current, 1) * scale
            if scale >= 1000:
                total, current = total + current, 0.0
        else:
            value = _SMALL.get(word, _TENS.get(word, 0))
            fits = current % 100 == 0 if value >= 10 else current % 10 == 0 and current % 100 != 10
            if end and not fits:
                break
            current += value
        end = match.end()
    return Number(total + current, start, start + end, "english")
