"""What the cluster says of a step before it begins: rights, exact differences, who else acts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import Difference, Inspection, PlatformError, TargetRef
from rollbacks.platforms.kubernetes.answers import Owned
from rollbacks.platforms.kubernetes.calls import CONCURRENCY, on_condition, run, scaled_in, settled
from rollbacks.platforms.kubernetes.captures import Operation
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.differences import lines
from rollbacks.platforms.kubernetes.kinds import (
    AUTOSCALER,
    EVENT,
    KINDS,
    MANAGER,
    POD,
    SERVICE,
    STATEFUL_SET,
    VERSIONED,
    WORKLOADS,
    Kind,
    Object,
    annotations,
    labels,
)

# A connection more costs more than a question more: few at a time, and they share a few.
REVIEWS = 3
_NAMED = {"get", "watch", "patch", "delete"}  # what a role may permit for objects by their names
_GITOPS = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}
_GITOPS_MANAGERS = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
}


@dataclass(frozen=True)
class Planned:
    """What a step would do to one object: apply a manifest, change it, or, with neither, delete it.

    `ways`: from what lives, the JSON patch; None where it is right as it is.
    """

    instance: str
    kind: Kind
    own_name: str
    manifest: Object | None = None
    ways: Callable[[Object], list[Operation]] | None = None

    @property
    def name(self) -> str:
        """How the object is called: Kind/name."""
        return f"{self.kind.name}/{self.own_name}"


def inspected(
    target: TargetRef,
    planned: Callable[[Cluster], Awaitable[Sequence[Planned]]],
    *,
    is_forced: bool,
) -> Inspection:
    """Everything there is to say of a step that would do this."""

    async def look(cluster: Cluster) -> Inspection:
        return await _Looks(cluster, await planned(cluster), is_forced).at_each()

    return run(target, look, None)


class _Looks:
    """At the objects of one step, and at what a dry run makes of them."""

    def __init__(self, cluster: Cluster, planned: Sequence[Planned], is_forced: bool) -> None:
        self._cluster = cluster
        self._planned = planned
        self._is_forced = is_forced
        self._scaled: dict[str, str] = {}
        self._warnings: set[str] = set()
        self._problems: list[str] = []

    async def at_each(self) -> Inspection:
        missing = await self._missing_rights()
        if missing:
            self._problems.append(
                f"The connector's account may not {', '.join(missing)} in the namespace "
                f"{self._cluster.namespace}: give it the Role of the documentation"
            )
            return Inspection(problems=tuple(self._problems))
        self._scaled = await scaled_in(self._cluster)
        seen, faults = await everywhere.at_each(self._planned, CONCURRENCY, self._look)
        if faults:
            raise everywhere.summed(faults)
        differences = tuple(
            Difference(each.instance, each.name, seen[each.name])
            for each in self._planned
            if seen[each.name]
        )
        return Inspection(differences, tuple(sorted(self._warnings)), tuple(self._problems))

    async def _missing_rights(self) -> list[str]:
        """What the cluster would refuse, asked of the cluster, kind by kind."""
        wanted = wanted_rights(self._planned)
        asked = [(kind, verb) for kind, verbs in wanted.items() for verb in sorted(verbs)]
        turn = asyncio.Semaphore(REVIEWS)

        async def may(kind: Kind, verb: str) -> bool:
            async with turn:
                return await self._may(verb, kind)

        answers = await everywhere.together(*(may(kind, verb) for kind, verb in asked))
        return [
            f"{verb} {kind.plural}"
            for (kind, verb), is_allowed in zip(asked, answers, strict=True)
            if not is_allowed
        ]

    async def _may(self, verb: str, kind: Kind) -> bool:
        """In the whole namespace, or, as a role may name them, with just these objects."""
        if await self._cluster.is_allowed(verb, kind):
            return True
        names = [each.own_name for each in self._planned if each.kind == kind]
        asked = [self._cluster.is_allowed(verb, kind, name) for name in names if verb in _NAMED]
        return bool(asked) and all(await everywhere.together(*asked))

    async def _look(self, planned: Planned) -> tuple[str, ...]:
        """How the object would differ; what is wrong and who else acts is noted."""
        try:
            return await settled(planned.name, lambda: self._difference(planned))
        except Owned as owned:
            if set(owned.managers) != {MANAGER}:
                self._problems.append(f"{planned.name}: {owned}")
        except PlatformError as error:
            if not error.permanent:
                raise
            self._problems.append(f"{planned.name}: {error}")
        return ()

    async def _difference(self, planned: Planned) -> tuple[str, ...]:
        live = await self._cluster.get(planned.kind, planned.own_name)
        if live is not None:
            self._warnings.update(_who_else(planned.name, live, self._scaled))
        after = await self._after(planned, live)
        if planned.ways and live and after:
            self._warnings.update(_how_many(planned.name, live, after))
        return lines(live, after)

    async def _after(self, planned: Planned, live: Object | None) -> Object | None:
        """The object as it would be, by a dry run of the server's."""
        kind, name = planned.kind, planned.own_name
        if planned.manifest is not None:
            manifest = on_condition(planned.manifest, live)
            return await self._cluster.apply(kind, manifest, force=self._is_forced, dry_run=True)
        operations = planned.ways(live) if planned.ways and live else []
        if operations:
            return await self._cluster.patch(kind, name, operations, dry_run=True)
        return live if planned.ways else None


def gone(captured: Mapping[str, Any]) -> list[Planned]:
    """The configuration of the release alone, deleted."""
    return [Planned("", KINDS[kind], name) for kind, name in captured["versioned"]]


def wanted_rights(planned: Sequence[Planned]) -> dict[Kind, set[str]]:
    """The verbs that it takes, by kind."""
    # To see what runs, before and afterwards, and why something does not come up.
    wanted = {kind: {"list"} for kind in (POD, SERVICE, AUTOSCALER, EVENT)}
    for each in planned:
        verbs = wanted.setdefault(each.kind, set())
        verbs.add("get")
        if each.manifest is not None:
            verbs |= {"create", "patch"}
            # What earlier releases alone had is cleaned away in time.
            verbs |= {"list", "delete"} if each.kind.name in VERSIONED else set()
        else:
            verbs.add("patch" if each.ways else "delete")
        if each.kind.name in WORKLOADS:
            verbs |= {"list", "watch"}
        if each.kind == STATEFUL_SET:
            wanted[POD].add("delete")
    return wanted


def _who_else(key: str, live: Object, scaled: Mapping[str, str]) -> list[str]:
    said: list[str] = []
    marks = {**labels(live), **annotations(live)}
    managers = {each.get("manager") for each in live["metadata"].get("managedFields") or ()}
    owners = {who for mark, who in _GITOPS.items() if mark in marks}
    owners |= {who for manager, who in _GITOPS_MANAGERS.items() if manager in managers}
    for owner in sorted(owners):
        said.append(
            f"{owner} manages {key}: unless its automatic sync is off, it brings back what is in "
            "its repository. Revert there, too."
        )
    if key in scaled:
        said.append(
            f"The autoscaler {scaled[key]} says how many pods {key} has; its number is left alone."
        )
    return said


def _how_many(key: str, live: Object, after: Object) -> list[str]:
    """Fewer pods than somebody has asked for since may be too few."""
    now, then = (each["spec"].get("replicas") for each in (live, after))
    return [] if now == then else [f"{key} is to have {now} pods now; it goes back to {then}."]
