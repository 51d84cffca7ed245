"""Environment variables of apps, and all that an app would find in its environment."""

from typing import Any

from .. import records as r
from ..calls import Answer, Call
from ..documents import link
from ..flags import require_flag
from ..problems import not_authorized
from ..routing import routes
from ..variables import merged, require_text

Json = dict[str, Any]


@routes.on("GET", "/v3/apps/{guid}/environment_variables")
def get_variables(call: Call) -> Answer:
    return _shown(call, _readable(call))


@routes.on("PATCH", "/v3/apps/{guid}/environment_variables")
def update_variables(call: Call) -> Answer:
    app = call.managed(r.App)
    given = call.require_keys("var").get("var") or {}
    require_text(given)
    app.environment = merged(app.environment, given)
    call.state.touch(app)
    return _shown(call, app)


@routes.on("GET", "/v3/apps/{guid}/env")
def get_environment(call: Call) -> Answer:
    app = _readable(call)
    space = call.state.space_of(app)
    services: Any = {"redacted_message": "[PRIVATE DATA HIDDEN]"}
    if call.caller.can_read_secrets(call.state, space):
        services = {"VCAP_SERVICES": _services(call, app)}
    about = {
        "application_id": app.guid,
        "application_name": app.name,
        "application_uris": _urls(call, app),
        "name": app.name,
        "organization_id": space.org,
        "space_id": space.guid,
        "space_name": space.name,
        "uris": _urls(call, app),
        "limits": {"fds": 16384},
    }
    return Answer(
        body={
            "staging_env_json": {},
            "running_env_json": {},
            "environment_variables": app.environment,
            "system_env_json": services,
            "application_env_json": {"VCAP_APPLICATION": about},
        }
    )


def _readable(call: Call) -> r.App:
    require_flag(call, "env_var_visibility")
    app = call.seen(r.App)
    if not call.caller.can_read_variables(call.state, call.state.space_of(app)):
        raise not_authorized()
    require_flag(call, "space_developer_env_var_visibility")
    return app


def _shown(call: Call, app: r.App) -> Answer:
    here = f"apps/{app.guid}"
    links = {
        "self": link(call.state, f"{here}/environment_variables"),
        "app": link(call.state, here),
    }
    return Answer(body={"var": dict(app.environment), "links": links})


def _urls(call: Call, app: r.App) -> list[str]:
    found = call.state.all(r.Route)
    mapped = (each for each in found if any(to.app == app.guid for to in each.destinations))
    return [call.state.url_of(each) for each in mapped]


def _services(call: Call, app: r.App) -> Json:
    bound = [
        (each, call.state.get(r.ServiceInstance, each.service))
        for each in call.state.of_app(r.Binding, app)
    ]
    if not bound:
        return {}
    return {
        "user-provided": [
            {
                "label": "user-provided",
                "name": binding.name or service.name,
                "tags": service.tags,
                "instance_guid": service.guid,
                "instance_name": service.name,
                "binding_guid": binding.guid,
                "binding_name": binding.name,
                "credentials": service.credentials,
                "syslog_drain_url": service.syslog_drain_url,
                "volume_mounts": [],
            }
            for binding, service in bound
        ]
    }
