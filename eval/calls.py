"""Suites whose cases are whole calls: customer, ladder, trainee and matrix lay out calls here and tell of them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval import plots
from eval.fidelity import FAULTS, feelings, grouped
from eval.opening import fresh_model, room_subject, throw_away_room
from eval.playing import Speaker, call_data, play
from eval.specification import sha256
from eval.suites import Case, Plot, Result, Said, Worst
from roleplay.errors import Rejected
from roleplay.settings import Settings, load_settings

if TYPE_CHECKING:
    from roleplay.room import Room

SHOWN = 8  # calls among the worst
FEELING_TOP = 4.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One call: models as settings name them, the persona, who plays the trainee (`part` looks it up) and the seed."""

    customer: str | None
    grader: str | None
    persona: str
    part: str
    seed: int


class Rooms:
    """Opens the room for a customer and a grader, and keeps the last one: models are large."""

    def __init__(self, personas: Sequence[Path]) -> None:
        self._personas, self._stack = tuple(personas), ExitStack()
        self._open: tuple[str | None, str | None] | None = None

    @property
    def chosen(self) -> bool:
        """Whether the personas were chosen, and are not all that there are."""
        return bool(self._personas)

    def get(self, customer: str | None, grader: str | None) -> Room:
        """Raises RoleplayError when a part cannot be had."""
        if self._open != (customer, grader):
            self._stack.close()
            self._room = self._stack.enter_context(throw_away_room(customer, grader, self._personas or None))
            if faults := self._room.library().faults:
                raise Rejected("personas with faults cannot be played:\n" + "\n".join(map(str, faults)))
            self._open = (customer, grader)
        return self._room

    def subject(self, customer: str | None, grader: str | None) -> dict[str, Any]:
        return room_subject(self.get(customer, grader), load_settings(model=customer, grader=grader))

    def close(self) -> None:
        self._stack.close()


@contextmanager
def open_rooms(personas: Sequence[Path]) -> Iterator[Rooms]:
    rooms = Rooms(personas)
    try:
        yield rooms
    finally:
        rooms.close()


def measure_call(
    rooms: Rooms, planned: Planned, speaker: Callable[[str], Speaker], who: Mapping[str, Any], grade: bool
) -> dict[str, Any]:
    """Play one planned call. `speaker` makes the trainee of a part, `who` says more of it for the result."""
    room = rooms.get(planned.customer, planned.grader)
    settings = load_settings(model=planned.customer, grader=planned.grader)
    if settings.model.startswith("scripted:") or settings.grader.startswith("scripted:"):
        room = _begun_anew(room, settings)
    call = play(room, planned.persona, speaker(planned.part), planned.seed, grade)
    played = {"customer": settings.model, "grader": settings.grader if grade else "", "seed": planned.seed}
    return call_data(room, call, {**who, **played})


def _begun_anew(room: Room, settings: Settings) -> Room:
    """The same room, in which customer and grader that follow scripts begin them anew: no case hangs on another."""
    from roleplay.build import build_grader

    room, customer = copy(room), copy(room.customer)
    customer.model = fresh_model(settings, settings.model, customer.model, settings.answer_timeout)
    room.customer = customer
    if settings.grader.startswith("scripted:"):
        room.grader = build_grader(settings)
    return room


def as_case(planned: Planned, several: bool = False) -> Case:
    """A planned call as a case; with `several` models their names are part of its id."""
    models = f"{planned.customer or 'bundled'} | {planned.grader or 'bundled'} | " if several else ""
    return Case(f"{models}{planned.part} | {planned.persona} | {planned.seed}", planned, planned.persona)


def personas_hash(room: Room, cases: Sequence[Case]) -> str:
    """Of the personas that are played."""
    library = room.library()
    names = sorted({case.given.persona for case in cases})
    return sha256("\n".join(f"{name} {library.get(name).hash}" for name in names).encode())


def calls_of(results: Sequence[Result]) -> list[Mapping[str, Any]]:
    return [result.data for result in results if result.data is not None]


# What reports say of calls.


def feeling_plots(calls: Sequence[Mapping[str, Any]], by: str = "policy") -> Iterator[Plot]:
    """The mean course of the feelings, a picture for each policy."""
    for name, group in grouped(calls, by).items():
        curves = dict(feelings(group))
        last = max((points[-1][0] for points in curves.values() if points), default=1.0)
        ranges, axes = ((0.0, max(last, 1.0)), (0.0, FEELING_TOP)), ("axis_reply", "axis_feeling")
        yield Plot("feelings", partial(plots.curves, curves, *ranges, axes), (name, f"(n={len(group)})"))


def worst_calls(
    results: Sequence[Result], badness: Callable[[Mapping[str, Any]], tuple[float, str]]
) -> Iterator[Worst]:
    """The calls that are worst by `badness` (how bad, why), none that are not bad at all."""
    judged = [(badness(result.data), result) for result in results if result.data is not None]
    for (bad, why), result in sorted(judged, key=lambda pair: -pair[0][0])[:SHOWN]:
        if bad > 0:
            yield Worst(result.case, why, transcript(result.data or {}))


def unfaithful(call: Mapping[str, Any]) -> tuple[float, str]:
    """How many lines broke the part, and how; then whether the call ended other than its trainee deserved."""
    counts = {name: sum(line[name] for line in call["lines"]) for name in FAULTS}
    found = [f"{name} in {count}" for name, count in counts.items() if count]
    if found:
        return 1.0 + sum(counts.values()), ", ".join(found) + f" of {len(call['lines'])} lines"
    odd = call["ended_well"] != (call["policy"] == "excellent") and call["policy"] in ("excellent", "rude")
    return 0.5 * odd, f"{call['policy']} trainee, ended with {call['ending']} after {len(call['turns'])} replies"


def transcript(call: Mapping[str, Any]) -> tuple[Said, ...]:
    """A call's data as lines, each with what is to be seen in it."""
    lines: list[Said] = []
    for turn, figures in zip(call["turns"], call["lines"], strict=True):
        scores = (turn["grade"] or {}).get("scores", {})
        given = [f"{name} {score['value']:g}" for name, score in scores.items() if score["value"] is not None]
        moves = " ".join(move["move"] for move in turn["reading"]["moves"])
        lines.append(Said("trainee", turn["trainee"], " · ".join(filter(None, (moves, *given)))))
        broken = [name for name in FAULTS if figures[name]]
        gloss = f"{turn['gloss']} " if turn["gloss"] else ""
        lines.append(Said("customer", turn["customer"], gloss + " ".join([f"[{turn['act']}]", *broken])))
    return tuple(lines)
