"""Passwords as they are kept: never themselves, only what proves them.

scrypt comes with Python, needs 32 MB and about half a second for each guess, and so makes guessing from a
stolen database slow. Argon2 would be as good, for one more library. The parameters stand in each hash,
so that they can be raised later without making older ones useless.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

N, R, P = 2**15, 8, 3


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


# For a name that does not exist: no password proves it, and finding that out takes as long as for one that does.
NOBODY = f"scrypt${N}${R}${P}${_text(bytes(16))}${_text(bytes(32))}"


def hash_password(password: str) -> str:
    """What to keep: scheme, parameters, salt and key, in one text."""
    salt = os.urandom(16)
    return "$".join(("scrypt", str(N), str(R), str(P), _text(salt), _text(_key(password, salt, N, R, P))))


def proves(password: str, kept: str) -> bool:
    """Whether this is the password that `kept` was made from; takes the same time whatever the answer."""
    _scheme, n, r, p, salt, key = kept.split("$")
    made = _key(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, base64.b64decode(key))


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # OpenSSL refuses more than 32 MB unless told; the work itself needs 128 * r * n bytes and a little.
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * r * n, dklen=32)
