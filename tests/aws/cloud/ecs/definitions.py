"""Task definitions: families of revisions that only ever rise, and are never changed.

moto ignores `sort`, and forgets what it does not know.
"""

import re
from collections.abc import Iterator

from ..asked import Actions, Asked, Json
from ..paging import page
from ..refusals import client_error, invalid
from ..world import World, now

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST = 100


class Definitions:
    def __init__(self, world: World) -> None:
        self._world = world
        self._families: dict[str, list[Json]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def actions(self) -> Actions:
        return {
            "RegisterTaskDefinition": self.register,
            "DeregisterTaskDefinition": self.deregister,
            "DescribeTaskDefinition": self.describe,
            "ListTaskDefinitions": self.list,
            "ListTaskDefinitionFamilies": self.families,
        }

    def find(self, name: str) -> Json:
        """By ARN, family:revision, or family: its newest that is active. Raises Refused."""
        family, _, revision = name.rpartition("/")[2].partition(":")
        found = [
            each
            for each in self._families.get(family, [])
            if (str(each["revision"]) == revision if revision else each["status"] == "ACTIVE")
        ]
        if not found:
            raise client_error("Unable to describe task definition.")
        return found[-1]

    def tags_of(self, arn: str) -> dict[str, str] | None:
        return self._tags.get(arn)

    def register(self, asked: Asked) -> Json:
        given = dict(asked.parameters)
        tags = {each["key"]: each.get("value", "") for each in given.pop("tags", [])}
        _check(given)
        for role in ("taskRoleArn", "executionRoleArn"):
            if given.get(role, "").startswith("arn:"):
                asked.require("iam:PassRole", given[role])
        revisions = self._families.setdefault(given["family"], [])
        revision = len(revisions) + 1
        arn = self._world.arn("ecs", f"task-definition/{given['family']}:{revision}")
        made = {
            "volumes": [],
            "placementConstraints": [],
            **given,
            "containerDefinitions": [
                _completed(each, given.get("networkMode", "bridge"))
                for each in given["containerDefinitions"]
            ],
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "compatibilities": _compatibilities(given),
            "requiresAttributes": [],
            "registeredAt": now(),
            "registeredBy": asked.principal.arn,
        }
        revisions.append(made)
        self._tags[arn] = tags
        return {"taskDefinition": made, "tags": _listed(tags)}

    def deregister(self, asked: Asked) -> Json:
        name = asked.parameters["taskDefinition"]
        if ":" not in name.rpartition("/")[2]:
            raise client_error(f"Invalid revision number. Number: {name}")
        found = self.find(name)
        found["status"] = "INACTIVE"
        found["deregisteredAt"] = now()
        return {"taskDefinition": found}

    def describe(self, asked: Asked) -> Json:
        found = self.find(asked.parameters["taskDefinition"])
        answer: Json = {"taskDefinition": found}
        if "TAGS" in asked.parameters.get("include", []):
            answer["tags"] = _listed(self._tags[found["taskDefinitionArn"]])
        return answer

    def list(self, asked: Asked) -> Json:
        given = asked.parameters
        status = given.get("status", "ACTIVE")
        order = {"ASC": False, "DESC": True}[given.get("sort", "ASC")]
        wanted = given.get("familyPrefix")  # despite its name it is the whole name of a family
        found = [
            (family, each["revision"], each["taskDefinitionArn"])
            for family, revisions in self._families.items()
            for each in revisions
            if each["status"] == status and wanted in (None, family)
        ]
        arns = [arn for _, _, arn in sorted(found, reverse=order)]
        size = min(int(given.get("maxResults", _MOST)), _MOST)
        listed, following = page(arns, size, given.get("nextToken"), invalid("Invalid token"))
        return {"taskDefinitionArns": listed, "nextToken": following}

    def families(self, asked: Asked) -> Json:
        given = asked.parameters
        found = sorted(self._named(given.get("familyPrefix", ""), given.get("status", "ACTIVE")))
        size = min(int(given.get("maxResults", _MOST)), _MOST)
        listed, following = page(found, size, given.get("nextToken"), invalid("Invalid token"))
        return {"families": listed, "nextToken": following}

    def _named(self, prefix: str, status: str) -> Iterator[str]:
        for family, revisions in self._families.items():
            is_active = any(each["status"] == "ACTIVE" for each in revisions)
            if family.startswith(prefix) and status in (
                "ALL",
                "ACTIVE" if is_active else "INACTIVE",
            ):
                yield family


def _check(given: Json) -> None:
    """What ECS refuses of a definition that a deployment tool might send."""
    if not _NAME.fullmatch(given["family"]):
        raise client_error(f"Invalid family name: {given['family']}")
    containers = given["containerDefinitions"]
    if not containers:
        raise client_error("Container definitions should not be null or empty.")
    for each in containers:
        if not each.get("name") or not each.get("image"):
            raise client_error("Container.image and name should not be null or empty.")
        if not (given.get("memory") or each.get("memory") or each.get("memoryReservation")):
            raise client_error(
                "Invalid setting for container "
                f"'{each['name']}'. At least one of 'memory' or 'memoryReservation' must be "
                "specified."
            )
    if not any(each.get("essential", True) for each in containers):
        raise client_error("A task definition must have at least one essential container.")
    if "FARGATE" in given.get("requiresCompatibilities", []):
        _check_fargate(given)


def _check_fargate(given: Json) -> None:
    if given.get("networkMode") != "awsvpc":
        raise client_error(
            "Fargate only supports network mode ‘awsvpc’."  # noqa: RUF001 - AWS's own quotes
        )
    if not given.get("cpu") or not given.get("memory"):
        raise client_error("Fargate requires that 'cpu' be defined at the task level.")


def _completed(container: Json, mode: str) -> Json:
    """With the defaults that DescribeTaskDefinition shows."""
    is_same = mode in ("awsvpc", "host")  # otherwise the host has a port to choose: 0
    ports = [
        {"hostPort": each["containerPort"] if is_same else 0, "protocol": "tcp", **each}
        for each in container.get("portMappings", [])
    ]
    return {
        "cpu": 0,
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        **container,
        "portMappings": ports,
    }


def _compatibilities(given: Json) -> list[str]:
    could_be_fargate = given.get("networkMode") == "awsvpc" and given.get("cpu")
    return ["EC2", "FARGATE"] if could_be_fargate and given.get("memory") else ["EC2"]


def _listed(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]
