"""Files that the trainer's page gives out, at addresses below /export. Each asks anew who wants it, and notes it."""

from __future__ import annotations

import json
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from roleplay.errors import RoleplayError
from roleplay.exports import MEDIA, as_csv, as_jsonl, as_xapi, as_xlsx
from roleplay.results import Results
from roleplay.reviews import graded_rows
from roleplay.room import Room
from roleplay.settings import Settings
from roleplay.web.desk.results import chosen
from roleplay.web.desk.section import Desk
from roleplay.web.staff import NotAllowed, Staff


def add_files(
    app: FastAPI, room: Room, settings: Settings, staff: Staff, results: Results,
    user: Callable[[Request], str | None],
) -> None:  # fmt: skip
    """`user` tells whose request it is, from the signed cookie."""
    desk = Desk(room, settings, staff, results, "en")

    def given(request: Request, right: str, name: str, kind: str, make: Callable[[], bytes], did: str) -> Response:
        try:
            who = staff.require(user(request), right)  # type: ignore[arg-type]
            data = make()
            room.records.people.note(who, did, "", str(request.url.query))
        except NotAllowed as error:
            return PlainTextResponse(str(error), 403)
        except RoleplayError as error:
            return PlainTextResponse(str(error), 503)
        return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @app.get("/export/calls.{kind}")
    def calls(
        kind: str, request: Request, person: str = "all", persona: str = "all", weeks: str = "all", mode: str = "all",
        cohort: str = "all",
    ) -> Response:  # fmt: skip
        if kind not in MEDIA:
            return PlainTextResponse(f"results come as {', '.join(MEDIA)}", 404)

        def make() -> bytes:
            found = chosen(desk, person, persona, weeks if weeks.isdecimal() else "all", mode, cohort)
            if kind == "jsonl":
                return as_jsonl(room.records, found)
            return {"csv": as_csv, "xlsx": as_xlsx, "xapi": as_xapi}[kind](found)

        name = "calls.xapi.json" if kind == "xapi" else f"calls.{kind}"
        return given(request, "export", name, MEDIA[kind], make, f"exported calls as {kind}")

    @app.get("/export/corrections.jsonl")
    def corrections(request: Request) -> Response:
        def make() -> bytes:
            return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in graded_rows(room.records)).encode()

        return given(request, "export", "corrections.jsonl", MEDIA["jsonl"], make, "exported corrected grades")

    @app.get("/export/persona/{name}.yaml")
    def persona(name: str, request: Request) -> Response:
        library = room.library()
        if name not in library.paths:
            return PlainTextResponse("there is no such customer", 404 if staff.may(user(request), "teach") else 403)
        return given(
            request, "teach", f"{name}.yaml", "application/yaml; charset=utf-8", library.paths[name].read_bytes,
            "exported a customer",
        )  # fmt: skip
