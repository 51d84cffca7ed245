"""Any cluster that a kubeconfig leads to, with the interface of the suite's own.

LASTGOOD_TEST_KUBECONFIG names the kubeconfig of an administrator. A control plane without nodes
gets pretended ones with LASTGOOD_TEST_NODES=pretend.
"""

import json
import os
import tempfile
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from rollbacks.platforms.base import Secret, TargetRef
from rollbacks.platforms.kubernetes.access import Access, access_to
from tests.kubernetes.cluster import ApiError
from tests.kubernetes.nodes import Nodes

READY_SECONDS = 30.0


class RealCluster:
    """Use as a context manager; what was made in it is deleted at the end."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self._access = _access(kubeconfig.read_text())
        self._client = client_of(self._access)
        self._directory = Path(tempfile.mkdtemp(prefix="lastgood-kubernetes-"))
        self._running = ExitStack()
        self._namespaces: list[str] = []

    def __enter__(self) -> Self:
        if os.environ.get("LASTGOOD_TEST_NODES") == "pretend":
            self._running.enter_context(Nodes(client_of(self._access)))
        return self

    def __exit__(self, *exception: object) -> None:
        for name in self._namespaces:
            with suppress(ApiError):  # a test may have deleted it
                self.api("DELETE", f"/api/v1/namespaces/{name}")
        self._running.close()
        self._client.close()

    def api(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        **query: str,
    ) -> dict[str, Any]:
        """One request as the administrator; raises ApiError."""
        content = None if body is None else json.dumps(body).encode()
        response = self._client.request(
            method, path, content=content, params=query, headers={"Content-Type": content_type}
        )
        if response.is_error:
            raise ApiError(response.status_code, _status(response))
        found: dict[str, Any] = response.json()
        return found

    def namespace(self) -> str:
        """A fresh one, with what a cluster puts into each."""
        name = f"lastgood-{uuid.uuid4().hex[:10]}"
        self.api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self._namespaces.append(name)
        return name

    def account(self, namespace: str, name: str, rules: list[dict[str, Any]]) -> Path:
        """The kubeconfig of a service account that may do just this in the namespace."""
        core, rbac = f"/api/v1/namespaces/{namespace}", "rbac.authorization.k8s.io"
        roles = f"/apis/{rbac}/v1/namespaces/{namespace}"
        self.api("POST", f"{core}/serviceaccounts", {"metadata": {"name": name}})
        self.api("POST", f"{roles}/roles", {"metadata": {"name": name}, "rules": rules})
        self.api(
            "POST",
            f"{roles}/rolebindings",
            {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
            },
        )
        answer = self.api("POST", f"{core}/serviceaccounts/{name}/token", {"spec": {}})
        self._until_it_may(answer["status"]["token"], namespace, rules)
        return self._written(f"{namespace}-{name}", answer["status"]["token"])

    def _until_it_may(self, token: str, namespace: str, rules: list[dict[str, Any]]) -> None:
        """A role binding takes the server a moment to see."""
        if not rules:
            return
        first = rules[0]
        attributes = {
            "name": (first.get("resourceNames") or [""])[0],
            "namespace": namespace,
            "verb": first["verbs"][0],
            "group": first["apiGroups"][0],
            "resource": first["resources"][0],
        }
        asked = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            response = self._client.post(
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                json=asked,
                headers={"Authorization": f"Bearer {token}"},
            )
            if response.is_success and response.json()["status"]["allowed"]:
                return
            time.sleep(0.05)
        raise AssertionError(f"{namespace}: the account got no right within {READY_SECONDS:g} s")

    def _written(self, name: str, token: str) -> Path:
        document = yaml.safe_load(self.kubeconfig.read_text())
        for user in document["users"]:
            user["user"] = {"token": token}
        path = self._directory / name
        path.write_text(yaml.safe_dump(document))
        return path


def _status(response: httpx.Response) -> dict[str, Any]:
    """What it says; of a path that no group serves it says so in plain text."""
    try:
        found: dict[str, Any] = response.json()
    except ValueError:
        return {"message": response.text}
    return found


def _access(kubeconfig: str) -> Access:
    target = TargetRef("", "", "", "", {}, {}, Secret(kubeconfig))
    return access_to(target)


def client_of(access: Access) -> httpx.Client:
    return httpx.Client(
        base_url=access.server, verify=access.trust, headers=dict(access.headers), timeout=30
    )
