"""The whole engine on a namespace of a cluster."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.models import Deployment
from rollbacks.platforms.kubernetes import Kubernetes
from tests.kubernetes.manifests import IMAGE
from tests.scene import Scene, scene

_LISTS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "Pod": "/api/v1/namespaces/{}/pods",
}
# What the server owns, and what its controllers count.
_SERVERS = ("resourceVersion", "generation", "creationTimestamp", "managedFields", "uid")
_CONTROLLERS = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")


@dataclass
class Shop:
    """A service in a namespace of its own."""

    cluster: Any
    namespace: str
    scene: Scene

    def publish(self, version: str) -> None:
        artifact = self.scene.artifact(version)
        artifact.location = f"{IMAGE}:{version}"
        artifact.save()

    def start(self, version: str) -> Deployment:
        """Asked for; nothing runs yet."""
        self.publish(version)
        return self.scene.start(version)

    def deploy(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.deploy(version)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every object of the kind, as it lives, but for what clusters put into each namespace."""
        items = self.cluster.api("GET", _LISTS[kind].format(self.namespace))["items"]
        return [each for each in items if not each["metadata"]["name"].endswith("-ca.crt")]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        path = f"{_LISTS[kind].format(self.namespace)}/{name}"
        found: dict[str, Any] = self.cluster.api("GET", path)
        return found

    def patch(self, kind: str, name: str, body: dict[str, Any], **query: str) -> None:
        """As somebody else would, by a merge patch."""
        path = f"{_LISTS[kind].format(self.namespace)}/{name}"
        content_type = "application/merge-patch+json"
        self.cluster.api("PATCH", path, body, content_type=content_type, **query)

    def objects(self) -> dict[str, Any]:
        """Everything that is declared, but for what the server owns of it."""
        kinds = [kind for kind in _LISTS if kind != "Pod"]
        return {
            f"{kind}/{each['metadata']['name']}": declared(each)
            for kind in kinds
            for each in self.all(kind)
        }

    def pods(self) -> list[dict[str, Any]]:
        """Those that are not ending."""
        return [each for each in self.all("Pod") if "deletionTimestamp" not in each["metadata"]]

    def images(self) -> set[str]:
        """What the first containers of all pods run."""
        return {each["spec"]["containers"][0]["image"] for each in self.pods()}


def declared(live: dict[str, Any]) -> dict[str, Any]:
    """An object without its status and the server's own metadata."""
    found = copy.deepcopy(live)
    found.pop("status", None)
    for name in _SERVERS:
        found["metadata"].pop(name, None)
    annotations = found["metadata"].get("annotations") or {}
    for name in _CONTROLLERS:
        annotations.pop(name, None)
    found["metadata"]["annotations"] = annotations
    return found


def shop_in(
    cluster: Any,
    namespace: str,
    kubeconfig: str,
    manifests: str,
    *,
    workflow_type: str = "ROLLING",
    workloads: Sequence[str] = ("Deployment/{service}",),
    timeout: float = 30,
    definition: dict[str, Any] | None = None,
    **settings: Any,
) -> Shop:
    """A workflow of that type with its default phases, unless a definition has others."""
    document = {
        "settings": {"manifests": manifests, **settings},
        "phases": phases(workflow_type, timeout),
        **(definition or {}),
    }
    made = scene(
        workflow_type=workflow_type,
        deployment_type="KUBERNETES",
        artifact_type="DOCKER_IMAGE",
        credential=f"file:{kubeconfig}",
        settings={"namespace": namespace, "workloads": list(workloads)},
        definition=document,
    )
    return Shop(cluster, namespace, made)


def phases(workflow_type: str, timeout: float) -> list[dict[str, Any]]:
    """The default ones, with a time limit in seconds for each step."""
    found = Kubernetes().default_phases(workflow_type)
    for phase in found:
        for step in phase["steps"]:
            step["timeout"] = timeout
    return found
