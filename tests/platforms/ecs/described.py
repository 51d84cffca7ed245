"""Services and task definitions as ECS describes them."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.base import TargetRef
from rollbacks.platforms.ecs.definitions import Definition
from rollbacks.platforms.ecs.services import Service, service_of

ARN = "arn:aws:ecs:eu-west-1:123456789012"
Json = dict[str, Any]


def target(**settings: Any) -> TargetRef:
    return TargetRef(
        application="Shop",
        service="web shop",
        environment="production",
        infrastructure="east",
        connector={"region": "eu-west-1"},
        settings={
            "cluster": "shop",
            "services": None,
            "base_service": None,
            "service_name": "{application}__{service}__{environment}",
            **settings,
        },
        credential=None,
    )


def service(tags: Mapping[str, str] | None = None, **described: Any) -> Service:
    return service_of(
        {
            "serviceName": "web",
            "serviceArn": f"{ARN}:service/shop/web",
            "status": "ACTIVE",
            "taskDefinition": f"{ARN}:task-definition/web:1",
            "desiredCount": 2,
            "runningCount": 2,
            "pendingCount": 0,
            "deployments": [deployment()],
            "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
            **described,
        }
    )


def deployment(**described: Any) -> Json:
    return {
        "status": "PRIMARY",
        "taskDefinition": f"{ARN}:task-definition/web:1",
        "rolloutState": "COMPLETED",
        "runningCount": 2,
        **described,
    }


def definition(images: Mapping[str, str], **described: Any) -> Definition:
    containers = [
        {"name": name, "image": image, "environment": [{"name": "KEY", "value": "hidden"}]}
        for name, image in images.items()
    ]
    return Definition(
        f"{ARN}:task-definition/web:1",
        {"team": "shop", "aws:ecs:x": "y"},
        {
            "family": "web",
            "revision": 1,
            "status": "ACTIVE",
            "containerDefinitions": containers,
            "volumes": [],
            "requiresAttributes": [{"name": "x"}],
            "registeredBy": "somebody",
            **described,
        },
    )
