"""Stored calls under another grader or other standards: `python -m eval regrade [--grader SPEC] [--standards FILE…]`.

Every reply is read and scored anew and set beside the score that it has: what would change for whom?
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import plots
from eval.command import suite_command
from eval.intervals import mean
from eval.opening import Judging
from eval.specification import sha256
from eval.stored import StoredCall, StoredReply, graded_again, read_calls
from eval.suites import Case, Live, Plot, Result, Said, Story, Table, Worst
from roleplay.call import Call
from roleplay.errors import Rejected, RoleplayError
from roleplay.knowledge.search import Knowledge
from roleplay.reading import Reading
from roleplay.reports import make_report
from roleplay.rubric import DIMENSIONS, Grade, changed
from roleplay.settings import load_settings

PARTS = ("model", "rules", "calibration", "prompts", "persona")  # of what scores rest on
SHOWN = 10  # calls among those that would change most


@dataclass(frozen=True)
class Suite:
    """What would change for stored calls under this grader and these standards?"""

    files: tuple[Path, ...] = ()
    grader: str | None = None
    standards: tuple[Path, ...] = ()
    person: str | None = None
    number: int = 0
    data: Path | None = None
    name: str = "regrade"

    @contextmanager
    def open(self) -> Iterator[Live]:
        judging = Judging.load(self.grader, self.standards)
        with ExitStack() as stack:
            calls = self._from_files(judging, stack) if self.files else self._from_records(stack)
            if not calls:
                raise Rejected("there is no stored call with a reply in it; name files with --calls, or another --data")

            def measure(case: Case) -> dict[str, Any]:
                call, kept = case.given
                return regraded(call, kept, judging)

            cases = tuple(Case(call.id, (call, kept), call.persona) for call, kept in calls)
            said = "\n".join(f"{call.id} {reply.exchange.reply}" for call, _ in calls for reply in call.replies)
            yield Live(cases, {"calls": sha256(said.encode())}, judging.subject, measure, self.figures([]))

    def _from_records(self, stack: ExitStack) -> list[tuple[StoredCall, Any]]:
        """The newest calls of the records, each with the recorded call itself."""
        from roleplay.call import kept_call, kept_grades
        from roleplay.records import Records

        records = Records(load_settings(data=None if self.data is None else str(self.data)).database_url)
        stack.callback(records.close)
        found: list[tuple[StoredCall, Any]] = []
        for row in records.calls(self.person, limit=self.number or None):
            call, grades = kept_call(records, row.id), kept_grades(records, row.id)
            replies = tuple(
                StoredReply(call.exchange(each.number), call.persona, grades.get(each.number))
                for each in call.exchanges
            )
            if replies:
                found.append((StoredCall(row.id, row.persona_id, row.language, replies), (call, grades)))
        return found

    def _from_files(self, judging: Judging, stack: ExitStack) -> list[tuple[StoredCall, Any]]:
        @lru_cache(maxsize=1)
        def knowledge() -> Knowledge:
            from roleplay.build import build_embedder
            from roleplay.knowledge.store import open_knowledge

            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="roleplay-eval-", ignore_cleanup_errors=True)
            )
            settings = judging.settings
            return open_knowledge(settings.knowledge, folder, build_embedder(settings), server=settings.chroma or None)

        found = [(call, None) for path in self.files for call in read_calls(path, knowledge) if call.replies]
        return found[: self.number or None]

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        calls = [result.data for result in results if result.data is not None]
        replies = [reply for call in calls for reply in call["replies"]]
        totals = [(call["total"]["old"], call["total"]["new"]) for call in calls]
        gaps = [new - old for old, new in totals if old is not None and new is not None]
        verdicts = [call["passed"] for call in calls if None not in call["passed"].values()]
        return {
            "calls": len(calls),
            "replies": len(replies),
            "graded_before": sum(reply["old"] is not None for reply in replies),
            "dimensions": {name: _dimension(replies, name) for name in DIMENSIONS},
            "changed": {part: sum(part in reply["changed"] for reply in replies) for part in PARTS},
            "total": {"n": len(gaps), "mean_change": mean(gaps), "largest_change": max(map(abs, gaps), default=None)},
            "passed": {
                "n": len(verdicts),
                "now_passed": sum(each["new"] and not each["old"] for each in verdicts),
                "now_failed": sum(each["old"] and not each["new"] for each in verdicts),
            },
        }

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        columns = ("n", "old_mean", "new_mean", "mean_change", "changed", "by_two", "now_scored", "no_longer_scored")
        rows = tuple((name, *(row[c] for c in columns)) for name, row in figures["dimensions"].items())
        total, passed = figures["total"], figures["passed"]
        tables = (
            Table("basis", ("part", "changed_for"), tuple(figures["changed"].items())),
            Table("dimensions", ("dimension", *columns), rows),
            Table("totals", ("n", "mean_change", "largest_change", "now_passed", "now_failed"),
                  ((total["n"], total["mean_change"], total["largest_change"], passed["now_passed"], passed["now_failed"]),)),
        )  # fmt: skip
        fields = {"calls": str(figures["calls"]), "replies": str(figures["replies"])}
        if not figures["graded_before"]:
            means = [f"{name} {row['new_mean']:.1f}" for name, row in figures["dimensions"].items() if row["new_mean"]]
            return Story(
                "first", {**fields, "means": ", ".join(means) or "no score"}, tables, (), tuple(_moved(results))
            )
        change = total["mean_change"]
        fields |= {
            "change": "–" if change is None else f"{change:+.1f}",
            "passed": str(passed["now_passed"]),
            "failed": str(passed["now_failed"]),
            "share": f"{mean([row['changed'] for row in figures['dimensions'].values() if row['changed'] is not None]) or 0:.0%}",
        }
        return Story("measured", fields, tables, tuple(_plots(results)), tuple(_moved(results)))


def regraded(call: StoredCall, kept: Any, judging: Judging) -> dict[str, Any]:
    """A call's replies under the new grader beside the old scores; totals where the call is this program's own.

    Raises RoleplayError when the grader fails on a reply: half a call is no result.
    """
    graded = [reply.graded(judging) for reply in call.replies]
    readings, grades = [reading for reading, _ in graded], [grade for _, grade in graded]
    for grade in grades:
        if failed := [score.why for score in grade.scores.values() if score.status == "failed"]:
            raise RoleplayError(failed[0])
    total: dict[str, Any] = {"old": None, "new": None}
    passed: dict[str, Any] = {"old": None, "new": None}
    if kept is not None:
        recorded, old = kept
        total, passed = _totals(recorded, old, readings, grades)
    now = judging.grader.basis(call.language)
    replies: list[dict[str, Any]] = [
        {
            "changed": [] if reply.grade is None else list(changed(reply.grade.basis, {**now, **_persona(reply)})),
            "heard": "" if (heard := reply.exchange.heard) is None else heard.text,
            "reply": reply.exchange.reply,
            "old": None if reply.grade is None else _values(reply.grade),
            "new": _values(grade),
            "remarks": [remark.text for remark in grade.remarks if remark.points < 0],
        }
        for reply, grade in zip(call.replies, grades, strict=True)
    ]
    values: dict[str, float | None] = {
        name: mean([each["new"][name] for each in replies if each["new"][name] is not None]) for name in DIMENSIONS
    }
    values["total"] = total["new"]
    return {
        "persona": call.persona,
        "language": call.language,
        "replies": replies,
        "total": total,
        "passed": passed,
        "values": {name: value for name, value in values.items() if value is not None},
    }


def _persona(reply: StoredReply) -> dict[str, str]:
    return {} if reply.persona is None else {"persona": reply.persona.grading.hash}


def _totals(
    call: Call, grades: Mapping[int, Grade], readings: Sequence[Reading], new: Sequence[Grade]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Totals and passes, old and new."""
    old_totals = make_report(call, grades).totals
    new_totals = make_report(graded_again(call, readings), dict(enumerate(new, 1))).totals
    return (
        {"old": old_totals.total, "new": new_totals.total},
        {"old": old_totals.passed, "new": new_totals.passed},
    )


def _values(grade: Grade) -> dict[str, float | None]:
    return {name: score.value for name, score in grade.scores.items()}


def _dimension(replies: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """How one dimension's scores would change; shares of the replies that both graders scored."""
    pairs = [(reply["old"][name], reply["new"][name]) for reply in replies if reply["old"] is not None]
    both = [(old, new) for old, new in pairs if old is not None and new is not None]
    news = [reply["new"][name] for reply in replies if reply["new"][name] is not None]
    return {
        "n": len(both),
        "old_mean": mean([old for old, _ in both]),
        "new_mean": mean([new for _, new in both]) if both else mean(news),
        "mean_change": mean([new - old for old, new in both]),
        "changed": mean([new != old for old, new in both]),
        "by_two": mean([abs(new - old) >= 2 for old, new in both]),
        "now_scored": sum(old is None and new is not None for old, new in pairs),
        "no_longer_scored": sum(old is not None and new is None for old, new in pairs),
    }


def _plots(results: Sequence[Result]) -> Iterator[Plot]:
    points, names = range(1, 6), [str(point) for point in range(1, 6)]
    for name in DIMENSIONS:
        pairs = [
            (round(reply["old"][name]), round(reply["new"][name]))
            for result in results
            if result.data is not None
            for reply in result.data["replies"]
            if reply["old"] is not None and reply["old"][name] is not None and reply["new"][name] is not None
        ]
        counts = [[pairs.count((old, new)) for new in points] for old in points]
        yield Plot("moves", partial(plots.confusion, counts, names, names), (name,))
    totals = [result.data["total"] for result in results if result.data is not None]
    gaps = [each["new"] - each["old"] for each in totals if None not in each.values()]
    if gaps:
        most = max(5.0, *map(abs, gaps))
        yield Plot("gaps", partial(plots.histogram, gaps, -most, most, "axis_gap"))


def _moved(results: Sequence[Result]) -> Iterator[Worst]:
    """The calls whose totals, or else whose scores, would change most."""

    def gap(data: Mapping[str, Any]) -> float:
        if None not in data["total"].values():
            return abs(float(data["total"]["new"] - data["total"]["old"]))
        scored = [(reply["old"], reply["new"]) for reply in data["replies"] if reply["old"] is not None]
        return float(
            sum(abs(new[d] - old[d]) for old, new in scored for d in DIMENSIONS if None not in (new[d], old[d]))
        )

    found = [(gap(result.data), result) for result in results if result.data is not None]
    for moved, result in sorted(found, key=lambda each: -each[0])[:SHOWN]:
        data = result.data or {}
        lines = []
        for reply in data["replies"]:
            lines.append(Said("customer", reply["heard"]))
            lines.append(Said("trainee", reply["reply"], _change(reply)))
        total = " to ".join("–" if value is None else f"{value:.0f}" for value in data["total"].values())
        yield Worst(
            result.case, f"{data['persona'] or data['language']}: total {total} (change {moved:.3g})", tuple(lines)
        )


def _change(reply: Mapping[str, Any]) -> str:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:g}"

    old, new = reply["old"] or {}, reply["new"]
    scores = [
        f"{name} {shown(old.get(name))} to {shown(new[name])}" if old else f"{name} {shown(new[name])}" for name in new
    ]
    return " · ".join([*scores, *reply["remarks"]])


@suite_command
def main(
    calls: Annotated[
        list[Path] | None,
        typer.Option(help="what `roleplay export` wrote, or transcripts (.jsonl, .csv, .xlsx); else the records"),
    ] = None,
    grader: Annotated[
        str | None, typer.Option(help="the new grader: bundled, hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME")
    ] = None,
    standards: Annotated[list[Path] | None, typer.Option(help="the new standards files instead of the shipped")] = None,
    person: Annotated[str | None, typer.Option(help="only this trainee's calls (records)")] = None,
    number: Annotated[int, typer.Option(min=0, help="only so many calls, of records the newest; 0 for all")] = 0,
    data: Annotated[Path | None, typer.Option(help="the data folder with the records")] = None,
) -> Suite:
    """What would change for stored calls under another grader or other standards?

    Every reply is read and scored anew and set beside the score it has: by dimension, by call, and who would pass or
    fail now. Nothing is written to the records.

    Example: python -m eval regrade --standards our-standards.yaml --number 200 --out runs/our-standards
    """
    return Suite(tuple(calls or ()), grader, tuple(standards or ()), person, number, data)
