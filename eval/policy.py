"""A language model that plays the trainee by a policy: a text file that says how it works.

A policy is written for one language (`NAME.zh-CN.txt`, `NAME.en.txt`) or for both (`NAME.txt`); the frame
around it, with what the trainee can look up, is in eval/policies.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, get_args

from eval.playing import Speaker
from roleplay.dialogue import SILENCE, Language
from roleplay.errors import Fault, FileFault
from roleplay.models import LanguageModel, Message, Sampling
from roleplay.persona import Persona
from roleplay.yaml_files import read_yaml

if TYPE_CHECKING:
    from roleplay.call import Call
    from roleplay.room import Room

POLICIES = Path(__file__).parent / "policies"
LONGEST = 600  # characters of a reply; what a model says beyond is cut off
NAMED = re.compile(r"^\s*(?:客服|坐席|学员|agent|trainee|assistant|representative)\s*[:：]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a trainee works, for the calls of one language."""

    name: str
    language: Language
    text: str


def load_policies(paths: Sequence[Path] = ()) -> tuple[Policy, ...]:
    """The policies of text files and of folders of them; the shipped ones by default. Raises FileFault."""
    found: list[Policy] = []
    for root in paths or (POLICIES,):
        files = sorted(root.glob("*.txt")) if root.is_dir() else [root]
        for path in [path for path in files if not path.name.startswith("frame.")]:
            name, _, language = path.stem.partition(".")
            languages: tuple[Language, ...] = get_args(Language)
            if language and language not in languages:
                raise FileFault(
                    path, [Fault(f"is named for {language!r}; name it NAME.zh-CN.txt, NAME.en.txt or NAME.txt")]
                )
            text = _text(path)
            found += [Policy(name, each, text) for each in languages if language in ("", each)]
    if not found:
        raise FileFault((paths or (POLICIES,))[0], [Fault("holds no policy, a file NAME.txt")])
    if doubled := {(each.name, each.language) for each in found if found.count(each) > 1}:
        raise FileFault(
            (paths or (POLICIES,))[0], [Fault(f"two policies are named {name} {at}") for name, at in sorted(doubled)]
        )
    return tuple(found)


def prompted(policy: Policy, model: LanguageModel, room: Room, most: int, seed: int) -> Speaker:
    """The trainee as a function from the call so far to the model's next reply; None after `most` replies.

    A model that says nothing leaves the customer in silence. Raises Unavailable when the model fails.
    """

    def reply(call: Call) -> str | None:
        if len(call.exchanges) >= most:
            return None
        drawn = zlib.crc32(f"{seed}/{policy.name}/{call.persona.id}/{len(call.exchanges)}".encode())
        sampling = Sampling(max_tokens=220, temperature=0.7, seed=drawn & 0x7FFFFFFF)
        said = "".join(model.stream(messages(policy, call, room), sampling))
        return " ".join(NAMED.sub("", said).split())[:LONGEST] or SILENCE

    return reply


def messages(policy: Policy, call: Call, room: Room) -> list[Message]:
    """The call so far as the trainee's model hears it: it speaks as the assistant."""
    persona, words = call.persona, _words()[policy.language]
    frame = Template(_text(POLICIES / f"frame.{policy.language}.txt"))
    text = frame.substitute(
        call=words[persona.call.direction], policy=policy.text, knowledge=_knowledge(persona, room) or words["nothing"]
    )
    made: list[Message] = [{"role": "system", "content": text}, {"role": "user", "content": words["begin"]}]
    for turn in call.turns:
        made.append({"role": "user" if turn.speaker == "customer" else "assistant", "content": turn.text})
    return made


def _knowledge(persona: Persona, room: Room) -> str:
    """What a trainee can look up for this call: the entries that the persona names, and the agent's screen."""
    entries = room.knowledge.entries_by_id()
    lines = [f"{entries[name].question} {entries[name].answer}" for name in persona.entries() if name in entries]
    return "\n".join([*lines, *(each.text for each in persona.account_evidence())])


def _words() -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = read_yaml(POLICIES / "words.yaml")[0]
    return words


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise FileFault(path, [Fault(f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise FileFault(path, [Fault("is not UTF-8 text")]) from error
    if not text:
        raise FileFault(path, [Fault("the file is empty")])
    return text
