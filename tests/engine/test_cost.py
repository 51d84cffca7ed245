"""What asking costs: constant, however many instances, deployments and grants there are."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.models import Deployment
from rollbacks import actions, menus
from rollbacks.plan import Configuration
from tests.lab import Fleet
from tests.scene import Scene


def queries(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def bring(shop: Scene, fleet: Fleet, count: int) -> Deployment:
    """Two deployments onto so many hosts; the second one, as a page loads it."""
    hosts = [f"web-{number}" for number in range(count)]
    fleet.runs.update(dict.fromkeys(hosts, ""))
    shop.infrastructure.settings = {"hosts": hosts}
    shop.infrastructure.save()
    shop.deploy("1.4.1")
    return shop.deploy("1.4.2")


def loaded(deployment: Deployment) -> Deployment:
    return (
        Deployment.objects.with_names()
        .select_related(
            "revision", "replaces__artifact", "workflow__current_revision",
            "target__current_deployment", "target__latest_deployment",
            "target__infrastructure__connector",
        )
        .get(pk=deployment.pk)
    )  # fmt: skip


def test_the_dialog_costs_the_same_for_3_and_for_300_instances(shop: Scene, fleet: Fleet) -> None:
    counts = set()
    for hosts in (3, 300):
        deployment = loaded(bring(shop, fleet, hosts))

        def ask(deployment: Deployment = deployment) -> None:
            now = timezone.now()
            planned, found = actions.confirmation(
                deployment, shop.engineer, Configuration.CURRENT, now
            )
            assert planned is not None, found
            assert planned.fingerprint

        counts.add(queries(ask))
    assert len(counts) == 1
    assert counts.pop() <= 12


def test_the_menu_costs_the_same_whatever_lies_behind(shop: Scene, fleet: Fleet) -> None:
    counts = []
    for _ in range(2):
        deployment = loaded(bring(shop, fleet, 3))
        counts.append(
            queries(
                lambda deployment=deployment: menus.of_panel(  # type: ignore[misc]
                    deployment, shop.engineer, timezone.now()
                )
            )
        )
    assert counts[0] == counts[1] <= 12


def test_a_rollback_of_300_instances_is_written_in_as_many_statements_as_one_of_3(
    shop: Scene, fleet: Fleet
) -> None:
    counts = set()
    for hosts in (3, 300):
        bad = bring(shop, fleet, hosts)
        counts.add(queries(lambda bad=bad: shop.roll_back(bad)))  # type: ignore[misc]
    # Log lines go in batches, so that there may be a few statements more.
    assert max(counts) - min(counts) <= 6
