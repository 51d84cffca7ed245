"""What would make a step fail, asked of AWS beforehand: clusters, subnets, target groups."""

from collections.abc import Iterable, Iterator

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.aws.api import Refused
from rollbacks.platforms.ecs.calls import ECS, Looks, some
from rollbacks.platforms.ecs.definitions import Definition, short
from rollbacks.platforms.ecs.services import Service

_MOST_VALUES = 200  # of a filter


def of_cluster(looks: Looks) -> Iterator[str]:
    """A cluster that is not there, or not any more. What may not be asked shows in the rights."""
    try:
        found = looks.api.read(ECS, "describe_clusters", clusters=[looks.cluster])["clusters"]
    except Refused as error:
        if not error.permanent:
            raise
        yield str(error)
        return
    if not found or found[0]["status"] != "ACTIVE":
        yield f"The cluster {looks.cluster} of the infrastructure definition is not there"


def of_service(looks: Looks, service: Service) -> Iterator[str]:
    """Why it cannot be updated, or be the model of others."""
    if service.controller != "ECS":
        yield f"{service.name} is deployed by {service.controller}: Lastgood cannot update it"
    wanted = looks.target.settings["launch_type"]
    if service.launch_type != wanted:
        yield f"{service.name} runs on {service.launch_type}, the infrastructure says {wanted}"


def of_base(base: Service) -> Iterator[str]:
    """Why no other service can be made after it."""
    if base.offers:
        yield (
            f"The base service {base.name} is known to Service Connect as "
            f"{', '.join(base.offers)}, which only one service may be: update such a service in "
            "place, by ecs.rollout"
        )


def of_places(looks: Looks, services: Iterable[Service]) -> Iterator[str]:
    """The subnets and target groups of the services that are not there."""
    wanted = list(services)
    there = _subnets(looks, {subnet for each in wanted for subnet in each.subnets})
    for service in wanted:
        if missing := [each for each in service.subnets if each not in there]:
            yield f"{service.name} names a subnet that is not there: {', '.join(missing)}"
        if service.target_groups:
            kind, takes = ("ip", "addresses") if service.subnets else ("instance", "instances")
            yield from balancing.missing(looks, service.target_groups, kind, takes)


def _subnets(looks: Looks, ids: set[str]) -> set[str]:
    """Those that are there; where that may not be asked, which shows in the rights, all."""
    found: set[str] = set()
    for part in some(sorted(ids), _MOST_VALUES):
        wanted = [{"Name": "subnet-id", "Values": list(part)}]
        try:
            every = list(looks.api.pages("ec2", "describe_subnets", "Subnets", Filters=wanted))
        except Refused as error:
            if not error.permanent:
                raise
            return ids
        found |= {str(each["SubnetId"]) for each in every}
    return found


def of_definition(looks: Looks, definition: Definition) -> Iterator[str]:
    """Whether tasks of it can run where the infrastructure says."""
    wanted = looks.target.settings["launch_type"]
    found = definition.described.get("compatibilities") or ()
    if found and wanted not in found:
        yield f"{short(definition.arn)} cannot run on {wanted}, only on {', '.join(found)}"


def of_revision(looks: Looks, name: str, arn: str) -> Iterator[str]:
    """A revision that services cannot start tasks of any more."""
    try:
        is_there = looks.definition(arn).is_active
    except Refused as error:
        if not error.permanent:
            raise
        is_there = False
    if not is_there:
        yield (
            f"The task definition {short(arn)}, to which {name} goes back, was deregistered: ECS "
            "starts no tasks of it any more"
        )
