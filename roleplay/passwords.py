"""Passwords as they are kept: never themselves, only what proves them.

Argon2id needs 64 MB and about a quarter of a second for each guess, and so makes guessing from a stolen database
slow. The parameters stand in each hash, so that they can be raised later without making older ones useless.
Hashes of earlier versions were made with scrypt; they still prove, and are renewed at the next login.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_few = threading.BoundedSemaphore(4)  # guesses at once, since each takes 64 MB

# For a name that does not exist: no password proves it, and finding that out takes as long as for one that does.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def hash_password(password: str) -> str:
    """What to keep: scheme, parameters, salt and key, in one text."""
    with _few:
        return _hasher.hash(password)


def proves(password: str, kept: str) -> bool:
    """Whether this is the password that `kept` was made from; takes the same time whatever the answer."""
    with _few:
        if kept.startswith("scrypt$"):
            return _proves_scrypt(password, kept)
        try:
            return _hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def needs_new_hash(kept: str) -> bool:
    """Whether this was made in another way than is used now."""
    return kept.startswith("scrypt$") or _hasher.check_needs_rehash(kept)


def _proves_scrypt(password: str, kept: str) -> bool:
    _scheme, n, r, p, salt, key = kept.split("$")
    # OpenSSL refuses more than 32 MB unless told; the work itself needs 128 * r * n bytes and a little.
    made = hashlib.scrypt(
        password.encode(), salt=base64.b64decode(salt), n=int(n), r=int(r), p=int(p),
        maxmem=256 * int(r) * int(n), dklen=32,
    )  # fmt: skip
    return hmac.compare_digest(made, base64.b64decode(key))
