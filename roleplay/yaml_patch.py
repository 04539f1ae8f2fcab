"""The text of a YAML file made to say something else: only what differs is written anew, comments stay where they are.

Knows nothing of what the file means. What `parse_yaml` reads from the result is exactly what was wanted.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import yaml

from roleplay.errors import FileFault
from roleplay.yaml_files import Loader, parse_yaml

WIDE = 10**6  # characters of a line before it is broken: never
FLOW = 110  # characters up to which what stood in one line stays in one
COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)

Edit = tuple[int, int, str]  # the characters from start to end give way to a text


class _Dumper(yaml.SafeDumper):
    """Lists inside mappings are indented, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def patched(text: str, wanted: Any) -> str:
    """`text` changed so that its data is `wanted`, with as few lines touched as can be.

    Raises FileFault when `text` is no YAML. Where a place cannot be changed by itself the whole is written anew,
    without comments: `comments_lost` tells.
    """
    have = parse_yaml(text, "text")[0]
    if same(have, wanted):
        return text
    whole = text if text.endswith("\n") else text + "\n"
    edits: list[Edit] = []
    node = yaml.compose(whole, Loader=Loader)
    assert node is not None  # an empty text is refused above
    _patch(node, have, wanted, whole, edits)
    made = whole
    for start, end, new in sorted(edits, reverse=True):
        made = made[:start] + new + made[end:]
    try:
        if same(parse_yaml(made, "text")[0], wanted):
            return made
    except FileFault:
        pass  # what came out is no YAML: the whole is written anew
    return _block(wanted, 0)


def comments(text: str) -> list[str]:
    """The comments of a text, in their order."""
    bare = list(text)
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            for at in range(token.start_mark.index, token.end_mark.index):
                bare[at] = bare[at] if bare[at] == "\n" else "x"
    return [found.strip() for found in COMMENT.findall("".join(bare))]


def comments_lost(before: str, after: str) -> int:
    """How many comments of a text the other no longer has."""
    return sum((Counter(comments(before)) - Counter(comments(after))).values())


def same(one: Any, other: Any) -> bool:
    """Equal in kind too: 1, 1.0, true and "1" are four values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _patch(node: yaml.Node, have: Any, want: Any, text: str, edits: list[Edit]) -> None:
    if same(have, want):
        return
    if isinstance(node, yaml.MappingNode) and isinstance(want, dict) and want and not node.flow_style:
        kept = [key for key in have if key in want]
        at = node.start_mark.index
        first = next(iter(have)) in want or not text[_line_start(text, at) : at].strip()  # no dash stands before it
        if kept and kept == [key for key in want if key in have] and first:
            _patch_mapping(node, have, want, text, edits)
            return
    if isinstance(node, yaml.SequenceNode) and isinstance(want, list) and want and not node.flow_style:
        _patch_sequence(node, have, want, text, edits)
        return
    _replace(node, want, text, edits)


def _patch_mapping(node: yaml.MappingNode, have: dict, want: dict, text: str, edits: list[Edit]) -> None:
    """Keys that stay are changed in place, others cut out, new ones put behind the key before them."""
    places = dict(zip(have, node.value, strict=True))
    for key, (name, value) in places.items():
        if key not in want:
            edits.append((_line_start(text, name.start_mark.index), _after(text, _end(value)), ""))
        elif not same(have[key], want[key]):
            if _inline(value) or _inline(want[key]) or isinstance(value, yaml.ScalarNode):
                _pair(name, value, want[key], text, edits)
            else:
                _patch(value, have[key], want[key], text, edits)
    indent, before = node.start_mark.column, next(iter(have))
    new: dict[str, dict] = {}
    for key in want:
        if key in have:
            before = key
        else:
            new.setdefault(before, {})[key] = want[key]
    for before, items in new.items():
        at = _after(text, _end(places[before][1]))
        edits.append((at, at, _block(items, indent)))


def _pair(name: yaml.Node, value: yaml.Node, want: Any, text: str, edits: list[Edit]) -> None:
    """A value changes together with its key's line: from one line into several, or the other way round."""
    if isinstance(value, yaml.ScalarNode) and not isinstance(want, dict | list) and value.style not in ("|", ">"):
        space = "" if text[value.start_mark.index - 1 : value.start_mark.index] in (" ", "\n") else " "
        edits.append((value.start_mark.index, value.end_mark.index, space + _scalar(want)))
        return
    short = _flow(want)
    if _inline(value) and not isinstance(value, yaml.ScalarNode) and len(short) <= FLOW:
        edits.append((value.start_mark.index, value.end_mark.index, short))
        return
    indent = name.start_mark.column
    made = _block({yaml.safe_load(text[name.start_mark.index : name.end_mark.index]): want}, indent)
    edits.append((name.start_mark.index, _after(text, _end(value)), made[indent:]))


def _patch_sequence(node: yaml.SequenceNode, have: list, want: list, text: str, edits: list[Edit]) -> None:
    """Items are known again by their id, else by what they say."""
    match = difflib.SequenceMatcher(None, _names(have, want), _names(want, have), autojunk=False)
    indent = text.rfind("-", 0, node.value[0].start_mark.index) - _line_start(text, node.value[0].start_mark.index)
    for kind, start, end, first, last in match.get_opcodes():
        if kind == "equal" or (kind == "replace" and end - start == last - first):
            for old, new in zip(range(start, end), range(first, last), strict=True):
                _patch(node.value[old], have[old], want[new], text, edits)
            continue
        for old in range(start, end):
            edits.append((_line_start(text, node.value[old].start_mark.index), _after(text, _end(node.value[old])), ""))
        if last > first:
            at = _line_start(text, node.value[0].start_mark.index)
            if start:
                at = _after(text, _end(node.value[start - 1]))
            edits.append((at, at, _block(want[first:last], indent)))


def _replace(node: yaml.Node, want: Any, text: str, edits: list[Edit]) -> None:
    """A whole value: in one line if it stood in one, else as a block of the same indentation."""
    short = _flow(want)
    if _inline(node) and (not isinstance(want, dict | list) or len(short) <= FLOW):
        in_flow = not isinstance(want, dict | list)
        edits.append((node.start_mark.index, node.end_mark.index, _scalar(want) if in_flow else short))
        return
    indent = node.start_mark.column
    made = _block(want, indent) if isinstance(want, dict | list) and want else " " * indent + _flow(want) + "\n"
    edits.append((node.start_mark.index, _after(text, _end(node)), made[indent:]))


def _names(items: list, others: list) -> list[str]:
    """What items are known by: their ids, where all of both lists have one of their own."""
    for each in (items, others):
        ids = [item.get("id") if isinstance(item, dict) else None for item in each]
        if None in ids or len(set(map(str, ids))) < len(ids):
            return [repr(item) for item in items]
    return [str(item["id"]) for item in items]


def _inline(node: Any) -> bool:
    """Whether a value stands in its key's line."""
    if isinstance(node, yaml.ScalarNode):
        return node.style not in ("|", ">")
    if isinstance(node, yaml.CollectionNode):
        return bool(node.flow_style)
    return not isinstance(node, dict | list) or not node


def _end(node: yaml.Node) -> int:
    """Where the last character of a value stands; marks of blocks point at whatever comes next."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _after(text: str, at: int) -> int:
    """The start of the line behind the one that ends at or after `at`."""
    if at and text[at - 1] == "\n":  # a block of text ends with its line
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _scalar(value: Any) -> str:
    """One value as it may stand anywhere, also between brackets."""
    return _flow([value])[1:-1]


def _flow(value: Any) -> str:
    lines = (isinstance(value, str) and "\n" in value) or (isinstance(value, list) and _broken(value))
    return yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, default_style='"' if lines else None, allow_unicode=True,
        width=WIDE, sort_keys=False,
    ).removesuffix("\n").removesuffix("\n...")  # fmt: skip


def _broken(values: Sequence[Any]) -> bool:
    return any(isinstance(value, str) and "\n" in value for value in values)


def _block(value: Any, indent: int) -> str:
    made = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=WIDE, sort_keys=False, indent=2
    )
    return "".join(" " * indent + line if line.strip() else line for line in made.splitlines(keepends=True))
