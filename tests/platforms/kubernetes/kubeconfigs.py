"""Kubeconfigs as people have them, with one user and one cluster."""

import base64
from typing import Any

import yaml

from rollbacks.platforms.base import Secret, TargetRef
from tests.kubernetes.cluster import certificates

SERVER = "https://127.0.0.1:6443"
CANARY = "s3cret-that-nobody-may-see"  # in every credential; in no message


def authority() -> str:
    return certificates.authority().certificate_pem.decode()


def written(user: Any, context: str = "shop", **cluster: Any) -> str:
    """The user is called `worker`, the cluster `east`; `cluster` replaces what is usual."""
    usual = {"server": SERVER, "certificate-authority-data": encoded(authority())}
    kept = {name: value for name, value in (usual | cluster).items() if value is not None}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "contexts": [{"name": "shop", "context": {"cluster": "east", "user": "worker"}}],
            "clusters": [{"name": "east", "cluster": kept}],
            "users": [{"name": "worker", "user": user}],
        }
    )


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def target(credential: str | None, **connector: Any) -> TargetRef:
    """Something with this connector."""
    secret = None if credential is None else Secret(credential)
    settings = {"namespace": "shop", "workloads": ["Deployment/{service}"]}
    return TargetRef("Shop", "web", "production", "east", connector, settings, secret)
