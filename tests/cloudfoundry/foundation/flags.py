"""Feature flags: what the operators of a foundation let people do."""

from .calls import Call
from .problems import disabled

# Those that a client like ours could meet. All are on here, though an installation begins without
# Docker.
KNOWN = (
    "app_bits_upload",
    "app_scaling",
    "diego_docker",
    "env_var_visibility",
    "route_creation",
    "space_developer_env_var_visibility",
    "task_creation",
)
_ALSO_FOR_ADMINS = ("diego_docker", "env_var_visibility")


def require_flag(call: Call, name: str) -> None:
    """What is off is kept with what people are told instead of its name, or with nothing."""
    off = call.state.off
    if name in off and (name in _ALSO_FOR_ADMINS or not call.caller.user.is_admin):
        raise disabled(off[name] or name)
