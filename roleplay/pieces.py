"""What a better reply can be put together from: the trainee's own good sentences, and sentences for what is missing.

Own sentences are kept as they are, but for words that the standard replaces and for numbers that an entry
corrects. What is added takes up what this customer said, tells what the entry says, or does what the stage asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from roleplay.claims import ASKS_FOR
from roleplay.clauses import Piece, is_question, sentences, topics
from roleplay.content import asides, reaches
from roleplay.dialogue import Evidence, Exchange
from roleplay.facts import quantities
from roleplay.features import felt, nearest
from roleplay.promises import invented
from roleplay.prompts import FOLDER
from roleplay.reading import Reading
from roleplay.relevance import CARE
from roleplay.remarks import ASKS, answering
from roleplay.rubric import DIMENSIONS, Dimension, Score
from roleplay.standards import Rule
from roleplay.yaml_files import read_yaml

Slot = Literal["greet", "care", "tell", "do", "ask", "close"]
SLOTS: tuple[Slot, ...] = ("greet", "care", "tell", "do", "ask", "close")  # the order in which a reply is said
HARMFUL = ("rude", "blame", "dismiss", "argue", "overpromise", "disclose", "off_topic", "meta", "refuse")
FITS = 0.3  # share of a model answer's sentence that the customer has spoken of, from which it fits this moment
ENTRY = {"zh-CN": 80, "en": 200}  # characters of an entry that are told at once
KIND = 40  # characters of kind words at the head of an entry
LOW = 2  # points up to which a reply is bad as a whole in one of the dimensions
SHORT = 4  # characters of a lapse at the head of a sentence that can be left out
DUE = 0.5  # how likely a fact must be due before it is promised for later
BARE = ("opening", "cannot_hear", "holding", "transferring")  # stages in which no feeling has to be met first
_SORRY = re.compile(r"抱歉|对不起|不好意思|\bsorry\b|\bapolog", re.IGNORECASE)
_GREETS = re.compile(r"^(?:您好|你好|喂|hello|hi\b|good (?:morning|afternoon|evening))", re.IGNORECASE)
_CLOSES = re.compile(
    r"再见|祝您|感谢您的来电|\bgoodbye\b|\bhave a (?:good|nice|lovely)|\bthank you for calling", re.IGNORECASE
)
_DOES = re.compile(
    r"我(?:来|这就|马上|现在|立刻|会|为您|帮您|给您)|\bI'll\b|\bI will\b|\blet me\b|\bI'm \w+ing\b|\bI've\b", re.I
)
_KIND = re.compile(r"节哀|添麻烦|抱歉|对不起|谢谢|\bsorry\b|\bthank", re.IGNORECASE)
_MORE = re.compile(r"还有(?:什么|其他|别的)|\banything else\b", re.IGNORECASE)
_ADDRESS = re.compile(r"^[^，,。]{1,6}(?:先生|女士|小姐|阿姨|叔叔|大爷|奶奶|师傅|医生|老师)，")
_OPENS = re.compile(r"^(?:能|可以|会|是的?|不能|不会|不可以|行|有|没有|Yes|No|You can)[。.，,!！]\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of a reply and its place in it. `own`: the trainee said it."""

    slot: Slot
    text: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """Sentences that could be added, by slot, the likeliest first. Of each group at most one is taken."""

    slot: Slot
    texts: tuple[str, ...]
    instead: bool = False  # they may also take the place of an own sentence in the same slot
    unless: Slot | None = None  # they are said only where the reply has nothing in this slot
    after: Slot | None = None  # they are said only where the reply has something in this slot


@lru_cache(maxsize=2)
def phrases(language: str) -> dict[str, Any]:
    """The sentences of better.LANGUAGE.yaml."""
    return read_yaml(FOLDER / f"better.{language}.yaml")[0]


def own_parts(
    exchange: Exchange, reading: Reading, rules: Mapping[str, Rule], scores: Mapping[Dimension, Score]
) -> list[Part]:
    """The trainee's sentences that are worth keeping, mended, in their order.

    Where the reply was untrue or unkind as a whole, only what an entry bears out or what is kind is kept of it.
    """
    if not reaches(exchange):
        return []
    bad = [(seen.start, seen.end) for seen in reading.moves if seen.move in HARMFUL]
    whole = [(0, len(exchange.reply))]
    bad = [] if bad == whole and len(sentences(exchange.reply)) > 1 else bad
    bad += [(piece.start, piece.end) for piece in asides(exchange)]
    bad += [(each.start, each.end) for each in invented(exchange, reading.claims)]
    low = {name for name in DIMENSIONS if (value := scores[name].value) is not None and value <= LOW}
    early = reading.stage == "closing" and (felt(exchange) or asks(exchange))
    parts: list[Part] = []
    for piece in sentences(exchange.reply):
        if any(start < piece.end and end > piece.start for start, end in bad):
            continue
        text = _mended(piece, exchange, reading, rules)
        part = Part(_slot(text), text, own=True) if text else None
        if part and _stays(part, piece, reading, low, early) and part not in parts:
            parts.append(part)
    return parts


def asks(exchange: Exchange) -> bool:
    """Whether the customer's last words ask for something."""
    return any(is_question(piece.text) or ASKS.search(piece.text) for piece in sentences(exchange.heard_text))


def _stays(part: Part, piece: Piece, reading: Reading, low: Set[Dimension], early: bool) -> bool:
    """Whether a sentence of a reply with these `low` scores is kept; `early`: the call is closed too soon."""
    borne_out = any(
        claim.verdict in ("supported", "contradicted")
        and claim.why != "words"
        and claim.start < piece.end
        and piece.start < claim.end
        for claim in reading.claims
    )
    if early and (part.slot == "close" or _MORE.search(part.text)):
        return False
    if part.slot in ("tell", "do", "ask") and low & {"empathy", "accuracy"}:
        return borne_out
    return not (part.slot == "care" and "empathy" in low)


def _mended(piece: Piece, exchange: Exchange, reading: Reading, rules: Mapping[str, Rule]) -> str:
    """A sentence with words replaced and numbers corrected; empty where it cannot be said."""
    changes: list[tuple[int, int, str]] = []
    for claim in reading.contradicted:
        if piece.start <= claim.start and claim.end <= piece.end:
            _, found, right = claim.why.partition(" / ")
            if not found or not quantities(right):
                return ""
            if any(right == better for _, _, better in changes):
                return ""  # one known value cannot stand for two wrong ones
            changes.append((claim.start, claim.end, right))
    for finding in reading.findings:
        inside = finding.end and piece.start <= finding.start and finding.end <= piece.end
        if not finding.kept and inside and rules[finding.rule].severity != "tip":
            words = exchange.reply[finding.start : finding.end]
            better = _replaced(words, exchange.language)
            if better == words and (finding.start > piece.start or len(words) > SHORT):
                return ""
            changes.append((finding.start, finding.end, "" if better == words else better))
    text = piece.text
    for start, end, better in sorted(set(changes), reverse=True):
        at = start - piece.start, end - piece.start
        text = text[: at[0]] + better + text[at[1] :]
    return _tidy(_replaced(text, exchange.language), exchange.language)


def _replaced(text: str, language: str) -> str:
    for word, better in phrases(language)["replace"].items():
        if language == "en":
            text = re.sub(rf"\b{re.escape(word)}\b,?", better or "", text, flags=re.IGNORECASE)
        elif word.isascii() or better or text.startswith(word):
            text = re.sub(rf"{re.escape(word)}[，,、]*" if not better else re.escape(word), better or "", text)
    return text


def _tidy(text: str, language: str) -> str:
    """A sentence that begins and ends as one."""
    text = re.sub(r"\s+", " ", text).strip(" ，,、")
    if not any(letter.isalnum() for letter in text):
        return ""
    text = re.sub(r"[！!]+$", "。" if language == "zh-CN" else ".", text)
    if text[-1] not in "。？！.?!…":
        text += "。" if language == "zh-CN" else "."
    return text[0].upper() + text[1:]


def _slot(text: str) -> Slot:
    if _CLOSES.search(text):
        return "close"
    if is_question(text):
        return "ask"
    if _GREETS.search(text) and len(topics(text)) <= 8:
        return "greet"
    if _cares(text):
        return "care"
    return "do" if _DOES.search(text) else "tell"


def missing(exchange: Exchange, reading: Reading, model_answers: Sequence[str], verify: bool) -> list[Missing]:
    """What could be added, in the order in which it is tried. `verify`: the customer has not proved who it is."""
    words, stage = phrases(exchange.language), reading.stage
    matter = _matter(exchange, words) if stage not in BARE else {"care": (), "do": ()}
    amount = _charged(exchange)
    care = [text for text in model_answers if _fits(text, exchange)][:2]
    care += [text.format(amount=amount) for text in matter["care"] if amount or "{amount}" not in text]
    told = list(_told(exchange, reading)) if reading.estimates.fact_due >= DUE or reading.contradicted else []
    found = [Missing("care", tuple(care[:4]), instead=True), Missing("tell", tuple(told))]
    if verify:
        found.append(Missing("ask", tuple(words["stages"]["verification"])))
    if not told or stage in ("opening", "cannot_hear"):
        found += _of_stage(exchange, reading, words["stages"][stage])
    found.append(Missing("do", tuple(matter["do"])))
    if stage in ("solving", "complaint"):
        due = exchange.direction == "inbound" and reading.estimates.fact_due >= DUE
        if not told and asks(exchange) and due:
            found.append(Missing("ask", (words["due"],), unless="tell"))
        found.append(Missing("ask", tuple(words["check"]), after="do"))
    return [each for each in found if each.texts]


def _of_stage(exchange: Exchange, reading: Reading, lines: Any) -> Iterator[Missing]:
    """What this stage of a call asks for."""
    if reading.stage == "opening":
        yield Missing("greet", tuple(lines[exchange.direction]), instead=True)
    elif reading.stage == "closing":
        if not (felt(exchange) or asks(exchange)):
            *more, bye = lines[exchange.direction]
            yield from (Missing("ask", tuple(more)), Missing("close", (bye,), instead=True))
    else:
        questions = tuple(line for line in lines if is_question(line))
        yield from (Missing("ask", questions), Missing("do", tuple(line for line in lines if line not in questions)))


def _matter(exchange: Exchange, words: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the customer speaks of: the first of the file that fits the last words, else what was said before.

    What is `weak` is only how somebody speaks (in a hurry, upset), and gives way to what it is about.
    """
    said = " ".join(turn.text for turn in exchange.context if turn.speaker == "customer")
    found = [each for text in (exchange.heard_text, said) for each in words["matters"] if _speaks_of(each, text)]
    found.sort(key=lambda each: bool(each.get("weak")))
    return dict(found[0]) if found else {"care": (), "do": ()}


def _charged(exchange: Exchange) -> str:
    """The amount that the customer speaks of having been charged; empty where several might be meant."""
    heard = exchange.heard_text
    amounts = [fact for fact in quantities(heard) if fact.kind == "money" and fact.value]
    if exchange.language == "zh-CN":
        amounts = [fact for fact in amounts if re.search(r"(?:扣|收|花|多)了?[^，。]{0,6}$", heard[: fact.start])]
    return amounts[0].text if len(amounts) == 1 else ""


def _speaks_of(matter: Mapping[str, Any], text: str) -> bool:
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in matter["heard"])


def _fits(text: str, exchange: Exchange) -> bool:
    """Whether a sentence of a model answer speaks to what this customer has said by now."""
    said = topics(" ".join(turn.text for turn in exchange.context if turn.speaker == "customer"))
    about = topics(text)
    return bool(about) and len(about & said) >= 2 and len(about & said) / len(about) >= FITS


def caring(model_answers: Sequence[str]) -> list[str]:
    """The sentences of model answers that meet a feeling and state no number, without the name that they begin with."""
    pieces = (piece.text for answer in model_answers for piece in sentences(answer))
    return [_ADDRESS.sub("", text) for text in pieces if _cares(text)]


def _cares(text: str) -> bool:
    """Whether a sentence meets a feeling and states no number."""
    return bool(CARE.search(text) or _SORRY.search(text)) and not quantities(text)


def _told(exchange: Exchange, reading: Reading) -> Iterator[str]:
    """What the entry that answers says, as much of it as is told at once: most first, then the one best sentence."""
    entry = _entry(exchange, reading)
    if entry is None:
        return
    heard = exchange.heard_text
    asked, kinds = topics(heard), {kind for kind, pattern in ASKS_FOR if pattern.search(heard)}
    pieces = [piece.text for piece in sentences(_OPENS.sub("", entry.text))]
    if len(pieces) > 1 and len(pieces[0]) <= KIND and not quantities(pieces[0]) and _KIND.search(pieces[0]):
        pieces = pieces[1:]  # its own kind words; the reply has others

    def bears(text: str) -> float:
        return len(topics(text) & asked) + 2 * any(fact.kind in kinds for fact in quantities(text))

    if not pieces:
        return
    best = max(range(len(pieces)), key=lambda place: (bears(pieces[place]), -place))
    told = [pieces[best]]
    for text in (*pieces[: min(best, 1)], *pieces[best + 1 :], *reversed(pieces[1:best])):  # the answer comes first
        if len("".join(told)) + len(text) <= ENTRY[exchange.language]:
            told.append(text)
    told.sort(key=pieces.index)
    gap = "" if exchange.language == "zh-CN" else " "
    for some in (told, [pieces[best]]) if len(told) > 1 else (told,):
        yield _tidy(gap.join(some), exchange.language)


def _entry(exchange: Exchange, reading: Reading) -> Evidence | None:
    """The entry that the reply contradicts, else the one that answers; a line of the agent's screen is read to nobody."""
    wrong = {claim.evidence_id for claim in reading.contradicted}
    for one in exchange.evidence:
        if one.id in wrong and not one.of_account:
            return one
    entry = answering(exchange)
    if entry is not None:
        return None if entry.of_account else entry
    asked = topics(exchange.heard_text)
    near = [one for one in nearest(exchange, exchange.evidence) if not one.of_account]
    return max((one for one in near if topics(f"{one.question} {one.text}") & asked), default=None,
               key=lambda one: len(topics(f"{one.question} {one.text}") & asked))  # fmt: skip
