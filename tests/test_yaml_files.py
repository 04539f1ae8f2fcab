"""Reading the files that people write: every fault with its line, and nothing that can blow up."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
import pytest

from roleplay.conditions import fits
from roleplay.errors import FileFault
from roleplay.texts import translated
from roleplay.yaml_files import read_yaml, validate


class Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    name: str
    size: int | None = None


class Whole(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    title: str
    parts: list[Part] = []


def write(tmp_path, text):
    path = tmp_path / "file.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def faults(tmp_path, text, **options):
    with pytest.raises(FileFault) as caught:
        read_yaml(write(tmp_path, text), **options)
    return caught.value.faults


def test_every_field_has_its_line(tmp_path):
    data, lines = read_yaml(write(tmp_path, "title: 星桥\nparts:\n- name: a\n  size: 1\n- name: b\n"))
    assert data == {"title": "星桥", "parts": [{"name": "a", "size": 1}, {"name": "b"}]}
    assert lines["title"] == 1 and lines["parts.0"] == 3 and lines["parts.0.size"] == 4 and lines["parts.1.name"] == 5


def test_every_wrong_field_is_named_with_its_line(tmp_path):
    path = write(tmp_path, "titel: x\nparts:\n- name: a\n  size: big\n- nam: b\n")
    data, lines = read_yaml(path)
    with pytest.raises(FileFault) as caught:
        validate(Whole, data, lines, path)
    found = {(fault.line, fault.field) for fault in caught.value.faults}
    assert found == {(1, "title"), (1, "titel"), (4, "parts.0.size"), (5, "parts.1.nam"), (5, "parts.1.name")}


def test_a_key_given_twice_is_refused_with_its_second_line(tmp_path):
    (fault,) = faults(tmp_path, "title: a\nparts: []\ntitle: b\n")
    assert fault.line == 3 and fault.field == "title"


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "anchors and aliases" in faults(tmp_path, bomb)[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a: [1\n", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: !!python/object/apply:os.system [ls]\n", "not YAML"),
        ("a: 2026-13-41\n", "cannot be read"),
        ("[" * 500, "nested deeper"),
        ("? [a]\n: b\n", "plain text"),
        ("a\x00b: 1", "not YAML"),
        ("title: 星桥".encode("gbk"), "UTF-8"),
    ],
)
def test_what_is_not_plain_yaml_is_a_file_fault(tmp_path, text, message):
    assert message in faults(tmp_path, text)[0].message


def test_a_file_that_is_too_big_or_missing_is_a_file_fault(tmp_path):
    assert "more than" in faults(tmp_path, "a: 1\n" * 100, max_bytes=50)[0].message
    with pytest.raises(FileFault, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")


class Thing(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    colour: Literal["red", "green"] = "red"
    age: int = pydantic.Field(3, ge=1, le=9)
    share: float = pydantic.Field(0.5, ge=0)
    active: bool = False
    name: str = pydantic.Field("a", min_length=1, max_length=5)
    tags: tuple[str, ...] = pydantic.Field(("a",), min_length=1, max_length=2)
    one_or_more: Literal["x", "y"] | tuple[Literal["x", "y"], ...] = "x"
    day: datetime.date | None = None
    code: Annotated[str, fits("[a-z]+", "must be small letters")] = "a"
    limits: Mapping[Literal["low", "high"], float] = {}
    parts: list[Part] = []


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("colour: gren", "colour", "must be one of red, green (found 'gren'; is green meant?)"),
        ("age: old", "age", "must be a whole number from 1 to 9 (found 'old')"),
        ("age: 10", "age", "must be a whole number from 1 to 9 (found 10)"),
        ("age: 2.5", "age", "must be a whole number from 1 to 9 (found 2.5)"),
        ("share: -1", "share", "must be a number, 0 or more (found -1)"),
        ("share: [1]", "share", "must be a number, 0 or more (found a list)"),
        ("active: perhaps", "active", "must be true or false (found 'perhaps')"),
        ("name: 5", "name", "must be text; put a number or a date in quotes (found 5)"),
        ("name: ''", "name", "must not be empty"),
        ("name: abcdefg", "name", "must have at most 5 characters; it has 7"),
        ("tags: []", "tags", "must not be empty"),
        ("tags: [a, b, c]", "tags", "must have at most 2 items; it has 3"),
        ("tags: a", "tags", "must be a list (found 'a')"),
        ("tags:", "tags", "must be a list (found nothing)"),
        ("one_or_more: z", "one_or_more", "must be one of x, y (found 'z')"),
        ("one_or_more: [x, z]", "one_or_more.1", "must be one of x, y (found 'z')"),
        ("day: soon", "day", "must be a date such as 2026-03-01 (found 'soon')"),
        ("code: A1", "code", "must be small letters (found 'A1')"),
        ("on: x", "", "a key must be text: put it in quotes (found true)"),
        ("limits: {lower: 1}", "limits.lower", "must be one of low, high (found 'lower'; is low meant?)"),
        ("limits: {low: much}", "limits.low", "must be a number (found 'much')"),
        ("parts: [a]", "parts.0", "must be `name: value` lines (found 'a')"),
        ("parts: [{size: 1}]", "parts.0.name", "is missing"),
        ("parts: [{nam: a, name: b}]", "parts.0.nam", "unknown key; is name meant?"),
        ("parts: [{x: a, name: b}]", "parts.0.x", "unknown key; there are: name, size"),
    ],
)
def test_a_wrong_field_is_told_once_in_plain_words_with_what_is_allowed(tmp_path, text, field, message):
    path = write(tmp_path, text)
    with pytest.raises(FileFault) as caught:
        validate(Thing, *read_yaml(path), path)
    assert [(fault.field, fault.message) for fault in caught.value.faults] == [(field, message)]
    assert translated(message, "zh-CN") or field == "code"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "a colon too many"),
        ("a: [1, 2\nb: 3", "bracket is not closed"),
        ("a: 'x\nb: 1", "quote is not closed"),
        ("a: 1\n\tb: 2", "tab"),
        ("a:\n  - 1\n b: 2", "indentation"),
        ("a: 1\nb\nc: 2", "colon is missing"),
    ],
)
def test_what_is_wrong_with_the_yaml_is_told_in_plain_words(tmp_path, text, message):
    (fault,) = faults(tmp_path, text)
    assert message in fault.message and fault.line and translated(fault.message, "zh-CN")
