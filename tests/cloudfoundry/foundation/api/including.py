"""What is put beside the resources asked for, by `include`."""

from collections.abc import Callable, Sequence
from typing import Any

from .. import records as r
from .. import territories
from ..calls import Call
from ..problems import bad_parameter

Json = dict[str, Any]


def with_spaces(call: Call) -> Callable[[Sequence[Any]], Json]:
    """The spaces of the resources, and their organizations."""
    wanted = set(call.query.get("include", "").split(",")) - {""}
    if not wanted <= {"space", "space.organization", "org", "domain"}:
        raise bad_parameter("Invalid included resource: " + ", ".join(sorted(wanted)))

    def include(shown: Sequence[Any]) -> Json:
        return _included(call, wanted, shown)

    return include


def _included(call: Call, wanted: set[str], shown: Sequence[Any]) -> Json:
    state, found = call.state, {}
    spaces = list({each.guid: each for each in map(state.space_of, shown)}.values())
    if wanted & {"space", "space.organization"}:
        found["spaces"] = [territories.space(state, each) for each in spaces]
    if wanted & {"space.organization", "org"}:
        guids = dict.fromkeys(each.org for each in spaces)
        orgs = [state.get(r.Organization, guid) for guid in guids]
        found["organizations"] = [territories.organization(state, each) for each in orgs]
    if "domain" in wanted:
        domains = [state.get(r.Domain, guid) for guid in {each.domain: 0 for each in shown}]
        found["domains"] = [territories.domain(state, each) for each in domains]
    return found
