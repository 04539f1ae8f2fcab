"""Reads a trainee's reply once: moves, facts asked for, claims, standards, stage.

Exact rules say what can be said exactly; the encoder and the linear model say the rest. Any text up to
a few thousand characters is read in milliseconds, and no text makes it fail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import dropwhile
from pathlib import Path
from typing import Protocol, get_args

import numpy as np

from roleplay.claims import check, told
from roleplay.clauses import Piece, asks_in_passing, clauses, is_question, kinds_of, questions, sentences
from roleplay.content import is_speech, spoken
from roleplay.dialogue import Exchange, Language, Stage
from roleplay.features import nearest
from roleplay.formulas import LIKELY, SURE, formulas
from roleplay.matching import Embedder, Matcher
from roleplay.models.aims import AimModel
from roleplay.models.reply_model import load_reply_model
from roleplay.models.tone import ToneModel
from roleplay.reading import AimSeen, BroughtUp, Estimates, Finding, MoveSeen, Reading, Subject
from roleplay.rubric import DIMENSIONS
from roleplay.signs import ABOUT_IDENTITY, ANOTHERS_NAME, BARE_THANKS, OF_ONESELF, PREFACE
from roleplay.standards import Standards, load_standards

MAX_PIECES = 8  # sentences that are looked at one by one to place the moves
SHORT = {"zh-CN": 22, "en": 60}  # characters up to which a reply of questions alone is a plain question
HOSTILE = ("blame", "dismiss", "argue")  # what a reply of questions alone is only if a rule bears it out
NOT_ASKED = ("inform", "explain", "act", "acknowledge", *HOSTILE)  # what a plain question is not
RUDE_FROM = 0.3  # the models' word for rudeness is right in less than half of the cases, so a rule has to bear it out
HARSH = frozenset({"rude", "ordering", "blame", "judging", "refusal"})  # topics of rules that bear it out
SUBSTANCE = frozenset(
    "propose act alternative timeframe inform explain pitch ask_open ask_closed verify restate hold transfer reschedule "
    "refuse check_satisfied".split()
)
IN_A_CLAUSE = 0.8  # how likely a clause alone must call for a response, for half a sentence is easily misread
# How likely one of several things that a question lists must be asked for where the whole asks for none, and where it
# asks for something already.
LISTED, IN_A_LIST = 0.6, 0.9
AS_AN_OFFER = 0.8  # how likely a fact must be asked for by what sounds like an offer: "would your mother like one too?"
LONG_ENOUGH = {"zh-CN": 6, "en": 12}  # characters from which a part of a sentence asks for something by itself
CLEARLY = 0.5  # how likely another aim of a question must be for it to ask for no fact
# Aims of what is told, asked or offered of a matter, how long such a sentence must be to say of which, and how much
# nearer it must come to other matters than to the customer's own, less where nothing in it is the customer's.
OF_A_MATTER = frozenset("fact confirm choice offer time_set step outcome do tell later refuse".split())
SAYS_SOMETHING = {"zh-CN": 8, "en": 25}  # characters
ASTRAY, ASTRAY_ALONE = 0.12, 0.06
BESIDE = 0.2  # where the other matter is of the same product, whose entries share their words
ASKS_FOR_FACTS = frozenset(
    "fact story confirm wish choice outcome time_open care secret reproach rest satisfied understood".split()
)
WANTS_A_YES = ("offer", "permission", "time_set")
# Aims of sentences that want a word from the customer, which a response gives only if its examples often have that aim.
WANTS_A_WORD = frozenset("offer permission choice time_set time_open rest outcome convenient".split())
USUALLY = 0.15  # how likely its examples have that aim, in the mean
# Aims beside which an apology is a manner of speaking: "sorry, that cannot be done".
BUSINESS = frozenset("refuse tell later reproach insult".split())
PLAINLY = 0.6  # how likely such an aim must be
KINDLY = 0.2  # how likely a response's examples are kind words in the mean; others stay far below
FORCED = {"meta": "meta", "rude": "rude", "ordering": "rude"}  # topics of rules that are a move beyond doubt


class Judge(Protocol):
    """What the learnt models say of a reply; `models.reply_model.ReplyModel` is the bundled one."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def thresholds(self) -> Mapping[str, float]: ...

    def outputs(self, heard: str, texts: Sequence[str], language: str) -> np.ndarray: ...


class Reader:
    """One for all calls and threads; it changes nothing that can be seen."""

    def __init__(
        self, encoder: Judge, matcher: Matcher | None, standards: Standards, aims: AimModel, tone: ToneModel
    ) -> None:
        """Without `matcher` nothing is read of the customer's facts and responses, as nobody needs to know who only grades."""
        self.encoder, self.matcher, self.standards, self.aims, self.tone = encoder, matcher, standards, aims, tone

    def get_ready(self, subjects: Mapping[str, Subject], language: Language) -> None:
        """Compute now what the first reply to a persona with these subjects would wait for."""
        if self.matcher is not None and subjects:
            self.matcher.prepared(subjects, language)

    def read(
        self,
        exchange: Exchange,
        subjects: Mapping[str, Subject] | None = None,
        other_products: Collection[str] = (),
        other_entries: Collection[str] = (),
    ) -> Reading:
        """Read `exchange.reply`. `subjects` holds, by id, what it may ask for or bring up.

        Of the evidence that is not of this customer's matter, `other_products` are the ids of what is of other
        products, `other_entries` of whatever is about something else, within its products or not.
        """
        stage = exchange.stage or "solving"
        heard_reply, findings = self._findings(exchange, stage)
        if not is_speech(heard_reply.reply):
            reading = Reading(moves=self._forced(findings) or _filler(exchange), findings=findings, stage=stage)
            return replace(reading, estimates=Estimates(1.0, 1.0, 1.0, 0.5))
        pieces = sentences(heard_reply.reply)
        values = self._values(heard_reply, pieces)
        moves = self._moves(values, pieces, heard_reply, findings)
        if exchange.stage is None:
            stage = _stage(exchange, values[0], self.encoder.labels, moves)
            _, findings = self._findings(exchange, stage)
        evidence = nearest(heard_reply, exchange.evidence)
        aims = self.aims.aims(heard_reply.reply, exchange.heard_text, exchange.language)
        aims, asked, brought_up = self._matched(heard_reply.reply, aims, subjects or {}, exchange.language)
        bar = ASTRAY if asked or brought_up else ASTRAY_ALONE
        elsewhere = self._of_another_matter(
            heard_reply, aims, subjects or {}, other_products, bar
        ) or self._of_another_matter(heard_reply, aims, subjects or {}, other_entries, BESIDE)
        return Reading(
            moves=moves,
            aims=aims,
            tones=self.tone.tones(pieces, heard_reply.heard_text, exchange.language),
            asked=asked,
            brought_up=tuple(each for each in brought_up if each.start not in elsewhere),
            told=told(heard_reply.reply, exchange.evidence, exchange.context),
            elsewhere=bool(elsewhere),
            claims=check(heard_reply.reply, evidence, exchange.context),
            findings=self.standards.by_meaning(findings, moves),
            stage=stage,
            estimates=_estimates(values[0], self.encoder.labels),
        )

    def _findings(self, exchange: Exchange, stage: Stage) -> tuple[Exchange, tuple[Finding, ...]]:
        """The part that is said to the customer, what the standards find in it, and the words for the scorer."""
        found = self.standards.find(exchange, stage)
        heard = spoken(exchange, found, self.standards.rules)
        if heard is exchange:
            return exchange, found
        meta = tuple(one for one in found if one.end and self.standards.rules[one.rule].topic == "meta")
        return heard, (*self.standards.find(heard, stage), *meta)

    def _values(self, exchange: Exchange, pieces: Sequence[Piece]) -> np.ndarray:
        """Both models' mean on the whole reply (row 0) and on its sentences: (1 + pieces, labels)."""
        heard = exchange.heard_text
        texts = (
            [exchange.reply, *(piece.text for piece in pieces[:MAX_PIECES])] if len(pieces) > 1 else [exchange.reply]
        )
        return self.encoder.outputs(heard, texts, exchange.language)

    def _moves(
        self, values: np.ndarray, pieces: Sequence[Piece], exchange: Exchange, findings: Sequence[Finding]
    ) -> tuple[MoveSeen, ...]:
        """What rules find, what formulas say, and what the models hear."""
        found: dict[str, MoveSeen] = {seen.move: seen for seen in self._forced(findings)}
        formula = dict(formulas(pieces, exchange.language))
        asks = all(is_question(piece.text) for piece in pieces)
        plain = asks and len(exchange.reply) <= SHORT[exchange.language]
        for column, label in enumerate(self.encoder.labels):
            kind, _, move = label.partition(":")
            if kind != "move" or move in found or values[0, column] < self.encoder.thresholds.get(move, 0.5):
                continue
            borne_out = self._borne_out(float(values[0, column]), findings)
            unlikely = move == "rude" or (asks and move in HOSTILE) or (plain and move in NOT_ASKED)
            if unlikely and not borne_out:
                continue
            piece = Piece(0, len(exchange.reply), exchange.reply)
            if len(values) > 1:
                piece = pieces[int(values[1:, column].argmax())]
            elif pieces:
                piece = pieces[0]
            found[move] = MoveSeen(move, float(values[0, column]), piece.start, piece.end)  # type: ignore[arg-type]
        bare = not SUBSTANCE & set(found)
        for move, piece in formula.items():
            if move not in found and (bare or move in SURE[exchange.language]):
                found[move] = MoveSeen(move, LIKELY, piece.start, piece.end)  # type: ignore[arg-type]
        return tuple(sorted(found.values(), key=lambda seen: (seen.start, -seen.probability)))

    def _borne_out(self, probability: float, findings: Sequence[Finding]) -> bool:
        """Whether a rule speaks for the rudeness that the models hear; an insult that no rule knows is let pass."""
        broken = {self.standards.rules[one.rule].topic for one in findings if one.end and not one.kept}
        return probability >= RUDE_FROM and bool(broken & HARSH)

    def _forced(self, findings: Sequence[Finding]) -> tuple[MoveSeen, ...]:
        found: dict[str, MoveSeen] = {}
        for finding in findings:
            rule = self.standards.rules[finding.rule]
            move = FORCED.get(rule.topic)
            if move and not finding.kept and finding.end and (move == "meta" or rule.severity == "forbidden"):
                found.setdefault(move, MoveSeen(move, 1.0, finding.start, finding.end))  # type: ignore[arg-type]
        return tuple(found.values())

    def _kind(self, name: str, subjects: Mapping[str, Subject], language: Language) -> bool:
        """Whether this response is called for by kind words, or by wishes at parting."""
        assert self.matcher is not None
        warm, bye = (self.matcher.aim_of(name, aim, subjects, language) for aim in ("warm", "bye"))
        return warm + bye >= KINDLY

    def _of_another_matter(
        self,
        exchange: Exchange,
        aims: Sequence[AimSeen],
        subjects: Mapping[str, Subject],
        others: Collection[str],
        bar: float,
    ) -> tuple[int, ...]:
        """Where the sentences begin by which the reply is nearer, by `bar`, to the entries `others` than to this matter."""
        said = [
            seen
            for seen in aims
            if seen.aim in OF_A_MATTER and seen.end - seen.start >= SAYS_SOMETHING[exchange.language]
        ]
        theirs = [text for each in exchange.evidence if each.id in others for text in (each.question, each.text)]
        own = [text for each in exchange.evidence if each.id not in others for text in (each.question, each.text)]
        if self.matcher is None or not (subjects and said and theirs):
            return ()
        pieces = [exchange.reply[seen.start : seen.end] for seen in said]
        astray = self.matcher.astray(pieces, theirs, own, subjects, exchange.language)
        return tuple(seen.start for seen in said) if astray >= bar else ()

    def _matched(
        self, reply: str, aims: Sequence[AimSeen], subjects: Mapping[str, Subject], language: Language
    ) -> tuple[tuple[AimSeen, ...], tuple[str, ...], tuple[BroughtUp, ...]]:
        """The facts that the reply asks for, and what else it brings up that the persona has a response to.

        Who offers something, or asks whether that was clear, asks for no fact, unless the persona's file has that very
        question for one. Also returns the aims, in which such a question is one for a fact.
        """
        if self.matcher is None or not subjects:
            return tuple(aims), (), ()
        meant = list(aims)
        asked: list[str] = []
        brought_up: list[BroughtUp] = []
        for place, seen in enumerate(aims):
            sentence = reply[seen.start : seen.end]
            if BARE_THANKS.fullmatch(sentence.strip()):
                continue
            open_question = seen.aim in WANTS_A_YES and bool(kinds_of(sentence))  # "by what day?" is no offer
            unclear = is_question(sentence) and (seen.probability < CLEARLY or open_question)
            asks = seen.aim in ASKS_FOR_FACTS or unclear
            pieces = (questions(sentence) if asks else ()) or (without_preface(sentence),)
            if seen.aim == "identity" and not ANOTHERS_NAME.search(
                sentence
            ):  # "name and ID, please, and the number of the case"
                pieces, asks = tuple(_beside_identity(_clauses(sentence), language)), True
            found = self.matcher.matched(pieces, subjects, language, asks=asks)
            if len(pieces) > 1 and asks and seen.aim != "identity" and not found:
                found = self.matcher.matched((sentence,), subjects, language)  # the whole may ask for what no part does
            if seen.aim in WANTS_A_YES and is_question(sentence) and not (asks or found):
                found = self.matcher.matched(pieces, subjects, language, sure=AS_AN_OFFER, bar=AS_AN_OFFER)
            if len(parts := [without_preface(part) for part in _clauses(sentence)]) > 1:
                asking = [part for part in parts if asks_in_passing(part)]
                alone = () if asks else self.matcher.matched(parts, subjects, language, asks=False, bar=IN_A_CLAUSE)
                if alone and (not_these := self.matcher.near_misses(sentence, subjects, language)):
                    alone = tuple(name for name in alone if name not in not_these)
                also: tuple[str, ...] = ()
                if not found or not (asks or any(_answers_questions(subjects[name]) for name in found)):
                    also = self.matcher.matched(asking, subjects, language)
                listed: tuple[str, ...] = ()
                if asks and seen.aim != "identity" and is_question(sentence):
                    sure = IN_A_LIST if found else LISTED
                    listed = self.matcher.matched(_listed(parts, language), subjects, language, sure=sure, bar=sure)
                # what is answered stands in the order of the parts, which the whole does not know
                found = tuple(name for name in found if subjects[name].asked or name not in alone)
                found = tuple(dict.fromkeys((*found, *alone, *also, *listed)))
            if seen.aim == "bye" and seen.probability >= PLAINLY:  # a goodbye brings up no business
                found = tuple(name for name in found if subjects[name].asked or self._kind(name, subjects, language))
            facts = [name for name in found if subjects[name].asked]
            asked += facts
            plain = seen.aim in WANTS_A_YES or self.matcher.written(sentence, subjects, language) in facts
            if facts and plain and seen.aim != "identity":
                meant[place] = replace(seen, aim="fact", probability=1.0)
            businesslike = seen.aim in BUSINESS and seen.probability >= PLAINLY
            called_for = [
                name
                for name in found
                if not subjects[name].asked and not (businesslike and self._kind(name, subjects, language))
            ]
            open_still = called_for and seen.aim in WANTS_A_WORD and seen.probability >= CLEARLY
            answered = not open_still or any(
                self.matcher.aim_of(name, seen.aim, subjects, language) >= USUALLY for name in called_for
            )
            brought_up += (BroughtUp(name, seen.start, seen.end, answered) for name in called_for)
        return tuple(meant), tuple(dict.fromkeys(asked)), tuple(brought_up)


def _beside_identity(parts: Sequence[str], language: Language) -> Iterator[str]:
    """What a sentence asks for besides who it is; what stands before that only says why, unless it asks, and so does
    what the agent says of itself."""
    begun = False
    for part in parts:
        if ABOUT_IDENTITY.search(part):
            begun = True
        elif asks_in_passing(part) or (begun and len(part) >= LONG_ENOUGH[language] and not OF_ONESELF.search(part)):
            yield part


def _listed(parts: Sequence[str], language: Language) -> list[str]:
    """The things that a question lists: "have you paid, read out a code, or shared your screen?" What stands before the
    question only leads up to it."""
    asking = dropwhile(lambda part: not asks_in_passing(part), parts)
    return [part for part in asking if len(part) >= LONG_ENOUGH[language]]


def _answers_questions(subject: Subject) -> bool:
    """Whether this is a response, most of whose examples are questions."""
    return not subject.asked and 2 * sum(map(is_question, subject.examples)) > len(subject.examples)


def without_preface(sentence: str) -> str:
    """A sentence without what only leads up to it: "our system shows that", "是这样的，"."""
    bare = sentence
    while (match := PREFACE.match(bare)) and match.end() < len(bare):
        bare = bare[match.end() :].strip()
    return bare


def _clauses(sentence: str) -> list[str]:
    return [piece.text for piece in clauses(Piece(0, len(sentence), sentence))]


def load_reader(embedder: Embedder | None, standards_paths: Sequence[str | Path] | None = None) -> Reader:
    """The bundled reader, with the shipped standards or those of the paths given.

    Raises Unavailable when its files are missing, FileFault when a standards file is wrong.
    """
    aims = AimModel.load()
    matcher = None if embedder is None else Matcher(embedder, aims)
    return Reader(load_reply_model(), matcher, load_standards(standards_paths), aims, ToneModel.load())


def _filler(exchange: Exchange) -> tuple[MoveSeen, ...]:
    return (MoveSeen("filler", 1.0, 0, len(exchange.reply)),)


def _estimates(values: np.ndarray, labels: Sequence[str]) -> Estimates:
    by_name = dict(zip(labels, map(float, values), strict=True))
    moves = {label.removeprefix("move:"): value for label, value in by_name.items() if label.startswith("move:")}
    empathy, accuracy, phrasing = (by_name[f"score:{name}"] for name in DIMENSIONS)
    return Estimates(empathy, accuracy, phrasing, by_name["fact_due"], moves)


def _stage(exchange: Exchange, values: np.ndarray, labels: Sequence[str], moves: Sequence[MoveSeen]) -> Stage:
    """Where the call stands: by the moves that only one stage has, else what the models say."""
    seen = {move.move for move in moves}
    if exchange.heard is None or ({"greet", "identify"} <= seen and len(exchange.context) < 3):
        return "opening"
    told_or_solved = seen & {"inform", "explain", "propose", "act", "alternative"}
    telling: tuple[tuple[str, Stage], ...] = (
        ("close", "closing"), ("check_satisfied", "closing"), ("ask_repeat", "cannot_hear"), ("ask_mandarin", "cannot_hear"),
        ("transfer", "transferring"), ("hold", "holding"), ("verify", "verification"), ("restate", "confirming"),
        ("ask_open", "finding_out"), ("ask_closed", "finding_out"),
    )  # fmt: skip
    for move, stage in telling:
        if move in seen and not (told_or_solved and move not in ("close", "transfer")):
            return stage
    if told_or_solved:
        return "solving"
    likely = dict(zip(labels, values, strict=True))
    stages: tuple[Stage, ...] = get_args(Stage)
    return max(stages, key=lambda name: likely[f"stage:{name}"])
