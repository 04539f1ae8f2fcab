"""The knowledge base: entries from YAML, and a search over them that says why it found what it found.

`entries` reads files, `words` cuts texts, `lexical` and `embedding` compare them, `vectors` keeps vectors
in Chroma, `search` puts scores together, `store` opens it all. This module stays light.
"""

from roleplay.knowledge.entries import Entry, load_entries

__all__ = ["Entry", "load_entries"]
