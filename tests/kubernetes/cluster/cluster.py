"""A cluster in the test's own process: a server, controllers, nodes that pretend.

    with FakeCluster() as cluster:
        namespace = cluster.namespace()
        path = cluster.account(namespace, "deployer", [{"apiGroups": ["apps"], …}])   # a kubeconfig
        cluster.api("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
        cluster.fail("PATCH */deployments/web", how=Drop(after_effect=True))

How a pod fares is said by its image's tag: see `controllers/fate.py`.
"""

import http.client
import itertools
import json
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from secrets import token_urlsafe
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import yaml

from tests.ports import LOOPBACK

from . import certificates
from . import resources as r
from .access import AUTHENTICATED, MASTERS, User, service_account
from .controllers import controllers
from .controllers.fate import Timing
from .controllers.loop import Loop
from .faults import Fault, Matcher
from .objects import Objects
from .routing import Api
from .store import Store
from .transport import Transport
from .writing import Writing

Json = dict[str, Any]
_BY_TEST = Writing("test")


class ApiError(Exception):
    """The server refused; `body` is its Status."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body.get('reason')}: {body.get('message')}")
        self.status = status
        self.body = body


class FakeCluster:
    """Use as a context manager; `timing` says how quickly pods do what they do."""

    def __init__(self, nodes: int = 3, timing: Timing | None = None) -> None:
        self.admin_token = token_urlsafe()
        self.timing = timing or Timing()
        self._test_token = token_urlsafe()
        self._tokens = {
            self.admin_token: User("kubernetes-admin", (MASTERS, AUTHENTICATED)),
            self._test_token: User("test", (MASTERS,), is_observed=False),
        }
        self._names = itertools.count(1)
        self._store = Store()
        self._objects = Objects(self._store)
        self._loop = Loop(self._objects, controllers(self._objects, self.timing))
        for name in ("default", "kube-system"):
            self._make_namespace(name)
        self.nodes = nodes

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="lastgood-cluster-")
        server = certificates.server()
        certificate = self._write("server.pem", server.certificate_pem + server.key_pem)
        self.ca = self._write("ca.pem", certificates.authority().certificate_pem)
        self._transport = Transport(
            Api(self._objects).answer, self._tokens.get, certificate, self.ca
        )
        self._port = self._transport.open()
        self.url = f"https://{LOOPBACK}:{self._port}"
        self.kubeconfig = self._kubeconfig("admin", "default", {"token": self.admin_token})
        self._connection = http.client.HTTPSConnection(
            LOOPBACK, self._port, context=ssl.create_default_context(cafile=self.ca)
        )
        self._loop.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._store.close()
        self._loop.join()
        self._transport.close()
        self._directory.cleanup()

    @property
    def nodes(self) -> int:
        """How many nodes there are; daemon sets run on each."""
        return len(self._store.all(r.NODES))

    @nodes.setter
    def nodes(self, count: int) -> None:
        for number in range(self.nodes + 1, count + 1):
            body = {"metadata": {"name": f"node-{number}"}, "spec": {}}
            self._objects.create(r.NODES, "", body, _BY_TEST)
        for node in self._store.all(r.NODES)[count:]:
            self._store.remove(r.NODES, node)

    @property
    def requests(self) -> list[tuple[str, str, str, str]]:
        """Method, path, query and content type of what clients sent; a test's own are left out."""
        return [
            (each.method, each.path, each.query, each.content_type)
            for each in self._transport.calls
        ]

    def namespace(self) -> str:
        """A fresh one."""
        name = f"test-{next(self._names)}"
        self._make_namespace(name)
        return name

    def account(self, namespace: str, name: str, rules: Sequence[Json]) -> Path:
        """A service account that may do what the rules say; its kubeconfig.

        A rule is a PolicyRule for the account's namespace; its key `namespaces` names others, or
        "*" for the whole cluster.
        """
        self._create(r.SERVICE_ACCOUNTS, namespace, {"metadata": {"name": name}})
        subject = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
        for number, rule in enumerate(rules):
            granted = {key: value for key, value in rule.items() if key != "namespaces"}
            for where in rule.get("namespaces", [namespace]):
                role = f"{namespace}-{name}-{number}"
                self._grant("" if where == "*" else where, role, granted, subject)
        token = token_urlsafe()
        self._tokens[token] = service_account(namespace, name)
        return self._kubeconfig(f"{namespace}-{name}", namespace, {"token": token})

    def certified(self, name: str, *groups: str) -> Path:
        """The kubeconfig of somebody with a client certificate."""
        pair = certificates.client(name, *groups)
        certificate = self._write(f"{name}.crt", pair.certificate_pem)
        key = self._write(f"{name}.key", pair.key_pem)
        shown = {"client-certificate": str(certificate), "client-key": str(key)}
        return self._kubeconfig(f"certified-{name}", "default", shown)

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        **query: str | int | bool,
    ) -> Json:
        """Ask as an administrator; raises ApiError for a refusal."""
        shown = {key: _spelled(value) for key, value in query.items()}
        target = f"{path}?{urlencode(shown)}" if shown else path
        headers = {"Authorization": f"Bearer {self._test_token}", "User-Agent": "test/1"}
        if body is not None:
            headers["Content-Type"] = content_type
        content = None if body is None else json.dumps(body)
        self._connection.request(method, target, content, headers)
        response = self._connection.getresponse()
        answer: Json = json.loads(response.read())
        if response.status >= 400:
            raise ApiError(response.status, answer)
        return answer

    def fail(self, matcher: Matcher, *, times: int = 1, how: Fault) -> None:
        """The next calls that match ("PATCH */deployments/web", or a function) meet this fault."""
        self._transport.faults.plan(matcher, times, how)

    def compact(self) -> None:
        """Forget the past: watches that begin there are told that it is gone."""
        self._store.forget()

    def _create(self, resource: r.Resource, namespace: str, body: Json) -> None:
        self._objects.create(resource, namespace, body, _BY_TEST)

    def _make_namespace(self, name: str) -> None:
        with self._store.lock:  # before a controller finds that the account is missing
            self._create(r.NAMESPACES, "", {"metadata": {"name": name}})
            self._create(r.SERVICE_ACCOUNTS, name, {"metadata": {"name": "default"}})

    def _grant(self, namespace: str, name: str, rule: Json, subject: Json) -> None:
        role, binding = (
            (r.ROLES, r.BINDINGS) if namespace else (r.CLUSTER_ROLES, r.CLUSTER_BINDINGS)
        )
        metadata = {"name": name}
        reference = {"kind": role.kind, "name": name}
        self._create(role, namespace, {"metadata": metadata, "rules": [rule]})
        bound = {"metadata": metadata, "roleRef": reference, "subjects": [subject]}
        self._create(binding, namespace, bound)

    def _kubeconfig(self, name: str, namespace: str, user: Json) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "fake",
                    "cluster": {"server": self.url, "certificate-authority": str(self.ca)},
                }
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [
                {
                    "name": "fake",
                    "context": {"cluster": "fake", "user": name, "namespace": namespace},
                }
            ],
            "current-context": "fake",
        }
        return self._write(f"{name}.kubeconfig", yaml.safe_dump(config).encode())

    def _write(self, name: str, content: bytes) -> Path:
        path = Path(self._directory.name) / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path


def _spelled(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
