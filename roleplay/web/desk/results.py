"""Results: calls with filters, tables and plots over them, who misses what, samples to check, files to take along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from roleplay.bases import apart
from roleplay.results import BY, Group, Result, draw_sample, group, heat_map
from roleplay.reviews import waiting
from roleplay.standards import load_standards
from roleplay.web.desk.section import QUICK, Desk, Section, Updates, weeks_ago

Point = tuple[float, float, str, float]  # x, y, week, total
VIEWS = ("calls", "person", "persona", "week", "missed", "sample", "reports")
SHOWN = 200  # calls of a list; the files hold all


def chosen(desk: Desk, person: str, persona: str, weeks: str, mode: str, cohort: str) -> list[Result]:
    """The results that the filters leave; "all" is no filter."""
    found = desk.results.find(
        None if person == "all" else person.removeprefix("="), None if persona == "all" else persona, weeks_ago(weeks)
    )
    people = {name for each in desk.records.cohorts.all() if each.name == cohort for name in each.people}
    return [
        each
        for each in found
        if mode in ("all", each.mode) and (cohort == "all" or each.trainee in people)
    ]  # fmt: skip


class ResultsSection(Section):
    name, right = "results", "read_results"

    def build(self) -> None:
        words = self.words
        self.head = self.html("results_head")
        with gr.Row(elem_classes=["inline"]):
            self.person = self._choice(words["person"], [(words["everybody"], "all")])
            self.cohort = self._choice(words["cohort"], [(words["all_cohorts"], "all")])
            self.persona = self._choice(words["persona"], [(words["all_personas"], "all")])
            self.weeks = self._choice(words["since"], [(text, str(key)) for key, text in words["weeks"].items()], "12")
            self.mode = self._choice(words["mode"], [(text, key) for key, text in words["modes"].items()])
        self.kind = gr.Radio(
            [(words["views"][name], name) for name in VIEWS], value="calls", label=words["view"], show_label=False,
            elem_id="kind", container=False,
        )  # fmt: skip
        with gr.Row(visible=False, elem_classes=["inline"]) as self.sampling:
            self.each = gr.Number(2, label=words["each"], minimum=1, maximum=50, precision=0, min_width=140)
            self.seed = gr.Number(1, label=words["seed"], minimum=0, maximum=10**9, precision=0, min_width=140)
        self.out = self.html("results_out")

    def _choice(self, label: str, choices: list[tuple[str, str]], value: str = "all") -> gr.Dropdown:
        return gr.Dropdown(choices, value=value, label=label, filterable=True, min_width=150)

    @property
    def filters(self) -> list[Any]:
        return [self.person, self.persona, self.weeks, self.mode, self.cohort]

    @property
    def parts(self) -> list[Any]:
        return [self.head, *self.filters, self.kind, self.sampling, self.each, self.seed, self.out]

    @property
    def clickable(self) -> list[Any]:
        return [self.head, self.out]

    def wire(self) -> None:
        inputs = [*self.filters, self.kind, self.each, self.seed]
        changes = [part.change for part in inputs]
        gr.on(changes, self.table, inputs, [self.problem, self.sampling, self.out], **QUICK)

    def show(self, who: str, asked: Mapping[str, str]) -> Updates:
        desk, words = self.desk, self.words
        rows = desk.records.calls(limit=None)
        library = desk.library()
        people = sorted({row.trainee for row in rows} | {user.name for user in desk.records.people.all()})
        personas = sorted({row.persona_id for row in rows}, key=lambda name: desk.title(name, library))
        cohorts = [cohort.name for cohort in desk.records.cohorts.all()]
        given = {name: asked.get(name, "all") for name in ("person", "persona", "mode", "cohort")}
        given["weeks"] = asked.get("weeks", "12")
        kind = asked.get("by", "calls") if asked.get("by") in VIEWS else "calls"
        # "=" keeps a person called "all" apart from all persons
        choices = [(words["everybody"], "all"), *((desk.person(name), f"={name}") for name in people)]
        head = desk.render("results_head.html", waiting=waiting(desk.records)[:20], records=desk.records)
        return {
            self.head: head,
            self.person: gr.update(choices=choices, value=given["person"]),
            self.persona: gr.update(
                choices=[(words["all_personas"], "all"), *((desk.title(name, library), name) for name in personas)],
                value=given["persona"],
            ),
            self.cohort: gr.update(
                choices=[(words["all_cohorts"], "all"), *((name, name) for name in cohorts)], value=given["cohort"]
            ),
            self.weeks: given["weeks"],
            self.mode: given["mode"],
            self.kind: kind,
            self.sampling: gr.update(visible=kind == "sample"),
            self.out: self._out(
                kind, given["person"], given["persona"], given["weeks"], given["mode"], given["cohort"], 2, 1
            ),
        }

    def table(
        self, person: str, persona: str, weeks: str, mode: str, cohort: str, kind: str, each: float, seed: float,
        request: gr.Request,
    ) -> Updates:  # fmt: skip
        """A filter was changed."""
        return self.answer(
            request,
            lambda _who: {
                self.sampling: gr.update(visible=kind == "sample"),
                self.out: self._out(kind, person, persona, weeks, mode, cohort, each, seed),
            },
        )

    def _out(
        self, kind: str, person: str, persona: str, weeks: str, mode: str, cohort: str, each: float, seed: float
    ) -> str:
        desk = self.desk
        found = chosen(desk, person, persona, weeks, mode, cohort)
        given = {"person": person, "persona": persona, "weeks": weeks, "mode": mode, "cohort": cohort}
        query = urlencode({name: value for name, value in given.items() if value != "all"})
        if kind == "calls":
            return desk.render(
                "calls.html", results=found[:SHOWN], more=len(found) - SHOWN, query=query, person=desk.person
            )
        if not any(result.replies for result in found):
            return desk.render("nothing.html", text=self.words["nothing"])
        if kind == "missed":
            return self._missed(found)
        if kind == "sample":
            drawn = draw_sample(found, max(1, int(each or 1)), int(seed or 0))
            done = {row.call_id for row in desk.records.reviews() if row.kind == "made"}
            return desk.render("sample.html", results=drawn, done=done, person=desk.person)
        if kind == "reports":
            return self._reports(found)
        return self._groups(found, kind)

    def _groups(self, found: Sequence[Result], kind: str) -> str:
        groups = group(found, BY[kind])
        lines, breaks = trend(group(found, BY["week"]))
        library = self.desk.library()
        names = {"person": self.desk.person, "persona": lambda key: self.desk.title(key, library)}
        if kind != "week":
            groups.sort(key=lambda each: (each.total is None, each.total or 0))  # who needs help first
        return self.desk.render(
            "groups.html", groups=groups, kind=kind, name=names.get(kind, str), lines=lines, breaks=breaks
        )

    def _missed(self, found: Sequence[Result]) -> str:
        rows = heat_map(found)
        checks = sorted(
            {check for row in rows.values() for check in row},
            key=lambda check: -sum(row[check].failed for row in rows.values() if check in row),
        )
        broken: dict[str, int] = {}
        for result in found:
            for rule in result.rules:
                broken[rule] = broken.get(rule, 0) + 1
        rules = load_standards(self.desk.settings.rule_files or None).rules
        most = sorted(broken.items(), key=lambda item: -item[1])[:12]
        told = [(rule, number, rules[rule].advice if rule in rules else "") for rule, number in most]
        return self.desk.render("missed.html", rows=rows, checks=checks, rules=told, person=self.desk.person)

    def _reports(self, found: Sequence[Result]) -> str:
        """The four reports that a centre's manual asks for."""
        now = datetime.now(UTC)
        lately = [each for each in found if each.started_at >= now - timedelta(weeks=4)]
        before = [each for each in found if each.started_at < now - timedelta(weeks=4)]
        then = {each.key: each for each in group(before, BY["person"])}
        growth = {each.key: _growth(then.get(each.key), each) for each in group(lately, BY["person"])}
        people = group(found, BY["person"])
        endings: dict[str, int] = {}
        for each in found:
            if each.ending and each.replies:
                endings[each.ending] = endings.get(each.ending, 0) + 1
        return self.desk.render(
            "reports.html", people=people, topics=group(found, BY["topic"]), weekly=group(found, BY["week"]),
            endings=sorted(endings.items(), key=lambda item: -item[1]), growth=growth, person=self.desk.person,
        )  # fmt: skip


def _growth(then: Group | None, now: Group) -> float | tuple[str, ...] | None:
    """By how much a mean total has grown; or else the parts in which the scores rest on something else than then."""
    if then is None or then.total is None or now.total is None:
        return None
    return apart(then.bases, now.bases) or now.total - then.total


def trend(weekly: Sequence[Group]) -> tuple[list[list[Point]], list[tuple[float, tuple[str, ...]]]]:
    """The mean totals of weeks in a plot of 640 by 190: lines of points, and where and in what their bases change.

    Weeks whose scores rest on different things are not joined.
    """
    there = [(each, each.total) for each in weekly if each.total is not None]
    step = 640 / max(1, len(there) - 1)
    lines: list[list[Point]] = [[]]
    breaks = []
    for at, (each, total) in enumerate(there):
        if at and (parts := apart(there[at - 1][0].bases, each.bases)):
            breaks.append(((at - 0.5) * step, parts))
            lines.append([])
        lines[-1].append((at * step, 190 - total * 1.9, each.key, total))
    return lines, breaks
