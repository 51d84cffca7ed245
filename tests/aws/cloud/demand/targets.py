"""Scalable targets: a service's desired count is kept within their bounds.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
"""

from ..asked import Actions, Asked, Json
from ..ecs.records import Service
from ..ecs.services import Services
from ..paging import page
from ..refusals import Refused, not_modelled
from ..world import World, token
from .records import DIMENSION, Target, invalid, missing

_MOST = 50
_ROLE = (
    "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ECSService"
)


class Targets:
    def __init__(self, world: World, services: Services) -> None:
        self._world = world
        self._services = services
        self._targets: dict[str, Target] = {}

    def actions(self) -> Actions:
        return {
            "RegisterScalableTarget": self.register,
            "DeregisterScalableTarget": self.deregister,
            "DescribeScalableTargets": self.describe,
        }

    def all(self) -> list[Target]:
        return list(self._targets.values())

    def find(self, asked: Asked) -> Target:
        """Raises Refused."""
        check_modelled(asked)
        resource = asked.parameters["ResourceId"]
        if resource not in self._targets:
            raise missing("No scalable target registered", resource)
        return self._targets[resource]

    def of(self, service: Service) -> Target | None:
        return self._targets.get(f"service/{service.cluster_name}/{service.name}")

    def service_of(self, resource: str) -> Service | None:
        """None where there is none that is ACTIVE."""
        kind, _, rest = resource.partition("/")
        cluster, _, name = rest.partition("/")
        if kind != "service" or not name:
            raise invalid(f"Unsupported resource ID: {resource}")
        try:
            found = self._services.find(cluster, name)
        except Refused:
            return None
        return found if found is not None and found.status == "ACTIVE" else None

    def register(self, asked: Asked) -> Json:
        """Whatever is not said stays as it was; the desired count moves between the bounds."""
        check_modelled(asked)
        given, resource = asked.parameters, asked.parameters["ResourceId"]
        service = self.service_of(resource)
        known = self._targets.get(resource)
        if known is None and service is None:
            raise invalid(f"ECS service doesn't exist: {resource}")
        low, high = (
            given.get(f"{key}Capacity", before)
            for key, before in (
                ("Min", known.low if known else None),
                ("Max", known.high if known else None),
            )
        )
        if low is None or high is None:
            raise invalid("Min and max capacity are required to register a scalable target")
        if low > high:
            raise invalid("Maximum capacity cannot be less than minimum capacity")
        target = known or self._made(asked, resource)
        target.low, target.high = int(low), int(high)
        target.suspended |= given.get("SuspendedState", {})
        self._targets[resource] = target
        if service is not None:
            self._services.resize(service, target.within(service.desired))
        return {"ScalableTargetARN": target.arn}

    def deregister(self, asked: Asked) -> Json:
        """Its policies go with it."""
        del self._targets[self.find(asked).resource]
        return {}

    def describe(self, asked: Asked) -> Json:
        check_modelled(asked)
        wanted = asked.parameters.get("ResourceIds")
        found = [_shown(each) for each in self.all() if not wanted or each.resource in wanted]
        listed, following = pages(found, asked)
        return {"ScalableTargets": listed, "NextToken": following}

    def _made(self, asked: Asked, resource: str) -> Target:
        role = f"arn:aws:iam::{self._world.account}:{_ROLE}"
        arn = self._world.arn("application-autoscaling", f"scalable-target/{token(32)}")
        return Target(resource, arn, asked.parameters.get("RoleARN", role), 0, 0)


def check_modelled(asked: Asked) -> None:
    given = asked.parameters
    if given["ServiceNamespace"] != "ecs":
        raise not_modelled(f"Application Auto Scaling of {given['ServiceNamespace']}")
    if given.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise invalid(f"Unsupported scalable dimension: {given['ScalableDimension']}")


def pages(found: list[Json], asked: Asked) -> tuple[list[Json], str | None]:
    size = min(int(asked.parameters.get("MaxResults", _MOST)), _MOST)
    bad = Refused("InvalidNextTokenException", "The next token is invalid.")
    return page(found, size, asked.parameters.get("NextToken"), bad)


def _shown(target: Target) -> Json:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.low,
        "MaxCapacity": target.high,
        "RoleARN": target.role,
        "CreationTime": target.created_at,
        "SuspendedState": target.suspended,
        "ScalableTargetARN": target.arn,
    }
