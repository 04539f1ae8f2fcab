"""Everything that can be set, and where a value comes from.

    defaults  <  a TOML file  <  ROLEPLAY_* in the environment  <  flags         (later ones win)

The file is the one that ROLEPLAY_CONFIG names, else `roleplay.toml` in the working folder, if it is
there. A name that does not exist is as wrong as a value that will not do: nothing is ignored. Relative
paths count from the TOML file's folder there, from the working folder elsewhere.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from roleplay.errors import Fault, FileFault, Rejected

PREFIX = "ROLEPLAY_"
CONFIG = "roleplay.toml"
PROJECT = Path(__file__).parent.parent  # where the shipped personas and knowledge base lie in a checkout
HIDDEN = ("api_key", "database")  # their values may hold a password and appear in no message

Spec = Annotated[str, StringConstraints(pattern=r"^(bundled|hf:\S.*|openai:https?://[^#\s]+#\S+|scripted:\S.*)$")]
SPEC = "bundled, hf:NAME-OR-FOLDER, openai:http://HOST:PORT/v1#NAME or scripted:FILE"


def _split(value: object) -> object:
    """One text, as the environment and flags have it, to the list of paths that it holds."""
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], BeforeValidator(_split), Field(min_length=1)]


def _shipped(name: str) -> tuple[Path, ...]:
    here = Path(name)
    return ((here if here.is_dir() else PROJECT / name).absolute(),)


def data_folder() -> Path:
    """Where a program keeps its data on this system, for this user."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(base) / "roleplay"


class Settings(BaseModel):
    """All settings, checked; made by `load_settings`. A field's description says which values will do."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    model: Spec = Field("bundled", description=f"the model that plays the customer: {SPEC}")
    grader: Spec = Field("bundled", description=f"the model that scores replies: {SPEC}")
    embedder: str = Field(
        "bundled",
        pattern=r"^(bundled|hf:\S.*)$",
        description="the model that the knowledge base is searched with: bundled or hf:NAME-OR-FOLDER",
    )
    customer_way: Literal["auto", "write", "choose"] = Field(
        "auto",
        description="how the model makes a line: write (freely), choose (among proposed lines) or auto (what it can)",
    )
    abuse: int = Field(
        3, ge=0, le=3, description="how far customers may go at worst: 0 civil, 1 coarse, 2 swears, 3 insults"
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="where local models run: auto, cpu, cuda, cuda:NUMBER or mps",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="numbers that local models calculate with: auto, float32, bfloat16 or float16"
    )
    personas: Paths = Field(
        default_factory=lambda: _shipped("personas"),
        description=f"persona files or folders of them: one or more paths, between them {os.pathsep!r}",
    )
    knowledge: Paths = Field(
        default_factory=lambda: _shipped("knowledge_base"),
        description=f"knowledge-base files or folders: one or more paths, between them {os.pathsep!r}",
    )
    standards: Annotated[tuple[Path, ...], BeforeValidator(_split)] = Field(
        (), description=f"own standards files instead of the shipped ones: paths, between them {os.pathsep!r}"
    )
    data: Path = Field(
        default_factory=data_folder, description="the folder for records and the search index: a path to write to"
    )
    database: str = Field(
        "",
        repr=False,
        pattern=r"^$|^(sqlite|postgresql(\+psycopg)?)://\S*$",
        description="where calls are recorded: sqlite:////FILE or postgresql://USER:PASSWORD@HOST/NAME; "
        "empty for a SQLite file in the data folder",
    )
    chroma: str = Field(
        "",
        pattern=r"^$|^https?://[^\s/]+/?$",
        description="a Chroma server that several processes share: http://HOST:PORT; empty for none",
    )
    host: str = Field(
        "127.0.0.1",
        pattern=r"^[\w.:-]+$",
        description="the address that the page listens on: 127.0.0.1 for this machine only, 0.0.0.0 for the network",
    )
    port: int = Field(7860, ge=0, le=65535, description="the page's port: 1 to 65535, 0 for any free one")
    language: Literal["auto", "zh-CN", "en"] = Field(
        "auto", description="the page's language: zh-CN, en or auto (the browser's)"
    )
    api_key: SecretStr = Field(SecretStr(""), description="the key for OpenAI-compatible servers: a text")
    answer_timeout: float = Field(
        60, gt=0, le=3600, description="seconds that the customer's model may take for a line: above 0, at most 3600"
    )
    grade_timeout: float = Field(
        120, gt=0, le=3600, description="seconds that the grader may take for a reply: above 0, at most 3600"
    )
    keep_days: int = Field(
        0, ge=0, le=36500, description="days after which a finished call is deleted: 1 to 36500, 0 for never"
    )

    @property
    def rule_files(self) -> tuple[Path, ...]:
        """The standards in force: the ones set, else those edited on the page, else none for the shipped ones."""
        return self.standards or tuple(sorted((self.data / "standards").glob("*.yaml")))

    @property
    def database_url(self) -> str:
        """Where calls are recorded, as a URL of SQLAlchemy."""
        return self.database or f"sqlite:///{self.data / 'records.db'}"


def load_settings(**flags: object) -> Settings:
    """Settings from all sources. A flag is named like its field, or `config` for the TOML file; None is not given.

    Raises FileFault for a wrong TOML file, Rejected for a wrong environment variable or flag; each
    names the key, the value and what would do.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    config = given.pop("config", None) or os.environ.get(PREFIX + "CONFIG")
    values: dict[str, Any] = {}
    if config or Path(CONFIG).is_file():
        values |= _from_file(Path(str(config or CONFIG)).expanduser())
    for source in (_environment(), {f"--{key.replace('_', '-')}": (key, value) for key, value in given.items()}):
        read = dict(source.values())
        if wrong := _faults(read):
            names = {key: name for name, (key, _) in source.items()}
            raise Rejected("\n".join(f"{names[key]}: {message}" for key, message in wrong.items()))
        values |= _absolute(read, Path.cwd())
    return Settings(**values)


def _environment() -> dict[str, tuple[str, object]]:
    """Variable's name to (setting's name, value)."""
    found = {name for name in os.environ if name.startswith(PREFIX)} - {PREFIX + "CONFIG"}
    return {name: (name.removeprefix(PREFIX).lower(), os.environ[name]) for name in sorted(found)}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise FileFault(path, [Fault(f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise FileFault(path, [Fault("is not UTF-8 text")]) from error
    except tomllib.TOMLDecodeError as error:
        raise FileFault(path, [Fault(f"is not TOML: {error}")]) from error
    if wrong := _faults(values):
        raise FileFault(path, [Fault(message, _line(text, key), key) for key, message in wrong.items()])
    return _absolute(values, path.absolute().parent)


def _line(text: str, key: str) -> int | None:
    place = re.search(rf"^[ \t\[\"']*{re.escape(key)}\b", text, re.MULTILINE)
    return text.count("\n", 0, place.start()) + 1 if place else None


def _faults(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the values of one source, by setting."""
    try:
        Settings(**values)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]) for fault in error.errors()}
        return {key: _message(key, values[key]) for key in values if key in wrong}
    return {}


def _message(key: str, value: object) -> str:
    if field := Settings.model_fields.get(key):
        shown = "this value" if key in HIDDEN else repr(value)
        return f"{shown} will not do; {field.description}"
    near = difflib.get_close_matches(key, Settings.model_fields, n=1)
    hint = f"is {near[0]} meant?" if near else f"there are: {', '.join(Settings.model_fields)}"
    return f"there is no such setting; {hint}"


def _absolute(values: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The same values with every path made absolute, counted from `base`."""
    done = dict(values)
    for key in ("personas", "knowledge", "standards", "data"):
        if key not in values:
            continue
        checked = getattr(Settings(**{key: values[key]}), key)
        whole = [base / path.expanduser() for path in ([checked] if isinstance(checked, Path) else checked)]
        done[key] = whole[0] if key == "data" else whole
    return done
