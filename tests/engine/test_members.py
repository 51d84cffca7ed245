"""What an instance consists of: kept and shown, and nothing that a verdict goes by."""

from django.utils import timezone

from dashboard.models import Instance, Status
from rollbacks import observation
from rollbacks.platforms.base import Member
from tests.lab import Fleet
from tests.scene import Scene, verdicts

PODS = (
    Member("web-a", "1.4.1", is_healthy=True),
    Member("web-b", "1.4.1", is_healthy=False, message="CrashLoopBackOff"),
    Member("web-c", "1.4.0", is_healthy=None),
    Member("web-d", ""),
)


def counts(key: str = "web-1") -> tuple[int, int | None, int | None, int]:
    found = Instance.objects.get(key=key)
    return found.size, found.healthy, found.unhealthy, found.strays


def test_they_are_recorded_and_counted(shop: Scene, fleet: Fleet) -> None:
    fleet.members["web-1"] = PODS
    shop.deploy("1.4.1")
    found = Instance.objects.get(key="web-1").members
    assert found is not None
    assert found[1] == {
        "name": "web-b", "version": "1.4.1", "is_healthy": False, "message": "CrashLoopBackOff",
    }  # fmt: skip
    assert [each["name"] for each in found] == ["web-a", "web-b", "web-c", "web-d"]
    assert counts() == (4, 1, 1, 1)
    assert Instance.objects.get(key="web-2").members is None
    assert counts("web-2") == (1, None, None, 0)


def test_what_is_said_of_them_is_kept_whatever_it_is(shop: Scene, fleet: Fleet) -> None:
    fleet.members["web-1"] = (Member("web-a", "1.4\0.1", message="a\0b\udcffc"),)
    shop.deploy("1.4.1")
    (found,) = Instance.objects.get(key="web-1").members or ()
    assert (found["version"], found["message"]) == ("1.4.1", "ab?c")


def test_they_come_and_go(shop: Scene, fleet: Fleet) -> None:
    fleet.members["web-1"] = PODS
    shop.deploy("1.4.1")
    fleet.members["web-1"] = PODS[:1]
    observation.sync(shop.target, timezone.now())
    assert counts() == (1, 1, 0, 0)
    fleet.members["web-1"] = ()
    observation.sync(shop.target, timezone.now())
    assert Instance.objects.get(key="web-1").members == []
    assert counts() == (1, None, None, 0)
    del fleet.members["web-1"]
    observation.sync(shop.target, timezone.now())
    assert Instance.objects.get(key="web-1").members is None


def test_of_an_instance_that_does_not_answer_they_stay_as_known_and_nothing_is_known_of_them(
    shop: Scene, fleet: Fleet
) -> None:
    fleet.members["web-1"] = PODS
    shop.deploy("1.4.1")
    fleet.silent.add("web-1")
    observation.sync(shop.target, timezone.now())
    members = Instance.objects.get(key="web-1").members
    assert members is not None
    assert [each["name"] for each in members] == ["web-a", "web-b", "web-c", "web-d"]
    assert {each["is_healthy"] for each in members} == {None}
    assert counts() == (4, 0, 0, 1)


def test_they_are_evidence_before_and_after_and_only_where_there_are_some(
    shop: Scene, fleet: Fleet
) -> None:
    fleet.members["web-1"] = PODS
    deployment = shop.deploy("1.4.1")
    for document in (deployment.before, deployment.after):
        assert document is not None
        first, second, _ = document["instances"]
        assert [each["name"] for each in first["members"]] == ["web-a", "web-b", "web-c", "web-d"]
        assert "members" not in second


def test_a_verdict_goes_by_the_identity_whatever_the_members_are(shop: Scene, fleet: Fleet) -> None:
    fleet.members["web-1"] = (Member("web-a", "1.4.1", is_healthy=True),)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.members["web-1"] = PODS
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED")
    assert set(verdicts(done).values()) == {"ROLLED_BACK"}
    fleet.members["web-2"] = (Member("web-x", "1.4.1", is_healthy=True),)
    fleet.after_change = lambda host: fleet.runs.update({"web-2": "99-1.4.1"})
    failed = shop.roll_back(shop.deploy("1.4.3"))
    assert failed.code == "VERIFICATION_FAILED"
    assert verdicts(failed)["web-2"] == "DIFFERENT"
