"""What the page, the terminal and reports say to people, by language: zh-CN.yaml and en.yaml here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from roleplay.yaml_files import read_yaml

FOLDER = Path(__file__).parent


@lru_cache(maxsize=2)
def texts(language: str) -> dict[str, Any]:
    """All texts of one language, nested by where they are used."""
    return read_yaml(FOLDER / f"{language}.yaml")[0]
