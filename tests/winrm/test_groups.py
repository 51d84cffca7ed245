"""Windows hosts out of an Auto Scaling group: what came since is rolled back too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dashboard.models import FeatureFlag, Flag, Instance
from rollbacks.pacing import SharedPace
from tests.aws.cloud import FakeCloud
from tests.aws.group import Group
from tests.scene import scene, verdicts
from tests.winrm.conftest import Open
from tests.winrm.host import Fleet
from tests.winrm.host.fleet import PASSWORD
from tests.winrm.shop import ROOT, Shop, furnish, settings_of
from tests.winrm.test_every_type import succeeded

BINDINGS = ("*:80:", "*:8080:")  # of what serves, and of what waits
INSTALL = {"name": "Install", "kind": "winrm.install", "timeout": 20}
PHASES = {
    "CANARY": [
        {"name": "Canary", "select": {"percentage": 50}, "steps": [INSTALL]},
        {"name": "Primary", "select": {"percentage": 100}, "steps": [INSTALL]},
    ],
    "BLUE_GREEN": [
        {
            "name": "Blue/Green",
            "steps": [
                {"name": "Stage", "kind": "winrm.stage", "timeout": 20},
                {"name": "Swap", "kind": "winrm.swap", "timeout": 20},
            ],
        }
    ],
}


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as running:
        yield running


@pytest.fixture
def open_grouped(
    transactional_db: None, tmp_path: Path, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Opens a shop on a group of two hosts."""
    monkeypatch.setattr(SharedPace, "take", lambda *asked: 0.0)
    with ExitStack() as running:

        def start(thing: str, workflow_type: str) -> Shop:
            fleet = running.enter_context(Fleet(0, tmp_path / "fleet"))
            group = Group(cloud, fleet.add, fleet.remove)
            group.open(2)
            furnish(fleet, thing)
            credential = tmp_path / "credential"
            credential.write_text(PASSWORD)
            settings = settings_of(thing, workflow_type)
            if "production_binding" in settings:
                settings["production_binding"] = BINDINGS[0]
                for host in fleet.hosts.values():
                    for site, binding in zip(host.windows.sites.values(), BINDINGS, strict=True):
                        site.bindings[0]["information"] = binding
            made = scene(
                workflow_type=workflow_type,
                deployment_type="WINRM",
                credential=f"file:{credential}",
                connector=fleet.connector,
                settings={**settings, **group.settings},
                definition={"settings": {"health_timeout": 0.1}, "phases": PHASES[workflow_type]},
            )
            made.extra["group"] = group
            FeatureFlag.objects.create(name=Flag.WINRM_ASG_ROLLBACK, is_on=True)
            return Shop(fleet, made, tmp_path)

        yield start


@pytest.mark.parametrize("keeps_earlier", [True, False], ids=["with", "without"])
def test_A57_the_path_of_a_newcomer_is_the_previous_release(
    open_grouped: Open, keeps_earlier: bool
) -> None:
    shop = open_grouped("site", "CANARY")
    group: Group = shop.scene.extra["group"]
    first = succeeded(shop.deploy("1.4.1"))
    second = succeeded(shop.deploy("1.4.2"))
    earlier = f"{ROOT}\\storefront\\release-{first.pk}-1.4.1"
    image = shop.fleet.image = shop.fleet.hosts[group.listed()[0]]
    (new,) = group.grow(1)
    shop.fleet.image = image
    windows = shop.fleet.hosts[new].windows
    if not keeps_earlier:
        windows.disk.delete_directory(earlier)
    rollback = succeeded(shop.scene.roll_back(second))
    assert verdicts(rollback) == dict.fromkeys(group.listed(), "ROLLED_BACK")
    assert [phase.newcomers for phase in rollback.phases.all()] == [[new], []]
    assert windows.sites["Shop-Blue"].paths["/", "/"] == earlier
    assert windows.disk.tree(ROOT) == image.windows.disk.tree(ROOT)
    assert windows.pools["Shop-Blue pool"].loaded == image.windows.pools["Shop-Blue pool"].loaded


@pytest.mark.parametrize("thing", ["service", "site"])
def test_of_a_newcomers_pair_what_serves_is_brought_back(open_grouped: Open, thing: str) -> None:
    shop = open_grouped(thing, "BLUE_GREEN")
    group: Group = shop.scene.extra["group"]
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    shop.fleet.image = shop.fleet.hosts[group.listed()[0]]
    (new,) = group.grow(1)
    rollback = succeeded(shop.scene.roll_back(bad))
    assert verdicts(rollback)[new] == "ROLLED_BACK"
    assert set(Instance.objects.values_list("version", flat=True)) == {"1.4.1"}
