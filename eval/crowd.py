"""Many people practising at once: each does over HTTP what a browser does, on the page as users start it.

A person opens the page, picks a customer, picks up, speaks with some thought between the turns, hangs up and
sees the report. Afterwards every turn that was kept is held against what was said, and every call is carried
on once more with nobody else there: the customer must say the same.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eval.playing import DATA
from roleplay.call import kept_call
from roleplay.errors import RoleplayError, Unavailable
from roleplay.persona import Persona
from roleplay.records import Records
from roleplay.room import Room
from roleplay.scripts import Script, load_scripts

POLICIES = ("excellent", "average")  # whose lines are said: they keep a call going
ARRIVING = 3.0  # seconds over which the people open the page
SIGNED = {"zh-CN": "我是{number}号坐席。", "en": " This is agent {number}."}  # so that no two people say the same
T = TypeVar("T")
TIMES = ("first_words", "whole_turn", "scored", "open_page", "pick", "pick_up", "report")  # what is timed
PATIENCE = 120.0  # seconds without a word from the server
TYPING = 'class="typing"'  # what stands in the customer's place until its first words


@dataclass(frozen=True, slots=True)
class Part:
    """What one person does: `lines` to this persona, `thinking` seconds before each of them."""

    number: int
    persona: Persona
    lines: tuple[str, ...]
    arrives: float
    thinking: tuple[float, ...]


@dataclass
class Done:
    """What one person saw. Times are in seconds; `said` are the turns that the page took."""

    part: Part
    call_id: str = ""
    said: list[str] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)
    fault: str = ""

    def took(self, what: str, seconds: float) -> None:
        self.times.setdefault(what, []).append(seconds)


class Browser:
    """What a browser knows of the page: which event calls which handler with which values. It draws nothing."""

    def __init__(self, site: str, language: str) -> None:
        self._site, self._language = f"{site}/practice", language
        with self._ask("/") as answer:
            found = re.search(r"window\.gradio_config = (\{.*?\});</script>", answer.read().decode(), re.DOTALL)
        if found is None:
            raise Unavailable("the page", "it is not the page of this program", "Look at its address")
        config = json.loads(found[1])
        self._handlers: list[dict[str, Any]] = config["dependencies"]
        self._session = f"{random.getrandbits(48):012x}"
        self._ids: dict[str, int] = {}
        self._values: dict[int, Any] = {}
        for part in config["components"]:
            self._ids[part["props"].get("elem_id") or ""] = part["id"]
            self._values[part["id"]] = part["props"].get("value")
        self._run(next(each for each in self._handlers if each["targets"][0][1] == "load"))

    def fire(self, part: str, event: str, given: Any = None, partly: Callable[[], None] = lambda: None) -> float:
        """Something happens to the component of this id; `partly` gets the answer's pieces. When it was answered."""
        target = [self._ids[part], event]
        return self._run(next(each for each in self._handlers if target in each["targets"]), given, partly)

    def write(self, part: str, text: str) -> None:
        self._values[self._ids[part]] = text

    def shown(self, part: str) -> Any:
        return self._values[self._ids[part]]

    def _run(self, handler: dict[str, Any], given: Any = None, partly: Callable[[], None] = lambda: None) -> float:
        body = {
            "data": [self._values[name] for name in handler["inputs"]],
            "fn_index": handler["id"], "event_data": given, "session_hash": self._session, "trigger_id": None,
        }  # fmt: skip
        with self._ask("/gradio_api/queue/join", body) as answer:
            event = json.load(answer)["event_id"]
        with self._ask(f"/gradio_api/queue/data?session_hash={self._session}") as pieces:
            self._take(handler, event, pieces, partly)
        answered = time.perf_counter()
        for after in self._handlers:
            if after["trigger_after"] == handler["id"] and after["backend_fn"]:
                self._run(after)
        return answered

    def _take(self, handler: dict[str, Any], event: str, lines: Iterator[bytes], partly: Callable[[], None]) -> None:
        """Take what the server sends until it is done: first whole values, then what has changed, at last whole ones."""
        first = True
        for line in lines:
            message = json.loads(line[5:]) if line.startswith(b"data:") else {}
            kind, output = message.get("msg"), message.get("output") or {}
            if message.get("success") is False:
                raise Unavailable("the page", str(output.get("error") or message), "See the server's log")
            if message.get("event_id") != event or kind not in ("process_generating", "process_completed"):
                continue
            changes = kind == "process_generating" and not first
            first = False
            for name, sent in zip(handler["outputs"], output["data"], strict=True):
                for value in [edit[2] for edit in sent if edit[:2] == ["replace", []]] if changes else [sent]:
                    update = isinstance(value, dict) and value.get("__type__") == "update"
                    if not update or "value" in value:
                        self._values[name] = value["value"] if update else value
            partly()

    def _ask(self, path: str, body: Any = None) -> http.client.HTTPResponse:
        headers = {"Accept-Language": self._language, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        answer: http.client.HTTPResponse = urllib.request.urlopen(
            urllib.request.Request(self._site + path, data, headers), timeout=PATIENCE
        )
        return answer


def parts(people: int, turns: int, thinking: float, seed: int, personas: Sequence[Persona]) -> list[Part]:
    """What `people` people do: half of them in English, each with another persona as far as there are enough.

    `thinking` is the mean of the seconds before a reply; they are drawn between half and one and a half of it.
    """
    chance, scripts = random.Random(seed), load_scripts(DATA / "scripts.yaml")
    made = []
    for number in range(people):
        language = ("zh-CN", "en")[number % 2]
        fit = sorted((each for each in personas if each.language == language), key=lambda each: each.id)
        persona = fit[number // 2 % len(fit)]
        script = _script(scripts, persona, number)
        lines = tuple(line + SIGNED[language].format(number=number + 1) for line in script.turns[:turns])
        pauses = tuple(chance.uniform(0.5, 1.5) * thinking for _ in lines)
        made.append(Part(number + 1, persona, lines, chance.uniform(0, ARRIVING), pauses))
    return made


def _script(scripts: Sequence[Script], persona: Persona, number: int) -> Script:
    fit = [each for each in scripts if each.language == persona.language and each.policy in POLICIES]
    same = [each for each in fit if each.direction == persona.call.direction] or fit
    return same[number % len(same)]


def practise(site: str, part: Part) -> Done:
    """One person's practice from the first look at the page to the report; a failure ends it and is told."""
    done = Done(part)
    time.sleep(part.arrives)
    try:
        _practise(site, part, done)
    except (RoleplayError, OSError, http.client.HTTPException, ValueError) as error:
        done.fault = f"{type(error).__name__}: {error}"
    return done


def _practise(site: str, part: Part, done: Done) -> None:
    def timed(what: str, work: Callable[[], T]) -> T:
        begun = time.perf_counter()
        found = work()
        done.took(what, time.perf_counter() - begun)
        return found

    browser = timed("open_page", lambda: Browser(site, part.persona.language))
    timed("pick", lambda: browser.fire("picking", "select", {"go": f"?start={part.persona.id}", "form": {}}))
    timed("pick_up", lambda: browser.fire("ringing", "select", {"go": f"start={part.persona.id}", "form": {}}))
    done.call_id = str(browser.shown("call_id"))
    for line, pause in zip(part.lines, part.thinking, strict=True):
        time.sleep(pause)
        _say(browser, line, done)
        if "notice ending" in str(browser.shown("banner")):
            break
    timed("report", lambda: browser.fire("hang_up", "click"))
    if 'class="report' not in str(browser.shown("report_sheet")):
        done.fault = f"no report: {browser.shown('problem')} {browser.shown('banner')}"


def _say(browser: Browser, line: str, done: Done) -> None:
    begun = time.perf_counter()
    words: list[float] = []

    def partly() -> None:
        shown = str(browser.shown("live"))
        if "msg customer" in shown and TYPING not in shown and not words:
            words.append(time.perf_counter() - begun)

    browser.write("box", line)
    answered = browser.fire("box", "submit", partly=partly) - begun
    if browser.shown("box"):  # the words stay there until the turn has been kept
        raise Unavailable("the customer", str(browser.shown("banner")), "See the server's log")
    done.said.append(line)
    done.took("first_words", words[0] if words else answered)
    done.took("whole_turn", answered)
    done.took("scored", time.perf_counter() - begun)


def crowd(site: str, crowd_of: Sequence[Part]) -> list[Done]:
    """All of them at once."""
    with ThreadPoolExecutor(len(crowd_of)) as pool:
        return list(pool.map(lambda part: practise(site, part), crowd_of))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of a crowd's turns was kept: `lost` were answered on the page and are not in the records.

    `mixed` are calls that hold what somebody else said, or whose customer speaks otherwise than alone; `alone`
    are the seconds of the same turns one after another with nobody else there, to the first words and in all.
    """

    sent: int
    lost: int
    mixed: int
    alone: tuple[list[float], list[float]]


def verdict(records: Records, done: Sequence[Done], room: Room) -> Verdict:
    """Hold everything that was kept against what was said, and carry each call on once more in another room."""
    lost, mixed, first, whole = 0, 0, [], []
    for each in done:
        kept = kept_call(records, each.call_id) if each.call_id else None
        replies = [exchange.reply.text for exchange in kept.exchanges] if kept else []
        lost += sum(line not in replies for line in each.said)
        if kept is None:
            continue
        again = room.open(kept.row.persona_id, seed=kept.row.seed)
        same = kept.row.persona_id == each.part.persona.id and replies == each.said[: len(replies)]
        for exchange in kept.exchanges:
            begun = time.perf_counter()
            pieces = room.say(again.id, exchange.reply.text)
            words = [next(pieces)]
            first.append(time.perf_counter() - begun)
            words += pieces
            whole.append(time.perf_counter() - begun)
            same = same and "".join(piece for piece in words if isinstance(piece, str)) == exchange.answer.text
        mixed += not same
    return Verdict(sum(len(each.said) for each in done), lost, mixed, (first, whole))
