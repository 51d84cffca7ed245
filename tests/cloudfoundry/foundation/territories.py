"""Organizations, spaces, quotas, domains, roles and users as the API shows them."""

from typing import Any

from . import records as r
from .documents import base, link, metadata, to_one
from .state import State

Json = dict[str, Any]


def organization(state: State, record: r.Organization) -> Json:
    here = f"organizations/{record.guid}"
    return {
        **base(state, record),
        "name": record.name,
        "suspended": record.is_suspended,
        **to_one(quota=record.quota),
        **metadata(record),
        "links": {
            "self": link(state, here),
            "domains": link(state, f"{here}/domains"),
            "default_domain": link(state, f"{here}/domains/default"),
            "quota": link(state, f"organization_quotas/{record.quota}"),
        },
    }


def space(state: State, record: r.Space) -> Json:
    here = f"spaces/{record.guid}"
    related = to_one(organization=record.org, quota=record.quota)
    return {
        **base(state, record),
        "name": record.name,
        **related,
        **metadata(record),
        "links": {
            "self": link(state, here),
            "organization": link(state, f"organizations/{record.org}"),
            "features": link(state, f"{here}/features"),
            "apply_manifest": link(state, f"{here}/actions/apply_manifest", "POST"),
        },
    }


def quota(state: State, record: r.Quota) -> Json:
    kind = "organization_quotas" if record.org is None else "space_quotas"
    return {
        **base(state, record),
        "name": record.name,
        "apps": {
            "total_memory_in_mb": record.total_memory,
            "per_process_memory_in_mb": record.per_process_memory,
            "log_rate_limit_in_bytes_per_second": record.log_rate,
            "total_instances": record.total_instances,
            "per_app_tasks": None,
        },
        "services": {
            "paid_services_allowed": True,
            "total_service_instances": None,
            "total_service_keys": None,
        },
        "routes": {"total_routes": record.total_routes, "total_reserved_ports": None},
        "relationships": _covered(state, record),
        "links": {"self": link(state, f"{kind}/{record.guid}")},
    }


def _covered(state: State, record: r.Quota) -> Json:
    if record.org is None:
        orgs = [each for each in state.all(r.Organization) if each.quota == record.guid]
        return {"organizations": {"data": [{"guid": each.guid} for each in orgs]}}
    spaces = [each for each in state.all(r.Space) if each.quota == record.guid]
    return {
        "organization": {"data": {"guid": record.org}},
        "spaces": {"data": [{"guid": each.guid} for each in spaces]},
    }


def domain(state: State, record: r.Domain) -> Json:
    related = to_one(organization=record.org)
    related["relationships"]["organization"] = {
        "data": {"guid": record.org} if record.org else None
    }
    related["relationships"]["shared_organizations"] = {"data": []}
    here = f"domains/{record.guid}"
    return {
        **base(state, record),
        "name": record.name,
        "internal": record.is_internal,
        "router_group": None,
        "supported_protocols": ["http"],
        **related,
        **metadata(record),
        "links": {
            "self": link(state, here),
            "route_reservations": link(state, f"{here}/route_reservations"),
        },
    }


def role(state: State, record: r.Role) -> Json:
    related = to_one(user=record.user)
    for name, guid in (("organization", record.org), ("space", record.space)):
        related["relationships"][name] = {"data": {"guid": guid} if guid else None}
    return {
        **base(state, record),
        "type": record.type,
        **related,
        "links": {
            "self": link(state, f"roles/{record.guid}"),
            "user": link(state, f"users/{record.user}"),
        },
    }


def user(state: State, record: r.User) -> Json:
    return {
        **base(state, record),
        "username": record.name,
        "presentation_name": record.name,
        "origin": record.origin,
        **metadata(record),
        "links": {"self": link(state, f"users/{record.guid}")},
    }
