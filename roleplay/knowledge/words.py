"""From text to the pieces that search compares: characters, words, sounds and meanings.

The same pieces feed the lexical index and the bundled embedder, so a dialect word, a word heard wrongly
or a foreign word meets its standard form in both. Knows words, not entries.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

import yaml

_TOKEN = re.compile(r"[\u4e00-\u9fff]+|[a-z][a-z'’]*|\d+(?:\.\d+)?")
# Sounds that many speakers and input methods do not keep apart: each is written as the second.
_SAME_SOUND = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^[nr](?=.)"), "l"),
    (re.compile(r"^h(?=u)"), "f"),
    (re.compile(r"(?<=[aei]n)g$"), ""),
)
_ENDINGS = ("ings", "ing", "edly", "ied", "ies", "ed", "es", "s", "ly")


def normalise(text: str) -> str:
    """Half-width, lower-case, simplified characters: the form in which everything is compared."""
    return _simplified().convert(unicodedata.normalize("NFKC", text)).casefold()


@lru_cache(4096)
def runs(text: str) -> tuple[str, ...]:
    """The normalised text cut into runs of Chinese characters, English words and numbers."""
    return tuple(_TOKEN.findall(normalise(text)))


def is_chinese(run: str) -> bool:
    return "\u4e00" <= run[0] <= "\u9fff"


@lru_cache(1 << 14)
def stem(word: str) -> str:
    """An English word without its commonest endings ("charges", "charged", "charging" -> "charg")."""
    word = word.replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 4 and word[-1] in "ey" else word


def sound_pairs(run: str) -> list[str]:
    """Neighbouring characters of a Chinese run as blurred, toneless pinyin ("慢游" and "漫游": "~man.you")."""
    heard = [_sound(character) for character in run]
    return [f"~{first}.{second}" for first, second in pairwise(heard)]


def meanings(text: str) -> list[str]:
    """The concepts of the lexicon that a text names, in any language, dialect or register, in order.

    Of forms that overlap the longest counts, read from the left.
    """
    found: list[str] = []
    concepts, longest = _lexicon()
    units, at = _units(text), 0
    while at < len(units):
        sizes = range(longest.get(units[at], 0), 0, -1)
        size = next((size for size in sizes if units[at : at + size] in concepts), 0)
        found += concepts[units[at : at + size]] if size else []
        at += size or 1
    return found


def words(text: str) -> list[str]:
    """The words of a text as a person would list them: cut Chinese words, English words, numbers."""
    found: list[str] = []
    for run in runs(text):
        found += [word for word in _cutter().cut_for_search(run) if word] if is_chinese(run) else [run]
    return found


def pieces(text: str) -> list[str]:
    """Everything that the bundled embedder sees of a text, one piece without spaces each.

    Characters and pairs of them, pairs of sounds ("~man.you"), English words and their three-letter parts
    ("^roa", "oam"), numbers, and meanings ("@roaming").
    """
    found: list[str] = []
    for run in runs(text):
        if is_chinese(run):
            found += run
            found += [run[at : at + 2] for at in range(len(run) - 1)]
            found += sound_pairs(run)
        elif run[0].isdigit():
            found.append(f"#{run}")
        else:
            found.append(stem(run))
            marked = f"^{run}$"
            if len(run) >= 4:
                found += ["'" + marked[at : at + 3] for at in range(len(marked) - 2)]
    return found + [f"@{meaning}" for meaning in meanings(text)]


@cache
def _sound(character: str) -> str:
    from pypinyin import lazy_pinyin

    sound = lazy_pinyin(character)[0]
    for pattern, written in _SAME_SOUND:
        sound = pattern.sub(written, sound)
    return sound


@cache
def _simplified():  # opencc has no types
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _cutter():  # jieba has no types
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    return jieba.Tokenizer()


@cache
def _lexicon() -> tuple[dict[tuple[str, ...], list[str]], dict[str, int]]:
    """The concepts of each form, a form being characters and stemmed words; how long those are that begin so, at most."""
    written: dict[str, str] = yaml.safe_load(files("roleplay.knowledge").joinpath("lexicon.yaml").read_text("utf-8"))
    concepts: dict[tuple[str, ...], list[str]] = {}
    for name in written:
        for form in _forms(name, written):
            named = concepts.setdefault(_units(form), [])
            if name not in named:
                named.append(name)
    longest: dict[str, int] = {}
    for units in concepts:
        longest[units[0]] = max(longest.get(units[0], 0), len(units))
    return concepts, longest


def _units(text: str) -> tuple[str, ...]:
    """The characters and the stemmed words and numbers of a text, what lies between them forgotten."""
    return tuple(unit for run in runs(text) for unit in (run if is_chinese(run) else [stem(run)]))


def _forms(name: str, written: dict[str, str]) -> list[str]:
    """The forms of a meaning, those of the meanings that it refers to included."""
    found = []
    for form in written[name].split(","):
        if form.strip().startswith("@"):
            found += _forms(form.strip()[1:], written)
        else:
            found.append(form)
    return found
