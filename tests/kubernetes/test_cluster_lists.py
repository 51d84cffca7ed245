"""Lists: in pages, and by selectors."""

import pytest

from .cluster import ApiError, FakeCluster
from .cluster.manifests import path, service


def test_lists_come_in_pages_of_one_moment(cluster: FakeCluster) -> None:
    services = path(cluster.namespace(), "services")
    for number in range(5):
        cluster.api("POST", services, service(f"s-{number}"))
    first = cluster.api("GET", services, limit=2)
    assert first["metadata"]["remainingItemCount"] == 3
    cluster.api("DELETE", f"{services}/s-4")
    token = first["metadata"]["continue"]
    rest = cluster.api("GET", services, limit=3, **{"continue": token})
    names = [each["metadata"]["name"] for each in [*first["items"], *rest["items"]]]
    assert names == [f"s-{number}" for number in range(5)]
    assert "continue" not in rest["metadata"]


def test_items_of_a_list_do_not_repeat_their_kind(cluster: FakeCluster) -> None:
    services = path(cluster.namespace(), "services")
    cluster.api("POST", services, service())
    listed = cluster.api("GET", services)
    assert (listed["kind"], listed["apiVersion"]) == ("ServiceList", "v1")
    assert "kind" not in listed["items"][0]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier=web", "ab"),
        ("tier==web,stage=test", "a"),
        ("tier!=web", "cd"),
        ("stage in (test, live)", "abc"),
        ("stage notin (test)", "bcd"),
        ("stage", "abc"),
        ("!stage", "d"),
    ],
)
def test_labels_select(cluster: FakeCluster, selector: str, found: str) -> None:
    services = path(cluster.namespace(), "services")
    labels = {
        "a": {"tier": "web", "stage": "test"},
        "b": {"tier": "web", "stage": "live"},
        "c": {"tier": "db", "stage": "live"},
        "d": {},
    }
    for name, each in labels.items():
        body = service(name)
        cluster.api("POST", services, {**body, "metadata": {"name": name, "labels": each}})
    listed = cluster.api("GET", services, labelSelector=selector)["items"]
    assert "".join(each["metadata"]["name"] for each in listed) == found


def test_a_field_selects(cluster: FakeCluster) -> None:
    services = path(cluster.namespace(), "services")
    for name in ("a", "b"):
        cluster.api("POST", services, service(name))
    listed = cluster.api("GET", services, fieldSelector="metadata.name=b")["items"]
    assert [each["metadata"]["name"] for each in listed] == ["b"]
    with pytest.raises(ApiError) as caught:
        cluster.api("GET", services, fieldSelector="spec.color=red")
    assert caught.value.status == 400
    assert "field label not supported" in caught.value.body["message"]
