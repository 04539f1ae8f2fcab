"""How well a trainee's reply is understood: `python -m eval reading [--replies FILE] [--personas PATH…]`.

The customer reacts to what each sentence wants of it and to the facts that are asked for. Here both are held against
replies that were labelled by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pydantic
import typer
from pydantic import Field

from eval import plots
from eval.command import suite_command
from eval.inputs import json_objects
from eval.intervals import interval, mean
from eval.playing import DATA
from eval.specification import ROOT, files_hash, sha256
from eval.suites import TOO_FEW, Case, Live, Plot, Result, Said, Story, Table, Worst
from roleplay.clauses import Piece, sentences
from roleplay.conditions import Strict
from roleplay.dialogue import AIMS, ASKING, Exchange, Turn
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.persona import Library, Persona, load_library
from roleplay.reading import Reading
from roleplay.settings import load_settings
from roleplay.yaml_files import faults_of

REFERENCE = DATA / "understood_replies.jsonl"
IDENTITY = "identity"  # asked for to check who is calling; no fact of a persona
SHARES = ("right", "asking_right", "told_apart")
FEWEST = 5  # labelled sentences from which an aim has figures of its own
UNREAD = "unread"  # stands for the aim of a sentence that the reader left out
CONFUSIONS = 12  # rows for each language
SHOWN = 25  # replies among the worst


class Labelled(Strict):
    """A reply to `heard`, which is empty where the trainee speaks first.

    `aims` holds one label for each sentence, the main one first where it does two things: "greet tell+offer".
    `asked` are the ids of the persona's facts and goals that the reply asks for.
    """

    call: str = Field(min_length=1)
    persona: str
    heard: str
    reply: str = Field(min_length=1)
    aims: str
    asked: tuple[str, ...]

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(label.split("+")) for label in self.aims.split())


def load_labelled(path: Path, library: Library) -> tuple[Labelled, ...]:
    """Raises FileFault with line and name of every wrong field."""
    rows: list[Labelled] = []
    faults: list[Fault] = []
    for line, data in json_objects(path):
        try:
            row = Labelled.model_validate(data)
        except pydantic.ValidationError as error:
            faults += [Fault(fault.message, line, fault.field) for fault in faults_of(error, Labelled, {})]
            continue
        faults += [Fault(message, line, field) for field, message in _wrong(row, library)]
        rows.append(row)
    if faults:
        raise FileFault(path, faults)
    return tuple(rows)


def _wrong(row: Labelled, library: Library) -> Iterator[tuple[str, str]]:
    """What a schema cannot see, each with its field."""
    number = len(sentences(row.reply))
    if number != len(row.labels):
        yield "aims", f"the reply has {number} sentences, and here stand {len(row.labels)} labels"
    for name in dict.fromkeys(name for label in row.labels for name in label if name not in AIMS):
        yield "aims", f"{name!r} is no aim; there are {', '.join(AIMS)}"
    try:
        known = {IDENTITY, *library.get(row.persona).subjects()}
    except Rejected as error:
        yield "persona", str(error)
        return
    for name in row.asked:
        if name not in known:
            yield "asked", f"{row.persona} has no fact or goal {name!r} that can be asked for"


@dataclass(frozen=True)
class Suite:
    """How well is a trainee's reply understood?"""

    replies: Path = REFERENCE
    personas: tuple[Path, ...] = ()
    name: str = "reading"

    @contextmanager
    def open(self) -> Iterator[Live]:
        from roleplay.build import build_embedder, build_reader

        settings = load_settings(personas=[str(path) for path in self.personas] or None)
        library = load_library(settings.personas)
        rows = load_labelled(self.replies, library)
        personas = {row.persona: library.get(row.persona) for row in rows}
        embedder = build_embedder(settings)
        reader = build_reader(settings, embedder)

        def measure(case: Case) -> dict[str, Any]:
            row, persona = case.given, personas[case.given.persona]
            context = (Turn("customer", row.heard),) if row.heard else ()
            exchange = Exchange(persona.language, context, row.reply, direction=persona.call.direction)
            return judged(row, persona, reader.read(exchange, persona.subjects()))

        subject = {
            "reader": files_hash([ROOT / "roleplay" / "bundled" / "reader"], (".safetensors", ".json")),
            "embedder": f"{settings.embedder} {embedder.fingerprint}",
            "standards": files_hash(list(settings.standards) or [ROOT / "roleplay" / "rules"], (".yaml",)),
            "personas": sha256(" ".join(personas[name].hash for name in sorted(personas)).encode()),
        }
        nothing = [Result("", row.call, judged(row, personas[row.persona], Reading())) for row in rows]
        data = {"replies": files_hash([self.replies])}
        yield Live(tuple(_cases(rows)), data, lambda: subject, measure, self.figures(nothing))

    @staticmethod
    def figures(results: Sequence[Result]) -> dict[str, Any]:
        by_language: dict[str, list[Result]] = {}
        for result in results:
            by_language.setdefault(_data(result)["language"], []).append(result)
        return {language: _figures(by_language[language]) for language in sorted(by_language)}

    @staticmethod
    def story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
        return _story(figures, results)


def _cases(rows: Sequence[Labelled]) -> Iterator[Case]:
    """Named by call and place in it."""
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row.call] += 1
        yield Case(f"{row.call}.{seen[row.call]}", row, row.call)


def judged(row: Labelled, persona: Persona, reading: Reading) -> dict[str, Any]:
    """A reply as data: each sentence with its labels and the aim that was read, and the facts that it asks for.

    Facts are None where nothing was heard yet: whom one has called is asked before any matter.
    """
    parts = [
        {"text": part.text, "labels": list(labels), "read": _read(part, reading)}
        for part, labels in zip(sentences(row.reply), row.labels, strict=True)
    ]
    wanted = [name for name in dict.fromkeys(row.asked) if name != IDENTITY]
    marks = {
        "right": [_right(part) for part in parts],
        "asking_right": [_right(part) for part in parts if _asks(part)],
        "told_apart": [(part["read"] in ASKING) == _asks(part) for part in parts],
        "facts_found": [name in reading.asked for name in wanted if row.heard],
        "facts_right": [name in wanted for name in reading.asked if row.heard],
    }
    return {
        "language": persona.language,
        "persona": row.persona,
        "heard": row.heard,
        "parts": parts,
        "wanted": wanted if row.heard else None,
        "asked": list(reading.asked) if row.heard else None,
        "marks": marks,
        "values": {name: value for name, each in marks.items() if (value := mean(each)) is not None},
    }


def _read(part: Piece, reading: Reading) -> str:
    """The aim of a sentence; where it was read in two pieces, that of the one which asks."""
    aims = [seen.aim for seen in reading.aims if part.start <= seen.start < part.end]
    return next((aim for aim in aims if aim in ASKING), aims[0] if aims else UNREAD)


def _right(part: Mapping[str, Any]) -> bool:
    return part["read"] in part["labels"]


def _asks(part: Mapping[str, Any]) -> bool:
    """Whether the sentence, in the main, wants something back."""
    return part["labels"][0] in ASKING


def _data(result: Result) -> dict[str, Any]:
    assert result.data is not None
    return result.data


def _figures(results: Sequence[Result]) -> dict[str, Any]:
    """Of one language. Every share has its number `n` and the 95 % interval that draws calls."""

    def share(name: str) -> dict[str, Any]:
        return _share([(mark, each.group) for each in results for mark in _data(each)["marks"][name]])

    named = [(part, each.group) for each in results for part in _data(each)["parts"]]
    counts = Counter(label for part, _ in named for label in part["labels"])
    return {
        "replies": len(results),
        "calls": len({each.group for each in results}),
        **{name: share(name) for name in SHARES},
        "facts": {"precision": share("facts_right"), "recall": share("facts_found")},
        "aims": {aim: _of_aim(aim, named) for aim in AIMS if counts[aim] >= FEWEST},
    }


def _of_aim(aim: str, parts: Sequence[tuple[Mapping[str, Any], str]]) -> dict[str, Any]:
    """Of a sentence that does two things only one can be read: the other one is not missed then."""
    there = [(part, call) for part, call in parts if aim in part["labels"]]
    return {
        "n": len(there),
        "precision": _share([(_right(part), call) for part, call in parts if part["read"] == aim]),
        "recall": _share([(part["read"] == aim, call) for part, call in there if part["read"] == aim or not _right(part)]),
    }  # fmt: skip


def _share(marks: Sequence[tuple[bool, str]]) -> dict[str, Any]:
    """Of marks, each with its call; None where there is nothing to mark, and no interval over few calls."""
    values, calls = [float(mark) for mark, _ in marks], [call for _, call in marks]
    low, high = interval(values, calls)
    return {"n": len(marks), "share": mean(values), "low": low, "high": high}


def _story(figures: Mapping[str, Any], results: Sequence[Result]) -> Story:
    measured = {
        language: {name: each[name] for name in SHARES}
        | {f"facts_{name}": each["facts"][name] for name in ("recall", "precision")}
        for language, each in figures.items()
    }
    columns = ("n", "share", "low", "high")
    rows = [(language, name, *_cells(row)) for language, by_name in measured.items() for name, row in by_name.items()]
    shares = Table("shares", ("language", "measure", *columns), tuple(rows))
    if not results:
        return Story("nothing", {}, (shares,))
    sides = ("precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high")
    of_aims = [
        (language, aim, row["n"], *_cells(row["precision"])[1:], *_cells(row["recall"])[1:])
        for language, each in figures.items()
        for aim, row in each["aims"].items()
    ]
    tables = (
        shares,
        Table("aims", ("language", "aim", "n", *sides), tuple(of_aims)),
        Table("confusions", ("language", "aim", "taken_for", "n"), tuple(_confusions(results))),
    )
    bars = [
        ((language, name), row["share"], row["low"], row["high"])
        for language, by_name in measured.items()
        for name, row in by_name.items()
    ]
    fields = {
        name: ", ".join(f"{language} {_percent(by_name[name]['share'])}" for language, by_name in measured.items())
        for name in next(iter(measured.values()))
    }
    numbers = {"n": str(len(results)), "calls": str(sum(each["calls"] for each in figures.values()))}
    plot = Plot("bars", partial(plots.bars, bars, 0, 1))
    return Story("measured", fields | numbers, tables, (plot,), tuple(_worst(results)))


def _cells(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Number, share and interval; the interval is withheld where so few calls have a part in the share."""
    few = row["n"] > 0 and row["low"] is None
    return (row["n"], row["share"], *((TOO_FEW, TOO_FEW) if few else (row["low"], row["high"])))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _confusions(results: Sequence[Result]) -> Iterator[tuple[Any, ...]]:
    """What sentences of each aim were most often taken for."""
    wrong: dict[str, Counter[tuple[str, str]]] = {}
    for data in map(_data, results):
        found = wrong.setdefault(data["language"], Counter())
        found.update((part["labels"][0], part["read"]) for part in data["parts"] if not _right(part))
    for language in sorted(wrong):
        for (aim, read), number in wrong[language].most_common(CONFUSIONS):
            if number > 1:
                yield language, aim, read, number


def _worst(results: Sequence[Result]) -> Iterator[Worst]:
    """Replies of which most was misunderstood; a question that was taken for none weighs most."""

    def weight(result: Result) -> int:
        return sum(not mark for marks in _data(result)["marks"].values() for mark in marks)

    for result in sorted(results, key=weight, reverse=True)[:SHOWN]:
        if not weight(result):
            return
        data = _data(result)
        lines = [Said("customer", data["heard"])] if data["heard"] else []
        lines += [Said("trainee", part["text"], "" if _right(part) else _taken(part)) for part in data["parts"]]
        wanted, asked = data["wanted"] or [], data["asked"] or []
        facts = [f"-{name}" for name in wanted if name not in asked] + [f"+{n}" for n in asked if n not in wanted]
        why = [_taken(part) for part in data["parts"] if not _right(part)]
        yield Worst(result.case, "; ".join(why + ([f"facts {' '.join(facts)}"] if facts else [])), tuple(lines))


def _taken(part: Mapping[str, Any]) -> str:
    return f"{'+'.join(part['labels'])} → {part['read']}"


@suite_command
def main(
    replies: Annotated[
        Path, typer.Option(help="labelled replies, JSONL; docs/evaluation.md shows the format")
    ] = REFERENCE,
    personas: Annotated[
        list[Path] | None, typer.Option(help="persona files or folders; may be repeated; else those of the settings")
    ] = None,
) -> Suite:
    """How well is a trainee's reply understood?

    The customer reacts to what each sentence wants of it and to the facts that are asked for. Here the reader that
    hears this is held against replies that were typed into played calls and labelled by hand.

    Example: python -m eval reading --fail-under zh-CN.right.share=0.8 --fail-under en.facts.recall.share=0.6
    """
    return Suite(replies, tuple(personas or ()))
