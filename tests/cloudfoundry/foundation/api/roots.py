"""Where everything is: the documents at the roots of the API."""

from typing import Any

from ..calls import Answer, Call
from ..routing import routes

Json = dict[str, Any]
VERSION = "3.228.0"
_COLLECTIONS = (
    "app_usage_events",
    "apps",
    "builds",
    "deployments",
    "domains",
    "droplets",
    "organizations",
    "packages",
    "processes",
    "roles",
    "routes",
    "service_credential_bindings",
    "service_instances",
    "space_quotas",
    "spaces",
    "users",
)


@routes.on("GET", "/")
def get_root(call: Call) -> Answer:
    state = call.state
    links: Json = {
        "self": {"href": state.url},
        "bits_service": None,
        "cloud_controller_v2": None,
        "cloud_controller_v3": {"href": f"{state.url}/v3", "meta": {"version": VERSION}},
        "network_policy_v0": {"href": f"{state.url}/networking/v0/external"},
        "login": {"href": state.login_url},
        "uaa": {"href": state.login_url},
        "log_cache": {"href": f"{state.url}/log-cache"},
        "log_stream": {"href": f"{state.url}/log-stream"},
        "app_ssh": None,
    }
    return Answer(body={"links": links})


@routes.on("GET", "/v3")
def get_v3(call: Call) -> Answer:
    here = f"{call.state.url}/v3"
    links = {each: {"href": f"{here}/{each}"} for each in _COLLECTIONS}
    return Answer(body={"links": {"self": {"href": here}, **links}})


@routes.on("GET", "/v3/info")
def get_info(call: Call) -> Answer:
    links = {"self": {"href": f"{call.state.url}/v3/info"}, "support": {"href": ""}}
    about = {"build": "", "name": "", "custom": {}, "description": "", "version": 0}
    cli = {"minimum": "", "recommended": ""}
    return Answer(body={**about, "cli_version": cli, "links": links})
