"""Who of those who ask may do what on the trainer's side. Asked anew for every request, never remembered."""

from __future__ import annotations

from dataclasses import dataclass

from roleplay.errors import Rejected
from roleplay.people import People
from roleplay.roles import Right, Role, may


class NotAllowed(Rejected):
    """Somebody asked for what their role does not allow."""


@dataclass(frozen=True)
class Staff:
    """`alone`: the page is for this machine only, without a login, so whoever asks is trainee and admin in one."""

    people: People
    alone: bool

    def role(self, name: str | None) -> Role | None:
        """The role of the user whose cookie it was; None for nobody, also when the password is still to be changed."""
        if self.alone:
            return "admin"
        user = self.people.user(name) if name else None
        return None if user is None or user.must_change else user.role

    def may(self, name: str | None, right: Right) -> bool:
        return may(self.role(name), right)

    def require(self, name: str | None, right: Right) -> str:
        """The name of who asks, "" on one's own machine. Raises NotAllowed."""
        if not self.may(name, right):
            raise NotAllowed("this needs another role")
        return name or ""
