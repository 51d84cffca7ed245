"""What an organization and a space take, and what is installed for apps to be staged with."""

from typing import Any

from .. import limits
from .. import records as r
from ..calls import Answer, Call
from ..documents import link
from ..routing import routes
from .spaces import organization_of

Json = dict[str, Any]
_STACKS = ("cflinuxfs4",)
_BUILDPACKS = ("binary_buildpack", "java_buildpack", "python_buildpack")


@routes.on("GET", "/v3/organizations/{guid}/usage_summary")
def get_usage_of_organization(call: Call) -> Answer:
    org = organization_of(call)
    return _summary(call, limits.running(call.state, org), f"organizations/{org.guid}")


@routes.on("GET", "/v3/spaces/{guid}/usage_summary")
def get_usage_of_space(call: Call) -> Answer:
    space = call.seen(r.Space)
    org = call.state.get(r.Organization, space.org)
    found = [each for each in limits.running(call.state, org) if call.state.space_of(each) is space]
    return _summary(call, found, f"spaces/{space.guid}")


def _summary(call: Call, found: list[r.Process], here: str) -> Answer:
    summary = {
        "started_instances": sum(each.instances for each in found),
        "memory_in_mb": sum(each.instances * each.memory for each in found),
    }
    links = {"self": link(call.state, f"{here}/usage_summary")}
    return Answer(body={"usage_summary": summary, "links": links})


@routes.on("GET", "/v3/stacks")
def list_stacks(call: Call) -> Answer:
    return _named(call, _STACKS)


@routes.on("GET", "/v3/buildpacks")
def list_buildpacks(call: Call) -> Answer:
    return _named(call, _BUILDPACKS)


def _named(call: Call, every: tuple[str, ...]) -> Answer:
    wanted = call.query.get("names", ",".join(every)).split(",")
    found = [{"guid": each, "name": each} for each in every if each in wanted]
    pagination = {"total_results": len(found), "total_pages": 1, "next": None, "previous": None}
    return Answer(body={"pagination": pagination, "resources": found})
