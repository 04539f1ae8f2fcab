"""How a sentence treats the customer, and how it is put: a linear model over its pieces and the customer's line.

`heart` goes from -2, which hurts, over 0, a plain fact, to 2, which takes up what this person feels or needs;
`form` from -2, abusive, over -1, sloppy, and 0 to 1, fully professional. A sentence may be good in one and bad
in the other. Pieces as in `ngrams`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from roleplay.clauses import Piece
from roleplay.dialogue import Language
from roleplay.errors import Unavailable
from roleplay.models.encoder import BUNDLED
from roleplay.models.ngrams import NgramModel
from roleplay.reading import Tone

FILE = BUNDLED / "tone.safetensors"
LABELS = ("heart", "form")


class ToneModel:
    """One for all calls and threads; it changes nothing."""

    def __init__(self, model: NgramModel) -> None:
        self._model = model

    @classmethod
    def load(cls, path: str | Path = FILE) -> ToneModel:
        """Raises Unavailable when the file is missing."""
        if not Path(path).is_file():
            raise Unavailable("the model of tone", f"{path} does not exist", "Reinstall the package.")
        return cls(NgramModel.load(path))

    def tones(self, parts: Sequence[Piece], heard: str, language: Language) -> tuple[Tone, ...]:
        """That of each sentence of a reply, which answers the customer's `heard`."""
        found = (self._model.outputs(part.text, heard, language) for part in parts)
        return tuple(
            Tone(float(heart), float(form), part.start, part.end)
            for (heart, form), part in zip(found, parts, strict=True)
        )
