"""A YAML text is changed where it differs, and nowhere else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from roleplay.yaml_files import parse_yaml
from roleplay.yaml_patch import comments_lost, patched, same

TEXT = """\
# who it is
id: zh-one  # never changed
title: 多扣的十五块
topics: [bill, refund]
call:
  reason: 要退钱
  # in this order
  facts:
    - id: amount   # what it is about
      text: 每月15元
      say:
        - 十五块
        - 多扣了我十五块
    # of the months
    - id: months
      text: 三个月
  goals:
    - {id: refund, text: 退回来}
"""


def changed(**edits: Any) -> Any:
    data = copy.deepcopy(parse_yaml(TEXT, "x")[0])
    for place, value in edits.items():
        *path, last = place.split("__")
        part = data
        for name in path:
            part = part[int(name)] if name.isdigit() else part[name]
        if value is None:
            del part[int(last) if last.isdigit() else last]
        elif isinstance(part, list):
            part[int(last) :] = [*value, *part[int(last) :]]
        else:
            part[last] = value
    return data


@pytest.mark.parametrize(("edits", "lines"), [
    ({"title": "新的：标题 # 不是注释"}, 1),
    ({"title": "两行\n第二行"}, 1),
    ({"topics": ["bill", "plan, b"]}, 1),
    ({"call__facts__0__text": "5"}, 1),
    ({"call__facts__0__say": ["十五块", "别的说法", "多扣了我十五块"]}, 1),
    ({"call__facts__0__say": None}, 3),
    ({"call__facts__1__say": ["三个月了"]}, 2),
    ({"call__facts__1": [{"id": "new", "text": "插进来的"}]}, 2),
    ({"call__facts__1": None}, 2),
    ({"call__goals__0__text": "全退"}, 1),
    ({"difficulty": 3}, 1),
])  # fmt: skip
def test_only_the_lines_that_differ_are_touched(edits: dict[str, Any], lines: int) -> None:
    want = changed(**edits)
    made = patched(TEXT, want)
    assert same(parse_yaml(made, "x")[0], want)
    assert comments_lost(TEXT, made) == 0
    before, after = TEXT.splitlines(), made.splitlines()
    assert len([line for line in after if line not in before]) + len([x for x in before if x not in after]) <= 2 * lines


def test_a_list_in_another_order_keeps_its_data_and_lost_comments_are_counted() -> None:
    want = changed()
    want["call"]["facts"].reverse()
    made = patched(TEXT, want)
    assert same(parse_yaml(made, "x")[0], want)
    assert comments_lost(TEXT, patched(TEXT, changed(call__facts__0=None))) == 1


def test_the_first_key_goes_and_comes_without_the_comments_of_the_others() -> None:
    without = patched(TEXT, changed(id=None))
    assert "# who it is" in without and comments_lost(TEXT, without) == 1  # the one in its own line
    assert len(set(TEXT.splitlines()) - set(without.splitlines())) == 1
    again = patched(without, changed(id=None) | {"id": "zh-two"})
    assert comments_lost(without, again) == 0 and again.endswith("id: zh-two\n")


def test_signs_beyond_the_first_plane_move_no_edit() -> None:
    text = TEXT.replace("who it is", "who 😀 it 🧓🏽 is").replace("多扣的", "多扣的😀")
    want = parse_yaml(text, "x")[0] | {"topics": ["plan😀"]}
    assert patched(text, want) == text.replace("[bill, refund]", "[plan😀]")


def test_what_is_taken_away_with_its_first_key_leaves_sound_yaml() -> None:
    want = changed(call__facts__0={"say": ["x"], "text": "y"})
    want["call"]["facts"] = [{"text": "y", "say": ["x"]}]
    assert same(parse_yaml(patched(TEXT, want), "x")[0], want)
    assert patched(TEXT, changed()) is TEXT


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | st.text("ab 多:#-'\"\n,[]{}5", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("abcde"), values, min_size=1), st.dictionaries(st.sampled_from("abcde"), values, min_size=1),
       st.booleans())  # fmt: skip
def test_whatever_was_there_the_result_says_what_was_wanted(have: Any, want: Any, flow: bool) -> None:
    text = yaml.safe_dump(have, default_flow_style=None if flow else False, allow_unicode=True, sort_keys=False)
    assert same(parse_yaml(patched(text, want), "x")[0], want)


def test_every_shipped_customer_can_be_changed_in_one_place() -> None:
    root = Path(__file__).parent.parent / "personas"
    for path in sorted(root.rglob("*.yaml"))[::6]:
        text = path.read_text("utf-8")
        want = parse_yaml(text, path)[0]
        want["call"]["facts"][-1]["text"] = "改过的一句"
        want["title"] = "另一个标题"
        made = patched(text, want)
        assert same(parse_yaml(made, path)[0], want)
        assert len(set(made.splitlines()) - set(text.splitlines())) == 2, path
