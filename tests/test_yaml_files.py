"""Reading the files that people write: every fault with its line, and nothing that can blow up."""

from __future__ import annotations

import pydantic
import pytest

from roleplay.errors import FileFault
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
