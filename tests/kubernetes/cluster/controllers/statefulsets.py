"""Stateful sets: pods with ordinals, made, replaced and deleted in order.

As with the real controller, a pod that does not become ready holds up everything behind it, even
its own mended replacement: somebody has to delete it.
"""

from typing import Any

from .. import resources as r
from ..problems import Refused
from . import rollout
from .happenings import tell
from .loop import Controller
from .pods import (
    BY,
    claimed,
    delete,
    forget_revisions,
    is_active,
    is_available,
    is_going,
    is_over,
    is_ready,
    pod,
    revise,
    soonest,
)

Json = dict[str, Any]
HASH = "controller-revision-hash"
_NAME = "statefulset-controller"
RETRY_SECONDS = 0.3


class StatefulSets(Controller):
    """One step at a time, unless pods are managed in parallel."""

    resource = r.STATEFUL_SETS
    dependents = (r.PODS,)

    def reconcile(self, obj: Json) -> float | None:
        pods = {_ordinal(each): each for each in claimed(self.objects, obj, r.PODS)}
        if is_going(obj):
            return None
        everything, update = revise(self.objects, obj)
        names = {each["metadata"]["name"] for each in everything}
        current = obj.get("status", {}).get("currentRevision")
        current = current if current in names else update["metadata"]["name"]
        plan = rollout.Plan(obj, current, update["metadata"]["name"])
        seconds = None
        try:
            self._advance(obj, plan, pods, {each["metadata"]["name"]: each for each in everything})
        except Refused as refused:
            said = f"create Pod in StatefulSet {obj['metadata']['name']} failed"
            said += f" error: {refused.status['message']}"
            tell(self.objects, obj, "FailedCreate", said, _NAME, is_warning=True)
            seconds = RETRY_SECONDS
        after = claimed(self.objects, obj, r.PODS)
        status = _status(obj, plan, after)
        self.objects.set_status(r.STATEFUL_SETS, obj, status, BY.manager)
        used = {each["metadata"]["labels"].get(HASH, "") for each in after}
        forget_revisions(
            self.objects, obj, {*used, status["currentRevision"], status["updateRevision"]}
        )
        return seconds or soonest(after, plan.min_ready)

    def _advance(
        self, obj: Json, plan: rollout.Plan, pods: dict[int, Json], revisions: dict[str, Json]
    ) -> None:
        """The next step, or all that may be taken at once."""
        for ordinal in plan.ordinals:
            if not self._keep(obj, plan, ordinal, pods, revisions) and plan.is_ordered:
                return
        surplus = sorted((each for each in pods if each not in plan.ordinals), reverse=True)
        for ordinal in surplus:
            if not is_going(pods[ordinal]):
                delete(self.objects, r.PODS, pods[ordinal])
            if plan.is_ordered:
                return
        if plan.is_rolling:
            self._replace(plan, pods)

    def _keep(
        self,
        obj: Json,
        plan: rollout.Plan,
        ordinal: int,
        pods: dict[int, Json],
        revisions: dict[str, Json],
    ) -> bool:
        """Whether the pod is there and well, so that the next one may be looked at."""
        found = pods.get(ordinal)
        if found is not None and is_over(found) and not is_going(found):
            delete(self.objects, r.PODS, found)
            return False
        if found is None:
            revision = revisions[plan.revision_for(ordinal)]
            pods[ordinal] = self._create(obj, ordinal, revision)
            return False
        return is_active(found) and is_available(found, plan.min_ready)

    def _create(self, obj: Json, ordinal: int, revision: Json) -> Json:
        name = f"{obj['metadata']['name']}-{ordinal}"
        labels = {
            HASH: revision["metadata"]["name"],
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(ordinal),
        }
        template = {**revision["data"]["spec"]["template"]}
        template.pop("$patch", None)
        body = pod(obj, template, labels, name)
        body["spec"]["hostname"] = name
        if service := obj["spec"].get("serviceName"):
            body["spec"]["subdomain"] = service
        self._claim_volumes(obj, body, name)
        made = self.objects.create(r.PODS, obj["metadata"]["namespace"], body, BY)
        said = f"create Pod {name} in StatefulSet {obj['metadata']['name']} successful"
        tell(self.objects, obj, "SuccessfulCreate", said, _NAME)
        return made

    def _claim_volumes(self, obj: Json, body: Json, name: str) -> None:
        namespace = obj["metadata"]["namespace"]
        for template in obj["spec"].get("volumeClaimTemplates", []):
            volume = template["metadata"]["name"]
            claim = f"{volume}-{name}"
            if self.store.get(r.CLAIMS, namespace, claim) is None:
                labels = obj["spec"]["selector"].get("matchLabels", {})
                metadata = {"name": claim, "labels": labels}
                made = {"metadata": metadata, "spec": template["spec"]}
                self.objects.create(r.CLAIMS, namespace, made, BY)
            source = {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
            body["spec"].setdefault("volumes", []).append(source)

    def _replace(self, plan: rollout.Plan, pods: dict[int, Json]) -> None:
        """The highest pod of another revision; none while a higher one is not well."""
        for ordinal in sorted(plan.ordinals, reverse=True):
            if ordinal < plan.first_updated:
                return
            each = pods[ordinal]
            if each["metadata"]["labels"].get(HASH) != plan.update and not is_going(each):
                delete(self.objects, r.PODS, each)
                return
            if not (is_active(each) and is_available(each, plan.min_ready)):
                return


def _ordinal(each: Json) -> int:
    tail = each["metadata"]["name"].rpartition("-")[2]
    return int(tail) if tail.isdecimal() else -1


def _status(obj: Json, plan: rollout.Plan, pods: list[Json]) -> Json:
    def count(revision: str) -> int:
        return sum(
            each["metadata"]["labels"].get(HASH) == revision and is_active(each) for each in pods
        )

    status: Json = {
        "observedGeneration": obj["metadata"]["generation"],
        "replicas": len(pods),
        "readyReplicas": sum(is_ready(each) and not is_going(each) for each in pods),
        "currentReplicas": count(plan.current),
        "updatedReplicas": count(plan.update),
        "availableReplicas": sum(is_available(each, plan.min_ready) for each in pods),
        "currentRevision": plan.current,
        "updateRevision": plan.update,
        "collisionCount": 0,
    }
    whole = status["updatedReplicas"] == status["replicas"] == status["readyReplicas"]
    if plan.is_rolling and whole and status["replicas"] == obj["spec"]["replicas"]:
        status["currentRevision"] = plan.update
        status["currentReplicas"] = status["updatedReplicas"]
    kept = ("replicas", "availableReplicas", "collisionCount")
    return {key: value for key, value in status.items() if value or key in kept}
