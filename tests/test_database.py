from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from made_call import CALL, PAIR
from sqlalchemy import NullPool, create_engine, text

from roleplay import tables
from roleplay.database import MIGRATIONS
from roleplay.errors import Rejected, Unavailable
from roleplay.records import GradeRow, Records


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own, on a free port of this machine, gone after the tests."""
    initdb = shutil.which("initdb")
    if initdb is None:
        pytest.skip("no initdb of PostgreSQL on this machine (Debian: apt-get install postgresql)")
    # Not in tmp_path: PostgreSQL does not run as root, and another user cannot reach root's folders.
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    who = {"user": "postgres", "group": "postgres", "cwd": folder} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    server = Path(initdb).resolve().with_name("pg_ctl")
    subprocess.run([initdb, "-D", data, "-U", "anna", "-A", "trust", "--no-sync"], **who, **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    subprocess.run([server, "-D", data, "-o", options, "-w", "start"], **who, **quiet)
    yield f"postgresql://anna@127.0.0.1:{port}/postgres"
    subprocess.run([server, "-D", data, "-m", "immediate", "stop"], **who, **quiet)
    shutil.rmtree(folder)


WRITER = """
import sys
from roleplay.records import Records, TurnRow
records = Records(sys.argv[1])
for number in range(1, 100_000, 2):
    records.keep_turns("c1", number, [TurnRow("trainee", f"reply {number}"), TurnRow("customer", f"answer {number}")])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(records, url):
    records.open_call(CALL)
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(40):
            acknowledged = writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = int((writer.stdout.read().split() or [acknowledged])[-1])
    assert writer.returncode == -signal.SIGKILL
    again = Records(url)
    kept = [turn.text for turn in again.turns("c1")]
    again.close()
    # All that was acknowledged, perhaps one pair more, and never half a pair.
    assert acknowledged >= 79
    assert len(kept) in (acknowledged + 1, acknowledged + 3)
    assert kept == [f"{word} {number}" for number in range(1, len(kept), 2) for word in ("reply", "answer")]


def _race(records: Records, writers: int) -> list[str]:
    """Several threads keep the same pair of turns; what became of each."""
    outcomes: list[str] = []
    start = threading.Barrier(writers)

    def write() -> None:
        start.wait()
        try:
            records.keep_turns("c1", 1, PAIR)
            outcomes.append("kept")
        except Rejected as error:
            outcomes.append(str(error).split(":")[0])

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_writers_that_answer_the_same_turn_exactly_one_wins(records):
    records.open_call(CALL)
    assert _race(records, 8) == ["kept", *["this call went on elsewhere"] * 7]
    assert records.turns("c1") == list(PAIR)


def test_writers_in_several_processes_wait_for_each_other(records, url):
    program = WRITER.replace("100_000", "60").replace('"c1"', "sys.argv[2]")
    for name in ("c1", "c2"):
        records.open_call(replace(CALL, id=name))
    writers = [
        subprocess.Popen([sys.executable, "-c", program, url, name], stdout=subprocess.DEVNULL) for name in ("c1", "c2")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [len(records.turns(name)) for name in ("c1", "c2")] == [60, 60]


def test_many_threads_may_open_an_empty_database_at_once(url):
    failures: list[Exception] = []

    def open_it() -> None:
        try:
            Records(url).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _differences(url: str) -> list[object]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), tables.metadata)
        broken = connection.execute(text("PRAGMA foreign_key_check")).all() if "sqlite" in url else []
    return [*found, *broken]


def test_an_empty_database_gets_the_tables_of_this_version(records, url):
    assert _differences(url) == []


def test_the_first_version_of_the_database_becomes_this_version_and_keeps_its_calls(url, tmp_path):
    (tmp_path / "data").mkdir()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO calls (id, trainee, persona_id, persona_hash, persona_yaml, language, direction, seed, mode,"
            " knowledge_version, customer_model, grader_model, started_at) VALUES ('c1', '小林', 'zh-bill-angry', 'abc',"
            " 'who: {}', 'zh-CN', 'inbound', 7, 'exam', 'k1', 'bundled x', 'bundled y', '2026-03-01 08:00:00.000000')"
        )
        connection.exec_driver_sql(
            "INSERT INTO turns (call_id, number, speaker, text, gloss, detail, at)"
            " VALUES ('c1', 1, 'trainee', '喂', '', '{}', '2026-03-01 08:00:05.000000')"
        )
    engine.dispose()
    records = Records(url)
    assert records.call("c1").started_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert [turn.text for turn in records.turns("c1")] == ["喂"]
    records.close()
    assert _differences(url) == []


def test_a_database_of_a_newer_version_is_left_alone(records, url):
    path = url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Unavailable, match=r"made by a newer version of the program \(tables 9999\)"):
        Records(url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "records.db"
    path.write_text("a shopping list, long enough to be taken for a header of a database file " * 20)
    before = path.read_bytes()
    with pytest.raises(Unavailable, match=r"file is not a database.*Put a backup in its place"):
        Records(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("records.db", "not the URL of a database"),
        ("mysql://anna:sesame@db/calls", "mysql is not supported|not the URL"),
        ("oracle+none://anna:sesame@db/calls", "not the URL|not supported"),
        ("sqlite://", "a database in memory"),
        ("sqlite:///:memory:", "a database in memory"),
        ("postgresql://anna:sesame@127.0.0.1:1/calls", "refused.*ROLEPLAY_DATABASE"),
        ("sqlite:////proc/roleplay/records.db", "ROLEPLAY_DATA"),
    ],
)
def test_a_wrong_address_is_refused_with_what_would_do_and_without_the_password(url, why):
    with pytest.raises(Unavailable, match=why) as caught:
        Records(url)
    assert "sesame" not in str(caught.value)


@pytest.fixture
def not_root(tmp_path: Path) -> Iterator[None]:
    """Root may write anywhere; for this test we are somebody else, who can see our folders."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.mark.usefixtures("not_root")
def test_a_read_only_folder_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(Unavailable, match=r"Permission denied.*Make the folder writable, or name another one"):
        Records(f"sqlite:///{tmp_path}/records.db")


def test_a_read_only_file_is_refused_with_a_remedy(records, url, request):
    path = Path(url.removeprefix("sqlite:///"))
    records.close()
    path.chmod(0o444)
    path.parent.chmod(0o555)
    request.getfixturevalue("not_root")
    with pytest.raises(Unavailable, match=r"readonly database.*Make the file and its folder writable"):
        Records(url)


def test_a_full_disk_is_told_and_keeps_nothing_of_the_turn(records):
    records.open_call(CALL)
    with records._engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))  # a disk that has no room for one page more
    with pytest.raises(Unavailable, match=r"disk is full.*Free some disk space"):
        records.keep_turns("c1", 1, [PAIR[0], replace(PAIR[1], text="很长" * 10_000)])
    assert records.turns("c1") == []


def test_a_database_that_another_program_holds_is_told(records, url, monkeypatch):
    monkeypatch.setattr("roleplay.database.WAIT", 0.1)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    records.close()  # the next connection is made anew, and waits less
    with pytest.raises(Unavailable, match=r"database is locked\. Another program is holding it"):
        records.open_call(CALL)
    other.close()
    records.open_call(CALL)


def test_the_file_is_for_its_owner_only_and_a_commit_reaches_the_disk(records, url):
    path = Path(url.removeprefix("sqlite:///"))
    assert {file.stat().st_mode & 0o077 for file in (path.parent, *path.parent.iterdir())} == {0}
    with records._engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]


@pytest.mark.slow
def test_everything_holds_in_postgresql_too(postgres):
    records = Records(postgres)
    records.open_call(CALL)
    assert _race(records, 6) == ["kept", *["this call went on elsewhere"] * 5]
    records.keep_grade("c1", GradeRow(1, "bundled", {"empathy": None}, "pending"))
    records.keep_grade("c1", GradeRow(1, "bundled", {"empathy": 4}, "scored"))
    with pytest.raises(Rejected, match="call c1 has no turn 7"):
        records.keep_grade("c1", GradeRow(7, "bundled", {}, "pending"))
    records.people.add("小林", "trainee", "open sesame")
    assert records.people.check("小林", "open sesame").role == "trainee"
    assert records.call("c1") == CALL
    assert records.turns("c1") == list(PAIR)
    assert [row.grade for row in records.grades("c1")] == [{"empathy": 4}]
    assert _differences(postgres.replace("postgresql:", "postgresql+psycopg:")) == []
    assert records.delete_person("小林") == 1
    assert (records.calls(), records.people.all(), records.turns("c1")) == ([], [], [])
    records.close()
