"""What workloads say of themselves, and what is made of it."""

from typing import Any

import pytest

from rollbacks.platforms.kubernetes import states

Json = dict[str, Any]


def workload(kind: str, spec: Json, generation: int = 2, **status: Any) -> Json:
    status = {"observedGeneration": 2, **status}
    return {"kind": kind, "metadata": {"generation": generation}, "spec": spec, "status": status}


def counts(replicas: int, updated: int, available: int) -> Json:
    return {"replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}


def condition(kind: str, status: str, reason: str) -> Json:
    said = {"type": kind, "status": status, "reason": reason, "message": "so it is"}
    return {"conditions": [said]}


EXCEEDED = condition("Progressing", "False", "ProgressDeadlineExceeded")
REFUSED = condition("ReplicaFailure", "True", "FailedCreate")
DONE = ""
PARTED = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}
BY_HAND: Json = {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}

DEPLOYMENTS: list[tuple[Json, Json, str, str]] = [
    ({"replicas": 3}, counts(3, 3, 3), DONE, ""),
    ({}, counts(1, 1, 1), DONE, ""),
    ({"replicas": 0}, {}, DONE, ""),
    ({"replicas": 3}, counts(3, 3, 3) | EXCEEDED, DONE, ""),
    ({"replicas": 3, "paused": True}, counts(3, 3, 3), DONE, ""),
    ({"replicas": 3}, {}, "0 of 3 updated, 0 available", ""),
    ({"replicas": 3}, counts(4, 1, 3), "1 of 3 updated, 3 available, 3 earlier to go", ""),
    ({"replicas": 3}, counts(4, 3, 4), "3 of 3 updated, 4 available, 1 earlier to go", ""),
    ({"replicas": 3}, counts(3, 3, 2), "3 of 3 updated, 2 available", ""),
    ({"replicas": 3, "paused": True}, counts(3, 0, 3), "0 of 3", "its rollout is paused: kubectl"),
    ({"replicas": 3}, counts(4, 1, 3) | EXCEEDED, "1 of 3", "ProgressDeadlineExceeded: so it is"),
    ({"replicas": 3}, counts(3, 0, 3) | REFUSED, "3 available; FailedCreate: so it is", ""),
]


@pytest.mark.parametrize(("spec", "status", "message", "failed"), DEPLOYMENTS)
def test_how_far_a_deployment_is(spec: Json, status: Json, message: str, failed: str) -> None:
    _require(workload("Deployment", spec, **status), message, failed)


def ready(replicas: int, updated: int, ready: int) -> Json:
    return {"replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready}


STATEFUL: list[tuple[Json, Json, str, str]] = [
    ({"replicas": 3}, ready(3, 3, 3), DONE, ""),
    ({"replicas": 3}, ready(3, 2, 3), "2 of 3 updated, 3 ready", ""),
    ({"replicas": 3}, ready(3, 3, 2), "3 of 3 updated, 2 ready", ""),
    ({"replicas": 3}, ready(4, 4, 4), "3 of 3 updated, 4 ready", ""),
    (PARTED, ready(3, 1, 3), DONE, ""),
    (PARTED, ready(3, 0, 3), "0 of 3 updated", ""),
    (BY_HAND, ready(3, 3, 3), DONE, ""),
    (BY_HAND, ready(3, 2, 3), "2 of 3", "each pod is replaced once somebody deletes it"),
]


@pytest.mark.parametrize(("spec", "status", "message", "failed"), STATEFUL)
def test_how_far_a_stateful_set_is(spec: Json, status: Json, message: str, failed: str) -> None:
    _require(workload("StatefulSet", spec, **status), message, failed)


def scheduled(desired: int, updated: int, available: int) -> Json:
    return {
        "desiredNumberScheduled": desired,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
    }


DAEMONS: list[tuple[Json, Json, str, str]] = [
    ({}, scheduled(2, 2, 2), DONE, ""),
    ({}, scheduled(0, 0, 0), DONE, ""),
    ({}, scheduled(2, 1, 2), "1 of 2 updated, 2 available", ""),
    ({}, scheduled(2, 2, 1), "2 of 2 updated, 1 available", ""),
    (BY_HAND, scheduled(2, 2, 2), DONE, ""),
    (BY_HAND, scheduled(2, 0, 2), "0 of 2", "its updateStrategy is OnDelete"),
]


@pytest.mark.parametrize(("spec", "status", "message", "failed"), DAEMONS)
def test_how_far_a_daemon_set_is(spec: Json, status: Json, message: str, failed: str) -> None:
    _require(workload("DaemonSet", spec, **status), message, failed)


def _require(found: Json, message: str, failed: str) -> None:
    rollout = states.rollout_of(found)
    assert rollout.is_done == (message == DONE)
    assert message in rollout.message
    assert failed in rollout.failed
    assert bool(failed) == bool(rollout.failed)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_what_the_cluster_has_not_seen_yet_is_not_done(kind: str) -> None:
    found = workload(kind, {"replicas": 0}, generation=3)
    assert states.rollout_of(found) == states.Rollout(False, "The cluster has not begun yet")
    del found["status"]
    assert not states.rollout_of(found).is_done


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("web:1.4", "1.4"),
        ("registry.example/shop/web:1.4", "1.4"),
        ("registry.example:5000/shop/web:1.4", "1.4"),
        ("registry.example:5000/shop/web", ""),
        ("web", ""),
        ("web@sha256:abc", ""),
        ("registry.example:5000/web:1.4@sha256:abc", "1.4"),
    ],
)
def test_the_version_is_the_tag_where_nothing_better_is_known(image: str, version: str) -> None:
    spec = {"containers": [{"image": image}, {"image": "side:9"}]}
    assert states.version_of({"spec": spec}) == version
    ours = {"annotations": {"lastgood.io/release": "12-2.0-rc.1"}}
    assert states.version_of({"metadata": ours, "spec": spec}) == "2.0-rc.1"


def test_nothing_to_read_a_version_from_is_no_version() -> None:
    assert states.version_of({"spec": {"containers": None}}) == ""
    assert states.version_of({}) == ""


def test_the_identity_is_of_the_whole_spec_but_for_how_many_pods_there_are() -> None:
    def identity(color: str = "blue", **spec: Any) -> str:
        template = {"spec": {"containers": [{"image": "web:1"}]}}
        return states.identity_of({"spec": {"template": template, **spec}}, color=color)

    assert identity().startswith("1:")
    assert identity() == identity()
    assert identity(minReadySeconds=5) != identity()
    assert identity(color="green") != identity()
    assert identity(replicas=4) == identity(replicas=3) == identity()
