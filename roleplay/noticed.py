"""What a customer notices in the very words of a reply, by exact rules: data read out before the check, a
promise that nobody can keep, a wrong name, a term without its meaning, silence, goodbye.

What a reply means is read by models elsewhere; here stands only what words show beyond doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from roleplay import signs
from roleplay.clauses import is_question, kinds_of, questions, sentences, units
from roleplay.dialogue import ASKING, SILENCE, Aim
from roleplay.facts import Quantity, quantities
from roleplay.lines import common
from roleplay.persona import Belief, Goal, Objection, Persona
from roleplay.reading import AimSeen, BroughtUp

Alarm = Literal["", "private_data", "others_data", "asks_secret"]


@dataclass(frozen=True, slots=True)
class Noticed:
    """One reply as its words show it. `alarm` is what makes anybody wary of the speaker; `sore` a sore point's id."""

    aims: tuple[Aim, ...] = ()  # what its sentences want of the customer, as the reading has it
    open_aims: tuple[Aim, ...] = ()  # those that no response of the persona's own answers
    silent: bool = False
    goodbye: bool = False  # says goodbye, without which nothing is closed
    farewell: bool = False  # closes the call beyond doubt
    spares: bool = False  # says that nobody is to blame
    insists: bool = False  # says that its question was another one
    asks_name: bool = False  # for the name alone
    checks_who: bool = False  # no more than whether it is this person
    asks_mandarin: bool = False
    questions: int = 0  # how many it asks
    kinds: frozenset[str] = frozenset()  # of its questions: when, where, why, see `clauses.kinds_of`
    misstates: str = ""  # the fact that it says back wrongly while asking whether it is so
    options: tuple[str, ...] = ()  # between which it has the customer choose, in its own words
    repeats: bool = False  # speaks of saying something again
    sums_up: bool = False  # says over what has been said in the call
    dictates: str = ""  # the numbers that it gives and asks to have read back
    to_a_machine: bool = False  # speaks to a program
    polite: bool = False  # with please or the like
    alarm: Alarm = ""
    too_good: bool = False  # promises what nobody can promise
    interrupts: bool = False
    louder: bool = False  # speaks up, or asks whether it can be heard
    reconnects: bool = False  # speaks of the line that was cut
    text_due: bool = False  # asks whether a message is there that is just being sent
    asks_when: bool = False  # what time would suit
    that_all: bool = False  # asks beyond doubt whether that was all
    invites_worries: bool = False  # asks whether anything worries the customer
    wishes_well: bool = False  # with a wish at parting
    unclear: bool = False  # asks something of which nobody can tell what it wants
    wrong_name: bool = False
    term: str = ""  # a term of the trade that is left unexplained
    by_when: str = ""  # the time that is given for something, in the reply's own words
    long: bool = False  # too much to take in at once
    sore: str = ""
    touches: tuple[str, ...] = ()  # objections, beliefs and goals that the reply has words in common with
    speaks_to: tuple[str, ...] = ()  # those of them of which it tells or does something beyond doubt

    def wants(self, *aims: Aim) -> bool:
        """Whether a sentence has one of these aims."""
        return any(aim in aims for aim in self.aims)

    @property
    def between_times(self) -> bool:
        """Whether what it has the customer choose between are times."""
        return bool(self.options) and all(signs.TIME_OF_DAY.search(option) for option in self.options)

    @property
    def asks(self) -> bool:
        """Whether it wants something back."""
        return self.wants(*ASKING)


NOTHING = Noticed()
TELLS: tuple[Aim, ...] = ("tell", "do", "later")
CLEAR = 0.4  # how likely an aim must be for the sentence to count as an answer to what the customer wants
CLEARLY = 0.5  # how likely another aim must be beside words that ask whether there is more
SPOKEN_TO = 6.0  # rarity of the words that such sentences share with it
CHOOSES = 0.7  # how likely a choice must be where nothing but "or" says so
BYE = 0.7  # how likely a goodbye must be where no word for it is known
BEYOND_DOUBT = 0.7  # how likely it must be where it sets aside what else was read
PLAIN = 0.3  # how likely an aim must be to be acted upon
# Acts of a response after which nothing that its sentence offered is left to be agreed to.
STANDS = ("accept", "object", "challenge", "refuse_info", "decline")
# Aims for which the question how a task went is taken.
LIKE_OUTCOMES: tuple[Aim, ...] = ("story", "fact", "understood", "satisfied", "other")
# Aims that a sentence of another kind is easily taken for, and whose answer then makes no sense.
FARFETCHED: tuple[Aim, ...] = (
    "outcome", "care", "confirm", "repeat", "time_open", "identity", "rest", "insult", "reproach",
)  # fmt: skip
LONG = {"zh-CN": 130, "en": 420}  # characters
FEW_WORDS = {"zh-CN": 12, "en": 30}  # characters of a question that may leave open what it asks
MANY_NUMBERS = 6
IN_COMMON = 4.0  # rarity of the words that a reply shares with an objection which it gives rise to


def is_silent(reply: str) -> bool:
    """Whether a reply was said without a word, such as `……`."""
    return reply.strip() == SILENCE or (bool(reply) and not any(char.isalnum() for char in reply))


def notice(
    persona: Persona,
    reply: str,
    told: Iterable[str],
    verified: bool,
    aims: Sequence[AimSeen] = (),
    brought_up: Sequence[BroughtUp] = (),
    *,
    given: Iterable[str] = (),
    busy: bool = False,
) -> Noticed:
    """Everything that `reply` shows to this customer, who has told the facts `told` by now.

    `aims` and what is `brought_up` are as read; the rest is what words show beyond doubt. `given` are the responses
    that it has given by now. `busy`: it has been told lately to do something itself.
    """
    if is_silent(reply):
        return Noticed(silent=True)
    if not reply:
        return NOTHING
    known, when = set(told), signs.BY_WHEN.search(reply)
    asked, parts = questions(reply), [piece.text for piece in sentences(reply)]
    who = [_only_who(persona, seen, reply) for seen in aims]
    meant = [
        (replace(seen, aim="confirm"), True) if only_who else _meant(seen, reply, busy)
        for seen, only_who in zip(aims, who, strict=True)
    ]
    plain = [
        (seen, sure) for seen, sure in meant if sure or seen.probability >= (CLEAR if seen.aim in FARFETCHED else PLAIN)
    ]
    wanted = tuple(dict.fromkeys(seen.aim for seen, _ in plain))
    taking_a_stand = {each.id for each in persona.call.responses if each.act in STANDS}
    taken = {each.start for each in brought_up if each.answered or each.response in taking_a_stand}
    answers = (*TELLS, "warm", "offer")
    clear = (reply[seen.start : seen.end] for seen in aims if seen.aim in answers and seen.probability >= CLEAR)
    told_or_done = " ".join(clear) if "refuse" not in wanted else ""
    return Noticed(
        aims=wanted,
        open_aims=tuple(dict.fromkeys(seen.aim for seen, sure in plain if sure or seen.start not in taken)),
        goodbye=bool(signs.GOODBYE.search(reply))
        or any(seen.aim == "bye" and seen.probability >= BYE for seen, _ in meant),
        farewell=bool(signs.FAREWELL.search(reply)),
        spares=bool(signs.SPARES.search(reply)),
        insists=bool(signs.INSISTS.search(reply)),
        asks_name=bool(signs.ASKS_NAME.search(reply)) and not signs.DIGITS_OF_ID.search(reply),
        checks_who=any(who),
        asks_mandarin=bool(signs.ASKS_MANDARIN.search(reply)) and not signs.WOULD_REPEAT.search(reply),
        questions=len(asked),
        kinds=frozenset(kind for question in asked for kind in kinds_of(question)),
        misstates=_misstated(persona, reply, known) if "confirm" in wanted else "",
        options=_options(reply, aims),
        repeats=bool(signs.REPEATS.search(reply)),
        sums_up=bool(signs.SUMS_UP.search(reply)),
        dictates=_dictated(persona, reply) if signs.READ_BACK.search(reply) else "",
        to_a_machine=bool(signs.TO_A_MACHINE.search(reply)),
        polite=bool(signs.POLITE.search(reply)),
        alarm=_alarm(persona, reply, parts, known, verified, set(given)),
        too_good=any(signs.TOO_GOOD.search(part) for part in parts if not is_question(part)),
        interrupts=bool(signs.INTERRUPTS.search(reply)),
        louder="hear" in wanted or bool(signs.LOUDER.search(reply)),
        reconnects=bool(signs.RECONNECTS.search(reply)),
        text_due=bool(signs.TEXT_DUE.search(reply) and signs.JUST_SENT.search(reply))
        and not signs.LONG_AGO.search(reply),
        asks_when=any(signs.ASKS_WHEN.search(question) for question in asked),
        that_all=any(seen.aim == "rest" and (sure or seen.probability >= BEYOND_DOUBT) for seen, sure in meant),
        invites_worries=any(signs.WORRIES.search(question) for question in asked),
        wishes_well=bool(signs.WISHES.search(reply)),
        unclear=any(
            (seen, sure) not in plain
            and seen.start not in taken
            and is_question(reply[seen.start : seen.end])
            and seen.end - seen.start < FEW_WORDS[persona.language]
            for seen, sure in meant
        ),
        wrong_name=_wrong_name(persona, reply),
        term=_term(persona, reply),
        by_when=when[0] if when else "",
        long=len(reply) > LONG[persona.language] or len(re.findall(r"\d+(?:\.\d+)?", reply)) >= MANY_NUMBERS,
        sore=next(
            (point.id for point in persona.call.sore_points if any(w.lower() in reply.lower() for w in point.words)), ""
        ),
        touches=_touched(persona, reply, IN_COMMON),
        speaks_to=_touched(persona, told_or_done, SPOKEN_TO) if told_or_done else (),
    )


def _only_who(persona: Persona, seen: AimSeen, reply: str) -> bool:
    """Whether a sentence asks for no more than whether it is this person: that wants a yes, and no digits."""
    sentence = reply[seen.start : seen.end]
    if seen.aim != "identity" or signs.DIGITS_OF_ID.search(sentence):
        return False
    names = [persona.who.name, *([persona.account.holder] if persona.account else [])]
    if persona.language == "en":
        named = any(part in sentence for name in names for part in name.split() if len(part) > 2)
    else:
        titles = "先生|女士|小姐|阿姨|大爷|老师|师傅|总"
        named = any(name in sentence or re.search(f"{name[0]}(?:{titles})", sentence) for name in names)
    asks = signs.WHO_ARE_YOU.search(sentence) or (named and signs.IS_IT.search(sentence))
    return bool(asks) and not signs.TELL_ME.search(sentence)


def _meant(seen: AimSeen, reply: str, busy: bool) -> tuple[AimSeen, bool]:
    """The aim as read, but for those that words tell apart, and whether they do so beyond doubt: how a task went, the
    name, the whole story, how a step just given went; less surely another number than those of the check, what else
    there is, an offer to say it again, a question that no yes answers, and what the customer is to do itself."""
    sentence = reply[seen.start : seen.end]
    likely = CHOOSES if seen.aim in LIKE_OUTCOMES else CLEAR
    done_yet = signs.DONE_YET.search(sentence) and not signs.GRASPED.search(sentence)
    if busy and done_yet and seen.probability < likely:
        return replace(seen, aim="outcome"), True
    if seen.probability < CLEAR and signs.ASKS_NAME.search(sentence):
        return replace(seen, aim="identity"), True
    invited = signs.INVITES.search(sentence) or (is_question(sentence) and signs.STORY.search(sentence))
    if seen.probability < CLEAR and invited:
        return replace(seen, aim="story"), True
    if seen.aim == "warm" and signs.BARE_THANKS.fullmatch(sentence.strip()):
        return replace(seen, aim="ack"), False
    if signs.NEEDS_IDENTITY.search(sentence) and not signs.NEGATED.search(sentence):
        return replace(seen, aim="identity"), True
    if seen.aim == "identity" and not signs.ABOUT_IDENTITY.search(sentence):
        return replace(seen, aim="fact"), False
    if is_question(sentence) and signs.FORGOTTEN.search(sentence):
        return replace(seen, aim="rest"), True
    offers = seen.aim in ("offer", "permission", "convenient")
    asks_to_ask = offers and (signs.MAY_ASK.search(sentence) or signs.NO_OFFER.search(sentence))
    if asks_to_ask and signs.ABOUT_IDENTITY.search(sentence) and not signs.ANOTHERS_NAME.search(sentence):
        return replace(seen, aim="identity"), True
    if seen.aim == "choice" and signs.WHICH_TIME.search(sentence):
        return replace(seen, aim="time_open"), True
    of_another = seen.aim == "identity" and signs.ANOTHERS_NAME.search(sentence)
    if asks_to_ask or of_another or (seen.aim == "rest" and signs.MORE_OF_IT.search(sentence)):
        return replace(seen, aim="fact"), True
    if seen.aim == "choice" and signs.OR_NOT.search(sentence):
        return replace(seen, aim="offer"), True
    if signs.THAT_ALL.fullmatch(sentence.strip()):
        return replace(seen, aim="rest"), True
    doubtful = seen.aim == "fact" and seen.probability < CLEARLY and signs.THAT_ALL.search(sentence)
    if doubtful or (seen.aim in ("story", "stray", "other") and signs.MORE.search(sentence)):
        return replace(seen, aim="rest"), False
    if seen.aim in ("story", "fact") and signs.OUTCOME.search(sentence) and signs.STEP.search(reply[: seen.start]):
        return replace(seen, aim="outcome"), True
    if seen.aim not in TELLS and is_question(sentence) and signs.WOULD_REPEAT.search(sentence):
        return replace(seen, aim="understood"), True
    if seen.aim == "offer" and signs.OPEN_QUESTION.search(sentence):
        return replace(seen, aim="fact"), False
    follows = seen.aim == "offer" and signs.YOURS.search(sentence)
    return (replace(seen, aim="understood") if follows else seen), False


def _options(reply: str, aims: Sequence[AimSeen]) -> tuple[str, ...]:
    """The two things that a sentence has the customer choose between, where its words put them side by side."""
    for seen in aims:
        found = signs.OPTIONS.search(reply[seen.start : seen.end]) if seen.aim == "choice" else None
        if found and ("还是" in found[0] or seen.probability >= CHOOSES):
            options = tuple(signs.ASIDE.sub("", part.strip(" ，,吗呢么")) for part in found.groups() if part)
            if "还是" in found[0]:
                return tuple(map(_of_itself, options)) if all(options) else ()
            second = options[1:]  # in English there may be half a question before the first
            return second if all(options) and not signs.PERSON.search(second[0]) else ()
    return ()


def _of_itself(option: str) -> str:
    """An option as the customer says it: 您先用几天 is 我先用几天 in its mouth, 我帮您约 is 你帮我约."""
    return re.sub("[我您你]", lambda word: "你" if word[0] == "我" else "我", option)


def _dictated(persona: Persona, reply: str) -> str:
    """The numbers of a case, an order or a code that a reply gives; service numbers are none."""
    codes = [each.text for each in quantities(reply) if each.kind == "code" and not signs.HOTLINE.fullmatch(each.text)]
    return ("、" if persona.language == "zh-CN" else ", ").join(dict.fromkeys(codes))


def _alarm(
    persona: Persona, reply: str, parts: Sequence[str], known: set[str], verified: bool, given: set[str]
) -> Alarm:
    if any(
        signs.SECRETS.search(part) and signs.ASKS_FOR.search(part) and not signs.NEGATED.search(part) for part in parts
    ):
        return "asks_secret"
    if signs.OTHERS.search(reply):
        return "others_data"
    if persona.account is None or verified or "identity" in known:
        return ""
    digits = set(re.findall(r"\d{3,}[\dX]?", reply.translate(signs.CHINESE_NUMERALS)))
    open_text = _said_aloud(persona, known, given)
    private = {persona.account.id_tail, *re.findall(r"\d{3,}", persona.account.number)}
    if any(each in digits and each not in open_text for each in private):
        return "private_data"
    named = persona.account.holder in reply and persona.account.holder not in open_text
    return "private_data" if named and persona.call.direction == "inbound" else ""


def _said_aloud(persona: Persona, known: set[str], given: set[str]) -> str:
    """What it may have said by now: the facts `known`, openings, and the wordings of the responses `given`."""
    call = persona.call
    lines = [line.text for each in call.responses if each.id in given for line in (*each.say, *each.outcome)]
    facts = [fact.text for fact in call.facts if fact.id in known]
    return "".join((*facts, *lines, *(opening.text for opening in call.openings)))


def _misstated(persona: Persona, reply: str, known: set[str]) -> str:
    """The fact told before of which the reply speaks with a number that no fact told before bears out."""
    facts = [(fact, quantities(fact.text)) for fact in persona.call.facts if fact.id in known]
    for said in quantities(reply):
        unit = _unit(said)
        beside = [(fact, own) for fact, of_fact in facts for own in of_fact if _unit(own) == unit]
        about = units(reply.replace(said.text, ""))
        spoken_of = [fact for fact, own in beside if units(fact.text.replace(own.text, "")) & about]
        if spoken_of and not any(said.agrees(own) for _, own in beside):
            return spoken_of[0].id
    return ""


def _unit(quantity: Quantity) -> tuple[str, str]:
    """What is counted, in the words used: six days are not held against 48 hours."""
    words = re.findall(r"[^\d\s.,，零〇一二两三四五六七八九十百千万半]+", quantity.text.lower())
    return quantity.kind, words[-1] if words else ""


def _touched(persona: Persona, reply: str, enough: float) -> tuple[str, ...]:
    def near(item: Objection | Belief | Goal) -> bool:
        words = " ".join((item.text, *(line.gloss or line.text for line in item.say)))
        return common(persona.language, words, reply) >= enough

    call = persona.call
    items: tuple[Objection | Belief | Goal, ...] = (*call.objections, *call.beliefs, *call.goals)
    return tuple(item.id for item in items if near(item))


def _told_of(persona: Persona) -> str:
    """What the call is about, in the customer's own words."""
    call = persona.call
    return "\n".join(
        (persona.summary, call.reason, *(fact.text for fact in call.facts), *(goal.text for goal in call.goals))
    )


def _wrong_name(persona: Persona, reply: str) -> bool:
    """Called by another name than its own, the holder's, or one that it has spoken of."""
    names = persona.who.name + (persona.account.holder if persona.account else "")
    spoken_of = names + _told_of(persona)
    if persona.language == "zh-CN":
        return any(
            char in signs.SURNAMES
            and char not in names
            and f"{char}先生" not in spoken_of
            and f"{char}女士" not in spoken_of
            for char in signs.ADDRESSED.findall(reply)
        )
    return any(name not in spoken_of for name in signs.ADDRESSED_EN.findall(reply))


def _term(persona: Persona, reply: str) -> str:
    found = signs.TERMS.search(reply) or (signs.PLAIN_TERMS.search(reply) if persona.who.literacy == "low" else None)
    if found is None or persona.who.literacy == "high" or signs.EXPLAINED.search(reply[found.end() : found.end() + 40]):
        return ""
    return "" if found[0] in _told_of(persona) else found[0]
