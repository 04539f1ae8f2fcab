"""Why a reply got its scores, in the trainee's language, each remark with its proof.

A remark that costs points quotes the reply verbatim, or names the entry or rule that it rests on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from roleplay.claims import tells
from roleplay.clauses import clauses, is_question, sentences, topics
from roleplay.content import asides, foreign, reaches, spoken
from roleplay.dialogue import Evidence, Exchange
from roleplay.facts import quantities
from roleplay.features import felt, nearest
from roleplay.promises import invented
from roleplay.reading import Claim, MoveSeen, Reading
from roleplay.rubric import Dimension, Remark, Score
from roleplay.standards import Rule, When

MOST_BAD, MOST_GOOD = 3, 2  # remarks on one dimension
MOST_LEFT_OUT = 2  # facts that a reply is told to have left out
ALWAYS = When()  # of rules that hold in every reply
COST = {"forbidden": -3.0, "lapse": -1.0, "tip": -0.2}  # of words that break a rule; what is missing costs half
ENOUGH = 2  # words that an entry shares with the customer's line when it answers it
ASKS = re.compile(
    r"怎么|多少|能不能|为什么|什么时候|多久|哪|凭什么|吗|^(?:\w+[,.]? )?(?:how|what|when|why|where|which|who)\b",
    re.IGNORECASE,
)

_BAD_MOVES: tuple[tuple[str, Dimension, float, str, str], ...] = (
    ("rude", "empathy", -3, "这句话会伤害客户。先接住客户的感受，再说能做什么。",
     "This hurts the customer. Take in the feeling first, then say what you can do."),
    ("blame", "empathy", -2, "这句话把责任推给了客户。不说是谁的错，说现在怎么解决。",
     "This puts the blame on the customer. Leave whose fault it is aside; say what happens now."),
    ("dismiss", "empathy", -2, "这句话听起来像在打发客户。请回应客户说的具体情况。",
     "This brushes the customer off. Answer to what this customer said."),
    ("argue", "empathy", -2, "这是在和客户争辩。可以先认同感受，再说明事实。",
     "This argues. Agree with the feeling first, then give the fact."),
    ("overpromise", "accuracy", -2, "这个承诺超出了规定，或者资料中没有依据。",
     "This promises more than the rules allow, or than anything on record supports."),
    ("disclose", "accuracy", -3, "这里泄露了不能告知的个人信息。", "This gives private data away."),
    ("off_topic", "accuracy", -1, "这部分与客户的问题无关。", "This is beside the customer's point."),
)  # fmt: skip
_GOOD_MOVES: tuple[tuple[str, Dimension, str, str], ...] = (
    ("acknowledge", "empathy", "说出了客户的感受或处境。", "Names what the customer feels or is going through."),
    ("reassure", "empathy", "让客户安心，而且做得到。", "Gives relief that can be kept."),
    ("act", "empathy", "把事情接了过来，当场办理。", "Takes the matter over and acts on it."),
    ("alternative", "accuracy", "给出了另一条可行的路。", "Offers another way."),
    ("timeframe", "accuracy", "说清了什么时候有结果。", "Says by when."),
    ("restate", "phrasing", "复述确认，避免误会。", "Says the request back to have it confirmed."),
    ("check_satisfied", "phrasing", "结束前确认客户还有没有别的需要。", "Asks whether anything else is needed."),
)


def remarks(
    exchange: Exchange, reading: Reading, scores: Mapping[Dimension, Score], rules: Mapping[str, Rule]
) -> tuple[Remark, ...]:
    """At most MOST_BAD faults and MOST_GOOD good points for each dimension that was scored."""
    heard = spoken(exchange, reading.findings, rules)
    if not reaches(heard):
        text = _say(exchange, "这一轮没有对客户说出有内容的话。", "Nothing was said to the customer.")
        if foreign(heard):
            text = _say(
                exchange, "客户听不懂这一轮所用的语言。", "The customer does not speak the language of this reply."
            )
        return tuple(
            Remark(name, -4, text, rule="content") for name, score in scores.items() if score.value is not None
        )
    found = [
        *_asides(exchange),
        *_facts(exchange, reading, scores),
        *_standard(exchange, reading, rules, scores),
        *_moves(exchange, reading, scores),
    ]
    kept: list[Remark] = []
    for name in scores:
        if scores[name].value is None:
            continue
        own = [remark for remark in found if remark.dimension == name]
        bad = sorted((remark for remark in own if remark.points < 0), key=lambda remark: remark.points)
        good = [remark for remark in own if remark.points >= 0]
        kept += [*_once(bad)[:MOST_BAD], *_once(good)[:MOST_GOOD]]
    for remark in kept:
        if exchange.reply[remark.start : remark.end] != remark.quote:
            raise AssertionError(f"a quote that the reply does not hold: {remark}")
    return tuple(kept)


def _asides(exchange: Exchange) -> Iterator[Remark]:
    for piece in asides(exchange):
        text = _say(
            exchange, "这句与客户的事无关，不必说。", "This has nothing to do with the customer's matter; leave it out."
        )
        yield Remark("phrasing", -1, text, piece.text, piece.start, piece.end)


def _once(remarks: Iterable[Remark]) -> list[Remark]:
    """Without those that say what another has said, or that fault words which another has faulted."""
    kept: list[Remark] = []
    for one in remarks:
        said = any(other.text == one.text for other in kept)
        faulted = one.points < 0 and any(one.start < other.end and other.start < one.end for other in kept)
        if not said and not faulted:
            kept.append(one)
    return kept


def _say(exchange: Exchange, chinese: str, english: str) -> str:
    return chinese if exchange.language == "zh-CN" else english


def _facts(exchange: Exchange, reading: Reading, scores: Mapping[Dimension, Score]) -> Iterator[Remark]:
    reply = exchange.reply
    for claim in reading.claims:
        quote = reply[claim.start : claim.end]
        place = {"quote": quote, "start": claim.start, "end": claim.end}
        proof = {"entry": claim.evidence_id, "entry_quote": claim.quote}
        if claim.verdict == "contradicted":
            text = _say(
                exchange,
                f"“{quote}”与资料不符，资料是：“{claim.quote}”",
                f'"{quote}" is not what the entry says: "{claim.quote}"',
            )
            yield Remark("accuracy", -3, text, **place, **proof)  # type: ignore[arg-type]
        elif claim.verdict == "supported" and claim.evidence_id and _counts(claim, reading, scores):
            text = _say(exchange, "这一点说得对，有资料为据。", "This is right, and on record.")
            yield Remark("accuracy", 1, text, **place, **proof)  # type: ignore[arg-type]
    yield from _invented(exchange, reading, scores)
    value = scores["accuracy"].value
    if value is not None and value <= 3 and not reading.contradicted:
        left = list(_left_out(exchange))
        if value <= 2 and left and not any(claim.verdict == "supported" for claim in reading.claims):
            yield from _evaded(exchange, left[0].entry)
        yield from left


def _counts(claim: Claim, reading: Reading, scores: Mapping[Dimension, Score]) -> bool:
    """Whether a right statement earns a word of praise: a brush-off that touches an entry in passing does not."""
    brushed = any(
        seen.move in ("dismiss", "rude", "blame") and seen.start < claim.end and claim.start < seen.end
        for seen in reading.moves
    )
    value = scores["accuracy"].value
    return not brushed and (claim.why != "words" or (value is not None and value >= 3))


def _invented(exchange: Exchange, reading: Reading, scores: Mapping[Dimension, Score]) -> Iterator[Remark]:
    """Promises that nothing on record bears out; where the whole is untrue anyway, other such amounts too."""
    value = scores["accuracy"].value
    for each in invented(exchange, reading.claims):
        if each.promised:
            text = _say(
                exchange,
                f"“{each.text}”：没有任何资料允许这样承诺。只承诺资料里有、自己能做到的；其余的先申请，再答复。",
                f'"{each.text}": nothing on record allows this promise. Promise what an entry gives; ask for the rest first.',
            )
            yield Remark("accuracy", -2.5, text, each.text, each.start, each.end, rule="rubric.accuracy")
        elif value is not None and value <= 2:
            text = _say(exchange, "资料里没有这个金额。", "This amount is on no record.")
            yield Remark("accuracy", -1.5, text, each.text, each.start, each.end, rule="rubric.accuracy")


def _evaded(exchange: Exchange, entry: str) -> Iterator[Remark]:
    """That the reply tells nothing of what was asked; the customer's own question is quoted."""
    questions = [
        piece.text for piece in sentences(exchange.heard_text) if is_question(piece.text) or ASKS.search(piece.text)
    ]
    if questions:
        asked = max(questions, key=lambda text: len(topics(text))).strip("，,。")
        text = _say(exchange, f"没有回答客户所问：“{asked}”", f'Did not answer what was asked: "{asked}"')
        yield Remark("accuracy", -2, text, entry=entry)


def _left_out(exchange: Exchange) -> Iterator[Remark]:
    """The facts that the customer asked for and did not get: of the one entry that answers, MOST_LEFT_OUT at most."""
    entry = answering(exchange)
    if entry is None:
        return
    facts, about, asked = quantities(exchange.reply), topics(exchange.reply), topics(exchange.heard_text)
    pieces = [piece.text for sentence in sentences(entry.text) for piece in clauses(sentence)]
    pieces = [piece for piece in pieces if topics(piece) & asked and not tells(facts, about, piece)]
    pieces.sort(key=lambda piece: -len(topics(piece) & asked) - 0.5 * bool(quantities(piece)))
    for piece in pieces[:MOST_LEFT_OUT]:
        quote = piece.rstrip("，,；;：:。.")
        text = _say(exchange, f"客户需要知道而没有说到：“{quote}”", f'Left out: "{quote}"')
        yield Remark("accuracy", -1, text, entry=entry.id, entry_quote=quote)


def answering(exchange: Exchange) -> Evidence | None:
    """The entry that answers the customer's last line; None where none has enough in common with it."""
    asked = topics(exchange.heard_text)

    def shared(entry: Evidence) -> float:
        return len(asked & topics(entry.question)) + len(asked & topics(entry.text))

    near = nearest(exchange, exchange.evidence)
    best = max(near, key=shared, default=None)
    if best is None or (len(near) > 1 and shared(best) < ENOUGH):
        return None
    return best


def _standard(
    exchange: Exchange, reading: Reading, rules: Mapping[str, Rule], scores: Mapping[Dimension, Score]
) -> Iterator[Remark]:
    seen: set[str] = set()
    for finding in reading.findings:
        if finding.rule in seen:
            continue
        seen.add(finding.rule)
        rule, quote = rules[finding.rule], exchange.reply[finding.start : finding.end]
        place = {"quote": quote, "start": finding.start, "end": finding.end, "rule": rule.id}
        name: Dimension = "phrasing"
        if rule.topic == "promise" and scores["accuracy"].value is not None:
            name = "accuracy"  # a promise beyond policy is untrue, however well it is put
        full = scores[name].value == 5  # nothing was taken off
        if finding.kept:
            text = _say(exchange, f"符合规范：{rule.advice}", f"As the standard asks: {rule.advice}")
            if rule.when != ALWAYS:
                yield Remark("phrasing", 0.5, text, **place)  # type: ignore[arg-type]
        elif finding.end:
            if not full or rule.severity != "lapse":
                yield Remark(name, COST[rule.severity], advice(exchange, rule), **place)  # type: ignore[arg-type]
        elif not full:
            yield Remark(name, COST[rule.severity] / 2, advice(exchange, rule), rule=rule.id)


def advice(exchange: Exchange, rule: Rule) -> str:
    """What a rule teaches: what to do, and how it sounds in the language of the call."""
    if not rule.right:
        return rule.advice
    return rule.advice + _say(exchange, f"例如：“{rule.right}”", f' For example: "{rule.right}"')


def _moves(exchange: Exchange, reading: Reading, scores: Mapping[Dimension, Score]) -> Iterator[Remark]:
    seen: dict[str, MoveSeen] = {move.move: move for move in reading.moves}
    for name, dimension, points, chinese, english in _BAD_MOVES:
        value = scores[dimension].value
        if name in seen and value is not None and value <= 3:
            yield _quoted(exchange, seen[name], dimension, points, _say(exchange, chinese, english))
    for name, dimension, chinese, english in _GOOD_MOVES:
        value = scores[dimension].value
        if name in seen and value is not None and value >= 3:
            yield _quoted(exchange, seen[name], dimension, 1, _say(exchange, chinese, english))
    value = scores["empathy"].value
    if value is not None and value <= 3 and felt(exchange) and not {"acknowledge", "reassure", "apologise"} & set(seen):
        text = _say(
            exchange,
            "客户有情绪，这一轮没有回应。先说出客户的处境和感受，再谈办理。",
            "The customer's feeling was passed over. Name it before you go on to business.",
        )
        yield Remark("empathy", -1, text, rule="rubric.empathy")


def _quoted(exchange: Exchange, move: MoveSeen, dimension: Dimension, points: float, text: str) -> Remark:
    return Remark(dimension, points, text, exchange.reply[move.start : move.end], move.start, move.end)
