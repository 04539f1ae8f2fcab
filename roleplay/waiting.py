"""A customer who was put on hold: whether it was told before, why and for how long, and whether it was too long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from roleplay.events import Event, absences
from roleplay.facts import quantities
from roleplay.signs import HOLDS, LEAVE

AT_ONCE = 4.0  # seconds that nobody minds
BARE, WITH_REASON = 30.0, 60.0  # seconds that are waited when no time was given
OVER_TIME = 1.25  # of the time that was given
REASON = re.compile(
    r"查|核实|核对|确认|看一下|看看|了解|问一下|联系|系统|登记|记录|处理|"
    r"\b(?:check|look|find out|see|ask|confirm|pull|open|system|records?|while i|so (?:that )?i)\b",
    re.IGNORECASE,
)
THANKED = re.compile(
    r"久等|等了|耐心等|谢谢您的等|感谢您的等|抱歉|对不起|不好意思|"
    r"\b(?:thank|thanks)[^.?!]{0,20}(?:wait|hold|patien)|\bsorry\b|\bapologi[sz]e\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wait:
    """A time on hold or muted. `told`: the reply before it asked to wait; `allowed`: seconds that it covers."""

    seconds: float
    told: bool
    allowed: float


def waited(events: Iterable[Event], replies: int, last_reply: str, now: datetime) -> Wait | None:
    """The wait since the last of so many replies; None when there was none. Pauses are no wait."""
    gone = [each for each in absences(events) if each.reply == replies and each.kind != "pause"]
    seconds = sum(((each.end or now) - each.start).total_seconds() for each in gone)
    if seconds < AT_ONCE:
        return None
    return Wait(seconds, was_told(last_reply), allowed(last_reply))


def was_told(last_reply: str) -> bool:
    """Whether a reply told the customer that it would have to wait."""
    return bool(HOLDS.search(last_reply) or (LEAVE.search(last_reply) and REASON.search(last_reply)))


def allowed(last_reply: str) -> float:
    """Seconds that a customer waits after this reply before it minds how long it takes."""
    if not was_told(last_reply):
        return BARE
    given = [
        float(each.value)
        for each in quantities(last_reply)
        if each.kind == "duration" and each.unit == "second" and not isinstance(each.value, str)
    ]
    if given:
        return max(given) * OVER_TIME
    return WITH_REASON if REASON.search(last_reply) else BARE


def annoys(wait: Wait | None, reply: str) -> str:
    """Why the customer minds the wait, as a cause of `reaction`; "" when it does not.

    Who was told and waited longer is content with a word of thanks or apology, up to twice the time.
    """
    if wait is None:
        return ""
    too_long = wait.seconds > wait.allowed
    if too_long and not (wait.told and wait.seconds <= 2 * wait.allowed and THANKED.search(reply)):
        return "held_too_long"
    return "" if wait.told else "kept_waiting"
