"""The words by which something is beyond doubt: a goodbye, a question for the name, a promise nobody can keep.

Patterns in both languages, and nothing else; what they mean to a customer stands in `noticed`.
"""

from __future__ import annotations

import re

CHINESE_NUMERALS = str.maketrans("零〇一二三四五六七八九", "00123456789")
LEAVE = re.compile(
    r"(?:可以|好|行|方便|同意|需要|要|愿意)[^，。？?]{0,8}[吗么][？?]|您看[^。？?]{0,12}[？?]|要不要|"
    r"\b(?:shall i|would you like|is that (?:all right|okay|ok)|would that|do you want me|do you mind)\b|"
    r"\bmay i\b(?! (?:also |just )?(?:ask|have|know|take|get)\b)",
    re.IGNORECASE,
)
# What is said when a call is closed.
GOODBYE = re.compile(
    r"再见|拜拜|祝您|祝你|挂机|挂断|挂了|感谢您的(?:来电|接听|支持)|谢谢您的来电|回访结束|到此结束|"
    r"\b(?:good)?bye\b|\bhave a (?:nice|good|lovely|pleasant|great|safe)|\bwish you\b|"
    r"\btake care\b(?=\W*$|[.,!;]|\s+(?:now|then|of yourself|and (?:good)?bye)\b)|"
    r"\b(?:good night|good luck|god bless(?: you)?|all the best|safe (?:journey|travels|trip home)|fair winds)\b[^.?!]{0,30}[.!]*\s*$|"
    r"\bcheerio\b|\bgive my (?:best|regards|love) to (?:your|the|him|her|them)\b|"
    r"\bthank(?:s| you) for (?:calling|ringing|your (?:call|time|patience))|\bclosing this\b|\bhanging up\b",
    re.IGNORECASE,
)
FAREWELL = re.compile(
    r"再见|拜拜|请挂机|回访结束|通话到此结束|\b(?:good)?bye\b|\bcheerio\b|\bclosing this\b|\bhanging up now\b",
    re.IGNORECASE,
)
ABOUT_IDENTITY = re.compile(
    r"姓|名|称呼|证件|身份|后[四4]|尾[四4]|[四4]位|机主|户主|本人|核[对实]|资料|"
    r"\b(?:name|called|id|passport|permit|holder|identity|four|4|digits|verify|who am i|speaking (?:to|with)|details|character)",
    re.IGNORECASE,
)
OF_ONESELF = re.compile(r"我|\b(?:i|we)\b", re.IGNORECASE)
WHO_ARE_YOU = re.compile(
    r"(?:是|您是)[^，。？?]{0,10}(?:本人|机主)(?:本人)?[吗吧？?]|\bam i (?:speaking|talking) (?:to|with)\b|\bis (?:that|this) (?:the|mr|ms|mrs|miss)\b",
    re.IGNORECASE,
)
IS_IT = re.compile(
    r"(?:请问|您)?(?:是|您是|就是)[^，。？?]{0,8}(?:先生|女士|小姐|阿姨|大爷|老师|师傅|总|本人)?(?:本人)?[吗吧么？?]|"
    r"\b(?:am i (?:speaking|talking) (?:to|with)|is (?:that|this)|are you|you(?:'re| are))\b",
    re.IGNORECASE,
)
TELL_ME = re.compile(
    r"报|[说讲提]供?一?下|核[对实]|什么|叫啥|\b(?:tell|give|confirm|verify|what|take|have) (?:me |us )?(?:the|your)\b",
    re.IGNORECASE,
)
DIGITS_OF_ID = re.compile(r"[后四4]位|证件|身份证|\bfour\b|\bid\b|passport", re.IGNORECASE)
ASKS_NAME = re.compile(
    r"贵姓|怎么称呼|您?叫什么|您的(?:姓名|名字)|\byour (?:full |first |last )?name\b|\bwho am i (?:speaking|talking)",
    re.IGNORECASE,
)
# The check as it is asked for without a question: "I need the name and the last four characters of the ID".
NEEDS_IDENTITY = re.compile(
    r"(?:报|说|讲|提供|告诉|需要|要)[^。！？!?]{0,12}(?:姓名|名字)[^。！？!?]{0,14}[后末尾][四4][位个]|"
    r"\b(?:need|say|tell|give|have|provide|spell)\b[^.?!]{0,30}\bname\b[^.?!]{0,60}\b(?:last|final) (?:four|4)\b",
    re.IGNORECASE,
)
ASKS_MANDARIN = re.compile(
    r"(?<!我[说讲])(?<!的是)(?:普通话|国语)|听不(?:太)?懂|没(?:有)?(?:太)?听懂|\b(?:standard|plain|plainer) english\b|\bmore (?:slowly|plainly)\b|"
    r"\bnot (?:quite )?(?:follow|understand)\w* (?:you|what you)\b|\bdidn't (?:quite )?(?:follow|understand)\b",
    re.IGNORECASE,
)
SPARES = re.compile(
    r"(?:不|别|不要|不用|不能|哪能)(?:太|总|老|全)?(?:怪|责怪|自责|怨)|不是[您你他她][^，。]{0,3}(?:错|责任)|"
    r"\b(?:not|n't|no|never|nobody)\b[^.?!,]{0,16}\b(?:blame|blaming|fault)\b",
    re.IGNORECASE,
)
INSISTS = re.compile(
    r"我(?:是|只|就是)(?:想)?(?:问|说)|不是问|我的意思是|\bi(?:'m| am) (?:not )?(?:only |just )?asking\b|\bi (?:only |just )?(?:want to know|meant?)\b",
    re.IGNORECASE,
)
ASKS_WHEN = re.compile(
    r"(?:什么时[候间]|几点|哪天|何时)[^，。？?]{0,14}(?:方便|合适|有空|打给|给您打|回电|联系|在家)|"
    r"(?:方便|合适|有空)[^，。？?]{0,4}(?:的)?时间|"
    r"\b(?:what (?:time|day)|when|which (?:time|day))\b[^.?!]{0,30}\b(?:suits?|convenient|best|good|disturbs?|reach you|call you|ring you|"
    r"be (?:in|home)|at home|free)\b|\b(?:good|better|best|convenient) time\b[^.?!]{0,20}\?",
    re.IGNORECASE,
)
# What stands before the matter of a sentence and says nothing of it.
PREFACE = re.compile(
    r"^(?:(?:那|其实|另外|还有|就是|然后|对了)[，,]?)?(?:(?:我|我们|我这边|我们这边|这边|系统|后台|记录)(?:里|上|这里)?(?:显示|看到|查到|查了一下|看了一下|看了下|查了下)(?:的是)?"
    r"|(?:我)?先(?:问|说|讲)(?:最?要紧的|重要的|清楚|明白|您?一(?:下|声|句|点|件事))?|最要紧的是?[^，。：:？]{0,4}|跟您(?:说|讲|说明|解释)(?:一下|一声|清楚)?|(?:需要|要)?提醒您(?:一下|一声|的是)?|(?:只)?是(?:个)?友情提醒|简单(?:说|讲)|说白了|也就是说|是这样(?:的)?|这样)[：:，,]|"
    r"^(?:(?:and|but|so|well|okay|right|now|also|then)[, ]+)*(?:(?:it['’]s|this is) (?:only |just )?a (?:\w+ )?reminder(?::| that)|"
    r"(?:our|the|my) (?:system|screen|records?) (?:shows?|says?|tells? me) (?:here )?(?:that )?|"
    r"(?:from here )?i can see (?:here |from (?:here|our records) )?that |(?:just )?(?:to let you know|so you know),? (?:that )?|"
    r"what (?:people|many|most|you)[^,.]* is (?:this:? |that )|the (?:thing|point|good news|bad news) is,? (?:that )?|"
    r"i should (?:tell you|say|mention) (?:that )?|please note that |(?:let me|i['’]d like to|i have to|i must) (?:tell|remind|warn) you (?:that )?|"
    r"as far as i can see,? )",
    re.IGNORECASE,
)
# Two things side by side, of which one is to be chosen.
OPTIONS = re.compile(
    r"(?:是|想要?|要|选|走|用|喜欢)?([^，。？?、是想要选]{1,12}?)[，、]?还是(?:想要?|要|选|走|用)?([^，。？?、]{1,12}?)"
    r"(?:[呢呀啊]|更?(?:好|方便|合适))?[？?，。]|"
    r"\b(?:the|a|an|your|my|on|by|in|at|to)? ?([\w£$'’-]+(?: [\w£$'’-]+){0,3}),? or (?:would you (?:rather|prefer) |rather )?"
    r"([\w£$'’-]+(?: [\w£$'’-]+){0,7})\?",
    re.IGNORECASE,
)
PERSON = re.compile(
    r"\b(?:i|me|my|we|us|our|you|your)\b|\b(?:i|we|you)['’]|^(?:is|are|do|does|did|would|should|shall|can|could|will|have|has)\b",
    re.IGNORECASE,
)
MORE = re.compile(
    r"还有(?:什么|啥|别的|其他)|别的(?:事|问题)|是不是(?:漏|忘)了|\b(?:anything|something|what) else\b|\bdid i (?:forget|miss)\b",
    re.IGNORECASE,
)
FORGOTTEN = re.compile(
    r"(?:漏|忘)[了掉][^，。？?]{0,4}(?:什么|啥|没有|吗|没)|\b(?:did|have) i (?:forg[eo]t\w*|miss(?:ed)?|overlook\w*|le(?:ave|ft) (?:\w+ )?out)\b",
    re.IGNORECASE,
)
# A question that only begins like a request for leave.
MAY_ASK = re.compile(
    r"\b(?:may|can|could|might) i (?:just |also |quickly |then )?"
    r"(?:ask (?:you )?(?:for |what|who|how|when|where|why|which|whether|if)|have your)\b|"
    r"(?:方便|[能想])问(?:一?下)?[^。？?]{0,12}(?:什么|啥|谁|哪|几|多少|怎么)|方便(?:告诉|说|报|提供|留)",
    re.IGNORECASE,
)
ANOTHERS_NAME = re.compile(r"[她他](?:们)?(?:叫|的?(?:名字|姓))|\b(?:his|her|their) name\b", re.IGNORECASE)
# One thing or nothing, which a yes answers: no choice of two.
OR_NOT = re.compile(r"([要办开订换退取停锁试留])不\1|\bor (?:not|leave it|nothing)\b", re.IGNORECASE)
# A question about the customer itself, in which nothing is offered.
NO_OFFER = re.compile(
    r"^(?:and |so |but |now,? |well,? )*(?:(?:do|did|have|had|are|were) you\b"
    r"(?! (?:want|like|need|mind|agree|accept|prefer|okay|ok\b|happy|all right|fine|good|with me|ready|sure))|"
    r"(?:who|whom|what|how (?:many|much|long|old|often)|why)\b)(?!.*\b(?:i|we|me|us)\b).*\?",
    re.IGNORECASE | re.DOTALL,
)
WHICH_TIME = re.compile(r"\b(?:which|what) (?:hour|time|day)\b|哪个?(?:时间|时段|天)|几点", re.IGNORECASE)
# Something else of the matter, and no offer to close: "is anything else connected?"
MORE_OF_IT = re.compile(
    r"\b(?:is|was|has|have|are|does|did) (?:there )?(?:anything|something|anybody|anyone) else (?:that (?:is|was|has) )?"
    r"(?!bother|worr|troubl|unclear|you\b|i\b|we\b|that\b|to\b|for\b|today\b|about\b|on\b|at\b|then\b|with\b|or\b|and\b|in\b)\w+",
    re.IGNORECASE,
)
THAT_ALL = re.compile(
    r"(?:(?:and|so|okay|right|well)[, ]+)?\b(?:was|is|will) that (?:be )?(?:all|everything|it)(?: then| for today)?\s*\?",
    re.IGNORECASE,
)
STORY = re.compile(
    r"什么事|怎么(?:回事|个情况)|想(?:说|问|办|反映|咨询)(?:点)?(?:什么|啥)|"
    r"\bwhat(?:'s| is| has)? (?:the (?:matter|problem|trouble)|happened|it about|it,|wrong)\b|"
    r"\bwhat (?:are you|is it you(?:'re)?) (?:ringing|calling) (?:about|for)\b",
    re.IGNORECASE,
)
INVITES = re.compile(
    r"(?:慢慢|仔细)(?:说|讲)|(?:您|你)(?:说|讲)(?:吧|，我听)|尽管(?:说|讲|问|提|吩咐)|请(?:说|讲)(?:[。！，]|$)|"
    r"\btell me (?:what|more|all|about it)\b|(?:^|please |do )go ahead[.!]?$|\bi['’]m listening\b|"
    r"\b(?:how can i help|what can i do for you)\b",
    re.IGNORECASE,
)
OUTCOME = re.compile(
    r"(?:显示|出现|出来|变成)(?:的是)?(?:什么|啥)|有(?:没有)?(?:什么)?反应|怎么样了?|好了[吗没么]|行了[吗没么]|"
    r"\bwhat (?:happens|do you (?:see|get)|does (?:it|the \w+) (?:say|show)|comes up|is (?:on|written))\b|\bis it \w+ing\b",
    re.IGNORECASE,
)
WORRIES = re.compile(
    r"(?:有|什么|啥|哪些|还)[^，。？?]{0,6}(?:担心|顾虑|不放心|犹豫)|(?:是不是|是否)(?:在)?(?:担心|有顾虑|犹豫)|"
    r"\b(?:any|what|which|something|anything)\b[^.?!]{0,24}\b(?:worr(?:y|ies|ied|ying)|concerns?|doubts?|bothers?|puts? you off)\b|"
    r"\bare you (?:still )?(?:worried|unsure|hesitating)\b",
    re.IGNORECASE,
)
WISHES = re.compile(
    r"祝[您你大全家老]|(?:节日|新年|生日)快乐|一路(?:顺风|平安)|路上小心|保重|\b(?:all the best|good luck|safe (?:journey|trip|travels)|"
    r"happy (?:new year|christmas|birthday)|mind how you go|have (?:a|yourself a) (?:\w+ ){0,2}(?:day|evening|weekend|trip|night|week)|"
    r"enjoy your|(?:i )?wish you)\b|\btake care\b(?! of (?!yourself))",
    re.IGNORECASE,
)
ASSENT = re.compile(
    r"(?:^|[，。！…、 ])(?:行|好|成|中|可以|要得|妥|得嘞|同意)|[办弄开关停锁登来记做报查]吧|赶紧|同意|没问题|(?:听|依|随)[你您]的|"
    r"都行|就这么[办定着]|"
    r"\b(?:yes|yeah|aye|sure|go ahead|do (?:it|that|so)|fine|please do|okay|suits me|agreed|by all means|let's|go on,? then|why not|"
    r"no problem|of course|certainly|(?:put|count) me (?:down|in)|that(?:'ll|'d| will) do|i(?:'d| would) be (?:glad|happy|grateful))\b",
    re.IGNORECASE,
)
_NAMED = r"[\u4e00-\u9fff]{1,2}(?:先生|女士|小姐|阿姨|大爷|师傅|老师|总)"
# Thanks in passing, at which nobody warms.
BARE_THANKS = re.compile(
    r"(?:好[的嘞]?|嗯|行|那|明白|收到|知道|了解)?[了，,。 ]*(?:那?(?:就|先)这样(?:吧|了)?[，,])?"
    rf"(?:{_NAMED}[，,])?(?:谢谢|感谢|多谢|谢了)(?:[您你]|[，,]?{_NAMED})?(?:的)?"
    r"(?:配合|耐心|理解|等待|接听|来电|支持|确认|告诉我(?:这些)?|告知|反馈|提供)?[，,]?(?:再见|拜拜)?[。！!，,～~]*|"
    r"(?:(?:okay|ok|right|great|good|perfect|lovely|then|and|well|noted|that works|that helps)[,.! ]*)*"
    r"(?:(?:thanks|thank you|cheers|much appreciated|that helps|that works)(?: (?:so |very )?much| a lot)?"
    r"(?:,? (?:mr|mrs|ms|miss|dr|sir|madam|ma'am)\.?(?: [a-z][\w'’-]+){0,2})?"
    r"(?: for (?:that|this|confirming(?: that)?|checking(?: that)?|(?:doing|trying) (?:that|this|so)|waiting|holding|"
    r"telling me(?: that)?|letting me know|explaining(?: that)?|calling|your (?:patience|time|help|call)"
    r"(?: with this)?|the details))?)?[,.! ]*",
    re.IGNORECASE,
)
# Whether something that was to be done is done: the photo is sent, the box is on again.
DONE_YET = re.compile(
    r"[好完到成上掉开通出发来亮传拍]了(?:没有?|[吗么嘛])|成功(?:了)?(?:没有?|[吗么嘛])|现在能\w{0,6}[吗么]|有(?:没有)?用[吗没么？?]|管用[吗没么]|"
    r"\b(?:have you|did you|has it|is it|are you)\b[^.?!]{0,30}\b(?:done|sent|uploaded|found|managed|through|finished)\b|"
    r"\bdid (?:that|it) (?:work|help)\b|\bdoes it (?:work|dial|ring|load|connect|open) ?(?:now|again)?\?|^(?:all )?done(?: it| that)?\?",
    re.IGNORECASE,
)
GRASPED = re.compile(
    r"听|明白|清楚|懂|记(?:住|下|得|清|好)|\b(?:clear|understand|follow|hear|catch|got (?:that|it)|noted)",
    re.IGNORECASE,
)
# Whether a message has arrived; that it is just being sent; and that one of long ago is meant.
TEXT_DUE = re.compile(
    r"(?:短信|信息|消息|通知|链接)[^。！？?]{0,16}(?:到了|来了|收到|看到|看见)[^，。！？?]{0,3}(?:没有?|吗|么|吧)|"
    r"(?:收到|看到|看见)[^，。！？?]{0,6}(?:短信|信息|消息|通知|链接)[^，。！？?]{0,2}(?:没有?|吗|么|吧)|"
    r"\b(?:text|message|sms|link)\b.*\b(?:(?:has|did) (?:it|that|the \w+|my \w+) (?:arrived?|come(?: through)?(?! (?:back|up|on))|land(?:ed)?|get there)|"
    r"(?:did you get|have you (?:got|had|received)|can you see|do you see) (?:it|the \w+|that \w+))\b|"
    r"\b(?:has|did) (?:the|my|that) (?:text|message) (?:arrived?|come|land(?:ed)?|get there)|"
    r"\b(?:can you see|do you see|have you (?:got|had|received)) (?:the|my|that) (?:text|message)\b",
    re.IGNORECASE | re.DOTALL,
)
JUST_SENT = re.compile(
    r"刚刚?(?:才)?(?:给[您你])?发|发(?:过去|出去|给[您你]|到[您你]|[您你])|给[您你]发|现在看一[眼下](?:您的)?手机|看(?:一)?下(?:您的)?手机|"
    r"\b(?:just (?:sent|texted)|i(?:'ve| have) (?:sent|texted)|sending you|on its way|check your phone|you should (?:be getting|have) a (?:text|message))\b",
    re.IGNORECASE,
)
LONG_AGO = re.compile(
    r"当时|之前|以前|那会儿|那天|上周|上个?月|昨天|前天|过没有|[发收看]到?过(?!去)|开通的?时候|[停欠][^，。]{0,4}前|骗子|"
    r"\b(?:back then|at the time|last (?:week|month)|yesterday|when you (?:landed|signed|ordered)|before)\b",
    re.IGNORECASE,
)
STEP = re.compile(
    r"按(?!照|时|理|规)|点(?:一下|开|击|进)|打开|关掉|重启|插|拔|输入|拨|试试|试一下|扫|"
    r"\b(?:press|tap|type|open|switch|turn|restart|plug|unplug|dial|try|enter|scan|hold down|put)\b",
    re.IGNORECASE,
)
TIME_OF_DAY = re.compile(
    r"[上下中]午|早上|晚上|傍晚|夜里|[今明后]天|(?:周|星期|礼拜)[一二三四五六日天末]|[下这]周|[\d一二三四五六七八九十]+[点号]|"
    r"\b(?:morning|afternoon|evening|noon|weekend|today|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?\b",
    re.IGNORECASE,
)
ASIDE = re.compile(r"^(?:那|就)?[您你](?:看|觉得|希望|更?喜欢|想)?(?:是|要)?")  # before an option, and no part of it
OPEN_QUESTION = re.compile(
    r"^(?:and |so |now,? )?(?:how|when|where|which|who) (?:shall|should|can|do|would) (?:we|i|you)\b|"
    r"(?:怎么|几点|什么时[候间]|哪[天里个儿])[^，。？?]{0,10}[？?]$",
    re.IGNORECASE,
)
YOURS = re.compile(
    r"^(?:is (?:that|everything) |are we |everything(?:'s| is)? )?(?:all )?(?:good|clear|set)(?: so far| then| now)?\?|"
    r"\b(?:could|can|will|would) you (?:do (?:that|it|this)|manage|go|be able)\b|"
    r"您(?:能|能不能|自己)[^，。？?]{0,8}(?:去|做|办)(?:得了|到)?[^，。？?]{0,3}[吗不么]",
    re.IGNORECASE,
)
WOULD_REPEAT = re.compile(
    r"(?:要不要|需不需要|用不用|需要)我再|我[说讲][^，。？?]{0,4}清楚了?(?:吗|没|么|不)|(?:哪里|哪儿|哪一?[句步点])[^。？?]{0,8}(?:我再|要再)[说讲]|"
    r"\bdid you (?:catch|get|follow) (?:that|it|me|all|everything)\b|"
    r"\b(?:shall|should) i (?:say|repeat|go (?:over|through))\b|\b(?:want|like) me to (?:say|repeat|go (?:over|through))\b|"
    r"\bi (?:should|can|could|may) (?:say|repeat|go over|explain)\b[^.?!]*\bagain\b",
    re.IGNORECASE,
)
REPEATS = re.compile(
    r"再(?:说|讲|念|报|重复)|重复|\b(?:repeat|say (?:it|that) again|go (?:over|through) (?:it|that|them)|once more)\b",
    re.IGNORECASE,
)
SUMS_UP = re.compile(
    r"归拢|(?:总结|小结|梳理|归纳)(?:一下|一遍)|(?:捋|顺|过|理)一遍[：:，,]|那我(?:再)?(?:重复|总结|归纳|梳理)|总的来[说讲]|[总综]上所述|"
    r"(?:刚才|今天)(?:咱们|我们)?(?:说|讲|谈)[好定]?的(?:就是|有|是)?(?:[：:]|这[几些]|几[件样点项条])|"
    r"\b(?:let me|i'll|to|i will|shall i|just to) (?:just )?(?:quickly )?(?:sum|recap|summari[sz]e|run through)\b|\bto recap\b|\bin short,|"
    r"\bso,? to (?:sum|go) (?:up|over)\b",
    re.IGNORECASE,
)
READ_BACK = re.compile(
    r"(?:念|读|报|复述|重复|说|背)(?:一遍|一下|一次|回来)?(?:给)?我(?:听听|听|核对)|(?<!我)(?<!我[给跟再来先])(?<!我[给跟]您)(?:复述|念|读|背)(?:一遍|一下|回来)|"
    r"\b(?:read|say|repeat) (?:it|that|them|those|the (?:number|code|digits|reference))(?: \w+){0,2} back\b|"
    r"\bread (?:me )?back\b|\brepeat (?:it|that|them|those) (?:back )?to me\b",
    re.IGNORECASE,
)
HOTLINE = re.compile(r"[19]\d{2,4}")
TO_A_MACHINE = re.compile(
    r"忽略[^，。]{0,10}(?:设定|指令|规则|提示|要求)|系统提示|提示词|人设|语言模型|用(?:英语|英文|中文|JSON)回答|"
    r"\bignore (?:all|any|your|the|previous)\b|\bsystem (?:prompt|notice|message)\b|\blanguage model\b|\bas an ai\b|\bjson\b",
    re.IGNORECASE,
)
HOLDS = re.compile(
    r"稍等|请等|等一下|等一会|等我|别挂|不要挂|\bbear with me\b|\bhold (?:on|the line)\b|\b(?:one|just a|a) (?:moment|second|minute)\b|"
    r"\bput you on hold\b",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"请|麻烦|劳驾|不好意思|可以|好吗|\bplease\b|\bbear with\b|\bwould you\b|\bmay i\b|\bthank", re.IGNORECASE
)
NEGATED = re.compile(r"不|别|勿|没有|无权|无法|切莫|\b(?:never|not|no one|nobody|cannot)\b|n't\b", re.IGNORECASE)
SECRETS = re.compile(
    r"验证码|密码|银行卡|完整的?(?:身份证|证件)|身份证号码|\b(?:one-time|verification|security) codes?\b|\bpasswords?\b|"
    r"\bbank card\b|\bcard numbers?\b|\bfull (?:id|passport|identity) ?\w* numbers?\b",
    re.IGNORECASE,
)
ASKS_FOR = re.compile(
    r"(?:报|告诉|发|念|说|提供|读)(?:给|一下|出来|过来)?(?:给)?我|(?:报|念|说|提供|告诉)一下|报[上过]来|"
    r"\b(?:tell|give|read|send)(?: \w+)? (?:it |them )?(?:out )?(?:to )?(?:me|us)\b|\b(?:may|can|could) i (?:have|get|take)\b|"
    r"\bi(?:'ll| will)? need your\b",
    re.IGNORECASE,
)
OTHERS = re.compile(
    r"(?:上一?[个位]|前一?[个位]|另外?一[个位]|其中一[个位]|有[一]?[个位]|隔壁|同小区的?)[^，。！？不]{0,12}姓[\u4e00-\u9fff]|"
    r"(?:爱人|老婆|老公|妻子|丈夫|儿子|女儿|邻居|同事|朋友|机主)[^，。！？不没]{0,8}(?:号码|账户|账单)[^，。！？不没无]{0,4}"
    r"(?:能查|查到|看到|打了|打过|欠|余额)|别人的(?:号码|账单|资料|记录)[^，。！？不没无]{0,3}(?:可以|也?能|都能)|"
    r"\b(?:last|previous|another|other) (?:customer|caller)\b[^.?!]{0,30}\b(?:called|named|lives|owes|spent|paid|is a)\b|"
    r"\byour (?:wife|husband|son|daughter|neighbou?r|colleague)(?:'s)? (?:\w+ )?(?:called|rang|owes|spent|number made)\b",
    re.IGNORECASE,
)
TOO_GOOD = re.compile(
    r"(?<!不)(?<!不敢)(?<!不能)(?<!没法)(?<!无法)保证[^。！？]{0,16}(?:一定|绝对|再也|永远|恢复|修好|没问题|不会)|绝对(?:没问题|不会(?![给为]?您?(?:私自|擅自)?(?:办|开|订|动|泄|打扰))|能|给您?办)|(?:再也|永远|一辈子)不会|"
    r"包在我身上|(?:全部|全都|都)赔|[要说]多少就?[赔退给]|免(?:掉|您)?[^，。]{0,4}[一两二三四五\d]+年|不用走流程|我(?:私人|个人|自己)"
    r"(?:掏|赔|出|给)|主管[^，。]{0,4}(?:肯定|一定)(?:同意|答应)|(?:什么|任何)要求都|要求都可以提|要求[^，。]{0,6}(?:尽管|随便)|都能答应|(?<![能敢法到达])(?:百分之?百|100[%％])(?:的)?(?:能|没问题|可以|给您|帮您|满意|放心|保证|解决|负责|成功|全?[额数]?退)|终身免|"
    r"\bi(?: \w+)? guarantee\b|\b(?:i|we) promise\b[^.?!]{0,50}\b(?:never|always|for ever|forever|every|for free|today)\b|"
    r"\byou have my word\b|\bas long as you live\b|\bfree for (?:life|ever|the next)\b|\bfrom me personally\b|"
    r"(?:^|[.?!])(?:(?!\bif\b)[^.?!])*\bpay nothing\b|"  # with an "if" before it, it is a rule and no promise
    r"\bwill be (?:dismissed|fired|sacked)\b|\bwhatever you (?:want|ask)|\bagree to anything\b|\bnever (?:fail|happen|break|drop)"
    r"[^.?!]{0,20}\bagain\b|\bfor ever\b|\bno questions asked\b|"
    r"(?<!not )(?<!n't be )(?<!never )\b(?:100|a hundred) ?(?:%|per ?cent) (?:sure|certain|guaranteed|safe|sorted|fixed|going to)",
    re.IGNORECASE,
)
INTERRUPTS = re.compile(
    r"您?先(?:别说|不要说|别讲|听我[说讲])|听我[说讲]完|打断(?:您|你)?一下|(?:您|你)别说了|不要再说了|说完了(?:没有|吗)|"
    r"\blet me (?:finish|stop you)\b|\bstop right there\b|\bdon't interrupt\b|\bstop talking\b|\bare you (?:done|finished)\b",
    re.IGNORECASE,
)
LOUDER = re.compile(
    r"大(?:点|一点|些)?声|声音(?:调|放|提)?(?:大|高)|提高(?:音量|声音)|(?:靠近|换)[^，。]{0,4}(?:话筒|麦|耳机)|"
    r"(?:现在|这样|这回)[^，。]{0,6}(?:听|清楚)|听得?(?:清|到|见)[^，。]{0,4}[吗了]|"
    r"\bspeak(?:ing)? up\b|\blouder\b|\bhear me\b|\bis (?:this|that) (?:any )?better\b|\bcloser to the\b|\bturned? \w+ up\b",
    re.IGNORECASE,
)
RECONNECTS = re.compile(
    r"(?:刚才|刚刚|电话|线路|通话|信号)[^，。！？]{0,10}(?:断|掉线|中断)|(?:重新|再)(?:给您)?(?:打|拨|接通)|回拨|"
    r"\bcut off\b|\bdropped\b|\bdisconnected\b|\blost (?:you|the (?:line|connection))\b|\b(?:call|ring)(?:ing)? you back\b",
    re.IGNORECASE,
)
BY_WHEN = re.compile(
    r"(?:\d+|[一二两三四五六七八九十]+)个?(?:分钟|小时|工作日|天)(?:之内|以内|内)|(?:今天|明天|后天|今晚|周[一二三四五六日])?(?:上午|下午|晚上)?[\d一二三四五六七八九十]{1,3}(?:点|[:：]\d\d)(?:之)?前|"
    r"(?:今天|明天|后天|今晚)(?:早上|上午|中午|下午|晚上)?[\d一二三四五六七八九十]{1,3}点|"
    r"\bwithin (?:\d+|\w+) (?:working )?(?:minutes|hours|days)\b|\bby (?:noon|tonight|tomorrow|\w+day)(?: \w+)?\b|"
    r"\btomorrow (?:at|by|before) \w+\b",
    re.IGNORECASE,
)
# Terms that customers do not know; the second half only people of little experience with telephones.
TERMS = re.compile(
    r"APN|VoLTE|DNS|PPPoE|ICCID|IMSI|IMEI|ONU|OLT|光衰|鉴权|三户|冲正|停复机|派单|网元|割接|合账|落地网关|"
    r"\b(?:provisioning|deprovision\w*|MSISDN|backhaul|pro-?rat\w+|tier two|PAC|CRM|latency|throttl\w+)\b",
)
PLAIN_TERMS = re.compile(
    r"套外|结转|定向流量|账期|协议期|携转|二次确认|增值业务|带宽|基站|上行|实名复核|预付费|后付费|"
    r"\b(?:value-added services?|fair[- ]use|billing cycle|port(?:ing)?[- ]?(?:in|out)|bandwidth|roaming zone|router reset)\b",
    re.IGNORECASE,
)
EXPLAINED = re.compile(
    r"就是|也就是|意思是|叫做|指的是|\b(?:that is|which means|in other words|meaning|i\.e\.)", re.IGNORECASE
)
SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
# Spoken to, not of: at the start of a clause and before a pause.
ADDRESSED = re.compile(r"(?:^|[，。！？])([\u4e00-\u9fff])(?:先生|女士|小姐|太太|阿姨|大爷|大妈)(?=[，。！？]|您)")
ADDRESSED_EN = re.compile(r"(?:^|[,.?!] )(?:Mr|Mrs|Ms|Miss)\.? ([A-Z][\w'’-]+)(?=[,.?!]|$)")
