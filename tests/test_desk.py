"""The trainer's page: who may open and call what, and what its sections show and do. No models are needed for it."""

from __future__ import annotations

import inspect
import io
import json
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from made_class import ROOT, persona, play, quiet_room
from openpyxl import load_workbook

from roleplay.build import build_embedder, build_knowledge
from roleplay.models.scripted import ScriptedModel
from roleplay.persona_form import shown
from roleplay.prompts import frame
from roleplay.published import Published
from roleplay.records import Records, ReviewRow
from roleplay.results import Results
from roleplay.room import Room
from roleplay.rule_files import rule_files
from roleplay.settings import Settings, load_settings
from roleplay.web.desk.page import HIDDEN, DeskPage
from roleplay.web.desk.section import Desk
from roleplay.web.page import listen, make_app
from roleplay.web.staff import Staff
from roleplay.yaml_files import parse_yaml

# Gradio counts its events with pandas in ways that pandas will give up.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
NAME = "zh-deduction-video-pack"
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
        pressed = [SimpleNamespace(go="x=y", form={})] if "event" in inspect.signature(function.fn).parameters else []
        answer = function.fn(*[None] * len(function.inputs), *pressed, asking("anna"))
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
    assert "here is no call nope" in text(page.look("?view=call&call=nope", carla))


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


# Classes


def test_a_class_is_made_filled_and_given_work_and_shows_how_everybody_stands(page, room, tmp_path):
    section, tina = page.sections["classes"], asking("tina")
    assert "no class yet" in text(page.look("?view=classes", tina)) or room.records.cohorts.all()
    shown = section.add_class(" march ", tina)
    assert "Nobody is in this class" in shown[section.out]
    roster = tmp_path / "roster.csv"
    roster.write_text("name,role\nanna,trainee\nnew one,trainee\nben,boss\n", encoding="utf-8")
    wrong = section.look_at_roster("march", str(roster), tina)
    assert "Line 4" in wrong[section.problem] and "boss" in wrong[section.problem].lower()
    roster.write_text("name,role\nanna,trainee\nsneak,admin\n", encoding="utf-8")
    assert "nly an admin" in section.look_at_roster("march", str(roster), tina)[section.problem]
    assert "nly an admin" in section.read_roster("march", str(roster), "", tina)[section.problem]
    roster.write_text("姓名\nanna\nnew one\nanma\n", encoding="utf-8")
    assert "ook at who is in the roster" in section.read_roster("march", str(roster), "", tina)[section.problem]
    looked = section.look_at_roster("march", str(roster), tina)
    assert "much like anna" in looked[section.preview] and "2 of them have no login yet" in looked[section.preview]
    assert room.records.people.user("new one") is None
    roster.write_text("姓名\nanna\nnew one\n", encoding="utf-8")
    refused = section.read_roster("march", str(roster), looked[section.seen], tina)  # another one than was looked at
    assert section.out not in refused
    seen = section.look_at_roster("march", str(roster), tina)[section.seen]
    shown = section.read_roster("march", str(roster), seen, tina)
    password = re.search(r"new one</th><td><code>([^<]+)", shown[section.problem])[1]
    assert room.records.people.check("new one", password).must_change
    assert "anna</th>" not in shown[section.problem]  # who has a password keeps it
    now = datetime.now(UTC)
    shown = section.assign("march", "zh-deduction-video-pack", "exam", now, now + timedelta(days=1), 2, 70, tina)
    assert shown[section.out].count("to do") == 2
    (given,) = room.records.cohorts.assignments(["march"])
    assert (given.mode, given.attempts, given.pass_mark) == ("exam", 2, 70)
    for wrong in (
        section.assign("march", "nobody", "exam", now, now + timedelta(days=1), 2, 70, tina),
        section.assign("march", None, "exam", now, now + timedelta(days=1), 2, 70, tina),
        section.assign("march", "zh-deduction-video-pack", "exam", now, now, 2, 70, tina),
        section.assign(None, "zh-deduction-video-pack", "exam", now, now + timedelta(days=1), 2, 70, tina),
    ):
        assert "error" in wrong[section.problem] and section.out not in wrong
    pressed = SimpleNamespace(go=f"withdraw={given.id}", form={})
    section.give("march", pressed, tina)
    assert room.records.cohorts.assignments(["march"]) == []
    form = {"persona": "zh-deduction-video-pack", "mode": "practice", "opens": now.isoformat(), "mark": "",
            "due": (now + timedelta(days=1)).isoformat().replace("+00:00", "Z"), "attempts": "0"}  # fmt: skip
    section.give("march", SimpleNamespace(go="give", form=form), tina)
    (given,) = room.records.cohorts.assignments(["march"])
    assert (given.pass_mark, given.opens_at) == (None, now)
    assert (
        "error" in section.give("march", SimpleNamespace(go="give", form=form | {"due": "soon"}), tina)[section.problem]
    )
    assert (
        "error" in section.give("march", SimpleNamespace(go="give", form=form | {"mark": "x"}), tina)[section.problem]
    )
    section.take_back("march", given.id, tina)
    assert "another one" in section.remove_class("march", "April", tina)[section.problem]
    section.remove_class("march", "march", tina)
    assert "march" not in [each.name for each in room.records.cohorts.all()]


def test_a_plan_with_a_mistake_is_kept_from_the_class_with_the_line_told(page, room):
    section, tina = page.sections["classes"], asking("tina")
    section.add_class("plan class", tina)
    text_there = page.look("?view=classes&class=plan+class", tina)[section.yaml]
    refused = section.keep_plan("plan class", text_there.replace("title: First", "titel: First"), tina)
    assert "Line 2" in refused[section.problem] and room.records.cohorts.plan_texts() == {}
    kept = section.keep_plan("plan class", text_there, tina)
    assert "First weeks" not in kept[section.out]  # nobody is in it
    assert next(each.plan for each in room.records.cohorts.all() if each.name == "plan class") == "first-weeks"
    room.records.cohorts.enrol("plan class", ["anna"])
    assert "First weeks" in section.choose("plan class", tina)[section.out]
    section.change("plan class", "", True, tina)
    assert next(each.compare for each in room.records.cohorts.all() if each.name == "plan class")


# People


def test_an_admin_adds_changes_and_deletes_people_and_a_trainer_does_not(page, room):
    section, root = page.sections["people"], asking("root")
    assert "Your role" in section.add_user("mallory", "admin", asking("tina"))[section.problem]
    shown = section.add_user("mia", "trainee", root)
    password = re.search(r"<code>([^<]+)", shown[section.problem])[1]
    assert room.records.people.check("mia", password).must_change
    assert "already" in section.add_user("mia", "trainee", root)[section.problem]
    section.change_role("mia", "checker", root)
    assert room.records.people.user("mia").role == "checker"
    shown = section.reset_password("mia", root)
    assert password not in shown[section.problem] and room.records.people.check("mia", password) is None
    play(room.records, "m1", "mia")
    assert "another one" in section.delete_person("mia", "Mia", root)[section.problem]
    assert room.records.calls("mia")
    assert "1 calls" in section.delete_person("mia", "mia", root)[section.problem]
    assert room.records.calls("mia") == [] and room.records.people.user("mia") is None
    for name in [user.name for user in room.records.people.all() if user.role == "admin" and user.name != "root"]:
        room.records.people.remove(name)  # left by another test
    assert "only admin" in section.delete_person("root", "root", root)[section.problem]
    assert room.records.people.user("root")
    assert "deleted a person" in section.show_log("", root)[section.log]


# Customers


def test_a_customer_is_edited_with_an_error_at_its_line_then_published_and_taken_back(page, room, client):
    section, tina, name = page.sections["personas"], asking("tina"), "zh-deduction-video-pack"
    shown = page.look(f"?view=personas&persona={name}", tina)
    text_there = shown[section.editor.text]
    assert "No version has been kept yet" in shown[section.diff]
    broken = text_there.replace("difficulty:", "dificulty:", 1)
    refused = section.keep("", name, "yaml", broken, "", tina)
    assert (
        re.search(r"Line \d+</b> <code>dificulty", refused[section.problem]) and refused[section.editor.text] == broken
    )
    assert "It can be published" in section.try_out(name, "yaml", text_there, "", tina)[section.problem]
    changed = text_there.replace("summary: ", "summary: 改过的。", 1)
    assert "Published" in section.keep("shorter", name, "yaml", changed, "", tina)[section.problem]
    assert room.library().get(name).summary.startswith("改过的")
    assert "+summary: 改过的" in section.compare(1, name, "yaml", changed, "", tina)[section.diff]
    back = section.go_back(1, name, "yaml", changed, "", tina)[section.editor.text]
    assert back == text_there
    section.keep("back", name, "yaml", back, "", tina)
    assert not room.library().get(name).summary.startswith("改过的")
    enter(client, "tina")
    assert client.get(f"/export/persona/{name}.yaml").text == text_there
    assert client.get("/export/persona/nobody.yaml").status_code == 404
    enter(client, "anna")
    assert client.get(f"/export/persona/{name}.yaml").status_code == 403


def test_a_new_customer_begins_as_a_copy_and_a_file_can_be_brought_in(page, room, tmp_path):
    section, tina = page.sections["personas"], asking("tina")
    text_there = page.look("?view=personas&persona=zh-deduction-video-pack", tina)[section.editor.text]
    edited = ("zh-deduction-video-pack", "yaml", text_there, "")
    made = section.new.make_new("", "zh-made-here", "新客户", *edited, tina)
    assert "zh-made-here" in made[section.editor.text]
    assert "already" in section.new.make_new("", "zh-deduction-video-pack", "x", *edited, tina)[section.problem]
    assert "id: zh-xin-ke-hu\n" in section.new.make_new("", "", "新客户", *edited, tina)[section.editor.text]
    assert "title first" in section.new.make_new("", "", " ", *edited, tina)[section.problem]
    plain = section.new.make_new("frame:en", "", "A new one", *edited, tina)
    assert "Carol" in plain[section.editor.text] and "id: en-a-new-one" in plain[section.editor.text]
    other = section.new.make_new("zh-roaming-bill-shock", "", "另一位", "", "form", "", "", tina)
    assert "id: zh-ling-yi-wei" in other[section.editor.text]
    assert "Line" in section.new.make_new("", "Not An Id", "x", *edited, tina)[section.problem]
    section.keep("", "zh-made-here", "yaml", made[section.editor.text], "", tina)
    assert room.library().get("zh-made-here").title == "新客户"
    assert "another one" in section.take_away("zh-made-here", "zh", tina)[section.problem]
    section.take_away("zh-made-here", "zh-made-here", tina)
    assert "zh-made-here" not in room.library().personas
    (tmp_path / "a.yaml").write_text(text_there, "utf-8")
    assert section.new.upload("yaml", str(tmp_path / "a.yaml"), tina)[section.editor.text] == text_there
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in section.new.upload("yaml", str(tmp_path / "b.yaml"), tina)[section.problem]


def test_form_and_yaml_of_a_customer_are_the_same_thing(room, settings):
    section, tina = desk_page(room, settings, "zh-CN").sections["personas"], asking("tina")
    text_there = (settings.personas[0] / "zh" / "deduction-video-pack.yaml").read_text("utf-8")
    form = shown(parse_yaml(text_there, "x")[0])
    typed = json.dumps(form | {"title": "货车司机的十五块", "who.age": "四十五", "call.facts.0.value": ""})
    refused = section.keep("", NAME, "form", text_there, typed, tina)
    assert "要填整数" in refused[section.editor.form] and "要一起填" in refused[section.editor.form]
    assert "title: 货车司机的十五块" in refused[section.editor.text] and "age: 四十五" in refused[section.editor.text]
    as_yaml = section.editor.switch(NAME, "yaml", text_there, typed, tina)
    assert as_yaml[section.editor.mode] == "yaml" and "title: 货车司机的十五块" in as_yaml[section.editor.text]
    as_form = section.editor.switch(NAME, "form", as_yaml[section.editor.text].replace("四十五", "45"), "", tina)
    assert 'value="45"' in as_form[section.editor.form]
    assert "<code>vas-refund</code> 没订过的增值业务" in as_form[section.editor.form]  # what an id stands for
    at = [fact["id"] for fact in parse_yaml(text_there, "x")[0]["call"]["facts"]].index("amount")
    renamed = section.editor.switch(
        NAME, "yaml", text_there, json.dumps(form | {f"call.facts.{at}.id": "monthly"}), tina
    )
    assert "amount 已改名为 monthly，指向它的" in renamed[section.editor.note_line]
    assert renamed[section.editor.text].count("tells: [monthly]") == 2
    aimless = section.editor.switch(
        NAME, "form", re.sub(r"(?ms)^  goals:.*?(?=^  objections:)", "", text_there), "", tina
    )
    checked = section.try_out(NAME, "form", aimless[section.editor.text], "", tina)
    assert "<b>诉求</b> 还没有填" in checked[section.problem]
    broken = section.editor.switch(NAME, "form", "title: [", "", tina)
    assert broken[section.editor.mode] == "yaml" and "第" in broken[section.problem]
    more = section.editor.change_items(NAME, text_there, SimpleNamespace(go="add=call.facts", form=form), tina)
    assert "fact-1" in more[section.editor.text] and "fact-1" in more[section.editor.form]
    gone = section.editor.change_items(NAME, text_there, SimpleNamespace(go="drop=call.facts:0", form=form), tina)
    assert "id: amount" not in gone[section.editor.text] and "id: months" in gone[section.editor.text]
    odd = section.editor.change_items(NAME, text_there, SimpleNamespace(go="drop=who:0", form=form), tina)
    assert section.editor.text not in odd
    commented = text_there.replace("      value: 15元", "      value: 15元  # 账单上的")
    lost = section.editor.change_items(NAME, commented, SimpleNamespace(go="drop=call.facts:0", form=form), tina)
    assert "有 1 条注释" in lost[section.editor.note_line]


def test_what_is_not_published_is_kept_for_its_trainer_alone_and_comes_back(page, room):
    section, tina, name = page.sections["personas"], asking("tina"), "zh-roaming-bill-shock"
    editor, address = section.editor, f"?view=personas&persona={name}"
    text_there = page.look(address, tina)[editor.text]
    form = shown(parse_yaml(text_there, "x")[0]) | {"title": "还没改完"}
    saved = editor.save_form(name, text_there, SimpleNamespace(form=form), tina)
    assert "kept and not published" in saved[editor.kept] and editor.form not in saved
    again = page.look(address, tina)
    assert "title: 还没改完" in again[editor.text] and "has not been published yet" in again[section.problem]
    assert "(draft)" in str(again[section.persona])
    assert page.look(address, asking("root"))[editor.text] == text_there
    typed = json.dumps(form | {"title": "又改了"})  # pressed for another customer before the pause
    section.choose(NAME, name, "form", again[editor.text], typed, tina)
    assert "title: 又改了" in page.look(address, tina)[editor.text]
    section.keep(
        "meanwhile", name, "yaml", text_there.replace("summary: ", "summary: 别人改的。", 1), "", asking("root")
    )
    assert "compare them under Versions" in page.look(address, tina)[section.problem]
    published = room.library().paths[name].read_text("utf-8")
    given_up = editor.give_up_or_take_back(name, "form", SimpleNamespace(go="give_up"), tina)
    assert given_up[editor.text] == published and "Take it back" in given_up[editor.kept]
    back = editor.give_up_or_take_back(name, "form", SimpleNamespace(go="restore"), tina)
    assert "title: 又改了" in back[editor.text]
    assert "published" in section.keep("", name, "yaml", text_there, "", tina)[section.problem].lower()
    assert room.records.unpublished.find("tina", name) is None
    assert page.look(address, tina)[section.problem] == "" and page.look(address, tina)[editor.kept] == ""


def test_a_new_customer_that_was_left_can_be_found_again_and_a_version_does_not_swallow_a_draft(page, room):
    section, tina = page.sections["personas"], asking("tina")
    made = section.new.make_new("frame:en", "en-half-done", "Half done", "", "form", "", "", tina)
    assert made[section.editor.of] == "en-half-done" and "give up this new" in made[section.editor.kept].lower()
    shown_then = page.look(f"?view=personas&persona={NAME}", tina)
    assert "Half done (draft)" in str(shown_then[section.persona])
    assert "already" in section.new.make_new("frame:en", "en-half-done", "x", "", "form", "", "", tina)[section.problem]
    assert "Half done" in page.look("?view=personas&persona=en-half-done", tina)[section.editor.text]
    section.editor.save_text("en-half-done", "title: [", tina)
    broken = page.look("?view=personas&persona=en-half-done", tina)
    assert broken[section.editor.text] == "title: [" and broken[section.editor.mode] == "yaml"
    section.editor.give_up_or_take_back("en-half-done", "yaml", SimpleNamespace(go="give_up"), tina)
    listed = page.look("?view=personas", tina)
    assert "Half done" not in str(listed[section.persona]) and "en-half-done" not in str(listed[section.persona])
    assert "more than the" in section.editor.save_text(NAME, "x" * 200_001, tina)[section.problem]
    before = room.library().paths[NAME].read_text("utf-8")
    section.keep("one", NAME, "yaml", before.replace("summary: ", "summary: 一。", 1), "", tina)
    mine = before.replace("summary: ", "summary: 手里的。", 1)
    loaded = section.go_back(1, NAME, "yaml", mine, "", tina)
    assert loaded[section.editor.text] == before and "draft before" in loaded[section.editor.kept]
    back = section.editor.give_up_or_take_back(NAME, "yaml", SimpleNamespace(go="restore"), tina)
    assert back[section.editor.text] == mine
    section.keep("back", NAME, "yaml", before, "", tina)


def test_a_draft_of_a_model_stands_in_the_editor_with_its_faults_and_is_not_published(
    room, settings, tmp_path, monkeypatch
):
    section, tina = desk_page(room, settings).sections["personas"], asking("tina")
    situation = "一位退休教师发现电视机顶盒每个月多收十元，想退掉。"
    assert "cannot write" in section.new.draft_new(situation, "zh-CN", "form", tina)[section.problem]
    answers = tmp_path / "answers.yaml"
    answers.write_text(json.dumps([frame("zh-CN").replace("difficulty: 2", "difficulty: 9")] * 2), "utf-8")
    monkeypatch.setattr(room, "customer", SimpleNamespace(model=ScriptedModel(answers)))
    monkeypatch.setattr(room.knowledge, "search", lambda *_, **__: SimpleNamespace(hits=()))
    before = set(room.library().personas)
    drafted = section.new.draft_new(situation, "zh-CN", "form", tina)
    assert (
        "difficulty: 9" in drafted[section.editor.text]
        and "must be a whole number from 1 to 5 (found 9)" in drafted[section.editor.form].lower()
    )
    assert "nothing is published" in drafted[section.editor.note_line]
    assert "20 to 2000" in section.new.draft_new("太短了", "zh-CN", "form", tina)[section.problem]
    assert set(room.library().personas) == before


# Knowledge


@pytest.fixture
def small(tmp_path: Path, room: Room) -> tuple[DeskPage, Path]:
    """A desk over a small knowledge base of its own, with the real search."""
    folder = tmp_path / "kb"
    folder.mkdir()
    shutil.copy(ROOT / "knowledge_base" / "roaming.yaml", folder)
    settings = load_settings(data=str(tmp_path / "data"), knowledge=str(folder), personas=str(ROOT / "personas"))
    embedder = build_embedder(settings)
    knowledge = build_knowledge(settings, embedder)
    published = Published((lambda: [folder], lambda: own.take_knowledge(build_knowledge(settings, embedder))))
    own = Room(room.library, knowledge, None, None, room.grader, room.records, published.look)
    return desk_page(own, settings), folder


def test_knowledge_is_searched_edited_with_a_preview_and_taken_back(small):
    page, _ = small
    section, tina = page.sections["knowledge"], asking("tina")
    room = page.desk.room
    name = next(each for each in section._resting() if each in room.knowledge.entries_by_id())
    shown = page.look(f"?view=knowledge&entry={name}", tina)
    assert f"id: {name}" in shown[section.text] and "zh-" in shown[section.hits]
    assert name in section.search(room.knowledge.entry(name).question, "", tina)[section.hits]
    assert (
        "Line 2"
        in section.publish(name, None, shown[section.text].replace("language:", "langage:"), tina)[section.problem]
    )
    changed = shown[section.text].replace("answer: ", "answer: 从明天起。", 1)
    looked = section.try_edit(name, None, changed, tina)
    assert "These customers rest on what changes" in looked[section.change] and "从明天起" in looked[section.change]
    before = room.knowledge.version
    told = section.publish(name, None, changed, tina)
    assert "Published as version" in told[section.problem]
    assert room.knowledge.version != before and "从明天起" in room.knowledge.entry(name).answer
    assert "从明天起" in section.compare(1, tina)[section.diff]
    section.go_back(1, tina)
    assert room.knowledge.version == before
    assert "nothing to change" in section.publish(name, None, shown[section.text], tina)[section.problem]
    assert "no entry" in text(page.look("?view=knowledge&entry=nothing-like-it", tina))


def test_files_are_looked_at_before_they_are_brought_in(small, tmp_path):
    page, folder = small
    section, tina = page.sections["knowledge"], asking("tina")
    faq = tmp_path / "faq.csv"
    faq.write_text(
        "product,question,answer\n国际漫游,漫游时能收短信吗？,能，接收免费。\n国际漫游,没有答案的问题？,\n", "utf-8"
    )
    looked = section.look_at_files([str(faq)], "", "public", tina)
    assert "1 added" in looked[section.plan] and "Wrong:" in looked[section.plan]
    assert not (folder / "faq.csv.yaml").exists()
    given = ([str(faq)], "", "public")
    assert "ook at the change first" in section.bring_in(*given, True, "", tina)[section.problem]
    assert "not all is right" in section.bring_in(*given, False, looked[section.seen], tina)[section.problem]
    told = section.bring_in(*given, True, looked[section.seen], tina)
    assert "Published as" in told[section.problem]
    assert any("收短信" in entry.question for entry in page.desk.room.knowledge.entries())
    (tmp_path / "evil.exe").write_bytes(b"MZ")
    assert "is not read" in section.look_at_files([str(tmp_path / "evil.exe")], "", "public", tina)[section.plan]


# Standards


def test_a_rule_is_edited_tried_held_against_replies_and_taken_back(page, room):
    section, tina = page.sections["standards"], asking("tina")
    shown = page.look("?view=standards&rule=zh-hey", tina)
    assert "zh-hey" in section.search("zh-hey", "zh-CN", tina)[section.table]
    assert "as shipped" in shown[section.head]
    there = shown[section.text]
    assert there.lstrip().startswith("- id: zh-hey")
    wrong = section.publish("zh-hey", None, there.replace("kind:", "knd:"), tina)
    assert re.search(r"Line \d+</b> <code>rules\.\d+\.knd", wrong[section.problem]) and section.text not in wrong
    new = "  - id: zh-no-number\n    topic: slang\n    kind: must_not_say\n    words: [这是第]\n    advice: 不要报数\n"
    file = str(next(path for path in section_files(page) if path.name == "zh.yaml"))
    tried = section.try_out("", file, new, "zh-CN", "", "您好，这是第一句。", "solving", tina)
    assert "zh-no-number" in tried[section.found] and "这是第" in tried[section.found]
    play(room.records, "now1", "ben", at=datetime.now(UTC) - timedelta(days=1))
    again = section.again("", file, new, tina)
    assert "zh-no-number" in again[section.effect]
    assert "In force" in section.publish("", file, new, tina)[section.problem]
    assert "zh-no-number" in room.grader.standards.rules
    assert "have been edited" in page.look("?view=standards", tina)[section.head]
    assert "twice" in section.publish("", str(section_files(page)[0]), new, tina)[section.problem]
    assert "zh-no-number" in section.compare(1, tina)[section.diff]
    assert "as in that version" in section.go_back(1, tina)[section.problem]
    assert "zh-no-number" not in section.standards().rules
    section.go_back(1, tina)  # what was left by going back has become a version too
    assert "zh-no-number" in section.standards().rules
    assert "hoose a version" in section.go_back(None, tina)[section.problem]
    section.to_shipped(tina)
    assert "zh-no-number" not in room.grader.standards.rules
    assert "as shipped" in page.look("?view=standards", tina)[section.head]


def section_files(page: DeskPage) -> tuple[Path, ...]:
    return rule_files(page.desk.settings)


# In a real browser


@pytest.fixture
def site(app: FastAPI) -> Iterator[str]:
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def at_the_desk(browser, site, locale):
    """A browser's page in which the trainer has logged in, and the script errors that it meets."""
    page = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{site}/login")
    page.locator("[name=name]").fill("tina")
    page.locator("[name=password]").fill("long enough")
    page.locator("button.go").click()
    return page, wrong


def test_a_trainer_logs_in_corrects_a_grade_and_is_told_of_a_mistake_in_a_customer(browser, site, room):
    page, wrong = at_the_desk(browser, site, "en-GB")
    page.goto(f"{site}/desk/en/?weeks=all")
    page.get_by_label("Who misses what").check()
    page.locator("table.heat").wait_for()
    page.goto(f"{site}/desk/en/?view=call&call=a1&reply=1")
    page.locator("#points_empathy input:checked").wait_for()
    page.locator("#points_empathy input").nth(2).check()
    page.locator("#reason textarea").fill("only a formula")
    page.locator("#keep").click()
    page.get_by_text("Kept. The machine").wait_for()
    assert room.grades("a1")[1].scores["empathy"].value == 3
    page.get_by_role("link", name="Customers").click()
    page.get_by_label("YAML", exact=True).check()
    page.locator("#persona_yaml .cm-line", has_text="language").first.wait_for()
    page.locator("#persona_yaml .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("bad_key: 1\n")
    page.locator("#publish").click()
    page.get_by_text("Line 1").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("results", "classes", "personas", "knowledge", "standards"):
        page.goto(f"{site}/desk/zh/?view={name}")
        page.locator(f"#desk_{name} h1").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 391, name
    assert wrong == []
    page.context.close()


def test_a_customer_is_edited_in_a_form_with_the_mistake_at_its_field_and_published(browser, site, room):
    page, wrong = at_the_desk(browser, site, "zh-CN")
    page.goto(f"{site}/desk/zh/?view=personas&persona=zh-roaming-bill-shock")
    page.locator("input[name=title]").fill("表单里改的标题")
    page.locator("#persona_kept .notice").wait_for()  # the field has not been left
    page.reload()
    page.locator("#personas_problem .wait").wait_for()
    assert page.locator("input[name=title]").input_value() == "表单里改的标题"
    page.locator("[data-keep=person] > summary").click()
    page.locator("[name='who.age']").fill("三十")
    page.locator("#publish").click()
    page.locator("[name='who.age'][aria-invalid]").wait_for()
    assert "要填整数" in page.locator("[id='who.age-wrong']").inner_text()
    assert room.library().get("zh-roaming-bill-shock").title != "表单里改的标题"
    page.locator("[data-keep=beliefs] > summary").click()
    beliefs = page.locator("[data-keep=beliefs] .item")
    before = beliefs.count()
    page.locator("[data-go='add=call.beliefs']").click()
    beliefs.nth(before).wait_for()
    assert page.locator("[name='who.age']").input_value() == "三十"
    page.locator(f"[data-go='drop=call.beliefs:{before}']").click()
    beliefs.nth(before).wait_for(state="detached")
    page.locator("[name='who.age']").fill("31")
    page.get_by_label("YAML", exact=True).check()
    page.locator("#persona_yaml .cm-line", has_text="表单里改的标题").first.wait_for()
    page.get_by_label("表单", exact=True).check()
    page.locator("#publish").click()
    page.locator("#personas_problem .good").wait_for()
    persona = room.library().get("zh-roaming-bill-shock")
    assert (persona.title, persona.who.age) == ("表单里改的标题", 31)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    assert wrong == []
    page.context.close()
