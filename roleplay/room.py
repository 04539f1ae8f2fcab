"""The practice room: one for all, holding nobody's call. Every call is read from the records and kept there.

A turn is kept whole or not at all: the trainee's words and the customer's answer go into one transaction,
and only then is the answer called kept. Grading is a record of its own, made afterwards or beside.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from roleplay.acts import next_directive
from roleplay.call import (
    Call,
    Exchanged,
    keep_exchanged,
    keep_grade,
    kept_call,
    kept_grades,
    turn_of,
)
from roleplay.clauses import sentences
from roleplay.coaching import Better, Coach, Moment
from roleplay.customer import Answer, Customer, Scene
from roleplay.dialogue import Evidence, Language, Turn
from roleplay.directive import spoken
from roleplay.errors import Rejected, RoleplayError
from roleplay.events import AWAY, Event, Kind, away
from roleplay.grading import Grader
from roleplay.knowledge.entries import Entry
from roleplay.knowledge.search import Knowledge
from roleplay.noticed import is_silent
from roleplay.persona import Library, Persona
from roleplay.persona_grading import SHEET
from roleplay.phrases import judged
from roleplay.plain_text import visible, without_markup
from roleplay.prompts import Cue
from roleplay.reaction import react
from roleplay.reader import Reader
from roleplay.reading import Reading
from roleplay.records import CallRow, Mode, Records, now
from roleplay.redaction import redact
from roleplay.rubric import Grade
from roleplay.state import outcome
from roleplay.waiting import waited

LONGEST_REPLY = 2000  # characters
LONGEST_DEPARTMENT = 80
LONGEST_NOTE = 1000  # characters of one field of the sheet
AT_ONCE = 2  # replies that are read at once: it is all computing, and more would only make each other late
SEARCHED = 4  # entries that are looked up for each reply, beside those that the persona names

REMEMBERED = 2000  # better replies that are held in memory


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
        self.in_use = False  # whether anybody has looked at a persona yet

    @property
    def _grader(self) -> str:
        return f"{self.grader.spec} {self.grader.fingerprint}"

    @property
    def _parts(self) -> dict[str, Any]:
        """What a call that begins now is had with, as its row keeps it."""
        return {
            "knowledge_version": self.knowledge.version,
            "customer_model": f"{self.customer.model.spec} {self.customer.model.fingerprint}",
            "grader_model": self._grader,
        }

    def basis(self, persona: Persona) -> dict[str, str]:
        """What a grade that is given now rests on, by part; see `Grade.basis`."""
        return {**self.grader.basis(persona.language), "persona": persona.grading.hash}

    def take_knowledge(self, knowledge: Knowledge) -> None:
        """From the next turn on, use this knowledge base, which has been published meanwhile."""
        self.knowledge, self._entries = knowledge, knowledge.entries_by_id()

    def open(
        self, persona_id: str, *, seed: int, trainee: str = "", mode: Mode = "practice", rung: float | None = None
    ) -> Call:
        """Begin a call; `rung` is for how many seconds it rang before it was taken, None where that was not measured.

        Raises Rejected for an unknown persona, Unavailable when nothing can be kept.
        """
        call = self._begun(self.library().get(persona_id), seed, trainee, mode)
        if rung is None:
            return call
        self.records.events.keep(call.id, Event("ring", 0, {"seconds": rung}))
        return self.call(call.id)

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
            **self._parts,
        )
        self.records.open_call(row)
        self.get_ready(persona)  # while the trainee greets
        return Call(row, persona, ())

    def get_ready(self, persona: Persona) -> None:
        """Begin to compute what the first reply to this persona would wait for; nobody waits for it here."""
        self.in_use = True
        ready = (persona.subjects(), persona.language)
        threading.Thread(target=self.reader.get_ready, args=ready, daemon=True).start()

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
        evidence, reading = self._read(call, reply)
        last = call.exchanges[-1].reply.text if call.exchanges else ""
        wait = waited(call.events, len(call.exchanges), last, now())
        before = react(call.persona, call.state, reading, reply, wait)
        directive = next_directive(call.persona, before, call.row.seed)
        past = tuple((each.cue, each.meant) for each in call.exchanges)
        answer = yield from self._answer(
            Scene(call.persona, before, Cue(reply, directive, before.feeling), past, call.row.seed)
        )
        exchanged = Exchanged(
            number=len(call.exchanges) + 1,
            reply=Turn("trainee", reply),
            answer=Turn("customer", answer.text, answer.gloss, directive.act),
            reading=reading,
            directive=directive,
            before=before,
            after=spoken(before, directive),
            evidence=evidence,
            detail=_made(answer) | {"took": round(time.monotonic() - begun, 3)},
            seconds=seconds,
        )
        keep_exchanged(self.records, call.id, exchanged)
        yield Kept(self.call(call_id), exchanged)

    def _answer(self, scene: Scene) -> Generator[str, None, Answer]:
        """Passes on the customer's words as they come; returns the whole answer."""
        for piece in self.customer.speak(scene):
            if isinstance(piece, Answer):
                return piece
            yield piece
        raise AssertionError("a customer's last piece is its answer")

    def grade(self, call_id: str, number: int) -> Grade:
        """Score the reply `number` and keep the score. A grader that fails gives a grade without scores."""
        call = self.call(call_id)
        exchange, reading = call.exchange(number), call.exchanges[number - 1].reading
        try:
            grade = judged(self.grader.grade(exchange, reading), call.persona.grading, exchange.reply, reading)
            grade = replace(grade, basis=self.basis(call.persona))
        except RoleplayError as error:
            grade = Grade.missing("failed", str(error), self._grader)
        keep_grade(self.records, call_id, number, grade, self._grader)
        return grade

    def better(self, call: Call, number: int, grade: Grade) -> Better | None:
        """What could have been said instead of the reply `number`; see `coaching`. Made once, then remembered."""
        key = (call.id, number, grade.grader, *(score.value for score in grade.scores.values()))
        with self._lock:
            if key in self._better:
                return self._better[key]
        grader = self.grader
        each, persona = call.exchanges[number - 1], call.persona
        moment = Moment(
            exchange=call.exchange(number),
            reading=each.reading,
            grade=grade,
            grading=persona.grading,
            private=frozenset(name for name, entry in self._entries.items() if entry.audience == "internal"),
            verify=persona.account is not None and not each.before.verified and number > 1,
        )
        made = Coach(self.reader, grader, grader.writer).better(moment)
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
        gone = away(call.events)
        if kind in AWAY and gone:
            raise Rejected(f"the customer is waiting already ({gone})")
        if kind == "back" and not gone:
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
        kept = {name: self._redacted(call, visible(text)) for name, text in texts.items() if text.strip()}
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
            call.row, id=uuid.uuid4().hex, trainee=trainee, mode="practice", started_at=now(),
            ended_at=None, ending=None, **self._parts,
        )  # fmt: skip
        self.records.open_call(row)
        self.records.events.keep(row.id, Event("retry", number - 1, {"call": call_id, "reply": number}))
        first = turn_of(number)  # that is said anew
        self.records.keep_turns(row.id, 1, self.records.turns(call_id)[: first - 1])
        for grade in self.records.grades(call_id):
            if grade.turn_number < first:
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
        clean = visible(text)
        if not clean:
            raise Rejected("say something to the customer first; to stay silent on purpose, send ……")
        clean = visible(without_markup(clean))
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

    def _read(self, call: Call, reply: str) -> tuple[tuple[Evidence, ...], Reading]:
        """The reading with the evidence that it rests on.

        What an entry contradicts that only search has found is looked up once more by its own sentence: search for
        the whole reply may have found the price of something near.
        """
        with self._reading:
            evidence = self._evidence(call, reply)
            reading = self._read_with(call, reply, evidence)
            named = {*call.persona.entries(), *(each.id for each in evidence if each.of_account)}
            doubtful = [claim for claim in reading.contradicted if claim.evidence_id not in named]
            queries = [
                each.text for each in sentences(reply) if any(each.start <= at.start < each.end for at in doubtful)
            ]
            more = self._found(call, queries, {each.id for each in evidence})
            if more:
                evidence = (*evidence, *more)
                reading = self._read_with(call, reply, evidence)
            return evidence, reading

    def _read_with(self, call: Call, reply: str, evidence: tuple[Evidence, ...]) -> Reading:
        exchange, persona = call.next_exchange(reply, evidence), call.persona
        known = [self._entries[each.id] for each in evidence if each.id in self._entries]
        named = persona.entries()
        own = [entry for entry in known if entry.id in named]
        if not own:  # whose call hangs on no entry may be about anything
            return self.reader.read(exchange, persona.subjects())
        products = [entry.id for entry in known if entry.product not in {each.product for each in own}]
        entries = [entry.id for entry in known if entry.audience == "public" and not _beside(entry, own)]
        if persona.call.direction == "outbound":  # who rings somebody up brings matters of his own
            entries = []
        return self.reader.read(exchange, persona.subjects(), products, entries)

    def _evidence(self, call: Call, reply: str) -> tuple[Evidence, ...]:
        """What bears on this reply: the account, the entries that the persona names, and what search finds."""
        persona = call.persona
        heard = call.turns[-1].text if call.turns else ""
        named = persona.entries()
        found = self._found(call, (reply, heard), named)
        known = [self._entries[name].evidence() for name in named if name in self._entries]
        # What the agent's screen does not show yet, the trainee can neither know nor leave out.
        return (*(persona.account_evidence() if call.state.verified else ()), *known, *found)

    def _found(self, call: Call, queries: Iterable[str], known: Container[str]) -> tuple[Evidence, ...]:
        """The entries that search finds for these words, but for those that are known."""
        ids = looked_up(self.knowledge, call.persona.language, queries, call.row.started_at.date())
        return tuple(self._entries[name].evidence() for name in ids if name in self._entries and name not in known)


def _beside(entry: Entry, own: Sequence[Entry]) -> bool:
    """Whether an entry is one of a customer's own, or one that the knowledge base relates to one of these."""
    return any(entry.id == each.id or entry.id in each.related or each.id in entry.related for each in own)


def looked_up(
    knowledge: Knowledge, language: Language, queries: Iterable[str], on: date | None = None
) -> tuple[str, ...]:
    """Ids of the entries that search finds, each once; a silence asks for nothing."""
    found = [
        knowledge.search(query[:300], language=language, audience=("public", "internal"), on=on, limit=SEARCHED)
        for query in queries
        if query and not is_silent(query)
    ]
    return tuple(dict.fromkeys(hit.entry.id for one in found for hit in one.hits))


def _made(answer: Answer) -> dict[str, Any]:
    """How an answer was made, as the records keep it."""
    return {
        "source": answer.source,
        "meant": answer.meant,
        "struck": [[each.source, each.reason, each.detail, each.text] for each in answer.struck],
        "proposed": dict(answer.proposed),
    }
