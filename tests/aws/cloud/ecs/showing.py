"""Records as the API shows them."""

from typing import Any

from ..asked import Json
from ..world import World
from .breaker import threshold
from .records import Deployment, Revision, Service, ServiceDeployment, Task
from .rollouts import TRIGGERS, breaker

_PLATFORM = "1.4.0"  # what LATEST stands for
_ONLY_THERE = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
_OF_DEPLOYMENT = (
    "launchType",
    "capacityProviderStrategy",
    "networkConfiguration",
    *_ONLY_THERE,
)


def tags(found: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in found.items()]


def service(found: Service, with_tags: bool = False) -> Json:
    settings = {key: value for key, value in found.settings.items() if key not in _ONLY_THERE}
    shown = {
        **settings,
        "loadBalancers": settings.get("loadBalancers", []),
        "serviceRegistries": settings.get("serviceRegistries", []),
        "serviceArn": found.arn,
        "serviceName": found.name,
        "clusterArn": found.cluster,
        "status": found.status,
        "desiredCount": found.desired,
        "runningCount": sum(each.is_running for each in found.tasks),
        "pendingCount": sum(each.is_pending for each in found.tasks),
        "deployments": [deployment(found, each) for each in found.deployments],
        "events": list(found.events),
        "createdAt": found.created_at,
        "createdBy": found.created_by,
        "currentServiceRevisions": [summary(found, each.revision) for each in found.deployments],
    }
    if found.deployments:
        shown["currentServiceDeployment"] = found.primary.history.arn
    if _is_fargate(found.settings):
        shown.setdefault("platformVersion", "LATEST")
        shown["platformFamily"] = "Linux"
    if with_tags:
        shown["tags"] = tags(found.tags)
    return shown


def deployment(of: Service, found: Deployment) -> Json:
    settings = found.revision.settings
    tasks = of.of(found)
    shown: Json = {
        "id": found.id,
        "status": found.status,
        "taskDefinition": settings["taskDefinition"],
        "desiredCount": found.desired,
        "pendingCount": sum(each.is_pending for each in tasks),
        "runningCount": sum(each.is_running for each in tasks),
        "failedTasks": found.failed,
        "createdAt": found.created_at,
        "updatedAt": found.updated_at,
        "rolloutState": found.rollout.value,
        "rolloutStateReason": found.reason,
    }
    shown |= {key: settings[key] for key in _OF_DEPLOYMENT if key in settings}
    if _is_fargate(settings):
        shown["platformVersion"], shown["platformFamily"] = _PLATFORM, "Linux"
    return shown


def summary(of: Service, found: Revision | None) -> Json:
    tasks = [each for each in of.tasks if each.deployment.revision is found]
    desired = [each.desired for each in of.deployments if each.revision is found]
    return {
        "arn": found.arn if found else None,
        "requestedTaskCount": sum(desired),
        "runningTaskCount": sum(each.is_running for each in tasks),
        "pendingTaskCount": sum(each.is_pending for each in tasks),
    }


def brief(of: Service, found: ServiceDeployment) -> Json:
    return {
        "serviceDeploymentArn": found.arn,
        "serviceArn": of.arn,
        "clusterArn": of.cluster,
        "createdAt": found.created_at,
        "startedAt": found.created_at,
        "finishedAt": found.finished_at,
        "targetServiceRevisionArn": found.target.arn,
        "status": found.status.value,
        "statusReason": found.reason or None,
    }


def history(of: Service, found: ServiceDeployment) -> Json:
    settings = breaker(of)
    return {
        **brief(of, found),
        "stoppedAt": found.stopped_at,
        "updatedAt": found.updated_at,
        "sourceServiceRevisions": [summary(of, found.source)] if found.source else [],
        "targetServiceRevision": summary(of, found.target),
        "deploymentConfiguration": of.settings["deploymentConfiguration"],
        "rollback": found.rollback,
        "deploymentCircuitBreaker": {
            "status": found.breaker,
            "failureCount": found.failures,
            "threshold": threshold(settings, of.desired),
        },
        "alarms": {"status": "DISABLED"},
    }


def revision(of: Service, found: Revision) -> Json:
    containers = found.definition["containerDefinitions"]
    return {
        **{key: found.settings[key] for key in TRIGGERS if key in found.settings},
        "serviceRevisionArn": found.arn,
        "serviceArn": of.arn,
        "clusterArn": of.cluster,
        "createdAt": found.created_at,
        "guardDutyEnabled": False,
        "containerImages": [
            {"containerName": each["name"], "image": each["image"]} for each in containers
        ],
    }


def task(found: Task, definition: Json, world: World) -> Json:
    is_awsvpc = definition.get("networkMode") == "awsvpc"
    shown: Json = {
        **found.times,
        "taskArn": found.arn,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "clusterArn": found.service.cluster,
        "containerInstanceArn": found.instance or None,
        "availabilityZone": found.zone,
        "capacityProviderName": found.capacity_provider or None,
        "launchType": found.launch_type,
        "group": f"service:{found.service.name}",
        "startedBy": found.deployment.id,
        "lastStatus": found.last_status,
        "desiredStatus": found.desired_status,
        "healthStatus": found.health,
        "stopCode": found.stop_code or None,
        "stoppedReason": found.stopped_reason or None,
        "connectivity": "CONNECTED",
        "cpu": definition.get("cpu", "0"),
        "memory": definition.get("memory", "0"),
        "version": found.version,
        "overrides": {"containerOverrides": []},
        "attachments": [_interface(found)] if is_awsvpc else [],
        "containers": [
            _container(found, each, world) for each in definition["containerDefinitions"]
        ],
    }
    if found.launch_type == "FARGATE":
        shown["platformVersion"], shown["platformFamily"] = _PLATFORM, "Linux"
    return shown


def _container(of: Task, defined: Json, world: World) -> Json:
    has_check = bool(defined.get("healthCheck"))
    path = of.arn.partition(":task/")[2]
    return {
        "containerArn": world.arn("ecs", f"container/{path}/{defined['name']}"),
        "taskArn": of.arn,
        "name": defined["name"],
        "image": defined["image"],
        "lastStatus": _container_status(of),
        "healthStatus": of.health if has_check else "UNKNOWN",
        "exitCode": of.exit_code if not of.is_live else None,
        "reason": of.container_reason or None,
        "networkBindings": [] if not of.host else _bindings(of, defined),
        "networkInterfaces": [{"attachmentId": of.id, "privateIpv4Address": of.address}]
        if not of.host or of.definition.get("networkMode") == "awsvpc"
        else [],
        "cpu": str(defined.get("cpu", 0)),
        "memory": str(defined["memory"]) if defined.get("memory") else None,
    }


def _container_status(of: Task) -> str:
    if of.last_status in {"RUNNING", "STOPPED"}:
        return of.last_status
    return "RUNNING" if of.last_status == "DEACTIVATING" else "PENDING" if of.is_live else "STOPPED"


def _bindings(of: Task, defined: Json) -> list[Json]:
    return [
        {
            "bindIP": "0.0.0.0",
            "containerPort": each["containerPort"],
            "hostPort": of.ports[defined["name"], each["containerPort"]],
            "protocol": each["protocol"],
        }
        for each in defined["portMappings"]
    ]


def _interface(of: Task) -> Json:
    statuses = {"PROVISIONING": "ATTACHING", "STOPPED": "DELETED"}
    network = of.deployment.revision.settings["networkConfiguration"]["awsvpcConfiguration"]
    details = {
        "subnetId": network["subnets"][0],
        "networkInterfaceId": f"eni-{of.id[:17]}",
        "privateIPv4Address": of.address,
    }
    return {
        "id": of.id,
        "type": "ElasticNetworkInterface",
        "status": statuses.get(of.last_status, "ATTACHED"),
        "details": [{"name": key, "value": value} for key, value in details.items()],
    }


def _is_fargate(settings: Any) -> bool:
    strategy = settings.get("capacityProviderStrategy", [])
    names = [each["capacityProvider"] for each in strategy]
    return settings.get("launchType") == "FARGATE" or any("FARGATE" in each for each in names)
