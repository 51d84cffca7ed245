"""What runs now, beside what a deployment left."""

from django.utils import timezone

from dashboard.models import Deployment
from rollbacks.drifts import drift
from rollbacks.sweep import _due_for_sync
from tests.lab import Fleet
from tests.scene import Scene


def test_nothing_differs_after_a_deployment(shop: Scene) -> None:
    found = drift(shop.deploy("1.4.1"), timezone.now())
    assert (found.error, found.differences, found.unreachable, found.count) == ("", (), (), 3)


def test_what_was_changed_by_hand_is_named_and_what_is_silent_is_told_apart(
    shop: Scene, fleet: Fleet
) -> None:
    deployment = shop.deploy("1.4.1")
    fleet.runs["web-1"] = "by-hand-0.9"
    fleet.runs["web-2"] = ""
    fleet.silent.add("web-3")
    found = drift(deployment, timezone.now())
    assert [(each.instance, each.expected, each.found) for each in found.differences] == [
        ("web-1", "1.4.1", "hand-0.9"),
        ("web-2", "1.4.1", "nothing of ours"),
    ]
    assert [each.instance for each in found.unreachable] == ["web-3"]


def test_a_platform_that_cannot_be_reached_is_said_in_one_sentence(
    shop: Scene, fleet: Fleet
) -> None:
    deployment = shop.deploy("1.4.1")
    fleet.is_unreachable = True
    assert drift(deployment, timezone.now()).error == "The network is down"


def test_what_was_not_seen_then_is_not_called_a_difference_now(shop: Scene, fleet: Fleet) -> None:
    fleet.after_change = lambda host: fleet.silent.add("web-1") if host == "web-3" else None
    deployment = shop.deploy("1.4.1")
    fleet.silent.clear()
    found = drift(deployment, timezone.now())
    assert found.differences == ()


def test_what_never_ended_has_left_nothing_to_differ_from(shop: Scene) -> None:
    assert drift(shop.start("1.4.1"), timezone.now()).count == 0


def test_a_target_that_is_due_for_a_look_is_taken_by_one_sweeper(shop: Scene) -> None:
    deployment, now = shop.deploy("1.4.1"), timezone.now()
    assert _due_for_sync(now) == []
    target = shop.target
    target.sync_tried_at = None
    target.save()
    assert _due_for_sync(now) == [deployment.target_id]
    assert _due_for_sync(now) == []
    assert Deployment.objects.get(pk=deployment.pk).target.sync_tried_at == now
