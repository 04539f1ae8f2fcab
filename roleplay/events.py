"""What happens in a call beside what is said: ringing, holding, muting, pausing, hints, a transfer, a retry, a draft
tried, what was written down.

Each event knows after how many replies it happened and when. Kept one by one, never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from roleplay import tables
from roleplay.database import world
from roleplay.errors import Rejected

Away = Literal["hold", "mute", "pause"]  # the trainee cannot be heard until `back`
Kind = Literal["ring", "hold", "mute", "pause", "back", "louder", "search", "hint", "transfer", "retry", "draft", "sheet"]  # fmt: skip
AWAY: tuple[str, ...] = get_args(Away)
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `reply` counts the replies said before it; `detail` is JSON."""

    kind: Kind
    reply: int
    detail: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which the trainee could not be heard. `end` is None while it lasts."""

    kind: Away
    reply: int
    start: datetime
    end: datetime | None

    def seconds(self, after: datetime, before: datetime) -> float:
        """How much of it lies between two moments."""
        return max(0.0, (min(self.end or before, before) - max(self.start, after)).total_seconds())


class Events:
    """The events in a database that `records` has opened."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, call_id: str, event: Event) -> None:
        """Raises Rejected when there is no such call, Unavailable when it cannot be kept."""
        row = {"call_id": call_id, "kind": event.kind, "reply": event.reply, "detail": event.detail, "at": event.at}
        with world(), self._engine.begin() as connection:
            try:
                connection.execute(insert(tables.events), row)
            except IntegrityError as error:
                raise Rejected(f"there is no call {call_id}") from error

    def of(self, call_id: str) -> tuple[Event, ...]:
        """In the order in which they happened. Empty for an unknown call."""
        events = tables.events.c
        query = select(events.kind, events.reply, events.detail, events.at).where(events.call_id == call_id)
        with world(), self._engine.connect().execution_options(reading=True) as connection:
            return tuple(Event(*row) for row in connection.execute(query.order_by(events.id)))


def absences(events: Iterable[Event]) -> tuple[Absence, ...]:
    """When the trainee was away, oldest first; the last one may still last."""
    found: list[Absence] = []
    for event in events:
        if event.kind in AWAY:
            found.append(Absence(event.kind, event.reply, event.at, None))  # type: ignore[arg-type]
        elif event.kind == "back" and found and found[-1].end is None:
            found[-1] = Absence(found[-1].kind, found[-1].reply, found[-1].start, event.at)
    return tuple(found)


def away(events: Sequence[Event]) -> Away | None:
    """How the trainee is away at the end of these events; None when they can be heard."""
    last = next((absence for absence in reversed(absences(events)) if absence.end is None), None)
    return last.kind if last else None


def paused(events: Iterable[Event], after: datetime, before: datetime) -> float:
    """Seconds between two moments in which the clocks stood still."""
    return sum(absence.seconds(after, before) for absence in absences(events) if absence.kind == "pause")
