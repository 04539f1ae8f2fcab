"""Reads a trainee's reply once: moves, facts asked for, claims, standards, stage.

Exact rules say what can be said exactly; the encoder and the linear model say the rest. Any text up to
a few thousand characters is read in milliseconds, and no text makes it fail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, get_args

import numpy as np

from roleplay.claims import check, told
from roleplay.clauses import Piece, is_question, sentences
from roleplay.content import is_speech, spoken
from roleplay.dialogue import Exchange, Stage
from roleplay.features import nearest
from roleplay.formulas import LIKELY, SURE, formulas
from roleplay.lines import alike
from roleplay.models.reply_model import load_reply_model
from roleplay.reading import Estimates, Finding, MoveSeen, Reading
from roleplay.rubric import DIMENSIONS
from roleplay.standards import Standards, load_standards

MAX_PIECES = 8  # sentences that are looked at one by one to place the moves
ALIKE, CLOSE = 0.5, 0.05  # how near a question must lie to an example, and how near the next fact may follow
LEADER = {"zh-CN": 0.36, "en": 0.42}  # less near will do for a fact that leads the next one by LEAD
LEAD = 0.08
SAME_KIND, OTHER_KIND = 0.1, 0.2  # for and against it where both ask when, where, how much ...
KINDS = {
    "when": re.compile(
        r"什么时候|几点|哪天|多久|几号|多长时间|哪个月|\bwhen\b|what time|how long|which (?:day|month)", re.IGNORECASE
    ),
    "where": re.compile(r"哪里|哪儿|什么地方|哪个(?:国家|城市|地方)|\bwhere\b|which (?:country|city)", re.IGNORECASE),
    "amount": re.compile(r"多少|几(?!点|号|位)|how (?:much|many)", re.IGNORECASE),
    "who": re.compile(r"谁|哪位|什么人|\bwho\b|anyone|anybody|someone|somebody", re.IGNORECASE),
    "why": re.compile(r"为什么|怎么会|什么原因|\bwhy\b|what for", re.IGNORECASE),
    "make": re.compile(r"牌子|品牌|型号|\bbrand\b|\bmodel\b|\bmake\b", re.IGNORECASE),
    "age": re.compile(r"多大|岁数|几岁|年纪|how old|your age", re.IGNORECASE),
}
SHORT = {"zh-CN": 22, "en": 60}  # characters up to which a reply of questions alone is a plain question
NOT_ASKED = ("inform", "explain", "act", "acknowledge", "blame", "dismiss", "argue")  # what a plain question is not
RUDE_FROM = 0.3  # the models' word for rudeness is right in less than half of the cases, so a rule has to bear it out
HARSH = frozenset({"rude", "ordering", "blame", "judging", "refusal", "address"})  # topics of rules that bear it out
SUBSTANCE = frozenset(
    "propose act alternative timeframe inform explain pitch ask_open ask_closed verify restate hold transfer reschedule "
    "refuse check_satisfied".split()
)
FORCED = {"meta": "meta", "rude": "rude", "ordering": "rude"}  # topics of rules that are a move beyond doubt


class Embedder(Protocol):
    def encode(self, texts: list[str]) -> np.ndarray:
        """(n, dim) float32, rows of length 1."""
        ...


class Judge(Protocol):
    """What the learnt models say of a reply; `models.reply_model.ReplyModel` is the bundled one."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def thresholds(self) -> Mapping[str, float]: ...

    def outputs(self, heard: str, texts: Sequence[str], language: str) -> np.ndarray: ...


class Reader:
    """One for all calls and threads; it changes nothing."""

    def __init__(self, encoder: Judge, embedder: Embedder | None, standards: Standards) -> None:
        """Without an embedder, questions are compared by their words alone."""
        self.encoder, self.embedder, self.standards = encoder, embedder, standards

    def read(self, exchange: Exchange, questions: Mapping[str, Sequence[str]] | None = None) -> Reading:
        """Read `exchange.reply`. `questions` holds, by fact id, example questions that ask for the fact."""
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
        return Reading(
            moves=moves,
            asked=self._asked(pieces, questions or {}, exchange.language),
            told=told(heard_reply.reply, exchange.evidence, exchange.context),
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
        heard = exchange.heard.text if exchange.heard else ""
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
        plain = all(is_question(piece.text) for piece in pieces) and len(exchange.reply) <= SHORT[exchange.language]
        for column, label in enumerate(self.encoder.labels):
            kind, _, move = label.partition(":")
            if kind != "move" or move in found or values[0, column] < self.encoder.thresholds.get(move, 0.5):
                continue
            borne_out = self._borne_out(float(values[0, column]), findings)
            if (move == "rude" or (plain and move in NOT_ASKED)) and not borne_out:
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

    def _asked(self, pieces: Sequence[Piece], questions: Mapping[str, Sequence[str]], language: str) -> tuple[str, ...]:
        """The facts that the reply's questions ask for, by meaning or by words."""
        asking = [piece.text for piece in pieces if is_question(piece.text)]
        examples = [(name, text) for name, texts in questions.items() for text in texts]
        if not asking or not examples:
            return ()
        near = np.array([[alike(language, one, text) for _, text in examples] for one in asking])
        if self.embedder is not None:
            vectors = self.embedder.encode([*asking, *(text for _, text in examples)])
            near = (near + vectors[: len(asking)] @ vectors[len(asking) :].T) / 2
        kinds = [_kinds(text) for _, text in examples]
        found: set[str] = set()
        for question, row in zip(asking, near, strict=True):
            own = _kinds(question)
            best: dict[str, float] = {}
            for (name, _), value, kind in zip(examples, row, kinds, strict=True):
                agree = SAME_KIND if own & kind else -OTHER_KIND if own and kind else 0.0
                best[name] = max(best.get(name, 0.0), float(value) + agree)
            found |= _stands_out(best, LEADER[language])
        return tuple(name for name in questions if name in found)


def load_reader(embedder: Embedder | None, standards_paths: Sequence[str | Path] | None = None) -> Reader:
    """The bundled reader, with the shipped standards or those of the paths given.

    Raises Unavailable when its files are missing, FileFault when a standards file is wrong.
    """
    return Reader(load_reply_model(), embedder, load_standards(standards_paths))


def _filler(exchange: Exchange) -> tuple[MoveSeen, ...]:
    return (MoveSeen("filler", 1.0, 0, len(exchange.reply)),)


def _stands_out(values: Mapping[str, float], leader: float) -> set[str]:
    """The facts that are alike enough, or the one that leads all others clearly."""
    first, second = (*sorted(values.values(), reverse=True), 0.0)[:2]
    if first >= ALIKE:
        return {name for name, value in values.items() if value >= max(ALIKE, first - CLOSE)}
    if first >= leader and first - second >= LEAD:
        return {name for name, value in values.items() if value == first}
    return set()


def _kinds(question: str) -> frozenset[str]:
    """What a question asks for, by its question words; empty where it has none of these."""
    return frozenset(kind for kind, pattern in KINDS.items() if pattern.search(question))


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
