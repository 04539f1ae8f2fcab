"""The vocabulary of calls and the plain values that everything else passes around.

Acts and moves are the vocabulary of docs/calls.md. A turn knows who spoke, never a chat role: roles
exist only in `prompts`, where messages for a model are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Speaker = Literal["trainee", "customer"]
Direction = Literal["inbound", "outbound"]
Language = Literal["zh-CN", "en"]
Temper = Literal[
    "angry", "anxious", "confused", "suspicious", "impatient", "bargaining", "talkative", "terse",
    "polite", "sad", "sarcastic", "entitled", "joking", "busy", "shy",
]  # fmt: skip
Dialect = Literal[
    "none", "sichuan", "cantonese", "northeast", "shanghai", "henan", "shandong", "minnan", "hunan", "shaanxi",
    "scottish", "indian", "southern_us", "nonnative",
]  # fmt: skip
Move = Literal[
    "greet", "identify", "offer_help", "consent", "verify", "ask_open", "ask_closed", "restate",
    "acknowledge", "apologise", "reassure", "explain", "inform", "propose", "alternative", "act", "timeframe",
    "hold", "transfer", "reschedule", "ask_repeat", "ask_mandarin", "check_satisfied", "thank", "close", "pitch",
    "refuse", "blame", "dismiss", "argue", "rude", "jargon", "slang", "dialect", "overpromise", "disclose",
    "off_topic", "filler", "meta",
]  # fmt: skip
# What a sentence of the trainee's wants of the customer; the first three rows ask, the others tell.
Aim = Literal[
    "identity", "story", "fact", "confirm", "wish", "choice", "offer", "permission", "convenient", "time_open",
    "time_set", "step", "outcome", "understood", "rest", "satisfied", "repeat", "hear", "care", "secret", "reproach",
    "hold", "back", "do", "tell", "later", "refuse", "warm", "greet", "ack", "bye", "insult", "stray", "other",
]  # fmt: skip
Act = Literal[
    "open_vague", "open_direct", "answer", "volunteer", "ask", "ask_explain", "ask_repeat", "press",
    "vent", "threaten", "demand_supervisor", "believe", "challenge", "object", "bargain",
    "misunderstand", "digress", "joke", "refuse_info", "soften", "accept", "thank", "close",
    "hang_up", "silent", "switch_mandarin", "agree_to_talk", "decline", "busy",
]  # fmt: skip
Stage = Literal[
    "opening", "finding_out", "verification", "confirming", "holding", "solving", "cannot_hear",
    "complaint", "transferring", "closing",
]  # fmt: skip
Ending = Literal["resolved", "partly", "unresolved", "callback", "escalated", "hung_up", "declined"]

MOVES: tuple[str, ...] = get_args(Move)
AIMS: tuple[Aim, ...] = get_args(Aim)
ASKING: tuple[Aim, ...] = AIMS[: AIMS.index("hold")]  # those that want something back
ACTS: tuple[str, ...] = get_args(Act)
STAGES: tuple[str, ...] = get_args(Stage)
ENDINGS: tuple[str, ...] = get_args(Ending)

SILENCE = "……"  # the text of a turn in which nothing is said


@dataclass(frozen=True, slots=True)
class Feeling:
    """What can be heard of a customer's mood; each from 0 (none) over 2 (plain to hear) to 4 (extreme)."""

    anger: float = 0.0
    confusion: float = 0.0
    trust: float = 2.0

    def rounded(self) -> tuple[int, int, int]:
        """Anger, confusion and trust as the whole points that the vocabulary and the page use."""
        return round(self.anger), round(self.confusion), round(self.trust)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said. `gloss` is a dialect line in standard language; `act` what a customer's turn does."""

    speaker: Speaker
    text: str
    gloss: str = ""
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text that a reply is held against: a knowledge-base entry, a line of the account, or a plain string.

    `id` is the entry's id, `account.NAME` for the account, or `given.N` for plain strings.
    `facts` are the entry's short facts by name, as written there (text, parsed when compared).
    """

    id: str
    text: str
    question: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def of_account(self) -> bool:
        """Whether it stands on the agent's screen, and not in the knowledge base."""
        return self.id.startswith("account.")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One reply in its context: all that a reader or grader may look at.

    `context` holds the turns before the reply, oldest first. `stage` is given by graded data and None
    in live calls, where the reader finds it.
    """

    language: Language
    context: tuple[Turn, ...]
    reply: str
    evidence: tuple[Evidence, ...] = ()
    stage: Stage | None = None
    direction: Direction = "inbound"

    @property
    def heard(self) -> Turn | None:
        """The customer's last turn, which the reply answers; None when the trainee opens the call."""
        return next((turn for turn in reversed(self.context) if turn.speaker == "customer"), None)

    @property
    def heard_text(self) -> str:
        """What the customer said last; empty when the trainee opens the call."""
        return self.heard.text if self.heard else ""
