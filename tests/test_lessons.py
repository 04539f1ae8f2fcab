"""What one call teaches, from calls that the trainees of the rehearsal have had."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_class import persona, play

from roleplay.call import Call, kept_call, kept_grades
from roleplay.events import Event
from roleplay.exports import as_data
from roleplay.lessons import kpis, lessons, over_calls, partners, practise, quoted, recovery, turnings
from roleplay.persona import load_library
from roleplay.reading import Claim
from roleplay.report_words import as_markdown
from roleplay.reports import Report, make_report


@pytest.fixture
def reports(records):
    def of(call_id: str) -> Report:
        return make_report(kept_call(records, call_id), kept_grades(records, call_id))

    play(records, "good", "anna")
    records.events.keep("good", Event("ring", 0, {"seconds": 7.5}))
    play(records, "rude", "ben", good=False)
    return of("good"), of("rude")


def test_the_moments_that_mattered_say_which_way_the_call_went(reports):
    good, rude = reports
    assert 1 <= len(turnings(good)) <= 3 and any("goal_met" in each.signs for each in turnings(good))
    assert not any(each.good for each in turnings(rude)) and any("ended_badly" in each.signs for each in turnings(rude))
    assert [each.number for each in turnings(good)] == sorted(each.number for each in turnings(good))


def test_one_thing_is_named_to_practise_and_with_whom(reports):
    _, rude = reports
    made = practise(rude)
    assert made is not None and (made.kind, made.what, made.number) == ("fault", "rude", 2)
    others = load_library([persona_folder()]).personas.values()
    found = partners(rude, others, made)
    assert len(found) == 2 and all(each.call.feelings.anger >= 2 and each.language == "zh-CN" for each in found)
    assert rude.call.persona.id not in [each.id for each in found]


def persona_folder():
    from made_class import ROOT

    return ROOT / "personas"


def with_price(call: Call, number: int, events: tuple[Event, ...]) -> Call:
    each = call.exchanges[number - 1]
    claim = Claim(0, 4, "99元", "not_covered")
    changed = replace(each, reading=replace(each.reading, claims=(claim,)))
    exchanges = tuple(changed if one.number == number else one for one in call.exchanges)
    return replace(call, exchanges=exchanges, events=events)


def test_a_price_that_was_not_looked_up_before_is_named(reports):
    good, _ = reports
    blind = replace(good, call=with_price(good.call, 2, (Event("search", 2, {"query": "价格"}),)))
    seen = replace(good, call=with_price(good.call, 2, (Event("search", 1, {"query": "价格"}),)))
    assert [(each.number, each.looked_up) for each in quoted(blind)] == [(2, False)]
    assert [(each.number, each.looked_up) for each in quoted(seen)] == [(2, True)]


def test_how_shouting_was_met_is_told(reports):
    good, rude = reports
    assert recovery(rude) is None or not recovery(rude).recovered
    angry = persona("zh-deduction-video-pack").call.feelings.anger
    met = recovery(good)
    assert met is None or (met.recovered and met.before <= 4 and angry)


def test_a_call_stands_beside_the_targets(reports):
    good, rude = reports
    by_name = {kpi.name: kpi for kpi in kpis(good)}
    assert by_name["first_call"].met and (by_name["ring"].value, by_name["ring"].met) == (7.5, True)
    assert by_name["handling"].met is (240 <= by_name["handling"].value <= 360)
    of_rude = {kpi.name: kpi for kpi in kpis(rude)}
    assert not of_rude["content"].met and of_rude["ring"].value is of_rude["ring"].met is None, "nobody saw it ring"
    late = replace(good, call=replace(good.call, events=(Event("ring", 0, {"seconds": 20.1}),)))
    assert [kpi.met for kpi in kpis(late) if kpi.name == "ring"] == [False]
    assert "响铃到接听: 0:07 (目标：20秒以内)" in as_markdown(good, "zh-CN")
    assert "Ring answered" not in as_markdown(rude, "en")


def test_many_calls_stand_beside_the_targets(reports):
    values = [{kpi.name: kpi.value for kpi in kpis(report)} for report in reports]
    by_name = {kpi.name: kpi for kpi in over_calls(values)}
    assert by_name["first_call"].value == 0.5 and not by_name["first_call"].met
    assert by_name["ring"].value == 7.5 and over_calls([]) == ()


def test_what_a_call_teaches_stands_in_the_report_and_in_exports(reports):
    good, rude = reports
    assert as_data(rude)["lessons"]["practise"]["what"] == "rude"
    assert "这通电话教了什么" in as_markdown(rude, "zh-CN") and "What this call teaches" in as_markdown(good, "en")
    assert lessons(good).kpis
