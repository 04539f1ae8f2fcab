"""A call and its first two turns, as tests of the records keep them."""

from __future__ import annotations

from roleplay.records import CallRow, TurnRow

CALL = CallRow(
    id="c1",
    trainee="小林",
    persona_id="zh-bill-angry",
    persona_hash="abc",
    persona_yaml="who: {name: 王女士}\n",
    language="zh-CN",
    direction="inbound",
    seed=2**40,
    mode="exam",
    knowledge_version="k1",
    customer_model="bundled x",
    grader_model="bundled y",
)
PAIR = (
    TurnRow("trainee", "您好，请问有什么可以帮您？", detail={"reading": {"moves": ["greet"]}}, seconds=4.5),
    TurnRow("customer", "我这个月话费咋个恁个多！", "我这个月话费怎么这么多！", "open_direct", {"guard": []}),
)
