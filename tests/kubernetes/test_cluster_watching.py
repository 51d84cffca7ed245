"""Watches: what happens to a selection, from a version on."""

from itertools import islice
from typing import Any

import pytest

from .cluster import FakeCluster
from .cluster.caller import Caller
from .cluster.manifests import MERGE, config_map, path

Json = dict[str, Any]
NOTHING = "metadata.name=nothing"  # a cluster puts into a namespace what it likes


def version(cluster: FakeCluster, where: str) -> str:
    found: str = cluster.api("GET", where, limit=1)["metadata"]["resourceVersion"]
    return found


def seen(cluster: FakeCluster, where: str, count: int, **query: str | int) -> list[tuple[str, str]]:
    """Type and name of the first events."""
    with Caller(cluster.kubeconfig) as caller:
        events = list(islice(caller.watch(where, timeoutSeconds=10, **query), count))
    return [(each["type"], each["object"]["metadata"].get("name", "")) for each in events]


def test_a_watch_tells_what_happened_since(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    since = version(cluster, maps)
    cluster.api("POST", maps, config_map("a"))
    cluster.api("PATCH", f"{maps}/a", {"data": {"key": "1"}}, MERGE)
    cluster.api("DELETE", f"{maps}/a")
    query: dict[str, str | int] = {"resourceVersion": since, "fieldSelector": "metadata.name=a"}
    expected = [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert seen(cluster, maps, 3, **query) == expected


def test_a_watch_tells_what_happens(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    with Caller(cluster.kubeconfig) as caller:
        since = version(cluster, maps)
        events = caller.watch(maps, resourceVersion=since, labelSelector="new", timeoutSeconds=10)
        cluster.api("POST", maps, config_map("a", labels={"new": "yes"}))
        event = next(events)
        assert (event["type"], event["object"]["kind"]) == ("ADDED", "ConfigMap")
        events.close()  # type: ignore[attr-defined]


def test_without_a_version_a_watch_begins_with_what_is_there(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, config_map("a", labels={"mine": "yes"}))
    assert seen(cluster, maps, 1, labelSelector="mine") == [("ADDED", "a")]


def test_what_enters_a_selection_is_added_and_what_leaves_it_deleted(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, config_map("a"))
    since = version(cluster, maps)
    for label in ("yes", "no", None):
        cluster.api("PATCH", f"{maps}/a", {"metadata": {"labels": {"live": label}}}, MERGE)
    found = seen(cluster, maps, 2, resourceVersion=since, labelSelector="live=yes")
    assert found == [("ADDED", "a"), ("DELETED", "a")]


def test_a_deletion_is_a_version_of_its_own(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map("a"))
    cluster.api("DELETE", f"{maps}/a")
    since = made["metadata"]["resourceVersion"]
    with Caller(cluster.kubeconfig) as caller:
        query: dict[str, str | int] = {"fieldSelector": "metadata.name=a", "timeoutSeconds": 10}
        event = next(caller.watch(maps, resourceVersion=since, **query))
    assert event["type"] == "DELETED"
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(since)


def test_a_watch_of_one_object_does_not_see_others(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    since = version(cluster, maps)
    for name in ("a", "b"):
        cluster.api("POST", maps, config_map(name))
    found = seen(cluster, maps, 1, resourceVersion=since, fieldSelector="metadata.name=b")
    assert found == [("ADDED", "b")]


def test_a_watch_ends_when_its_time_is_up(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    with Caller(cluster.kubeconfig) as caller:
        since = version(cluster, maps)
        query: dict[str, str | int] = {"fieldSelector": NOTHING, "timeoutSeconds": 1}
        assert list(caller.watch(maps, resourceVersion=since, **query)) == []


def test_a_bookmark_says_how_far_a_watch_is_before_it_ends(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    query: dict[str, str | int] = {"timeoutSeconds": 3, "allowWatchBookmarks": "true"}
    query |= {"resourceVersion": version(cluster, maps), "fieldSelector": "metadata.name=a"}
    cluster.api("POST", maps, config_map("a"))
    with Caller(cluster.kubeconfig) as caller:
        events = caller.watch(maps, **query)
        assert next(events)["type"] == "ADDED"
        unseen = cluster.api("POST", maps, config_map("b"))["metadata"]["resourceVersion"]
        event = next(events)
        events.close()  # type: ignore[attr-defined]
    assert event["type"] == "BOOKMARK"
    assert int(event["object"]["metadata"]["resourceVersion"]) >= int(unseen)


@pytest.mark.only_fake("it forgets when it likes")
def test_a_past_that_is_forgotten_is_an_error_of_the_watch() -> None:
    with FakeCluster() as cluster, Caller(cluster.kubeconfig) as caller:
        maps = path(cluster.namespace(), "configmaps")
        since = version(cluster, maps)
        cluster.api("POST", maps, config_map("a"))
        cluster.compact()
        event = next(caller.watch(maps, resourceVersion=since, timeoutSeconds=5))
    assert event["type"] == "ERROR"
    status = event["object"]
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
