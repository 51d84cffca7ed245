"""What the cluster says of a step before it begins: rights, exact differences, who else acts."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Difference,
    Inspection,
    PlatformError,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.kubernetes import captures, releases
from rollbacks.platforms.kubernetes.calls import (
    CONCURRENCY,
    Workload,
    manifest_of,
    on_condition,
    run,
    with_count,
    workloads_of,
)
from rollbacks.platforms.kubernetes.cluster import Cluster, Owned
from rollbacks.platforms.kubernetes.kinds import (
    AUTOSCALER,
    KINDS,
    MANAGER,
    POD,
    SERVICE,
    WORKLOADS,
    Kind,
    Object,
    annotations,
    containers,
    kind_of,
    labels,
    name_of,
    pod_template,
)

_SECRET_NAME = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
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


def inspected(
    target: TargetRef,
    spec: StepSpec,
    captured: Mapping[str, Any] | None,
) -> Inspection:
    """Of a rollout: everything there is to say."""
    objects = releases.objects_of(spec) if captured is None else []

    async def look(cluster: Cluster) -> Inspection:
        looks = _Looks(cluster, spec, captured, objects)
        return await looks.at_each(workloads_of(target, spec.instances))

    return run(target, look, None)


class _Looks:
    """At the workloads of one step, and at what a dry run makes of them."""

    def __init__(
        self,
        cluster: Cluster,
        spec: StepSpec,
        captured: Mapping[str, Any] | None,
        objects: list[Object],
    ) -> None:
        self._cluster = cluster
        self._spec = spec
        self._captured = captured
        self._objects = objects
        self._scaled: dict[str, str] = {}
        self._warnings: list[str] = []
        self._problems: list[str] = []

    async def at_each(self, workloads: Sequence[Workload]) -> Inspection:
        self._problems = await _missing_rights(
            self._cluster, self._spec, self._captured, self._objects
        )
        self._scaled = await _scaled(self._cluster)
        seen, faults = await everywhere.at_each(workloads, CONCURRENCY, self._look)
        if faults:
            raise everywhere.summed(faults)
        lines = {each.name: seen[each.name] for each in workloads}
        differences = tuple(Difference(key, key, found) for key, found in lines.items() if found)
        return Inspection(differences, tuple(sorted(self._warnings)), tuple(self._problems))

    async def _look(self, workload: Workload) -> tuple[str, ...]:
        """How it would differ; what is wrong and who else acts is noted."""
        live = await self._cluster.get(workload.kind, workload.own_name)
        if live is not None:
            self._warnings += _who_else(workload.name, live, self._scaled)
        try:
            return _lines(live, await self._after(workload, live))
        except Owned as owned:
            is_taken = self._spec.settings.get("take_ownership")
            if set(owned.managers) != {MANAGER} and not is_taken:
                self._problems.append(f"{workload.name}: {owned}")
        except PlatformError as error:
            if not error.permanent:
                raise
            self._problems.append(f"{workload.name}: {error}")
        return ()

    async def _after(self, workload: Workload, live: Object | None) -> Object | None:
        """The workload as it would be, by a dry run of the server's."""
        kind, is_scaled = workload.kind, workload.name in self._scaled
        if self._captured is None:
            manifest = manifest_of(self._objects, workload.name)
            counted = with_count(manifest, live, is_scaled=is_scaled)
            return await self._cluster.apply(kind, on_condition(counted, live), dry_run=True)
        was = self._captured["objects"][workload.name]
        if was is None or live is None:
            return None if was is None else live
        operations = captures.way_back(live, was, is_scaled=is_scaled)
        if not operations:
            return live
        return await self._cluster.patch(kind, workload.own_name, operations, dry_run=True)


def of_rights(target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None) -> Inspection:
    """Of a step whose changes are told by its preview: whether it may, and who else acts."""

    async def look(cluster: Cluster) -> Inspection:
        problems = await _missing_rights(cluster, spec, captured, [])
        scaled = await _scaled(cluster)
        warnings: list[str] = []
        for workload in workloads_of(target, spec.instances):
            live = await cluster.get(workload.kind, workload.own_name)
            if live is not None:
                warnings += _who_else(workload.name, live, scaled)
        return Inspection((), tuple(warnings), tuple(problems))

    return run(target, look, None)


async def _missing_rights(
    cluster: Cluster,
    spec: StepSpec,
    captured: Mapping[str, Any] | None,
    objects: list[Object],
) -> list[str]:
    """What the cluster would refuse, asked of the cluster, kind by kind."""
    kinds: dict[Kind, set[str]] = {POD: {"list"}, AUTOSCALER: {"list"}}
    for key in spec.instances:
        kinds[WORKLOADS[key.partition("/")[0]]] = {"get", "list", "watch", "patch"}
    for each in objects:
        wanted = kinds.setdefault(kind_of(each), set())
        wanted |= {"get", "patch", "create"}
    if captured is not None:
        for kind, _ in captured.get("versioned", ()):
            kinds.setdefault(KINDS[kind], set()).update({"get", "delete"})
        if any(each.startswith("Service/") for each in captured.get("objects", ())):
            kinds.setdefault(SERVICE, set()).update({"get", "patch"})
    asked = [(kind, verb) for kind, verbs in kinds.items() for verb in sorted(verbs)]
    missing = [
        f"{verb} {kind.plural}" for kind, verb in asked if not await cluster.is_allowed(verb, kind)
    ]
    if not missing:
        return []
    return [
        f"The connector's account may not {', '.join(missing)} in the namespace "
        f"{cluster.namespace}: give it the Role of the documentation"
    ]


async def _scaled(cluster: Cluster) -> dict[str, str]:
    """Which autoscaler says how many pods, by key; empty where we may not ask."""
    if not await cluster.is_allowed("list", AUTOSCALER):
        return {}
    found: dict[str, str] = {}
    for each in await cluster.find(AUTOSCALER):
        reference = each["spec"]["scaleTargetRef"]
        found[f"{reference['kind']}/{reference['name']}"] = name_of(each)
    return found


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


def _lines(before: Object | None, after: Object | None) -> tuple[str, ...]:
    old, new = (_text(each) for each in (before, after))
    lines = difflib.unified_diff(old, new, lineterm="", n=2)
    return tuple(line for line in lines if not line.startswith(("---", "+++")))


def _text(workload: Object | None) -> list[str]:
    """What a person wants to compare; what may be a secret is hidden."""
    if workload is None:
        return []
    shown = {
        "labels": labels(workload),
        "annotations": {
            name: value
            for name, value in annotations(workload).items()
            if "last-applied" not in name
        },
        "spec": workload["spec"],
    }
    text: str = yaml.safe_dump(shown, sort_keys=True, allow_unicode=True)
    copy = yaml.safe_load(text)
    for container in containers(pod_template(copy)):
        for each in container.get("env") or ():
            if "value" in each and _SECRET_NAME.search(each["name"]):
                each["value"] = "(hidden)"
    hidden: str = yaml.safe_dump(copy, sort_keys=True, allow_unicode=True)
    return hidden.splitlines()
