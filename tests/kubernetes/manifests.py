"""What the tests deploy: one workload or more, with everything around it."""

from collections.abc import Sequence
from typing import Any

import yaml

NAME = "storefront"  # as the scene's service
IMAGE = "registry.example/shop/storefront"


def written(*objects: dict[str, Any]) -> str:
    """As people write them."""
    return yaml.safe_dump_all(objects, sort_keys=False)


def config_map(name: str = NAME, **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": annotations},
        "data": {"greeting": "Welcome to ${version}"},
    }


def service(name: str = NAME, **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80}]},
    }


def ingress(name: str = NAME) -> dict[str, Any]:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"defaultBackend": backend},
    }


def container(name: str = "app", image: str = "${image}", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": image, **fields}


def workload(
    kind: str = "Deployment",
    name: str = NAME,
    *,
    replicas: int | None = 3,
    containers: Sequence[dict[str, Any]] = (),
    pod: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Of two containers: ours, configured by the ConfigMap, and another beside it."""
    own = container(envFrom=[{"configMapRef": {"name": NAME}}], ports=[{"containerPort": 80}])
    found: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": annotations or {}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [*(containers or [own]), container("side", f"{IMAGE}-side:1")],
                    **(pod or {}),
                },
            },
            **({"serviceName": name} if kind == "StatefulSet" else {}),
            **spec,
        },
    }
    if replicas is not None and kind != "DaemonSet":
        found["spec"]["replicas"] = replicas
    return found


def everything(kind: str = "Deployment", **fields: Any) -> str:
    """A workload with its configuration, its service and its ingress."""
    return written(config_map(), service(), workload(kind, **fields), ingress())


def blue_green(kind: str = "Deployment", **fields: Any) -> str:
    """A workload with its configuration and two services."""
    return written(
        config_map(),
        service(NAME, **{"lastgood.io/primary-service": "true"}),
        service(f"{NAME}-stage", **{"lastgood.io/stage-service": "true"}),
        workload(kind, **fields),
    )
