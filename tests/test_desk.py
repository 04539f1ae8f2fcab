"""The trainer's page: who may open and call what, and what its sections show and do. No models are needed for it."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from types import SimpleNamespace

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from made_class import ROOT, persona, play, quiet_room
from openpyxl import load_workbook

from roleplay.records import Records, ReviewRow
from roleplay.results import Results
from roleplay.room import Room
from roleplay.settings import Settings, load_settings
from roleplay.web.desk.page import HIDDEN, DeskPage
from roleplay.web.desk.section import Desk
from roleplay.web.page import make_app
from roleplay.web.staff import Staff

# Gradio counts its events with pandas in ways that pandas will give up.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
PEOPLE = {"anna": "trainee", "ben": "trainee", "carla": "checker", "tina": "trainer", "root": "admin"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("desk")
    for name in ("personas", "knowledge_base"):
        shutil.copytree(ROOT / name, folder / name)
    return load_settings(
        data=str(folder / "data"), port=0, host="0.0.0.0", personas=str(folder / "personas"),
        knowledge=str(folder / "knowledge_base"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def room(settings: Settings) -> Iterator[Room]:
    records = Records(settings.database_url)
    play(records, "a1", "anna")
    play(records, "b1", "ben", good=False, who=persona("en-roaming-bill"))
    play(records, "b2", "ben", good=False)
    for name, role in PEOPLE.items():
        records.people.add(name, role, "long enough")
    yield quiet_room(records, settings)
    records.close()


def desk_page(room: Room, settings: Settings, language: str = "en") -> DeskPage:
    with gr.Blocks():
        return DeskPage(Desk(room, settings, Staff(room.records.people, False), Results(room.records), language), True)


@pytest.fixture(scope="module")
def page(room: Room, settings: Settings) -> DeskPage:
    return desk_page(room, settings)


def asking(user: str) -> SimpleNamespace:
    return SimpleNamespace(username=user, query_params="")


def text(updates: dict) -> str:
    return "".join(str(value) for value in updates.values())


@pytest.fixture(scope="module")
def app(room: Room, settings: Settings) -> FastAPI:
    return make_app(room, settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://192.0.2.1", follow_redirects=False) as client:
        yield client


def enter(client: TestClient, name: str) -> None:
    assert client.post("/login", data={"name": name, "password": "long enough"}).status_code == 303


# Who may


def test_a_trainee_gets_nothing_of_the_desk_whatever_it_sends(client, room):
    enter(client, "anna")
    assert client.get("/desk/zh/").headers["location"] == "/"
    for path in ("config", "gradio_api/info", "gradio_api/queue/status", "gradio_api/queue/data?session_hash=x"):
        assert client.get(f"/desk/zh/{path}").status_code in (303, 401), path
    calls = {"data": ["?view=call&call=b1"], "fn_index": 0, "session_hash": "x", "event_data": {"go": "?call=b1"}}
    for index in range(12):
        sent = client.post("/desk/en/gradio_api/queue/join", json=calls | {"fn_index": index})
        assert sent.status_code in (303, 401)
        assert client.post(f"/desk/en/gradio_api/run/{index}", json=calls).status_code in (303, 401)
    sent = client.post("/desk/en/gradio_api/upload", files={"files": ("a.csv", b"name\nanna\n")})
    assert sent.status_code in (303, 401)
    for name in ("calls.csv", "calls.xlsx", "calls.jsonl", "calls.xapi", "corrections.jsonl"):
        assert client.get(f"/export/{name}").status_code == 403
    assert "anna" not in [line.who for line in room.records.people.noted()]


def test_nobody_gets_less_than_a_trainee(client):
    assert client.get("/desk/en/").status_code == 303
    assert client.get("/export/calls.csv").status_code == 403
    assert client.get("/desk/en/config").status_code in (303, 401)


def test_what_another_site_sends_is_not_done(client):
    enter(client, "tina")
    sent = client.post("/desk/en/gradio_api/queue/join", json={}, headers={"Origin": "http://elsewhere.example"})
    assert sent.status_code == 403


def test_a_given_password_must_be_changed_before_anything_else(client, room):
    room.records.people.add("new", "admin", "for one time", must_change=True)
    assert client.post("/login", data={"name": "new", "password": "for one time"}).headers["location"] == "/password"
    assert client.get("/practice/").headers["location"] == "/password"
    assert client.get("/desk/zh/").status_code == 303
    assert client.get("/export/calls.csv").status_code == 403
    assert client.get("/practice/config").status_code == 401
    for new, again in (("short", "short"), ("one of mine", "another one"), ("for one time", "for one time")):
        sent = client.post("/password", data={"old": "for one time", "new": new, "again": again})
        assert sent.status_code == 400
    assert client.post("/password", data={"old": "x", "new": "one of mine", "again": "one of mine"}).status_code == 401
    sent = client.post("/password", data={"old": "for one time", "new": "one of mine", "again": "one of mine"})
    assert sent.headers["location"] == "/"
    assert client.get("/desk/zh/").status_code == 200


def test_every_handler_of_the_desk_asks_for_the_right_itself(page, room):
    """Even where the login would not stand before it: each handler is called with a trainee's name."""
    handlers = 0
    before = (room.records.calls(), room.records.grades("b1"), room.records.cohorts.all(), room.records.people.all())
    with gr.Blocks() as blocks:
        for section in page.sections.values():
            for part in section.outputs:
                part.render() if not part.is_rendered else None
            section.wire()
    for function in blocks.fns.values():
        answer = function.fn(*[None] * len(function.inputs), asking("anna"))
        assert "Your role does not allow this" in text(answer), function.name
        assert len(answer) == 1
        handlers += 1
    assert handlers >= 4
    after = (room.records.calls(), room.records.grades("b1"), room.records.cohorts.all(), room.records.people.all())
    assert after == before


def test_each_role_sees_its_sections_and_no_other(page):
    seen = {name: re.findall(r'data-go="\?view=(\w+)"', page.look("?", asking(name))[page.header]) for name in PEOPLE}
    assert seen["anna"] == []
    assert seen["carla"] == ["results"]
    assert set(seen["carla"]) <= set(seen["tina"]) | {"results"}
    assert seen["root"] == [name for name in page.sections if name not in HIDDEN]
    shown = page.look("?view=call&call=b1", asking("anna"))
    assert "Your role" in text(shown) and "小" not in shown[page.header] and "1,079" not in text(shown)


# Results


def test_results_are_shown_in_every_view_and_language(room, settings):
    for language, nothing in (("en", "No calls fit"), ("zh-CN", "还没有符合条件的通话")):
        section = desk_page(room, settings, language).sections["results"]
        for kind in ("calls", "person", "persona", "week", "missed", "sample", "reports"):
            shown = section.table("all", "all", "all", "all", "all", kind, 2, 1, asking("carla"))
            assert shown[section.problem] == "", kind
            assert "ben" in shown[section.out] or kind in ("persona", "week")
            empty = section.table("=nobody", "all", "all", "all", "all", kind, 2, 1, asking("carla"))
            assert nothing in empty[section.out], kind


def test_a_filter_leaves_what_fits(page, room):
    section = page.sections["results"]
    room.records.cohorts.add("spring")
    room.records.cohorts.enrol("spring", ["ben"])

    def listed(person="all", persona_id="all", weeks="all", mode="all", cohort="all"):
        shown = section.table(person, persona_id, weeks, mode, cohort, "calls", 2, 1, asking("tina"))
        return sorted(set(re.findall(r"call=(\w+)\"", shown[section.out])))

    assert listed() == ["a1", "b1", "b2"]
    assert listed(person="=anna") == ["a1"]
    assert listed(persona_id="en-roaming-bill") == ["b1"]
    assert listed(cohort="spring") == ["b1", "b2"]
    assert listed(mode="exam") == listed(weeks="1") == []


def test_a_grade_is_corrected_with_a_reason_and_the_trainee_log_says_who_read_it(page, room):
    section, carla = page.sections["call"], asking("carla")
    room.records.keep_review(ReviewRow("b2", 1, "asked", "ben", "too strict"))
    assert "too strict" in text(page.look("?", carla))
    shown = page.look("?view=call&call=b2&reply=1", carla)
    assert shown[section.scores["empathy"]] == "2"
    refused = section.correct("b2", 1, "4", "none", "4", "  ", carla)
    assert "reason" in refused[section.problem] and not any(row.by_person for row in room.records.grades("b2"))
    refused = section.correct("b2", 1, "4", None, "4", "why", carla)
    assert "accuracy" in refused[section.problem]
    kept = section.correct("b2", 1, "4", "none", "4", "she did greet", carla)
    assert "Kept" in kept[section.problem] and "carla" in kept[section.before]
    assert room.grades("b2")[1].scores["empathy"].value == 4
    assert "too strict" not in page.look("?", carla)[page.sections["results"].head]
    assert [(line.who, line.did, line.person) for line in room.records.people.noted("ben")][::-1][:1] == [
        ("carla", "read a call", "ben")
    ]
    assert "there is no call" in text(page.look("?view=call&call=nope", carla))


def test_files_are_given_to_a_trainer_and_the_log_knows(client, room):
    enter(client, "carla")
    assert client.get("/export/calls.csv").status_code == 403  # who checks quality takes nothing home
    client.post("/login", data={"name": "tina", "password": "long enough"})
    sheet = load_workbook(io.BytesIO(client.get("/export/calls.xlsx?person=%3Dben").content)).active
    assert sheet.max_row == 3
    assert len(client.get("/export/calls.csv").text.splitlines()) == 4
    assert len(client.get("/export/calls.jsonl").text.splitlines()) == 3
    assert len(json.loads(client.get("/export/calls.xapi").text)) == 3
    assert client.get("/export/calls.exe").status_code == 404
    assert client.get("/export/corrections.jsonl").status_code == 200
    assert "exported calls as xlsx" in [line.did for line in room.records.people.noted()]
