"""How varied the hand-written texts are, and what is held out: `python -m roleplay.training.variety`.

For each kind of text the share of different pairs and triples (of characters in Chinese, of words in English)
among the first SAMPLE, so that sets of different sizes can be compared, and the share of texts that nearly
repeat another. For the calls how many of them, and of the people in them, each split holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roleplay.lines import corpus_lines
from roleplay.training.corpus import AnnotatedCall, load_calls, load_replies, split_of

SAMPLE = 20_000  # characters or words
NEAR = 0.6  # share of triples in common from which one text nearly repeats another
SHORT = 6  # texts with fewer triples, such as "喂？听得见吗？", may well come again
LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Variety:
    """`pairs` and `triples` are shares of different ones among all of the sample, `near` that of near repetitions."""

    texts: int
    pairs: float
    triples: float
    near: float


def variety(texts: Sequence[str], language: str) -> Variety:
    """Texts in the order given; of two that nearly repeat each other one counts."""
    sample: list[str] = []
    for text in texts:
        if len(sample) >= SAMPLE:
            break
        sample += _units(text, language)
    pairs, triples = (list(zip(*(sample[at:] for at in range(size)), strict=False)) for size in (2, 3))
    repeated = sum(1 for _ in near_repetitions(texts, language))
    return Variety(
        len(texts), len(set(pairs)) / len(pairs), len(set(triples)) / len(triples), repeated / max(1, len(texts))
    )


def near_repetitions(texts: Sequence[str], language: str) -> Iterator[tuple[str, str]]:
    """Each text with an earlier one that it nearly repeats."""
    seen: list[frozenset[tuple[str, ...]]] = []
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, text in enumerate(texts):
        units = _units(text, language)
        own = frozenset(zip(units, units[1:], units[2:], strict=False))
        if len(own) >= SHORT:
            shared = Counter(other for triple in own for other in holders.get(triple, ()))
            near = (other for other, count in shared.items() if count >= NEAR * len(own | seen[other]))
            if (other := next(near, None)) is not None:
                yield text, texts[other]
            for triple in own:
                holders.setdefault(triple, []).append(number)
        seen.append(own)


def split_people(calls: Sequence[AnnotatedCall]) -> dict[str, set[str]]:
    """Who calls in each split, by name and language."""
    people: dict[str, set[str]] = {"train": set(), "validation": set(), "test": set()}
    for call in calls:
        people[split_of(call.id)].add(f"{call.language} {call.name}")
    return people


def kinds(language: str) -> dict[str, list[str]]:
    """The texts of one language by what they are."""
    calls = [call for call in load_calls() if call.language == language]
    turns = [turn for call in calls for turn in call.turns]
    return {
        "customer lines": [line.text for line in corpus_lines(language)],
        "customer turns of calls": [turn.text for turn in turns if turn.speaker == "customer"],
        "trainee turns of calls": [turn.text for turn in turns if turn.speaker == "trainee"],
        "scored replies": [row.exchange.reply for row in load_replies() if row.exchange.language == language],
    }


def _units(text: str, language: str) -> list[str]:
    return re.findall(r"[\u4e00-\u9fff]" if language == "zh-CN" else r"[a-z']+", text.lower())


def main() -> None:
    for language in LANGUAGES:
        for kind, texts in kinds(language).items():
            found = variety(texts, language)
            print(
                f"{language} {kind}: {found.texts}, different pairs {found.pairs:.3f}, triples {found.triples:.3f}, "
                f"near repetitions {found.near:.4f}"
            )
    calls = load_calls()
    counts = Counter(split_of(call.id) for call in calls)
    people = split_people(calls)
    both = people["test"] & (people["train"] | people["validation"])
    print(f"calls by split: {dict(counts)}; people: { {name: len(found) for name, found in people.items()} }")
    print(f"people of test calls that other splits know: {len(both)}")


if __name__ == "__main__":
    main()
