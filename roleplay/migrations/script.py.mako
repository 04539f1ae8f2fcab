"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from roleplay.tables import Moment
${imports if imports else ""}

revision = "${up_revision}"
down_revision = ${'None' if down_revision is None else '"' + down_revision + '"'}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
