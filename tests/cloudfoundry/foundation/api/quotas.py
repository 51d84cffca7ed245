"""Quotas of organizations and spaces, and how much of them is used."""

from typing import Any

from .. import records as r
from .. import territories
from ..calls import Answer, Call
from ..documents import link
from ..limits import used
from ..listing import listed
from ..problems import missing
from ..routing import routes
from .spaces import organization_of, sees_org

Json = dict[str, Any]


@routes.on("GET", "/v3/organization_quotas")
def list_organization_quotas(call: Call) -> Answer:
    orgs = [each for each in call.state.all(r.Organization) if sees_org(call, each)]
    seen = {each.quota for each in orgs}
    found = [each for each in call.state.all(r.Quota) if each.guid in seen]
    filters = {
        "names": lambda each: each.name,
        "organization_guids": lambda each: {org.guid for org in orgs if org.quota == each.guid},
    }
    return listed(call, found, lambda each: territories.quota(call.state, each), filters)


@routes.on("GET", "/v3/space_quotas")
def list_space_quotas(call: Call) -> Answer:
    spaces = call.visible(r.Space)
    seen = {each.quota for each in spaces}
    found = [each for each in call.state.all(r.Quota) if each.guid in seen]
    filters = {
        "names": lambda each: each.name,
        "organization_guids": lambda each: each.org,
        "space_guids": lambda each: {space.guid for space in spaces if space.quota == each.guid},
    }
    return listed(call, found, lambda each: territories.quota(call.state, each), filters)


@routes.on("GET", "/v3/organization_quotas/{guid}")
def get_organization_quota(call: Call) -> Answer:
    quota = call.state.find(r.Quota, call.parts["guid"])
    if quota is None or quota.org is not None:
        raise missing("Organization quota")
    return Answer(body=territories.quota(call.state, quota))


@routes.on("GET", "/v3/space_quotas/{guid}")
def get_space_quota(call: Call) -> Answer:
    quota = call.state.find(r.Quota, call.parts["guid"])
    spaces = call.visible(r.Space)
    if quota is None or all(each.quota != quota.guid for each in spaces):
        raise missing("Space quota")
    return Answer(body=territories.quota(call.state, quota))


@routes.on("GET", "/v3/organizations/{guid}/usage_summary")
def get_usage_of_organization(call: Call) -> Answer:
    org = organization_of(call)
    spaces = [each for each in call.state.all(r.Space) if each.org == org.guid]
    return _usage(call, f"organizations/{org.guid}", spaces, used(call.state, org))


@routes.on("GET", "/v3/spaces/{guid}/usage_summary")
def get_usage_of_space(call: Call) -> Answer:
    space = call.seen(r.Space)
    org = call.state.get(r.Organization, space.org)
    return _usage(call, f"spaces/{space.guid}", [space], used(call.state, org, space))


def _usage(call: Call, of: str, spaces: list[r.Space], taken: tuple[int, int]) -> Answer:
    """Of managed services, ports, private domains, tasks and keys there are none here."""
    guids = {each.guid for each in spaces}
    kinds = ("service_instances", "reserved_ports", "domains", "per_app_tasks", "service_keys")
    summary = {
        "started_instances": taken[0],
        "memory_in_mb": taken[1],
        "routes": sum(each.space in guids for each in call.state.all(r.Route)),
    }
    links = {"self": link(call.state, f"{of}/usage_summary")}
    body = {"usage_summary": {**summary, **dict.fromkeys(kinds, 0)}, "links": links}
    return Answer(body=body)
