"""Messages for models, made from what was said and from directives. The only place with chat roles.

`compact_*` is the form that the bundled decoder was trained on; the natural-language form for large
models is written from the text files beside this module. Both only ever append: what was sent for
turn n is a prefix of what is sent for turn n + 1.
"""

from __future__ import annotations

from collections.abc import Sequence


def compact_card(language: str, direction: str, temper: str, dialect: str, strength: int, name: str, age: int) -> str:
    """The bundled decoder's system message: who is on the line, in one line."""
    accent = f" {dialect}{strength}" if dialect != "none" and strength else ""
    return f"{language} {direction} {temper}{accent} {age} {name}"


def compact_turn(heard: str, act: str, feeling: tuple[int, int, int], tell: Sequence[str]) -> str:
    """The bundled decoder's user message: what the trainee said, then what the customer is to do.

    `feeling` is anger, confusion, trust as whole points; `tell` the facts to be told in this turn.
    """
    anger, confusion, trust = feeling
    facts = "; ".join(tell)
    return f"{heard}\n[{act} {anger}{confusion}{trust}]{' ' + facts if facts else ''}"
