"""Feature flags, which only operators change."""

from ..calls import Answer, Call
from ..documents import link
from ..problems import missing
from ..routing import routes


@routes.on("GET", "/v3/feature_flags/{name}")
def get_flag(call: Call) -> Answer:
    name = call.parts["name"]
    if name not in call.state.flags:
        raise missing("Feature flag")
    return Answer(
        body={
            "name": name,
            "enabled": call.state.flags[name],
            "updated_at": None,
            "custom_error_message": None,
            "links": {"self": link(call.state, f"feature_flags/{name}")},
        }
    )
