"""Cloud Map: moto keeps it all, but lets a service go that still has instances.

https://docs.aws.amazon.com/cloud-map/latest/api/API_DeleteService.html
"""

from .asked import Actions, Asked, Json
from .refusals import Refused
from .world import World


def actions(world: World) -> Actions:
    def delete(asked: Asked) -> Json:
        name = asked.parameters["Id"]
        found = world.beneath.ask("servicediscovery", "list_instances", ServiceId=name)
        if found["Instances"]:
            raise Refused("ResourceInUse", f"Service contains registered instances; {name}")
        return world.beneath.ask("servicediscovery", "delete_service", Id=name)

    return {"DeleteService": delete}
