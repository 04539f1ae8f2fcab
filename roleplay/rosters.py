"""The list of a class as a CSV file: who is in it, and what they may do. Every wrong line is named.

One column `name` (姓名, 用户名) is needed; `role` (角色) is trainee unless given. Other columns are not read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roleplay.errors import Fault, FileFault
from roleplay.roles import ROLES, Role

NAMES = ("name", "user", "姓名", "用户名", "名字", "账号")
ROLE_NAMES = ("role", "角色")
ROLE_WORDS: dict[str, Role] = {"": "trainee", "学员": "trainee", "质检": "checker", "质检员": "checker",
                               "培训师": "trainer", "管理员": "admin"}  # fmt: skip
LONGEST = 2000  # people in one file


@dataclass(frozen=True, slots=True)
class Enrolled:
    name: str
    role: Role


def read_roster(path: str | Path) -> list[Enrolled]:
    """The people of a roster. Raises FileFault with every wrong line; lines without any text are passed over."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FileFault(path, [Fault(f"cannot be read: {error.strerror}")]) from error
    for coding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(coding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise FileFault(path, [Fault("is no text in UTF-8 or GB18030")])
    return parse_roster(text, path)


def parse_roster(text: str, path: str | Path) -> list[Enrolled]:
    """As `read_roster`, of a text; `path` is what faults are reported for."""
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        heading = [cell.strip().casefold() for cell in next(rows, [])]
        name_at = next((at for at, cell in enumerate(heading) if cell in NAMES), None)
        if name_at is None:
            raise FileFault(path, [Fault("the first line names the columns, and one of them is: name (姓名)", 1)])
        role_at = next((at for at, cell in enumerate(heading) if cell in ROLE_NAMES), None)
        people: dict[str, Enrolled] = {}
        faults: list[Fault] = []
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            cells = [cell.strip() for cell in row] + [""] * len(heading)
            role = cells[role_at].casefold() if role_at is not None else ""
            wrong = list(_wrong(cells[name_at], role, people))
            faults += [Fault(message, rows.line_num, field) for field, message in wrong]
            if not wrong:
                people[cells[name_at]] = Enrolled(cells[name_at], ROLE_WORDS.get(role) or role)  # type: ignore[arg-type]
    except csv.Error as error:
        raise FileFault(path, [Fault(f"is no CSV: {error}", rows.line_num)]) from error
    if len(people) > LONGEST:
        faults.append(Fault(f"{len(people)} people; a class has at most {LONGEST}"))
    if not people and not faults:
        faults.append(Fault("names nobody", 2))
    if faults:
        raise FileFault(path, faults)
    return list(people.values())


def _wrong(name: str, role: str, people: dict[str, Enrolled]) -> Iterator[tuple[str, str]]:
    if not name:
        yield "name", "is missing"
    elif len(name) > 64 or not name.isprintable():
        yield "name", f"{name[:70]!r} is no name: 1 to 64 characters that can be seen"
    elif name in people:
        yield "name", f"{name} came before"
    if role not in ROLE_WORDS and role not in ROLES:
        yield "role", f"there is no role {role!r}; there are: {', '.join(ROLES)}"
