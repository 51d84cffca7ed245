"""What the dialog shows of what the platform says of undoing."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from dashboard.models import Deployment, DeploymentFreeze
from rollbacks import platforms, readiness
from rollbacks.platforms.base import Difference, Inspection, PlatformError
from tests import lab, scene
from tests.acceptance.browser import Browser
from tests.scene import Scene, revise

WRITES = ("@@ -4,1 +4,1 @@", "- image: shop:1.4.2", "+ image: shop:1.4.1")
SAYS = Inspection(
    differences=(Difference("web-1", "Deployment web", WRITES),),
    warnings=("An autoscaler scales it too.",),
)


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> lab.Fleet:
    hosts = lab.Fleet({"web-1": "", "web-2": ""})
    monkeypatch.setitem(platforms.PLATFORMS, "SSH", lab.Lab(hosts))
    return hosts


@pytest.fixture
def shop(db: None, fleet: lab.Fleet) -> Scene:
    """A Canary workflow of two phases, 1.4.1 and then 1.4.2."""
    made = scene.scene(
        workflow_type="CANARY",
        definition=definition({}),
        settings={"hosts": ["web-1", "web-2"]},
    )
    made.deploy("1.4.1")
    made.extra["bad"] = made.deploy("1.4.2")
    fleet.inspected.clear()
    return made


def definition(settings: dict[str, object]) -> dict[str, object]:
    return {
        "phases": [
            {
                "name": name,
                "select": {"hosts": [host]},
                "steps": [
                    {"name": f"Install {name}", "kind": "lab.install", "settings": settings},
                    {"name": "Tell", "kind": "lab.note"},
                ],
            }
            for name, host in (("One", "web-1"), ("Two", "web-2"))
        ]
    }


def fragment(shop: Scene, actor: User | None = None, configuration: str = "current") -> str:
    """What htmx loads into the open dialog, without its marks."""
    url = reverse("drift", args=[shop.extra["bad"].pk])
    client = Browser(actor or shop.engineer).client
    headers = {"HX-Request": "true"}
    answer = client.get(url, {"configuration": configuration}, headers=headers)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_what_each_undo_would_write_and_what_to_know_is_shown(
    shop: Scene, fleet: lab.Fleet
) -> None:
    fleet.inspections["Undo Install One"] = [SAYS]
    shown = fragment(shop)
    assert "One: Undo Install One would change Deployment web web-1" in shown
    for line in WRITES:
        assert line in shown
    assert "An autoscaler scales it too." in shown
    assert "would fail" not in shown
    assert "2 of 2 instances run exactly what this deployment left" in shown


def test_what_differs_alike_on_several_instances_is_shown_once(
    shop: Scene, fleet: lab.Fleet
) -> None:
    alike = tuple(Difference(key, "current", WRITES) for key in ("web-1", "web-2"))
    other = Difference("web-3", "current", ("- a", "+ b"))
    fleet.inspections["Undo Install One"] = [Inspection(differences=(*alike, other))]
    shown = fragment(shop)
    assert "would change current on 2 instances web-1 web-2 @@ -4,1 +4,1 @@" in shown
    assert shown.count(WRITES[1]) == 1
    assert "current web-3 - a + b" in shown


def test_every_undo_is_asked_in_the_order_of_the_plan_with_what_it_captured(
    shop: Scene, fleet: lab.Fleet
) -> None:
    fragment(shop)
    first = Deployment.objects.order_by("pk")[0]
    assert [(spec.name, spec.instances, captured) for spec, captured in fleet.inspected] == [
        ("Undo Install Two", ("web-2",), {"web-2": f"{first.pk}-1.4.1"}),
        ("Undo Install One", ("web-1",), {"web-1": f"{first.pk}-1.4.1"}),
    ]
    assert all(spec.goes_back for spec, _ in fleet.inspected)


def test_problems_come_first_and_one_that_gave_no_answer_hides_none(
    shop: Scene, fleet: lab.Fleet
) -> None:
    fleet.inspections["Undo Install Two"] = [PlatformError("The cluster did not answer")]
    fleet.inspections["Undo Install One"] = [Inspection(problems=("No right to patch it",))]
    shown = fragment(shop)
    assert shown.startswith(
        "The rollback would fail One: Undo Install One: No right to patch it While this is so"
    )
    assert "Two: Undo Install Two could not be looked at: The cluster did not answer" in shown


def test_the_dialog_asks_about_the_configuration_it_shows(shop: Scene, fleet: lab.Fleet) -> None:
    revise(shop.workflow, definition({"then": "restart"}))
    client, bad = Browser(shop.engineer).client, shop.extra["bad"]
    for configuration, settings in (("current", {"then": "restart"}), ("deployed", {})):
        dialog = client.get(reverse("rollback", args=[bad.pk]), {"configuration": configuration})
        url = f"{reverse('drift', args=[bad.pk])}?configuration={configuration}"
        assert url in dialog.content.decode()
        fleet.inspected.clear()
        client.get(url)
        assert [spec.settings for spec, _ in fleet.inspected] == [settings, settings]


def deploy_again(shop: Scene) -> None:
    shop.deploy("1.4.3")


def break_the_plan(shop: Scene) -> None:
    revision = shop.workflow.revisions.create(number=9, definition={"phases": "unreadable"})
    shop.workflow.current_revision = revision
    shop.workflow.save()


@pytest.mark.parametrize("arrange", [deploy_again, break_the_plan])
def test_nothing_is_asked_where_it_cannot_be_rolled_back(
    shop: Scene, fleet: lab.Fleet, arrange: Callable[[Scene], None]
) -> None:
    arrange(shop)
    fleet.inspected.clear()
    assert "checked" in fragment(shop)
    assert fleet.inspected == []


def test_a_freeze_that_may_be_overridden_keeps_nobody_from_asking(
    shop: Scene, fleet: lab.Fleet
) -> None:
    DeploymentFreeze.objects.create(name="Black Friday", starts_at=timezone.now())
    fragment(shop)
    assert len(fleet.inspected) == 2


def test_who_may_only_look_is_not_shown_what_would_be_written(
    shop: Scene, fleet: lab.Fleet
) -> None:
    fleet.inspections["Undo Install One"] = [SAYS]
    shown = fragment(shop, shop.viewer)
    assert "2 of 2 instances" in shown
    assert "image" not in shown
    assert fleet.inspected == []


def test_a_platform_that_is_slow_to_answer_is_not_asked_for_ever(
    shop: Scene, fleet: lab.Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_long(label: str) -> None:
        if label == "inspect":
            monkeypatch.setattr(readiness.time, "monotonic", lambda: float("inf"))

    fleet.point = take_long
    fleet.inspections["Undo Install Two"] = [SAYS]
    shown = fragment(shop)
    assert WRITES[1] in shown
    assert "Undo Install One could not be looked at: The platform took too long" in shown
    assert len(fleet.inspected) == 1
