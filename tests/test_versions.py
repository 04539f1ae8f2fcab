"""Every publication can be found, compared and brought back, and a cut-off change leaves the files whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roleplay.cli import app
from roleplay.errors import Rejected
from roleplay.knowledge.changes import changes, stale_personas
from roleplay.knowledge.entries import load_entries
from roleplay.knowledge.journal import replace_files
from roleplay.knowledge.versions import find_version, keep_version, list_versions, restore, version_entries
from roleplay.persona import load_library

ROOT = Path(__file__).parents[1]
ENTRY = "- {{id: {id}, language: en, product: SIM, question: {id}?, answer: {answer}.}}\n"


def write(folder: Path, name: str, **answers: str) -> Path:
    folder.mkdir(exist_ok=True)
    body = "".join(ENTRY.format(id=id, answer=answer) for id, answer in answers.items())
    (folder / name).write_text(f"# kept as it is\nentries:\n{body}", "utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "kb", "a.yaml", one="yes", two="no")


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "data" / "versions"


def answers(folder: Path) -> dict[str, str]:
    return {entry.id: entry.answer for entry in load_entries(folder)}


def kb(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["kb", *map(str, arguments)])


def test_a_version_is_kept_only_when_something_has_changed(folder, kept):
    first = keep_version([folder], kept, "opened")
    assert keep_version([folder], kept, "opened") == first
    write(folder, "a.yaml", one="yes", two="maybe")
    second = keep_version([folder], kept, "opened")
    assert [version.number for version in list_versions(kept)] == [1, 2] and first.hash != second.hash
    lines = (kept / "000002" / "entries.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["yes.", "maybe."]


def test_a_version_is_found_by_number_hash_and_the_search_version_that_calls_name(folder, kept):
    made = keep_version([folder], kept, "opened", "0123456789abcdef")
    made = keep_version([folder], kept, "opened", "fedcba9876543210")
    assert all(find_version(kept, name) == made for name in ("1", made.hash[:6], "0123456789abcdef", "fedcba"))
    with pytest.raises(Rejected, match="there are: 1"):
        find_version(kept, "7")


def test_a_restore_brings_files_back_to_the_byte_and_is_a_version_itself(folder, kept):
    before = (folder / "a.yaml").read_bytes()
    first = keep_version([folder], kept, "opened")
    write(folder, "a.yaml", one="never")
    write(folder, "b.yaml", three="new")
    made = restore(first, [folder], kept)
    assert (folder / "a.yaml").read_bytes() == before and not (folder / "b.yaml").exists()
    assert made.hash == first.hash and [version.why for version in list_versions(kept)] == [
        "opened", "before a restore", "restore of version 1"]  # fmt: skip
    assert {entry.id for entry in version_entries(kept, list_versions(kept)[1])} == {"one", "three"}


def test_a_version_of_a_moved_knowledge_base_can_be_restored(folder, kept):
    first = keep_version([folder], kept, "opened")
    moved = Path(shutil.move(folder, folder.with_name("moved")))
    write(moved, "a.yaml", one="never")
    restore(first, [moved], kept)
    assert answers(moved) == {"one": "yes.", "two": "no."}
    with pytest.raises(Rejected, match="do not name"):
        restore(first, [moved, write(moved.with_name("other"), "b.yaml", four="x")], kept)


def test_the_first_import_of_a_second_operator_can_be_taken_back(folder, tmp_path):
    other = tmp_path / "other"
    where = ["--knowledge", os.pathsep.join((str(folder), str(other))), "--data", tmp_path / "data"]
    (tmp_path / "faq.csv").write_text("id,question,answer,product\nthree,How?,So.,SIM\n", "utf-8")
    done = kb("import", tmp_path / "faq.csv", "--into", other, "--apply", *where)
    assert done.exit_code == 0 and set(answers(other)) == {"three"}, done.output
    assert kb("restore", 1, *where).exit_code == 0
    assert set(answers(folder)) == {"one", "two"} and answers(other) == {}


def test_a_difference_names_fields_and_the_personas_that_rest_on_it():
    library = load_library([ROOT / "personas" / "zh" / "deduction-video-pack.yaml"])
    entries = load_entries(ROOT / "knowledge_base")
    (persona,) = library.personas.values()
    told = {part.told for _, condition in persona.conditions() for part in condition.parts() if part.told}
    id = next(entry.id for entry in entries if entry.id in told)
    difference = changes(entries, [entry for entry in entries if entry.id != id])
    assert [entry.id for entry in difference.removed] == [id] and not difference.added and not difference.changed
    assert stale_personas([persona], difference) == {persona.id: [f"{id} (removed)"]}


KILLED = """
import os, sys
from pathlib import Path
from roleplay.knowledge.journal import replace_files
count, real = int(sys.argv[2]), Path.replace
def replace(self, target):
    global count
    count -= 1
    if count < 0:
        os.kill(os.getpid(), 9)
    return real(self, target)
Path.replace = replace
new = ("entries:\\n- {id: %s, language: en, product: SIM, question: q?, answer: new.}\\n")
replace_files(Path(sys.argv[1]), {"a.yaml": None, "b.yaml": (new % "b").encode(), "c.yaml": (new % "c").encode()})
"""


@pytest.mark.parametrize("renames", range(4))
def test_a_change_that_is_killed_at_any_rename_is_there_wholly_or_not_at_all(folder, renames):
    done = subprocess.run([sys.executable, "-c", KILLED, folder, str(renames)], cwd=ROOT, check=False)
    assert done.returncode == (-signal.SIGKILL if renames < 3 else 0)
    old, new = {"one": "yes.", "two": "no."}, {"b": "new.", "c": "new."}
    assert answers(folder) == (old if renames == 0 else new)
    replace_files(folder, {"d.yaml": b"entries: []\n"})
    assert answers(folder) == (old if renames == 0 else new)
    assert not list(folder.glob(".*"))


REFUSED = """
import os, resource, signal, sys
from pathlib import Path
from roleplay.errors import Unavailable
from roleplay.knowledge.journal import replace_files
if sys.argv[2] == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
elif os.geteuid() == 0:
    os.seteuid(65534)
try:
    replace_files(Path(sys.argv[1]), {"b.yaml": b"#", "a.yaml": b"x" * 5000})
except Unavailable as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits and rights of POSIX")
@pytest.mark.parametrize("way", ["full", "read-only"])
def test_a_full_disk_or_a_read_only_folder_leaves_everything_as_it_was(way):
    with tempfile.TemporaryDirectory() as root:  # not tmp_path, which nobody else may enter
        os.chmod(root, 0o755)
        folder = write(Path(root) / "kb", "a.yaml", one="yes")
        folder.chmod(0o755 if way == "full" or os.geteuid() == 0 else 0o555)
        done = subprocess.run([sys.executable, "-c", REFUSED, folder, way], cwd=ROOT, stderr=-1, text=True, check=False)
        folder.chmod(0o755)
        assert done.returncode == 1 and "Nothing has been changed" in done.stderr, done.stderr
        assert answers(folder) == {"one": "yes."} and [path.name for path in folder.iterdir()] == ["a.yaml"]


def test_the_commands_import_compare_and_go_back(folder, tmp_path):
    where = ["--knowledge", folder, "--data", tmp_path / "data"]
    table = tmp_path / "faq.csv"
    table.write_text("id,question,answer,product\nthree,How?,So.,SIM\n,Why?,,SIM\n", "utf-8")
    looked = kb("import", table, *where)
    assert looked.exit_code == 3 and "+ three" in looked.output and "line 3: answer: is missing" in looked.output
    assert kb("import", table, "--apply", *where).exit_code == 1 and set(answers(folder)) == {"one", "two"}
    brought = kb("import", table, "--apply", "--skip-bad", *where)
    assert brought.exit_code == 0, brought.output
    assert set(answers(folder)) == {"one", "two", "three"}
    assert "import of faq.csv" in kb("versions", "--data", tmp_path / "data").output
    assert "+ three" in kb("diff", 1, 2, *where).output
    assert "as in version 1 again" in kb("restore", 1, *where).output
    assert set(answers(folder)) == {"one", "two"}
    assert kb("diff", 1, *where).output == "no difference\n"
