"""What runs: workloads with their canaries and colors, and the pods they consist of."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import Observation, ObservedInstance, TargetRef
from rollbacks.platforms.kubernetes import members, states
from rollbacks.platforms.kubernetes.answers import Forbidden
from rollbacks.platforms.kubernetes.calls import CONCURRENCY, run
from rollbacks.platforms.kubernetes.canary import SUFFIX
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.instances import Workload, workloads_of
from rollbacks.platforms.kubernetes.kinds import (
    COLOR,
    PRIMARY_SERVICE,
    SERVICE,
    WORKLOAD,
    Object,
    annotations,
    labels,
    name_of,
    pod_template,
)
from rollbacks.platforms.kubernetes.rollouts import pods_of


def observed(target: TargetRef, instances: Sequence[str]) -> Observation:
    """Raises PlatformError only where nothing at all could be learned."""
    workloads = workloads_of(target, instances or None)

    async def look(cluster: Cluster) -> Observation:
        # The first question also finds out whether the cluster answers us at all.
        services = asyncio.ensure_future(cluster.find(SERVICE, labels=WORKLOAD))
        with suppress(Forbidden):  # told of each workload
            await services

        async def visit(workload: Workload) -> ObservedInstance:
            return await _seen(cluster, workload, services)

        seen, faults = await everywhere.at_each(workloads, CONCURRENCY, visit)
        return Observation(
            tuple(
                seen.get(each.name)
                or ObservedInstance(each.name, None, message=f"{each.name}: {faults[each.name]}.")
                for each in workloads
            )
        )

    return run(target, look, None)


async def _seen(
    cluster: Cluster, workload: Workload, services: Awaitable[list[Object]]
) -> ObservedInstance:
    name = workload.own_name
    plain, related = await everywhere.together(
        cluster.get(workload.kind, name),
        cluster.find(workload.kind, labels=f"{WORKLOAD}={name}"),
    )
    color = _serving([each for each in await services if labels(each).get(WORKLOAD) == name])
    by_name = {name_of(each): each for each in related}
    live = by_name.get(f"{name}-{color}") if color else plain
    canary = by_name.get(name + SUFFIX)
    everything = [each for each in (plain, *related) if each is not None]
    unique = {name_of(each): each for each in everything}
    pods = [pod for each in unique.values() for pod in await pods_of(cluster, each)]
    seen = tuple(members.member_of(pod) for pod in sorted(pods, key=name_of))
    if live is None:
        return ObservedInstance(workload.name, "", message="It is not there.", members=seen)
    rollout = states.rollout_of(live)
    return ObservedInstance(
        key=workload.name,
        identity=states.identity_of(live, color=color, has_canary=canary is not None),
        version=states.version_of(pod_template(live)),
        is_healthy=rollout.is_done and not rollout.failed,
        message=_message(live, canary, rollout, pods),
        members=seen,
    )


def _serving(services: list[Object]) -> str | None:
    for each in services:
        if annotations(each).get(PRIMARY_SERVICE) == "true":
            color = (each["spec"].get("selector") or {}).get(COLOR)
            return None if color is None else str(color)
    return None


def _message(
    live: Object, canary: Object | None, rollout: states.Rollout, pods: list[Object]
) -> str:
    said = [] if rollout.is_done else [rollout.failed or rollout.message]
    if trouble := members.troubles_of(pods):
        said.append(trouble)
    if ending := members.endings_of(pods):
        said.append(ending)
    if canary is not None:
        said.append(f"{name_of(canary)} runs {states.version_of(pod_template(canary))}")
    return "; ".join(said)
