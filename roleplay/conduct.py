"""How a call was led, in numbers: how long it took, how long the customer waited, what was passed on at its end.

Shown beside the grades and never mixed into them. Typed answers take longer than spoken ones: compare like with like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from roleplay.call import Call
from roleplay.clauses import topics
from roleplay.events import Event, absences, paused
from roleplay.noticed import is_silent

PASSED_ON = 0.5  # share of a fact's words from which a briefing counts as passing it on


@dataclass(frozen=True, slots=True)
class Conduct:
    """Times in seconds, pauses left out; None where there is nothing to measure."""

    length: float
    replies: int
    mean_response: float | None
    longest_response: float | None
    holds: int
    hold_seconds: float
    unannounced: int  # holds and mutings that no reply before them had asked leave for
    silences: int  # replies without a word
    searches: int  # in the knowledge base
    talk_share: float | None  # of all characters, those that the trainee said


@dataclass(frozen=True, slots=True)
class Transfer:
    """To whom the customer was handed over, and which known facts the briefing passed on."""

    to: str
    briefing: str
    announced: bool
    passed_on: tuple[str, ...]
    left_out: tuple[str, ...]


def conduct(call: Call) -> Conduct:
    """The figures of a call, finished or not."""
    responses = [each.seconds for each in call.exchanges if each.seconds is not None]
    end = call.row.ended_at or datetime.now(UTC)
    away = [absence for absence in absences(call.events) if absence.kind != "pause"]
    said = sum(len(each.reply.text) for each in call.exchanges)
    heard = sum(len(each.answer.text) for each in call.exchanges)
    return Conduct(
        length=length(call, end),
        replies=len(call.exchanges),
        mean_response=sum(responses) / len(responses) if responses else None,
        longest_response=max(responses, default=None),
        holds=len(away),
        hold_seconds=sum(absence.seconds(call.row.started_at, end) for absence in away),
        unannounced=sum(not _announced(call, absence.reply, "hold", "consent") for absence in away),
        silences=sum(is_silent(each.reply.text) for each in call.exchanges),
        searches=sum(event.kind == "search" for event in call.events),
        talk_share=said / (said + heard) if said + heard else None,
    )


def length(call: Call, now: datetime) -> float:
    """Seconds on the line until `now`, without pauses."""
    started = call.row.started_at
    return max(0.0, (now - started).total_seconds() - paused(call.events, started, now))


def transfer(call: Call) -> Transfer | None:
    """The transfer that ended the call; None when there was none."""
    event = _last(call.events)
    if event is None:
        return None
    briefing = event.detail["briefing"]
    words = topics(briefing)
    known = [fact for fact in call.persona.call.facts if fact.id in call.state.facts]
    passed = [fact for fact in known if (fact.value and fact.value in briefing) or _shared(fact.text, words)]
    return Transfer(
        event.detail["to"],
        briefing,
        any(each.reading.did("transfer") for each in call.exchanges),
        tuple(fact.text for fact in passed),
        tuple(fact.text for fact in known if fact not in passed),
    )


def _last(events: Sequence[Event]) -> Event | None:
    return next((event for event in reversed(events) if event.kind == "transfer"), None)


def _shared(text: str, words: frozenset[str] | set[str]) -> bool:
    about = topics(text)
    return bool(about) and len(about & words) / len(about) >= PASSED_ON


def _announced(call: Call, reply: int, *moves: str) -> bool:
    return reply > 0 and call.exchanges[reply - 1].reading.did(*moves)
