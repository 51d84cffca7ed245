"""Instance refreshes: a group's instances are replaced, so many at a time.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
"""

import math
from collections.abc import Callable
from functools import partial

from ..world import World, now
from .records import Group, Instance, Refresh, Template
from .templates import LAUNCH, resolve

_MIN_HEALTHY = 90


class Refreshes:
    def __init__(
        self,
        world: World,
        is_well: Callable[[Group, Instance], bool],
        wake: Callable[[Group], None],
    ) -> None:
        self._world = world
        self._is_well = is_well
        self._wake = wake

    def template_of(self, group: Group) -> Template | None:
        """What new instances are launched from while one is under way; None: the group's own."""
        return group.refresh.template if group.refresh else None

    def step(self, group: Group) -> list[Instance]:
        """The instances to terminate now, so that others take their place."""
        refresh = group.refresh
        if refresh is None or not group.may("InstanceRefresh"):
            return []
        if refresh.status == "Pending":
            refresh.status = "InProgress"
        if refresh.status == "Cancelling":
            _end(refresh, "Cancelled")
            return []
        present = {each.id: each for each in group.staying}
        refresh.to_replace = [each for each in refresh.to_replace if each in present]
        healthy = [each for each in group.staying if self._is_well(group, each)]
        refresh.unready = group.desired - len(healthy)
        is_whole = len(healthy) == len(group.staying) == group.desired
        if not refresh.to_replace and is_whole:
            self._finish(group, refresh)
            return []
        if self._has_waited(group, refresh, is_whole):
            self._fail(group, refresh)
            return []
        chosen = [present[each] for each in refresh.to_replace]
        poor = [each for each in chosen if each not in healthy]  # nobody misses these
        good = [each for each in chosen if each in healthy]
        return poor + good[: _at_once(group, refresh, healthy)]

    def roll_back(self, group: Group, refresh: Refresh, why: str) -> None:
        """Whatever is not as it was before is replaced once more."""
        done = refresh.total - len(refresh.to_replace)
        refresh.rollback = {
            "RollbackReason": why,
            "RollbackStartTime": now(),
            "PercentageCompleteOnRollback": 100 * done // refresh.total if refresh.total else 100,
            "InstancesToUpdateOnRollback": len(refresh.to_replace),
        }
        refresh.template = resolve(self._world, refresh.before)
        refresh.to_replace = [
            each.id for each in group.staying if each.template != refresh.template
        ]
        refresh.total = max(len(refresh.to_replace), 1)
        refresh.status, refresh.waits_since = "RollbackInProgress", None

    def _finish(self, group: Group, refresh: Refresh) -> None:
        if refresh.status == "RollbackInProgress":
            _end(refresh, "RollbackSuccessful")
            return
        if refresh.desired:
            for each in LAUNCH:
                group.settings.pop(each, None)
            group.settings.update(refresh.desired)
        _end(refresh, "Successful")

    def _has_waited(self, group: Group, refresh: Refresh, is_whole: bool) -> bool:
        limit = self._world.timing.refresh_limit
        if is_whole:
            refresh.waits_since = None
            return False
        at = self._world.loop.clock.now()
        if refresh.waits_since is None:
            refresh.waits_since = at
        left = refresh.waits_since + limit - at
        if left > 0:
            self._world.loop.after(left, partial(self._wake, group))
        return left <= 0

    def _fail(self, group: Group, refresh: Refresh) -> None:
        refresh.reason = (
            "Instances did not become healthy in time. Cancelling the instance refresh."
        )
        if refresh.status == "RollbackInProgress":
            _end(refresh, "RollbackFailed")
        elif refresh.preferences.get("AutoRollback") and refresh.desired:
            self.roll_back(group, refresh, refresh.reason)
            self._wake(group)
        else:
            _end(refresh, "Failed")


def _at_once(group: Group, refresh: Refresh, healthy: list[Instance]) -> int:
    """How many may go now. At least one does, however small the group, when all is well."""
    share = int(refresh.preferences.get("MinHealthyPercentage", _MIN_HEALTHY))
    least = math.ceil(group.desired * share / 100)
    if len(healthy) == group.desired:
        return max(len(healthy) - least, 1)
    return max(len(healthy) - least, 0)


def _end(refresh: Refresh, status: str) -> None:
    refresh.status, refresh.ended_at = status, now()
