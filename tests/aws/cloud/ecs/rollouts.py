"""A service's deployments: one begins, is completed, fails, goes back to the one before.

A rollback makes the deployment it goes back to the PRIMARY once more, by its own id.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from ..refusals import Refused
from ..world import World, now, token
from . import events
from .definitions import Definitions
from .records import Deployment, History, Revision, Rollout, Service, ServiceDeployment

TRIGGERS = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
_BROKEN = "Service deployment rolled back because the circuit breaker threshold was exceeded."
_STOPPED = "Service deployment was stopped by a user."


class Rollouts:
    def __init__(self, world: World, definitions: Definitions) -> None:
        self._world = world
        self._definitions = definitions

    def begin(self, service: Service) -> None:
        """A new PRIMARY with what the service's settings are now."""
        before = service.deployments[0] if service.deployments else None
        if before is not None:
            self._supersede(before)
        revision = self._revision(service)
        service.revisions[revision.arn] = revision
        history = ServiceDeployment(
            arn=self._arn(service, "service-deployment", token(20)),
            target=revision,
            source=before.revision if before else None,
            breaker="MONITORING" if breaker(service).get("enable") else "DISABLED",
        )
        service.histories.append(history)
        name = f"ecs-svc/{self._large_number()}"
        reason = f"ECS deployment {name} in progress."
        service.deployments.insert(0, Deployment(name, revision, history, reason, service.desired))
        service.failures, service.waits_until, service.is_stuck = 0, 0.0, False

    def complete(self, service: Service) -> None:
        deployment = service.primary
        deployment.reason = f"ECS deployment {deployment.id} completed."
        deployment.rollout, deployment.was_completed = Rollout.COMPLETED, True
        deployment.updated_at = now()
        service.completed = deployment
        history = deployment.history
        if history.is_in_progress:
            is_back = history.status is History.ROLLBACK_IN_PROGRESS
            _end(history, History.ROLLBACK_SUCCESSFUL if is_back else History.SUCCESSFUL)
            if history.breaker == "MONITORING":
                history.breaker = "MONITORING_COMPLETE"
        events.completed(service, deployment)

    def break_off(self, service: Service) -> None:
        """The circuit breaker has seen enough."""
        deployment = service.primary
        deployment.reason = "ECS deployment circuit breaker: tasks failed to start."
        deployment.rollout, deployment.updated_at = Rollout.FAILED, now()
        history = deployment.history
        is_back = history.status is History.ROLLBACK_IN_PROGRESS
        history.breaker = "TRIGGERED"
        events.failed(service, deployment)
        if breaker(service).get("rollback") and service.completed and not is_back:
            self._go_back(service, "ECS deployment circuit breaker:", _BROKEN)
        else:
            _end(history, History.ROLLBACK_FAILED if is_back else History.STOPPED)
            history.reason = deployment.reason

    def stop(self, service: Service, history: ServiceDeployment, how: str) -> None:
        """Raises Refused unless it is in progress."""
        if history.status is not History.IN_PROGRESS:
            raise Refused(
                "ConflictException",
                f"The service deployment cannot be stopped: it is {history.status.value}.",
            )
        if how == "ROLLBACK" and service.completed is None:
            raise Refused(
                "ConflictException",
                "The service deployment cannot be rolled back: there is no completed deployment.",
            )
        deployment = service.primary
        deployment.rollout, deployment.updated_at = Rollout.FAILED, now()
        deployment.reason = "ECS deployment was stopped by a user."
        if how == "ROLLBACK":
            self._go_back(service, "ECS deployment stopped by a user:", _STOPPED)
        else:
            _end(history, History.STOPPED)
            history.reason = _STOPPED

    def _go_back(self, service: Service, who: str, why: str) -> None:
        failed, target = service.primary, service.completed
        assert target is not None
        failed.status = "ACTIVE"
        if target in service.deployments:
            service.deployments.remove(target)
        target.status, target.rollout, target.failed = "PRIMARY", Rollout.IN_PROGRESS, 0
        target.reason = f"{who} rolling back to deploymentId {target.id}."
        target.updated_at, target.desired = now(), service.desired
        target.history = failed.history
        service.deployments.insert(0, target)
        for each in TRIGGERS:
            service.settings.pop(each, None)
        service.settings.update(target.revision.settings)
        service.failures, service.waits_until, service.is_stuck = 0, 0.0, False
        history = failed.history
        history.status, history.reason, history.updated_at = (
            History.ROLLBACK_IN_PROGRESS,
            why,
            now(),
        )
        history.rollback = {
            "reason": why,
            "startedAt": now(),
            "serviceRevisionArn": target.revision.arn,
        }
        events.rolling_back(service, target)

    def _supersede(self, deployment: Deployment) -> None:
        deployment.status, deployment.updated_at = "ACTIVE", now()
        if deployment.history.is_in_progress:
            _end(deployment.history, History.STOPPED)
            deployment.history.reason = "A newer service deployment has begun."

    def _revision(self, service: Service) -> Revision:
        settings = {key: service.settings[key] for key in TRIGGERS if key in service.settings}
        definition = self._definitions.find(settings["taskDefinition"])
        arn = self._arn(service, "service-revision", self._large_number())
        return Revision(arn, settings, definition)

    def _arn(self, service: Service, kind: str, name: str) -> str:
        return self._world.arn("ecs", f"{kind}/{service.cluster_name}/{service.name}/{name}")

    def _large_number(self) -> str:
        return str(10**18 + int(token(14), 16))


def breaker(service: Service) -> dict[str, object]:
    """The circuit breaker's settings; they are of the service, not of a deployment."""
    found = service.settings["deploymentConfiguration"].get("deploymentCircuitBreaker", {})
    return dict(found)


def _end(history: ServiceDeployment, status: History) -> None:
    history.status, history.updated_at, history.finished_at = status, now(), now()
    if status is History.STOPPED:
        history.stopped_at = now()
