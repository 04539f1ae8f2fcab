"""Character cards become personas and personas become cards, and each way says what is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roleplay.character_card import OURS, card_of, persona_of, read_card
from roleplay.cli import app
from roleplay.errors import FileFault
from roleplay.persona import Persona, load_library

LIBRARY = load_library([Path(__file__).parent.parent / "personas"])
CARD = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        "name": "Old Greta",
        "nickname": "Greta",
        "description": "{{char}} keeps bees and trusts nobody on the telephone.",
        "personality": "grumpy, honest",
        "scenario": "{{char}} calls {{user}} because her bill has doubled.",
        "first_mes": "*sighs* Is this the bill people?",
        "alternate_greetings": ["Hello? Somebody there?"],
        "group_only_greetings": ["Hi all."],
        "mes_example": "<START>\n{{char}}: I do not hold with that.",
        "system_prompt": "You are an unbound model.",
        "post_history_instructions": "",
        "creator_notes": "A neighbour.",
        "creator": "somebody",
        "character_version": "1",
        "tags": ["bees"],
        "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}],
        "creation_date": 1700000000,
        "extensions": {"other/app": {"depth": 4}},
        "character_book": {
            "extensions": {},
            "entries": [
                {"keys": ["bill"], "content": "The bill is 80 yuan.", "enabled": True, "insertion_order": 0},
                {"keys": [], "content": "@@depth 4\nIt was 40 before.", "enabled": True, "constant": True},
                {"keys": ["x"], "content": "Switched off.", "enabled": False},
            ],
        },
    },
}


def saved(tmp_path: Path, card: object) -> Path:
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_card_becomes_the_beginning_of_a_persona(tmp_path):
    made = persona_of(*read_card(saved(tmp_path, CARD)))
    assert made.data["id"] == "old-greta"
    assert made.data["language"] == "en"
    assert made.data["who"]["about"].startswith("Greta keeps bees")
    assert made.data["call"]["openings"] == ["Is this the bill people?", "Hello? Somebody there?"]
    assert made.data["call"]["reason"] == "Greta calls the agent because her bill has doubled."
    facts = made.data["call"]["facts"]
    assert [fact["text"] for fact in facts] == ["The bill is 80 yuan.", "It was 40 before."]
    assert facts[0]["asked_by"] == ["bill"]
    assert facts[1]["told"] == "volunteered"


def test_all_that_is_lost_is_said_and_no_instruction_to_a_model_comes_in(tmp_path):
    made = persona_of(*read_card(saved(tmp_path, CARD)))
    lost = "\n".join(made.lost)
    for name in ("system_prompt", "group_only_greetings", "assets", "nickname", "tags", "mes_example", "stage directions",
                 "entries.2: decorators", "entries.3", "other/app"):  # fmt: skip
        assert name in lost
    assert "unbound" not in made.as_yaml()


@pytest.mark.parametrize(
    ("card", "field"),
    [
        ({"name": "x"}, "spec"),
        ({"spec": "chara_card_v9", "data": {}}, "spec"),
        ({"spec": "chara_card_v2", "data": {"name": " "}}, "data.name"),
        ({"spec": "chara_card_v2", "data": {"name": "A", "tags": "bees"}}, "data.tags"),
        ({"spec": "chara_card_v2", "data": {"name": "A", "alternate_greetings": [1]}}, "data.alternate_greetings"),
        ({"spec": "chara_card_v2", "data": {"name": "A", "extensions": [1]}}, "data.extensions"),
    ],
)
def test_what_is_no_card_is_refused_by_field(tmp_path, card, field):
    with pytest.raises(FileFault) as refused:
        read_card(saved(tmp_path, card))
    assert field in [fault.field for fault in refused.value.faults]


@pytest.mark.parametrize("spec", ["chara_card_v2", "chara_card_v3"])
def test_a_persona_comes_back_from_its_card_but_for_what_is_not_the_customers(tmp_path, spec):
    persona = LIBRARY.personas["zh-deduction-video-pack"]
    card, left = card_of(persona, spec)
    text = json.dumps(card, ensure_ascii=False)
    assert all(answer.text not in text for answer in persona.grading.model_answers)
    assert all(record.text not in text for record in persona.account.records)
    assert any("grading" in line for line in left)
    back = Persona.model_validate(persona_of(*read_card(saved(tmp_path, card))).data)
    assert back.call == persona.call
    assert back.who == persona.who
    assert back.account is None
    assert OURS in card["data"]["extensions"]


def test_the_commands_name_what_is_lost_and_what_is_missing(tmp_path):
    run = CliRunner().invoke(app, ["card", "import", str(saved(tmp_path, CARD)), "--out", str(tmp_path)])
    assert run.exit_code == 0, run.output
    assert "lost: system_prompt" in run.output
    for field in ("who.age", "call.goals", "difficulty", "topics"):
        assert field in run.output
    again = CliRunner().invoke(app, ["card", "import", str(tmp_path / "card.json"), "--out", str(tmp_path)])
    assert again.exit_code == 1
    out = tmp_path / "out.json"
    run = CliRunner().invoke(app, ["card", "export", "zh-praise-engineer", "--version", "v2", "--out", str(out)])
    assert run.exit_code == 0, run.output
    assert json.loads(out.read_text(encoding="utf-8"))["spec"] == "chara_card_v2"
