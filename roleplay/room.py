"""The practice room: one for all, holding nobody's call. Every call is read from the records and kept there.

A turn is kept whole or not at all: the trainee's words and the customer's answer go into one transaction,
and only then is the answer called kept. Grading is a record of its own, made afterwards or beside.
"""

from __future__ import annotations

import threading
import time
import unicodedata
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from roleplay.acts import next_directive
from roleplay.coaching import Better, Coach, Moment
from roleplay.customer import Answer, Customer, Scene
from roleplay.dialogue import Ending, Evidence, Exchange, Turn
from roleplay.directive import Directive, spoken
from roleplay.errors import Rejected, RoleplayError
from roleplay.events import AWAY, Event, Kind, away
from roleplay.grading import Grader, ModelGrader
from roleplay.knowledge.search import Knowledge
from roleplay.noticed import is_silent
from roleplay.persona import SHEET, Library, Persona, kept_persona
from roleplay.phrases import judged
from roleplay.plain_text import without_markup
from roleplay.prompts import Cue
from roleplay.reaction import react
from roleplay.reader import Reader
from roleplay.reading import Reading
from roleplay.records import CallRow, GradeRow, Mode, Records, TurnRow
from roleplay.redaction import redact
from roleplay.rubric import Grade
from roleplay.state import State, outcome, start
from roleplay.waiting import waited

LONGEST_REPLY = 2000  # characters
LONGEST_DEPARTMENT = 80
LONGEST_NOTE = 1000  # characters of one field of the sheet
AT_ONCE = 2  # replies that are read at once: it is all computing, and more would only make each other late
SEARCHED = 4  # entries that are looked up for each reply, beside those that the persona names

STATE, READING, DIRECTIVE = TypeAdapter(State), TypeAdapter(Reading), TypeAdapter(Directive)
EVIDENCE, GRADE = TypeAdapter(tuple[Evidence, ...]), TypeAdapter(Grade)
REMEMBERED = 2000  # better replies that are held in memory


@dataclass(frozen=True)
class Exchanged:
    """One reply and its answer, with everything that led from one to the other."""

    number: int  # 1 for the trainee's first reply
    reply: Turn
    answer: Turn
    reading: Reading
    directive: Directive
    before: State  # after the reply, before the answer
    after: State
    evidence: tuple[Evidence, ...]
    detail: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None  # that the trainee took


@dataclass(frozen=True)
class Call:
    """A call as the records hold it."""

    row: CallRow
    persona: Persona
    exchanges: tuple[Exchanged, ...]
    events: tuple[Event, ...] = ()

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def state(self) -> State:
        return self.exchanges[-1].after if self.exchanges else start(self.persona)

    @property
    def ending(self) -> Ending | None:
        return self.row.ending

    @property
    def is_exam(self) -> bool:
        return self.row.mode == "exam"

    @property
    def retried(self) -> tuple[str, int] | None:
        """Which call, and from which reply on, this one tries again; None for a call of its own."""
        event = next((event for event in self.events if event.kind == "retry"), None)
        return (event.detail["call"], event.detail["reply"]) if event else None

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(turn for each in self.exchanges for turn in (each.reply, each.answer))

    def exchange(self, number: int) -> Exchange:
        """What a grader may see of the reply `number`."""
        each = self.exchanges[number - 1]
        context = self.turns[: 2 * (number - 1)]
        persona = self.persona
        return Exchange(persona.language, context, each.reply.text, each.evidence, None, persona.call.direction)


@dataclass(frozen=True)
class Kept:
    """The turn has been kept: the last thing that `Room.say` yields."""

    call: Call
    exchanged: Exchanged


class Room:
    """Opens calls, carries them on, ends them. Safe to share between threads."""

    def __init__(
        self,
        library: Callable[[], Library],
        knowledge: Knowledge,
        reader: Reader,
        customer: Customer,
        grader: Grader,
        records: Records,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        """`renew` takes up what has been published meanwhile; it is called before each reply."""
        self.library, self.reader, self.renew = library, reader, renew
        self.customer, self.grader, self.records = customer, grader, records
        self._reading = threading.BoundedSemaphore(AT_ONCE)
        self.take_knowledge(knowledge)
        self._better: dict[tuple[object, ...], Better | None] = {}
        self._lock = threading.Lock()

    @property
    def _grader(self) -> str:
        return f"{self.grader.spec} {self.grader.fingerprint}"

    def basis(self, persona: Persona) -> dict[str, str]:
        """What a grade that is given now rests on, by part; see `Grade.basis`."""
        return {**self.grader.basis(persona.language), "persona": persona.grading.hash}

    def take_knowledge(self, knowledge: Knowledge) -> None:
        """From the next turn on, use this knowledge base, which has been published meanwhile."""
        self.knowledge, self._entries = knowledge, knowledge.entries_by_id()

    def open(self, persona_id: str, *, seed: int, trainee: str = "", mode: Mode = "practice") -> Call:
        """Begin a call. Raises Rejected for an unknown persona, Unavailable when nothing can be kept."""
        return self._begun(self.library().get(persona_id), seed, trainee, mode)

    def try_draft(self, persona: Persona, *, seed: int, trainee: str = "") -> Call:
        """Begin a call with a persona that is not published, or not as it is here. Results leave such calls out."""
        call = self._begun(persona, seed, trainee, "practice")
        self.records.events.keep(call.id, Event("draft", 0))
        return call

    def _begun(self, persona: Persona, seed: int, trainee: str, mode: Mode) -> Call:
        row = CallRow(
            id=uuid.uuid4().hex,
            trainee=trainee,
            persona_id=persona.id,
            persona_hash=persona.hash,
            persona_yaml=persona.model_dump_json(by_alias=True, exclude_unset=True),
            language=persona.language,
            direction=persona.call.direction,
            seed=seed,
            mode=mode,
            knowledge_version=self.knowledge.version,
            customer_model=f"{self.customer.model.spec} {self.customer.model.fingerprint}",
            grader_model=self._grader,
        )
        self.records.open_call(row)
        return Call(row, persona, ())

    def call(self, call_id: str) -> Call:
        """The call as it was last kept. Raises Rejected for an unknown one."""
        return kept_call(self.records, call_id)

    def say(self, call_id: str, text: str, seconds: float | None = None) -> Iterator[str | Kept]:
        """The trainee says `text`: yields the customer's words piece by piece, then `Kept`.

        Raises Rejected for an empty or overlong reply or a call that is over, Unavailable when a model or
        the records fail. Whatever is raised, or when the caller stops listening, the call is as it was.
        """
        self.renew()
        call = self._open_call(call_id)
        if kind := away(call.events):
            raise Rejected(f"the customer cannot hear you ({kind}); come back first")
        reply = self._received(call, text)
        begun = time.monotonic()
        with self._reading:
            evidence = self._evidence(call, reply)
            exchange = Exchange(call.persona.language, call.turns, reply, evidence, None, call.persona.call.direction)
            reading = self.reader.read(exchange, call.persona.subjects())
        last = call.exchanges[-1].reply.text if call.exchanges else ""
        wait = waited(call.events, len(call.exchanges), last, datetime.now(UTC))
        before = react(call.persona, call.state, reading, reply, wait)
        directive = next_directive(call.persona, before, call.row.seed)
        past = tuple(
            (Cue(each.reply.text, each.directive, each.before.feeling), each.detail.get("meant") or each.answer.text)
            for each in call.exchanges
        )
        scene = Scene(call.persona, before, Cue(reply, directive, before.feeling), past, call.row.seed)
        answer: Answer | None = None
        for piece in self.customer.speak(scene):
            if isinstance(piece, Answer):
                answer = piece
            else:
                yield piece
        assert answer is not None
        exchanged = Exchanged(
            number=len(call.exchanges) + 1,
            reply=Turn("trainee", reply),
            answer=Turn("customer", answer.text, answer.gloss, directive.act),
            reading=reading,
            directive=directive,
            before=before,
            after=spoken(before, directive),
            evidence=evidence,
            detail={
                "source": answer.source,
                "meant": answer.meant,
                "struck": [[each.source, each.reason, each.detail, each.text] for each in answer.struck],
                "proposed": dict(answer.proposed),
                "took": round(time.monotonic() - begun, 3),
            },
            seconds=seconds,
        )
        self._keep(call, exchanged)
        yield Kept(self.call(call_id), exchanged)

    def grade(self, call_id: str, number: int) -> Grade:
        """Score the reply `number` and keep the score. A grader that fails gives a grade without scores."""
        call = self.call(call_id)
        exchange, reading = call.exchange(number), call.exchanges[number - 1].reading
        try:
            grade = judged(self.grader.grade(exchange, reading), call.persona.grading, exchange.reply, reading)
            grade = replace(grade, basis=self.basis(call.persona))
        except RoleplayError as error:
            grade = Grade.missing("failed", str(error), self._grader)
        status = "failed" if any(score.status == "failed" for score in grade.scores.values()) else "scored"
        data = GRADE.dump_python(grade, mode="json")
        self.records.keep_grade(call_id, GradeRow(2 * number - 1, self._grader, data, status))
        return grade

    def better(self, call: Call, number: int, grade: Grade) -> Better | None:
        """What could have been said instead of the reply `number`; see `coaching`. Made once, then remembered."""
        key = (call.id, number, grade.grader, *(score.value for score in grade.scores.values()))
        with self._lock:
            if key in self._better:
                return self._better[key]
        grader = self.grader
        writer = grader.model if isinstance(grader, ModelGrader) and grader.model.writes else None
        each, persona = call.exchanges[number - 1], call.persona
        moment = Moment(
            exchange=call.exchange(number),
            reading=each.reading,
            grade=grade,
            grading=persona.grading,
            private=frozenset(name for name, entry in self._entries.items() if entry.audience == "internal"),
            verify=persona.account is not None and not each.before.verified and number > 1,
        )
        made = Coach(self.reader, grader, writer).better(moment)
        with self._lock:
            self._better[key] = made
            while len(self._better) > REMEMBERED:
                del self._better[next(iter(self._better))]
        return made

    def grades(self, call_id: str) -> dict[int, Grade]:
        """The grades kept for a call, by number of the reply."""
        return kept_grades(self.records, call_id)

    def note(self, call_id: str, kind: Kind, detail: dict[str, Any] | None = None) -> Call:
        """Something happens beside what is said, such as holding.

        Raises Rejected when the call is over, for what an exam or the persona does not allow, for going away
        twice and for coming back when one was not away.
        """
        call = self._open_call(call_id)
        if call.is_exam and kind in ("pause", "hint"):
            raise Rejected(f"an exam has no {kind}")
        if kind == "hint" and call.persona.grading.hints == "none":
            raise Rejected("this persona gives no hints")
        now = away(call.events)
        if kind in AWAY and now:
            raise Rejected(f"the customer is waiting already ({now})")
        if kind == "back" and not now:
            raise Rejected("the customer hears you already")
        self.records.events.keep(call_id, Event(kind, len(call.exchanges), detail or {}))
        return self.call(call_id)

    def transfer(self, call_id: str, department: str, briefing: str) -> Call:
        """Hand the customer over: the call ends with it, and the briefing is kept for the report.

        Raises Rejected without a department or a briefing, before the first reply, or when the call is over.
        """
        call = self._open_call(call_id)
        if not call.exchanges:
            raise Rejected("nothing has been said yet: find out first what the customer needs")
        where = " ".join(department.split())[:LONGEST_DEPARTMENT]
        if not where or not briefing.strip():
            raise Rejected("say to whom, and what the colleague has to know")
        told = self._received(call, briefing)
        self.records.events.keep(call_id, Event("transfer", len(call.exchanges), {"to": where, "briefing": told}))
        ending = outcome(call.persona, call.state)
        if ending == "unresolved" and "demand_supervisor" in call.state.acts:
            ending = "escalated"
        self.records.end_call(call_id, ending)
        return self.call(call_id)

    def write(self, call_id: str, texts: Mapping[str, str]) -> Call:
        """Keep what the trainee has written down, all fields of the sheet at once; also after the call has ended.

        Raises Rejected for a field that the sheet of this call does not have, and for one that is too long.
        """
        call = self.call(call_id)
        known = {*SHEET, *(field.id for field in call.persona.grading.form)}
        if unknown := [name for name in texts if name not in known]:
            raise Rejected(f"the sheet names a field that there is not ({unknown[0]})")
        if any(len(text) > LONGEST_NOTE for text in texts.values()):
            raise Rejected(f"a field of the sheet has at most {LONGEST_NOTE} characters")
        kept = {name: self._redacted(call, _shown(text)) for name, text in texts.items() if text.strip()}
        self.records.events.keep(call_id, Event("sheet", len(call.exchanges), kept))
        return self.call(call_id)

    def retry(self, call_id: str, number: int, trainee: str) -> Call:
        """A new call that stands where this one stood before its reply `number`: same persona, seed, words, scores.

        Raises Rejected when there is no such reply, or while an exam goes on.
        """
        call = self.call(call_id)
        if not 1 <= number <= len(call.exchanges):
            raise Rejected(f"this call has no reply {number}")
        if call.is_exam and call.ending is None:
            raise Rejected("an exam is not tried again before it has ended")
        row = replace(
            call.row, id=uuid.uuid4().hex, trainee=trainee, mode="practice", started_at=datetime.now(UTC),
            ended_at=None, ending=None, knowledge_version=self.knowledge.version,
            customer_model=f"{self.customer.model.spec} {self.customer.model.fingerprint}", grader_model=self._grader,
        )  # fmt: skip
        self.records.open_call(row)
        self.records.events.keep(row.id, Event("retry", number - 1, {"call": call_id, "reply": number}))
        kept = 2 * (number - 1)
        self.records.keep_turns(row.id, 1, self.records.turns(call_id)[:kept])
        for grade in self.records.grades(call_id):
            if grade.turn_number <= kept:
                self.records.keep_grade(row.id, grade)
        return self.call(row.id)

    def finish(self, call_id: str) -> Call:
        """The trainee hangs up, or looks at the report of a call that has ended by itself."""
        call = self.call(call_id)
        if call.ending is None:
            self.records.end_call(call_id, outcome(call.persona, call.state) if call.exchanges else "unresolved")
        return self.call(call_id)

    def _open_call(self, call_id: str) -> Call:
        call = self.call(call_id)
        if call.ending:
            raise Rejected("this call has ended; open a new one to go on practising")
        return call

    def _received(self, call: Call, text: str) -> str:
        clean = _shown(text)
        if not clean:
            raise Rejected("say something to the customer first; to stay silent on purpose, send ……")
        clean = _shown(without_markup(clean))
        if not clean:
            raise Rejected("what you wrote is nothing but marks; write the words that the customer is to hear")
        if len(clean) > LONGEST_REPLY:
            raise Rejected(
                f"that is {len(clean):,} characters; a reply on the phone has at most {LONGEST_REPLY:,}. Shorten it"
            )
        return self._redacted(call, clean)

    def _redacted(self, call: Call, text: str) -> str:
        """Without a trainee's own personal data; numbers of the case stay."""
        account = call.persona.account
        case = account.model_dump_json() if account else ""
        return redact(text, case + "".join(turn.text for turn in call.turns))

    def _evidence(self, call: Call, reply: str) -> tuple[Evidence, ...]:
        """What bears on this reply: the account, the entries that the persona names, and what search finds."""
        persona = call.persona
        named = [part.told for _, condition in persona.conditions() for part in condition.parts() if part.told]
        ids = [name for name in dict.fromkeys((*persona.grading.entries, *named)) if not name.startswith("account.")]
        heard = call.turns[-1].text if call.turns else ""
        for query in (reply, heard):
            if query and not is_silent(query):
                found = self.knowledge.search(
                    query[:300],
                    language=persona.language,
                    audience=("public", "internal"),
                    on=call.row.started_at.date(),
                    limit=SEARCHED,
                )
                ids.extend(hit.entry.id for hit in found.hits)
        known = [self._entries[name].evidence() for name in dict.fromkeys(ids) if name in self._entries]
        # What the agent's screen does not show yet, the trainee can neither know nor leave out.
        return (*(persona.account_evidence() if call.state.verified else ()), *known)

    def _keep(self, call: Call, each: Exchanged) -> None:
        trainee = TurnRow(
            speaker="trainee",
            text=each.reply.text,
            detail={
                "reading": READING.dump_python(each.reading, mode="json"),
                "before": STATE.dump_python(each.before, mode="json"),
                "evidence": EVIDENCE.dump_python(each.evidence, mode="json"),
            },
            seconds=each.seconds,
        )
        customer = TurnRow(
            speaker="customer",
            text=each.answer.text,
            gloss=each.answer.gloss,
            act=each.directive.act,
            detail={
                "directive": DIRECTIVE.dump_python(each.directive, mode="json"),
                "after": STATE.dump_python(each.after, mode="json"),
                **each.detail,
            },
            seconds=each.detail["took"],
        )
        self.records.keep_turns(call.id, 2 * each.number - 1, [trainee, customer], ending=each.after.ending)


def kept_call(records: Records, call_id: str) -> Call:
    """A call as the records hold it; needs no room and no models. Raises Rejected for an unknown one."""
    row = records.call(call_id)
    turns = records.turns(call_id)
    pairs = zip(turns[::2], turns[1::2], strict=True)
    exchanges = tuple(_exchanged(number, *pair) for number, pair in enumerate(pairs, 1))
    return Call(row, kept_persona(row.persona_yaml), exchanges, records.events.of(call_id))


def kept_grades(records: Records, call_id: str) -> dict[int, Grade]:
    """The grades kept for a call, by number of the reply; of several graders the latest."""
    return {(row.turn_number + 1) // 2: GRADE.validate_python(row.grade) for row in records.grades(call_id)}


def _shown(text: str) -> str:
    """A text as it can be seen, composed and without space around it."""
    return "".join(char for char in unicodedata.normalize("NFC", text) if _is_shown(char)).strip()


def _is_shown(char: str) -> bool:
    """Control characters and those that turn the direction of writing have no place in a reply."""
    return char in "\n\t\u200d" or unicodedata.category(char) not in ("Cc", "Cf")


def _exchanged(number: int, reply: TurnRow, answer: TurnRow) -> Exchanged:
    extra = {name: value for name, value in answer.detail.items() if name not in ("directive", "after")}
    return Exchanged(
        number=number,
        reply=Turn("trainee", reply.text),
        answer=Turn("customer", answer.text, answer.gloss, answer.act),
        reading=READING.validate_python(reply.detail["reading"]),
        directive=DIRECTIVE.validate_python(answer.detail["directive"]),
        before=STATE.validate_python(reply.detail["before"]),
        after=STATE.validate_python(answer.detail["after"]),
        evidence=EVIDENCE.validate_python(reply.detail["evidence"]),
        detail=extra,
        seconds=reply.seconds,
    )
