"""Small workloads for tests, and where they are."""

from typing import Any

Json = dict[str, Any]
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


def path(namespace: str, plural: str, name: str = "", subresource: str = "") -> str:
    """As in /apis/apps/v1/namespaces/shop/deployments/web/scale."""
    roots = {
        "deployments": "/apis/apps/v1",
        "statefulsets": "/apis/apps/v1",
        "daemonsets": "/apis/apps/v1",
        "replicasets": "/apis/apps/v1",
        "controllerrevisions": "/apis/apps/v1",
        "ingresses": "/apis/networking.k8s.io/v1",
        "poddisruptionbudgets": "/apis/policy/v1",
        "horizontalpodautoscalers": "/apis/autoscaling/v2",
        "leases": "/apis/coordination.k8s.io/v1",
    }
    parts = [roots.get(plural, "/api/v1"), "namespaces", namespace, plural, name, subresource]
    return "/".join(filter(None, parts))


def deployment(name: str = "web", image: str = "app:1", replicas: int = 1, **spec: Any) -> Json:
    return _workload("Deployment", name, image, {"replicas": replicas, **spec})


def stateful_set(name: str = "db", image: str = "app:1", replicas: int = 1, **spec: Any) -> Json:
    own = {"replicas": replicas, "serviceName": name, **spec}
    return _workload("StatefulSet", name, image, own)


def daemon_set(name: str = "log", image: str = "app:1", **spec: Any) -> Json:
    return _workload("DaemonSet", name, image, spec)


def config_map(name: str = "settings", labels: Json | None = None, **data: str) -> Json:
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(name: str = "alone", image: str = "app:1", **metadata: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **metadata},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }


def service(name: str = "web", **spec: Any) -> Json:
    ports = [{"port": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports, **spec},
    }


def image(tag: str, container: str = "web") -> Json:
    """A strategic merge patch that deploys another image."""
    containers = [{"name": container, "image": f"app:{tag}"}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def _workload(kind: str, name: str, image: str, spec: Json) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            **spec,
        },
    }
