"""Gradio's page, with what a handler did not name left alone.

Handlers here may change any part of the page and name only those that they do change. Gradio makes every other
one anew for each answer and each piece of a stream: forty components, some 50 ms, on the one thread that serves
everybody. With twenty people that was two thirds of the program's work.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block, BlockFunction
from gradio.state_holder import SessionState


class Page(gr.Blocks):
    """`gr.Blocks` that handles of a handler's dict only the components in it."""

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list | dict, state: SessionState | None
    ) -> list[Any]:
        if not isinstance(predictions, dict) or not all(isinstance(part, Block) for part in predictions):
            return await super().postprocess_data(block_fn, predictions, state)
        named = copy(block_fn)
        named.outputs = [part for part in block_fn.outputs if part in predictions]
        if unknown := set(predictions) - set(named.outputs):
            raise ValueError(f"{block_fn.name} has changed what is none of its outputs: {unknown}")
        values = [predictions[part] for part in named.outputs]
        changed = await super().postprocess_data(named, values[0] if len(values) == 1 else values, state)
        sent = dict(zip(named.outputs, changed, strict=True))
        return [sent.get(part, gr.skip()) for part in block_fn.outputs]
