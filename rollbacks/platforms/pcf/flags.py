"""Features that the operators of a foundation have turned off, and a step would need.

Source: the feature flags of the published v3 API, and where the Cloud Controller looks at them.
"""

from collections.abc import Iterable, Iterator

from rollbacks.platforms.pcf.calls import Looks

BITS, DOCKER, ROUTES, SCALING = "app_bits_upload", "diego_docker", "route_creation", "app_scaling"
_READING = ("env_var_visibility", "space_developer_env_var_visibility")
ALWAYS = (SCALING, *_READING)
_WORDS = {
    BITS: "bits of apps cannot be uploaded",
    DOCKER: "apps of Docker images cannot run",
    ROUTES: "routes cannot be made",
    SCALING: "apps cannot be resized",
    **dict.fromkeys(_READING, "environment variables cannot be compared"),
}
_ALSO_FOR_ADMINS = (DOCKER, "env_var_visibility")


def turned_off(looks: Looks, wanted: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the wanted ones that is off for whoever we are."""
    off = {
        str(each["name"]): str(each.get("custom_error_message") or "")
        for each in looks.api.pages("/v3/feature_flags")
        if not each["enabled"]
    }
    for name in wanted:
        if name in off and (name in _ALSO_FOR_ADMINS or not looks.api.person.is_admin):
            said = f" ({off[name].rstrip('.')})" if off[name] else ""
            yield (
                f"The foundation's feature {name} is turned off, so that {_WORDS[name]}{said}: an "
                "operator can turn it on"
            )
