"""Hosts out of an Auto Scaling group, behind real sshd: what a rollback does when they changed.

acceptance.md by number; reference 7.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import (
    Connector,
    Deployment,
    Direction,
    FeatureFlag,
    Flag,
    Instance,
    LogLine,
    Phase,
    Status,
    Step,
    Target,
)
from rollbacks import actions, execution, observation
from rollbacks.attempts import Attempts
from rollbacks.eligibility import Refused
from rollbacks.pacing import SharedPace
from rollbacks.plan import Configuration, Plan
from tests.acceptance.browser import Browser, led_to
from tests.api.callers import data, signed_in
from tests.api.test_rolling_back import confirmation, conflict, roll_back
from tests.aws.cloud import FakeCloud
from tests.aws.group import CONNECTOR, CREDENTIAL, Group
from tests.aws.target import written
from tests.chromium import Chromium, chromium_thread
from tests.engine.faults import Crash, finish
from tests.hosts.conftest import Shop
from tests.hosts.test_canary import SHARES
from tests.pages.test_looks import LOOKS, found_on, keep, sign_in
from tests.scene import run, scene, verdicts
from tests.sshd import Fleet

__all__ = ["chromium_thread"]  # a fixture

Open = Callable[..., tuple[Shop, Group]]
OLD, BAD = "1.4.1", "1.4.2"


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedPace, "take", lambda *asked: 0.0)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)


@pytest.fixture
def open_shop(transactional_db: None, tmp_path: Path, cloud: FakeCloud) -> Iterator[Open]:
    """Opens a shop on a group of so many hosts, with a canary in two phases or more."""
    with ExitStack() as running:

        def start(
            count: int, *, is_on: bool = True, shares: Sequence[int] = (50, 100)
        ) -> tuple[Shop, Group]:
            fleet = running.enter_context(Fleet(0, tmp_path / "fleet"))
            group = Group(cloud, fleet.add, fleet.remove)
            fleet.trust_authority(group.port)
            group.open(count)
            key = tmp_path / "client_key"
            key.write_text(fleet.private_key)
            step = {"name": "Install", "kind": "ssh.install", "timeout": 60}
            made = scene(
                connector={**fleet.connector, "connect_timeout": 2},
                settings={
                    **group.settings,
                    "directory": f"{fleet.directory}/hosts/{{name}}/srv/shop",
                },
                credential=f"file:{key}",
                workflow_type="CANARY",
                definition={
                    "phases": [
                        {"name": f"{share} %", "select": {"percentage": share}, "steps": [step]}
                        for share in shares
                    ]
                },
            )
            FeatureFlag.objects.create(name=Flag.WINRM_ASG_ROLLBACK, is_on=is_on)
            return Shop(fleet, made, tmp_path), group

        yield start


def phases(deployment: Deployment, direction: Direction) -> list[list[str]]:
    found = Phase.objects.filter(deployment=deployment, direction=direction)
    return [phase.instances or [] for phase in found.order_by("position")]


def deployed_twice(shop: Shop) -> Deployment:
    for version in (OLD, BAD):
        done = shop.deploy(version)
        assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
    return done


def test_A60_the_briefs_example_on_real_hosts(open_shop: Open) -> None:
    shop, group = open_shop(8, shares=SHARES)
    bad = deployed_twice(shop)
    i = dict(enumerate(group.listed(), start=1))
    assert phases(bad, Direction.FORWARD) == [
        [i[1]],
        [i[2], i[3]],
        [i[4], i[5]],
        [i[6], i[7], i[8]],
    ]
    shop.fleet.image = shop.fleet.root(i[8])
    group.end(i[5], i[6])
    i |= dict(enumerate(group.grow(9), start=9))
    rollback = shop.scene.roll_back(bad)
    assert (rollback.status, rollback.code) == (Status.SUCCEEDED, "VERIFIED"), rollback.message
    assert phases(rollback, Direction.BACK) == [
        [i[n] for n in (7, 8, 9, 10, 11, 12)],
        [i[n] for n in (4, 13, 14, 15)],
        [i[n] for n in (2, 3, 16, 17)],
        [i[1]],
    ]
    newcomers = [phase.newcomers for phase in rollback.phases.order_by("position")]
    assert newcomers == [
        [i[n] for n in (9, 10, 11, 12)], [i[n] for n in (13, 14, 15)], [i[16], i[17]], [],
    ]  # fmt: skip
    assert verdicts(rollback) == dict.fromkeys(group.listed(), "ROLLED_BACK")
    assert set(version_on(shop, *group.listed())) == {OLD}
    assert set(Instance.objects.values_list("version", flat=True)) == {OLD}


def version_on(shop: Shop, *hosts: str) -> list[str]:
    return [(shop.fleet.link(host) or "").partition("-")[2] for host in hosts]


def at_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Something happens right before a worker turns to its n-th step."""
    turns, until_done = count(1), Attempts.until_done

    def turning(attempts: Attempts, *arguments: Any) -> None:
        if next(turns) == number:
            act()
        until_done(attempts, *arguments)

    monkeypatch.setattr(Attempts, "until_done", turning)


def titles(plan: Plan) -> dict[str, str]:
    return {each.title: each.sentence for each in plan.warnings}


def planned(shop: Shop, deployment: Deployment) -> Plan:
    deployment = Deployment.objects.get(pk=deployment.pk)
    plan, refusals = actions.confirmation(
        deployment, shop.scene.engineer, Configuration.CURRENT, timezone.now()
    )
    assert plan is not None, refusals
    return plan


def grown(group: Group, shop: Shop, image_of: str, many: int = 1) -> list[str]:
    shop.fleet.image = shop.fleet.root(image_of)
    return group.grow(many)


def test_a_newcomer_without_the_earlier_release_gets_it_from_its_artifact(open_shop: Open) -> None:
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    first, _ = group.listed()
    earlier = bad.replaces
    assert earlier is not None
    image = shop.artifacts / "image"
    shutil.copytree(shop.fleet.root(first), image, symlinks=True)
    shutil.rmtree(image / "srv" / "shop" / "releases" / f"{earlier.pk}-{OLD}")
    shop.fleet.image = image
    (new,) = group.grow(1)
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert shop.fleet.link(new) == f"releases/{earlier.pk}-{OLD}"
    assert shop.fleet.read(new, "current/index.html") == f"<p>{OLD}</p>"
    assert [path.name for path in shop.fleet.path(new, "releases").iterdir()] == [
        f"{earlier.pk}-{OLD}"
    ]
    assert shop.fleet.tree(first).keys() == shop.fleet.tree(new).keys()


def test_A68_with_the_flag_off_newcomers_are_named_and_not_touched(open_shop: Open) -> None:
    shop, group = open_shop(3, is_on=False)
    bad = deployed_twice(shop)
    gone, *others = group.listed()
    (new,) = grown(group, shop, others[0])
    group.end(gone)
    said = titles(planned(shop, bad))
    assert f"{new}: not deployed by it" in said["Instances came after this deployment"]
    assert "WINRM_ASG_ROLLBACK" in said["Instances came after this deployment"]
    assert gone in said["Instances of this deployment are gone"]
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert verdicts(rollback) == {**dict.fromkeys(others, "ROLLED_BACK"), new: "UNTOUCHED"}
    assert version_on(shop, *others, new) == [OLD, OLD, BAD]
    assert f"Still on {BAD}, and not part of this rollback: {new}." in rollback.message


def test_A69_a_host_without_an_active_instance_is_not_touched(open_shop: Open) -> None:
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    (empty,) = group.grow(1)
    plan = planned(shop, bad)
    assert plan.inactive == (empty,)
    assert empty in titles(plan)["Hosts of the Auto Scaling group without an active instance"]
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert verdicts(rollback)[empty] == "UNTOUCHED"
    assert shop.fleet.tree(empty) == {}


def test_a_fleet_that_changed_since_the_dialog_was_opened_is_shown_again(open_shop: Open) -> None:
    """On the page and to programs alike; what is shown then can be confirmed."""
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    page, api = Browser(shop.scene.engineer), signed_in(shop.scene.engineer)
    on_page, in_api = page.dialog(bad), confirmation(api, bad)["plan"]
    gone, kept = group.listed()
    (new,) = grown(group, shop, kept)
    group.end(gone)
    before = shop.trees()
    refused = conflict(roll_back(api, bad, in_api["fingerprint"]))
    shown = confirmation(api, bad)["plan"]
    assert refused["fingerprint"] == shown["fingerprint"] != in_api["fingerprint"]
    assert sorted(key for each in shown["phases"] for key in each["instances"]) == sorted(
        [kept, new]
    )
    assert gone in {key for each in shown["phases"] for key in each["gone"]}
    answer = page.press_rollback(on_page)
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "has changed since you opened this" in text
    assert new in text
    assert not bad.rollbacks.exists()
    assert shop.trees() == before
    rollback = led_to(page.press_rollback(answer))
    started = data(roll_back(api, bad, shown["fingerprint"]), "rollbackDeployment")
    assert started["execution"]["id"] == str(rollback.pk), "the same that the page has led to"
    done = run(rollback)
    assert done.status == Status.SUCCEEDED, done.message
    assert verdicts(done) == {kept: "ROLLED_BACK", new: "ROLLED_BACK"}


def test_what_vanishes_and_what_appears_in_mid_rollback_is_accounted_for(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, group = open_shop(4)
    bad = deployed_twice(shop)
    first, *others = group.listed()
    late: list[str] = []
    rollback = shop.scene.confirm(bad)

    def change() -> None:
        late.extend(grown(group, shop, others[0]))
        group.end(first, others[-1])

    at_step(monkeypatch, 1, change)
    done = run(rollback)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
    gone = [first, others[-1]]
    assert verdicts(done) == {
        **dict.fromkeys(gone, "GONE"),
        **dict.fromkeys(others[:-1], "ROLLED_BACK"),
        late[0]: "UNTOUCHED",
    }
    assert f"Still on {BAD}, and not part of this rollback: {late[0]}." in done.message
    assert "Gone meanwhile, so skipped" in done.message
    outcomes = {
        key: each["state"]
        for step in Step.objects.filter(phase__deployment=done)
        for key, each in step.outcomes.items()
    }
    assert {key for key, state in outcomes.items() if state == "GONE"} == set(gone)
    told = LogLine.objects.filter(step__phase__deployment=done, text__startswith="Warning: ")
    assert {line.text.split()[1] for line in told} == set(gone)


def test_a_host_that_is_silent_but_still_in_its_group_is_a_failure(open_shop: Open) -> None:
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    silent, other = group.listed()
    rollback = shop.scene.confirm(bad)
    Step.objects.filter(phase__deployment=rollback).update(timeout=3)
    shop.fleet.stop(silent)
    done = run(rollback)
    assert done.status == Status.FAILED
    assert silent in done.message
    assert verdicts(done)[silent] in ("UNKNOWN", "UNTOUCHED")
    shop.fleet.start(silent)
    again = shop.scene.roll_back(bad)
    assert again.status == Status.SUCCEEDED, again.message
    assert version_on(shop, silent, other) == [OLD, OLD]


def test_a_rollback_goes_ahead_with_what_is_known_and_a_deployment_waits(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    known = group.listed()
    keys = written(group.cloud.account(["ec2:DescribeInstances"]))
    monkeypatch.setenv(CREDENTIAL, keys)
    observation.sync(shop.scene.target, timezone.now())
    assert "AWS refuses DescribeAutoScalingGroups" in shop.scene.target.sync_error
    assert set(Instance.objects.values_list("key", flat=True)) == set(known)
    with pytest.raises(Refused, match="AWS refuses DescribeAutoScalingGroups"):
        shop.deploy("1.4.3")
    said = titles(planned(shop, bad))
    assert "The Auto Scaling group could not be asked which hosts it has" in said
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert verdicts(rollback) == dict.fromkeys(known, "ROLLED_BACK")
    assert "What came since is not known" in rollback.message


def test_a_group_that_never_answered_has_no_hosts_to_deploy_to(open_shop: Open) -> None:
    shop, _ = open_shop(1)
    Connector.objects.filter(name=CONNECTOR).update(name="another")
    with pytest.raises(Refused, match="no AWS connector aws account"):
        shop.deploy(OLD)
    observation.sync(
        Target.objects.create(service=shop.scene.service, infrastructure=shop.scene.infrastructure),
        timezone.now(),
    )
    assert "are not known: There is no AWS connector" in shop.scene.target.sync_error


def test_a_successor_goes_on_with_the_plan_that_was_confirmed(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, group = open_shop(4)
    bad = deployed_twice(shop)
    new = grown(group, shop, group.listed()[0], 2)
    rollback = shop.scene.confirm(bad)
    confirmed = phases(rollback, Direction.BACK)

    def die() -> None:
        raise Crash

    at_step(monkeypatch, 2, die)
    with pytest.raises(Crash):
        execution.execute(rollback.pk, "first")
    gone, late = confirmed[-1][0], grown(group, shop, new[0])
    group.end(gone)
    done = finish(rollback)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
    assert phases(done, Direction.BACK) == confirmed
    planned_hosts = [key for keys in confirmed for key in keys]
    assert sorted([*planned_hosts, late[0]]) == sorted([*group.listed(), gone])
    stayed = [key for key in planned_hosts if key != gone]
    assert verdicts(done) == {
        **dict.fromkeys(stayed, "ROLLED_BACK"),
        gone: "GONE",
        late[0]: "UNTOUCHED",
    }
    assert version_on(shop, *stayed) == [OLD] * 5


def test_a_rollback_after_a_rollback_brings_newcomers_to_the_release_that_ran(
    open_shop: Open,
) -> None:
    """What a rollback brought back is the release of an earlier deployment, by its name."""
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    earlier = bad.replaces
    assert earlier is not None
    assert shop.scene.roll_back(bad).status == Status.SUCCEEDED
    worse = shop.deploy("1.4.3")
    assert worse.replaces is not None
    assert worse.replaces.is_rollback
    (new,) = grown(group, shop, group.listed()[0])
    rollback = shop.scene.roll_back(worse)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert {shop.fleet.link(host) for host in group.listed()} == {f"releases/{earlier.pk}-{OLD}"}
    assert verdicts(rollback)[new] == "ROLLED_BACK"


def test_a_group_that_is_empty_now_is_rolled_back_at_once(open_shop: Open) -> None:
    shop, group = open_shop(2)
    bad = deployed_twice(shop)
    group.end(*group.listed())
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert "No instance" in rollback.message


def test_the_dialog_tells_old_from_new_phase_by_phase(
    open_shop: Open, live_server: LiveServer, chromium_thread: Chromium
) -> None:
    shop, group = open_shop(3)
    bad = deployed_twice(shop)
    first, *others = group.listed()
    new = grown(group, shop, first, 3)
    shop.fleet.image = None
    (empty,) = group.grow(1)

    def look(page: Page, name: str) -> str:
        sign_in(page, "engineer")
        page.goto(f"/deployments/{bad.pk}/rollback/")
        expect(page.locator("#drift")).to_contain_text("checked")
        expect(page.locator("#confirm")).to_contain_text(f"{empty}: nothing of storefront was seen")
        page.locator("#order-heading").scroll_into_view_if_needed()
        keep(page, name)
        assert found_on(page) == []
        return page.locator(".undo").inner_text()

    def confirm(page: Page) -> None:
        look(page, "rollback-group")
        page.get_by_role("button", name="Rollback").click()
        page.wait_for_url(lambda url: "/rollback/" not in url)

    for scheme, width in LOOKS:
        shown = chromium_thread.run(
            partial(look, name=f"rollback-group-{scheme}-{width}"),
            base_url=live_server.url,
            color_scheme=scheme,
            viewport={"width": width, "height": 860},
        )
        order = [others[-1], new[0], first, others[0], *new[1:]]
        assert [each for each in shown.split() if each.startswith("i-")] == order
        for said in ("1 deployed by it", "2 came since", "2 deployed by it", "1 came since"):
            assert said in shown
    chromium_thread.run(confirm, base_url=live_server.url)
    done = run(bad.rollbacks.get())
    rolled_back = dict.fromkeys([first, *others, *new], "ROLLED_BACK")
    assert verdicts(done) == {**rolled_back, empty: "UNTOUCHED"}
