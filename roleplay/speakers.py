"""Which of the two says a line, agent or customer, by turns of phrase: for what a model has made up.

Learnt from who says what in annotated calls (`python -m roleplay.training.speakers`). Knows no meaning: a
customer who speaks as politely as an agent is taken for one now and then.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from roleplay.clauses import sentences
from roleplay.errors import Unavailable
from roleplay.models.ngrams import NgramModel

BUNDLED = Path(__file__).parent / "bundled" / "guard" / "speakers.safetensors"
LABEL = "agent"
QUOTED = re.compile(r"“[^”]*”|「[^」]*」|\"[^\"]*\"")


def own_words(text: str) -> str:
    """A line without what it quotes: a customer may say again what an agent has said."""
    return QUOTED.sub("", text)


def agent_words(text: str, language: str) -> str:
    """The sentence that sounds most like an agent's, of a line that does so beyond doubt; else nothing.

    Raises Unavailable when the bundled model is missing.
    """
    model = _model()
    heard = [(float(model.outputs(piece.text, "", language)[0]), piece.text) for piece in sentences(own_words(text))]
    return max(heard)[1] if evidence([score for score, _ in heard]) >= 1 else ""


def evidence(scores: list[float]) -> float:
    """What a line's sentences say together; from 1 on it is an agent's.

    Sentences that both could say, or that only customers say, take nothing away from the others.
    """
    return sum(score for score in scores if score > 0)


@lru_cache(maxsize=1)
def _model() -> NgramModel:
    if not BUNDLED.is_file():
        raise Unavailable(
            "the model that tells agents from customers", f"{BUNDLED} does not exist", "Reinstall the package."
        )
    return NgramModel.load(BUNDLED)
