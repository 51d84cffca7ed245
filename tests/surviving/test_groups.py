"""A worker is killed while it rolls back hosts that come and go, and some come and go just then."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.aws.cloud import FakeCloud
from tests.aws.group import CREDENTIAL, Group
from tests.nightly import IS_NIGHTLY
from tests.operating.stack import eventually
from tests.surviving.catalogue import BAD, GOOD, declared_group, directory_of
from tests.surviving.conftest import QUICK
from tests.surviving.site import Site
from tests.surviving.traffic import Latest, Shop
from tests.surviving.witness import WitnessedFleet

SHARES = (34, 67, 100)
_FLAG = (
    "from dashboard.models import FeatureFlag, Flag; "
    "FeatureFlag.objects.create(name=Flag.WINRM_ASG_ROLLBACK, is_on=True)"
)
_PHASES = """
    SELECT p.instances, s.status FROM dashboard_phase p JOIN dashboard_step s ON s.phase_id = p.id
    WHERE p.deployment_id = {} AND p.direction = 'BACK' ORDER BY p.position, s.position
"""
_AFTER = "SELECT d.after FROM dashboard_deployment d WHERE d.id = {}"
_CAPACITY = 6


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Shop, Group]]:
    """One process with everything in it, on SQLite, and a group of hosts that are deployed to."""
    with ExitStack() as running:
        cloud = running.enter_context(FakeCloud())
        fleet = running.enter_context(WitnessedFleet(0, tmp_path / "fleet"))
        group = Group(cloud, fleet.add, fleet.remove)
        fleet.trust_authority(group.port)
        group.begin(_CAPACITY)
        directory = tmp_path / "site"
        directory.mkdir()
        site = Site(directory, fleet, settings={**QUICK, CREDENTIAL: os.environ[CREDENTIAL]})
        running.callback(site.end)
        shop = Shop(site, targets=1)
        document = declared_group(site, group, shop.names[0], SHARES)
        shop.open(document, f'shell --verbosity 0 --command "{_FLAG}"')
        site.start("web")
        eventually(site.is_up, 120, "getting ready")
        yield shop, group


@pytest.mark.skipif(not IS_NIGHTLY, reason="at night; by day tests/hosts lets a worker crash there")
def test_nobody_is_forgotten_and_nobody_taken_twice_when_the_worker_is_killed(
    opened: tuple[Shop, Group],
) -> None:
    shop, group = opened
    fleet, (name,) = shop.site.fleet, shop.names
    for version in (GOOD, BAD):
        shop.deploy(name, version)
        bad = ended(shop)
    deployed = group.listed()
    fleet.image = fleet.directory / "image"
    shutil.copytree(fleet.root(deployed[-1]), fleet.image, symlinks=True)
    early = group.grow(2)
    began = time.time()
    shop.roll_back(bad.id)
    rollback = newest(shop).id
    eventually(lambda: "SUCCEEDED" in statuses(shop, rollback), 60, "the end of a first phase")
    shop.site.end_one("web")
    assert newest(shop).status == "RUNNING"
    planned = phases(shop, rollback)
    gone = next(host for host in planned[-1] if host in deployed)
    group.end(gone)
    (late,) = group.grow(1)
    shop.site.start("web")
    assert ended(shop).id == rollback
    assert phases(shop, rollback) == planned, "what was confirmed is what is done"
    everybody = [host for phase in planned for host in phase]
    assert sorted(everybody) == sorted([*deployed, *early]), "none forgotten, none twice"
    stayed = [host for host in everybody if host != gone]
    assert verdicts(shop, rollback) == {
        **dict.fromkeys(stayed, "ROLLED_BACK"),
        gone: "GONE",
        late: "UNTOUCHED",
    }
    assert {host: version_on(shop, host) for host in fleet.hosts} == {
        **dict.fromkeys(stayed, GOOD),
        late: BAD,
    }
    switched = [each.host for each in fleet.commands() if each.at > began and each.name == "switch"]
    assert sorted(switched) == sorted(stayed), "each host was switched once"


def newest(shop: Shop) -> Latest:
    return shop.latest()[shop.names[0]]


def ended(shop: Shop) -> Latest:
    eventually(lambda: newest(shop).status not in ("QUEUED", "RUNNING"), 90, "its end")
    last = newest(shop)
    assert last.status == "SUCCEEDED", last
    return last


def phases(shop: Shop, rollback: int) -> list[list[str]]:
    return [read(instances) for instances, _ in shop.site.rows(_PHASES.format(rollback))]


def statuses(shop: Shop, rollback: int) -> list[str]:
    return [status for _, status in shop.site.rows(_PHASES.format(rollback))]


def verdicts(shop: Shop, rollback: int) -> dict[str, str]:
    ((after,),) = shop.site.rows(_AFTER.format(rollback))
    return {each["key"]: each["verdict"] for each in read(after)["instances"]}


def version_on(shop: Shop, host: str) -> str:
    current = shop.site.fleet.root(host) / "srv" / directory_of(shop.names[0]) / "current"
    return os.readlink(current).partition("-")[2]


def read(column: Any) -> Any:
    """SQLite has text."""
    return json.loads(column) if isinstance(column, str) else column
