"""Environment variables of apps: which there may be, and what becomes of those that are given."""

import json
import re
from collections.abc import Mapping
from typing import Any

from .problems import unprocessable

_REFUSED = {"VCAP_": "cannot start with VCAP_", "VMC": "cannot start with VMC_"}


def merged(held: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """With what is given; null takes one away."""
    for key in given:
        _require_allowed(key)
    found = {**held, **{key: _text(value) for key, value in given.items()}}
    return {key: value for key, value in found.items() if given.get(key, "") is not None}


def require_text(given: Mapping[str, Any]) -> None:
    """The API takes nothing else; in a manifest anything may stand."""
    for key, value in given.items():
        if value is not None and not isinstance(value, str):
            raise unprocessable(
                f"Non-string value in environment variable for key '{key}', "
                f"value '{json.dumps(value)}'"
            )


def _require_allowed(key: str) -> None:
    for prefix, said in _REFUSED.items():
        if key.upper().startswith(prefix):
            raise unprocessable(f"Var {said}")
    if re.fullmatch("PORT", key, re.IGNORECASE):
        raise unprocessable("Var cannot set PORT")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
