"""What pydantic finds wrong with files that people write, in plain words: what is wrong, and what would do.

Does not know what the files mean: what a field allows is looked up in the model that it was checked against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic

Place = Sequence[int | str]  # keys and numbers, and between them names of the kinds that were tried
Kind = tuple[Any, tuple[Any, ...]]  # a type, and the rules that stand beside it

WHOLE, NUMBER, LIST, LINES = (
    "must be a whole number",
    "must be a number",
    "must be a list",
    "must be `name: value` lines",
)
SAID = {
    "missing": "is missing",
    "invalid_key": "a key must be text: put it in quotes",
    "int_type": WHOLE, "int_parsing": WHOLE, "int_from_float": WHOLE,
    "float_type": NUMBER, "float_parsing": NUMBER, "finite_number": NUMBER,
    "bool_type": "must be true or false", "bool_parsing": "must be true or false",
    "string_type": "must be text; put a number or a date in quotes",
    "tuple_type": LIST, "list_type": LIST, "dict_type": LINES, "mapping_type": LINES, "model_type": LINES,
    "model_attributes_type": LINES,
    "date_type": "must be a date such as 2026-03-01", "date_parsing": "must be a date such as 2026-03-01",
    "date_from_datetime_parsing": "must be a date such as 2026-03-01",
    "date_from_datetime_inexact": "must be a date such as 2026-03-01",
}  # fmt: skip
BOUNDS = {"ge": "{:g} or more", "le": "{:g} or less", "gt": "more than {:g}", "lt": "less than {:g}"}
LONGEST = 60  # characters of what was found that are shown


def explained(problem: Mapping[str, Any], model: Any) -> tuple[Place, str]:
    """The place of one problem of a ValidationError, and its words: what is wrong, allowed, and found.

    A validator of a whole part names the field that it means before a colon.
    """
    place, message = problem["loc"], _message(problem, model)
    name, colon, rest = message.partition(": ")
    if problem["type"] == "value_error" and colon and name in _keys(model, place):
        return (*place, name), rest
    return place, message


def _message(problem: Mapping[str, Any], model: Any) -> str:
    kind, given, limits = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(problem["loc"][-1]), list(_keys(model, problem["loc"][:-1])))
    if kind in ("string_too_short", "string_too_long", "too_short", "too_long"):
        return _length(kind, given, limits)
    if kind == "literal_error":
        names = str(limits["expected"]).replace(" or ", ", ").replace("'", "")
        near = get_close_matches(str(given), names.split(", "), n=1)
        return f"must be one of {names} (found {_found(given)}" + (f"; is {near[0]} meant?)" if near else ")")
    message = SAID.get(kind, str(problem["msg"]).removeprefix("Value error, "))
    if kind.startswith(("greater_than", "less_than", "int_", "float_")):
        message = _number(limits, list(_kinds(model, (), problem["loc"])))
    whole = kind == "missing" or (kind == "value_error" and isinstance(given, Mapping | list | tuple))
    return message if whole else f"{message} (found {_found(given)})"


def _number(limits: Mapping[str, Any], kinds: list[Kind]) -> str:
    """What a number of these kinds must be; `limits` holds the bound that it breaks."""
    rules = [rule for _, rules in kinds for rule in rules]
    bounds = {name: bound for rule in rules for name in BOUNDS if (bound := getattr(rule, name, None)) is not None}
    known = bounds | {name: limits[name] for name in BOUNDS if name in limits}
    shape = WHOLE if any(kind is int for kind, _ in kinds) else NUMBER
    if {"ge", "le"} <= known.keys():
        return f"{shape} from {known['ge']:g} to {known['le']:g}"
    return next((f"{shape}, {words.format(known[name])}" for name, words in BOUNDS.items() if name in known), shape)


def _length(kind: str, given: Any, limits: Mapping[str, Any]) -> str:
    what = "characters" if kind.startswith("string") else "items"
    if kind.endswith("long"):
        return f"must have at most {limits['max_length']} {what}; it has {len(given)}"
    least = limits["min_length"]
    return "must not be empty" if least == 1 else f"must have at least {least} {what}; it has {len(given)}"


def _unknown(name: str, keys: list[str]) -> str:
    near = get_close_matches(name, keys, n=1)
    hint = f"; is {near[0]} meant?" if near else f"; there are: {', '.join(keys)}" if keys else ""
    return f"unknown key{hint}"


def _found(given: Any) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, list | tuple):
        return "a list"
    if isinstance(given, Mapping):
        return "`name: value` lines"
    text = str(given).lower() if isinstance(given, bool) else repr(given) if isinstance(given, str) else str(given)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "…"


def _keys(model: Any, place: Place) -> Iterator[str]:
    """The keys that the part at a place may have."""
    for kind, _ in _kinds(model, (), place):
        if _is_model(kind):
            yield from (info.alias or name for name, info in kind.model_fields.items())


def _kinds(kind: Any, rules: tuple[Any, ...], place: Place) -> Iterator[Kind]:
    """The types that may stand at a place inside a type, each with its rules."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _kinds(args[0], (*rules, *args[1:]), place)
    elif origin in (Union, UnionType):
        for each in args:
            yield from _kinds(each, rules, place)
    elif not place:
        yield kind, rules
    elif _is_model(kind) and (info := _field(kind, place[0])) is not None:
        yield from _kinds(info.annotation, tuple(info.metadata), place[1:])
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _kinds(args[1], (), place[1:])
    elif origin in (tuple, list) and isinstance(place[0], int):
        yield from _kinds(args[0], (), place[1:])
    else:  # the name of a kind that was tried
        yield from _kinds(kind, rules, place[1:])


def _field(model: type[pydantic.BaseModel], key: int | str) -> Any:
    fields = model.model_fields
    return fields.get(str(key)) or next((info for info in fields.values() if info.alias == key), None)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)
