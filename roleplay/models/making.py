"""From the name of a model, as settings and flags give it, to the model."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from roleplay.errors import Rejected, Unavailable
from roleplay.models import LanguageModel

BUNDLED = Path(__file__).parents[1] / "bundled" / "customer"
FORMS = "bundled, hf:NAME-OR-FOLDER, openai:http://127.0.0.1:8000/v1#NAME or scripted:FILE"


def make_model(
    spec: str,
    *,
    device: str | None = None,
    dtype: str | None = None,
    writes: bool | None = None,
    timeout: float = 60.0,
    api_key: str | None = None,
) -> LanguageModel:
    """The model that `spec` names. `device` and `dtype` matter only to models in this process.

    Raises Rejected for a spec of no known form, Unavailable when the model cannot be had.
    """
    kind, _, rest = spec.partition(":")
    if spec == "bundled" or (kind == "hf" and rest):
        from roleplay.models.transformers_model import TransformersModel

        name = str(BUNDLED) if spec == "bundled" else rest
        able = False if spec == "bundled" and writes is None else writes
        return TransformersModel(name, spec=spec, device=device, dtype=dtype, writes=able, timeout=timeout)
    if kind == "openai" and rest:
        address, model = _server(spec, rest)
        try:
            from roleplay.models.openai_server import OpenAIServer
        except ModuleNotFoundError as error:
            why = f"the package {error.name} is not installed"
            raise Unavailable(
                f"the model {spec}", why, "Install it with: pip install 'roleplay-practice-room[server-models]'"
            ) from error
        return OpenAIServer(address, model, api_key=api_key, writes=writes, timeout=timeout)
    if kind == "scripted" and rest:
        from roleplay.models.scripted import ScriptedModel

        return ScriptedModel(rest, writes=writes)
    raise Rejected(f"no model is named {spec!r}; what would do: {FORMS}")


def _server(spec: str, rest: str) -> tuple[str, str]:
    address, _, model = rest.partition("#")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or not model:
        raise Rejected(f"{spec!r} does not name a server's model; write openai:http://127.0.0.1:8000/v1#NAME")
    return address.rstrip("/"), model
