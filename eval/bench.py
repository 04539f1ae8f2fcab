"""How fast the product is on this machine: `python -m eval bench [--quick | --people N]`.

Whole turns are timed through the room, as a trainee has them. Beside each figure stands the plain way of doing
the same in the same run: a transformers pipeline that reads the whole chat again at every turn, a forward pass
for every option by itself, a cosine search in numpy. With people, a crowd of them practises on the real page, and
the plain way is the same turns one after another with nobody else there.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.command import suite_command
from eval.crowd import TIMES, crowd, parts, verdict
from eval.opening import room_subject, throw_away_room
from eval.playing import DATA, play, scripted
from eval.server import page_server
from eval.suites import Case, Live, Result, Story, Table
from roleplay.models import Message, Sampling
from roleplay.records import Records
from roleplay.scripts import Script, load_scripts
from roleplay.settings import load_settings
from roleplay.terminal import tell

if TYPE_CHECKING:
    from roleplay.room import Room

SCRIPT, PERSONA = "zh-excellent-roaming", "zh-roaming-bill-shock"  # ten turns, none of them the last
ALONE = ("first_token", "turn_2", "turn_10", "tokens_per_second", "weigh", "read", "grade", "search", "page_ready",
         "memory")  # fmt: skip
PEOPLE = (*TIMES, "sent", "lost", "mixed", "errors", "memory", "work_per_turn")
TOKENS = 24  # of an answer: what the customer usually says
SAYS = "我这个月话费怎么多了八十多块，麻烦您给我查一下。"
ASKS = "好的，您别着急，我马上为您核实这个月的账单，请您稍等。\n[press 212]"
QUERIES = ("日包多少钱一天", "忘了开漫游还能开吗", "没订过的业务扣了钱", "宽带断了多久来修", "咋个查我有好多积分")


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured: `values` our way, `plain` the plain way; both in `unit`."""

    unit: str
    values: Sequence[float]
    plain: Sequence[float] = ()

    def as_data(self) -> dict[str, Any]:
        ordered = sorted(self.values)
        return {
            "unit": self.unit,
            "median": statistics.median(ordered),
            "p95": ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))],
            "plain_median": statistics.median(self.plain) if self.plain else None,
        }


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def repeat(times: int, work: Callable[[], float]) -> list[float]:
    """The figure of `times` runs, after one that is not counted."""
    work()
    return [work() for _ in range(times)]


def chat(turns: int) -> list[Message]:
    """A call up to the trainee's turn number `turns`, in the bundled customer's form."""
    messages: list[Message] = [{"role": "system", "content": "zh-CN inbound angry 46 刘桂霞"}]
    for turn in range(turns):
        messages.append({"role": "user", "content": f"{turn + 1}。{ASKS}"})
        messages.append({"role": "assistant", "content": SAYS})
    return messages[:-1]


def turn_figures(room: Room, calls: int, plain: Any) -> dict[str, Figure]:
    """Whole turns of whole calls: until the customer's first words, and until the turn is kept."""
    script = _script()
    first: list[float] = []
    turns: dict[int, list[float]] = {2: [], 10: []}
    for seed in range(calls + 1):
        call = room.open(PERSONA, seed=seed)
        for number, line in enumerate(script.turns, 1):
            begun = time.perf_counter()
            words = room.say(call.id, line)
            next(words)
            if seed:  # the first call warms everything up
                first.append(time.perf_counter() - begun)
            for _ in words:
                pass
            if seed and number in turns:
                turns[number].append(time.perf_counter() - begun)
    settings = {"do_sample": False, "return_full_text": False}

    def plain_way(number: int, tokens: int) -> list[float]:
        return repeat(calls, lambda: seconds(lambda: plain(chat(number), max_new_tokens=tokens, **settings)))

    return {
        "first_token": Figure("s", first, plain_way(4, 1)),
        "turn_2": Figure("s", turns[2], plain_way(2, TOKENS)),
        "turn_10": Figure("s", turns[10], plain_way(10, TOKENS)),
    }


def model_figures(model: Any, plain: Any, times: int) -> dict[str, Figure]:
    """The bundled customer's decoder by itself: speaking, and weighing twenty options."""
    long = Sampling(max_tokens=96, temperature=1.0, seed=3)
    spoken = len(plain.tokenizer("".join(model.stream(chat(2), long)), add_special_tokens=False)["input_ids"])
    settings = {"min_new_tokens": spoken, "max_new_tokens": spoken, "do_sample": True, "temperature": 1.0}
    options = [f"{SAYS}{number}" for number in range(20)]
    return {
        "tokens_per_second": Figure(
            "tokens/s",
            repeat(times, lambda: spoken / seconds(lambda: list(model.stream(chat(2), long)))),
            repeat(times, lambda: spoken / seconds(lambda: plain(chat(2), **settings))),
        ),
        "weigh": Figure(
            "s",
            repeat(times, lambda: seconds(lambda: model.weigh(chat(4), options))),
            repeat(min(times, 3), lambda: seconds(lambda: _weigh_plainly(plain, options))),
        ),
    }


def _weigh_plainly(plain: Any, options: Sequence[str]) -> None:
    import torch

    for option in options:
        said: list[Any] = [*chat(4), {"role": "assistant", "content": option}]
        ids = plain.tokenizer.apply_chat_template(said, return_tensors="pt", return_dict=True)["input_ids"]
        with torch.inference_mode():
            plain.model(ids).logits.log_softmax(-1)


def reading_figures(room: Room) -> dict[str, Figure]:
    """Reading and grading every reply of a call that was played."""
    call = play(room, PERSONA, scripted(_script()), seed=0)
    exchanges = [call.exchange(each.number) for each in call.exchanges]
    subjects = call.persona.subjects()
    read: list[float] = []
    graded: list[float] = []
    for exchange in exchanges:
        begun = time.perf_counter()
        reading = room.reader.read(exchange, subjects)
        read.append(time.perf_counter() - begun)
        room.grader.grade(exchange, reading)
        graded.append(time.perf_counter() - begun - read[-1])
    return {"read": Figure("s", read), "grade": Figure("s", graded)}


def search_figures(room: Room, times: int) -> dict[str, Figure]:
    """Search in the knowledge base, beside the cosine of all questions and answers in numpy."""
    assert room.reader.matcher is not None
    embedder = room.reader.matcher.embedder
    table = embedder.encode([f"{entry.question} {entry.answer}" for entry in room.knowledge.entries()])
    ours: list[float] = []
    plain: list[float] = []
    for query in QUERIES * (times + 1):
        ours.append(seconds(partial(room.knowledge.search, query)))
        begun = time.perf_counter()
        (table @ embedder.encode([query])[0]).argsort()[-5:]
        plain.append(time.perf_counter() - begun)
    return {"search": Figure("s", ours[len(QUERIES) :], plain[len(QUERIES) :])}


def page_figures(folder: Path) -> dict[str, Figure]:
    """From the command to a page that answers, and the memory of that process after it has."""
    starts: list[float] = []
    memory: list[float] = []
    for _ in range(2):
        begun = time.perf_counter()
        with page_server(folder) as page:
            urllib.request.urlopen(page.address, timeout=30).read()
            starts.append(time.perf_counter() - begun)
            memory.append(page.memory())
    return {"page_ready": Figure("s", starts), "memory": Figure("MB", memory)}


def people_figures(room: Room, people: int, turns: int, thinking: float) -> dict[str, Figure]:
    """People who practise at once on the page, in both languages; then what was kept is held against what was said."""
    personas = list(room.library().personas.values())
    with tempfile.TemporaryDirectory(prefix="roleplay-eval-", ignore_cleanup_errors=True) as folder:
        with page_server(Path(folder)) as page:
            crowd(page.address, parts(2, 1, 0.0, 0, personas))  # the first call of a language warms everything up
            before = page.worked()
            done = crowd(page.address, parts(people, turns, thinking, 1, personas))
            worked, memory = page.worked() - before, page.memory()
        records = Records(f"sqlite:///{folder}/records.db")
        found = verdict(records, done, room)
        records.close()
    for each in done:
        if each.fault:
            tell(f"person {each.part.number}: {each.fault}")
    times = {name: [took for each in done for took in each.times.get(name, [])] for name in TIMES}
    plain = dict(zip(("first_words", "whole_turn"), found.alone, strict=True))
    counts = {"sent": found.sent, "lost": found.lost, "mixed": found.mixed}
    counts["errors"] = sum(bool(each.fault) for each in done)
    return (
        {name: Figure("s", values, plain.get(name, ())) for name, values in times.items() if values}
        | {name: Figure("calls" if name in ("mixed", "errors") else "turns", [n]) for name, n in counts.items()}
        | {"memory": Figure("MB", [memory]), "work_per_turn": Figure("s", [worked / max(1, found.sent)])}
    )


def _script() -> Script:
    return next(script for script in load_scripts(DATA / "scripts.yaml") if script.id == SCRIPT)


@dataclass(frozen=True)
class Suite:
    """How fast is the product on this machine?"""

    quick: bool = False
    people: int = 0  # who practise at once; with 0, everything is measured for one
    turns: int = 3
    thinking: float = 8.0
    name: str = "bench"

    @contextmanager
    def open(self) -> Iterator[Live]:
        import torch

        times = 3 if self.quick else 15
        with throw_away_room(*(() if self.people else ("bundled", "bundled"))) as room:
            steps = self._steps(room, times)

            def measure(case: Case) -> dict[str, Any]:
                return {"figures": {name: figure.as_data() for name, figure in steps[case.id]().items()}}

            # times of another day are none of this run's: no run of this suite is carried on
            begun = datetime.now(UTC).isoformat(timespec="seconds")
            subject = room_subject(room, load_settings()) | {"threads": torch.get_num_threads(), "begun": begun}
            asked = {"people": self.people, "turns": self.turns, "thinking": self.thinking} if self.people else {}
            figure = Figure("", [0.0]).as_data()
            figures = dict.fromkeys(PEOPLE if self.people else ALONE, figure)
            yield Live(tuple(map(Case, steps)), {"times": times} | asked, lambda: subject, measure, figures)

    def _steps(self, room: Room, times: int) -> dict[str, Callable[[], dict[str, Figure]]]:
        if self.people:
            return {"people": lambda: people_figures(room, self.people, self.turns, self.thinking)}
        import torch
        from transformers import pipeline

        from roleplay.models.making import BUNDLED, make_model

        plain: Any = pipeline("text-generation", model=str(BUNDLED), device="cpu", dtype=torch.float32)
        return {
            "turns": lambda: turn_figures(room, min(times, 5), plain),
            "model": lambda: model_figures(make_model("bundled"), plain, times),
            "reading": lambda: reading_figures(room),
            "search": lambda: search_figures(room, times),
            "page": lambda: page_figures(load_settings().data),
        }

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        return {name: row for each in results if each.data for name, row in each.data["figures"].items()}

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        columns = ("unit", "median", "p95", "plain_median")
        table = Table(
            "speed", ("name", *columns), tuple((name, *(row[c] for c in columns)) for name, row in figures.items())
        )
        if "whole_turn" in figures:
            fields = {name: f"{figures[name]['median']:.0f}" for name in ("sent", "lost", "mixed", "errors")}
            fields |= {
                "first": f"{figures['first_words']['median']:.2f}",
                "p95": f"{figures['first_words']['p95']:.2f}",
            }
            return Story("crowd", fields, (table,))
        if "turn_10" not in figures:
            return Story("nothing", {}, (table,))
        fields = {"first": f"{figures['first_token']['median']:.2f}", "turn": f"{figures['turn_10']['median']:.2f}",
                  "p95": f"{figures['turn_10']['p95']:.2f}", "plain": f"{figures['turn_10']['plain_median']:.2f}"}  # fmt: skip
        return Story("measured", fields, (table,))


@suite_command
def main(
    quick: Annotated[bool, typer.Option(help="3 runs of each instead of 15")] = False,
    people: Annotated[
        int, typer.Option(min=0, max=200, help="so many people practise at once on the page, and nothing else is timed")
    ] = 0,
    turns: Annotated[int, typer.Option(min=1, max=8, help="replies of each of them")] = 3,
    thinking: Annotated[float, typer.Option(min=0, max=600, help="mean of the seconds before a reply")] = 8.0,
) -> Suite:
    """How fast is it on this machine? Every figure of the bundled models beside the plain way of doing the same.

    Leave --workers at 1: several at once measure each other. The figures are times, so no two runs are equal.
    With --people the models are those of the settings.

    Example: python -m eval bench --quick --fail-over turn_10.median=1
    Example: python -m eval bench --people 20 --fail-over first_words.p95=3 --fail-over lost.median=0
    """
    return Suite(quick, people, turns, thinking)
