"""One call of a step: the cluster it is about, and the doing that all steps share."""

import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Control,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Progress,
    Running,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.kubernetes import captures, releases
from rollbacks.platforms.kubernetes.access import access_to
from rollbacks.platforms.kubernetes.answers import Conflict, Owned
from rollbacks.platforms.kubernetes.cluster import Cluster, opened
from rollbacks.platforms.kubernetes.instances import Workload, workloads_of
from rollbacks.platforms.kubernetes.kinds import (
    AUTOSCALER,
    KINDS,
    MANAGER,
    RELEASE,
    Kind,
    Object,
    annotations,
    key_of,
    kind_of,
    name_of,
    pod_template,
)
from rollbacks.platforms.kubernetes.rollouts import Wait, pods_of
from rollbacks.platforms.kubernetes.settings import Infrastructure

Result = TypeVar("Result")
ATTEMPTS = 5
CONCURRENCY = 20


def run(
    target: TargetRef,
    work: Callable[[Cluster], Coroutine[Any, Any, Result]],
    control: Control | None,
) -> Result:
    """Do the work in the target's namespace; raises Stopped soon after the control does."""
    access = access_to(target)
    namespace = Infrastructure.model_validate(dict(target.settings)).namespace

    async def inside() -> Result:
        async with opened(access, namespace) as cluster:
            return await work(cluster)

    return everywhere.run(inside(), control, CONCURRENCY)


async def settled(name: str, read_and_ask: Callable[[], Awaitable[Result]]) -> Result:
    """Again while somebody changes the object in between, as a controller its status."""
    for _ in range(ATTEMPTS):
        with suppress(Conflict):
            return await read_and_ask()
    raise PlatformError(f"{name} is changed by somebody else all the time")


class Call:
    """One capture, apply or undo of a step, inside of a cluster."""

    def __init__(
        self, cluster: Cluster, target: TargetRef, spec: StepSpec, control: Control
    ) -> None:
        self.cluster = cluster
        self.spec = spec
        self.control = control
        self.workloads = workloads_of(target, spec.instances)

    @property
    def is_forced(self) -> bool:
        return bool(self.spec.settings.get("take_ownership"))

    async def at_each(
        self, visit: Callable[[Workload], Awaitable[InstanceOutcome | Running]]
    ) -> Progress:
        """Every workload at the same time; each is reported as soon as it is known."""
        still: list[Running] = []

        async def one(workload: Workload) -> None:
            try:
                found = await visit(workload)
            except PlatformError as fault:
                self.control.report(workload.name, everywhere.failed(fault))
                raise
            if isinstance(found, Running):
                still.append(found)
            else:
                self.control.report(workload.name, found)

        _, faults = await everywhere.at_each(self.workloads, CONCURRENCY, one)
        if still and not faults:
            return still[0]
        return everywhere.concluded(faults, f"{len(self.workloads)} workloads")

    async def apply(self, manifest: Object) -> Object:
        """Bring one object; what we ourselves have changed in another way is ours all the same."""
        self.control.checkpoint()
        kind, sent = kind_of(manifest), releases.with_secrets(manifest)
        try:
            return await self.cluster.apply(kind, sent, force=self.is_forced)
        except Owned as owned:
            if set(owned.managers) != {MANAGER}:
                raise
        self.control.checkpoint()
        return await self.cluster.apply(kind, sent, force=True)

    async def change(
        self, kind: Kind, name: str, ways: Callable[[Object], list[captures.Operation]]
    ) -> tuple[Object | None, bool]:
        """Change an object from whatever it is now; what it is then, and whether we did.

        Read before the checkpoint: whoever was stopped in between changes only what is still so.
        """

        async def once() -> tuple[Object | None, bool]:
            live = await self.cluster.get(kind, name)
            operations = ways(live) if live else []
            if live is None or not operations:
                return live, False
            self.control.checkpoint()
            return await self.cluster.patch(kind, name, operations), True

        return await settled(f"{kind.name}/{name}", once)

    async def remove(self, kind: Kind, name: str) -> bool:
        """Delete the object if it is there and ours; whether there was anything to delete."""
        live = await self.cluster.get(kind, name)
        if live is None:
            return False
        if RELEASE not in annotations(live):
            raise PlatformError(
                f"{kind.name}/{name} was not made by Lastgood, so it is not deleted.",
                permanent=True,
            )
        self.control.checkpoint()
        await self.cluster.delete(kind, name, uid=live["metadata"]["uid"])
        return True

    async def remove_versioned(self, captured: Mapping[str, Any]) -> None:
        """Delete the configuration that this release alone has."""
        for kind, name in captured["versioned"]:
            await self.remove(KINDS[kind], name)

    async def rolled_out(self, key: str, live: Object, *, is_undo: bool = False) -> Running | None:
        """Wait for it. What is undone hopes on: the cluster may still tell of what it gave up."""
        gives_up = not (is_undo or self.spec.goes_back)
        return await Wait(self.cluster, key, self.control, gives_up=gives_up).for_rollout(live)

    async def gone(self, key: str, live: Object) -> Running | None:
        """Wait until a deleted workload's pods are gone, but for those that are on their way."""

        async def nothing_left() -> bool:
            pods = await pods_of(self.cluster, live)
            return all("deletionTimestamp" in pod["metadata"] for pod in pods)

        wait = Wait(self.cluster, key, self.control, gives_up=False)
        return await wait.until_gone(nothing_left)


async def scaled_in(cluster: Cluster) -> dict[str, str]:
    """The autoscaler that says how many pods a workload has, by the workload's key."""
    found = await cluster.find(AUTOSCALER)
    return {
        f"{each['spec']['scaleTargetRef']['kind']}/{each['spec']['scaleTargetRef']['name']}":
        name_of(each)
        for each in found
    }  # fmt: skip


def with_count(manifest: Object, live: Object | None, *, is_scaled: bool) -> Object:
    """The workload; where an autoscaler says how many pods, with as many as it has now."""
    if not is_scaled or live is None or "replicas" not in live["spec"]:
        return manifest
    return {**manifest, "spec": {**manifest["spec"], "replicas": live["spec"]["replicas"]}}


def on_condition(manifest: Object, live: Object | None) -> Object:
    """The object, to be applied only to what was read."""
    if live is None:
        return manifest
    version = live["metadata"]["resourceVersion"]
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": version}}


def is_of(live: Object, release: str) -> bool:
    """Whether the workload's pods are to be those of the release."""
    return annotations(pod_template(live)).get(RELEASE) == release


def part_of(instances: str, wanted: int) -> int:
    """How many pods a canary has: a number, or a percentage of what is wanted, rounded up."""
    if instances.endswith("%"):
        return max(1, math.ceil(wanted * int(instances[:-1]) / 100))
    return int(instances)


def done(has_changed: bool, message: str) -> InstanceOutcome:
    return InstanceOutcome(OutcomeState.DONE if has_changed else OutcomeState.UNCHANGED, message)


def manifest_of(objects: Sequence[Object], key: str) -> Object:
    return next(each for each in objects if key_of(each) == key)
