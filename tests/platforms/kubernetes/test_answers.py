"""What the answers of a cluster mean: gone on with, tried again, or told at once."""

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes.access import Access
from rollbacks.platforms.kubernetes.answers import Conflict, Forbidden, Owned
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.kinds import CONFIG_MAP, DEPLOYMENT, POD, Object

Result = TypeVar("Result")
Answer = httpx.Response | Exception
ACCESS = Access("https://east.example", ssl.create_default_context())


def asked(
    answers: Sequence[Answer], work: Callable[[Cluster], Awaitable[Result]]
) -> tuple[Result, list[httpx.Request]]:
    """What comes of the work where the cluster gives these answers, the last again and again."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers[min(len(sent), len(answers) - 1)]
        sent.append(request)
        if isinstance(found, Exception):
            raise found
        return found

    async def inside() -> Result:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url=ACCESS.server) as client:
            return await work(Cluster(client, ACCESS, "shop"))

    return asyncio.run(inside()), sent


async def change(cluster: Cluster) -> Object:
    return await cluster.patch(DEPLOYMENT, "web", [])


def refused(code: int, message: str = "no.", **more: Any) -> httpx.Response:
    return httpx.Response(code, json={"kind": "Status", "message": message, **more})


MANAGED = {
    "causes": [
        {
            "reason": "FieldManagerConflict",
            "field": ".spec.replicas",
            "message": 'conflict with "somebody" using apps/v1',
        }
    ]
}

MEANINGS: list[tuple[Answer, type[PlatformError], bool, str]] = [
    (refused(400), PlatformError, True, "the cluster refuses: no"),
    (refused(401), PlatformError, True, "the cluster does not accept the connector's credential"),
    (refused(403), Forbidden, True, "the cluster refuses: no"),
    (refused(404), PlatformError, True, "the cluster refuses: no"),
    (refused(408), PlatformError, False, "the cluster is busy or ill (HTTP 408): no"),
    (refused(409), Conflict, False, "no"),
    (refused(409, details=MANAGED), Owned, True, '.spec.replicas: conflict with "somebody"'),
    (refused(410), Conflict, False, "no"),
    (refused(422), PlatformError, True, "the cluster refuses: no"),
    (refused(429), PlatformError, False, "the cluster is busy or ill (HTTP 429): no"),
    (refused(500), PlatformError, False, "the cluster is busy or ill (HTTP 500): no"),
    (refused(503), PlatformError, False, "the cluster is busy or ill (HTTP 503): no"),
    (httpx.Response(502, text="<html>"), PlatformError, False, "(HTTP 502): HTTP 502"),
    (httpx.Response(302, text=""), PlatformError, True, "the cluster refuses: HTTP 302"),
    (httpx.Response(418, json=["a"]), PlatformError, True, "the cluster refuses: HTTP 418"),
    (httpx.Response(200, text="<html>"), PlatformError, False, "is not JSON: is the server right?"),
    (httpx.Response(200, json=["a"]), PlatformError, False, "is not JSON"),
    (httpx.Response(200, text=""), PlatformError, False, "is not JSON"),
    (httpx.ConnectTimeout(""), PlatformError, False, "did not answer in time (ConnectTimeout)"),
    (httpx.ReadTimeout("timed out"), PlatformError, False, "did not answer in time (ReadTimeout)"),
    (httpx.ConnectError("refused"), PlatformError, False, "the cluster did not answer (refused)"),
    (httpx.RemoteProtocolError(""), PlatformError, False, "not answer (RemoteProtocolError)"),
    (
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
        PlatformError,
        True,
        "the cluster's certificate is not trusted",
    ),
]


@pytest.mark.parametrize(("answer", "kind", "permanent", "sentence"), MEANINGS)
def test_each_answer_says_whether_to_try_again(
    answer: Answer, kind: type[PlatformError], permanent: bool, sentence: str
) -> None:
    with pytest.raises(PlatformError) as caught:
        asked([answer], change)
    assert type(caught.value) is kind
    assert caught.value.permanent is permanent
    assert sentence in str(caught.value)
    assert not str(caught.value).endswith(".")


def test_who_owns_a_field_is_known() -> None:
    with pytest.raises(Owned) as caught:
        asked([refused(409, details=MANAGED)], change)
    assert caught.value.managers == ["somebody"]
    assert "let them give it up, or set take_ownership" in str(caught.value)


def test_what_is_not_there_is_none_where_one_looks_and_fine_where_one_deletes() -> None:
    assert asked([refused(404)], lambda c: c.get(DEPLOYMENT, "web"))[0] is None
    _, sent = asked([refused(404)], lambda c: c.delete(POD, "web-1", uid="7"))
    assert json.loads(sent[0].content)["preconditions"] == {"uid": "7"}


def test_a_credential_that_wears_out_while_we_work_is_read_again_by_the_next_call() -> None:
    async def twice(cluster: Cluster) -> None:
        await cluster.find(POD)
        await cluster.find(POD)

    with pytest.raises(PlatformError, match="does not accept") as caught:
        asked([httpx.Response(200, json={"items": []}), refused(401)], twice)
    assert not caught.value.permanent


@pytest.mark.parametrize("may_help", [True, False])
def test_a_remembered_credential_that_is_refused_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, may_help: bool
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ACCESS", replace(ACCESS, forget=lambda: may_help))
    with pytest.raises(PlatformError, match="does not accept") as caught:
        asked([refused(401)], change)
    assert caught.value.permanent is not may_help


def test_a_long_list_is_read_to_its_end() -> None:
    pages: list[Answer] = [
        httpx.Response(200, json={"items": [{"metadata": {"name": "a"}}], "metadata": rest})
        for rest in ({"continue": "one"}, {"continue": "two"}, {})
    ]
    found, sent = asked(pages, lambda c: c.find(CONFIG_MAP, labels="a=b"))
    assert [(each["kind"], each["apiVersion"]) for each in found] == [("ConfigMap", "v1")] * 3
    assert [each.url.params.get("continue") for each in sent] == [None, "one", "two"]
    assert {each.url.params["labelSelector"] for each in sent} == {"a=b"}
    assert asked([httpx.Response(200, json={"items": None})], lambda c: c.find(POD))[0] == []


def event(kind: str, name: str = "web") -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"name": name}}}).encode() + b"\n"


class Cut(httpx.AsyncByteStream):
    """A stream that breaks off."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    async def __aiter__(self) -> Any:
        for part in self._parts:
            yield part
        raise httpx.ReadError("connection reset by peer")


async def watched(cluster: Cluster) -> list[Object]:
    async with cluster.watch(DEPLOYMENT, "web", "5", 30) as changes:
        return [change async for change in changes]


CHANGED = {"metadata": {"name": "web"}}


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"", []),
        (event("MODIFIED") + event("MODIFIED"), [CHANGED, CHANGED]),
        (event("BOOKMARK") + event("ADDED"), [CHANGED]),
        (event("MODIFIED") + event("ERROR") + event("MODIFIED"), [CHANGED]),
        (event("DELETED"), [{}]),
        (event("MODIFIED") + b'{"type": "MODIF', [CHANGED]),
        (event("MODIFIED") + b"[]\n{}\n", [CHANGED]),
        (Cut(event("MODIFIED")), [CHANGED]),
        (Cut(), []),
    ],
)
def test_a_watch_tells_what_it_can_and_ends(
    content: bytes | httpx.AsyncByteStream, seen: list[Object]
) -> None:
    is_cut = isinstance(content, httpx.AsyncByteStream)
    answer = httpx.Response(200, **{"stream" if is_cut else "content": content})  # type: ignore[arg-type]
    found, sent = asked([answer], watched)
    assert found == seen
    assert dict(sent[0].url.params) == {
        "watch": "true",
        "fieldSelector": "metadata.name=web",
        "resourceVersion": "5",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "30",
    }


@pytest.mark.parametrize(("answer", "kind", "permanent", "sentence"), MEANINGS[:13])
def test_a_watch_that_is_refused_says_why(
    answer: Answer, kind: type[PlatformError], permanent: bool, sentence: str
) -> None:
    with pytest.raises(PlatformError) as caught:
        asked([answer], watched)
    assert type(caught.value) is kind
    assert sentence in str(caught.value)
