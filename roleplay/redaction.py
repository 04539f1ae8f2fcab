"""A trainee's own personal data is taken out of a reply once, on receipt, before anything is kept.

Numbers of the practice case (account, knowledge base) stay: quotes and replays remain true.
"""

from __future__ import annotations

import re

PERSONAL = re.compile(
    r"(?P<id>(?<!\d)[1-9]\d{16}[\dXx](?!\d))"
    r"|(?P<card>(?<!\d)(?:\d[ -]?){15,18}\d(?!\d))"
    r"|(?P<phone>(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d))"
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.-]+)"
)
MASK = {"id": "[ID]", "card": "[CARD]", "phone": "[PHONE]", "mail": "[MAIL]"}


def redact(text: str, ledger: str) -> str:
    """`text` with identity-card, bank-card and mobile numbers and mail addresses masked, unless in `ledger`."""
    return PERSONAL.sub(lambda found: found[0] if found[0] in ledger else MASK[found.lastgroup or "id"], text)
