"""What calls came to, for those who teach: one line a call, and tables over many of them.

A result is computed from the kept call and its grades, and kept in memory until one of them changes.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from roleplay.bases import Bases, alike, apart, newest
from roleplay.dialogue import Direction, Ending, Feeling, Language
from roleplay.lessons import kpis
from roleplay.records import PERSON, CallRow, Mode, Records
from roleplay.reports import Report, kept_report
from roleplay.rubric import DIMENSIONS, Dimension

KEPT = 20_000  # results that are held in memory
FAULTS = ("not_verified", "rude", "wrong_fact", "disclosed")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that cost points: what it rests on (a rule or an entry, "" where neither) and the words for it."""

    dimension: Dimension
    basis: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """One call. `retried`: it tries part of another call again, and is no attempt of its own.

    `checks` says of each check that the call was held to whether it passed ("stage.opening", "fault.rude").

    `seconds` is the length of the call, `pace` the mean time that the trainee took for a reply; `rules` holds the
    ids of the rules that it broke, one for each time; `unscored` counts replies that no grader has scored yet.
    """

    call_id: str
    trainee: str
    persona_id: str
    title: str
    language: Language
    direction: Direction
    topics: tuple[str, ...]
    difficulty: int
    mode: Mode
    started_at: datetime
    ending: Ending | None
    ended_well: bool
    replies: int
    seconds: float
    pace: float | None
    total: float | None
    passed: bool | None
    mean: Mapping[Dimension, float | None]
    checks: Mapping[str, bool]
    rules: tuple[str, ...]
    first: Feeling
    last: Feeling
    corrected: bool
    unscored: int
    retried: bool
    faults: tuple[Fault, ...]
    kpis: Mapping[str, float | None]  # see `lessons.Kpi`
    basis: Mapping[str, str]  # of the machine's grades, the newest where they differ; see `Grade.basis`

    @property
    def scale(self) -> str:
        """Equal where scores may be set side by side, whoever the customer was."""
        return " ".join(f"{name}={value}" for name, value in sorted(self.basis.items()) if name != "persona")

    @property
    def week(self) -> str:
        """The ISO week in which the call began, in UTC: "2026-W47"."""
        year, week, _ = self.started_at.isocalendar()
        return f"{year}-W{week:02d}"


class Results:
    """Results of the calls in some records. Safe to share between threads."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[str, tuple[str, Result]] = {}
        self._lock = threading.Lock()

    def of(self, rows: Sequence[CallRow]) -> list[Result]:
        """The results of these calls, in their order."""
        stamps = self._records.stamps(row.id for row in rows)
        return [self._result(row, stamps[row.id]) for row in rows]

    def find(
        self,
        trainee: str | None = None,
        persona_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Result]:
        """The results of all calls that fit, the newest first; see `Records.calls`."""
        rows = self._records.calls(trainee, None, persona_id=persona_id, since=since, until=until)
        return self.of(rows)  # fmt: skip

    def _result(self, row: CallRow, stamp: str) -> Result:
        with self._lock:
            known = self._known.get(row.id)
        if known and known[0] == stamp:
            return known[1]
        made = result_of(kept_report(self._records, row.id))
        with self._lock:
            self._known[row.id] = (stamp, made)
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return made


def result_of(report: Report) -> Result:
    """The one line of a report."""
    call, row, totals = report.call, report.call.row, report.totals
    seconds = [each.seconds for each in call.exchanges if each.seconds is not None]
    stages = {f"stage.{name}": True for name in report.stages_done}
    stages |= {f"stage.{name}": False for name in report.stages_missed}
    verified = {"not_verified"} if call.persona.account is None else set()  # there was nobody to verify
    return Result(
        call_id=call.id,
        trainee=row.trainee,
        persona_id=row.persona_id,
        title=call.persona.title,
        language=row.language,
        direction=row.direction,
        topics=tuple(call.persona.topics),
        difficulty=call.persona.difficulty,
        mode=row.mode,
        started_at=row.started_at,
        ending=row.ending,
        ended_well=report.ended_well,
        replies=len(call.exchanges),
        seconds=report.conduct.length if row.ended_at else sum(seconds),
        pace=sum(seconds) / len(seconds) if seconds else None,
        total=totals.total,
        passed=totals.passed,
        mean=dict(totals.mean),
        checks=stages | {f"fault.{name}": name not in report.faults for name in FAULTS if name not in verified},
        rules=tuple(
            mark.rule for grade in report.grades.values() for mark in grade.remarks if mark.rule and mark.points < 0
        ),
        first=report.moods[0].feeling,
        last=report.moods[-1].feeling,
        corrected=any(grade.grader.startswith(PERSON) for grade in report.grades.values()),
        unscored=sum(each.number not in report.grades for each in call.exchanges),
        retried=call.retried is not None,
        faults=tuple(
            Fault(mark.dimension, mark.rule or mark.entry, mark.text)
            for grade in report.grades.values()
            for mark in grade.remarks
            if mark.points < 0
        ),
        kpis={kpi.name: kpi.value for kpi in kpis(report)},
        basis=report.basis,
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Several calls as one line of a table. Means are over the calls that have the number; None where none has.

    Scores on different bases are never in one mean: `total`, `passed` and `mean` are of the calls scored as the
    newest of the line was; `older` counts the scored calls that are left out. `changed` names the parts in which
    those differ, or the line's newest from the newest of the whole table; `behind` says that the latter does.
    """

    key: str
    calls: int
    scored: int
    total: float | None
    passed: float | None  # share of the calls whose scores count
    mean: Mapping[Dimension, float | None]
    ended_well: float | None  # share of the calls that have ended
    replies: float
    minutes: float
    pace: float | None
    trust: float  # of the customers, at the end, 0 to 4
    calmer: float  # how much less angry they were at the end than at the start, on the same scale
    bases: Bases
    older: int
    changed: tuple[str, ...]
    behind: bool


def group(results: Iterable[Result], key: Callable[[Result], Collection[str]]) -> list[Group]:
    """A line for each key, in order of the keys; a result counts for every key that it has."""
    parts: dict[str, list[Result]] = defaultdict(list)
    results = list(results)
    for result in results:
        if result.replies and not result.retried:  # a call that was opened and left says nothing about anybody
            for name in key(result):
                parts[name].append(result)
    now = newest(results)
    return [_group(name, parts[name], now) for name in sorted(parts)]


BY: Mapping[str, Callable[[Result], Collection[str]]] = {
    "person": lambda result: (result.trainee,),
    "persona": lambda result: (result.persona_id,),
    "topic": lambda result: result.topics,
    "week": lambda result: (result.week,),
}


def _group(key: str, results: Sequence[Result], now: Bases) -> Group:
    ended = [result.ended_well for result in results if result.ending]
    scored = [result for result in results if result.total is not None]
    bases = newest(scored)
    counted = alike(scored, bases)
    behind = apart(bases, now)
    left_out = (part for each in scored for part in apart({each.language: each.basis}, bases))
    return Group(
        key=key,
        calls=len(results),
        scored=len(scored),
        total=average([result.total for result in counted]),
        passed=average([float(bool(result.passed)) for result in counted]),
        mean={name: average([result.mean[name] for result in counted]) for name in DIMENSIONS},
        ended_well=average([float(well) for well in ended]),
        replies=average([float(result.replies) for result in results]) or 0.0,
        minutes=sum(result.seconds for result in results) / 60,
        pace=average([result.pace for result in results]),
        trust=average([result.last.trust for result in results]) or 0.0,
        calmer=average([result.first.anger - result.last.anger for result in results]) or 0.0,
        bases=bases,
        older=len(scored) - len(counted),
        changed=tuple(dict.fromkeys((*behind, *left_out))),
        behind=bool(behind),
    )


def average(values: Iterable[float | None]) -> float | None:
    """The mean of what there is."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


@dataclass(frozen=True, slots=True)
class Missed:
    """How often a person failed a check: `failed` of `held` calls that were held to it."""

    failed: int
    held: int

    @property
    def share(self) -> float:
        return self.failed / self.held if self.held else 0.0


def heat_map(results: Iterable[Result]) -> dict[str, dict[str, Missed]]:
    """Person to check to how often it was missed. Only checks that somebody has missed are in it."""
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for result in results:
        for check, passed in result.checks.items() if result.replies and result.ending and not result.retried else ():
            cell = counts[result.trainee][check]
            cell[0] += not passed
            cell[1] += 1
    missed = {check for row in counts.values() for check, (failed, _) in row.items() if failed}
    return {
        person: {check: Missed(*cell) for check, cell in row.items() if check in missed}
        for person, row in sorted(counts.items())
    }


def draw_sample(results: Iterable[Result], each: int, seed: int) -> list[Result]:
    """For checking quality: so many finished calls of each trainee and week, drawn at random.

    The same seed and calls give the same sample; another person's calls do not change somebody's draw.
    """
    parts: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        if result.ending and result.replies and not result.retried:
            parts[result.week, result.trainee].append(result)
    drawn: list[Result] = []
    for (week, trainee), calls in sorted(parts.items(), reverse=True):
        calls.sort(key=lambda result: result.call_id)
        chance = random.Random(f"{seed} {week} {trainee}")
        drawn += chance.sample(calls, min(each, len(calls)))
    return drawn
