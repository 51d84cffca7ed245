"""The part that sends: requests to one namespace of a cluster, and what their answers mean.

Everything has a time limit. Knows nothing of releases.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.handshakes import Closing
from rollbacks.platforms.kubernetes.access import Access
from rollbacks.platforms.kubernetes.answers import read, require_success, unanswered
from rollbacks.platforms.kubernetes.kinds import MANAGER, Kind, Object

JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PAGE = 500
PAUSES = (0.2, 0.8)  # in s, at most, before what only reads is asked again
NOT_FOUND = 404


class Cluster:
    """One namespace. Use `opened`."""

    def __init__(self, client: httpx.AsyncClient, access: Access, namespace: str) -> None:
        self._client = client
        self._access = access
        self._was_let_in = False
        self.namespace = namespace

    async def get(self, kind: Kind, name: str) -> Object | None:
        """The object, or None where there is none."""
        return await self._object("GET", self._path(kind, name), absent=True)

    async def find(self, kind: Kind, *, labels: str = "", fields: str = "") -> list[Object]:
        """Every object that fits both selectors."""
        query = {"limit": str(PAGE), "labelSelector": labels, "fieldSelector": fields}
        found: list[Object] = []
        while True:
            page = await self._object("GET", self._path(kind), query) or {}
            # The items of a list do not say of what kind they are.
            said = {"apiVersion": kind.api_version, "kind": kind.name}
            found += [{**said, **item} for item in page.get("items") or ()]
            rest = page.get("metadata", {}).get("continue")
            if not rest:
                return found
            query["continue"] = rest

    async def apply(
        self, kind: Kind, manifest: Object, *, force: bool = False, dry_run: bool = False
    ) -> Object:
        """Server-side apply under our name; a resourceVersion in the manifest is a condition.

        Raises Owned where a field is another manager's, unless forced.
        """
        name = manifest["metadata"]["name"]
        query = {**_written(dry_run), "force": "true" if force else "false"}
        answer = await self._object(
            "PATCH", self._path(kind, name), query, manifest,
            content_type=APPLY_PATCH, reads=dry_run,
        )  # fmt: skip
        return answer or {}

    async def patch(
        self, kind: Kind, name: str, operations: list[dict[str, Any]], *, dry_run: bool = False
    ) -> Object:
        """JSON patch; put a resourceVersion in it as the condition. Raises Conflict."""
        answer = await self._object(
            "PATCH", self._path(kind, name), _written(dry_run), operations,
            content_type=JSON_PATCH, reads=dry_run,
        )  # fmt: skip
        return answer or {}

    async def delete(self, kind: Kind, name: str, *, uid: str) -> None:
        """Delete this very object and what it owns; nothing where it is gone."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._object("DELETE", self._path(kind, name), {}, body, absent=True)

    async def is_allowed(self, verb: str, kind: Kind, name: str = "") -> bool:
        """Whether we may do this, as the cluster itself says."""
        attributes = {
            "namespace": self.namespace,
            "verb": verb,
            "group": kind.group,
            "resource": kind.plural,
            "name": name,
        }
        answer = await self._object(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {},
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
            reads=True,
        )
        return bool((answer or {}).get("status", {}).get("allowed"))

    @asynccontextmanager
    async def watch(
        self, kind: Kind, name: str, since: str, seconds: float
    ) -> AsyncIterator[AsyncIterator[Object]]:
        """Follow one object: each time it changes, as it is then. Ends when the server says so.

        `since`: the resourceVersion after which to begin.
        """
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={name}",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, int(seconds))),
        }
        timeout = httpx.Timeout(
            self._access.request_timeout, connect=self._access.connect_timeout, read=seconds + 5
        )
        try:
            async with self._client.stream(
                "GET",
                self._path(kind),
                params=query,
                timeout=timeout,
                extensions=self._extensions(),
            ) as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                self._require_success(response)
                async with aclosing(self._changes(response)) as changes:
                    yield changes
        except httpx.HTTPError as error:
            raise unanswered(error) from None

    async def _changes(self, response: httpx.Response) -> AsyncGenerator[Object, None]:
        try:
            async for line in response.aiter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return  # most often 410: too old to go on from; the caller reads again
                if event["type"] != "BOOKMARK":
                    yield event["object"] if event["type"] != "DELETED" else {}
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return  # cut off, perhaps in the midst of a line, as by a proxy

    def _extensions(self) -> dict[str, Any]:
        name = self._access.server_name
        return {"trace": Closing(), **({"sni_hostname": name} if name else {})}

    def _path(self, kind: Kind, name: str = "") -> str:
        path = f"{kind.root}/namespaces/{self.namespace}/{kind.plural}"
        return f"{path}/{name}" if name else path

    async def _object(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        content_type: str = "application/json",
        absent: bool = False,
        reads: bool = False,
    ) -> Object | None:
        """The answer; None where there is nothing and `absent` allows it. Raises PlatformError.

        What only reads is asked again where the fault may pass; what changes something is not: the
        caller looks first what became of it.
        """
        for pause in PAUSES if reads or method == "GET" else ():
            try:
                return await self._once(method, path, query, body, content_type, absent=absent)
            except PlatformError as fault:
                if fault.permanent:
                    raise
                await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311
        return await self._once(method, path, query, body, content_type, absent=absent)

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content_type: str,
        *,
        absent: bool,
    ) -> Object | None:
        params = {name: value for name, value in (query or {}).items() if value}
        content = None if body is None else json.dumps(body).encode()
        try:
            response = await self._client.request(
                method, path, params=params, content=content,
                headers={"Content-Type": content_type} if content is not None else None,
                extensions=self._extensions(),
            )  # fmt: skip
        except httpx.HTTPError as error:
            raise unanswered(error) from None
        if absent and response.status_code == NOT_FOUND:
            return None
        self._require_success(response)
        found = read(response)
        if found is None:
            raise PlatformError("the cluster's answer is not JSON: is the server right?")
        return found

    def _require_success(self, response: httpx.Response) -> None:
        """A credential that was good a moment ago is worn out: the next call reads another."""
        if response.status_code == httpx.codes.UNAUTHORIZED:
            may_help = self._access.forget() or self._was_let_in
            raise PlatformError(
                "the cluster does not accept the connector's credential", permanent=not may_help
            )
        self._was_let_in = True
        require_success(response)


@asynccontextmanager
async def opened(access: Access, namespace: str) -> AsyncIterator[Cluster]:
    """The namespace, for as long as the block lasts."""
    async with httpx.AsyncClient(
        base_url=access.server,
        verify=access.trust,
        headers={**access.headers, "Accept": "application/json", "User-Agent": MANAGER},
        timeout=httpx.Timeout(access.request_timeout, connect=access.connect_timeout),
        proxy=access.proxy,
    ) as client:
        yield Cluster(client, access, namespace)


def _written(dry_run: bool) -> dict[str, str]:
    return {"fieldManager": MANAGER, "dryRun": "All" if dry_run else ""}
