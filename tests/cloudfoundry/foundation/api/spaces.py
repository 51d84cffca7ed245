"""Organizations, spaces and domains, and who has which role in them."""

from typing import Any, TypeVar

from .. import records as r
from .. import territories
from ..calls import Answer, Call, describe
from ..listing import listed
from ..problems import missing, not_authorized
from ..routing import routes
from .including import with_spaces

Json = dict[str, Any]
R = TypeVar("R", bound=r.Record)


@routes.on("GET", "/v3/organizations")
def list_organizations(call: Call) -> Answer:
    found = [each for each in call.state.all(r.Organization) if sees_org(call, each)]
    return listed(
        call,
        found,
        lambda each: territories.organization(call.state, each),
        {"names": lambda each: each.name},
    )


@routes.on("GET", "/v3/organizations/{guid}")
def get_organization(call: Call) -> Answer:
    return Answer(body=territories.organization(call.state, organization_of(call)))


@routes.on("GET", "/v3/organizations/{guid}/domains")
def list_domains_of_organization(call: Call) -> Answer:
    org = organization_of(call)
    found = [each for each in call.state.all(r.Domain) if each.org in (None, org.guid)]
    return _domains(call, found)


@routes.on("GET", "/v3/organizations/{guid}/domains/default")
def get_default_domain(call: Call) -> Answer:
    organization_of(call)
    found = (each for each in call.state.all(r.Domain) if not each.is_internal and not each.org)
    return Answer(body=territories.domain(call.state, next(found)))


@routes.on("GET", "/v3/spaces")
def list_spaces(call: Call) -> Answer:
    return listed(
        call,
        call.visible(r.Space),
        lambda each: territories.space(call.state, each),
        {"names": lambda each: each.name, "organization_guids": lambda each: each.org},
        other=["include"],
        included=with_spaces(call),
    )


@routes.on("GET", "/v3/spaces/{guid}")
def get_space(call: Call) -> Answer:
    space = call.seen(r.Space)
    body = territories.space(call.state, space)
    if more := with_spaces(call)([space]):
        body["included"] = more
    return Answer(body=body)


@routes.on("PATCH", "/v3/spaces/{guid}")
def update_space(call: Call) -> Answer:
    space = call.seen(r.Space)
    if not call.caller.user.is_admin:
        raise not_authorized()
    body = call.require_keys("name", "metadata")
    space.name = body.get("name", space.name)
    describe(space, body.get("metadata"))
    return Answer(body=territories.space(call.state, call.state.touch(space)))


@routes.on("GET", "/v3/domains")
def list_domains(call: Call) -> Answer:
    found = [each for each in call.state.all(r.Domain) if _sees_domain(call, each)]
    return _domains(call, found)


@routes.on("GET", "/v3/domains/{guid}")
def get_domain(call: Call) -> Answer:
    found = call.state.find(r.Domain, call.parts["guid"])
    if found is None or not _sees_domain(call, found):
        raise missing("Domain")
    return Answer(body=territories.domain(call.state, found))


@routes.on("GET", "/v3/roles")
def list_roles(call: Call) -> Answer:
    mine = call.caller.user
    visible = {each.guid for each in call.visible(r.Space)}
    found = [
        each
        for each in call.state.all(r.Role)
        if each.user == mine.guid or each.space in visible or mine.is_admin
    ]
    filters = {
        "types": lambda each: each.type,
        "user_guids": lambda each: each.user,
        "space_guids": lambda each: each.space,
        "organization_guids": lambda each: each.org,
    }
    return listed(call, found, lambda each: territories.role(call.state, each), filters)


@routes.on("GET", "/v3/users")
def list_users(call: Call) -> Answer:
    mine = call.caller.user
    everybody = call.state.all(r.User)
    found = everybody if mine.is_admin else [each for each in everybody if each is mine]
    filters = {"usernames": lambda each: each.name, "origins": lambda each: each.origin}
    return listed(call, found, lambda each: territories.user(call.state, each), filters)


def _domains(call: Call, found: list[r.Domain]) -> Answer:
    filters = {"names": lambda each: each.name, "organization_guids": lambda each: each.org}
    return listed(call, found, lambda each: territories.domain(call.state, each), filters)


def organization_of(call: Call) -> r.Organization:
    found = call.state.find(r.Organization, call.parts["guid"])
    if found is None or not sees_org(call, found):
        raise missing("Organization")
    return found


def sees_org(call: Call, org: r.Organization) -> bool:
    return call.caller.can_read_org(call.state, org)


def _sees_domain(call: Call, domain: r.Domain) -> bool:
    if domain.org is None:
        return True
    return sees_org(call, call.state.get(r.Organization, domain.org))
