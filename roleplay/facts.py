"""Typed facts in plain text, Chinese and English: one extractor for entries, evidence and replies.

Kinds and the unit that their values are in:

money     CNY, GBP, USD, ...; value 0 with unit "" is *free*      data   MB      speed  Mbps
duration  "second" (minutes, hours, days), "month", "workday"     clock  minutes since midnight
date      month * 100 + day, month * 100, or the day; unit date, month, day      when  now, today, next_day ...
percent   of 100      count  what is counted      code  the text itself      plan  the number in a plan's name

Facts are compared by value, never by spelling; another unit or another `per` is another fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from roleplay.numerals import Number, numbers

_CURRENCY = {
    "元": "CNY", "块钱": "CNY", "块": "CNY", "圆": "CNY", "人民币": "CNY", "rmb": "CNY", "yuan": "CNY", "¥": "CNY", "￥": "CNY",
    "£": "GBP", "pound": "GBP", "quid": "GBP", "€": "EUR", "euro": "EUR", "欧元": "EUR",
    "$": "USD", "dollar": "USD", "buck": "USD", "美元": "USD", "₹": "INR", "rupee": "INR", "港元": "HKD", "港币": "HKD",
}  # fmt: skip
_SIZE = {"kb": 1 / 1024, "k": 1 / 1024, "mb": 1, "m": 1, "兆": 1, "meg": 1, "gb": 1024, "g": 1024, "gig": 1024,
         "gigabyte": 1024, "megabyte": 1, "个g": 1024, "tb": 1024 * 1024, "t": 1024 * 1024}  # fmt: skip
_SECONDS = {
    "秒": 1, "秒钟": 1, "second": 1, "sec": 1, "分钟": 60, "minute": 60, "min": 60, "小时": 3600, "个小时": 3600,
    "钟头": 3600, "个钟头": 3600, "个钟": 3600, "hour": 3600, "hr": 3600, "天": 86400, "日": 86400, "个自然日": 86400,
    "自然日": 86400, "day": 86400, "calendar day": 86400, "night": 86400, "晚": 86400, "周": 604800, "星期": 604800,
    "个星期": 604800, "个礼拜": 604800, "礼拜": 604800, "week": 604800, "fortnight": 1209600,
}  # fmt: skip
_MONTHS = {"个月": 1, "月": 1, "month": 1, "年": 12, "year": 12, "周年": 12, "个季度": 3, "quarter": 3}
_WORKDAYS = {"个工作日", "工作日", "working day", "business day", "work day", "weekday"}
_COUNTED = (
    "次|个|条|张|台|部|位|人|项|种|遍|户|级|档|倍|路|名|岁|字|件|套|处|页|家|步|米|公里|"
    "times?|devices?|lines?|calls?|texts?|messages?|people|users?|countries|channels?|numbers?|digits?|sims?|tries|"
    "attempts?|stations?|steps?|cards?|points?|metres|meters|miles|位数"
)


def _any(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_AFTER_MONEY = re.compile(
    rf"\s*(?:({_any(w for w in _CURRENCY if w not in '¥￥£€$₹')})s?(?![a-z])"
    r"(?:(?<=块)(一(?![\u4e00-\u9fff])|[二三四五六七八九\d](?![\da-z元块天月年日分兆小万千百十张条位次米]))(?!个G))?(?!儿)(?:(?<=[块元])([一二三四五六七八九\d]{1,2})(?=毛|角)[毛角])?"
    r"|(p|pence|cents?)\b|(?:毛|角)([一二三四五六七八九\d](?![\d个兆MGmg天条次]|分钟))?()|(分钱))",
    re.IGNORECASE,
)
_AFTER_SPEED = re.compile(r"\s*(mbps|gbps|kbps|mb/s|兆宽带|兆光纤|兆网速|m宽带|m光纤|megs?\b|megabits?)", re.IGNORECASE)
_AFTER_DATA = re.compile(rf"\s*({_any(_SIZE)})(?:s|流量)?(?![a-z\d])", re.IGNORECASE)
_AFTER_TIME = re.compile(
    rf"\s*-?\s*(?:个(?=半))?(半)?({_any([*_SECONDS, *_MONTHS, *_WORKDAYS])})(?:s(?![a-z]))?(?![a-z])(半)?",
    re.IGNORECASE,
)
_AFTER_PERCENT = re.compile(r"\s*(%|％|per\s?cent|个百分点|折|成(?![功为员交立本熟都]))", re.IGNORECASE)
_AFTER_COUNT = re.compile(rf"\s*({_COUNTED})(?![a-z])", re.IGNORECASE)
_AFTER_CLOCK = re.compile(
    r"\s*(?:[:：]([0-5]\d)(?!\d)\s*([ap]\.?m\.?)?|(点|时(?!候|间))(半|([一二三四五六七八九十\d]{1,3})分|一刻|三刻|钟|整)?"
    r"|\s*([ap]\.?m\.?)(?![a-z])|\s*(o'clock))",
    re.IGNORECASE,
)
_DAY_PART = re.compile(r"(上午|早上|早晨|凌晨|下午|晚上|傍晚|夜里|夜间|中午|今晚|晚|早)\s*$")
_PER_AFTER = re.compile(
    r"\s*(?:[/／每]\s*(?:一|1)?\s*(?:个(?=g))?|一(?:个(?=g))?|(?:钱)?1\s*个?(?=[mgk]b?(?![a-z])|兆)|(?:钱)?(?:per|an?|every|each)\s+(?:further\s+)?)(个?月|天|日|分钟|分(?![不没多少钱])|小时|次|年|季度|条|m(?:b)?|g(?:b)?|kb|兆|"
    r"month|day|minute|min|hour|year|week|call|text|trip|line|person|device|use)(?:[^\w]|$|(?=[\u4e00-\u9fff]))",
    re.IGNORECASE,
)
_PER_BEFORE = re.compile(
    r"(?:每|一)(?:个)?(月|天|日|分钟|小时|次|年|季度|条|兆|[mgMG][bB]?)[^，。；,;!！?？每一]{0,4}$|(月租|月费|按月|包月|月付|按天|日租|按分钟|按次|包年|年费)"
    r"[^，。；,;\d]{0,4}$|\b(monthly|daily|yearly|annual)\b[^,.;\d]{0,20}$",
    re.IGNORECASE,
)
_PERS = {
    "月": "month", "个月": "month", "月租": "month", "月费": "month", "按月": "month", "包月": "month", "月付": "month",
    "monthly": "month", "天": "day", "日": "day", "按天": "day", "日租": "day", "daily": "day", "分钟": "minute", "分": "minute",
    "min": "minute", "按分钟": "minute", "小时": "hour", "次": "use", "按次": "use", "use": "use", "年": "year", "yearly": "year",
    "annual": "year", "包年": "year", "年费": "year", "季度": "quarter", "条": "text", "兆": "MB", "m": "MB", "mb": "MB",
    "g": "GB", "gb": "GB", "kb": "KB",
}  # fmt: skip
_FREE = re.compile(
    r"免费|不收(?:任何)?(?:费|钱)|不另收费|不要钱|不花钱|分文不[收取]|不收取|零费用|免收|免去|不额外收|不产生(?:任何)?费用|无须付费|不用钱|"
    r"\bfree\b(?! (?:to|up|of (?:any|mis)))|\bno (?:extra |further |additional )?(?:charge|cost|fee)\b|\bwithout charge\b|"
    r"\bdoes(?:n't| not) cost\b|\bcosts? nothing\b|\bwon't cost\b|\bfor nothing\b|\bwith our compliments\b",
    re.IGNORECASE,
)
_NOT_FREE = re.compile(r"(?:不(?:是|再)?|并非|没有|\bnot |\bisn't |\bno longer )$", re.IGNORECASE)
_WHEN = {
    "now": r"立即|即时|马上生效|当场|实时|即刻|秒到|at once|immediately|straight ?away|instantly|right away|this minute",
    "today": r"当天|当日|今天|今日|the same day|today|tonight",
    "next_day": r"次日|第二天|明天|明日|隔天|the next day|tomorrow",
    "next_month": r"次月|下个?月|下月|next month|from the next bill|following month",
    "this_month": r"本月|这个月|当月|this month",
    "month_end": r"月底|月末|end of (?:the|this) month",
}
_WHENS = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _WHEN.items()]
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ENGLISH_DATE = re.compile(
    r"\b(?:(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(January|February|March|April|May|June|July|August|September|October"
    r"|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?(?:\s+(\d{1,2})(?:st|nd|rd|th)?\b)?|"
    r"\bthe\s+(\d{1,2})(?:st|nd|rd|th)\b"
)
_CODE = re.compile(
    r"[*#]+\d+(?:[*#]+\d*)*#?|(?<![A-Za-z\d])[A-Z]{2,}\d*(?![A-Za-z\d])|(?<![A-Za-z\d.*#])\d{4,}(?!\d|\.\d|\s*[年元块])"
)
_NO_CODE = frozenset("WIFI SIM VPN APN APP GB MB KB PIN PUK ID SMS USB OK TV PC NFC GPS IP DNS LTE VOLTE ESIM RMB VIP UTC AM PM "
                     "HD CD II III UK US USA EU ICU QQ AI IOS LED ROM NO YES".split())  # fmt: skip
_AGENT_BEFORE = re.compile(
    r"(?:工号|编号|客服|坐席|客户经理|专员|\b(?:agent|adviser|advisor|badge|staff|my id|id number))\s*(?:是|为|is|number|no\.)?\s*$",
    re.IGNORECASE,
)
_OPERATOR_BEFORE = re.compile(
    r"(?:您好|你好|喂)?[，,。]?(?:这里是|我是)?[\u4e00-\u9fff]{1,4}(?:移动|通信|电信|宽带)(?:客服)?"
)
_AGENT_AFTER = re.compile(r"\s*号(?!码|段)")
_GENERATION = re.compile(r"(?:支持)?[2-5]G(?=网|手机|信号|卡|用户|基站|终端|的?手机)|支持[2-5]G", re.IGNORECASE)
_HALF = re.compile(r"半(个月|年|小时|个小时|个钟头|天)|\bhalf an hour\b|\bhalf a (day|month|year)\b", re.IGNORECASE)
_A_UNIT = re.compile(r"\b(?:a|an|one) (second|minute|hour|day|week|fortnight|month|year)\b", re.IGNORECASE)

_NOTE = re.compile(r"\ba (fiver|tenner)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A typed fact at `text[start:end]`. `per` is "" where none is said, else day, month, minute, MB ..."""

    kind: str
    value: float | str
    unit: str
    per: str
    start: int
    end: int
    text: str

    def agrees(self, other: Quantity) -> bool:
        """Whether both say the same by value. A `per` that one leaves out does not disagree."""
        if not self.comparable(other) or (self.per and other.per and self.per != other.per):
            return False
        if isinstance(self.value, str) or isinstance(other.value, str):
            return self.value == other.value
        if self.kind == "money" and not (self.value and other.value):
            return self.value == other.value
        if self.kind == "clock" and "12h" in (self.unit, other.unit):
            return self.value % 720 == other.value % 720
        if self.kind == "clock":
            return self.value % 1440 == other.value % 1440
        if self.kind == "date" and "day" in (self.unit, other.unit):
            return self.value % 100 == other.value % 100
        if self.kind == "date" and "month" in (self.unit, other.unit):
            return self.value // 100 == other.value // 100
        if {self.unit, other.unit} == {"second", "workday"}:  # speakers say "three days" for working days
            days, rest = (self, other) if self.unit == "workday" else (other, self)
            return days.value * 86400 == rest.value
        if {self.unit, other.unit} == {"second", "month"}:
            months, rest = (self, other) if self.unit == "month" else (other, self)
            return 28 * months.value <= rest.value / 86400 <= 31 * months.value  # type: ignore[operator]
        return self.unit == other.unit and abs(self.value - other.value) <= 1e-6 * max(1.0, abs(other.value))

    def comparable(self, other: Quantity) -> bool:
        """Whether one could be held against the other: the same kind, and counts of the same thing."""
        if self.kind == "count":
            return self.kind == other.kind and self.unit == other.unit
        return self.kind == other.kind


@lru_cache(maxsize=4096)  # the same entries are held against reply after reply
def quantities(text: str) -> tuple[Quantity, ...]:
    """Every typed fact of the text, left to right, none overlapping another."""
    found: list[Quantity] = []
    for quantity in _candidates(text):
        if all(quantity.end <= other.start or quantity.start >= other.end for other in found):
            found.append(quantity)
    return tuple(sorted(found, key=lambda quantity: quantity.start))


def _candidates(text: str) -> Iterator[Quantity]:
    """Candidates in order of right of way."""
    yield from _dates(text)
    for number in numbers(text):
        yield from _around(text, number)
    for match in _HALF.finditer(text):
        word = match[1] or match[2] or "hour"
        yield _span(text, match, *_time(0.5, word.lower()))
    for match in _A_UNIT.finditer(text):
        yield _span(text, match, *_time(1, match[1].lower()))
    for match in _NOTE.finditer(text):
        yield _span(text, match, "money", 5.0 if match[1].lower() == "fiver" else 10.0, "GBP")
    for match in _FREE.finditer(text):
        if not _NOT_FREE.search(text[: match.start()]):
            yield _span(text, match, "money", 0.0, "")
    for name, pattern in _WHENS:
        for match in pattern.finditer(text):
            yield _span(text, match, "when", name, "")
    for match in _CODE.finditer(text):
        if match[0].upper() not in _NO_CODE and not _is_agent(text, match):
            yield _span(text, match, "code", match[0], "")
    for match in re.finditer(r"(?<=[\u4e00-\u9fff])(\d{2,3})(?![\d.号%点:：\-])", text):
        yield _span(text, match, "plan", float(match[1]), "")


def _is_agent(text: str, code: re.Match[str]) -> bool:
    """Whether a number is how the agent introduces itself: 客服0826号, 星桥移动7093, agent 0826."""
    after_name = len(code[0]) == 4 and bool(_OPERATOR_BEFORE.fullmatch(text[: code.start()]))
    return after_name or bool(_AGENT_AFTER.match(text, code.end()) or _AGENT_BEFORE.search(text[: code.start()]))


def _span(text: str, match: re.Match[str], kind: str, value: float | str, unit: str) -> Quantity:
    return Quantity(kind, value, unit, "", match.start(), match.end(), match[0])


def _time(value: float, unit: str) -> tuple[str, float, str]:
    if unit in _WORKDAYS:
        return "duration", value, "workday"
    if unit in _MONTHS:
        return "duration", value * _MONTHS[unit], "month"
    return "duration", value * _SECONDS[unit], "second"


def _around(text: str, number: Number) -> Iterator[Quantity]:
    """What the number is, by what stands after it and before it."""
    value, start, end = number.value, number.start, number.end
    before, after = text[:start], text[end : end + 1]
    if number.written == "chinese" and re.fullmatch("[一二两三四五六七八九]{2}", text[start:end]) and after != "折":
        return  # 一两分钟: about a number
    if after in ("多", "几", "来") or before.endswith(("第", "几")):
        return  # about a number, or an ordinal: nothing to compare
    if plan := re.match(r"\s*(?:元|块)?(?:的)?(?:\w{0,2})?(?:套餐|档)|[ -]plan\b", text[end : end + 8]):
        yield Quantity("plan", value, "", "", start, end + plan.end(), text[start : end + plan.end()])
        return
    if before.endswith("百分之"):
        yield Quantity("percent", value, "", "", start - 3, end, text[start - 3 : end])
        return
    sign = re.search(r"(?:S|A|C|US|HK|NZ)?([¥￥£€$₹])\s*$", before)
    if sign:
        yield _money(text, value, _CURRENCY[sign[1]], sign.start(), end)
    elif match := _AFTER_MONEY.match(text, end):
        yield _spoken_money(text, number, match)
    elif match := _AFTER_SPEED.match(text, end):
        yield Quantity("speed", value, "Mbps", "", start, match.end(), text[start : match.end()])
    elif _GENERATION.match(text[max(0, start - 2) : end + 4]) or _GENERATION.match(text[start : end + 4]):
        return  # 4G手机: a kind of network
    elif match := _AFTER_DATA.match(text, end):
        size = value * _SIZE[match[1].lower()]
        yield Quantity("data", size, "MB", "", start, match.end(), text[start : match.end()])
    elif match := _AFTER_CLOCK.match(text, end):
        yield from _clock(text, number, match)
    elif match := _AFTER_TIME.match(text, end):
        extra = 0.5 if match[1] or match[3] else 0.0
        kind, worth, unit = _time(value + extra, match[2].lower())
        yield Quantity(kind, worth, unit, "", start, match.end(), text[start : match.end()])
    elif match := _AFTER_PERCENT.match(text, end):
        yield Quantity("percent", _percent(value, match[1]), "", "", start, match.end(), text[start : match.end()])
    elif match := _AFTER_COUNT.match(text, end):
        unit = match[1].lower().rstrip("s")
        yield Quantity("count", value, unit, "", start, match.end(), text[start : match.end()])


def _percent(value: float, sign: str) -> float:
    """八折 is 80 % of the price, 八五折 85 %, 八成 80 %."""
    if sign in ("折", "成"):
        return value * 10 if value < 10 else value
    return value


def _money(text: str, value: float, unit: str, start: int, end: int) -> Quantity:
    after = _PER_AFTER.match(text, end)
    before = _PER_BEFORE.search(text[max(0, start - 24) : start])
    word = after[1] if after else next((group for group in before.groups() if group), "") if before else ""
    if after:
        end = after.end(1)
    return Quantity("money", value, unit, _PERS.get(word.lower(), word.lower()), start, end, text[start:end])


def _spoken_money(text: str, number: Number, match: re.Match[str]) -> Quantity:
    if match[1] is None:
        share = 100 if match[4] or match[7] else 10
        if match[5]:  # 两毛九
            cents = numbers(match[5])[0].value
            return _money(text, (10 * number.value + cents) / 100, "CNY", number.start, match.end())
        unit = "USD" if (match[4] or "").lower().startswith("cent") else "GBP" if match[4] else "CNY"
        return _money(text, number.value / share, unit, number.start, match.end())
    value, end = number.value, match.end()
    if spoken := match[2] or match[3]:
        tail = next((found.value for found in numbers(spoken)), 0.0)
        value += tail / (10 if tail < 10 else 100)
    elif number.written == "english" and (rest := re.match(r"\s+(?:and\s+)?(?=[a-z])", text[end:])):
        pence = next((found for found in numbers(text[end:]) if found.start == rest.end()), None)
        if (
            pence
            and pence.written == "english"
            and 1 <= pence.value < 100
            and not _AFTER_TIME.match(text, end + pence.end)
        ):
            value, end = value + pence.value / 100, end + pence.end
    return _money(text, value, _CURRENCY[match[1].lower()], number.start, end)


def _clock(text: str, number: Number, match: re.Match[str]) -> Iterator[Quantity]:
    if number.value > 24 or number.value != int(number.value):
        return
    tail = match[4] or ""
    minutes = int(match[1]) if match[1] else {"半": 30, "一刻": 15, "三刻": 45}.get(tail, 0)
    if match[5]:
        minutes = int(next((found.value for found in numbers(match[5])), 0))
    value = number.value * 60 + minutes
    part = _DAY_PART.search(text[: number.start])
    suffix = (match[2] or match[6] or "").lower().replace(".", "")
    if suffix == "pm" or (part and part[1] in ("下午", "晚上", "傍晚", "夜里", "夜间", "今晚", "晚")):
        value = value + 720 if value <= 720 else value
        unit = "24h"
    else:
        unit = "24h" if suffix == "am" or part or match[1] or value >= 780 else "12h"
    start = part.start() if part else number.start
    yield Quantity("clock", value, unit, "", start, match.end(), text[start : match.end()])


def _dates(text: str) -> Iterator[Quantity]:
    number = r"(\d{1,2}|[一二三四五六七八九十]{1,3})"
    for match in re.finditer(
        rf"(?:(?:20\d\d|[二零〇一三四五六七八九]{{4}})年)?{number}月(?:{number}[日号])?(?!租|费)", text
    ):
        month = next((found.value for found in numbers(match[1])), 0.0)
        day = next((found.value for found in numbers(match[2])), 0.0) if match[2] else 0.0
        yield _span(text, match, "date", month * 100 + day, "date" if day else "month")
    for match in re.finditer(rf"(?<![\d一二三四五六七八九十第]){number}[日号](?!线|楼|院|码|机|店|客服|常|用)", text):
        if text[match.end() - 1] == "日" and re.match(
            r"内|以内|以上|之内|前.{0,3}(?:预约|申请|提)|游|包", text[match.end() :]
        ):
            continue  # so many days, not a day of the month
        day = next((found.value for found in numbers(match[1])), 0.0)
        yield _span(text, match, "date", day, "day")
    for match in _ENGLISH_DATE.finditer(text):
        if match[4]:
            yield _span(text, match, "date", float(match[4]), "day")
        elif match[1] or match[3]:
            month = _MONTH_NAMES.index(match[2][:3].lower()) + 1
            yield _span(text, match, "date", month * 100 + float(match[1] or match[3]), "date")
