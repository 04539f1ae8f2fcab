"""From settings to live objects: the only module that knows which concrete class stands behind which setting."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

from roleplay.calibration import Calibration
from roleplay.customer import Customer
from roleplay.errors import RoleplayError
from roleplay.grading import BundledGrader, identity
from roleplay.knowledge.embedding import Embedder, load_embedder
from roleplay.knowledge.search import Knowledge
from roleplay.knowledge.store import open_knowledge
from roleplay.knowledge.versions import keep_version
from roleplay.model_grader import ModelGrader
from roleplay.models import LanguageModel
from roleplay.models.making import make_model
from roleplay.persona import Library, load_library
from roleplay.published import Published
from roleplay.reader import Reader, load_reader
from roleplay.records import Records
from roleplay.room import Room
from roleplay.settings import Settings
from roleplay.standards import Standards, load_standards

log = logging.getLogger(__name__)
HELLO = {
    "zh-CN": "您好，星桥移动客服，漫游日包28元一天，请问有什么可以帮您？",
    "en": "Good morning, Starbridge Mobile, the day pass is £3 a day. How can I help you?",
}
PAUSE = 1.5  # seconds between two personas that are made ready, for those who practise already
Progress = Callable[[str], None]


def build_room(settings: Settings, progress: Progress = log.info) -> Room:
    """Everything that a call needs, made once and shared. `progress` is told of each long step.

    Raises Unavailable or FileFault when a part cannot be had; nothing falls back in silence.
    """
    progress("opening the knowledge base")
    embedder = build_embedder(settings)
    published = Published(
        (lambda: settings.knowledge, lambda: room.take_knowledge(build_knowledge(settings, embedder))),
        (lambda: settings.rule_files, lambda: take_standards(room, load_standards(settings.rule_files or None))),
    )
    knowledge = build_knowledge(settings, embedder, progress)
    progress(f"loading the customer: {settings.model}")
    customer = Customer(
        build_model(settings, settings.model, settings.answer_timeout), settings.customer_way, settings.abuse
    )
    progress(f"loading the grader: {settings.grader}")
    reader = build_reader(settings, embedder)
    grader = build_grader(settings)

    def library() -> Library:
        published.look()  # personas may name entries that are new
        return build_library(settings, room.knowledge)

    room = Room(library, knowledge, reader, customer, grader, Records(settings.database_url), published.look)
    return room


def warm_up(room: Room) -> None:
    """Have one turn in each language, kept nowhere: what is read on first use is read before somebody waits for it."""
    persona_of = {persona.language: persona for persona in room.library().personas.values()}
    with tempfile.TemporaryDirectory(prefix="roleplay-", ignore_cleanup_errors=True) as folder:
        try:
            records = Records(f"sqlite:///{folder}/records.db")
            aside = Room(room.library, room.knowledge, room.reader, room.customer, room.grader, records)
            for language, persona in persona_of.items():
                call = aside.open(persona.id, seed=0)
                for _ in aside.say(call.id, HELLO[language]):
                    pass
                aside.grade(call.id, 1)
            records.close()
        except RoleplayError as error:  # whoever has the first call is told of it there
            log.warning("the first call could not be prepared: %s", error)


def read_ahead(room: Room) -> None:
    """Make every persona of the library ready, one by one, before somebody waits for it; slowly once people are there."""
    try:
        personas = room.library().personas.values()
    except RoleplayError as error:  # whoever asks for a customer is told of it there
        log.warning("the customers could not be made ready: %s", error)
        return
    for persona in personas:
        room.reader.get_ready(persona.subjects(), persona.language)
        time.sleep(PAUSE if room.in_use else 0.0)


def build_embedder(settings: Settings) -> Embedder:
    return load_embedder(settings.embedder)


def build_knowledge(settings: Settings, embedder: Embedder, progress: Progress = log.info) -> Knowledge:
    """The knowledge base, indexed anew when its files, the embedder or the settings have changed; kept as a version."""
    folder = settings.data / "knowledge"
    knowledge = open_knowledge(settings.knowledge, folder, embedder, server=settings.chroma or None, progress=progress)
    keep_version(settings.knowledge, folder / "versions", "opened", knowledge.version)
    return knowledge


def build_library(settings: Settings, knowledge: Knowledge | None = None) -> Library:
    """All personas, read afresh, so that a file saved now is there now."""
    return load_library(settings.personas, None if knowledge is None else knowledge.entries_by_id())


def build_reader(settings: Settings, embedder: Embedder) -> Reader:
    """The reader, which has learnt from the bundled embedder and reads by it whatever the search goes by."""
    bundled = embedder if embedder.spec == "bundled" else load_embedder("bundled")
    return load_reader(bundled, settings.rule_files or None)


def build_model(settings: Settings, spec: str, timeout: float) -> LanguageModel:
    return make_model(
        spec,
        device=None if settings.device == "auto" else settings.device,
        dtype=None if settings.dtype == "auto" else settings.dtype,
        timeout=timeout,
        api_key=settings.api_key.get_secret_value() or None,
    )


def take_standards(room: Room, standards: Standards) -> None:
    """From the next reply on, the room reads and grades by these rules, which have been published meanwhile."""
    if isinstance(room.grader, BundledGrader | ModelGrader):
        room.grader = replace(room.grader, standards=standards)
    if room.reader is not None:
        room.reader = Reader(room.reader.encoder, room.reader.matcher, standards, room.reader.aims, room.reader.tone)


def build_grader(settings: Settings) -> BundledGrader | ModelGrader:
    """The grader that the settings name, with the calibration kept for exactly this one, if there is any."""
    standards = load_standards(settings.rule_files or None)
    grader: BundledGrader | ModelGrader
    if settings.grader == "bundled":
        grader = BundledGrader.load(standards)
    else:
        grader = ModelGrader(build_model(settings, settings.grader, settings.grade_timeout), standards)
    return replace(grader, calibration=Calibration.find(settings.data, identity(grader)))
