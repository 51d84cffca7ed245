"""A plain client of a cluster, fake or real, by a kubeconfig alone: for what `api` does not do."""

import base64
import json
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

Json = dict[str, Any]


class Caller:
    """Asks as the kubeconfig's user; sees headers and streams."""

    def __init__(self, kubeconfig: Path | str) -> None:
        config = yaml.safe_load(Path(kubeconfig).read_text())
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        with tempfile.TemporaryDirectory() as directory:
            found = _Files(Path(directory))
            authority = found.path(cluster, "certificate-authority")
            context = ssl.create_default_context(cafile=authority)
            if "client-certificate" in user or "client-certificate-data" in user:
                certificate = found.path(user, "client-certificate")
                context.load_cert_chain(certificate, found.path(user, "client-key"))
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self._client = httpx.Client(
            base_url=cluster["server"], verify=context, headers=headers, trust_env=False, timeout=20
        )

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        **query: str | int,
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body)
        more = {"Content-Type": content_type} if body is not None else {}
        return self._client.request(
            method, path, content=content, params=query, headers=more | (headers or {})
        )

    def watch(self, path: str, **query: str | int) -> Iterator[Json]:
        """Events, until the server ends the watch."""
        params = {"watch": "1", **query}
        with self._client.stream("GET", path, params=params) as response:
            for line in response.iter_lines():
                yield json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()


class _Files:
    """Kubeconfigs name files or hold their content; TLS wants files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, holder: Json, name: str) -> Path:
        if name in holder:
            return Path(holder[name])
        path = self._directory / name
        path.write_bytes(base64.b64decode(holder[f"{name}-data"]))
        return path
