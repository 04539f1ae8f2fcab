"""Whether Chinese text could be speech, by how many of its pairs of characters are known.

The table is one bit for each pair, found by a hash: a pair that is not known is taken for one now and
then, a known one is never missed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from roleplay.errors import Unavailable
from roleplay.models.encoder import BUNDLED

BITS = 1 << 20
FEWEST = 6  # pairs of characters from which a text can be judged
KNOWN = 0.3  # share of pairs that has to be known

_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{2,}")


def fluent(text: str) -> bool:
    """Whether enough pairs of Chinese characters are known; short and other texts always pass.

    Raises Unavailable when the shipped table is missing.
    """
    places = list(_places(text))
    if len(places) < FEWEST:
        return True
    table = _table()
    return sum(table[place >> 3] >> (place & 7) & 1 for place in places) >= KNOWN * len(places)


def table_of(texts: Iterable[str]) -> bytes:
    """The table of every pair in the texts, BITS / 8 bytes long."""
    table = bytearray(BITS // 8)
    for text in texts:
        for place in _places(text):
            table[place >> 3] |= 1 << (place & 7)
    return bytes(table)


def _places(text: str) -> Iterator[int]:
    for run in _RUN.findall(text):
        for start in range(len(run) - 1):
            yield zlib.crc32(run[start : start + 2].encode()) % BITS


@lru_cache(maxsize=1)
def _table() -> bytes:
    path = BUNDLED / "pairs.bin"
    if not path.is_file():
        raise Unavailable("the reading model", f"{path} does not exist", "Reinstall the package.")
    return path.read_bytes()
