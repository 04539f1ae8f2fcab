"""People who may log in, what their roles allow, the brake on guessing, the log of who read what."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from made_call import CALL
from sqlalchemy import create_engine, text

from roleplay import people
from roleplay.errors import Rejected
from roleplay.records import Records
from roleplay.roles import ROLES, may


def test_only_the_right_password_proves_a_user(records):
    records.people.add("anna", "trainer", "correct horse")
    assert records.people.check("anna", "correct horse").role == "trainer"
    assert records.people.check("anna", "correct Horse") is None
    assert records.people.check("ben", "correct horse") is None
    assert records.people.check("nobody", "nobody") is None


def test_a_password_is_nowhere_in_the_database(records, url):
    records.people.add("anna", "trainer", "correct horse")
    folder = Path(url.removeprefix("sqlite:///")).parent
    assert b"correct horse" not in b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "role", "password", "why"),
    [
        ("", "trainee", "long enough", "a name has 1 to 64"),
        (" anna", "trainee", "long enough", "a name has 1 to 64"),
        ("a\nb", "trainee", "long enough", "a name has 1 to 64"),
        ("anna", "boss", "long enough", "there is no role 'boss'; there are: trainee, checker, trainer, admin"),
        ("anna", "trainee", "short", "at least 8 characters"),
    ],
)
def test_a_user_that_cannot_be_added_is_refused_with_the_reason(records, name, role, password, why):
    with pytest.raises(Rejected, match=why):
        records.people.add(name, role, password)
    assert records.people.all() == []


def test_a_name_that_is_taken_keeps_its_role_and_password(records):
    records.people.add("ben", "trainee", "open sesame")
    with pytest.raises(Rejected, match="there is a user ben already"):
        records.people.add("ben", "trainer", "other password")
    assert records.people.check("ben", "open sesame").role == "trainee"


def test_a_removed_user_cannot_log_in_and_the_calls_stay(records):
    records.people.add("小林", "trainee", "open sesame")
    records.open_call(CALL)
    records.people.remove("小林")
    assert records.people.check("小林", "open sesame") is None
    assert records.calls("小林") == [CALL]
    with pytest.raises(Rejected, match="there is no user 小林"):
        records.people.remove("小林")


def test_the_first_start_makes_one_admin_who_must_choose_a_password(records):
    name, password = records.people.add_first_admin()
    assert records.people.add_first_admin() is None
    admin = records.people.check(name, password)
    assert (admin.role, admin.must_change) == ("admin", True)
    records.people.set_password(name, "one of my own")
    assert records.people.check(name, password) is None
    assert not records.people.check(name, "one of my own").must_change


def test_somebody_stays_admin(records):
    records.people.add("anna", "admin", "long enough")
    for ask in (lambda: records.people.remove("anna"), lambda: records.people.set_role("anna", "trainer")):
        with pytest.raises(Rejected, match="anna is the only admin"):
            ask()
    records.people.add("ben", "trainer", "long enough")
    records.people.set_role("ben", "admin")
    records.people.remove("anna")
    assert [user.name for user in records.people.all()] == ["ben"]


def test_a_hash_of_an_earlier_version_still_proves_and_is_renewed(records, url):
    records.people.add("anna", "trainee", "correct horse")
    salt = os.urandom(16)
    key = hashlib.scrypt(b"correct horse", salt=salt, n=2**15, r=8, p=3, maxmem=2**27, dklen=32)
    old = "$".join(("scrypt", "32768", "8", "3", base64.b64encode(salt).decode(), base64.b64encode(key).decode()))
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE users SET password_hash = :old"), {"old": old})
    assert records.people.check("anna", "wrong horse") is None
    assert records.people.check("anna", "correct horse") is not None
    assert records.people.user("anna").proof.startswith("$argon2id$")
    assert records.people.check("anna", "correct horse") is not None


def test_wrong_passwords_are_counted_for_all_processes_and_forgotten_after_a_while(records, url, monkeypatch):
    other = Records(url)
    for _ in range(people.TRIES):
        assert other.people.wait("anna", "10.0.0.1") == 0
        records.people.wrong("anna", "10.0.0.1")
    assert 0 < other.people.wait("anna", "10.0.0.2") <= 61
    assert other.people.wait("ben", "10.0.0.1") == 0
    for _ in range(3 * people.TRIES):
        records.people.wrong("ben", "10.0.0.1")
    assert other.people.wait("carla", "10.0.0.1") > 0
    later = people._now() + people.WAIT + timedelta(seconds=1)
    monkeypatch.setattr(people, "_now", lambda: later)
    assert other.people.wait("anna", "10.0.0.1") == 0
    other.close()


def test_the_log_says_who_read_what_of_whom_and_goes_with_the_person(records):
    records.people.note("berta", "read a call", "小林", "c1")
    records.people.note("berta", "exported", "", "3 calls")
    assert [(line.who, line.did, line.person, line.detail) for line in records.people.noted()] == [
        ("berta", "exported", "", "3 calls"),
        ("berta", "read a call", "小林", "c1"),
    ]
    assert len(records.people.noted("小林")) == 1
    records.delete_person("小林")
    assert [line.person for line in records.people.noted()] == [""]


def test_each_role_may_what_the_one_before_may_and_more():
    rights = ("read_results", "correct_grades", "export", "teach", "manage_people")
    allowed = [{right for right in rights if may(role, right)} for role in ROLES]
    assert allowed[0] == set() and allowed[-1] == set(rights)
    assert all(less < more for less, more in pairwise(allowed))
    assert not may(None, "read_results")
