"""Hosts out of an Auto Scaling group, behind real sshd: what a rollback does when they changed.

acceptance.md by number; reference 7.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dashboard.models import Deployment, Direction, FeatureFlag, Flag, Instance, Phase, Status
from rollbacks import execution
from rollbacks.pacing import SharedPace
from tests.aws.cloud import FakeCloud
from tests.aws.conftest import read_once
from tests.hosts.conftest import Shop
from tests.hosts.group import Group
from tests.hosts.test_canary import SHARES
from tests.scene import scene, verdicts
from tests.sshd import Fleet

__all__ = ["read_once"]  # a fixture

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
    """Opens a shop on a group of so many hosts, with a canary in four phases."""
    with ExitStack() as running:

        def start(count: int = 8, *, is_on: bool = True) -> tuple[Shop, Group]:
            fleet = running.enter_context(Fleet(0, tmp_path / "fleet"))
            group = Group(cloud, fleet)
            group.open(count)
            group.connect()
            key = tmp_path / "client_key"
            key.write_text(fleet.private_key)
            step = {"name": "Install", "kind": "ssh.install", "timeout": 60}
            made = scene(
                connector={**fleet.connector, "connect_timeout": 2},
                settings=group.settings,
                credential=f"file:{key}",
                workflow_type="CANARY",
                definition={
                    "phases": [
                        {"name": f"{share} %", "select": {"percentage": share}, "steps": [step]}
                        for share in SHARES
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


def on(shop: Shop, *hosts: str) -> set[str]:
    """The versions that these run."""
    return {(shop.fleet.link(host) or "").partition("-")[2] for host in hosts}


def test_A60_the_briefs_example_on_real_hosts(open_shop: Open) -> None:
    shop, group = open_shop(8)
    bad = deployed_twice(shop)
    i = dict(enumerate(group.listed(), start=1))
    assert phases(bad, Direction.FORWARD) == [
        [i[1]],
        [i[2], i[3]],
        [i[4], i[5]],
        [i[6], i[7], i[8]],
    ]
    before = {host: shop.fleet.tree(host) for host in i.values()}
    group.image = shop.fleet.root(i[8])
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
    assert on(shop, *group.listed()) == {OLD}
    assert set(Instance.objects.values_list("version", flat=True)) == {OLD}
