"""What stands between a valid object and the store: namespaces, accounts, quotas, addresses."""

import itertools
from typing import Any

from . import resources as r
from .problems import Refused, forbidden, missing
from .store import Store

Json = dict[str, Any]
TERMINAL = ("Succeeded", "Failed")


class Admission:
    """Refuses or completes what is created; its answers come from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._addresses = itertools.count(2)
        self._node_ports = itertools.count(30000)

    def admit(self, obj: Json, resource: r.Resource) -> None:
        """Raises Refused; completes a service's addresses in place."""
        metadata = obj["metadata"]
        if resource.namespaced:
            self._admit_to_namespace(resource, metadata["namespace"], metadata["name"])
        if resource is r.PODS:
            self._admit_account(obj)
            self._admit_to_quotas(obj)
        if resource is r.SERVICES:
            self.address(obj)

    def address(self, service: Json, before: Json | None = None) -> None:
        """A service's cluster IP, which it keeps, and node ports, if it has none yet."""
        spec = service["spec"]
        if before and spec["type"] != "ExternalName" and "clusterIP" in before["spec"]:
            spec.setdefault("clusterIP", before["spec"]["clusterIP"])
        if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
            number = next(self._addresses)
            spec["clusterIP"] = f"10.96.{number // 250}.{number % 250 + 1}"
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        if spec["type"] in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports", []):
                port.setdefault("nodePort", next(self._node_ports))

    def _admit_to_namespace(self, resource: r.Resource, namespace: str, name: str) -> None:
        found = self._store.get(r.NAMESPACES, "", namespace)
        if found is None:
            raise missing(r.NAMESPACES, namespace)
        if "deletionTimestamp" in found["metadata"] and resource is not r.EVENTS:
            why = f"unable to create new content in namespace {namespace} because it is being"
            said = f"namespace {namespace} is being terminated"
            cause = {
                "reason": "NamespaceTerminating",
                "message": said,
                "field": "metadata.namespace",
            }
            raise forbidden(resource, name, f"{why} terminated", [cause])

    def _admit_account(self, pod: Json) -> None:
        namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
        if self._store.get(r.SERVICE_ACCOUNTS, namespace, account) is None:
            why = f"error looking up service account {namespace}/{account}"
            said = f'{why}: serviceaccount "{account}" not found'
            raise forbidden(r.PODS, pod["metadata"]["name"], said)

    def _admit_to_quotas(self, pod: Json) -> None:
        namespace = pod["metadata"]["namespace"]
        for quota in self._store.all(r.QUOTAS, namespace):
            hard = pod_limit(quota)
            if hard is None:
                continue
            used = pods_counted(self._store, namespace)
            if used + 1 > hard[1]:
                raise _exceeded(pod, quota, hard, used)


def pod_limit(quota: Json) -> tuple[str, int] | None:
    """The quota's word for pods and how many it grants."""
    hard = quota.get("spec", {}).get("hard", {})
    return next(((key, int(hard[key])) for key in ("pods", "count/pods") if key in hard), None)


def pods_counted(store: Store, namespace: str) -> int:
    pods = store.all(r.PODS, namespace)
    return sum(pod.get("status", {}).get("phase") not in TERMINAL for pod in pods)


def _exceeded(pod: Json, quota: Json, hard: tuple[str, int], used: int) -> Refused:
    key, limit = hard
    why = (
        f"exceeded quota: {quota['metadata']['name']}, requested: {key}=1, "
        f"used: {key}={used}, limited: {key}={limit}"
    )
    return forbidden(r.PODS, pod["metadata"]["name"], why)
