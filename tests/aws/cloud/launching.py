"""Versions of launch templates: moto keeps them, but cannot delete one nor know a client token."""

from .asked import Actions, Asked, Json
from .paging import page
from .refusals import Refused
from .world import World

_MOST = 200
_BAD_TOKEN = Refused("InvalidNextToken", "The token is not valid.")


class Launching:
    def __init__(self, world: World) -> None:
        self._world = world
        self._deleted: set[tuple[str, int]] = set()
        self._made: dict[str, Json] = {}  # by client token

    @property
    def actions(self) -> Actions:
        return {
            "CreateLaunchTemplateVersion": self.create,
            "DeleteLaunchTemplateVersions": self.delete,
            "DescribeLaunchTemplateVersions": self.describe,
        }

    def create(self, asked: Asked) -> Json:
        given = dict(asked.parameters)
        token = given.pop("ClientToken", "")
        if token and token in self._made:
            return self._made[token]
        made = self._world.beneath.ask("ec2", "create_launch_template_version", **given)
        if token:
            self._made[token] = made
        return made

    def delete(self, asked: Asked) -> Json:
        """The default version cannot be deleted; whatever cannot be is told, not refused."""
        gone: list[Json] = []
        kept: list[Json] = []
        versions = {str(each["VersionNumber"]): each for each in self._versions(asked)}
        for number in asked.parameters["Versions"]:
            found = versions.get(number)
            if found is None or found["DefaultVersion"]:
                code = "launchTemplateVersionDoesNotExist" if found is None else "unexpectedError"
                kept.append({"VersionNumber": int(number), "ResponseError": {"Code": code}})
            else:
                self._deleted.add((found["LaunchTemplateId"], found["VersionNumber"]))
                gone.append({"VersionNumber": found["VersionNumber"]})
        return {
            "SuccessfullyDeletedLaunchTemplateVersions": gone,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }

    def describe(self, asked: Asked) -> Json:
        given = asked.parameters
        every = self._versions(asked)
        if wanted := given.get("Versions"):
            numbers = {_number(each, every) for each in wanted}
            if missing := numbers - {each["VersionNumber"] for each in every}:
                raise Refused(
                    "InvalidLaunchTemplateId.VersionNotFound",
                    f"Could not find launch template version {min(missing)}",
                )
            every = [each for each in every if each["VersionNumber"] in numbers]
        low, high = int(given.get("MinVersion") or 0), int(given.get("MaxVersion") or 10**9)
        found = [each for each in every if low <= each["VersionNumber"] <= high]
        size = int(given.get("MaxResults", _MOST))
        listed, following = page(found, size, given.get("NextToken"), _BAD_TOKEN)
        return {"LaunchTemplateVersions": listed, "NextToken": following}

    def _versions(self, asked: Asked) -> list[Json]:
        """Newest first, as EC2 lists them."""
        name = "LaunchTemplateId" if asked.parameters.get("LaunchTemplateId") else _BY_NAME
        found = self._world.beneath.ask(
            "ec2", "describe_launch_template_versions", **{name: asked.parameters[name]}
        )["LaunchTemplateVersions"]
        there = (
            each
            for each in found
            if (each["LaunchTemplateId"], each["VersionNumber"]) not in self._deleted
        )
        return sorted(there, key=lambda each: -int(each["VersionNumber"]))


_BY_NAME = "LaunchTemplateName"


def _number(version: str, every: list[Json]) -> int:
    if version == "$Latest":
        return int(every[0]["VersionNumber"])
    if version == "$Default":
        return int(next(each["VersionNumber"] for each in every if each["DefaultVersion"]))
    return int(version)
