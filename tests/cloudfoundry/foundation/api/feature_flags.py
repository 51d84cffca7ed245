"""Feature flags, for all to read."""

from typing import Any

from ..calls import Answer, Call
from ..documents import link
from ..flags import KNOWN
from ..problems import missing
from ..routing import routes
from .apps import listed_features

Json = dict[str, Any]


@routes.on("GET", "/v3/feature_flags")
def list_flags(call: Call) -> Answer:
    return listed_features(call, [_flag(call, each) for each in KNOWN])


@routes.on("GET", "/v3/feature_flags/{name}")
def get_flag(call: Call) -> Answer:
    if call.parts["name"] not in KNOWN:
        raise missing("Feature flag")
    return Answer(body=_flag(call, call.parts["name"]))


def _flag(call: Call, name: str) -> Json:
    off = call.state.off
    return {
        "name": name,
        "enabled": name not in off,
        "updated_at": None,
        "custom_error_message": off.get(name) or None,
        "links": {"self": link(call.state, f"feature_flags/{name}")},
    }
