"""A reply as numbers that say what they mean: the input of the bundled grader's small model.

Everything here can be shown to a trainer by name. Pure; what models say is passed in.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import mul
from typing import get_args

from roleplay.claims import ASKS_FOR, tells, told
from roleplay.clauses import clauses, is_question, sentences, topics
from roleplay.dialogue import AIMS, STAGES, Evidence, Exchange
from roleplay.facts import quantities
from roleplay.reading import Claim, Finding, Reading, Tone
from roleplay.relevance import CARE, relevance
from roleplay.standards import Rule, Topic

NEAREST = 3  # entries of the evidence that are looked at; the search may have found more than bear on it
_FEELING = re.compile(
    r"[！!]{1,}|急|气|烦|怒|慌|怕|担心|哭|难受|害怕|崩溃|坑|骗|投诉|凭什么|凭啥|受够|委屈|寒心|伤心|去世|走了|抢救|病|死|丢|偷|糊弄|"
    r"倒霉|害|惨|疼|"
    r"\b(?:angry|furious|worried|scared|upset|afraid|crying|sick|tired|fed up|ridiculous|awful|terrible|died|hospital|stolen|"
    r"lost|desperate|shaking|stupid|hate|please|joke|robbed|sting|disgrace|useless|alone|anxious|panic)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"[？?]|怎么|多少|能不能|为什么|什么时候|哪|吗|想|要|帮|办|查|how|what|when|why|can|want|need|where", re.I
)
_OWNERSHIP = re.compile(
    r"我(?:来|这就|马上|现在|会|陪|替|帮|先|再|给|守|一直)|交给我|为您(?:查|办|登记|申请|处理|开通|提交|转|安排)|"
    r"\bI'll\b|\bI will\b|\blet me\b|\bI've\b|\bI'm \w+ing\b|"
    r"\bshall I\b|\bmay I\b", re.I,
)  # fmt: skip
_SORRY = re.compile(r"抱歉|对不起|不好意思|谅解|歉意|\bsorry\b|\bapolog", re.I)
_GIFT = re.compile(
    r"送|赠|补偿|赔|减免|退还|退给|全免|白送|券|礼|永久|保证|包|肯定|绝对|compensat|gift|bonus|free|refund|waiv|wip|promise|guarantee|never",
    re.I,
)


_CONDITION = re.compile(
    r"须|需|如|若|满|限|仅|只|前|内|起|后|除|不可|不得|不予|否则|\bmust\b|\bonly\b|\bif\b|\bunless\b|\bbefore\b|\bwithin\b|"
    r"\bonce\b|\bneeds?\b|\botherwise\b|\bafter\b|\buntil\b|\bexcept\b|\bup to\b|\bnot\b", re.I,
)  # fmt: skip
_NO = re.compile(
    r"不能|不行|不可|无法|没法|没办法|办不了|退不了|不退|不给|不办|不支持|没有|\bcan't\b|\bcannot\b|\bwon't\b|\bno\b|\bnot\b",
    re.I,
)
_YES = re.compile(r"可以|可|能|免费|支持|\bcan\b|\bmay\b|\bfree\b|\bincluded\b", re.I)
_SURE = re.compile(
    r"一定|保证|肯定|永远|永久|绝对|全部|一律|任何|随便|都|从来|百分|"
    r"\bnever\b|\balways\b|\bdefinitely\b|\bguarantee|\ball\b|\bany\b|\bevery|"
    r"\bwhatever\b|\bpromise", re.I,
)  # fmt: skip


def nearest(exchange: Exchange, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The account, the NEAREST entries that bear most on what was said, and for each sentence of the reply the one that
    bears most on it, in their order: a reply may set two products side by side."""
    if len(evidence) <= NEAREST:
        return tuple(evidence)
    about = topics(" ".join([*(turn.text for turn in exchange.context[-3:]), exchange.reply]))
    account = [entry for entry in evidence if entry.of_account]
    others = [entry for entry in evidence if entry not in account]
    of_entry = [(entry, topics(f"{entry.question} {entry.text}")) for entry in others]
    near = [entry for entry, own in sorted(of_entry, key=lambda pair: -len(about & pair[1]))[:NEAREST]]
    for piece in sentences(exchange.reply):
        said = topics(piece.text)
        near.append(max(of_entry, key=lambda pair: len(said & pair[1]))[0])
    return tuple(entry for entry in evidence if entry in near or entry in account)


def felt(exchange: Exchange) -> bool:
    """Whether the customer's last line lets a feeling be heard."""
    return bool(_FEELING.search(exchange.heard_text))


def features(exchange: Exchange, reading: Reading, rules: Mapping[str, Rule]) -> dict[str, float]:
    """Every feature by name. Counts are kept small by a square root."""
    return {
        **_shape(exchange),
        **_care(exchange),
        **_truth(exchange, reading.claims),
        **relevance(exchange, nearest(exchange, exchange.evidence)),
        **_standard(reading.findings, rules),
        **_tone(reading.tones),
        **{
            f"aim.{aim}": max((seen.probability for seen in reading.aims if seen.aim == aim), default=0.0)
            for aim in AIMS
        },
        **{f"stage.{stage}": float(reading.stage == stage) for stage in STAGES},
        "outbound": float(exchange.direction == "outbound"),
    }


def _root(count: float) -> float:
    return math.sqrt(max(0.0, count))


def _shape(exchange: Exchange) -> dict[str, float]:
    reply = exchange.reply
    words = len(re.findall(r"[\u4e00-\u9fff]|[A-Za-z']+|\d+", reply))
    parts = sentences(reply)
    return {
        "length": math.log1p(words),
        "short": float(words <= 6),
        "sentences": _root(len(parts)),
        "questions": _root(sum(is_question(part.text) for part in parts)),
        "exclaims": _root(len(re.findall("[！!]", reply))),
        "polite_you": _root(reply.count("您")),
        "plain_you": _root(len(re.findall("你", reply))),
        "please": _root(len(re.findall(r"请|麻烦|\bplease\b|\bmay I\b|\bcould you\b|\bwould you\b", reply, re.I))),
        "thanks": _root(len(re.findall(r"谢谢|感谢|\bthank", reply, re.I))),
        "sorry": _root(len(_SORRY.findall(reply))),
    }


def _care(exchange: Exchange) -> dict[str, float]:
    heard = exchange.heard_text
    about_heard, about_reply = topics(heard), topics(exchange.reply)
    feeling = _root(len(_FEELING.findall(heard)))
    care = _root(len(CARE.findall(exchange.reply)))
    echo = len(about_heard & about_reply) / (len(about_heard) + 3)
    own = _root(len(_OWNERSHIP.findall(exchange.reply)))
    return {
        "heard.feeling": feeling, "heard.request": float(bool(_REQUEST.search(heard))), "heard.length": math.log1p(len(heard)),
        "care": care, "care.when_felt": care * min(feeling, 1), "care.echo": echo, "care.own": own,
        "care.both": min(care, 1) * min(own, 1), "felt.passed_over": float(feeling > 0 and care == 0),
    }  # fmt: skip


def _tone(tones: Sequence[Tone]) -> dict[str, float]:
    """The worst and the best sentence, the mean, and all that lies above and below plain words."""
    found: dict[str, float] = {}
    for name in ("heart", "form"):
        values = [getattr(tone, name) for tone in tones] or [0.0]
        lengths = [tone.end - tone.start for tone in tones] or [1]
        found |= {
            f"tone.{name}_least": min(values),
            f"tone.{name}_most": max(values),
            f"tone.{name}_mean": sum(values) / len(values),
            f"tone.{name}_by_length": sum(map(mul, values, lengths)) / sum(lengths),
            f"tone.{name}_below": sum(min(0.0, value) for value in values),
            f"tone.{name}_above": sum(max(0.0, value) for value in values),
        }
    return found


def _truth(exchange: Exchange, claims: Sequence[Claim]) -> dict[str, float]:
    evidence = nearest(exchange, exchange.evidence)
    verdicts = Counter(claim.verdict for claim in claims)
    reply = exchange.reply
    about, facts = topics(reply), quantities(reply)
    wanted = [fact for entry in evidence for fact in quantities(entry.text) if fact.kind not in ("plan",)]
    covered = sum(any(fact.agrees(want) for fact in facts) for want in wanted)
    known = topics(" ".join(entry.text for entry in evidence))
    heard = topics(" ".join(turn.text for turn in exchange.context))
    shared = len(about & known)
    money = sum(claim.verdict == "not_covered" and bool(re.search(r"\d|[元块£$€]", claim.text)) for claim in claims)
    shares = [entry.share for entry in told(reply, evidence, exchange.context)]
    parts = [clause for sentence in sentences(reply) for clause in clauses(sentence)]
    foreign = sum(not topics(part.text) & (known | heard) for part in parts)
    return {
        "claims.supported": _root(verdicts["supported"]),
        "claims.contradicted": float(min(verdicts["contradicted"], 2)),
        "claims.any_contradicted": float(verdicts["contradicted"] > 0),
        "claims.polarity": float(any(claim.why == "polarity" for claim in claims)),
        "claims.not_covered": _root(verdicts["not_covered"]),
        "claims.not_covered_number": _root(money),
        "claims.opinion": _root(verdicts["opinion"]),
        "evidence.any": float(bool(evidence)),
        "evidence.count": float(len(evidence)),
        "evidence.numbers": _root(len(wanted)),
        "told.numbers": covered / len(wanted) if wanted else 0.5,
        "told.numbers_count": _root(covered),
        "told.words": shared / (len(known) + 1),
        "told.words_count": _root(shared),
        "told.new_words": len((about & known) - heard) / (len(known - heard) + 1),
        "told.entries": _root(len(shares)),
        "told.share": sum(shares) / len(evidence) if evidence else 0.0,
        "told.foreign": foreign / (len(parts) + 1),
        "told.own_words": len(about - known - heard) / (len(about) + 1),
        **_coverage(exchange, evidence),
        "gift": _root(len(_GIFT.findall(reply))),
        "gift.unknown": _root(sum(hit not in " ".join(e.text for e in evidence) for hit in _GIFT.findall(reply))),
        "no_evidence.numbers": _root(len(facts)) if not evidence else 0.0,
        "no_evidence.length": math.log1p(len("".join(reply.split()))) if not evidence else 0.0,
    }


def _coverage(exchange: Exchange, evidence: Sequence[Evidence]) -> dict[str, float]:
    """How much of what was asked for was told: the main clause of the evidence, its conditions, the kind asked for."""
    reply, heard = exchange.reply, " ".join(turn.text for turn in exchange.context[-3:])
    facts, about, asked = quantities(reply), topics(reply), topics(heard)
    parts = [clause.text for entry in evidence for one in sentences(entry.text) for clause in clauses(one)]
    if not parts:
        return {}
    main = max(parts, key=lambda part: len(topics(part) & asked) + 0.1 * len(quantities(part)))
    bound = [part for part in parts if _CONDITION.search(part)]
    shares = [len(topics(part) & about) / (len(topics(part)) or 1) for part in parts]
    known = " ".join(parts)
    kinds = {kind for kind, pattern in ASKS_FOR if pattern.search(heard)}
    wanted = [fact for part in parts for fact in quantities(part) if fact.kind in kinds]
    met = sum(any(fact.agrees(want) for fact in facts) for want in wanted)
    sure = [word for word in _SURE.findall(reply) if word not in known]
    return {
        "told.main": float(tells(facts, about, main)),
        "told.conditions": sum(tells(facts, about, part) for part in bound) / len(bound) if bound else 0.5,
        "told.clauses": sum(tells(facts, about, part) for part in parts) / len(parts),
        "told.least": min(shares),
        "told.mean": sum(shares) / len(shares),
        "told.asked_kind": met / len(wanted) if wanted else 0.5,
        "no.though_possible": float(bool(_NO.search(reply)) and not _NO.search(known) and bool(_YES.search(known))),
        "yes.though_not": float(bool(_NO.search(known)) and not _NO.search(reply)),
        "sure.unknown": _root(len(sure)),
    }


def _standard(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> dict[str, float]:
    """What rules find, by topic, so that more rules make better features and not more of them.

    Tips are counted apart: what the standard only recommends is no lapse when it is missing.
    """
    tips = [finding for finding in findings if rules[finding.rule].severity == "tip"]
    findings = [finding for finding in findings if rules[finding.rule].severity != "tip"]
    broken = Counter(rules[f.rule].topic for f in findings if not f.kept and f.end > 0)
    missing = Counter(rules[f.rule].topic for f in findings if not f.kept and f.end == 0)
    kept = sum(f.kept for f in findings)
    forbidden = sum(not f.kept and f.end > 0 and rules[f.rule].severity == "forbidden" for f in findings)
    found = {
        "rules.broken": _root(broken.total()),
        "rules.missing": _root(missing.total()),
        "rules.kept_share": kept / (kept + missing.total() + 1),
        "rules.forbidden": float(min(forbidden, 2)),
        "rules.tips_kept": _root(sum(f.kept for f in tips)),
        "rules.tips_share": sum(f.kept for f in tips) / (len(tips) + 1),
    }
    for topic in get_args(Topic):
        found[f"broken.{topic}"] = _root(broken[topic])
        found[f"missing.{topic}"] = float(missing[topic])
    return found
