"""Words in a person's voice, as persona files and the lists of `prompts` hold them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from roleplay.conditions import Strict, fits


class Line(Strict):
    """A wording in the persona's voice; `gloss` is the same line in standard language."""

    text: str = Field(min_length=1, max_length=300)
    gloss: str = ""


def as_line(value: Any) -> Any:
    """A plain text stands for a line without a gloss."""
    return {"text": value} if isinstance(value, str) else value


Wording = Annotated[Line, BeforeValidator(as_line)]
Id = Annotated[str, fits(r"[a-z0-9][a-z0-9_-]{0,60}", "must be small letters, digits, - and _ without spaces")]
