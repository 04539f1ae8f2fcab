"""The model card of the bundled customer, with the figures that its recipe has measured."""

from __future__ import annotations

import math
from collections.abc import Mapping

_CARD = """---
language: [zh, en]
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
---
# The bundled customer

A causal language model of {parameters:.1f}M parameters (Llama architecture, 3 layers, width 256, tied
embeddings, weights in bfloat16). It was trained from scratch by `python -m roleplay.training.customer`
on nothing but this project's own texts. In the product it does not write the customer's lines: it
chooses among lines that were proposed, because at this size its own sentences are often not sound.

## Form of the prompt
Roles `system`, `user` (the trainee), `assistant` (the customer); `chat_template.jinja` makes
`<|system|>…<|end|><|trainee|>…<|end|><|customer|>…<|end|>`. The texts are those of `compact_card` and
`compact_turn` in `roleplay/prompts`. A line's score is what the call adds to its likelihood:

    weigh(messages, lines) - weigh([{{"role": "system", "content": LANGUAGE}}], lines)

with LANGUAGE `zh-CN` or `en`. The second term depends on the line alone and can be kept.

## Data
{calls} annotated calls, {lines} customer lines with slots, {replies} graded replies, and the knowledge
base. By a hash of the id 75 % train, 10 % validate, 15 % test (`roleplay/training/corpus.py`).
Tokenizer: a token for each Chinese character, English by byte pairs, bytes for what is left; {vocabulary} tokens.

## Recipe
Two things are learnt at once: next words of calls and lines, and the true next line against six false
ones of the same act and language, by the score above. Half of the attention heads start by handing on
the rare words said so far: texts as few as these do not teach a model to look back by itself. Seeds are
fixed; about an hour of one CPU core.

## Measured on the test split
Next-word loss on the customer's words: {loss:.3f} nats a token (perplexity {perplexity:.1f}).
Picking the true line among 20 of the same act and language, the other 19 from held-out calls (topped up
from held-out lines where an act is rare); chance is 0.05 and 0.15:

| turns | n | first | among the first three |
| --- | --- | --- | --- |
{rows}

Other scores on the same choices (validation split, all turns, first): {others}.

## Limits
It knows telephone service calls and nothing else; it has no facts beyond its prompt. Left to write
freely it keeps to the subject and the register for a few words, then loses the thread. English is
weaker than Chinese, dialects other than those in the corpus are unknown to it. It must not be used to
decide about people.
"""


def model_card(
    *,
    parameters: int,
    vocabulary: int,
    counts: Mapping[str, int],
    loss: float,
    choosing: Mapping[str, Mapping[str, float]],
    others: Mapping[str, float],
) -> str:
    """The text of README.md. `choosing` as of `summary`, `others` the share of first places by score."""
    rows = [f"| {name} | {row['n']:.0f} | {row['top1']:.3f} | {row['top3']:.3f} |" for name, row in choosing.items()]
    return _CARD.format(
        parameters=parameters / 1e6,
        vocabulary=vocabulary,
        **counts,
        loss=loss,
        perplexity=math.exp(loss),
        rows="\n".join(rows),
        others=", ".join(f"{name} {share:.3f}" for name, share in others.items()),
    )
