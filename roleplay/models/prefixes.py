"""Attention caches of the prompts seen last, so that a call's next turn computes only what is new.

A kept cache is never changed: who uses it gets a copy that shares its tensors, which is safe because
a growing layer makes new tensors instead of writing into old ones.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Sequence
from typing import cast

from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

KEPT, KEPT_BYTES = 48, 2**29  # caches that are kept at most: enough for a class whose calls go on side by side


class Prefixes:
    """The caches used last with the token ids that they hold, newest first. Not safe for threads."""

    def __init__(self, config: PreTrainedConfig) -> None:
        self._config = config
        self._kept: deque[tuple[list[int], DynamicCache]] = deque(maxlen=KEPT)

    def start(self, ids: Sequence[int]) -> tuple[DynamicCache, int]:
        """A cache that holds the first n of `ids`, and n; n is less than len(ids), so one token is left to run."""
        shared, found = 0, None
        for kept, cache in self._kept:
            same = _common(kept, ids)
            if same > shared:
                shared, found = same, (kept, cache)
        if found is None:
            return DynamicCache(config=self._config), 0
        self._kept.remove(found)
        self._kept.appendleft(found)
        shared = min(shared, len(ids) - 1)
        return _shortened(found[1], shared), shared

    def keep(self, ids: Sequence[int], cache: DynamicCache) -> None:
        """Remember `cache`, which holds exactly `ids`; the caller must not let it grow afterwards."""
        if not all(layer.is_croppable and not layer.is_sliding for layer in cast(list[DynamicLayer], cache.layers)):
            return  # a sliding window forgets: what is gone cannot be cut back to
        held = list(ids)
        for old in [entry for entry in self._kept if _common(entry[0], held) == len(entry[0])]:
            self._kept.remove(old)  # wholly contained in the new one
        self._kept.appendleft((held, cache))
        while len(self._kept) > 1 and sum(_size(kept) for _, kept in self._kept) > KEPT_BYTES:
            self._kept.pop()


def widened(cache: DynamicCache, rows: int) -> DynamicCache:
    """The same cache for `rows` continuations at once; tensors are shared until the first of them grows."""
    wide = _shortened(cache, cache.get_seq_length())
    for layer in cast(list[DynamicLayer], wide.layers):
        if layer.is_initialized and layer.keys is not None and layer.values is not None:
            layer.keys = layer.keys.expand(rows, -1, -1, -1)
            layer.values = layer.values.expand(rows, -1, -1, -1)
    return wide


def _size(cache: DynamicCache) -> int:
    layers = cast(list[DynamicLayer], cache.layers)
    return sum(part.nbytes for layer in layers for part in (layer.keys, layer.values) if part is not None)


def _shortened(cache: DynamicCache, length: int) -> DynamicCache:
    short = copy.copy(cache)
    short.layers = [copy.copy(layer) for layer in cache.layers]
    short.crop(length - cache.get_seq_length())
    return short


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
