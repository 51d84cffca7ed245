"""Waiting for the cluster: one watch for each workload; pods are asked for where it is slow."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from rollbacks.platforms.base import Control, InstanceOutcome, OutcomeState, PlatformError, Running
from rollbacks.platforms.kubernetes import members, states
from rollbacks.platforms.kubernetes.answers import Conflict
from rollbacks.platforms.kubernetes.captures import conditional
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.kinds import (
    EVENT,
    POD,
    STATEFUL_SET,
    WORKLOADS,
    Kind,
    Object,
    name_of,
)

BEAT_SECONDS = 0.5
MARGIN_SECONDS = 1.0
FIRST_ASKED_AFTER = 3.0
WATCH_SECONDS = 60.0  # something on the way may swallow what a watch says; then read again
SHORT_SECONDS = 5.0  # a watch that ends sooner may do so again and again
LONGEST_PAUSE_SECONDS = 5.0
STUCK_AFTER = 1.0  # a StatefulSet waits for each pod, so that one is soon all that it waits for
ASKED_AT_MOST_EVERY = 30.0


class Wait:
    """For one workload to be as its spec says; `key` is the instance it is reported as.

    `gives_up`: what the cluster has given up on has failed. A rollback hopes on until its time
    limit.
    """

    def __init__(self, cluster: Cluster, key: str, control: Control, *, gives_up: bool) -> None:
        self._cluster = cluster
        self._key = key
        self._control = control
        self._gives_up = gives_up
        self._patience = FIRST_ASKED_AFTER
        self._reached = -1
        self._said = ""
        self._why = ""  # what was last found to hold it up

    async def for_rollout(self, live: Object) -> Running | None:
        """None once it is done; Running where the time limit comes near. Raises PlatformError."""
        kind, name = WORKLOADS[live["kind"]], name_of(live)
        if live["kind"] == "StatefulSet":
            self._patience = STUCK_AFTER
        pause = BEAT_SECONDS
        while (rollout := self._looked_at(live)) and not rollout.is_done:
            if self._control.time_left() <= MARGIN_SECONDS:
                if not self._why:
                    await self._ask_why(live)
                return self._given_up(self._said)
            began = _now()
            found = await self._next(live)
            if found is None:
                is_short = _now() - began < SHORT_SECONDS
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause) if is_short else BEAT_SECONDS
                found = await self._read_again(kind, name, pause)
            live = found
        return None

    async def _read_again(self, kind: Kind, name: str, pause: float) -> Object:
        await self._sleep(pause)
        found = await self._cluster.get(kind, name)
        if found is None:
            raise PlatformError(f"{kind.name}/{name}: somebody has deleted it")
        if _now() >= self._ask_at:
            await self._ask_why(found)
        return found

    async def _sleep(self, seconds: float) -> None:
        """In short beats, so that neither the worker's end nor the time limit is missed."""
        until = _now() + seconds
        while (left := until - _now()) > 0 and self._control.time_left() > MARGIN_SECONDS:
            await asyncio.sleep(min(left, BEAT_SECONDS))
            self._control.safe_point()

    def _given_up(self, message: str) -> Running:
        """Nothing that would be begun now could end in time."""
        return Running(f"{self._key}: {message}", self._control.time_left() + BEAT_SECONDS)

    def _looked_at(self, live: Object) -> states.Rollout:
        rollout = states.rollout_of(live)
        if rollout.failed and self._gives_up:
            raise PlatformError(f"{self._key}: {rollout.failed}", permanent=True)
        if rollout.reached > self._reached:
            self._reached, self._why = rollout.reached, ""
            self._ask_in(self._patience)
        if not rollout.is_done:
            self._say("; ".join(filter(None, (rollout.failed or rollout.message, self._why))))
        return rollout

    def _ask_in(self, seconds: float) -> None:
        self._pause = seconds
        self._ask_at = _now() + seconds

    def _say(self, message: str) -> None:
        if message != self._said:
            self._said = message
            self._control.report(self._key, InstanceOutcome(OutcomeState.RUNNING, message))

    async def _next(self, live: Object) -> Object | None:
        """Follow it until it is done or our time is over; None where it must be read again."""
        kind, seconds = WORKLOADS[live["kind"]], min(self._control.time_left(), WATCH_SECONDS)
        version = live["metadata"]["resourceVersion"]
        async with self._cluster.watch(kind, name_of(live), version, seconds) as changes:
            while True:
                change = asyncio.ensure_future(anext(changes, None))
                try:
                    is_over = await self._until(change, live)
                finally:
                    if not change.done():
                        change.cancel()
                        await asyncio.wait([change])
                if is_over:
                    return live
                found = change.result()
                if not found:
                    return None
                live = found
                if self._looked_at(live).is_done:
                    return live

    async def _until(self, change: "asyncio.Future[Object | None]", live: Object) -> bool:
        """Wait for the change, asking why where it does not come; whether our time is over."""
        while not change.done():
            await asyncio.wait([change], timeout=BEAT_SECONDS)
            self._control.safe_point()
            if self._control.time_left() <= MARGIN_SECONDS:
                return True
            if _now() >= self._ask_at and not change.done():
                await self._ask_why(live)
        return False

    async def _ask_why(self, live: Object) -> None:
        """Say what holds it up; each time the next is longer in coming."""
        self._ask_in(min(ASKED_AT_MOST_EVERY, 2 * self._pause))
        pods = await pods_of(self._cluster, live)
        trouble, unexplained, warning = members.troubles_of(pods), members.unexplained(pods), ""
        if unexplained or not trouble:
            warning = await self._warning_about(unexplained or live)
        self._why = "; ".join(filter(None, (trouble, warning, members.endings_of(pods))))
        self._looked_at(live)
        if live["kind"] == "StatefulSet":
            await self._remove_stuck(live, pods)

    async def _warning_about(self, thing: Object) -> str:
        """The latest there is: of a pod, what its probes say; of a workload, as of a quota."""
        fields = f"involvedObject.name={name_of(thing)},type=Warning"
        found = await self._cluster.find(EVENT, fields=fields)
        uid = thing["metadata"]["uid"]
        of_this = [each for each in found if each.get("involvedObject", {}).get("uid") == uid]
        latest = max(of_this, key=lambda each: str(each.get("lastTimestamp")), default=None)
        return f"{latest['reason']}: {latest.get('message', '')}" if latest else ""

    async def _remove_stuck(self, live: Object, pods: list[Object]) -> None:
        """Delete what a StatefulSet waits for in vain: a pod of another revision that is not ready.

        It replaces pods in order and waits for each, also for one that never comes up; Kubernetes
        leaves it to us (kubernetes.io/docs: StatefulSets, Forced rollback).
        """
        found = members.stuck(live, pods)
        if found and states.lacks_partition(live):
            await self._name_partition(live)
        for pod in found:
            self._control.checkpoint()
            await self._cluster.delete(POD, name_of(pod), uid=pod["metadata"]["uid"])
            self._control.log(self._key, f"{name_of(pod)} was stuck; deleted, to be made anew")

    async def _name_partition(self, live: Object) -> None:
        """None at all means 0, but that pods are made anew of a revision that others still have."""
        way = {"op": "add", "path": "/spec/updateStrategy/rollingUpdate", "value": {"partition": 0}}
        self._control.checkpoint()
        with suppress(Conflict):  # it has changed; whoever asks again finds whether it is missing
            await self._cluster.patch(STATEFUL_SET, name_of(live), conditional(live, [way]))

    async def until_gone(self, look: Callable[[], Awaitable[bool]]) -> Running | None:
        """None once `look` says that nothing is left; asked ever more slowly."""
        pause = BEAT_SECONDS
        while not await look():
            if self._control.time_left() <= MARGIN_SECONDS:
                return self._given_up("it is still there")
            await self._sleep(pause)
            pause = min(10.0, pause * 2)
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()


async def pods_of(cluster: Cluster, workload: Object) -> list[Object]:
    """The pods that the workload's selector finds and that are its own."""
    selector = workload["spec"].get("selector") or {}
    wanted = [f"{name}={value}" for name, value in (selector.get("matchLabels") or {}).items()]
    wanted += [_expression(each) for each in selector.get("matchExpressions") or ()]
    found = await cluster.find(POD, labels=",".join(wanted))
    return [pod for pod in found if _belongs(pod, workload)]


def _belongs(pod: Object, workload: Object) -> bool:
    owner = members.owner_of(pod)
    if owner is None:
        return False
    if workload["kind"] == "Deployment":
        # Its ReplicaSets are named after it, with the hash of their template behind a dash.
        return owner[0] == "ReplicaSet" and owner[1].rpartition("-")[0] == name_of(workload)
    return owner == (workload["kind"], name_of(workload))


def _expression(expression: Object) -> str:
    name, values = str(expression["key"]), ",".join(expression.get("values") or ())
    ways = {
        "In": f"{name} in ({values})",
        "NotIn": f"{name} notin ({values})",
        "Exists": name,
        "DoesNotExist": f"!{name}",
    }
    return ways[expression["operator"]]
