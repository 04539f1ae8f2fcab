"""What of a model's raw output a person may see: no thinking parts, nothing from a stop string on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from roleplay.errors import Unavailable

_NAMES = "think|thinking|thought|reasoning"
_TAGS = tuple(f"<{slash}{name}>" for name in _NAMES.split("|") for slash in ("", "/"))
_BLOCK = re.compile(rf"<({_NAMES})>.*?</\1>\s*", re.DOTALL)
_OPEN = re.compile(rf"<(?:{_NAMES})>")
_OPEN_AT_END = re.compile(rf"<({_NAMES})>\s*\Z")


def opened_thinking(prompt: str) -> str:
    """The thinking tag that a chat template has opened at the end of the prompt; "" if none."""
    found = _OPEN_AT_END.search(prompt)
    return f"<{found[1]}>" if found else ""


def visible(raw: str, stop: Sequence[str] = (), ended: bool = False) -> tuple[str, bool]:
    """The part of `raw` that can be shown for certain, and whether a stop string has been reached.

    Grows only at its end while `raw` grows. Until `ended`, a tail that may become a tag or a stop
    string is held back. White space before the first word is dropped.
    """
    text = _BLOCK.sub("", raw).lstrip()
    opened = _OPEN.search(text)
    if opened:
        text = text[: opened.start()]
    cuts = [place for mark in stop if (place := text.find(mark)) >= 0]
    if cuts:
        return text[: min(cuts)], True
    if not ended and not opened:
        text = text[: len(text) - _doubtful(text, (*_TAGS, *stop))]
    return text, False


def _doubtful(text: str, marks: Sequence[str]) -> int:
    """How many characters at the end of `text` may be the beginning of one of `marks`."""
    longest = max((len(mark) for mark in marks), default=0) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in marks):
            return size
    return 0


def shown_pieces(raw: Iterable[str], name: str, stop: Sequence[str] = (), opened: str = "") -> Iterator[str]:
    """The visible pieces of a stream of raw pieces; ends at a stop string. `opened` as of `opened_thinking`.

    Raises Unavailable, with `name` for the model, when the stream ends within a thinking part and
    nothing could be shown.
    """
    text, sent = opened, 0
    for piece in raw:
        text += piece
        shown, stopped = visible(text, stop)
        if len(shown) > sent:
            yield shown[sent:]
            sent = len(shown)
        if stopped:
            return
    shown, _ = visible(text, stop, ended=True)
    if not shown and _OPEN.search(_BLOCK.sub("", text)):
        raise Unavailable(name, "it spent its whole answer thinking", "Switch thinking off or allow more tokens")
    if len(shown) > sent:
        yield shown[sent:]
