"""Who may do what. A role is kept with each user; on one's own machine, without a login, one may do everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["trainee", "checker", "trainer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
Right = Literal["read_results", "correct_grades", "export", "teach", "manage_people"]

# A quality checker reads and corrects; a trainer also runs classes and edits what is practised; an admin also
# decides who may log in, and what is deleted.
RIGHTS: Mapping[Role, frozenset[Right]] = {
    "trainee": frozenset(),
    "checker": frozenset({"read_results", "correct_grades"}),
    "trainer": frozenset({"read_results", "correct_grades", "export", "teach"}),
    "admin": frozenset(get_args(Right)),
}


def may(role: Role | None, right: Right) -> bool:
    """Whether somebody of this role may; None is nobody, who may nothing."""
    return role is not None and right in RIGHTS[role]
