"""Persona files: who calls, why, what they know, and how the trainee is judged.

Three blocks, three readers: `who` and `call` are for the customer, `ring` and `account` for the agent's
telephone and screen, `grading` for the grader alone. Nothing of `grading` ever reaches the customer's prompt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from roleplay.conditions import Condition, Strict, fits
from roleplay.dialogue import ENDINGS, Act, Dialect, Direction, Ending, Evidence, Language, Temper
from roleplay.errors import Fault, FileFault, Rejected
from roleplay.persona_grading import Grading
from roleplay.reading import Subject
from roleplay.signs import ASKS_WHEN
from roleplay.situations import Aside, LineTrouble, Occupied, SorePoint
from roleplay.wording import Id, Line, Wording, as_line
from roleplay.yaml_files import read_yaml, validate

# What has ids and wordings in `call`.
NAMED = ("facts", "beliefs", "goals", "objections", "responses", "asides", "sore_points")
CHINESE_DIALECTS = {"sichuan", "cantonese", "northeast", "shanghai", "henan", "shandong", "minnan", "hunan", "shaanxi"}


Topic = Literal[
    "bill", "broadband", "complaint", "deduction", "emergency", "enterprise", "idd", "outage", "outbound", "plan",
    "porting", "privacy", "realname", "refund", "roaming", "scam", "sim", "survey", "wifi",
]  # fmt: skip
Slot = Literal[
    "amount", "days", "plan", "percent", "name", "place", "date", "device", "number_tail", "id_tail", "order",
    "time", "speed", "data",
]  # fmt: skip


class Speech(Strict):
    """How the person talks. `max_chars` caps one answer, `mandarin` says how well the person can change to
    standard language when asked, `abuse` how far it goes at worst (0 civil, 1 coarse, 2 swears, 3 insults);
    `lines` holds own wordings by act."""

    temper: Temper
    dialect: Dialect = "none"
    strength: int = Field(0, ge=0, le=3)
    mandarin: Literal["fluent", "partly", "none"] = "fluent"
    max_chars: int = Field(90, ge=10, le=400)
    abuse: int = Field(3, ge=0, le=3)
    habits: tuple[str, ...] = ()
    pet_phrases: tuple[str, ...] = ()
    lexicon: Mapping[str, str] = {}
    lines: Mapping[Act, tuple[Wording, ...]] = {}


class Who(Strict):
    """The person. `claims` are things that corpus lines may say of them (kind:value of roleplay/lines)."""

    name: str = Field(min_length=1)
    age: int = Field(ge=5, le=110)
    gender: Literal["female", "male"]
    region: str
    job: str
    literacy: Literal["low", "medium", "high"] = "medium"
    about: str = ""
    claims: tuple[str, ...] = ()
    speech: Speech


class Fact(Strict):
    """Something true that the customer can tell. `needs` must hold before it is told at all."""

    id: Id
    text: str = Field(min_length=1)
    told: Literal["volunteered", "asked", "never"] = "asked"
    needs: Condition | None = None
    asked_by: tuple[str, ...] = ()
    say: tuple[Wording, ...] = ()
    slot: Slot | None = None
    value: str = ""

    @model_validator(mode="after")
    def reachable(self) -> Fact:
        if self.told == "asked" and not self.asked_by and self.id != "identity":
            raise ValueError("asked_by: give the questions that ask for it, or told: volunteered")
        if bool(self.slot) != bool(self.value):
            raise ValueError("value: slot and value belong together")
        return self

    @property
    def says_when(self) -> bool:
        """Whether it answers what time would suit."""
        return any(ASKS_WHEN.search(question) for question in self.asked_by)


class Belief(Strict):
    """A wrong belief, held until `corrected_by` holds."""

    id: Id
    text: str
    say: tuple[Wording, ...] = Field(min_length=1)
    corrected_by: Condition


class Objection(Strict):
    """Raised in order, once `raised_when` holds (by default: a solution was offered); broken by `broken_by`."""

    id: Id
    text: str
    say: tuple[Wording, ...] = Field(min_length=1)
    raised_when: Condition | None = None
    broken_by: Condition


class Goal(Strict):
    """What the customer wants; `say` is how they ask for it. A hidden goal is named only once `asked_by` is asked."""

    id: Id
    text: str
    kind: Literal["must", "nice", "hidden"] = "must"
    say: tuple[Wording, ...] = Field(min_length=1)
    asked_by: tuple[str, ...] = ()
    met_by: Condition


class Response(Strict):
    """What this person answers when it is told, offered or refused something, or asked what it thinks of it.

    `heard` are sentences in which an agent may say so, `unlike` such as sound like them and say something else, `act`
    is what the answer does. Said when `when` holds, once or twice. Where it is asked to do something, `outcome` is what
    it says when it is asked how that went.
    """

    id: Id
    heard: tuple[str, ...] = Field(min_length=2)
    say: tuple[Wording, ...] = Field(min_length=1)
    unlike: tuple[str, ...] = ()
    outcome: tuple[Wording, ...] = ()
    act: Act = "answer"
    when: Condition | None = None


class Opening(Line):
    """The customer's first words; `tells` names the facts that they give away."""

    act: Act = "open_vague"
    tells: tuple[str, ...] = ()


class StartFeelings(Strict):
    anger: float = Field(0, ge=0, le=4)
    confusion: float = Field(0, ge=0, le=4)
    trust: float = Field(2, ge=0, le=4)
    inertia: float = Field(0.3, ge=0, le=1)


class Ends(Strict):
    """When it ends. `turn_limit` counts the trainee's replies; `declines` is for outbound calls."""

    turn_limit: int = Field(14, ge=4, le=40)
    when_upset: Literal["hung_up", "escalated"] = "hung_up"
    declines: Condition | None = None
    good: tuple[Ending, ...] = ()


class CallBlock(Strict):
    direction: Direction = "inbound"
    reason: str
    openings: tuple[Annotated[Opening, BeforeValidator(as_line)], ...] = Field(min_length=1)
    feelings: StartFeelings = StartFeelings()
    facts: tuple[Fact, ...] = Field(min_length=1)
    beliefs: tuple[Belief, ...] = ()
    goals: tuple[Goal, ...] = Field(min_length=1)
    objections: tuple[Objection, ...] = ()
    responses: tuple[Response, ...] = ()
    line: tuple[LineTrouble, ...] = ()
    occupied: Occupied | None = None
    asides: tuple[Aside, ...] = ()
    sore_points: tuple[SorePoint, ...] = ()
    ends: Ends = Ends()


class Ring(Strict):
    """What the agent's telephone shows before the call is taken. Of it the customer's part knows `waited` alone.

    `waited` counts seconds in the queue, `menu` names the keys that were pressed on the way.
    """

    queue: str = ""
    waited: int = Field(0, ge=0, le=7200)
    menu: tuple[str, ...] = ()
    priority: Literal["normal", "raised", "urgent"] = "normal"


class Record(Strict):
    """One line of the agent's screen."""

    id: Id
    label: str
    text: str


class Account(Strict):
    """What the agent's screen shows once the customer is verified. It counts as evidence."""

    holder: str
    id_tail: Annotated[str, fits(r"[0-9]{3}[0-9X]", "must be four digits, in quotes; the last may be X")]
    number: str = ""
    records: tuple[Record, ...] = Field(min_length=1)


class Persona(Strict):
    id: Id
    language: Language
    title: str = Field(min_length=1, max_length=60)
    summary: str = Field(min_length=1, max_length=200)
    difficulty: int = Field(ge=1, le=5)
    topics: tuple[Topic, ...] = Field(min_length=1)
    ring: Ring = Ring()
    who: Who
    call: CallBlock
    account: Account | None = None
    grading: Grading = Grading()
    extensions: Mapping[str, Any] = {}

    def fact(self, fact_id: str) -> Fact:
        return next(fact for fact in self.call.facts if fact.id == fact_id)

    @property
    def good_endings(self) -> tuple[Ending, ...]:
        if self.call.ends.good:
            return self.call.ends.good
        declined: tuple[Ending, ...] = ("declined",) if self.call.direction == "outbound" else ()
        return ("resolved", "partly", "callback", *declined)

    @property
    def hash(self) -> str:
        """Changes when anything in the file's content changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Every condition with its dotted place in the file."""
        call = self.call
        for group, items, name in (
            ("facts", call.facts, "needs"),
            ("beliefs", call.beliefs, "corrected_by"),
            ("goals", call.goals, "met_by"),
            ("objections", call.objections, "raised_when"),
            ("objections", call.objections, "broken_by"),
            ("responses", call.responses, "when"),
        ):
            for number, item in enumerate(items):
                if (condition := getattr(item, name)) is not None:
                    yield f"call.{group}.{number}.{name}", condition
        for number, trouble in enumerate(call.line):
            if trouble.until is not None:
                yield f"call.line.{number}.until", trouble.until
        for number, aside in enumerate(call.asides):
            yield f"call.asides.{number}.when", aside.when
        if call.ends.declines:
            yield "call.ends.declines", call.ends.declines

    def account_evidence(self) -> tuple[Evidence, ...]:
        if self.account is None:
            return ()
        return tuple(
            Evidence(f"account.{record.id}", f"{record.label}: {record.text}") for record in self.account.records
        )

    def entries(self) -> tuple[str, ...]:
        """The knowledge-base entries that its call hangs on: those it is graded by and those in its conditions."""
        told = (part.told for _, condition in self.conditions() for part in condition.parts() if part.told)
        return tuple(name for name in dict.fromkeys((*self.grading.entries, *told)) if not name.startswith("account."))

    def settling(self) -> frozenset[str]:
        """The responses by which a goal is met, a belief corrected or an objection broken."""
        call = self.call
        conditions = (
            *(goal.met_by for goal in call.goals),
            *(belief.corrected_by for belief in call.beliefs),
            *(objection.broken_by for objection in call.objections),
        )
        return frozenset(part.heard for condition in conditions for part in condition.parts() if part.heard is not None)

    def subjects(self) -> dict[str, Subject]:
        """What may be asked for or brought up, by id of fact, hidden goal and response; answers in standard language."""
        facts = {fact.id: (fact.asked_by, fact.say, (fact.text,)) for fact in self.call.facts}
        goals = {goal.id: (goal.asked_by, goal.say, ()) for goal in self.call.goals}
        asked = {
            name: Subject(asked_by, (*text, *(line.gloss or line.text for line in say)))
            for name, (asked_by, say, text) in (facts | goals).items()
            if asked_by
        }
        heard = {
            each.id: Subject(each.heard, tuple(line.gloss or line.text for line in each.say), False, each.unlike)
            for each in self.call.responses
        }
        return asked | heard


def persona_faults(persona: Persona, lines: Mapping[str, int], entry_ids: Iterable[str] | None = None) -> list[Fault]:
    """What a schema cannot see: names that point nowhere, doubled ids, dialects of the other language."""
    call, faults = persona.call, []

    def fault(field: str, message: str) -> None:
        faults.append(Fault(message, lines.get(field), field))

    names = {kind: [item.id for item in getattr(call, kind)] for kind in NAMED}
    for kind, ids in names.items():
        for doubled in sorted({name for name in ids if ids.count(name) > 1}):
            fault(f"call.{kind}", f"{doubled!r} is there twice")
    account = {f"account.{record.id}" for record in persona.account.records} if persona.account else set()
    known = None if entry_ids is None else set(entry_ids) | account
    for field, condition in persona.conditions():
        for part in condition.parts():
            for key, kind in (
                ("knows", "facts"),
                ("goal", "goals"),
                ("belief", "beliefs"),
                ("objection", "objections"),
                ("heard", "responses"),
            ):
                if (name := getattr(part, key)) is not None and name not in names[kind]:
                    fault(field, f"{key}: there is no {name!r} under call.{kind}")
            if part.asked is not None and part.asked not in names["facts"]:
                fault(field, f"asked: there is no {part.asked!r} under call.facts")
            if part.told is not None and known is not None and part.told not in known:
                fault(field, f"told: no knowledge-base entry or account record {part.told!r}")
    for number, opening in enumerate(call.openings):
        for name in opening.tells:
            if name not in names["facts"]:
                fault(f"call.openings.{number}.tells", f"there is no {name!r} under call.facts")
    if known is not None:
        for number, entry in enumerate(persona.grading.entries):
            if entry not in known:
                fault(f"grading.entries.{number}", f"no knowledge-base entry or account record {entry!r}")
    if persona.account and "identity" not in names["facts"]:
        fault("account", "an account is opened by verification: add a fact 'identity' that the customer tells for it")
    records = {record.id for record in persona.account.records} if persona.account else set()
    for number, part_of_form in enumerate(persona.grading.form):
        if part_of_form.fact is not None and part_of_form.fact not in names["facts"]:
            fault(f"grading.form.{number}.fact", f"there is no {part_of_form.fact!r} under call.facts")
        if part_of_form.record is not None and part_of_form.record not in records:
            fault(f"grading.form.{number}.record", f"there is no {part_of_form.record!r} under account.records")
    for kind in ("must_say", "must_not_say"):
        for number, phrase in enumerate(getattr(persona.grading, kind)):
            place = f"grading.{kind}.{number}"
            if kind == "must_not_say" and (phrase.moves or phrase.told):
                fault(place, "moves and told are for must_say; forbidden words are given by any or patterns")
            for entry in phrase.told:
                if known is not None and entry not in known:
                    fault(f"{place}.told", f"no knowledge-base entry or account record {entry!r}")
    speech = persona.who.speech
    if speech.dialect != "none" and (speech.dialect in CHINESE_DIALECTS) != (persona.language == "zh-CN"):
        fault("who.speech.dialect", f"{speech.dialect!r} is not a dialect of {persona.language}")
    if not set(persona.good_endings) <= set(ENDINGS):
        fault("call.ends.good", f"choose from {', '.join(ENDINGS)}")
    return faults


def load_persona(path: Path, entry_ids: Iterable[str] | None = None) -> Persona:
    """Read one persona file. Raises FileFault naming every wrong field with its line."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise FileFault(path, [Fault(error.strerror or str(error))]) from error
    persona, faults = _read_persona(path, stamp, None if entry_ids is None else frozenset(entry_ids))
    if faults:
        raise FileFault(path, faults)
    return persona


@lru_cache(maxsize=256)
def kept_persona(text: str) -> Persona:
    """A persona from the JSON that was kept with a call: the same few are asked for at every turn."""
    return Persona.model_validate_json(text)


@lru_cache(maxsize=512)
def _read_persona(path: Path, stamp: int, entry_ids: frozenset[str] | None) -> tuple[Persona, list[Fault]]:
    """Kept until the file or the entries change: the page asks for the whole library again and again."""
    data, lines = read_yaml(path)
    persona = validate(Persona, data, lines, path)
    return persona, persona_faults(persona, lines, entry_ids)


@dataclass(frozen=True)
class Library:
    """All personas that could be read, and the faults of those that could not."""

    personas: Mapping[str, Persona]
    paths: Mapping[str, Path]
    faults: tuple[FileFault, ...]

    def get(self, persona_id: str) -> Persona:
        """Raises Rejected, naming what there is, for an unknown persona."""
        if persona_id not in self.personas:
            broken = [fault.path for fault in self.faults if fault.path.stem == persona_id]
            near = get_close_matches(persona_id, self.personas, n=3, cutoff=0.5)
            if broken:
                hint = f"its file {broken[0]} has faults; run: roleplay check {broken[0]}"
            elif near:
                hint = f"is {' or '.join(near)} meant? roleplay chat lists all"
            else:
                hint = f"roleplay chat lists the {len(self.personas)} that there are"
            raise Rejected(f"there is no persona {persona_id!r}; {hint}")
        return self.personas[persona_id]


def load_library(paths: Iterable[Path], entry_ids: Iterable[str] | None = None) -> Library:
    """Read files and folders of personas. One wrong file does not hide the others: see `Library.faults`."""
    personas: dict[str, Persona] = {}
    places: dict[str, Path] = {}
    faults: list[FileFault] = []
    ids = None if entry_ids is None else frozenset(entry_ids)
    for root in paths:
        if not root.exists():
            faults.append(FileFault(root, [Fault("there is no such file or folder")]))
            continue
        for path in sorted(root.rglob("*.yaml")) if root.is_dir() else [root]:
            try:
                persona = load_persona(path, ids)
            except FileFault as error:
                faults.append(error)
                continue
            if persona.id in places:
                faults.append(
                    FileFault(path, [Fault(f"{persona.id!r} is also the id of {places[persona.id]}", None, "id")])
                )
                continue
            personas[persona.id], places[persona.id] = persona, path
    return Library(personas, places, tuple(faults))
