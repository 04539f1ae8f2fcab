"""Whether two amounts are amounts of the same thing.

A price is held against a price, a deadline against a deadline: what an amount belongs to is read from
the words around it, its size and what it is counted in.
"""

from __future__ import annotations

import re

from roleplay.clauses import topics
from roleplay.facts import Quantity

KNOWN = 0.3  # share of a sentence's words that the entry has to know
_DAYS = {"second": 1 / 86400, "workday": 1.4, "month": 30.0}
_BEFORE, _AFTER = 10, 8  # Chinese characters beside an amount that name what it is an amount of
_ALIKE = {
    "接电话": "接听", "接听电话": "接听", "打电话": "拨打", "弄丢": "遗失", "丢失": "遗失", "丢了": "遗失", "摔坏": "损坏",
    "回您": "回复", "答复": "回复", "回话": "回复", "回电": "回复", "核实": "核查", "处理": "核查",
}  # fmt: skip
_TAKES = re.compile(
    r"(?:用|占用|占|耽误|打扰|花|聊|听|给我|稍等|等|需要?您?)(?:掉|了|上|您|大概|大约|的?时间|我|个)*$"
    r"|\b(?:take|takes|have|spare|give me|need|for|got|just)\s+(?:(?:just|about|only|you|around|a|up)\s+)*$",
    re.IGNORECASE,
)
_SPENT = re.compile(
    r"已经|已用|今天|用了|用掉|打了|聊了|过了|超过|超了|通话时?长|刚才|刚刚|\bused\b|\bsince\b|\bago\b|\balready\b|\bfor the last\b"
)
_FREE_TO = re.compile(r"(?:的?是)?(?:为您|给您|帮您|替您)?([\u4e00-\u9fff]{2})")
_VERBS = frozenset(
    "关闭 开通 办理 取消 更换 退订 补办 查询 领取 变更 修改 申请 开启 打开 停用 恢复 送达 上门 安装 维修 检测 咨询 寄送 邮寄 重置 "
    "解锁 迁移 转接 开具 打印 登记 设置 补卡 换卡 换机 换新 停机 复机 过户 改名 送到 配送 接听 拨打 使用 通话 试用 续订".split()
)
_ABOUT = (
    re.compile(r"(?:大概|大约|约|差不多|将近|\babout|\baround|\broughly|\bnearly|\balmost|\bsome)\s*$", re.I),
    re.compile(r"\s*(?:左右|上下|不到|出头|\bor so\b)", re.I),
)
# An amount by which two others differ, or the old one of a change: "比现在多10GB", "从20G变成30G".
_DIFFERENCE = (
    re.compile(
        r"(?:多|少|省|差|贵|便宜|从|原来|原先)(?:了|出|到|的|是)?\s*$|比[^，。；]{0,8}[多少贵省][^，。；]*$|\b(?:from|extra|another|additional)\s*$",
        re.I,
    ),
    re.compile(r"\s*(?:more|less|extra|cheaper|dearer)\b", re.I),
)
_SENT = re.compile(r"(?:发送?|回复?|编辑|短信|\btext|\breply|\bsend)[^\w\u4e00-\u9fff]*$", re.I)
_PERIODS = {
    "day": re.compile(r"日|天|晚|\bdays?\b|daily", re.I),
    "month": re.compile(r"月|month", re.I),
    "year": re.compile(r"年|year|annual", re.I),
    "minute": re.compile(r"分钟|minute|\bmin\b", re.I),
    "GB": re.compile(r"(?:\d\s*|\b)GB?\b|个G|\bgig", re.I),
    "MB": re.compile(r"(?:\d\s*|\b)MB?\b|兆|\bmeg", re.I),
}
_CLASSES = ((60, "second"), (3600, "minute"), (86400, "hour"))


def alike(fact: Quantity, other: Quantity) -> bool:
    """Whether two facts of a kind can be held against each other at all, by their make."""
    if fact.kind == "code":  # digits, letters, or dialled
        one, two = str(fact.value), str(other.value)
        return (one[0].isalpha(), one[0] in "*#") == (two[0].isalpha(), two[0] in "*#")
    return True


def same_period(fact: Quantity, text: str, other: Quantity) -> bool:
    """Whether what is paid by the day, the minute or the gigabyte is held against such a price: 5 a day is not 500 lost."""
    period = _PERIODS.get(fact.per) if fact.kind == "money" else None
    return period is None or not other.value or bool(other.per) or bool(period.search(text))


def attribute(text: str, fact: Quantity) -> frozenset[str]:
    """The words that name what the amount at `text[fact.start:fact.end]` is an amount of."""
    if re.search(r"[\u4e00-\u9fff]", text):
        before, after = text[max(0, fact.start - _BEFORE) : fact.start], text[fact.end : fact.end + _AFTER]
        return subject(before) | subject(after)
    return subject(text[: fact.start]) | subject(text[fact.end :])


def subject(text: str) -> frozenset[str]:
    """What a text is about, the commonest other words for the same thing brought to one."""
    for said, meant in _ALIKE.items():
        text = text.replace(said, meant)
    return topics(text)


def takes_time(text: str, fact: Quantity) -> bool:
    """Whether a duration says how long this call or this wait will take, or has taken: "两分钟" of the customer's time."""
    if fact.kind != "duration" or fact.unit != "second" or float(fact.value) > 3600:
        return False
    return bool(_TAKES.search(text[: fact.start])) or bool(_SPENT.search(text))


def free_of(text: str, fact: Quantity) -> frozenset[str]:
    """What is done for free, where an action follows at once: "免费关闭" is the closing, not what it closes."""
    match = _FREE_TO.match(text, fact.end)
    return frozenset({match[1]} if match and match[1] in _VERBS else ())


def covered(about: frozenset[str], entry: frozenset[str]) -> bool:
    """Whether an entry knows enough of what a sentence is about; if not, the sentence is about something else."""
    return len(about & entry) >= KNOWN * len(about)


def later(text: str, fact: Quantity, known: str, other: Quantity) -> bool:
    """Whether a promised time is longer than the one on record for the same thing."""
    if fact.kind != "duration" or {fact.unit, other.unit} - set(_DAYS):
        return False
    longer = float(fact.value) * _DAYS[fact.unit] > 1.5 * float(other.value) * _DAYS[other.unit]
    return longer and bool(attribute(text, fact) & attribute(known, other))


def needed(fact: Quantity, other: Quantity, alone: bool = False) -> float:
    """How much the clauses must have in common for two values that differ to be a contradiction.

    `alone`: the evidence knows one value of the kind only.
    """
    if fact.kind == "when":
        return 3.5
    if fact.kind in ("clock", "date", "code"):
        return 2.0
    if fact.kind == "count":
        return 1.5
    if alone and fact.value and other.value:
        return 0.5
    return 1.0


def same_attribute(text: str, fact: Quantity, known: str, other: Quantity, alone: bool = False) -> bool:
    """Whether nothing shows that two values belong to different things. `alone` as in `needed`."""
    if _ABOUT[0].search(text[: fact.start]) or _ABOUT[1].match(text, fact.end):
        return False  # about so much
    if _DIFFERENCE[0].search(text[: fact.start]) or _DIFFERENCE[1].match(text, fact.end):
        return False
    if fact.kind in ("duration", "data", "money", "count") and _SPENT.search(text) and not _SPENT.search(known):
        return False  # what this customer has used up, not what is offered
    here, there = attribute(text, fact), attribute(known, other)
    shared = here & there
    if fact.kind == "money":
        return _same_price(text, fact, known, other, shared, alone)
    if fact.kind == "duration":
        if _grade(fact) == _grade(other):
            return bool(shared) or not here or not there
        return bool(shared)
    if fact.kind == "when":
        return bool(shared) and _exclude(fact, other)
    if fact.kind == "code":
        return _same_code(text, fact, known, other, shared)
    return bool(shared) or fact.kind not in ("clock", "date", "count")


def _exclude(fact: Quantity, other: Quantity) -> bool:
    """Whether two loose times cannot both hold: next month against any other, tomorrow against today."""
    both = {str(fact.value), str(other.value)}
    return "next_month" in both or ("next_day" in both and bool(both & {"now", "today"}))


def _same_code(text: str, fact: Quantity, known: str, other: Quantity, shared: frozenset[str]) -> bool:
    if str(fact.value)[0].isalpha():  # a word to be sent, not any abbreviation
        return bool(_SENT.search(text[: fact.start])) and bool(_SENT.search(known[: other.start]))
    return bool(shared) or len(str(fact.value)) == len(str(other.value))


def _same_price(text: str, fact: Quantity, known: str, other: Quantity, shared: frozenset[str], alone: bool) -> bool:
    if not fact.value:
        done = free_of(text, fact)
        return bool(shared) if not done else bool(done & subject(known))
    if not other.value:
        return bool(shared) or alone
    if fact.per and other.per and fact.per != other.per:
        return bool(shared) or fact.value == other.value
    return True


def _grade(fact: Quantity) -> str:
    """The order of size of a duration: what is counted in minutes is not held against what is counted in days."""
    if fact.unit != "second":
        return "month" if fact.unit == "month" else "day"
    return next((name for limit, name in _CLASSES if float(fact.value) < limit), "day")
