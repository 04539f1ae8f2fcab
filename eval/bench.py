"""How fast the product is on this machine: `python -m eval bench [--quick] [--json FILE]`.

Every figure stands beside the plain way of doing the same in the same run: a transformers pipeline that
reads the whole chat again at every turn, or a forward pass for every option by itself.
"""

from __future__ import annotations

import json as json_files
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from roleplay.models import Message, Sampling

TOKENS = 24  # of an answer: what the customer usually says
SAYS = "我这个月话费怎么多了八十多块，麻烦您给我查一下。"
ASKS = "好的，您别着急，我马上为您核实这个月的账单，请您稍等。\n[press 212]"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure: `run` does the work once and returns the figure, `plain` likewise the plain way."""

    name: str
    unit: str
    run: Callable[[], float]
    plain: Callable[[], float] | None = None


def measure(measurement: Measurement, times: int) -> dict[str, Any]:
    """The median and 95th percentile of `times` runs, after one that is not counted."""
    measurement.run()
    figures = sorted(measurement.run() for _ in range(times))
    plain = None
    if measurement.plain is not None:
        measurement.plain()
        plain = statistics.median(measurement.plain() for _ in range(times))
    return {
        "unit": measurement.unit,
        "median": statistics.median(figures),
        "p95": figures[min(len(figures) - 1, round(0.95 * len(figures)))],
        "plain_median": plain,
    }


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def chat(turns: int) -> list[Message]:
    """A call up to the trainee's turn number `turns`, in the bundled customer's form."""
    messages: list[Message] = [{"role": "system", "content": "zh-CN inbound angry 46 刘桂霞"}]
    for turn in range(turns):
        messages.append({"role": "user", "content": f"{turn + 1}。{ASKS}"})
        messages.append({"role": "assistant", "content": SAYS})
    return messages[:-1]


def customer_measurements() -> list[Measurement]:
    """Speaking and weighing with the bundled customer."""
    import torch
    from transformers import pipeline

    from roleplay.models.making import BUNDLED, make_model

    model = make_model("bundled")
    plain: Any = pipeline("text-generation", model=str(BUNDLED), device="cpu", dtype=torch.float32)
    greedy = Sampling(max_tokens=TOKENS, temperature=0.0)

    def answer(turns: int) -> float:
        """The answer of a turn while the cache still holds the turn before, as in a call."""
        for _ in model.stream(chat(turns - 1), greedy):
            pass
        return seconds(lambda: list(model.stream(chat(turns), greedy)))

    def plain_answer(turns: int, tokens: int = TOKENS) -> float:
        settings = {"max_new_tokens": tokens, "do_sample": False, "return_full_text": False}
        return seconds(lambda: plain(chat(turns), **settings))

    def first() -> float:
        stream = model.stream(chat(4), greedy)
        for _ in model.stream(chat(3), greedy):
            pass
        took = seconds(lambda: next(stream))
        stream.close()  # type: ignore[attr-defined]
        return took

    def rate(generate: Callable[[], object]) -> float:
        took = seconds(generate)
        return spoken / took

    long = Sampling(max_tokens=96, temperature=1.0, seed=3)
    spoken = len(plain.tokenizer("".join(model.stream(chat(2), long)), add_special_tokens=False)["input_ids"])
    settings = {"min_new_tokens": spoken, "max_new_tokens": spoken, "do_sample": True, "temperature": 1.0}
    options = [f"{SAYS}{n}" for n in range(20)]
    return [
        Measurement("first_token", "s", first, lambda: plain_answer(4, 1)),
        Measurement(
            "tokens_per_second",
            "tokens/s",
            lambda: rate(lambda: list(model.stream(chat(2), long))),
            lambda: rate(lambda: plain(chat(2), **settings)),
        ),
        Measurement("turn_2", "s", lambda: answer(2), lambda: plain_answer(2)),
        Measurement("turn_10", "s", lambda: answer(10), lambda: plain_answer(10)),
        Measurement("weigh", "s", lambda: _weigh(model, options), lambda: _weigh_plainly(plain, options)),
    ]


def _weigh(model: Any, options: Sequence[str]) -> float:
    for _ in model.stream(chat(3), Sampling(max_tokens=1)):
        pass
    return seconds(lambda: model.weigh(chat(4), options))


def _weigh_plainly(plain: Any, options: Sequence[str]) -> float:
    import torch

    def one(option: str) -> Any:
        said: list[Any] = [*chat(4), {"role": "assistant", "content": option}]
        ids = plain.tokenizer.apply_chat_template(said, return_tensors="pt", return_dict=True)["input_ids"]
        with torch.inference_mode():
            return plain.model(ids).logits.log_softmax(-1)

    return seconds(lambda: [one(option) for option in options])


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures to this file")] = None,
    quick: Annotated[bool, typer.Option(help="3 runs of each instead of 15")] = False,
) -> None:
    """Measure how long the customer takes to answer and to choose, beside the plain way."""
    figures = {}
    for measurement in customer_measurements():
        figures[measurement.name] = found = measure(measurement, 3 if quick else 15)
        plain = "" if found["plain_median"] is None else f"   plain {found['plain_median']:.3f}"
        typer.echo(
            f"{measurement.name:18} median {found['median']:.3f}  p95 {found['p95']:.3f}{plain} {measurement.unit}"
        )
    if json is not None:
        json.write_text(json_files.dumps(figures, indent=1) + "\n", "utf-8")
