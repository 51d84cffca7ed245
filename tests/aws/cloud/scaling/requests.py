"""StartInstanceRefresh and its kin.

Messages are as real accounts showed them; AWS publishes the codes, not the texts.
"""

from uuid import uuid4

from ..asked import Actions, Asked, Json
from ..refusals import Refused, not_modelled
from ..world import World
from . import showing
from .controller import Controller
from .groups import Groups
from .members import pages
from .records import Group, Refresh
from .templates import LAUNCH, require_launch, resolve, specification


class RefreshRequests:
    def __init__(self, world: World, groups: Groups, controller: Controller) -> None:
        self._world = world
        self._groups = groups
        self._controller = controller

    def actions(self) -> Actions:
        return {
            "StartInstanceRefresh": self.start,
            "DescribeInstanceRefreshes": self.describe,
            "CancelInstanceRefresh": self.cancel,
            "RollbackInstanceRefresh": self.roll_back,
        }

    def start(self, asked: Asked) -> Json:
        group, given = self._groups.find(asked), asked.parameters
        if group.refresh:
            raise Refused(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this "
                "Instance Refresh.",
            )
        preferences = {"MinHealthyPercentage": 90, "SkipMatching": False}
        preferences |= given.get("Preferences", {})
        _check_modelled(given, preferences)
        desired = given.get("DesiredConfiguration")
        template = resolve(self._world, desired or group.settings)
        require_launch(asked, template)
        skip = preferences["SkipMatching"]
        chosen = [each.id for each in group.staying if not (skip and each.template == template)]
        made = Refresh(
            id=str(uuid4()),
            desired=desired,
            preferences=preferences,
            before={key: group.settings[key] for key in LAUNCH if key in group.settings},
            template=template,
            to_replace=chosen,
            total=len(chosen),
        )
        group.refreshes.insert(0, made)
        self._controller.wake(group)
        return {"InstanceRefreshId": made.id}

    def describe(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        wanted = asked.parameters.get("InstanceRefreshIds")
        found = [
            showing.refresh(group, each)
            for each in group.refreshes
            if not wanted or each.id in wanted
        ]
        listed, following = pages(found, asked)
        return {"InstanceRefreshes": listed, "NextToken": following}

    def cancel(self, asked: Asked) -> Json:
        group, refresh = self._active(asked)
        refresh.status = "Cancelling"
        self._controller.wake(group)
        return {"InstanceRefreshId": refresh.id}

    def roll_back(self, asked: Asked) -> Json:
        group, refresh = self._active(asked)
        if refresh.status not in {"Pending", "InProgress"}:
            raise _none_active(group)
        version = specification(refresh.before).get("Version", "$Default")
        if not refresh.desired or version.startswith("$"):
            raise Refused(
                "IrreversibleInstanceRefresh",
                "The instance refresh cannot be rolled back: it has no desired configuration, or "
                "the group's launch template has no fixed version.",
            )
        self._controller.refreshes.roll_back(group, refresh, "Manual rollback was initiated.")
        self._controller.wake(group)
        return {"InstanceRefreshId": refresh.id}

    def _active(self, asked: Asked) -> tuple[Group, Refresh]:
        group = self._groups.find(asked)
        if group.refresh is None:
            raise _none_active(group)
        return group, group.refresh


def _none_active(group: Group) -> Refused:
    return Refused(
        "ActiveInstanceRefreshNotFound",
        f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
    )


def _check_modelled(given: Json, preferences: Json) -> None:
    known = {"MinHealthyPercentage", "SkipMatching", "AutoRollback", "InstanceWarmup"}
    unknown = set(preferences) - known
    if given.get("Strategy", "Rolling") != "Rolling":
        raise not_modelled(f"the strategy {given['Strategy']} of an instance refresh")
    if unknown:
        raise not_modelled(f"these preferences of an instance refresh: {sorted(unknown)}")
