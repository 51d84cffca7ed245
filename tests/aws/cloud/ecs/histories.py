"""Service deployments and revisions: what has happened to a service, and stopping what happens.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from collections.abc import Iterator, Mapping

from ..asked import Actions, Asked, Json
from ..paging import page
from ..refusals import Refused, invalid
from . import showing
from .records import Service, ServiceDeployment
from .rollouts import Rollouts
from .scheduler import Scheduler
from .services import Services

_MOST = 100
_MOST_DESCRIBED = 20


class Histories:
    def __init__(self, services: Services, rollouts: Rollouts, scheduler: Scheduler) -> None:
        self._services = services
        self._rollouts = rollouts
        self._scheduler = scheduler

    def actions(self) -> Actions:
        return {
            "ListServiceDeployments": self.list,
            "DescribeServiceDeployments": self.describe,
            "DescribeServiceRevisions": self.revisions,
            "StopServiceDeployment": self.stop,
        }

    def list(self, asked: Asked) -> Json:
        """The newest first."""
        given = asked.parameters
        service = self._services.existing(given.get("cluster"), given["service"])
        statuses = given.get("status")
        since = given.get("createdAt", {}).get("after")
        until = given.get("createdAt", {}).get("before")
        found = [
            showing.brief(service, each)
            for each in reversed(service.histories)
            if (not statuses or each.status.value in statuses)
            and (since is None or each.created_at >= since)
            and (until is None or each.created_at <= until)
        ]
        size = min(int(given.get("maxResults", 20)), _MOST)
        listed, following = page(found, size, given.get("nextToken"), invalid("Invalid token"))
        return {"serviceDeployments": listed, "nextToken": following}

    def describe(self, asked: Asked) -> Json:
        arns = _few(asked.parameters["serviceDeploymentArns"], "Service deployment ARNs")
        known = {each.arn: (service, each) for service, each in self._all()}
        return {
            "serviceDeployments": [showing.history(*known[each]) for each in arns if each in known],
            "failures": _missing(arns, known),
        }

    def revisions(self, asked: Asked) -> Json:
        arns = _few(asked.parameters["serviceRevisionArns"], "Service revision ARNs")
        known = {
            each.arn: (service, each)
            for service in self._services.all()
            for each in service.revisions.values()
        }
        return {
            "serviceRevisions": [showing.revision(*known[each]) for each in arns if each in known],
            "failures": _missing(arns, known),
        }

    def stop(self, asked: Asked) -> Json:
        arn = asked.parameters["serviceDeploymentArn"]
        for service, each in self._all():
            if each.arn == arn:
                how = asked.parameters.get("stopType", "ROLLBACK")
                self._rollouts.stop(service, each, how)
                self._scheduler.wake(service)
                return {"serviceDeploymentArn": arn}
        raise Refused("ServiceDeploymentNotFoundException", "Service deployment not found.")

    def _all(self) -> Iterator[tuple[Service, ServiceDeployment]]:
        for service in self._services.all():
            for each in service.histories:
                yield service, each


def _few(arns: list[str], what: str) -> list[str]:
    if len(arns) > _MOST_DESCRIBED:
        raise invalid(f"{what} cannot have more than {_MOST_DESCRIBED} elements.")
    return arns


def _missing(arns: list[str], known: Mapping[str, object]) -> list[Json]:
    return [{"arn": each, "reason": "MISSING"} for each in arns if each not in known]
