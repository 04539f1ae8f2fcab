"""A backup made while others write, brought back whole; and what is no backup is refused before anything changes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from made_class import play

from roleplay.backup import back_up, restore
from roleplay.errors import Rejected, Unavailable
from roleplay.knowledge.versions import keep_version, list_versions
from roleplay.records import Records
from roleplay.settings import Settings, load_settings

ENTRY = "entries:\n  - {id: a, language: en, product: p, question: q, answer: ANSWER}\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name, text in (("personas/zh/one.yaml", "id: one\n"), ("kb/a.yaml", ENTRY), ("rules.yaml", "rules: []\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    made = load_settings(
        data=str(tmp_path / "data"), personas=str(tmp_path / "personas"), knowledge=str(tmp_path / "kb"),
        standards=str(tmp_path / "rules.yaml"),
    )  # fmt: skip
    keep_version(made.knowledge, made.data / "knowledge" / "versions", "opened")
    return made


def everything(settings: Settings) -> tuple:
    records = Records(settings.database_url)
    calls = {row.id: [turn.text for turn in records.turns(row.id)] for row in records.calls(limit=None)}
    people = [user.name for user in records.people.all()]
    records.close()
    roots = (*settings.personas, *settings.knowledge, *settings.standards)
    files = {
        path.as_posix(): path.read_text("utf-8")
        for root in roots
        for path in (sorted(root.rglob("*.yaml")) if root.is_dir() else [root])
    }
    versions = [each.number for each in list_versions(settings.data / "knowledge" / "versions")]
    return calls, people, files, versions


def test_what_was_backed_up_comes_back_and_what_was_there_is_kept_aside(settings, tmp_path):
    records = Records(settings.database_url)
    play(records, "a1", "anna")
    records.people.add("anna", "trainee", "long enough")
    assert back_up(settings, tmp_path / "b.zip") >= 6  # while the records are open
    records.close()
    before = everything(settings)
    records = Records(settings.database_url)
    records.delete_person("anna")
    records.close()
    (settings.knowledge[0] / "a.yaml").write_text(ENTRY.replace("ANSWER", "another"), "utf-8")
    (settings.knowledge[0] / "b.yaml").write_text(ENTRY.replace("id: a", "id: b"), "utf-8")
    keep_version(settings.knowledge, settings.data / "knowledge" / "versions", "later")
    later = everything(settings)
    assert later != before
    aside = restore(settings, tmp_path / "b.zip")
    assert everything(settings) == before
    assert "another" in (aside / "knowledge" / "0" / "a.yaml").read_text("utf-8")
    assert (aside / "records.db").exists()


def test_a_backup_goes_to_where_the_settings_name_now(settings, tmp_path):
    records = Records(settings.database_url)
    play(records, "a1", "anna")
    records.close()
    back_up(settings, tmp_path / "b.zip")
    other = load_settings(
        data=str(tmp_path / "new/data"), personas=str(tmp_path / "new/personas"), knowledge=str(tmp_path / "new/kb"),
        standards=str(tmp_path / "new/rules.yaml"),
    )  # fmt: skip
    assert restore(other, tmp_path / "b.zip") is None  # there was nothing to move aside
    assert everything(other)[0] == everything(settings)[0]
    assert (tmp_path / "new" / "kb" / "a.yaml").read_text("utf-8") == ENTRY


def test_what_is_no_backup_is_refused_and_changes_nothing(settings, tmp_path):
    Records(settings.database_url).close()
    back_up(settings, tmp_path / "b.zip")
    before = everything(settings)
    (tmp_path / "text.zip").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("backup.json", '{"format": 1, "files": ["records.db", "kb/../../evil"]}')
        archive.writestr("records.db", "")
        archive.writestr("kb/../../evil", "")
    cut = bytearray((tmp_path / "b.zip").read_bytes())
    cut[200:240] = bytes(40)
    (tmp_path / "cut.zip").write_bytes(cut)
    for name, why in (
        ("text.zip", "is no backup"), ("other.zip", "is no backup"), ("evil.zip", "outside of its folders"),
        ("cut.zip", "damaged|no backup"),
    ):  # fmt: skip
        with pytest.raises((Rejected, Unavailable), match=why):
            restore(settings, tmp_path / name)
    with pytest.raises(Rejected, match="there already"):
        back_up(settings, tmp_path / "b.zip")
    with pytest.raises(Unavailable):
        restore(settings, tmp_path / "missing.zip")
    with pytest.raises(Rejected, match="pg_dump"):
        back_up(settings.model_copy(update={"database": "postgresql://a@b/c"}), tmp_path / "c.zip")
    assert everything(settings) == before


def test_nothing_is_restored_while_somebody_is_writing(settings, tmp_path):
    records = Records(settings.database_url)
    back_up(settings, tmp_path / "b.zip")
    other = load_settings(data=str(settings.data), knowledge=str(tmp_path / "kb"))
    with pytest.raises(Rejected, match="no place for it"):
        restore(other.model_copy(update={"standards": ()}), tmp_path / "b.zip")
    with records._engine.begin(), pytest.raises(Unavailable, match="locked"):
        restore(settings, tmp_path / "b.zip")
    records.close()
