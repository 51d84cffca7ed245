"""What pods say of themselves, and what is made of it."""

from typing import Any

import pytest

from rollbacks.platforms.kubernetes import members

Json = dict[str, Any]
PARTED = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}
BY_HAND: Json = {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}


def pod(name: str = "web-1", metadata: Json | None = None, **status: Any) -> Json:
    return {"metadata": {"name": name, **(metadata or {})}, "status": status, "spec": {}}


def container(name: str = "app", **state: Json) -> Json:
    return {"name": name, "state": state}


def waiting(reason: str, message: str = "") -> Json:
    return container(waiting={"reason": reason, "message": message})


DIED = {"terminated": {"exitCode": 1, "reason": "Error"}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b", "c/d"]}

TROUBLES: list[tuple[Json, str]] = [
    (pod(), ""),
    (pod(containerStatuses=[container(running={})]), ""),
    (pod(containerStatuses=[waiting("ContainerCreating")]), ""),
    (pod(containerStatuses=[waiting("PodInitializing")]), ""),
    (
        pod(containerStatuses=[waiting("ImagePullBackOff", "Back-off pulling")]),
        "app: ImagePullBackOff: Back-off pulling",
    ),
    (
        pod(containerStatuses=[container(running={}), waiting("CrashLoopBackOff")]),
        "app: CrashLoopBackOff",
    ),
    (pod(conditions=[UNSCHEDULED]), "FailedScheduling: 0/3 nodes are available"),
    (
        pod(containerStatuses=[container(terminated={"exitCode": 137, "reason": "OOMKilled"})]),
        "app: ended with 137 (OOMKilled)",
    ),
    (pod(initContainerStatuses=[container(terminated={"exitCode": 0})]), ""),
    (
        pod(
            initContainerStatuses=[container("migrate", terminated={"exitCode": 1, "reason": "E"})],
            containerStatuses=[waiting("PodInitializing")],
        ),
        "migrate: ended with 1 (E)",
    ),
    (pod(phase="Failed", reason="Evicted", message="low on disk"), "Evicted: low on disk"),
    (pod(phase="Failed"), "Failed"),
    (
        pod(containerStatuses=[container(running={}) | {"ready": False}]),
        "app: running, but not ready",
    ),
    (
        pod(containerStatuses=[container(running={}) | {"ready": False, "lastState": DIED}]),
        "app: running, but not ready, after it ended with 1 (Error)",
    ),
    (pod(metadata=GOING), "Ending, due at 2026-01-01T00:00:00Z, held by a/b, c/d"),
]


@pytest.mark.parametrize(("found", "said"), TROUBLES)
def test_why_a_pod_is_not_ready(found: Json, said: str) -> None:
    assert members.trouble_of(found) == said


def test_each_reason_is_told_once_with_the_first_pod_and_never_more_than_three() -> None:
    def stuck(name: str, reason: str) -> Json:
        return pod(name, containerStatuses=[waiting(reason)])

    pods = [stuck(f"web-{n}", "ImagePullBackOff") for n in range(3)]
    pods += [stuck(f"other-{n}", f"Reason{n}") for n in range(3)]
    pods += [pod("gone", metadata=GOING)]
    assert members.troubles_of(pods) == (
        "web-0 and 2 more: app: ImagePullBackOff; other-0: app: Reason0; other-1: app: Reason1"
    )


def test_a_pod_is_healthy_when_it_is_ready_and_nothing_is_wrong() -> None:
    ready_one = {"type": "Ready", "status": "True"}
    assert members.member_of(pod(conditions=[ready_one])).is_healthy
    assert not members.member_of(pod()).is_healthy
    assert not members.member_of(pod(metadata=GOING, conditions=[ready_one])).is_healthy


def test_pods_that_are_ending_are_named_with_what_holds_them() -> None:
    assert members.endings_of([pod()]) == ""
    first = pod("web-1", {**GOING, "annotations": {"lastgood.io/release": "7-1.4"}})
    assert members.endings_of([pod(), first]) == "web-1 (1.4) still ending, held by a/b, c/d"
    others = [pod(f"web-{n}", {"deletionTimestamp": "2026-01-01T00:00:00Z"}) for n in range(5)]
    assert members.endings_of(others) == "web-0, web-1, web-2 and 2 more still ending"


def revision(number: int, hash_: str, **metadata: Any) -> Json:
    return pod(f"db-{number}", {"labels": {"controller-revision-hash": hash_}, **metadata})


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({}, ["db-0", "db-2"]),
        ({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, ["db-2"]),
        ({"ordinals": {"start": 1}, **PARTED}, []),
        ({"ordinals": {"start": 1}}, ["db-2"]),
        (BY_HAND, []),
    ],
)
def test_only_what_a_stateful_set_itself_would_replace_counts_as_stuck(
    spec: Json, names: list[str]
) -> None:
    found = {"spec": spec, "status": {"updateRevision": "new"}}
    healthy = revision(1, "old")
    healthy["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    pods = [revision(0, "old"), healthy, revision(2, "old"), revision(3, "new")]
    pods.append(revision(4, "old", deletionTimestamp="2026-01-01T00:00:00Z"))
    assert [each["metadata"]["name"] for each in members.stuck(found, pods)] == names
