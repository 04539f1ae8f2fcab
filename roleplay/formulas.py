"""Turns of phrase that are a move beyond doubt, in both languages.

Patterns of SURE moves agree with the annotated replies that nothing is measured on in six to ten cases of
ten; the others are as plain, but the annotators name another move as often, so they count only where
nothing else of substance was heard. What is said in other words is left to the models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from roleplay.clauses import Piece

LIKELY = 0.9  # how likely a move is that a formula makes
SURE = {
    "zh-CN": frozenset("apologise verify close act check_satisfied transfer hold restate pitch".split()),
    "en": frozenset("apologise verify close act check_satisfied transfer restate".split()),
}

_CHINESE = {
    "act": [
        r"(?:我|这边)(?:现在|马上|这就|立刻|立即|即刻)(?:就)?(?:为|给|帮|替)您(?!转)",
        r"已经?(?:为|给|帮|替)您(?:办|开|登记|提交|取消|退|处理|申请|关|设|查|补)",
        r"我(?:来|这就)(?:为|给|帮|替)您(?:办|开|登记|提交|取消|退|申请|关|设|补)",
        r"(?:办|开|登记|提交|取消|关|设置|补)好了",
    ],
    "propose": [
        r"(?:需要|要不要|要|愿意)(?:我)?(?:现在)?(?:就)?(?:为|给|帮|替)您.{1,14}[吗？]",
        r"(?:为|给|帮|替)您(?:办|开|登记|提交|取消|申请|关|换|订|改).{0,16}(?:好吗|可以吗|行吗|好不好|您看)",
        r"建议您",
        r"您(?:可以|不妨)(?:考虑|选择)",
        r"我的建议",
        r"您看.{0,12}(?:行吗|可以吗|好吗|如何|怎么样)",
    ],
    "timeframe": [
        r"(?:\d+|[一二两三四五六七八九十]+|半)(?:个)?(?:分钟|小时|工作日|天|日)(?:之?内|以内|"
        r"左右)?.{0,8}(?:回(?:复|电|您)|答复|到账|处理|恢复|联系|生效|完成|办好|给您|上门)",
        r"(?:今天|明天|今晚|下午|晚上|上午).{0,8}点(?:之?前|以前).{0,12}(?:给您|回|联系|恢复|上门)",
    ],
    "hold": [
        r"(?:请|麻烦|劳驾)您?(?:先)?(?:在线)?稍(?:等|候)",
        r"不要挂(?:机|断|电话)",
        r"(?:请|麻烦)您?等.{0,6}(?:分钟|秒|一会|片刻)",
    ],
    "transfer": [
        r"(?:为|给|帮|替)您转(?:接|到|给|过去)",
        r"(?:转接|转到|转给)(?:到)?.{1,10}(?:专员|部门|人工|主管|专席|组|坐席|同事)",
    ],
    "reschedule": [
        r"(?:什么|哪个)时(?:间|候).{0,8}(?:方便|给您打|联系您|回电)",
        r"(?:换个|改)(?:时间|天).{0,8}(?:打|联系|来电)",
        r"(?:稍后|晚点|改天|下次)再(?:给您)?(?:打|联系|来电)",
    ],
    "restate": [
        r"(?:跟|和|与|向)您(?:确认|核对)(?:一下|一遍)?[，：:]",
        r"您(?:的意思|是说|是想|说的是).{2,40}(?:对吗|是吗|是不是|对不对)[？?]",
        r"我复述",
        r"我重复一[下遍]",
    ],
    "ask_closed": [
        r"(?:是不是|有没有|能不能|是否|要不要|对不对|还是).{1,20}[？?]$",
    ],
    "pitch": [
        r"(?:给|向|为)您(?:推荐|介绍)",
        r"我们(?:现在|目前|最近|近期)?(?:推出|有一?[款个项](?:新|优惠|超值|活动))",
        r"(?:现在|今天|本月|目前)(?:办理|开通|订购|参加).{0,12}(?:优惠|送|赠|立减|享|打折)",
        r"优惠活动",
        r"特别(?:优惠|适合您)",
        r"(?:限时|专属|新)(?:优惠|套餐)",
    ],
    "verify": [
        r"身份证(?:号码?)?(?:的?后)?.{0,2}四位",
        r"证件(?:号码?)?(?:的?后).{0,2}[四六]位",
        r"核(?:实|对|验)一?下?(?:您的)?身份",
        r"(?:机主|您的?)姓名.{0,10}(?:证件|身份证)",
    ],
    "check_satisfied": [
        r"还有(?:什么|其他|别的|没有其他).{0,16}(?:帮|需要|问题|办)",
        r"(?:其他|别的)需要.{0,4}[吗？]",
    ],
    "apologise": [
        r"(?:很|非常|十分|真|实在|真是|实在是)?(?:抱歉|对不起)",
    ],
    "close": [
        r"再见",
        r"祝您.{1,12}[。！]$",
    ],
}  # fmt: skip
_ENGLISH = {
    "act": [
        r"\bI(?:'ve| have) (?:just |now |already )?(?:added|switched|set|sent|cancelled|changed|booked|logged|"
        r"registered|raised|credited|refunded|reset|removed|opened|ordered|put|turned|lifted|stopped|taken|"
        r"moved|noted|blocked)\b",
        r"\bI'll (?:\w+ )?(?:do|set|add|cancel|switch|send|book|log|register|raise|reset|remove|order|change|"
        r"refund|credit|open|put|turn|lift|stop|block|arrange|check|look)\b",
        r"\bI'm (?:just |now )?(?:adding|switching|setting|sending|cancelling|changing|booking|logging|"
        r"raising|ordering|checking|looking|refunding)\b",
    ],
    "propose": [
        r"\bshall I\b",
        r"\bwould you like (?:me )?to\b",
        r"\bwould you like (?:that|it|one|this|me)\b",
        r"\bI(?:'d| would) (?:suggest|recommend)\b",
        r"\bI can (?:\w+ )?(?:add|set|switch|book|send|put|change|order|offer|arrange|cancel|register|log)\b",
        r"\bmay I (?:add|set|switch|book|send|put|change|order|arrange|cancel|do|register|log)\b",
        r"\bdo you want me to\b",
        r"\bhow about\b",
        r"\bwould (?:that|it) (?:suit|help|be all right|work)\b",
    ],
    "alternative": [
        r"\bwhat I can do\b",
        r"\balternatively\b",
        r"\banother (?:way|option)\b",
        r"\bor (?:I|we) can\b",
        r"\bor else\b",
    ],
    "timeframe": [
        r"\b(?:within|in|by|before|takes?) (?:\w+ ){0,3}(?:minutes?|hours?|(?:working |business )?days?|noon|"
        r"tomorrow|tonight|today|monday|tuesday|wednesday|thursday|friday|saturday|sunday|\d+ ?[ap]m)\b",
    ],
    "hold": [
        r"\b(?:bear with me|hold (?:on|the line)|(?:one|a) moment|may I (?:put|place) you on hold|"
        r"stay on the line|while I (?:check|look))\b",
    ],
    "transfer": [
        r"\b(?:put|putting|pass|transfer|transferring|connect|connecting) you (?:through |over |straight |"
        r"on )*(?:to|with)\b",
        r"\bput you through\b",
    ],
    "reschedule": [
        r"\b(?:call|ring) you (?:back )?(?:at|on|another|later|tomorrow|this|when)\b",
        r"\b(?:what|which) time (?:would |might )?suits?\b",
        r"\bbetter time\b",
        r"\bwhen (?:would|is|might) (?:be )?(?:a )?(?:good|better|convenient)\b",
    ],
    "restate": [
        r"\b(?:so|just) to (?:confirm|check|be sure|make sure)\b",
        r"\blet me (?:repeat|read (?:that|it) back|say (?:that|it) back|make sure I)\b",
        r"\b(?:is that|have I got that|did I get that|is this) (?:right|correct)\b",
    ],
    "ask_closed": [
        r"^(?:and |so |but )?(?:is|are|do|does|did|have|has|was|were)\b.{3,}\?$",
    ],
    "pitch": [
        r"\b(?:special|exclusive|great|new|limited) (?:offer|deal|plan|package|price)\b",
        r"\bupgrade (?:you|to)\b",
        r"\bwould you be interested\b",
        r"\binterested in\b",
        r"\bI'm (?:calling|ringing) (?:to|with|about).{0,30}(?:offer|deal|plan|upgrade|discount)\b",
        r"\bsign(?:ed)? (?:you )?up\b",
    ],
    "verify": [
        r"\b(?:full name|date of birth|last (?:four|4) digits|security (?:word|question|answer)|"
        r"postcode)\b.{0,40}\?",
        r"\b(?:verify|confirm) (?:who|your (?:name|identity|account))\b",
    ],
    "check_satisfied": [
        r"\b(?:anything|something) else\b",
    ],
    "apologise": [
        r"\bI(?:'m| am) (?:so |very |really |truly |terribly )?sorry\b",
        r"\b(?:I|we) apologi[sz]e\b",
        r"\bmy apologies\b",
    ],
    "close": [
        r"\bgoodbye\b",
        r"\bhave a (?:good|lovely|nice|great|pleasant)\b",
        r"\btake care\b(?=\W*$|[.,!;]|\s+(?:now|then|of yourself)\b)",
    ],
}  # fmt: skip
_FORMULAS = {
    language: {move: re.compile("|".join(patterns), re.IGNORECASE) for move, patterns in table.items()}
    for language, table in (("zh-CN", _CHINESE), ("en", _ENGLISH))
}


def formulas(pieces: Sequence[Piece], language: str) -> Iterator[tuple[str, Piece]]:
    """The moves that formulas make, each with the first sentence that holds one."""
    for move, pattern in _FORMULAS[language].items():
        piece = next((piece for piece in pieces if pattern.search(piece.text)), None)
        if piece is not None:
            yield move, piece
