"""The way back of every step: the groups, target groups and weights that its capture kept.

Old groups first have their instances, in service and healthy; then everybody is sent there; only
then the new group shrinks. The base group is never among them.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.ami import groups, waits
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.groups import Group, State, of_release, states_in
from rollbacks.platforms.ami.sizes import NONE
from rollbacks.platforms.aws import balancing
from rollbacks.platforms.base import PlatformError, Running

Found = Mapping[str, Group]


class Back:
    """One call of undo; does only what is still missing."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        self._call = call
        self._was = states_in(captured)
        self._actions: balancing.Actions | None = captured.get("actions")
        every = call.groups()
        self._new = of_release(every, call.spec.release)
        self._found = {each.name: each for each in every}
        new_name = self._new.name if self._new else str(captured.get("new", ""))
        self._old = {name: was for name, was in self._was.items() if name != new_name}

    @property
    def new(self) -> Group | None:
        """The group of the release that is undone, as it was found; None where it is gone."""
        return self._new

    def go(self, *, is_last: bool) -> Running | None:
        """None once everything is as it was captured; Running where the time limit comes near.

        `is_last`: nothing of the deployment comes before this step. Only then the old groups act by
        themselves again.
        """
        self._require_old()
        if self._new:
            self._call.strip(self._new, self._was.get(self._new.name, _GONE))
        if waits_for := self._raise_old():
            return waits_for
        if waits_for := self._attach_old():
            return waits_for
        self._send_back()
        if is_last:
            self._let_act()
        return self._lower_new()

    def _require_old(self) -> None:
        for name in self._old:
            if name not in self._found or self._found[name].is_ending:
                raise PlatformError(
                    f"{name} was deleted by somebody; it cannot be brought back as it was.",
                    permanent=True,
                )

    def _raise_old(self) -> Running | None:
        for name, was in self._old.items():
            group = self._found[name]
            if not is_as_large(group, was):
                self._call.calm(group)
                self._call.resize(group, was.sizes)
            if groups.capacity_of(group.in_service) < was.sizes.desired:
                self._call.resume(group, groups.GROWS)
        return waits.up(self._call, self._counts())

    def _counts(self) -> dict[str, int]:
        return {name: was.sizes.desired for name, was in self._old.items()}

    def _attach_old(self) -> Running | None:
        attached = [
            self._call.attach(self._found[name], was.target_groups)
            for name, was in self._old.items()
        ]
        return waits.up(self._call, self._counts()) if any(attached) else None

    def _send_back(self) -> None:
        """Weights, then what is attached: nobody is sent to what is not attached any more."""
        if self._actions is not None:
            rule = str(self._call.target.settings["listener_rule"])
            balancing.bring_actions(self._call, rule, self._actions)
        for name, was in self._old.items():
            self._call.detach(self._found[name], extra(self._found[name], was))
        if self._new and (was_new := self._was.get(self._new.name)):
            self._call.attach(self._new, was_new.target_groups)
            self._call.detach(self._new, extra(self._new, was_new))

    def _let_act(self) -> None:
        """As they were before the deployment: their policies, and what was suspended."""
        found = {each.name: each for each in self._call.groups()}
        for name, was in self._old.items():
            self._call.bring_policies(found[name], was.policies)
            self._call.bring_processes(found[name], was.suspended)

    def _lower_new(self) -> Running | None:
        if self._new is None:
            return None
        was = self._was.get(self._new.name, _GONE)
        self._call.resize(self._new, was.sizes)
        if groups.capacity_of(self._new.staying) > was.sizes.desired:
            self._call.resume(self._new, groups.SHRINKS)
        return waits.down(self._call, {self._new.name: was.sizes.desired})


_GONE = State(NONE)


def is_as_large(group: Group, was: State) -> bool:
    """Whether its sizes may stay. What its own policies have made of it since is theirs; no step
    lets a group shrink whose policies may still act."""
    acts = was.policies and groups.ALARMS not in {*was.suspended, *group.suspended}
    if acts and group.sizes.desired > was.sizes.desired:
        return group.sizes == was.sizes.with_desired(group.sizes.desired)
    return group.sizes == was.sizes


def extra(group: Group, was: State) -> list[str]:
    return [each for each in group.target_groups if each not in was.target_groups]
