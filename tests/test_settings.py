from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from roleplay.errors import FileFault, Rejected
from roleplay.settings import Settings, data_folder, load_settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_any_source_everything_is_bundled_and_only_this_machine_is_served():
    settings = load_settings()
    assert (settings.model, settings.grader, settings.embedder) == ("bundled", "bundled", "bundled")
    assert settings.host == "127.0.0.1"
    assert settings.database_url == f"sqlite:///{settings.data}/records.db"


def test_flags_win_over_the_environment_which_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / "roleplay.toml").write_text('port = 1\nlanguage = "en"\ndevice = "cpu"\n')
    monkeypatch.setenv("ROLEPLAY_PORT", "2")
    monkeypatch.setenv("ROLEPLAY_LANGUAGE", "zh-CN")
    settings = load_settings(port=3, language=None)
    assert (settings.port, settings.language, settings.device) == (3, "zh-CN", "cpu")


def test_the_file_may_lie_elsewhere_and_its_paths_count_from_there(tmp_path, monkeypatch):
    (tmp_path / "firm").mkdir()
    (tmp_path / "firm" / "own.toml").write_text('personas = ["people", "more"]\ndata = "kept"\n')
    monkeypatch.setenv("ROLEPLAY_CONFIG", "firm/own.toml")
    monkeypatch.delenv("ROLEPLAY_DATA")
    settings = load_settings()
    assert settings.personas == (tmp_path / "firm/people", tmp_path / "firm/more")
    assert settings.data == tmp_path / "firm/kept"


def test_paths_in_the_environment_and_flags_count_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ROLEPLAY_KNOWLEDGE", "a:b")
    settings = load_settings(personas=["c"])
    assert settings.knowledge == (tmp_path / "a", tmp_path / "b")
    assert settings.personas == (tmp_path / "c",)


def test_a_wrong_variable_is_refused_with_its_name_value_and_what_would_do(monkeypatch):
    monkeypatch.setenv("ROLEPLAY_PORT", "eighty")
    with pytest.raises(Rejected, match=r"ROLEPLAY_PORT: 'eighty' will not do; .*1 to 65535"):
        load_settings()


def test_a_wrong_variable_is_refused_even_when_a_flag_would_win(monkeypatch):
    monkeypatch.setenv("ROLEPLAY_DEVICE", "gpu")
    with pytest.raises(Rejected, match="ROLEPLAY_DEVICE: 'gpu' will not do"):
        load_settings(device="cpu")


def test_a_wrong_flag_is_refused_by_the_name_that_was_typed():
    with pytest.raises(Rejected, match="--customer-way: 'sing' will not do"):
        load_settings(customer_way="sing")


def test_every_wrong_line_of_the_file_is_named(tmp_path):
    lines = ["# ours", "port = 99999", 'modle = "bundled"', 'language = "en"', "keep_days = -1"]
    (tmp_path / "roleplay.toml").write_text("\n".join(lines))
    with pytest.raises(FileFault) as caught:
        load_settings()
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [(2, "port"), (3, "modle"), (5, "keep_days")]
    assert "is model meant?" in str(caught.value)


def test_a_mistyped_variable_is_not_ignored(monkeypatch):
    monkeypatch.setenv("ROLEPLAY_GRADR", "bundled")
    with pytest.raises(Rejected, match=r"ROLEPLAY_GRADR: there is no such setting; is grader meant\?"):
        load_settings()


@pytest.mark.parametrize("text", ["port = ", "port = 1\nport = 2\n"])
def test_a_file_that_is_not_toml_is_refused(tmp_path, text):
    (tmp_path / "roleplay.toml").write_text(text)
    with pytest.raises(FileFault, match="is not TOML"):
        load_settings()


def test_a_named_file_that_is_missing_is_refused():
    with pytest.raises(FileFault, match=r"gone\.toml: cannot be read: No such file"):
        load_settings(config="gone.toml")


@pytest.mark.parametrize("spec", ["bundled", "hf:./mine", "openai:http://127.0.0.1:8000/v1#big", "scripted:a.jsonl"])
def test_a_model_is_named_by_its_spec(spec):
    assert load_settings(model=spec).model == spec


@pytest.mark.parametrize("spec", ["", "big", "hf:", "openai:127.0.0.1:8000#big", "openai:http://127.0.0.1:8000/v1"])
def test_a_wrong_spec_is_refused_with_the_forms_that_there_are(spec):
    with pytest.raises(Rejected, match="hf:NAME-OR-FOLDER"):
        load_settings(model=spec)


def test_secrets_are_shown_neither_in_the_settings_nor_in_an_error(monkeypatch):
    settings = load_settings(api_key="sesame", database="postgresql://anna:sesame@db/calls")
    assert settings.api_key.get_secret_value() == "sesame"
    assert "sesame" not in repr(settings)
    monkeypatch.setenv("ROLEPLAY_DATABASE", "mysql://anna:sesame@db/calls")
    with pytest.raises(Rejected) as caught:
        load_settings()
    assert "sesame" not in str(caught.value)
    assert "postgresql://" in str(caught.value)


DEFAULTS = {  # of those that are worked out when they are needed
    "personas": "`personas` in the working folder, else the shipped ones",
    "knowledge": "`knowledge_base` in the working folder, else the shipped one",
    "data": "`~/.local/share/roleplay`, or where the system keeps a user's data",
}


def settings_table() -> str:
    """The table of docs/settings.md, made from the settings themselves."""
    rows = ["| Setting | Variable | Default | What it is, and what will do |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.get_default() if name not in DEFAULTS else None
        plain = default.get_secret_value() if isinstance(default, SecretStr) else default
        shown = DEFAULTS.get(name) or (f"`{plain}`" if plain not in ("", ()) else "none")
        about = (field.description or "").replace("|", "\\|").replace(repr(os.pathsep), "`:`")
        rows.append(f"| `{name}` | `ROLEPLAY_{name.upper()}` | {shown} | {about} |")
    return "\n".join(rows)


def test_the_page_about_settings_names_every_one_as_it_is():
    page = Path(__file__).parent.parent / "docs" / "settings.md"
    assert settings_table() in page.read_text(encoding="utf-8"), f"put this into {page}:\n{settings_table()}"


@pytest.mark.skipif(sys.platform != "linux", reason="the folder has another place on other systems")
def test_data_lies_where_the_system_keeps_a_users_data(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert data_folder() == tmp_path / "share/roleplay"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder() == Path(tmp_path, ".local/share/roleplay")
