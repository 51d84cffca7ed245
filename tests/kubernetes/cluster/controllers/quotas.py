"""Quotas say how much of them is used."""

from collections.abc import Iterable
from typing import Any

from .. import resources as r
from ..admission import pod_limit, pods_counted
from ..store import Change
from .loop import Controller, Key, key

Json = dict[str, Any]


class Quotas(Controller):
    """Counts pods where a quota limits them."""

    resource = r.QUOTAS

    def keys(self, change: Change) -> Iterable[Key]:
        if change.resource is r.PODS:
            namespace = change.newest["metadata"]["namespace"]
            return [key(each) for each in self.store.all(r.QUOTAS, namespace)]
        return super().keys(change)

    def reconcile(self, obj: Json) -> float | None:
        status: Json = {"hard": obj["spec"].get("hard", {}), "used": {}}
        if limit := pod_limit(obj):
            used = pods_counted(self.store, obj["metadata"]["namespace"])
            status["used"] = {limit[0]: str(used)}
        self.objects.set_status(r.QUOTAS, obj, status, "kube-controller-manager")
        return None
