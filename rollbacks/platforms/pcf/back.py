"""The way back of every step: the apps and routes that its capture kept.

Old apps first have their instances, running and routable; then everybody is sent there; only then
the new one shrinks. What they are is known by GUIDs alone.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.pcf import routes, scaling, settings, states, waits
from rollbacks.platforms.pcf.apps import SIZES, App, of_release
from rollbacks.platforms.pcf.calls import Call
from rollbacks.platforms.pcf.states import State


class Back:
    """One call of undo; does only what is still missing."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        self._call = call
        self._captured = captured
        every = call.apps()
        self._new = of_release(every, call.spec.release)
        self._found = {each.guid: each for each in every}
        new = self._new.guid if self._new else ""
        self._new_was = states.states_in(captured).get(new)
        self._old = states.old_in(captured, new)

    def go(self, *, is_last: bool) -> Running | None:
        """None once everything is as it was captured; Running where the time limit comes near.

        `is_last`: nothing of the deployment comes before this step. Only then the old apps scale by
        themselves again.
        """
        self._require_old()
        if self._new:
            self._strip(self._new)
        if waits_for := self._raise_old() or self._send_back():
            return waits_for
        if is_last:
            for guid, was in self._old.items():
                scaling.bring(self._call, guid, was.policy)
        return self._lower_new()

    def _require_old(self) -> None:
        for guid, was in self._old.items():
            if guid not in self._found:
                raise PlatformError(
                    f"{was.name} was deleted by somebody; it cannot be brought back as it was.",
                    permanent=True,
                )

    def _strip(self, new: App) -> None:
        """Nothing makes it grow any more, but what did so before."""
        scaling.bring(self._call, new.guid, self._new_was.policy if self._new_was else None)

    def _raise_old(self) -> Running | None:
        for guid, was in self._old.items():
            self._mend(self._found[guid], was)
        return waits.up(self._call, {guid: was.counts for guid, was in self._old.items()})

    def _mend(self, app: App, was: State) -> None:
        """The droplet and environment of before; instances that run others are started anew."""
        call = self._call
        environment = self._environment(app, was)
        is_another = was.droplet != states.droplet_of(call, app)
        if is_another or environment:
            call.stop(app)
        if is_another:
            call.use(app.guid, was.droplet)
        if environment:
            path = f"/v3/apps/{app.guid}/environment_variables"
            call.write("PATCH", path, {"var": environment})
        self._resize(app, was)
        if not was.is_started:
            call.stop(app)
        elif is_another or environment or not app.is_started:
            call.write("POST", f"/v3/apps/{app.guid}/actions/start")

    def _environment(self, app: App, was: State) -> dict[str, str | None]:
        """What must be told so that it is as before; empty where it is, or where Cloud Foundry no
        longer knows it."""
        now = states.environment_of(self._call, app.guid)
        if states.digest(app.guid, now) == was.environment or not was.revision:
            return {}
        before = states.environment_in(self._call, was.revision)
        if before is None or states.digest(app.guid, before) != was.environment:
            return {}
        return {**dict.fromkeys(now.keys() - before.keys()), **before}

    def _resize(self, app: App, was: State) -> None:
        for kind, sizes in was.processes.items():
            wanted = {key: int(sizes[key]) for key in SIZES if key in sizes}
            if self._may_stay(app, kind, wanted["instances"]):
                del wanted["instances"]
            elif app.counts.get(kind) != wanted["instances"]:
                scaling.calm(self._call, app.guid)
            self._call.scale(app, kind, **wanted)

    def _may_stay(self, app: App, kind: str, count: int) -> bool:
        """Whether it is its own policy that has made it larger since."""
        process = app.processes.get(kind)
        if process is None or process.instances <= count:
            return False
        autoscaler = self._call.target.settings["autoscaler"]
        return scaling.policy_of(self._call.api, autoscaler, app.guid) is not None

    def _send_back(self) -> Running | None:
        if not self._captured.get("routes"):
            return None
        overlap = float(self._call.spec.settings.get("overlap", settings.OVERLAP_SECONDS))
        return routes.bring(self._call, routes.restored(self._call, self._captured), overlap)

    def _lower_new(self) -> Running | None:
        if self._new is None:
            return None
        was = self._new_was.counts if self._new_was else {}
        wanted = {kind: was.get(kind, 0) for kind in self._new.processes}
        for kind, count in wanted.items():
            self._call.scale(self._new, kind, instances=count)
        return waits.down(self._call, {self._new.guid: wanted})
