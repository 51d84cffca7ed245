"""Tags of services and task definitions; those of what moto keeps are moto's."""

from ..asked import Actions, Asked, Json
from ..refusals import invalid
from ..world import World
from . import showing
from .definitions import Definitions
from .services import Services

_MOST = 50


class Tagging:
    def __init__(self, world: World, services: Services, definitions: Definitions) -> None:
        self._world = world
        self._services = services
        self._definitions = definitions

    def actions(self) -> Actions:
        return {
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list,
        }

    def tag(self, asked: Asked) -> Json:
        given = asked.parameters
        found = self._tags(given["resourceArn"])
        if found is None:
            return self._world.beneath.ask("ecs", "tag_resource", **given)
        added = {each["key"]: each.get("value", "") for each in given["tags"]}
        if any(key.lower().startswith("aws:") for key in added):
            raise invalid("Tag keys that begin with aws: are reserved.")
        if len(found | added) > _MOST:
            raise invalid(f"A resource can have no more than {_MOST} tags.")
        found.update(added)
        return {}

    def untag(self, asked: Asked) -> Json:
        given = asked.parameters
        found = self._tags(given["resourceArn"])
        if found is None:
            return self._world.beneath.ask("ecs", "untag_resource", **given)
        for each in given["tagKeys"]:
            found.pop(each, None)
        return {}

    def list(self, asked: Asked) -> Json:
        found = self._tags(asked.parameters["resourceArn"])
        if found is None:
            return self._world.beneath.ask("ecs", "list_tags_for_resource", **asked.parameters)
        return {"tags": showing.tags(found)}

    def _tags(self, arn: str) -> dict[str, str] | None:
        if ":service/" in arn:
            cluster, _, name = arn.partition(":service/")[2].partition("/")
            return self._services.existing(cluster, name).tags
        return self._definitions.tags_of(arn)
