"""From text to the pieces that search compares: characters, words, sounds and meanings.

The same pieces feed the lexical index and the bundled embedder, so a dialect word, a word heard wrongly
or a foreign word meets its standard form in both. Knows words, not entries.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
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


def runs(text: str) -> list[str]:
    """The normalised text cut into runs of Chinese characters, English words and numbers."""
    return _TOKEN.findall(normalise(text))


def is_chinese(run: str) -> bool:
    return "\u4e00" <= run[0] <= "\u9fff"


def stem(word: str) -> str:
    """An English word without its commonest endings ("charges", "charged", "charging" -> "charg")."""
    word = word.replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 4 and word[-1] in "ey" else word


def sounds(run: str) -> list[str]:
    """The toneless, deliberately blurred pinyin of each character of a Chinese run ("漫游" -> man, you)."""
    return [_sound(character) for character in run]


def meanings(text: str) -> list[str]:
    """The concepts of the lexicon that a text names, in any language, dialect or register, in order."""
    found = []
    pattern, concepts = _lexicon()
    for match in pattern.finditer(" ".join(run if is_chinese(run) else stem(run) for run in runs(text))):
        found += concepts[match[0].strip()]
    return found


def words(text: str) -> list[str]:
    """The words of a text for counting matches: cut Chinese words, stemmed English words, numbers."""
    found: list[str] = []
    for run in runs(text):
        if is_chinese(run):
            found += [word for word in _cutter().cut_for_search(run) if word]
        else:
            found.append(stem(run))
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
            heard = sounds(run)
            found += [f"~{first}.{second}" for first, second in pairwise(heard)]
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
def _lexicon() -> tuple[re.Pattern[str], dict[str, list[str]]]:
    """One pattern that finds the longest forms first, and the concepts of each form."""
    concepts: dict[str, list[str]] = {}
    written = yaml.safe_load(files("roleplay.knowledge").joinpath("lexicon.yaml").read_text("utf-8"))
    for name, forms in written.items():
        for form in forms.split(","):
            parts = [part if is_chinese(part) else stem(part) for part in runs(form)]
            named = concepts.setdefault(" ".join(parts), []) if parts else []
            if name not in named:
                named.append(name)
    chinese = sorted((form for form in concepts if is_chinese(form)), key=len, reverse=True)
    english = sorted((form for form in concepts if not is_chinese(form)), key=len, reverse=True)
    alternatives = [*map(re.escape, chinese), *(rf"(?<![^ ]){re.escape(form)}(?![^ ])" for form in english)]
    return re.compile("|".join(alternatives)), concepts
