"""Deployments: a replica set for each template, and the way from one to the next."""

from typing import Any

from .. import clock
from .. import resources as r
from . import history, progress
from .happenings import tell
from .loop import Controller
from .pods import BY, claimed, delete, is_going, is_over
from .sizing import slack, surge

Json = dict[str, Any]
_NAME = "deployment-controller"


class Deployments(Controller):
    """Scales replica sets; never touches a pod."""

    resource = r.DEPLOYMENTS
    dependents = (r.REPLICA_SETS,)

    def keys(self, change: Any) -> Any:
        # With Recreate, the end of the last old pod is what a rollout waits for.
        if change.resource is r.PODS and change.after is None:
            owner: Json = next(iter(change.newest["metadata"].get("ownerReferences", [])), {})
            namespace = change.newest["metadata"]["namespace"]
            parent = self.store.get(r.REPLICA_SETS, namespace, owner.get("name", ""))
            for each in (parent or {}).get("metadata", {}).get("ownerReferences", []):
                yield namespace, each["name"]
        yield from super().keys(change)

    def reconcile(self, obj: Json) -> float | None:
        sets = sorted(claimed(self.objects, obj, r.REPLICA_SETS), key=_birth)
        if is_going(obj):
            return progress.report(self.objects, obj, None, sets)
        is_paused = obj["spec"].get("paused", False)
        obj = progress.note_pause(self.objects, obj)
        obj, new, sets = self._new_set(obj, sets, may_create=not is_paused)
        old = [each for each in sets if new is None or not _is_same(each, new)]
        if is_paused or self._was_scaled(obj, sets):
            self._scale_all(obj, new, old)
        elif obj["spec"]["strategy"]["type"] == "Recreate":
            assert new is not None
            self._recreate(obj, new, old)
        else:
            assert new is not None
            self._roll(obj, new, old)
        obj, new, old = self._fresh(obj), self._fresh(new), [self._fresh(each) for each in old]
        seconds = progress.report(self.objects, obj, new, [*old, *([new] if new else [])])
        if progress.is_complete(self._fresh(obj)):
            self._forget(obj, old)
        return seconds

    def _fresh(self, obj: Any) -> Any:
        """The object as it is now."""
        if obj is None:
            return None
        resource = r.of_kind(obj["apiVersion"], obj["kind"])
        assert resource
        return self.objects.get(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])

    def _new_set(
        self, obj: Json, sets: list[Json], *, may_create: bool
    ) -> tuple[Json, Json | None, list[Json]]:
        """The replica set of the present template, with the newest revision's number."""
        new = next(
            (each for each in sets if history.template(each) == obj["spec"]["template"]), None
        )
        if new is None and not may_create:
            return obj, None, sets
        others = [each for each in sets if new is None or not _is_same(each, new)]
        number = str(max((history.revision(each) for each in others), default=0) + 1)
        if new is None:
            new = self._create(obj, number, others)
            obj = progress.note(
                self.objects,
                obj,
                "NewReplicaSetCreated",
                f'Created new replica set "{new["metadata"]["name"]}"',
            )
            sets = [*sets, new]
        else:
            new = self._renumber(obj, new, number)
            sets = [new if _is_same(each, new) else each for each in sets]
        number = str(history.revision(new))
        if obj["metadata"].get("annotations", {}).get(history.REVISION) != number:
            obj = self.objects.edit(
                r.DEPLOYMENTS,
                obj,
                lambda each: history.annotate(each, {history.REVISION: number}),
                progress.BY_STATUS,
            )
        return obj, new, sets

    def _create(self, obj: Json, number: str, others: list[Json]) -> Json:
        body = history.body(obj, number, others)
        made = self.objects.create(r.REPLICA_SETS, obj["metadata"]["namespace"], body, BY)
        self._tell_scaled(obj, made, 0, made["spec"]["replicas"])
        return made

    def _renumber(self, obj: Json, new: Json, number: str) -> Json:
        changed = history.annotations(obj, new, number)
        min_ready = obj["spec"].get("minReadySeconds", 0)
        is_same = new["spec"].get("minReadySeconds", 0) == min_ready
        if is_same and changed.items() <= new["metadata"].get("annotations", {}).items():
            return new

        def change(each: Json) -> None:
            history.annotate(each, changed)
            each["spec"]["minReadySeconds"] = min_ready

        return self.objects.edit(r.REPLICA_SETS, new, change, BY)

    def _was_scaled(self, obj: Json, sets: list[Json]) -> bool:
        wanted = str(obj["spec"]["replicas"])
        active = (each for each in sets if each["spec"]["replicas"])
        annotations = (each["metadata"].get("annotations", {}) for each in active)
        return any(each.get(history.DESIRED, wanted) != wanted for each in annotations)

    def _scale_all(self, obj: Json, new: Json | None, old: list[Json]) -> None:
        """Another number of replicas while nothing, or something, is being rolled out."""
        wanted = obj["spec"]["replicas"]
        everyone = [*old, *([new] if new else [])]
        active = [each for each in everyone if each["spec"]["replicas"]]
        if len(active) <= 1:
            for each in active or everyone[-1:]:
                self._scale(obj, each, wanted)
            return
        is_rolling = obj["spec"]["strategy"]["type"] == "RollingUpdate"
        most = wanted + (surge(obj["spec"]) if is_rolling and wanted else 0)
        total = sum(each["spec"]["replicas"] for each in active)
        left = most - total
        for each in sorted(active, key=lambda each: -each["spec"]["replicas"]):
            part = each["spec"]["replicas"]
            share = round(part * most / total) - part
            share = min(share, left) if left > 0 else max(share, left)
            left -= share
            self._scale(obj, each, max(part + share, 0))

    def _recreate(self, obj: Json, new: Json, old: list[Json]) -> None:
        for each in old:
            self._scale(obj, each, 0)
        uids = {each["metadata"]["uid"] for each in old}
        remaining = [
            each
            for uid in uids
            for resource, each in self.store.owned_by(uid)
            if resource is r.PODS and not is_over(each)
        ]
        if not remaining:
            self._scale(obj, new, obj["spec"]["replicas"])

    def _roll(self, obj: Json, new: Json, old: list[Json]) -> None:
        """As many new pods as may be, then as few old ones."""
        spec = obj["spec"]
        wanted, total = spec["replicas"], sum(each["spec"]["replicas"] for each in [*old, new])
        have = new["spec"]["replicas"]
        if have > wanted:
            new = self._scale(obj, new, wanted)
        elif have < wanted and total < wanted + surge(spec):
            new = self._scale(obj, new, min(wanted, have + wanted + surge(spec) - total))
        self._shrink(obj, new, old)

    def _shrink(self, obj: Json, new: Json, old: list[Json]) -> None:
        """Unhealthy old pods first; healthy ones as far as enough remain available."""
        spec = obj["spec"]
        least = spec["replicas"] - slack(spec)
        missing = new["spec"]["replicas"] - _available(new)
        spare = sum(each["spec"]["replicas"] for each in [*old, new]) - least - missing
        kept = []
        for each in old:
            unhealthy = max(each["spec"]["replicas"] - _available(each), 0)
            cut = max(min(spare, unhealthy), 0)
            spare -= cut
            kept.append(self._scale(obj, each, each["spec"]["replicas"] - cut) if cut else each)
        spare = min(spare, sum(_available(each) for each in [*kept, new]) - least)
        for each in kept:
            cut = max(min(spare, each["spec"]["replicas"]), 0)
            spare -= cut
            if cut:
                self._scale(obj, each, each["spec"]["replicas"] - cut)

    def _scale(self, obj: Json, each: Json, replicas: int) -> Json:
        have = each["spec"]["replicas"]
        sizes = history.sizes(obj["spec"])
        if have == replicas and sizes.items() <= each["metadata"].get("annotations", {}).items():
            return each

        def change(new: Json) -> None:
            new["spec"]["replicas"] = replicas
            history.annotate(new, sizes)

        scaled = self.objects.edit(r.REPLICA_SETS, each, change, BY)
        if have != replicas:
            self._tell_scaled(obj, each, have, replicas)
        return scaled

    def _tell_scaled(self, obj: Json, each: Json, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        said = f"Scaled {way} replica set {each['metadata']['name']} from {before} to {after}"
        if before != after:
            tell(self.objects, obj, "ScalingReplicaSet", said, _NAME)

    def _forget(self, obj: Json, old: list[Json]) -> None:
        unused = [
            each
            for each in sorted(old, key=history.revision)
            if not each["spec"]["replicas"]
            and not each.get("status", {}).get("replicas")
            and not is_going(each)
        ]
        for each in unused[: max(len(unused) - obj["spec"]["revisionHistoryLimit"], 0)]:
            delete(self.objects, r.REPLICA_SETS, each)


def _available(each: Json) -> int:
    counts = (each.get("status", {}).get("availableReplicas", 0), each["spec"]["replicas"])
    return int(min(counts))


def _birth(each: Json) -> tuple[float, int]:
    return -clock.seconds_since(each["metadata"]["creationTimestamp"]), history.revision(each)


def _is_same(one: Json, other: Json) -> bool:
    return bool(one["metadata"]["uid"] == other["metadata"]["uid"])
