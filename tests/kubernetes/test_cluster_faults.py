"""What only the fake can do: fail on purpose, and say what it was asked."""

import time

import httpx
import pytest

from .cluster import Answer, Call, Delay, Drop, FakeCluster
from .cluster.caller import Caller
from .cluster.manifests import MERGE, config_map, path

pytestmark = pytest.mark.only_fake("it does not fail when asked to")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(429, "TooManyRequests"), (500, "InternalError"), (503, "ServiceUnavailable")],
)
def test_a_busy_server_says_so_as_often_as_planned(code: int, reason: str) -> None:
    with FakeCluster() as cluster, Caller(cluster.kubeconfig) as caller:
        cluster.fail("GET */configmaps", times=2, how=Answer(code, retry_after=1))
        maps = path(cluster.namespace(), "configmaps")
        answers = [caller.send("GET", maps) for _ in range(3)]
    assert [each.status_code for each in answers] == [code, code, 200]
    assert answers[0].json()["reason"] == reason
    assert answers[0].headers["Retry-After"] == "1"


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_lost_answer_leaves_the_effect_behind(after_effect: bool) -> None:
    with FakeCluster() as cluster, Caller(cluster.kubeconfig) as caller:
        maps = path(cluster.namespace(), "configmaps")
        cluster.api("POST", maps, config_map(key="1"))
        cluster.fail("PATCH *", how=Drop(after_effect))
        with pytest.raises(httpx.TransportError):
            caller.send("PATCH", f"{maps}/settings", {"data": {"key": "2"}}, MERGE)
        found = cluster.api("GET", f"{maps}/settings")["data"]["key"]
    assert found == ("2" if after_effect else "1")


def test_a_delay_delays() -> None:
    with FakeCluster() as cluster, Caller(cluster.kubeconfig) as caller:
        cluster.fail(lambda call: call.path == "/api/v1/nodes", how=Delay(0.2))
        began = time.monotonic()
        assert caller.send("GET", "/api/v1/nodes").status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_fault_may_look_at_the_whole_call() -> None:
    calls: list[Call] = []

    def keep(call: Call) -> bool:
        calls.append(call)
        return False

    with FakeCluster() as cluster, Caller(cluster.kubeconfig) as caller:
        cluster.fail(keep, how=Delay(0))
        maps = path(cluster.namespace(), "configmaps")
        caller.send("PATCH", f"{maps}/settings", {}, MERGE, fieldManager="ci")
    assert calls == [Call("PATCH", f"{maps}/settings", "fieldManager=ci", MERGE)]


def test_requests_are_those_of_clients_in_order() -> None:
    with FakeCluster() as cluster, Caller(cluster.kubeconfig) as caller:
        cluster.api("GET", "/api/v1/nodes")
        caller.send("GET", "/api/v1/namespaces", limit=1)
        caller.send("GET", "/version")
        expected = [("GET", "/api/v1/namespaces", "limit=1", ""), ("GET", "/version", "", "")]
        assert cluster.requests == expected
