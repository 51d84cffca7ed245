"""What ECS says in a service's events, word for word as far as it is published or was seen.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from collections.abc import Sequence
from uuid import uuid4

from ..world import now
from .records import Deployment, Service, Task

_MORE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


def say(service: Service, text: str) -> None:
    """Newest first."""
    message = f"(service {service.name}) {text}"
    service.events.appendleft({"id": str(uuid4()), "createdAt": now(), "message": message})


def started(service: Service, tasks: Sequence[Task]) -> None:
    replaced = sum(each.is_replacement for each in tasks)
    why = f" Amazon ECS replaced {replaced} tasks due to an unhealthy status." if replaced else ""
    say(service, f"has started {len(tasks)} tasks: {_named(tasks)}.{why}")


def stopped(service: Service, tasks: Sequence[Task]) -> None:
    say(service, f"has stopped {len(tasks)} running tasks: {_named(tasks)}.")


def draining(service: Service, tasks: Sequence[Task], groups: Sequence[str]) -> None:
    for group in groups:
        say(service, f"deregistered {len(tasks)} targets in (target-group {group})")
    say(service, f"has begun draining connections on {len(tasks)} tasks.")


def unhealthy_target(service: Service, task: Task, port: int, group: str) -> None:
    where = f"(task {task.id})" if not task.host else f"(instance {task.host})"
    say(
        service,
        f"{where} (port {port}) is unhealthy in (target-group {group}) due to (reason Health "
        "checks failed).",
    )


def unhealthy_container(service: Service, task: Task) -> None:
    say(service, f"(task {task.id}) failed container health checks.")


def unplaced(service: Service, why: str) -> None:
    say(
        service,
        "was unable to place a task because no container instance met all of its requirements. "
        f"{why} {_MORE}",
    )


def no_capacity(service: Service) -> None:
    say(
        service,
        "was unable to place a task. Reason: Capacity is unavailable at this time. Please try "
        "again later or in a different availability zone.",
    )


def inconsistent(service: Service) -> None:
    say(service, f"is unable to consistently start tasks successfully. {_MORE}")


def stuck(service: Service) -> None:
    say(
        service,
        "was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
    )


def completed(service: Service, deployment: Deployment) -> None:
    say(service, f"(deployment {deployment.id}) deployment completed.")


def failed(service: Service, deployment: Deployment) -> None:
    say(service, f"(deployment {deployment.id}) deployment failed: tasks failed to start.")


def rolling_back(service: Service, deployment: Deployment) -> None:
    say(service, f"rolling back to deployment {deployment.id}.")


def steady(service: Service) -> None:
    say(service, "has reached a steady state.")


def _named(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {each.id})" for each in tasks)
