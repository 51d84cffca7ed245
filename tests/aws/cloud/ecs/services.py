"""CreateService, UpdateService, DeleteService, and what tells of services."""

from collections.abc import Iterable

from ..asked import Actions, Asked, Json
from ..paging import page
from ..refusals import Refused, invalid
from ..world import World
from . import requirements, showing
from .clusters import Clusters
from .definitions import Definitions
from .records import Service
from .rollouts import TRIGGERS, Rollouts
from .scheduler import Scheduler

_MOST_DESCRIBED = 10
_MOST_LISTED = 100
_PROVIDERS = "capacityProviderStrategy"
_OTHERS = (
    "deploymentConfiguration",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "availabilityZoneRebalancing",
    "deploymentController",
)
_REPLICA = {"maximumPercent": 200, "minimumHealthyPercent": 100}
_DAEMON = {"maximumPercent": 100, "minimumHealthyPercent": 0}


class Services:
    def __init__(
        self,
        world: World,
        definitions: Definitions,
        rollouts: Rollouts,
        scheduler: Scheduler,
    ) -> None:
        self._world = world
        self._definitions = definitions
        self._rollouts = rollouts
        self._scheduler = scheduler
        self.clusters = Clusters(world, self.all)
        self._services: dict[str, Service] = {}

    def actions(self) -> Actions:
        return {
            "CreateService": self.create,
            "UpdateService": self.update,
            "DeleteService": self.delete,
            "DescribeServices": self.describe,
            "ListServices": self.list,
        }

    def all(self) -> Iterable[Service]:
        return list(self._services.values())

    def find(self, cluster: str | None, name: str) -> Service | None:
        """By name or ARN, whatever its status."""
        arn = self._arn(self.clusters.find(cluster), name)
        return self._services.get(arn)

    def create(self, asked: Asked) -> Json:
        given = asked.parameters
        cluster = self.clusters.find(given.get("cluster"))
        arn = self._arn(cluster, given["serviceName"])
        existing = self._services.get(arn)
        if existing is not None and existing.status != "INACTIVE":
            return {"service": showing.service(self._again(existing, given), with_tags=True)}
        settings = self._settings(given)
        definition = self._named_definition(settings)
        requirements.check(self._world, settings, definition)
        requirements.check_counts(settings)
        made = Service(
            name=given["serviceName"],
            cluster=cluster,
            arn=arn,
            settings=settings,
            desired=_desired(given, settings),
            created_by=asked.principal.source,
            tags={each["key"]: each.get("value", "") for each in given.get("tags", [])},
            token=given.get("clientToken", ""),
            launch_type=settings.get("launchType", ""),
        )
        self._services[arn] = made
        self._rollouts.begin(made)
        self._scheduler.wake(made)
        return {"service": showing.service(made, with_tags=True)}

    def update(self, asked: Asked) -> Json:
        given = asked.parameters
        found = self._existing(given)
        if found.status != "ACTIVE":
            raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
        if found.is_daemon and given.get("desiredCount") is not None:
            raise _no_desired_count()
        changed = self._changed(found, given)
        is_forced = bool(given.get("forceNewDeployment"))
        if not is_forced and changed.get(_PROVIDERS) != found.settings.get(_PROVIDERS):
            raise invalid(
                "When switching from launch type to capacity provider strategy on an existing "
                "service, or making a change to a capacity provider strategy on a service that is "
                "already using one, you must force a new deployment."
            )
        definition = self._named_definition(changed)
        requirements.check(self._world, changed, definition)
        requirements.check_counts(changed)
        is_new = any(changed.get(each) != found.settings.get(each) for each in TRIGGERS)
        found.settings = changed
        self.resize(found, given.get("desiredCount", found.desired))
        if is_new or is_forced:
            self._rollouts.begin(found)
        return {"service": showing.service(found, with_tags=True)}

    def delete(self, asked: Asked) -> Json:
        found = self._existing(asked.parameters)
        if found.status == "INACTIVE":
            raise _not_found()
        if not asked.parameters.get("force") and not found.is_daemon:
            if found.desired > 0:
                raise invalid("The service cannot be stopped while it is scaled above 0.")
            if any(each.is_running for each in found.tasks):
                raise invalid("The service cannot be stopped while deployments are active.")
        found.desired = 0
        found.status = "DRAINING"
        self._scheduler.wake(found)
        return {"service": showing.service(found)}

    def describe(self, asked: Asked) -> Json:
        given = asked.parameters
        names = given["services"]
        if not names:
            raise invalid("Services cannot be empty.")
        if len(names) > _MOST_DESCRIBED:
            raise invalid(f"Services cannot have more than {_MOST_DESCRIBED} elements.")
        cluster = self.clusters.find(given.get("cluster"))
        arns = [self._arn(cluster, each) for each in dict.fromkeys(names)]
        with_tags = "TAGS" in given.get("include", [])
        return {
            "services": [
                showing.service(self._services[each], with_tags)
                for each in arns
                if each in self._services
            ],
            "failures": [
                {"arn": each, "reason": "MISSING"} for each in arns if each not in self._services
            ],
        }

    def list(self, asked: Asked) -> Json:
        """Only those that are ACTIVE."""
        given = asked.parameters
        cluster = self.clusters.find(given.get("cluster"))
        found = [
            each.arn
            for each in self._services.values()
            if each.cluster == cluster
            and each.status == "ACTIVE"
            and given.get("launchType") in (None, each.settings.get("launchType"))
            and given.get("schedulingStrategy") in (None, each.settings["schedulingStrategy"])
        ]
        size = min(int(given.get("maxResults", 10)), _MOST_LISTED)
        listed, following = page(found, size, given.get("nextToken"), invalid("Invalid token"))
        return {"serviceArns": listed, "nextToken": following}

    def existing(self, cluster: str | None, name: str) -> Service:
        """Raises Refused where there is none, or none any more."""
        found = self.find(cluster, name)
        if found is None:
            raise _not_found()
        return found

    def resize(self, service: Service, count: int) -> None:
        service.desired = count
        if service.deployments:
            service.primary.desired = count
        service.is_steady = False
        self._scheduler.wake(service)

    def _existing(self, given: Json) -> Service:
        return self.existing(given.get("cluster"), given["service"])

    def _again(self, existing: Service, given: Json) -> Service:
        """The same request with the same token is answered once more, and nothing else is."""
        if existing.status == "DRAINING":
            raise invalid("Unable to Start a service that is still Draining.")
        if not existing.token or given.get("clientToken") != existing.token:
            raise invalid("Creation of service was not idempotent.")
        return existing

    def _settings(self, given: Json) -> Json:
        settings = {key: given[key] for key in (*TRIGGERS, *_OTHERS) if given.get(key) is not None}
        settings["schedulingStrategy"] = given.get("schedulingStrategy", "REPLICA")
        default = _DAEMON if settings["schedulingStrategy"] == "DAEMON" else _REPLICA
        settings["deploymentConfiguration"] = {
            **default,
            **settings.get("deploymentConfiguration", {}),
        }
        if "capacityProviderStrategy" not in settings:
            settings.setdefault("launchType", "EC2")
        elif "launchType" in settings:
            raise invalid(
                "Specifying both a launch type and capacity provider strategy is not supported. "
                "Remove one and try again."
            )
        settings.setdefault("placementConstraints", [])
        settings.setdefault("placementStrategy", [])
        return settings

    def _changed(self, found: Service, given: Json) -> Json:
        changed = {
            **found.settings,
            **{key: given[key] for key in (*TRIGGERS, *_OTHERS) if given.get(key) is not None},
        }
        if given.get(_PROVIDERS):
            changed.pop("launchType", None)
        elif _PROVIDERS in given and found.launch_type:
            changed.pop(_PROVIDERS, None)
            changed["launchType"] = found.launch_type
        if told := given.get("deploymentConfiguration"):
            changed["deploymentConfiguration"] = {
                **found.settings["deploymentConfiguration"],
                **told,
            }
        return changed

    def _named_definition(self, settings: Json) -> Json:
        """Puts the ARN in the place of what a client may have called it."""
        try:
            found = self._definitions.find(settings.get("taskDefinition", ""))
        except Refused as refused:
            raise Refused("ClientException", "TaskDefinition not found.") from refused
        settings["taskDefinition"] = found["taskDefinitionArn"]
        return found

    def _arn(self, cluster: str, name: str) -> str:
        if name.startswith("arn:"):
            return name
        return self._world.arn("ecs", f"service/{cluster.rpartition('/')[2]}/{name}")


def _desired(given: Json, settings: Json) -> int:
    if settings["schedulingStrategy"] == "DAEMON":
        if given.get("desiredCount") is not None:
            raise _no_desired_count()
        return 0
    if given.get("desiredCount") is None:
        raise invalid("The desiredCount field is required for REPLICA services.")
    return int(given["desiredCount"])


def _no_desired_count() -> Refused:
    return invalid(
        "The daemon scheduling strategy does not support a desired count for services. Remove "
        "the desired count value and try again."
    )


def _not_found() -> Refused:
    return Refused("ServiceNotFoundException", "Service not found.")
